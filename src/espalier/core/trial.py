"""A run that is a trial of a sweep: what it knows of that, and how it asks whether to go on. Small files in its folder.

trial.json     made before it begins: whose trial it is, and after which validations it asks
ask.json       the run: "after validation 3 the objective is 0.87; shall I go on?"
answer.json    the sweep: "yes", or "pause": then the run leaves a checkpoint and ends as ``paused``
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from espalier.core.files import read_json, write_json

TRIAL, ASK, ANSWER = "trial.json", "ask.json", "answer.json"


@dataclass(frozen=True)
class Trial:
    """What a run knows of its sweep.

    Attributes:
        sweep: name of the sweep's directory, ``sweep-<date>_<time>-<6 hex>`` where nobody has chosen another.
        number: of the trial; its directory is ``trials/<number>``.
        run_id: stable over resumes, and unlike any other run's: what is the sweep's own, and the number.
        name: what differs from the sweep's other trials, ``lr=0.0003 adapter=lora seed=1``.
        words: the same as words of a command line.
        rungs: numbers of validations after which it asks whether to go on.
        objective: the metric that it asks with; empty: its task's objective.
    """

    sweep: str
    number: int
    run_id: str
    name: str
    words: tuple[str, ...] = ()
    rungs: tuple[int, ...] = ()
    objective: str = ""

    @property
    def group(self) -> str:
        """What its sweep is called among all: with the digits of its own, where the directory's name is a person's."""
        own = self.run_id.rpartition("-")[0]
        return self.sweep if self.sweep.endswith(own) else f"{self.sweep}-{own}"


@dataclass(frozen=True)
class Ask:
    """A trial's question.

    Attributes:
        validations: that it has done: one of its rungs.
        step: optimizer steps.
        value: of the objective at this validation, in its own direction; None where it is not finite.
        others: where there is no such metric, those that there are.
    """

    validations: int
    step: int
    value: float | None
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """The sweep's answer to the question with the same number of validations."""

    validations: int
    go_on: bool


def write_trial(directory: Path, trial: Trial) -> None:
    """Atomically, before the run begins."""
    write_json(directory / TRIAL, asdict(trial))


def read_trial(directory: Path) -> Trial | None:
    """None of a run that is no trial."""
    found = _read(directory / TRIAL)
    return found and Trial(**{**found, "words": tuple(found["words"]), "rungs": tuple(found["rungs"])})


def write_ask(directory: Path, ask: Ask) -> None:
    """Atomically."""
    write_json(directory / ASK, asdict(ask))


def read_ask(directory: Path) -> Ask | None:
    """The last question; it may be answered already."""
    found = _read(directory / ASK)
    return found and Ask(**{**found, "others": tuple(found.get("others", ()))})


def write_answer(directory: Path, answer: Answer) -> None:
    """Atomically."""
    write_json(directory / ANSWER, asdict(answer))


def read_answer(directory: Path) -> Answer | None:
    """The last answer."""
    found = _read(directory / ANSWER)
    return found and Answer(**found)


def _read(file: Path) -> Any:
    try:
        content: Mapping[str, Any] = read_json(file)
    except FileNotFoundError:
        return None
    return content
