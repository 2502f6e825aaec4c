"""A config file, or a defaults list in it, that cannot be composed: which file and line, and what to write there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from hydra.conf import HydraConf
from hydra.errors import HydraException
from omegaconf import OmegaConf

from espalier.config.layers import marks_of, shown
from espalier.config.options import groups, option_file
from espalier.config.suggest import asked, listed, nearest
from espalier.config.wording import PRESETS
from espalier.core.errors import ConfigError, Fault
from espalier.core.yaml_files import read_yaml

_PRESET = f"(?:{'|'.join(PRESETS)})"


def composition_fault(error: Exception, folders: Sequence[Path]) -> Fault:
    """What Hydra could not compose.

    Args:
        folders: of options; the user's own ones first.
    """
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        file = Path(str(error.problem_mark.name))
        name = shown(file)
        truth = f"is not YAML: {error.problem or error.context}."
        return Fault(name, truth, "Mend that line.", f"{name}:{_first_line(error, error.problem_mark, file)}")
    if isinstance(error, UnicodeDecodeError):
        return _not_utf8(folders)
    if isinstance(error, RecursionError):
        truth = "has no end: an anchor (&a) that holds itself, or files that build on each other in a circle."
        return Fault("the config", truth, "Break the circle.", _line(folders, r"&\w+.*\*\w+"))
    if isinstance(error, OSError) and not isinstance(error, HydraException):  # of which some are both
        return _no_mapping(error, folders)
    text = " ".join(str(error).split()).partition(" Config search path")[0]
    if m := re.search(r"Could not find '([^']+)/([^'/]+)'", text):
        return _no_option(m[1], m[2], folders)
    if m := re.search(rf"In '({_PRESET}/[^']+)': Could not override '[^'@]+@{_PRESET}\.", text):
        return _not_global(m[1], folders)
    if m := re.search(r"Could not override '([^'@]+)[^']*'", text):
        return _no_group(m[1], folders)
    if m := re.search(r"(.*?) ?full_key: (?!object_type)(\S+)", text):
        return _wrong_key(m[2], m[1].rpartition("composing config: ")[2], folders)
    place = f"{m[1]}.yaml" if (m := re.search(r"[Ii]n '([^']+)'", text)) else "the config"
    if m := re.search(r"Could not load '([^']+)'", text):
        where = _line(folders, rf"^\s*-.*{re.escape(m[1].rpartition('/')[2])}")
        return Fault(place, f"builds on {m[1]}.yaml, which is not there.", "Mend its defaults list.", where)
    if "Cannot merge" in text:
        return Fault(place, "has a list where a mapping of names stands, or the other way round.", "Mend that value.")
    return Fault(place, re.sub(r"^In '[^']*': ", "", text).rstrip(".") + ".")


def _first_line(error: yaml.MarkedYAMLError, noticed: yaml.Mark, file: Path) -> int:
    """Where what is wrong begins: a key without its colon, an open quote are noticed lines later, or at the end."""
    late = error.context_mark if str(error.context).startswith("while scanning") else None
    written = file.read_text(encoding="utf-8", errors="replace").rstrip() if file.is_file() else ""
    line = int((late or noticed).line) + 1
    return min(line, written.count("\n") + 1) if written else line


def _not_global(preset: str, folders: Sequence[Path]) -> Fault:
    """A preset that overrides options, and says not that it does so for the whole config."""
    group, _, option = preset.rpartition("/")
    file = option_file(group, option, folders)
    truth = f"does not say that its settings are of the whole config: they go below a node {group.partition('/')[0]}."
    remedy = "Begin the file with the line  # @package _global_"
    return Fault(f"{preset}.yaml", truth, remedy, f"{shown(file)}:1" if file else "")


def _no_option(group: str, option: str, folders: Sequence[Path]) -> Fault:
    known = [name for name in groups(folders).get(group, ()) if name != option]
    guess = nearest(option, known)
    remedy = asked([f"{group}: {guess}"] if guess else []) or f"There are: {listed(known)}."
    if not known:
        remedy = "A group's name begins with a slash, as in  /model: lstm"
    where = _line(folders, rf"{re.escape(group.rpartition('/')[2])}\b[^:]*:.*\b{re.escape(option)}\b")
    return Fault(f"{group}: {option}", f"there is no such {group}.", remedy, where)


def _no_group(group: str, folders: Sequence[Path]) -> Fault:
    known, name = groups(folders), group.rpartition("/")[2]
    guess = name if name in known else nearest(group, known)
    where = _line(folders, rf"override\s+/?{re.escape(name)}\b")
    remedy = asked([f"override /{guess}"] if guess else []) or f"Groups: {listed(known, 20)}."
    return Fault(f"override {group}", "is no group of the defaults list.", remedy, where)


def _wrong_key(key: str, truth: str, folders: Sequence[Path]) -> Fault:
    """A value that OmegaConf refuses, or a key that Hydra's own node does not have."""
    where = _place(key, folders)
    parent, _, name = key.rpartition(".")
    if not truth.startswith(f"Key '{name}' not in"):
        return Fault(key, f"cannot be set so: {truth.rstrip('.')}.", "", where)
    node: Any = OmegaConf.select(OmegaConf.structured({"hydra": HydraConf}), parent)
    known = [str(known) for known in node] if OmegaConf.is_dict(node) else []
    guess = nearest(name, known)
    remedy = asked([f"{parent}.{guess}"]) if guess else f"It has: {listed(known)}." if known else ""
    return Fault(key, f'{parent} has no setting "{name}".', remedy, where)


def _place(key: str, folders: Sequence[Path]) -> str:
    """File and line of a key, or of the end of one: what stands above it may be the file's group."""
    for file in _files(folders):
        with suppress(yaml.YAMLError, ValueError, ConfigError):
            for name, mark in marks_of(file):
                if f".{key}".endswith(f".{name}"):
                    return str(mark)
    return ""


def _not_utf8(folders: Sequence[Path]) -> Fault:
    for file in _files(folders):
        content = file.read_bytes()
        try:
            content.decode()
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            truth = f"is not UTF-8: byte 0x{content[error.start]:02x}."
            return Fault(shown(file), truth, "Save it as UTF-8.", f"{shown(file)}:{line}")
    return Fault("a config file", "is not UTF-8.", "Save it as UTF-8.")


def _no_mapping(error: OSError, folders: Sequence[Path]) -> Fault:
    """A file that holds a number or a text where settings are expected, or that cannot be opened."""
    if error.filename:
        return Fault(shown(Path(str(error.filename))), f"cannot be read: {error.strerror}.")
    for file in _files(folders):
        with suppress(yaml.YAMLError, ValueError, ConfigError):
            if not isinstance(read_yaml(file), dict | list | str | None):
                return Fault(shown(file), "holds no settings.", "Write  name: value  on each line.")
    return Fault("a config file", f"holds no settings: {error}.", "Write  name: value  on each line.")


def _line(folders: Sequence[Path], pattern: str) -> str:
    """The first line of a file that a pattern is found in."""
    for file in _files(folders):
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
            if re.search(pattern, line):
                return f"{shown(file)}:{number}"
    return ""


def _files(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(folder.rglob("*.yaml"))
