"""Every option of a sweep's groups: composed, checked and made; every space held against the option it is of."""

from __future__ import annotations

from pathlib import Path

import pytest

from espalier.build.instantiate import instantiate
from espalier.config.multirun import NODES, read_command
from espalier.sweep.plan import Planner

CONF = Path(__file__).resolve().parents[2] / "conf"
OPTIONS = sorted(file for group in NODES for file in (CONF / group).glob("*.yaml") if not file.name.startswith("_"))
SPACES = sorted((CONF / "space").rglob("*.yaml"))
CONTEXTS = (
    ("data=support_intents", "model=lstm", "adapter=full"),
    ("data=support_intents", "model=minilm"),
    ("data=mnist", "model=mlp", "adapter=full", "task=classification"),
)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda file: str(file.relative_to(CONF)))
def test_option_is_checked_and_made(option: Path) -> None:
    command = read_command([f"{option.parent.name}={option.stem}"])
    assert command.settings.choices[option.parent.name] == option.stem
    for node in NODES:
        assert instantiate(command.settings.config[node])


@pytest.mark.parametrize("space", SPACES, ids=lambda file: str(file.relative_to(CONF)))
def test_space_is_of_its_option_and_within_its_range(space: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    group, option = str(space.parent.relative_to(CONF / "space")), space.stem
    assert (CONF / group / f"{option}.yaml").is_file(), "there is no such option"
    tried = 0
    for context in CONTEXTS:
        words = [word for word in context if not word.startswith(f"{group}=")]
        planner = Planner(read_command([*words, f"{group}={option}", "sweep=random"]))
        if planner.base({}).faults or not _fits(planner):
            continue
        tried += 1
        own = [key for key in planner.space.all() if str(space.relative_to(CONF.parent)) in key.source]
        lines = [line for line in space.read_text().splitlines() if line and not line.startswith("#")]
        assert len(own) == len(lines)
        assert all(" # " in line for line in lines), "each range has its reason"
    assert tried, "it fits nowhere"


def _fits(planner: Planner) -> bool:
    """Whether the option itself can be composed there; then its whole space must be."""
    from espalier.config.check import check
    from espalier.core.errors import UserError

    try:
        check(planner.base({}))
    except UserError:
        return False
    planner.check()
    return True
