"""One key of an experiment: its value, type, meaning, who set it, over whom."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Mapping
from typing import Any

from espalier.config.compose import Experiment
from espalier.config.layers import Mark, flatten
from espalier.config.locate import find
from espalier.config.options import header
from espalier.config.signature import settings_at, signature_of, summary
from espalier.config.sources import shipped
from espalier.config.suggest import asked, nearest_keys
from espalier.config.tree import at, plain
from espalier.config.wording import PRESETS, unknown_key
from espalier.config.words import Word, read_words
from espalier.core.errors import ConfigError, Fault
from espalier.core.masking import MASK, is_secret, masked, masked_text

_SIGNATURE = "its signature's default"


def explain(experiment: Experiment, key: str) -> list[str]:
    """Lines for people.

    Raises:
        ConfigError: there is no such key.
    """
    tree = masked(experiment.values)
    keys = [name for name, _ in flatten(tree)]
    if key not in keys:
        if said := _by_default(experiment, key):
            return said
        raise ConfigError(_unknown(experiment, key, keys))
    value = at(tree, key)
    lines = [
        _headline(experiment, key, value),
        *_option(experiment, key),
        *_origin(key, experiment.layers.marks.get(key, [])),
    ]
    return lines + (_settings(experiment, key, value) if isinstance(value, Mapping) else [])


def _by_default(experiment: Experiment, key: str) -> list[str]:
    """Of a setting that no file lists, since the part's signature has a default for it."""
    parent, _, name = key.rpartition(".")
    left = _left_out(parent, at(experiment.values, parent) if parent else None)
    if name not in left:
        return []
    value, kind = left[name]
    return [f"{key} = {value}    {kind}".rstrip(), f"  set by    {_SIGNATURE}; no file lists it"]


def _left_out(key: str, node: Any) -> dict[str, tuple[str, str]]:
    """Name -> (default, type), of a part's settings that the tree does not have."""
    target = node.get("_target_") if isinstance(node, Mapping) else None
    known = settings_at(key, target).parameters if isinstance(target, str) else {}
    return {
        name: (_default(one.default), str(one.type)) for name, one in known.items() if one.default and name not in node
    }


def _default(written: str) -> str:
    try:
        return _shown(literal_eval(written))
    except (ValueError, SyntaxError):  # a name
        return written


def _unknown(experiment: Experiment, key: str, keys: list[str]) -> Fault:
    """As the command line answers a word that sets it."""
    words, _ = read_words([f"{key}=null"])
    if not words or words[0].key != key:
        named = key.partition("=")[0].replace("/", ".")
        remedy = asked(nearest_keys(named, keys))
        if named in keys:
            remedy = f"Write  espalier explain {named} {key}"
        elif "=" in key and (named in PRESETS or not remedy):
            remedy = f"Name a key before it:  espalier explain optimizer.lr {key}"
        return Fault(key, "is no key of this experiment.", remedy)
    return unknown_key(Word(key, words[0].override), experiment.values, experiment.layers, KeyError(key))


def _headline(experiment: Experiment, key: str, value: Any) -> str:
    meaning = experiment.layers.comment(key)
    if isinstance(value, Mapping):
        return f"{key}    {_about(value)}".rstrip()
    written = at(masked(plain(experiment.config)), key)
    reference = f"    ({written})" if written != value else ""
    said = ", ".join(word for word in (_type(experiment, key), meaning) if word)
    return f"{key} = {_shown(value)}{reference}    {said}".rstrip()


def _option(experiment: Experiment, key: str) -> list[str]:
    """What the chosen option's file says of it: several share a part."""
    group = key.replace(".", "/")
    option = experiment.choices.get(group)
    said = header(group, option, [*experiment.config_dirs, shipped()]) if isinstance(option, str) else []
    name = f"  {group}={option}    "
    return [f"{name if not place else ' ' * len(name)}{line}" for place, line in enumerate(said)]


def _origin(key: str, marks: list[Mark]) -> list[str]:
    """The last setter, and those before it with their values, newest first."""
    if not marks:
        return []
    *before, last = marks
    width = max((len(str(mark)) for mark in marks), default=0)
    over = [f"  over      {mark!s:{width}}   {_kept_back(key, mark.value)}".rstrip() for mark in reversed(before)]
    return [f"  set by    {masked_text(str(last))}", *over]


def _kept_back(key: str, value: str) -> str:
    return MASK if is_secret(key.rpartition(".")[2], value) else value


def _settings(experiment: Experiment, key: str, value: Mapping[str, Any], indent: str = "  ") -> list[str]:
    """A line each; of several parts side by side, as callbacks are, those of each beneath its name."""
    settings = {str(name): inner for name, inner in value.items() if not str(name).startswith("_")}
    left = _left_out(key, value)
    width = max(map(len, [*settings, *left]), default=0)
    rows = []
    for name, inner in settings.items():
        is_part = isinstance(inner, Mapping) and "_target_" in inner
        if is_part and "_target_" not in value:
            rows.append(f"{indent}{name}    {_about(inner)}".rstrip())
            rows += _settings(experiment, f"{key}.{name}", inner, indent + "  ")
            continue
        shown = "…" if is_part else _shown(inner)
        said = ", ".join(
            w for w in (_type(experiment, f"{key}.{name}"), experiment.layers.comment(f"{key}.{name}")) if w
        )
        said = f"{said}, see  espalier explain {key}.{name} …".removeprefix(", ") if is_part else said
        rows.append(f"{indent}{name:{width}} = {shown:12}  {said}".rstrip())
    rows += [f"{indent}{name:{width}} = {default:12}  {kind}, {_SIGNATURE}" for name, (default, kind) in left.items()]
    return rows


def _about(node: Mapping[str, Any]) -> str:
    target = node.get("_target_")
    found = find(target) if isinstance(target, str) else None
    return f"{target}    {summary(found.definition)}" if found else str(target or "")


def _type(experiment: Experiment, key: str) -> str:
    parent, _, name = key.rpartition(".")
    owner = at(experiment.values, parent) if parent else experiment.values
    target = owner.get("_target_") if isinstance(owner, Mapping) else None
    parameter = signature_of(target).parameters.get(name) if isinstance(target, str) else None
    return str(parameter.type) if parameter else ""


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_shown(inner)}" for name, inner in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else str(value)
