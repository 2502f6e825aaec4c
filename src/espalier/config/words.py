"""The words of a command line, read by Hydra's grammar; what it refuses is quoted and tried again, or explained."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from espalier.core.errors import Fault
from espalier.core.yaml_files import DEPTH, is_deep

_ITEM = re.compile(r"""'[^']*'|"[^"]*"|[^\s\[\]{},:'"](?:[^\[\]{},:'"]*[^\s\[\]{},:'"])?""")
_BARE = re.compile(r"[\w./@%?|+*$\\ \t-]+", re.ASCII)
_SHOWN = 40
_WORD = re.compile(r"^(?P<key>[~+]{0,2}[\w./@$-]+)=(?P<value>.*)$", re.DOTALL)


SEVERAL = "names several values."
"""What is true of a word that sweeps where one experiment is meant."""


@dataclass(frozen=True)
class Word:
    """One word: as typed, and as Hydra read it."""

    typed: str
    override: Override

    @property
    def key(self) -> str:
        """The dotted key or the group."""
        return self.override.key_or_group


def read_words(
    typed: Iterable[str], *, sweep: bool = False, config_loader: ConfigLoader | None = None
) -> tuple[list[Word], list[Fault]]:
    """Parse each word on its own, so that every bad one is named.

    Args:
        typed: as they came from the shell.
        sweep: whether several values for a key are allowed.
        config_loader: knows the options that ``glob(…)`` stands for.
    """
    words: list[Word] = []
    faults: list[Fault] = []
    parser = OverridesParser.create(config_loader)
    for text in typed:
        read = _read(parser, text)
        if isinstance(read, Fault):
            faults.append(read)
        elif read.is_sweep_override() and not sweep:
            faults.append(_is_sweep(text, read))
        else:
            words.append(Word(text, read))
    return words, faults


def quoted(text: str) -> str:
    """A value in single quotes, as Hydra's grammar wants it: backslashes count only before a quote."""
    inner = re.sub(r"(\\*)('|\Z)", lambda m: m[1] * 2 + ("\\'" if m[2] else ""), text)
    return f"'{inner}'"


def as_word(key: str, value: str) -> str:
    """``key=value`` as it can be typed into a shell, quoted where Hydra's grammar or the shell need it."""
    if not value or re.fullmatch(r"[\w./:+-]+", value, re.ASCII) or value == "…":
        return f"{key}={value}"
    text = f"{key}={quoted(value)}"
    return shlex.quote(text) if re.search(r'["$`\\!]', text) else f'"{text}"'


def _read(parser: OverridesParser, text: str) -> Override | Fault:
    try:
        read = _read_value(parser, text)
        deep = isinstance(read, Override) and not read.is_sweep_override() and is_deep(read.value())
    except RecursionError:
        deep = True
    return Fault(f"{text[:_SHOWN]}…", f"is nested deeper than {DEPTH} levels.", "Write it flatter.") if deep else read


def _read_value(parser: OverridesParser, text: str) -> Override | Fault:
    parts = _WORD.match(text)
    try:
        if text.startswith("="):
            return Fault(text, "sets nothing.", "Write key=value.")
        read = parser.parse_overrides([text])[0]  # which, unlike parse_override, knows what glob(…) stands for
        if not (read.is_choice_sweep() and parts and _is_file(parts["value"])):
            return read
    except HydraException:
        pass
    if parts is None and (remedy := _of_config_file(text)):
        return Fault(text, "is a file, and no setting.", remedy)
    if parts is None:
        return Fault(text, "is no setting.", f"Write key=value{_flag(text)}.")
    key, value = parts["key"], parts["value"]
    if value[:1] in ("[", "{") and not _is_file(value):
        with suppress(HydraException):
            return parser.parse_override(f"{key}={_quoted_items(value)}")
        remedy = f"Mend it, or quote it for a text:  {as_word(key, value)}"
        return Fault(text, "opens a bracket or quote that is not closed as it should be.", remedy)
    try:
        return parser.parse_override(f"{key}={quoted(value)}")
    except HydraException:
        return Fault(text, "cannot be read.", f"Quote the value:  {as_word(key, value)}")


def _quoted_items(value: str) -> str:
    """Lists and mappings with their bare items quoted where the grammar refuses them, as all of other scripts."""
    return _ITEM.sub(lambda m: m[0] if m[0][0] in "'\"" or _BARE.fullmatch(m[0]) else quoted(m[0]), value)


def _is_file(value: str) -> bool:
    """Of the working folder: then its name is meant, whatever it looks like."""
    try:
        return Path(value).is_file()
    except (OSError, ValueError):
        return False


def _of_config_file(text: str) -> str:
    """How the settings of a file are taken."""
    file = Path(text)
    if file.suffix not in (".yaml", ".yml"):
        return ""
    if file.parent.name == "experiment":
        return f"Write  --config-dir {file.parent.parent} experiment={file.stem}"
    place = f"FOLDER/experiment/{file.stem}.yaml"
    return f"Put it to  {place} , and write  --config-dir FOLDER experiment={file.stem}"


def _flag(text: str) -> str:
    return "; a flag stands before it as it is listed by --help" if text.startswith("-") else ""


def _is_sweep(text: str, override: Override) -> Fault:
    key, _, value = text.partition("=")
    if "," not in value or override.is_range_sweep() or override.is_interval_sweep() or not override.is_choice_sweep():
        return Fault(text, SEVERAL, "Add -m for a run of each.")
    remedy = f"Add -m for a run of each, or write {key}=[{value}] for a list, {as_word(key, value)} for a text."
    return Fault(text, SEVERAL, remedy)
