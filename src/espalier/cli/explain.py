"""``espalier explain KEY [overrides]``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from espalier.cli.arguments import composing
from espalier.config.compose import compose
from espalier.config.explain import explain
from espalier.config.multirun import NODES, read_command
from espalier.config.options import groups, summaries
from espalier.config.sources import shipped
from espalier.config.wording import PRESETS
from espalier.core.errors import ConfigError
from espalier.report.layout import aligned

_HELP = """\
espalier explain KEY [group=option] [key=value] …

A setting of the experiment that those words compose: its value, type and range, its meaning, the file and line that
set it, and what it was set over. A part's key lists its settings, and a group's what there is to choose.

  espalier explain optimizer.lr experiment=sst2_lora
  espalier explain model model=lstm
  espalier explain data --config-dir my_conf data=mine
  espalier explain experiment --config-dir my_conf
  espalier explain search sweep=tpe                   of a sweep: sweep, search, pruning, launcher"""


def main(words: Sequence[str]) -> int:
    """Print the explanation; 0."""
    given = composing("espalier explain").read(words)
    if given.help or not given.overrides:
        print(_HELP)
        return 0
    key, *rest = given.overrides
    key = key if "=" in key else key.replace("/", ".")
    folders = [*given.config_dir, shipped()]
    if key in PRESETS:
        print("\n".join(_options(key, folders)))
        return 0
    if key.partition(".")[0] in NODES:
        experiment = read_command(rest, given.config_dir).settings
    else:
        experiment = compose(rest, config_dirs=given.config_dir)
    if experiment.faults:
        raise ConfigError(*experiment.faults)
    print("\n".join(explain(experiment, key)))
    if len(groups(folders).get(group := key.replace(".", "/"), ())) > 1:
        print("", "options", *(f"  {line}" for line in _options(group, folders)), sep="\n")
    return 0


def _options(group: str, folders: Sequence[Path]) -> list[str]:
    """A line each."""
    return aligned([(f"{group}={name}", said) for name, said in summaries(group, folders).items()])
