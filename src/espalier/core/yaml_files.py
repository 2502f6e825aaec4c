"""YAML that somebody else may have written: measured before it is read, since a few lines can unfold to billions.

Aliases (``*a``) stand for whole trees: ten lines of nine aliases each are 3.5 billion values once something walks
them. A config has a few hundred; what is far beyond that is refused, whatever it was meant for.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from espalier.core.errors import ConfigError, Fault
from espalier.core.rundir import shown

BYTES, VALUES, CHARACTERS, DEPTH, DIGITS = 2**20, 20_000, 2**22, 64, 1_000


def read_yaml(path: Path) -> Any:
    """The plain values of a file.

    Raises:
        ConfigError: it is longer, wider or deeper than any config; see ``require_small``.
        OSError, ValueError, yaml.YAMLError: it cannot be read; is no UTF-8, or has a number of a thousand digits; is no
            YAML.
    """
    return yaml.safe_load(read_text(path))


def read_text(path: Path) -> str:
    """A file's text, once it is known to be of a size that can be read.

    Raises:
        ConfigError, OSError, ValueError, yaml.YAMLError: as ``read_yaml``.
    """
    if (size := path.stat().st_size) > BYTES:
        raise ConfigError(Fault(str(shown(path)), f"has {size:,} bytes: no config is as long.", _REMEDY))
    text = path.read_text(encoding="utf-8")
    require_small(text, path)
    return text


def is_deep(value: Any) -> bool:
    """Whether lists and mappings in it are nested deeper than ``DEPTH``."""
    level = [value]
    for _ in range(DEPTH + 1):
        nodes = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)]
        level = [one for node in nodes for one in node]
    return bool(level)


def yaml_text(content: Any, dumper: type[yaml.Dumper] | type[yaml.SafeDumper] = yaml.SafeDumper, **more: Any) -> str:
    """Plain values as a YAML that reads back as they are; letters of all scripts stand in it as such.

    Args:
        more: of ``yaml.dump``.
    """
    given = {"default_flow_style": False, "sort_keys": False, **more}
    text: str = yaml.dump(content, Dumper=dumper, allow_unicode=True, **given)
    # Of this line end of mainframes, which PyYAML writes as it is, it reads a blank.
    return yaml.dump(content, Dumper=dumper, **given) if "\x85" in text else text


def require_small(text: str, path: Path) -> None:
    """Count what a YAML unfolds to, without unfolding it.

    Args:
        path: of its file, for people.

    Raises:
        ConfigError: more values (``VALUES``) or characters (``CHARACTERS``) than any config has, deeper (``DEPTH``), an
            anchor that holds itself, or a number of more ``DIGITS``.
        yaml.YAMLError: it is no YAML.
    """
    unfolded = _Unfolded()
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):  # OmegaConf's: what this one admits, that one reads
            if truth := unfolded.take(event):
                name = str(shown(path))
                raise ConfigError(Fault(name, truth, _REMEDY, f"{name}:{event.start_mark.line + 1}"))
    except yaml.MarkedYAMLError as error:
        if mark := error.problem_mark:
            error.problem_mark = yaml.Mark(str(path), mark.index, mark.line, mark.column, None, None)
        raise


_NUMBER = re.compile(r"[-+]?(0x[0-9a-fA-F_]+|0b[01_]+|[0-9_:.]+)")  # and of 59:59:… of which each is another base's
_REMEDY = "Write it out in a few lines, or ask whoever made it."


class _Unfolded:
    """Counts (values, characters, depth) of each open collection, and of each anchor that was closed."""

    def __init__(self) -> None:
        self._open: list[tuple[str | None, list[int]]] = []
        self._anchors: dict[str, list[int]] = {}

    def take(self, event: Any) -> str | None:
        """Count an event; what is true of it where it is too much."""
        if isinstance(event, yaml.CollectionStartEvent):
            self._open.append((event.anchor, [1, 0, 1]))
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, counted = self._open.pop()
            return self._add(anchor, counted)
        elif isinstance(event, yaml.ScalarEvent):
            if event.implicit[0] and len(event.value) > DIGITS and _NUMBER.fullmatch(event.value):
                return f"has a number of {len(event.value):,} digits."
            return self._add(event.anchor, [1, len(event.value), 0])
        elif isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in self._open):
                return f"has no end: the anchor &{event.anchor} holds itself."
            return self._add(None, self._anchors.get(event.anchor, [1, 0, 0]))
        return f"is nested deeper than {DEPTH} levels." if len(self._open) > DEPTH else None

    def _add(self, anchor: str | None, counted: list[int]) -> str | None:
        if anchor is not None:
            self._anchors[anchor] = counted
        if not self._open:
            return None
        above = self._open[-1][1]
        above[:2] = (mine + more for mine, more in zip(above[:2], counted[:2], strict=True))
        above[2] = max(above[2], counted[2] + 1)
        if above[0] > VALUES:
            return f"unfolds to more than {VALUES:,} values."
        if above[1] > CHARACTERS:
            return f"unfolds to more than {CHARACTERS:,} characters."
        return f"is nested deeper than {DEPTH} levels." if above[2] + len(self._open) - 1 > DEPTH else None
