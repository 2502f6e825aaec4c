"""What a task shows of its model besides numbers: tables, texts, pictures; kept as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

from espalier.core.files import parse_json, write_atomic


@dataclass(frozen=True)
class Table:
    """Cells as they are read.

    Attributes:
        note: a sentence beneath the title.
        texts: whether cells hold the data's own texts: such a table goes where the texts may go.
    """

    kind: ClassVar[str] = "table"
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    texts: bool = False


@dataclass(frozen=True)
class Texts:
    """Passages with a caption each: samples, answers. ``texts``: whether they are the data's own, as for ``Table``."""

    kind: ClassVar[str] = "texts"
    title: str
    items: tuple[tuple[str, str], ...]
    note: str = ""
    texts: bool = True


@dataclass(frozen=True)
class Pictures:
    """Images side by side in a grid.

    Attributes:
        png: the whole grid, base64.
        width: of it, in pixels.
        texts: whether they are the data's own, as for ``Table``.
    """

    kind: ClassVar[str] = "pictures"
    title: str
    png: str
    width: int
    note: str = ""
    texts: bool = False


Exhibit = Table | Texts | Pictures
_KINDS: Mapping[str, Any] = {kind.kind: kind for kind in (Table, Texts, Pictures)}


def write_exhibits(file: Path, exhibits: Sequence[Exhibit]) -> None:
    """A line each; the file is whole or not there."""
    lines = [json.dumps({"kind": e.kind, **asdict(e)}, ensure_ascii=False) for e in exhibits]
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(file, "".join(f"{line}\n" for line in lines))


def read_exhibits(file: Path) -> list[Exhibit]:
    """What was written; nothing where there is no file. Kinds and keys of later versions are passed over."""
    if not file.is_file():
        return []
    lines = [parse_json(line) for line in file.read_text(encoding="utf-8").split("\n") if line]
    return [_exhibit(line) for line in lines if line.get("kind") in _KINDS]


def _exhibit(line: Mapping[str, Any]) -> Exhibit:
    kind = _KINDS[line["kind"]]
    names = {field.name for field in fields(kind)}
    known = {name: value for name, value in line.items() if name in names}
    for name in ("header", "rows", "items"):
        if name in known:
            known[name] = tuple(tuple(one) if isinstance(one, list) else one for one in known[name])
    exhibit: Exhibit = kind(**known)
    return exhibit
