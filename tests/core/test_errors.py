from __future__ import annotations

import pytest

from espalier.core import errors
from espalier.core.errors import ConfigError, CorruptError, EspalierError, Fault, InterruptedRunError, UserError, newer
from espalier.core.masking import MASK


def test_fault_reads_as_a_line() -> None:
    fault = Fault("optimizer.lrr=1", 'adamw has no setting "lrr".', "Did you mean optimizer.lr?", "conf/mine.yaml:7")
    assert str(fault) == 'optimizer.lrr=1  adamw has no setting "lrr". Did you mean optimizer.lr?  (conf/mine.yaml:7)'
    assert str(Fault("a=b", "is wrong.")) == "a=b  is wrong."


def test_all_faults_are_in_the_message() -> None:
    error = ConfigError(Fault("a=1", "is wrong."), "and this too")
    assert str(error) == "a=1  is wrong.\nand this too"
    assert [fault.truth for fault in error.faults] == ["is wrong.", "and this too"]


@pytest.mark.parametrize(("signal", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGUSR1", 143)])
def test_interruption_has_the_shells_exit_code(signal: str, code: int) -> None:
    assert InterruptedRunError(signal).exit_code == code


def test_exit_codes_tell_who_is_to_act() -> None:
    assert (UserError("x").exit_code, CorruptError("x").exit_code) == (2, 1)


def test_tree_in_the_docstring_is_the_tree() -> None:
    drawn = [word for line in (errors.__doc__ or "").splitlines() for word in line.split() if word.endswith("Error")]
    defined = [c.__name__ for c in vars(errors).values() if isinstance(c, type) and issubclass(c, EspalierError)]
    assert sorted(drawn) == sorted(defined)


def test_what_a_later_version_wrote_names_the_version_to_install() -> None:
    said = str(newer("outputs/run", "schema", 9, 2, "3.1.0"))
    assert "Espalier 3.1.0 (schema 9)" in said and "pip install 'espalier>=3.1.0'" in said
    assert "pip install --upgrade espalier" in str(newer("outputs/run", "schema", 9, 2, ""))


def test_what_an_error_says_holds_no_secret() -> None:
    wrong = Fault("password=x", "password: x is bad.", "Try  token=x", "a.yaml:3")
    (fault,) = ConfigError(wrong).faults
    assert fault == Fault(f"password={MASK}", f"password: {MASK} is bad.", f"Try  token={MASK}", "a.yaml:3")
    assert "hush" not in str(ConfigError(Fault("token=hush", "is nothing.")))
    assert str(CorruptError("cannot read https://me:hush@host/x")) == f"cannot read https://{MASK}@host/x"
