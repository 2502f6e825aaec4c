from __future__ import annotations

import logging
import warnings
from pathlib import Path

import pytest

from espalier.checks.opening import answered, opened
from espalier.config.compose import compose
from espalier.core.errors import DataError, Fault


def test_rows_of_an_experiment() -> None:
    source, raw = opened(compose(["data=support_intents", "data.limit=20"]))
    assert source.batching.max_length == 128
    assert raw.splits["train"].num_rows == 20


def test_a_mistake_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        raise DataError(Fault("data.path=x.csv", "is not there.", "Check its path."))

    assert answered(work) == 2
    assert "data.path=x.csv   is not there.   Check its path." in capsys.readouterr().err


def test_the_work_says_its_exit_code() -> None:
    assert answered(lambda: 1) == 1


def test_lightning_does_not_tell_what_it_uses(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log = logging.getLogger("lightning_fabric")
    monkeypatch.setattr(log, "level", logging.INFO)
    monkeypatch.setattr(log, "propagate", True)

    def work() -> int:
        logging.getLogger("lightning_fabric.plugins").info("Using bfloat16 Automatic Mixed Precision (AMP)")
        return 0

    assert answered(work) == 0 and not caplog.records


def test_a_warning_is_a_line_without_the_place_in_our_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def pythons(*_: object) -> str:
        return "a.py:3: UserWarning"

    monkeypatch.setattr(warnings, "formatwarning", pythons)
    said: list[str] = []
    assert answered(lambda: said.append(warnings.formatwarning("it goes on", UserWarning, "a.py", 3)) or 0) == 0
    assert said == ["it goes on\n"]
    assert warnings.formatwarning is pythons


def test_a_place_that_cannot_be_written_is_one_message(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def work() -> int:
        (tmp_path / "none" / "a.csv").write_text("")
        return 0

    assert answered(work) == 1
    assert capsys.readouterr().err == f"this could not be done: {tmp_path}/none/a.csv: No such file or directory.\n"
