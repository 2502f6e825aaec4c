"""Who set what: the defaults list merged once more, file by file, with the line of each value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from espalier.config.sources import shipped
from espalier.core.yaml_files import read_text

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Mark:
    """A value and where it stands: a file with its line (from 1), or a word of the command line (line 0)."""

    place: str
    line: int
    value: str
    comment: str = ""

    def __str__(self) -> str:
        return f"{self.place}:{self.line}" if self.line else f"command line: {self.place}"


@dataclass
class Layers:
    """Dotted key -> marks, the one that holds last; keys of mappings have marks too."""

    marks: dict[str, list[Mark]] = field(default_factory=dict)

    def add(self, key: str, mark: Mark) -> None:
        """One more setter, which wins over those before."""
        self.marks.setdefault(key, []).append(mark)

    def remove(self, key: str) -> None:
        """A key that was deleted, with all below it."""
        self.marks = {k: m for k, m in self.marks.items() if k != key and not k.startswith(f"{key}.")}

    def copy(self) -> Layers:
        """A copy that can grow on its own."""
        return Layers({key: list(marks) for key, marks in self.marks.items()})

    def add_file(self, path: Path, package: str) -> None:
        """Every key of a file, below ``package``."""
        for key, mark in marks_of(path):
            self.add(f"{package}.{key}" if package else key, mark)

    def where(self, key: str) -> str:
        """Where the value in force was set; for a key that nobody set, its nearest parent."""
        mark = self._last(key)
        return str(mark) if mark else ""

    def text(self, key: str) -> str:
        """What a file says of a key, if that is what holds; else nothing."""
        mark = self.marks[key][-1] if self.marks.get(key) else None
        return mark.value if mark and mark.line else ""

    def word(self, key: str) -> str | None:
        """The command-line word that set a key or a node above it, if that is what holds."""
        mark = self._last(key)
        return mark.place if mark and mark.line == 0 else None

    def _last(self, key: str) -> Mark | None:
        """Who set a key, or else something in it, or else what it stands in."""
        key = key.partition("[")[0]
        while key:
            below = (marks for other, marks in self.marks.items() if other.startswith(f"{key}."))
            if found := self.marks.get(key) or next(below, None):
                return found[-1]
            key = key.rpartition(".")[0]
        return None

    def comment(self, key: str) -> str:
        """The meaning of a knob: the comment beside the first line that set it."""
        return next((mark.comment for mark in self.marks.get(key, ()) if mark.comment), "")


def layers_of(defaults: Sequence[Any], folders: Iterable[Path]) -> Layers:
    """From Hydra's resolved defaults list (``ResultDefault``s, in the order of merging).

    Args:
        defaults: each names a ``config_path`` and the ``package`` that its keys go to.
        folders: where files are looked for, the first hit wins.
    """
    layers = Layers()
    places = list(folders)
    for default in defaults:
        found = next((f for folder in places if (f := folder / f"{default.config_path}.yaml").is_file()), None)
        if found:
            layers.add_file(found, default.package or "")
    return layers


@cache
def shown(path: Path) -> str:
    """A config file's path for people: ``conf/…`` for a shipped one, else as seen from the working folder."""
    if path.is_relative_to(shipped()):
        return f"conf/{path.relative_to(shipped())}"
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def marks_of(path: Path) -> Iterator[tuple[str, Mark]]:
    """Dotted key -> mark, of every key in a file; nothing of one that is no mapping.

    Raises:
        ConfigError, OSError, ValueError, yaml.YAMLError: see ``core.yaml_files.read_text``.
    """
    text = path.read_text(encoding="utf-8") if path.is_relative_to(shipped()) else read_text(path)
    lines = text.splitlines()
    root = yaml.compose(text, Loader=_Loader)
    if isinstance(root, yaml.MappingNode):
        yield from ((key, mark) for key, mark in _walk(root, "", shown(path), lines) if key != "defaults")


def _walk(node: yaml.MappingNode, prefix: str, place: str, lines: Sequence[str]) -> Iterator[tuple[str, Mark]]:
    for key_node, value_node in node.value:
        key = f"{prefix}{key_node.value}"
        line = key_node.start_mark.line
        text = value_node.value if isinstance(value_node, yaml.ScalarNode) else ""
        yield key, Mark(place, line + 1, text, _comment(lines[line]))
        if isinstance(value_node, yaml.MappingNode):
            yield from _walk(value_node, f"{key}.", place, lines)


def _comment(line: str) -> str:
    return line.partition(" # ")[2].strip()


def flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of a nested mapping, dotted, mappings included."""
    for key, value in tree.items():
        yield f"{prefix}{key}", value
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
