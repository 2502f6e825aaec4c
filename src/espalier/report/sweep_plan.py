"""What a sweep is about to do, in the terminal: trials, what differs between them, places, and what it will take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from espalier.report.estimate import rough
from espalier.report.layout import aligned, cut, flow, terminal_width, width_of, wrap
from espalier.report.quantities import count, memory

_LISTED = 12  # trials
_LABEL = 11


@dataclass(frozen=True)
class Varied:
    """A key or group that is varied.

    Attributes:
        values: in words: ``lora, probe``; ``0.00001 to 0.01, by its logarithm``.
        where: the options beside which it is varied, where that is not all of them: ``adapter=lora``.
        source: who says so.
    """

    key: str
    values: str
    where: str
    source: str


@dataclass(frozen=True)
class Expected:
    """What a trial takes, by earlier runs with the same options.

    Attributes:
        trials: how many take so much.
        seconds: each; memory, disk: bytes each; 0: unknown.
        like: the runs that were looked at.
    """

    trials: int
    seconds: float
    memory: int
    disk: int
    like: int


@dataclass(frozen=True)
class SweepPlan:
    """What is known before anything runs.

    Attributes:
        search, pruning, launcher: options.
        configurations: how many; None: a search with no end of its own.
        seeds: of each.
        finalists: how many get the seeds after the first; None: all.
        unlike: trials that are not the same run as another one.
        repeated: trials that are: they run once.
        total: trials at most, repeats included.
        names: of the trials, in order, where they are known.
        slots: places for trials.
        expected: by what options; those of which nothing is known are ``unknown`` trials.
        notes: what should be known beside.
    """

    search: str
    pruning: str
    launcher: str
    configurations: int | None
    seeds: tuple[int, ...]
    finalists: int | None
    total: int
    repeated: int
    names: Sequence[str]
    slots: Sequence[str]
    varied: Sequence[Varied]
    expected: Sequence[Expected]
    unknown: int
    notes: Sequence[str] = ()


def plan_lines(plan: SweepPlan, width: int | None = None, *, most: int = _LISTED) -> list[str]:
    """The plan.

    Args:
        width: columns to write in; the terminal's if not given.
        most: trials that are listed.
    """
    width = terminal_width() if width is None else width
    lines = flow([_size(plan), _how(plan), _places(plan, width)], width)
    lines += _section("varied", _varied(plan.varied, width - _LABEL))
    lines += _section("trials", list(_trials(plan, most, width - _LABEL)))
    lines += _section("takes", [part for line in _takes(plan) for part in wrap(line, width - _LABEL)])
    for note in plan.notes:
        lines += _section("note", wrap(note, width - _LABEL))
    return lines


def _size(plan: SweepPlan) -> str:
    seeds = len(plan.seeds)
    if plan.configurations is None:
        return "no end but yours"
    configurations = count(plan.configurations, "configuration")
    if seeds == 1:
        return count(plan.total, "trial")
    if plan.finalists is None:
        return f"{count(plan.total, 'trial')}: {configurations}, {seeds} seeds each"
    further = "the best" if plan.finalists == 1 else f"the best {plan.finalists}"
    return f"{count(plan.total, 'trial')}: {configurations}, {further} with {count(seeds - 1, 'further seed')}"


def _how(plan: SweepPlan) -> str:
    pruning = "none is cut early" if plan.pruning == "none" else f"cut early by {plan.pruning}"
    return f"search {plan.search}, {pruning}"


def _places(plan: SweepPlan, width: int) -> str:
    if not plan.slots:
        return plan.launcher
    named = cut(", ".join(plan.slots), width // 3)
    return f"{plan.launcher}: {count(len(plan.slots), 'place')} ({named})"


def _section(label: str, lines: Sequence[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"{'' if number else label:<{_LABEL}}{line}".rstrip()


def _varied(varied: Sequence[Varied], width: int) -> list[str]:
    """A line for each key; who says so stands beneath where the line is full."""
    if not varied:
        return ["nothing"]
    keys = aligned([(one.key, "") for one in varied])
    broad = max(map(len, keys)) + 3
    lines: list[str] = []
    for key, one in zip(keys, varied, strict=True):
        where = f"where {one.where}" if one.where else ""
        parts = flow([one.values, where, f"({one.source})"], width - broad)
        if one.source == "command line":
            parts = flow([one.values, where], width - broad)
        whole = [
            p for part in parts for p in ([part] if width_of(part) <= width - broad else wrap(part, width - broad))
        ]
        lines += [f"{key if not n else '':<{broad}}{part}" for n, part in enumerate(whole)]
    return lines


def _trials(plan: SweepPlan, most: int, width: int) -> Iterator[str]:
    numbered = [f"{number:03d}  {name}" for number, name in enumerate(plan.names)]
    if len(numbered) <= most + 1:
        yield from (cut(line, width) for line in numbered)
    else:
        yield from (cut(line, width) for line in numbered[: most - 1])
        yield f"…    {len(numbered) - most:,} more"
        yield cut(numbered[-1], width)
    if plan.repeated:
        word = "is" if plan.repeated == 1 else "are"
        yield f"{plan.repeated:,} of them {word} the same run as another one, and told from it"


def _takes(plan: SweepPlan) -> Iterator[str]:
    known = [one for one in plan.expected if one.seconds]
    if not known:
        yield "unknown until the first trials have run: there is no earlier run with these options"
        return
    places = max(1, len(plan.slots))
    seconds = sum(one.trials * one.seconds for one in known)
    longest = max(one.seconds for one in known)
    time = f"about {rough(max(seconds / places, longest))}"
    parts = [f"{time} at {count(places, 'place')}", f"{rough(seconds)} of a place's time"]
    if most := max(one.memory for one in known):
        parts.append(f"{memory(most)} memory a trial")
    if disk := sum(one.trials * one.disk for one in known):
        parts.append(f"{memory(disk)} disk")
    yield ", ".join(parts)
    runs = sum(one.like for one in known)
    yield f"by {count(runs, 'earlier run')} with the same data, model and adapter" + (
        f"; nothing is known of {count(plan.unknown, 'trial')}" if plan.unknown else ""
    )
    if plan.pruning != "none":
        yield "less, by what is cut early"
