"""Groups and their options: what there is, what a word chooses, what was chosen."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from hydra._internal.config_repository import CachingConfigRepository
from hydra._internal.defaults_list import DefaultsList
from hydra.core.default_element import GroupDefault

from espalier.config.foreign_words import option_remedy
from espalier.config.suggest import asked, listed, nearest
from espalier.config.words import Word, read_words
from espalier.core.errors import Fault
from espalier.core.yaml_files import read_text

SPACE = "space"
_END = re.compile(r"(?<!et al)\.\s|\n(?=[A-Z])")  # of a sentence; a command at the end of one has no full stop
PRESET = "sweep"  # a group of presets, and a node of the root ``multirun`` that none of them makes


def groups(folders: Iterable[Path]) -> dict[str, list[str]]:
    """Group -> options, of all folders together; files that begin with an underscore are no options.

    Nor are those under ``space``, which say what is worth varying in the option of their name.
    """
    found: dict[str, set[str]] = {}
    for folder in filter(Path.is_dir, folders):
        for place, _, names in os.walk(folder):  # which passes over what cannot be read
            group = Path(place).relative_to(folder)
            options = {name.removesuffix(".yaml") for name in names if name.endswith(".yaml") and name[0] != "_"}
            if options and group.parts and group.parts[0] != SPACE:
                found.setdefault(str(group), set()).update(options)
    return {group: sorted(names) for group, names in sorted(found.items())}


def summaries(group: str, folders: Sequence[Path]) -> dict[str, str]:
    """Option -> the first sentence of its ``header``.

    Raises:
        ConfigError: a file is no text.
    """
    texts = {name: "\n".join(header(group, name, folders)) for name in groups(folders)[group]}
    return {name: " ".join(_END.split(text)[0].split()).rstrip(".") for name, text in texts.items()}


def option_file(group: str, option: str, folders: Iterable[Path]) -> Path | None:
    """The file of an option, in the first folder that has one."""
    return next((file for folder in folders if (file := folder / group / f"{option}.yaml").is_file()), None)


def header(group: str, option: str, folders: Sequence[Path]) -> list[str]:
    """What an option's file says of it: the lines of its first comment that are no orders to Hydra.

    Raises:
        ConfigError: the file is no text.
    """
    file = option_file(group, option, folders)
    comment = takewhile(lambda line: line.startswith("#"), read_text(file).splitlines() if file else ())
    return [line.lstrip("# ") for line in comment if not line.startswith("# @")]


def sort_out(
    words: Sequence[Word], repository: CachingConfigRepository, root: str
) -> tuple[list[Word], dict[str, Fault]]:
    """Take the option that was probably meant for one that is not there; values below it cannot be judged.

    Returns:
        Words that can be composed; the groups of wrong ones, as dotted keys, with their faults.
    """
    wrong: dict[str, Fault] = {}
    replaced: list[Word] = []
    for word in words:
        if _is_nothing(word, repository, root):
            continue
        if _chooses(word, repository) and (found := _fault(word, repository, root)):
            wrong[word.key.replace("/", ".")], meant = found
            replaced += read_words([meant])[0] if meant else []
        elif _is_within(word) and not word.override.is_add():
            replaced += read_words([f"+{word.typed}"])[0]
        else:
            replaced.append(word)
    below = tuple(f"{key}." for key in wrong if key != PRESET)
    return [word for word in replaced if not word.key.startswith(below)], wrong


def chosen(defaults: DefaultsList) -> dict[str, Any]:
    """Group -> option, list of options, or None, from Hydra's resolved defaults list; Hydra's own groups left out."""
    choices = {g: o for g, o in defaults.overrides.known_choices.items() if not g.startswith("hydra/")}
    lists: dict[str, list[str]] = {}
    for default in defaults.defaults:
        group, _, option = str(default.config_path).rpartition("/")
        if group and group not in choices and not group.startswith("hydra") and not option.startswith("_"):
            lists.setdefault(group, []).append(option)
    return {**{group: choices[group] for group in reversed(choices)}, **lists}


def _chooses(word: Word, repository: CachingConfigRepository) -> bool:
    return repository.group_exists(word.key) and not isinstance(word.override.value(), dict)


def _is_within(word: Word) -> bool:
    """``data@data.sources.mood=csv``: an option as a part of what another option of the same group makes."""
    package = word.override.package
    return package is not None and package.startswith(f"{word.key}.")


def _is_nothing(word: Word, repository: CachingConfigRepository, root: str) -> bool:
    """``experiment=null``, which is what the root says already."""
    before = root_choices(repository, root)
    nothing = not word.override.is_delete() and word.override.value() is None
    return nothing and word.key in before and before[word.key] is None


def _fault(word: Word, repository: CachingConfigRepository, root: str) -> tuple[Fault, str] | None:
    """What is wrong with a choice, and the word that was meant, if that can be told."""
    chosen_before = root_choices(repository, root)
    within = f"@{word.override.package}" if _is_within(word) else ""
    if word.override.is_add() and word.key in chosen_before and not within:
        meant = word.typed.lstrip("+")
        return Fault(word.typed, f"{word.key} is chosen already.", f"Write  {meant}  without the +."), meant
    if word.override.is_delete():
        is_list = isinstance(chosen_before.get(word.key), list)
        remedy = f"Write  {word.key}=[…]  with those that stay."
        return (Fault(word.typed, f"{word.key} is a list of options.", remedy), "") if is_list else None
    if word.override.package is not None and not within:
        truth = f"puts an option at {word.override.package}, where nothing reads it."
        return Fault(word.typed, truth, f"Write  {word.key}=<option>"), ""
    value = word.override.value()
    names = value if isinstance(value, list) else [value]
    if len(names) > 1 and (within or not isinstance(chosen_before.get(word.key, names), list)):
        return Fault(word.typed, f"{word.key} takes one option.", f"Write  {word.key}{within}={names[0]}"), ""
    missing = [
        "null" if n is None else str(n)
        for n in names
        if n is None or str(n).startswith("_") or not repository.config_exists(f"{word.key}/{n}")
    ]
    if not missing:
        return None
    known = [name for name in repository.get_group_options(word.key) if not name.startswith("_")]
    truth = f"there is no {word.key} {' and no '.join(missing)}." if len(names) > 1 else f"there is no such {word.key}."
    guesses = {name: nearest(name, known) for name in missing}
    remedy, meant = option_remedy(word.key, missing[0]) if len(names) == 1 and not within else ("", "")
    if remedy and "-" not in str(guesses[missing[0]]):  # which only an option of the user's own has
        return Fault(word.typed, truth, remedy), meant
    if not all(guesses.values()):
        return Fault(word.typed, truth, f"There are: {listed(known)}."), ""
    options = [str(guesses.get("null" if name is None else str(name), name)) for name in names]
    meant = f"{word.key}=[{','.join(options)}]" if isinstance(value, list) else f"{word.key}{within}={options[0]}"
    others = [name for name in known if name not in options]
    return Fault(word.typed, truth, asked([meant]) + (f"  Others: {listed(others)}." if others else "")), meant


def root_choices(repository: CachingConfigRepository, root: str) -> dict[str, Any]:
    """Group -> option, list of options, or None, as the root config's defaults list has them."""
    loaded = repository.load_config(root)
    defaults: Any = loaded.defaults_list if loaded else []
    return {d.group: d.value for d in defaults if isinstance(d, GroupDefault) and d.group}
