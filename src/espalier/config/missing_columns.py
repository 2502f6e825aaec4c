"""What to do about columns that a file lacks: another name, another data option, or reading the file otherwise."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from espalier.config.setting import Answer
from espalier.config.suggest import listed, nearest
from espalier.config.words import as_word, quoted
from espalier.core.conversations import is_conversation
from espalier.core.encodings import codec_of, is_utf8
from espalier.core.errors import DataError
from espalier.core.formats import read_bytes
from espalier.core.tabular import read_header

_ASKED, _ANSWERED = ("instruction", "prompt", "question"), ("output", "answer", "response", "completion")
_PLAIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)  # a name that Hydra's grammar takes as it is
_MODEL = "model=causal_lm model.source=ORG/NAME"


def no_column(key: str, name: str, path: Path, header: Sequence[str]) -> Answer:
    """A column that was named, and the one that was likely meant."""
    guess = nearest(name, header) or (header[0] if len(header) == 1 else "")
    truth = f"{path} has no column {name!r}. It has: {listed(header)}."
    word = as_word(key, guess or "…")
    return key, truth, f"Set  {f'{key}=[{guess}]' if guess and key.endswith('.slices') else word}"


def conversations(key: str, named: Mapping[str, Any], path: Path, peeked: Mapping[str, Any]) -> Answer | None:
    """Of files whose rows are conversations, or instructions with answers: the one line that reads them as such.

    Args:
        key: of the mapping role -> column.
        named: that mapping.
        peeked: the file's columns, with a value of each where that can be told.
    """
    missing = {role: name for role, name in named.items() if name is not None and name not in peeked}
    talks = next((name for name, value in peeked.items() if is_conversation(value)), None)
    if "messages" in named:
        talks = named["messages"] if named["messages"] in peeked else talks
        lacks = bool({"instruction", "answer", "messages"} & {*missing})
        return _as_messages(key, named, missing, path, talks) if talks and lacks else None
    if not {"text", "label"} <= {*missing}:
        return None
    option = f"{key.partition('.')[0]}=instructions"
    if talks:
        roles = dict.fromkeys(("instruction", "input", "answer"))
        remedy = f"Set  {option} {_columns(key, {**roles, 'messages': talks})} {_MODEL}"
        return key, f"{path} has no column {_quoted(missing)}: its {talks!r} are conversations.", remedy
    asked, answered = _of(_ASKED, peeked), _of(_ANSWERED, peeked)
    if not asked or not answered:
        return None
    chosen = {"instruction": asked, "input": _of(("input",), peeked), "answer": answered}
    words = [as_word(f"{key}.{role}", name) for role, name in chosen.items() if name]
    remedy = f"Set  {option} {' '.join(words)} {_MODEL}"
    truth = f"{path} has no column {_quoted(missing)}: its {asked!r} and {answered!r} are instructions and answers."
    return key, truth, remedy


def other_reading(
    key: str, part: Mapping[str, Any], path: Path, header: list[str], names: Sequence[str]
) -> tuple[list[Answer], list[str]]:
    """An encoding or a delimiter that was set, and without which a delimited file has other columns; and those.

    Args:
        key: of the data option.
        header: what it has as it is read.
        names: the columns that were asked for.
    """
    answers: list[Answer] = []
    encoding, delimiter = part.get("encoding") or "utf-8", part.get("delimiter")
    if codec_of(encoding) != "utf-8-sig" and not set(names) <= {*header} and _is_utf8(path):
        found = _header(path, "utf-8", delimiter)
        if found and found != header:
            truth = f"does not fit {path}, which is valid UTF-8: its columns are {listed(found)}."
            answers.append((f"{key}.encoding", truth, f"Leave {key}.encoding out."))
            header, encoding = found, "utf-8"
    if delimiter is not None and len(header) == 1 and not set(names) <= {*header}:
        found = _header(path, encoding, None)
        if len(found) > 1:
            between = header[0][len(found[0])] if header[0].startswith(found[0]) else ""
            which = f", which is split by {between!r}" if between else ""
            truth = f"does not split the header of {path}{which}: its columns are {listed(found)}."
            answers.append((f"{key}.delimiter", truth, f"Leave {key}.delimiter out."))
            header = found
    return answers, header


def _as_messages(key: str, named: Mapping[str, Any], missing: Mapping[str, str], path: Path, talks: str) -> Answer:
    """Columns of which one has whole conversations: what else is asked, or is not there, is null."""
    kept = {role: name for role, name in named.items() if role == "answer" and role not in missing}
    truth = f"{path} has no column {_quoted(missing)}: its {talks!r} are conversations, with their answers."
    if named["messages"] == talks:
        truth = f"{path} has no column {_quoted(missing)}, which conversations need not have."
    roles = dict.fromkeys(("instruction", "input", "answer"))
    return key, truth, f"Set  {_columns(key, {**roles, **kept, 'messages': talks})}"


def _columns(key: str, roles: Mapping[str, str | None]) -> str:
    """The whole mapping, as one word for a shell."""
    named = {role: name if _PLAIN.fullmatch(name) else quoted(name) for role, name in roles.items() if name is not None}
    inner = ", ".join(f"{role}: {named.get(role, 'null')}" for role in roles)
    return shlex.quote(f"{key}={{{inner}}}")


def _quoted(missing: Mapping[str, str]) -> str:
    return ", ".join(map(repr, missing.values()))


def _of(usual: Sequence[str], names: Mapping[str, Any]) -> str | None:
    return next((name for one in usual for name in names if name.lower() == one), None)


def _header(path: Path, encoding: str, delimiter: str | None) -> list[str]:
    try:
        return read_header(path, encoding, delimiter)
    except DataError:
        return []


def _is_utf8(path: Path) -> bool:
    try:
        return is_utf8(read_bytes(path))
    except DataError:
        return False
