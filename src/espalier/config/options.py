"""Groups and their options: what there is, what a word chooses, what was chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from hydra._internal.config_repository import CachingConfigRepository
from hydra._internal.defaults_list import DefaultsList

from espalier.config.suggest import listed, nearest
from espalier.config.words import Word
from espalier.core.errors import Fault


def groups(folders: Iterable[Path]) -> dict[str, list[str]]:
    """Group -> options, of all folders together; files that begin with an underscore are no options."""
    found: dict[str, set[str]] = {}
    for folder in folders:
        for file in folder.rglob("*.yaml"):
            if file.parent != folder and not file.name.startswith("_"):
                found.setdefault(str(file.parent.relative_to(folder)), set()).add(file.stem)
    return {group: sorted(names) for group, names in sorted(found.items())}


def sort_out(words: Sequence[Word], repository: CachingConfigRepository, root: str) -> tuple[list[Word], list[Fault]]:
    """Leave out choices of options that are not there, with the values set below them: those cannot be judged."""
    faults: list[Fault] = []
    wrong: set[str] = set()
    for word in words:
        if _chooses(word, repository) and (fault := _fault(word, repository, root)):
            faults.append(fault)
            wrong.add(word.key)
    below = tuple(f"{group.replace('/', '.')}." for group in wrong)
    return [word for word in words if word.key not in wrong and not word.key.startswith(below)], faults


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


def _fault(word: Word, repository: CachingConfigRepository, root: str) -> Fault | None:
    if word.override.is_add() and word.key in _root_groups(repository, root):
        return Fault(word.typed, f"{word.key} is chosen already.", f"Write {word.typed.lstrip('+')}, without the +.")
    value = word.override.value()
    names = value if isinstance(value, list) else [value]
    known = [name for name in repository.get_group_options(word.key) if not name.startswith("_")]
    for name in names:
        if name is not None and not repository.config_exists(f"{word.key}/{name}"):
            guess = nearest(str(name), known)
            said = f"Did you mean  {word.key}={guess} ?" if guess else ""
            others = f"Others: {listed(n for n in known if n != guess)}." if guess else f"There are: {listed(known)}."
            return Fault(word.typed, f"there is no such {word.key}.", f"{said}  {others}".strip())
    return None


def _root_groups(repository: CachingConfigRepository, root: str) -> set[str]:
    loaded = repository.load_config(root)
    defaults: Any = loaded.defaults_list if loaded else []
    return {str(getattr(default, "group", "")) for default in defaults}
