"""Every option of search, pruning and launcher is what a driver takes for one, without a driver being run."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from espalier.build.instantiate import instantiate
from espalier.config.multirun import read_command
from espalier.core.launching import Launcher
from espalier.core.searching import Pruning, Search
from espalier.sweep.conduct import _Watcher
from espalier.sweep.parts import Watcher
from sweep.planning import SMALL

ROOT = Path(__file__).parents[2] / "conf"
INTERFACES = {"search": Search, "pruning": Pruning, "launcher": Launcher}
OPTIONS = [(group, file.stem) for group in INTERFACES for file in sorted((ROOT / group).glob("[a-z]*.yaml"))]


def positional(method: Any) -> list[str]:
    """How many a caller may give by their place, and the names of the others."""
    kinds = [p for p in inspect.signature(method).parameters.values() if p.name != "self"]
    return [p.name if p.kind is p.KEYWORD_ONLY else str(p.kind) for p in kinds]


def required(interface: type) -> dict[str, Any]:
    names = [name for name in vars(interface) if not name.startswith("_") or name in ("__enter__", "__exit__")]
    return {name: getattr(interface, name) for name in names if callable(getattr(interface, name))}


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_what_each_option_makes_can_all_that_is_asked_of_it(group: str, option: str) -> None:
    made = instantiate(read_command([*SMALL, "optimizer.lr=1e-3,1e-2", f"{group}={option}"]).settings.config[group])
    wanted = required(INTERFACES[group])
    assert len(wanted) >= 3
    for name, method in wanted.items():
        given = [kind.replace("POSITIONAL_OR_KEYWORD", "POSITIONAL_ONLY") for kind in positional(getattr(made, name))]
        assert given == [kind.replace("POSITIONAL_OR_KEYWORD", "POSITIONAL_ONLY") for kind in positional(method)], name


def test_who_tells_people_of_a_sweep_is_a_watcher() -> None:
    for name, method in required(Watcher).items():
        assert positional(getattr(_Watcher, name)) == positional(method)
