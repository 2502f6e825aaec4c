"""``espalier sweep wandb WORDS``: the same space as a native W&B sweep, whose agents run ``espalier train``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from espalier.config.dimensions import spelled
from espalier.core.errors import ConfigError, Fault
from espalier.core.searching import Dimension, combinations
from espalier.core.yaml_files import yaml_text
from espalier.sweep.objectives import AUTO, Objective, read_objectives
from espalier.sweep.plan import Planner

_HEAD = """\
# wandb sweep FILE, and where there is a machine:  wandb agent SWEEP
# W&B chooses and places the trials then; pruning's early end and repeats by seed are W&B's, too.
"""
_METHODS = {"grid": "grid", "random": "random", "qmc": "random"}  # all others learn from what they see
_MOST = 24  # values by which whole numbers of a wide interval are told, where they are searched in the logarithm


def wandb_sweep(planner: Planner) -> str:
    """The file's text, for ``wandb sweep FILE``.

    Raises:
        ConfigError: what W&B's sweeps cannot say: keys that only some options have, endless grids, repeats by seed in
            a search, several objectives; or a task whose objective no config names.
    """
    settings = planner.command.settings.values
    method = _METHODS.get(_rule(settings["search"]), "bayes")
    dimensions = planner.space.all()
    faults = [*_conditional(planner), *_endless(method, dimensions), *_seeds(planner, method)]
    if not (dimensions or len(planner.command.seeds) > 1):
        remedy = "Name values, as in  optimizer.lr=1e-4,1e-3"
        faults.append(Fault("espalier sweep wandb", "has nothing to vary: no word names several values.", remedy))
    objective = _objective(planner, faults)
    if faults:
        raise ConfigError(*faults)
    assert objective is not None
    content: dict[str, Any] = {
        "program": "espalier",
        **_place(planner),
        "method": method,
        "metric": {
            "name": objective.name.replace("cost.", "cost/"),
            "goal": "minimize" if objective.direction == "min" else "maximize",
        },
        **_early(settings["pruning"]),
        "parameters": {dimension.key: _parameter(dimension) for dimension in dimensions} | _repeats(planner),
        "command": ["${env}", "espalier", "train", *_fixed(planner), "${args_no_hyphens}"],
    }
    return _HEAD + yaml_text(content, width=120)


def _rule(node: Mapping[str, Any]) -> str:
    """The option's name, of one of ours."""
    return str(node["_target_"]).split(".")[-2]


def _place(planner: Planner) -> dict[str, str]:
    base = planner.base(next(combinations(planner.space.options())))
    node = (base.values.get("tracking") or {}).get("wandb") or {}
    return {name: str(node[name]) for name in ("project", "entity") if node.get(name)}


def _fixed(planner: Planner) -> list[str]:
    command = planner.command
    folders = [word for folder in command.config_dirs for word in ("--config-dir", str(folder.resolve()))]
    again = ["--rerun", str(command.rerun.resolve())] if command.rerun else []
    return [*folders, *again, *command.fixed]


def _parameter(dimension: Dimension) -> dict[str, Any]:
    """Values where there are so many, else a distribution."""
    if not dimension.is_interval or dimension.step is not None:
        return {"values": [_plain(value) for value in dimension.taken()]}
    ends = {"min": dimension.low, "max": dimension.high}
    if dimension.whole:
        low, high = round(dimension.low), round(dimension.high)
        if dimension.log:
            return {"values": _spread(low, high)}
        return {"distribution": "int_uniform", "min": low, "max": high}
    return {"distribution": "log_uniform_values" if dimension.log else "uniform", **ends}


def _spread(low: int, high: int) -> list[int]:
    """Whole numbers, evenly in the logarithm: W&B's own distribution gives ``4.0``, which we don't take for one."""
    if high - low < _MOST:
        return list(range(low, high + 1))
    ratio = high / max(low, 1)
    return sorted({low, high, *(round(max(low, 1) * ratio ** (n / (_MOST - 1))) for n in range(_MOST))})


def _plain(value: Any) -> Any:
    """Numbers as they are; all else as it is typed, since W&B writes ``True`` and ``None`` where we read ``true``."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else spelled(value)


def _repeats(planner: Planner) -> dict[str, Any]:
    return {"seed": {"values": list(planner.command.seeds)}} if len(planner.command.seeds) > 1 else {}


def _early(node: Mapping[str, Any]) -> dict[str, Any]:
    if _rule(node) not in ("asha", "hyperband"):
        return {}
    return {
        "early_terminate": {"type": "hyperband", "min_iter": node["min_validations"], "eta": node["reduction"]},
    }


def _objective(planner: Planner, faults: list[Fault]) -> Objective | None:
    words = [str(word) for word in planner.command.settings.values["sweep"]["objectives"]]
    said = f"sweep.objectives=[{','.join(words)}]"
    if len(words) != 1:
        faults.append(Fault(said, "are several, and a W&B sweep has one.", "Name the first of them."))
        return None
    (objective,) = read_objectives(words)
    if objective.name != AUTO:
        return objective
    bases = [planner.base(options).values["task"] for options in combinations(planner.space.options())]
    names = {str(task.get("objective", "")) for task in bases}
    try:
        (found,) = read_objectives([name.partition("/")[2] or name for name in names if name])
    except (ConfigError, ValueError):
        remedy = "Name it:  sweep.objectives=[accuracy:max]"
        faults.append(Fault(said, "is the task's own, and its config does not say which one.", remedy))
        return None
    return found


def _conditional(planner: Planner) -> Iterator[Fault]:
    every = [{key.key for key in planner.space.keys(options)} for options in combinations(planner.space.options())]
    for key in planner.space.all():
        groups = {dimension.key for dimension in planner.space.options()}
        if key.key not in groups and not all(key.key in keys for keys in every):
            remedy = f"Sweep over one option at a time, or leave {key.key} out (sweep.space=none)."
            yield Fault(key.key, "is a key of some of the options alone, and W&B's sweeps have no such keys.", remedy)


def _endless(method: str, dimensions: list[Dimension]) -> Iterator[Fault]:
    for dimension in dimensions if method == "grid" else ():
        if dimension.size is None:
            truth = "is an interval, of which a grid cannot try every value."
            yield Fault(dimension.key, truth, "Add  search=random  or  search=tpe")


def _seeds(planner: Planner, method: str) -> Iterator[Fault]:
    seeds = planner.command.seeds
    if len(seeds) > 1 and method != "grid":
        word = f"seed={','.join(map(str, seeds))}"
        yield Fault(word, "are repeats of the best, which W&B's searches do not have.", "Leave it out, or  search=grid")
