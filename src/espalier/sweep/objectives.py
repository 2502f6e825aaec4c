"""What trials are judged by: ``sweep.objectives=[auto,cost.train_seconds:min]``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from espalier.config.suggest import asked, nearest
from espalier.core.errors import ConfigError, Fault
from espalier.core.outcome import Cost, Outcome

AUTO = "auto"
_COSTS = tuple(field.name for field in fields(Cost))
_SMALL = ("loss", "error", "ece", "brier", "seconds", "bytes", "parameters", "perplexity")
_LARGE = (
    "accuracy", "f1", "auroc", "precision", "recall", "average_precision", "kappa", "mcc", "per_second", "score",
)  # fmt: skip


@dataclass(frozen=True)
class Objective:
    """One of them.

    Attributes:
        name: ``auto`` until a trial says what its task's is; then ``validation/accuracy``, ``cost.train_seconds``.
        direction: ``max`` or ``min``; empty of ``auto``.
    """

    name: str
    direction: str = ""

    @property
    def sign(self) -> int:
        """Times this, bigger is better."""
        return -1 if self.direction == "min" else 1

    @property
    def is_cost(self) -> bool:
        """Whether it is what a trial took; only its end tells."""
        return self.name.startswith("cost.")

    def value(self, outcome: Outcome) -> float | None:
        """Of a trial; None where it has no such value."""
        if self.is_cost:
            return _costs(outcome).get(self.name)
        return outcome.metrics.get(self.name)


def read_objectives(words: Sequence[str]) -> list[Objective]:
    """As they stand in the settings.

    Raises:
        ConfigError: a direction that is none, or that nobody knows; no objective; one that stands twice.
    """
    faults: list[Fault] = []
    found: list[Objective] = []
    for word in words:
        name, _, direction = word.partition(":")
        if name != AUTO and "/" not in name and not name.startswith("cost."):
            name = f"validation/{name}"
        said = f"sweep.objectives=[{word}]"
        split, _, metric = name.rpartition("/")
        if name.startswith("cost.") and name.removeprefix("cost.") not in _COSTS:
            faults.append(Fault(said, "is no cost.", _mean(name.removeprefix("cost."), _COSTS, "cost.")))
        elif split not in ("", "validation", "train", "test"):
            faults.append(Fault(said, f"is of no split: {split}.", f"Judge by  validation/{metric}"))
        elif direction not in ("", "max", "min"):
            faults.append(Fault(said, f"ends with {direction}.", f"Write  {name}:max  or  {name}:min"))
        elif name.startswith("test/"):
            faults.append(Fault(said, "is of the test split, which no trial sees.", "Judge by  validation/…"))
        elif name != AUTO and not (direction := direction or _known_direction(name)):
            guess = nearest(metric, (*_LARGE, *_SMALL))
            remedy = f"Did you mean  {guess} ? Else write" if guess else "Write"
            truth = "may be better when larger or when smaller."
            faults.append(Fault(said, truth, f"{remedy}  {word}:max  or  {word}:min"))
        else:
            found.append(Objective(name, direction))
    if not words:
        faults.append(Fault("sweep.objectives=[]", "names none.", "Set  sweep.objectives=[auto]"))
    if len({one.name for one in found}) < len(found):
        faults.append(Fault(f"sweep.objectives=[{','.join(words)}]", "names one of them twice."))
    if faults:
        raise ConfigError(*faults)
    return found


def settle(asked: Sequence[Objective], known: Sequence[Objective], outcome: Outcome) -> list[Objective]:
    """With ``auto`` replaced by what a trial's task says.

    Args:
        known: the same as asked, until a trial has said it.

    Raises:
        ConfigError: this task has another objective than an earlier trial's: their numbers do not compare.
    """
    auto = Objective(outcome.objective, outcome.direction or "max")
    own = [auto if one.name == AUTO else one for one in asked]
    if list(known) in (list(asked), own):
        return own
    raise ConfigError(mixed(b.name for pair in zip(known, own, strict=True) if pair[0] != pair[1] for b in pair))


def mixed(names: Iterable[str]) -> Fault:
    """Trials would be judged by different metrics."""
    several = sorted({name.removeprefix("validation/") for name in names})
    truth = f"is {' of some trials, '.join(several)} of others: these cannot be compared."
    return Fault(
        f"sweep.objectives=[{AUTO}]", truth, f"Name one that all of them tell:  sweep.objectives=[{several[0]}]"
    )


def of_rungs(asked: Objective) -> Objective | None:
    """What trials are compared by before their end: the first objective; None where that is their task's, or a cost."""
    return None if asked.name == AUTO or asked.is_cost else asked


def directions(objectives: Sequence[Objective]) -> list[str]:
    """For a search. It is told values of ``auto`` so that bigger is better (see ``for_search``)."""
    return [one.direction or "max" for one in objectives]


def for_search(asked: Sequence[Objective], known: Sequence[Objective], values: Sequence[float]) -> tuple[float, ...]:
    """Values in the directions that the search was started with."""
    pairs = zip(asked, known, values, strict=True)
    return tuple(value * now.sign if then.name == AUTO else value for then, now, value in pairs)


def values_of(objectives: Sequence[Objective], outcome: Outcome) -> tuple[float, ...]:
    """Of a trial that is done.

    Raises:
        ConfigError: it has no such metric; the names that there are.
    """
    found = [(one, one.value(outcome)) for one in objectives]
    names = [*outcome.metrics, *(name for name, value in _costs(outcome).items() if value)]
    if missing := [one for one, value in found if value is None]:
        raise none_such(missing, names)
    return tuple(float(value) for _, value in found if value is not None)


def none_such(missing: Sequence[Objective], names: Sequence[str]) -> ConfigError:
    """They are nothing that a trial tells; the names that there are."""
    truth, remedy = "is nothing that a trial tells.", f"There are: {', '.join(names)}."
    return ConfigError(*(Fault(f"sweep.objectives=[{one.name}]", truth, remedy) for one in missing))


def are_finite(values: Sequence[float]) -> bool:
    """Whether they say anything."""
    return all(map(math.isfinite, values))


def _mean(word: str, known: Sequence[str], prefix: str) -> str:
    guess = nearest(word, known)
    return asked([prefix + guess]) if guess else f"There are: {', '.join(prefix + one for one in known)}."


def _costs(outcome: Outcome) -> Mapping[str, Any]:
    return {f"cost.{name}": value for name, value in asdict(outcome.cost).items()}


def _known_direction(name: str) -> str:
    last = name.rpartition("/")[2].rpartition(".")[2]
    if any(part in last for part in _LARGE):
        return "max"
    return "min" if any(part in last for part in _SMALL) else ""
