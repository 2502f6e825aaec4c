from __future__ import annotations

import pytest

from espalier.core.machine import probe
from espalier.hardware.threads import because, threads_of


def test_as_set_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert threads_of(3, 2) == (3, "")


@pytest.mark.parametrize(("given", "threads"), [("5", 5), (" 4,2", 4)])
def test_auto_is_what_the_user_told_the_process(monkeypatch: pytest.MonkeyPatch, given: str, threads: int) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert threads_of("auto", 2) == (threads, f"OMP_NUM_THREADS={threads}")


@pytest.mark.parametrize("given", [None, "", "0", "many"])
def test_else_cores_are_divided_and_nobody_gets_none(monkeypatch: pytest.MonkeyPatch, given: str | None) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if given is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert threads_of("auto", 1) == (probe().cpus, "")
    assert threads_of("auto", 10 * probe().cpus) == (1, "")


def test_reasons_make_one_phrase() -> None:
    assert because("no GPU", "", "AMX") == "no GPU, AMX"
