from __future__ import annotations

from espalier.cli.help import COMMANDS, overview, train_help
from espalier.config.options import groups
from espalier.config.sources import shipped


def test_every_command_is_there() -> None:
    assert all(f"espalier {command} " in overview() for command in COMMANDS)


def test_every_option_is_there() -> None:
    found = groups([shipped()])
    text = train_help(found)
    assert all(option in text for options in found.values() for option in options)


def test_lines_fit() -> None:
    text = overview() + train_help(groups([shipped()]))
    assert max(map(len, text.splitlines())) <= 120
