"""An experiment in its run directory: ``config.yaml``, and beside it the options and words that it was made of."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf._utils import get_omega_conf_dumper
from omegaconf.errors import OmegaConfBaseException

from espalier import __version__
from espalier.config.compose import Experiment, changed, compose
from espalier.config.layers import Layers, flatten
from espalier.config.migrations import SCHEMA, migrated
from espalier.config.options import groups
from espalier.config.signature import signature_of
from espalier.config.sources import shipped
from espalier.config.tree import plain
from espalier.config.types import Bounded, branches
from espalier.config.words import Word, quoted, read_words
from espalier.core.errors import Fault, UserError, newer
from espalier.core.files import write_atomic
from espalier.core.home import expanded, folder_of
from espalier.core.masking import masked_text, masked_words
from espalier.core.rundir import no_run
from espalier.core.yaml_files import read_yaml, yaml_text

CONFIG, ORIGIN = "config.yaml", "origin.yaml"


def write(experiment: Experiment, directory: Path) -> None:
    """``config.yaml`` (interpolations kept, file paths absolute) and ``origin.yaml`` (options, words, folders)."""
    tree = OmegaConf.create(plain(experiment.config))
    _make_absolute(tree, experiment.values)
    write_atomic(directory / CONFIG, yaml_text(OmegaConf.to_container(tree), get_omega_conf_dumper()))
    origin = {
        "schema": SCHEMA,
        "version": __version__,
        "choices": dict(experiment.choices),
        "overrides": list(experiment.overrides),
        "config_dirs": [str(folder.resolve()) for folder in experiment.config_dirs],
        "set": {key: list(told) for key, told in _set_over_defaults(experiment)},
    }
    write_atomic(directory / ORIGIN, yaml_text(origin))


def summary(experiment: Experiment) -> dict[str, Any]:
    """What a run's outcome says of its experiment: ``options`` (group -> option) and ``overrides`` (words, masked)."""
    options = {group: option for group, option in experiment.choices.items() if option is not None and "/" not in group}
    return {"options": options, "overrides": [masked_text(word) for word in experiment.overrides]}


def read(directory: Path) -> Experiment:
    """The experiment of a run directory, as this version would have written it; not trusted before ``check``.

    Raises:
        UserError: no run directory, or of a later version of Espalier.
    """
    file = directory / CONFIG
    if not file.is_file():
        raise UserError(no_run(directory, CONFIG))
    layers = Layers()
    try:
        content = dict(read_yaml(file))
        origin = read_yaml(directory / ORIGIN)
        schema, choices = int(origin["schema"]), dict(origin["choices"])
        overrides, folders = (tuple(map(str, origin[key])) for key in ("overrides", "config_dirs"))
        if schema > SCHEMA:
            raise UserError(newer(str(directory), "schema", schema, SCHEMA, str(origin.get("version", ""))))
        tree = OmegaConf.create(migrated(content, max(schema, 1)))
        layers.add_file(file, "")
    except (OSError, ValueError, KeyError, TypeError, RecursionError, yaml.YAMLError, OmegaConfBaseException) as error:
        raise UserError(Fault(str(directory), f"cannot be read: {type(error).__name__}: {error}.")) from error
    return Experiment(
        tree,
        OmegaConf.create({}),
        choices,
        overrides,
        tuple(map(Path, folders)),
        (),
        layers,
    )


def rerun(directory: Path, overrides: Sequence[str], config_dirs: Sequence[Path] = ()) -> Experiment:
    """The experiment of a run directory once more, with changes: of values, or of options as well.

    With no change of options the saved config is the base. With one, the experiment is composed anew from its words;
    those that chose a changed group's option, or set something below it, fall away. Paths of files stay those that they
    were, seen from where the run was begun; with another preset, those that words set.

    Raises:
        UserError: see ``read`` and ``compose``.
    """
    old = read(directory)
    folders = [*config_dirs, *(folder for folder in old.config_dirs if folder not in config_dirs)]
    known = groups([*folders, shipped()])
    replaced = _replaced(read_words(overrides)[0], known)
    if not replaced:
        return changed(old, overrides)
    kept = [word for word in read_words(old.overrides)[0] if not _is_of(word.key, replaced)]
    files = [(key, value) for key, value in _file_keys(old.values) if not _is_of(key, replaced)]
    if "experiment" in replaced:
        said = [word.key for word in kept if word.key not in known]
        files = [(key, value) for key, value in files if any(f"{key}.".startswith(f"{word}.") for word in said)]
    placed = [f"{key}={_spelled(value)}" for key, value in files]
    return compose([*(word.typed for word in kept), *placed, *overrides], config_dirs=folders)


