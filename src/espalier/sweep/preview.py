"""What a sweep is about to do, for people: ``espalier sweep plan``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from espalier.core.searching import Dimension, Point, combinations
from espalier.report.sweep_plan import Expected, SweepPlan, Varied
from espalier.sweep.earlier import Earlier
from espalier.sweep.names import spoken
from espalier.sweep.plan import Planned, Planner, digests
from espalier.sweep.settings import DEFAULT_TRIALS


def preview(planner: Planner, slots: Sequence[str] = (), beside: Sequence[str] = ()) -> SweepPlan:
    """The plan of a command that was checked.

    Args:
        slots: places for trials, as the launcher says them.
        beside: what the search's model leaves out, as the search says it.
    """
    settings = planner.command.settings
    chosen = {group: str(settings.choices[group]) for group in ("search", "pruning", "launcher")}
    sweep = settings.values["sweep"]
    whole = planner.is_grid and sweep["trials"] is None
    limit = sweep["trials"] or (None if whole else DEFAULT_TRIALS)
    size = planner.size
    known = [number for number in (limit, size) if number is not None]
    configurations = min(known) if known else None
    finalists = None if planner.is_grid and chosen["pruning"] == "none" else int(sweep["finalists"])
    seeds = planner.seeds
    further = (len(seeds) - 1) * min(configurations or 0, (configurations or 0) if finalists is None else finalists)
    planned = list(_planned(planner, configurations)) if planner.is_grid else []
    repeated = len(planned) - len(digests(planned))
    expected, unknown = _expected(planner, (configurations or 0) + further - repeated)
    return SweepPlan(
        search=chosen["search"],
        pruning=chosen["pruning"],
        launcher=chosen["launcher"],
        configurations=configurations,
        seeds=seeds,
        finalists=finalists,
        total=(configurations or 0) + further,
        repeated=repeated,
        names=[trial.name for trial in planned],
        slots=slots,
        varied=list(_varied(planner)),
        expected=expected,
        unknown=unknown,
        notes=[*_notes(planner), *left_out(chosen["search"], beside)],
    )


def _planned(planner: Planner, configurations: int | None) -> Iterator[Planned]:
    """The trials of a grid; those of a search are chosen as it goes."""
    seeds = planner.seeds if str(planner.command.settings.choices["pruning"]) == "none" else planner.seeds[:1]
    yield from (planner.at(point, seed) for point, seed in planner.trials(seeds, configurations))


def _expected(planner: Planner, trials: int) -> tuple[list[Expected], int]:
    """What trials take, by the options that are varied: as many of each, as far as is known before."""
    every = list(combinations(planner.space.options()))
    weights = [_weight(planner, options) for options in every]
    found: list[Expected] = []
    unknown = 0.0
    earlier = Earlier(planner.output)
    for options, weight in zip(every, weights, strict=True):
        share = trials * weight / sum(weights)
        takes = earlier.expected(planner.base(options), share)
        if takes is None:
            unknown += share
        else:
            found.append(takes)
    return found, round(unknown)


def _weight(planner: Planner, options: Point) -> int:
    if not planner.is_grid:
        return 1
    weight = 1
    for key in planner.space.keys(options):
        weight *= key.size or 1
    return weight


def _varied(planner: Planner) -> Iterator[Varied]:
    every = list(combinations(planner.space.options()))
    for dimension in planner.space.options():
        yield Varied(dimension.key, spoken(dimension), "", dimension.source)
    kinds: dict[tuple[str, str], tuple[Dimension, list[Point]]] = {}
    for options in every:
        for key in planner.space.keys(options):
            kinds.setdefault((key.key, key.source), (key, []))[1].append(options)
    for key, having in kinds.values():
        where = "" if len(having) == len(every) else _where(having, every)
        yield Varied(key.key, spoken(key), where, key.source)
    if len(planner.command.seeds) > 1:
        seeds = ", ".join(map(str, planner.command.seeds))
        yield Varied("seed", f"{seeds}: repeats of each configuration", "", "command line")


def _where(having: Sequence[Point], every: Sequence[Point]) -> str:
    """The options that all of some points have, and not all of all."""
    said: list[str] = []
    for group in having[0]:
        values = list(dict.fromkeys(str(point[group]) for point in having))
        if len(values) < len({str(point[group]) for point in every}):
            said.append(f"{group}={' or '.join(values)}")
    return " and ".join(said)


def _notes(planner: Planner) -> Iterator[str]:
    wide = [
        key.key
        for key in planner.space.all()
        if key.log and key.source == "command line" and "log" not in _typed(planner, key)
    ]
    if wide:
        yield (
            f"{', '.join(wide)}: an interval so wide is searched by its logarithm; not so with  tag(linear,interval(…))"
        )
    if planner.space.uses_options:
        yield "the ranges of options come from conf/space; others of your own from a folder after  --config-dir"


def left_out(search: str, beside: Sequence[str]) -> list[str]:
    """The line that says what a search's model knows nothing of; none where it knows of all."""
    return [f"{search} chooses these each by itself, outside its model: {', '.join(beside)}"] if beside else []


def _typed(planner: Planner, key: Dimension) -> str:
    return next((word.typed for word in planner.command.swept if word.override.get_key_element() == key.key), "")
