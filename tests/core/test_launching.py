from __future__ import annotations

from pathlib import Path

import pytest

from espalier.core.launching import Job, environment_of, words_of


def job(**more: object) -> Job:
    return Job(**{"directory": Path("/runs/7"), "resume": False, "hardware": {}, "environment": {}} | more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (job(), ["/runs/7"]),
        (job(resume=True), ["/runs/7", "--resume"]),
        (job(verb="conclude"), ["/runs/7", "--conclude"]),
    ],
)
def test_words_that_start_it(made: Job, words: list[str]) -> None:
    assert words_of(made) == words


def test_its_own_variables_come_before_the_drivers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", "driver")
    monkeypatch.setenv("TRANSFORMERS_VERBOSITY", "info")
    assert environment_of()["MINE"] == "driver"
    told = environment_of(job(environment={"MINE": "trial"}))
    assert (told["MINE"], told["PYTHONSAFEPATH"], told["TRANSFORMERS_VERBOSITY"]) == ("trial", "1", "info")
    assert told["HF_HUB_DISABLE_PROGRESS_BARS"] == "1"