def in_use(directory: Path, overrides: Sequence[str]) -> Experiment:
    """The experiment of a trained run where other rows are read, or where it computes elsewhere.

    Of a group that words choose anew, the option is composed; all else is as the run was trained, whatever has become
    of the files that its config was made of.

    Raises:
        UserError: see ``read`` and ``compose``.
    """
    old = read(directory)
    folders = [folder for folder in old.config_dirs if folder.is_dir()]
    words, faults = read_words(overrides)
    replaced = _replaced(words, groups([*folders, shipped()]))
    if not replaced:
        return changed(old, overrides)
    new = compose([word.typed for word in words if _is_of(word.key, replaced)], config_dirs=folders)
    tree, composed, layers = *map(OmegaConf.create, (plain(old.config), plain(new.config))), old.layers.copy()
    for group in replaced:
        key = group.replace("/", ".")
        layers.remove(key)
        if (node := OmegaConf.select(composed, key)) is not None:
            OmegaConf.update(tree, key, node, merge=False)
    layers.marks |= {key: marks for key, marks in new.layers.marks.items() if _is_of(key, replaced)}
    choices = {**old.choices, **{group: option for group, option in new.choices.items() if _is_of(group, replaced)}}
    faults += new.faults
    made = replace(old, config=tree, choices=choices, faults=tuple(faults), layers=layers, unsettled=new.unsettled)
    return changed(made, [word.typed for word in words if not _is_of(word.key, replaced)])


def _replaced(words: Sequence[Word], known: Container[str]) -> frozenset[str]:
    """Groups of which words choose an option."""
    return frozenset(word.key for word in words if word.key in known and not isinstance(word.override.value(), dict))


def _is_of(key: str, chosen: Iterable[str]) -> bool:
    """Whether a key, or a group, is one of some groups or lies in it."""
    return any(f"{key.replace('/', '.')}.".startswith(f"{group.replace('/', '.')}.") for group in chosen)


def _set_over_defaults(experiment: Experiment) -> Iterator[tuple[str, tuple[str, str]]]:
    """Key -> (who set it last, over what) of values that another file or the command line set."""
    for key, value in flatten(plain(experiment.config)):
        marks = experiment.layers.marks.get(key, [])
        if marks and not isinstance(value, Mapping) and (len(marks) > 1 or not marks[-1].line):
            yield key, (str(marks[-1]), marks[-2].value if len(marks) > 1 else "")


def _make_absolute(tree: DictConfig, values: Mapping[str, Any]) -> None:
    for key, value in _file_keys(values):
        OmegaConf.update(tree, key, _absolute(value) if isinstance(value, str) else [_absolute(v) for v in value])


def _absolute(path: str) -> str:
    return str(expanded(path).resolve())


def _file_keys(values: Mapping[str, Any]) -> Iterator[tuple[str, str | list[str]]]:
    """Keys whose signatures say that they are paths of files or folders, with their values; none with a secret."""
    for key, value in flatten({"": values}):
        target = value.get("_target_") if isinstance(value, Mapping) else None
        if not isinstance(target, str):
            continue
        for name, parameter in signature_of(target).parameters.items():
            found = value.get(name)
            if isinstance(found, str | list) and _is_path(parameter.type, found) and masked_words(found) == found:
                yield f"{key}.{name}".lstrip("."), value[name]


def _spelled(value: str | list[str]) -> str:
    return quoted(value) if isinstance(value, str) else f"[{','.join(map(quoted, value))}]"


def _is_path(kind: Any, value: str | list[str]) -> bool:
    bounds = {bound.name for branch in branches(kind) if isinstance(branch, Bounded) for bound in branch.bounds}
    written = "HubOrFolder" in bounds and isinstance(value, str) and folder_of(value) is not None
    return bool(bounds & {"FileExists", "FolderExists", "RunOrWeights"}) or written
