"""A word of the command line that cannot be applied, in words that name the remedy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from espalier.config.foreign_words import renamed, setting_remedy
from espalier.config.layers import Layers, flatten
from espalier.config.signature import owner_of, settings_at, signature_of
from espalier.config.sources import shipped
from espalier.config.suggest import asked, listed, nearest_keys
from espalier.config.tree import at
from espalier.config.types import wrong
from espalier.config.words import SEVERAL, Word
from espalier.core.errors import Fault

_COMMA = re.compile(r"(?P<key>[\w.]+)=(?P<whole>[-+]?\d+),(?P<rest>\d+(e[-+]?\d+)?)")
PRESETS = ("experiment", "debug")  # groups of the root that set others' settings, and have none


def unknown_key(word: Word, tree: Mapping[str, Any], layers: Layers, error: Exception) -> Fault:
    """A word that sets what is not there, or with a value that cannot stand there."""
    keys = [key for key, _ in flatten(tree) if not key.endswith("_target_")]
    key, sign = word.key, "~" * word.override.is_delete() + "+" * word.override.is_add()
    value = {} if word.override.is_delete() else word.override.value()
    inner = [below for below, _ in flatten(value) if f"{key}.{below}" not in keys] if isinstance(value, Mapping) else []
    key = f"{key}.{inner[0]}" if inner and key in keys else key
    if key in keys:
        said = str(error.__cause__ or error).strip().splitlines() or [type(error).__name__]
        return Fault(word.typed, f"cannot be set so: {said[0].rstrip('.')}.")
    if remedy := _elsewhere(word, tree):
        return Fault(word.typed, f'{owner(key, tree)} has no setting "{_strange(key, tree)}".', remedy)
    ours = renamed(key, keys)
    if not ours and not word.override.is_delete() and (remedy := setting_remedy(key, _value(word), tree)):
        return Fault(word.typed, f'{owner(key, tree)} has no setting "{_strange(key, tree)}".', remedy)
    # A guess that is only a node above what was typed says nothing.
    near = nearest_keys(key, [*keys, *_left_out(key, tree)])
    guesses = [ours] if ours else [guess for guess in near if not key.startswith(f"{guess}.")]
    above = isinstance(at(tree, guesses[0]) if guesses else None, Mapping)
    whole = "".join(word.typed.partition("=")[1:]) if above else ""
    remedy = asked(f"{sign}{guess}{whole}" for guess in guesses) or _known_below(key, tree)
    clear = len(guesses) == 1 and guesses[0] in keys and not above and not layers.word(guesses[0])
    where = layers.where(guesses[0]) if clear else ""
    return Fault(word.typed, f'{owner(key, tree)} has no setting "{_strange(key, tree)}".', remedy, where)


def with_a_point(fault: Fault, tree: Mapping[str, Any]) -> Fault:
    """The fault of a word that names two values, where these may be a number with a comma: ``optimizer.lr=0,01``."""
    found = _COMMA.fullmatch(fault.what) if fault.truth == SEVERAL else None
    parent, _, name = (found["key"] if found else "").rpartition(".")
    target = at(tree, f"{parent}._target_") if parent else None
    setting = settings_at(parent, target).parameters.get(name) if isinstance(target, str) else None
    if not found or not setting:
        return fault
    number = f"{found['whole']}.{found['rest']}"
    if wrong(setting.type, float(number)) or not wrong(setting.type, "text"):
        return fault
    meant = asked([f"{found['key']}={number}"])
    return replace(fault, remedy=f"{meant} For a run of each value add -m.")


def _left_out(key: str, tree: Mapping[str, Any]) -> list[str]:
    """Settings of the part that a key would belong to, which have a default in its signature and no line in a file."""
    parent = key.rpartition(".")[0]
    node = at(tree, parent) if parent else None
    if not isinstance(node, Mapping) or not isinstance(target := node.get("_target_"), str):
        return []
    known = settings_at(parent, target).parameters.values()
    return [f"{parent}.{one.name}" for one in known if one.default and one.name not in node]


def _value(word: Word) -> str:
    return word.typed.partition("=")[2] if "=" in word.typed else ""


def _elsewhere(word: Word, tree: Mapping[str, Any]) -> str:
    """Options of the same group that have the setting: ``data=csv`` for ``data.path``."""
    group, _, setting = word.key.partition(".")
    name = setting.partition(".")[0]
    if not name or at(tree, f"{group}.{name}") is not None:
        return ""
    having = [file.stem for file in sorted((shipped() / group).glob("*.yaml")) if name in _settings(file)]
    endings = Path(word.typed.removesuffix(".gz")).suffix.lower().removeprefix(".")
    meant = {"tsv": "csv", "txt": "csv", "ndjson": "jsonl", "json": "jsonl"}.get(endings, endings)
    having = [meant] if meant in having else having
    if len(having) > 1:
        return f"It is a setting of {listed(having)}: add  {group}={having[0]}  or another of them."
    return f"Add  {group}={having[0]}" if having else ""


def _settings(file: Path) -> Iterable[str]:
    target = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("_target_")
    return signature_of(target).parameters if isinstance(target, str) else ()


def owner(key: str, tree: Mapping[str, Any]) -> str:
    """Who would have the setting, for people: the part (``adamw``) or the root."""
    parent = key.rpartition(".")[0]
    while parent and not isinstance(at(tree, parent), Mapping):
        parent = parent.rpartition(".")[0]
    if not parent:
        return "the experiment"
    target = (at(tree, parent) or {}).get("_target_")
    return owner_of(target) if isinstance(target, str) else parent


def _strange(key: str, tree: Mapping[str, Any]) -> str:
    parts = key.split(".")
    known = 0
    while known < len(parts) - 1 and isinstance(at(tree, ".".join(parts[: known + 1])), Mapping):
        known += 1
    return ".".join(parts[known:])


def _known_below(key: str, tree: Mapping[str, Any]) -> str:
    parent = key.rpartition(".")[0]
    while parent and not isinstance(at(tree, parent), Mapping):
        parent = parent.rpartition(".")[0]
    node = at(tree, parent) if parent else tree
    names = (
        [name for name in map(str, node) if not name.startswith("_") and name != "hydra"]
        if isinstance(node, Mapping)
        else []
    )
    target = node.get("_target_") if isinstance(node, Mapping) else None
    own = list(settings_at(parent, target).parameters) if isinstance(target, str) else []
    names += [left.rpartition(".")[2] for left in _left_out(key, tree)]
    names.sort(key=lambda name: own.index(name) if name in own else len(own))  # before what all options share
    if not parent:
        names = [*(name for name in names if name in own), *PRESETS]  # and not what +name=… made
    return f"It has: {listed(names, 12 if parent else len(names))}." if names else ""
