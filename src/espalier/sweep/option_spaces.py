"""What is worth varying in an option: ``conf/space/<group>/<option>.yaml``, the user's folders first.

    rank: choice(4,8,16,32)        # what is gained by more than 16 is seldom seen
    dropout: interval(0,0.2)

A flat mapping from the option's keys to values as Hydra's grammar writes several of them; no part of a trial's config.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from espalier.config.dimensions import dimension
from espalier.config.layers import marks_of, shown
from espalier.config.options import SPACE
from espalier.config.sources import shipped
from espalier.config.words import read_words
from espalier.core.errors import ConfigError, Fault
from espalier.core.searching import Dimension
from espalier.core.yaml_files import read_yaml


def option_space(choices: Mapping[str, Any], config_dirs: Sequence[Path]) -> list[Dimension]:
    """Dimensions of the chosen options' spaces, in the order of the groups; empty where no option has one.

    Args:
        choices: group -> option, list of options, or None.

    Raises:
        ConfigError: a file that says no space; every fault of it.
    """
    found: list[Dimension] = []
    for group, chosen in choices.items():
        for option in chosen if isinstance(chosen, list) else [chosen]:
            places = [folder / SPACE / group / f"{option}.yaml" for folder in (*config_dirs, shipped())]
            if file := next((place for place in places if place.is_file()), None):
                found += _read(file, _node(group, option, chosen))
    return found


def _node(group: str, option: Any, chosen: Any) -> str:
    """Where the option's keys stand: of a list (``callback``), below the option's own name."""
    node = group.replace("/", ".")
    return f"{node}.{option}" if isinstance(chosen, list) else node


@cache
def _read(file: Path, node: str) -> tuple[Dimension, ...]:
    faults: list[Fault] = []
    found: list[Dimension] = []
    try:
        content = read_yaml(file) or {}
        lines = {key: str(mark) for key, mark in marks_of(file)}
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(Fault(shown(file), f"cannot be read: {' '.join(str(error).split())}.")) from error
    if not isinstance(content, Mapping):
        raise ConfigError(Fault(shown(file), "is no mapping of keys to values.", "Write  key: choice(a,b)"))
    for key, text in content.items():
        read = _entry(f"{node}.{key}", text, lines.get(str(key), shown(file)))
        if isinstance(read, Fault):
            faults.append(read)
        else:
            found.append(read)
    if faults:
        raise ConfigError(*faults)
    return tuple(found)


def _entry(key: str, text: Any, where: str) -> Dimension | Fault:
    words, faults = read_words([f"{key}={text}"] if isinstance(text, str) else [], sweep=True)
    if faults or not words or not words[0].override.is_sweep_override():
        remedy = f"Write  {key.rpartition('.')[2]}: choice(a,b)  or  interval(low,high)"
        return Fault(f"{key}: {text}", "does not name several values.", remedy, where)
    read = dimension(words[0], 0, where)
    return Fault(f"{key}: {text}", read.truth, read.remedy, where) if isinstance(read, Fault) else read
