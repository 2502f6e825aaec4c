"""One checkpoint as a folder that is whole or not there: written aside, manifest last, synced, renamed.

``step-00000123/`` holds

    tensors.safetensors     every tensor, by its key path
    state.json              the structure that they hang in
    manifest.json           written last: step, score, size and sha256 of the two, and a checksum of itself
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from espalier import __version__
from espalier.core.errors import CorruptError, UserError, newer
from espalier.core.files import parse_json, read_json, sha256_of, sync_file, sync_folder
from espalier.state.codec import decode, encode

FORMAT = 1
TENSORS, STATE, MANIFEST = "tensors.safetensors", "state.json", "manifest.json"
Manifest = Mapping[str, Any]


def write(path: Path, checkpoint: Mapping[str, Any], *, step: int) -> None:
    """Make ``path`` hold the checkpoint; one that stood there is replaced.

    Raises:
        TypeError: the checkpoint holds a value that the format doesn't know, named by its key path.
        OSError: the disk is full or read-only; nothing of the new one is left, and the old one stands.
    """
    structure, tensors = encode(dict(checkpoint))

    def fill(folder: Path) -> None:
        try:
            safetensors.torch.save_file(tensors, folder / TENSORS)
        except SafetensorError as error:
            raise _os_error(error) from error
        (folder / STATE).write_text(json.dumps({"format": FORMAT, "state": structure}, allow_nan=False))
        for name in (TENSORS, STATE):
            sync_file(folder / name)

    _make(path, fill, {"step": step})


def link(path: Path, source: Path, *, score: float) -> None:
    """Make ``path`` a second name for the checkpoint ``source``, with a score: by hard links, or else copies.

    Raises:
        CorruptError: ``source`` isn't whole.
        OSError: as ``write``.
    """
    manifest = verify(source)

    def fill(folder: Path) -> None:
        for name in manifest["files"]:
            try:
                os.link(source / name, folder / name)
            except OSError:
                shutil.copyfile(source / name, folder / name)
                sync_file(folder / name)

    _make(path, fill, {"step": manifest["step"], "score": score})


def read(path: Path) -> dict[str, Any]:
    """The checkpoint, once its checksums are verified; tensors on the CPU, in memory of their own.

    Copied one by one out of the mapped file, so that no more than they are is taken, and the folder may be removed.

    Raises:
        CorruptError: it isn't whole.
        UserError: it is of a later format.
    """
    checkpoint: dict[str, Any] = _decoded(path, lambda structure: structure, Tensor.clone)
    return checkpoint


def read_weights(path: Path) -> dict[str, Tensor]:
    """The model's state alone, by parameter: nothing else is read, and processes of one machine share the file's pages.

    Raises:
        CorruptError, UserError: as ``read``; it holds no such state.
    """
    weights = _decoded(path, lambda state: state.get("state_dict") if isinstance(state, dict) else None, lambda it: it)
    if not isinstance(weights, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise CorruptError(f"{path} holds no weights")
    return weights


def read_structure(path: Path) -> dict[str, Any]:
    """The structure alone, as ``codec.encode`` makes it: strings and finite numbers in it are what they were.

    Raises:
        CorruptError, UserError: as ``read``.
    """
    structure: dict[str, Any] = _structure(path, _bytes(path, STATE, _manifest(path)))
    return structure


def verify(path: Path) -> Manifest:
    """The manifest of a checkpoint that is whole.

    Raises:
        CorruptError: it isn't.
        UserError: it is of a later format.
    """
    manifest = _manifest(path)
    for name, file in manifest["files"].items():
        there = path / name
        if not there.is_file() or there.stat().st_size != file["bytes"] or sha256_of(there) != file["sha256"]:
            raise CorruptError(f"{there} isn't what its manifest says")
    return manifest


def remove(path: Path) -> None:
    """Delete, manifest first: what a kill leaves of it can't be taken for a checkpoint."""
    if path.is_dir():
        (path / MANIFEST).unlink(missing_ok=True)
        sync_folder(path)
        shutil.rmtree(path)


def _make(path: Path, fill: Callable[[Path], None], facts: dict[str, Any]) -> None:
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        sync_folder(path.parent.parent)
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir()
        fill(aside)
        names = (STATE, TENSORS)
        files = {name: {"bytes": (aside / name).stat().st_size, "sha256": sha256_of(aside / name)} for name in names}
        manifest = {"format": FORMAT, "version": __version__, **facts, "files": files}
        (aside / MANIFEST).write_text(json.dumps({**manifest, "checksum": _checksum(manifest)}, indent=2) + "\n")
        sync_file(aside / MANIFEST)
        sync_folder(aside)
        remove(path)
        aside.rename(path)
    except OSError:
        shutil.rmtree(aside, ignore_errors=True)  # a full disk has no room for halves
        raise
    sync_folder(path.parent)


def _os_error(error: SafetensorError) -> OSError:
    """What safetensors says in words of its own."""
    number = re.search(r"os error (\d+)", str(error))
    return OSError(int(number[1]), os.strerror(int(number[1]))) if number else OSError(str(error))


def _manifest(path: Path) -> Manifest:
    try:
        manifest: dict[str, Any] = read_json(path / MANIFEST)
        checksum = manifest.pop("checksum")
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise CorruptError(f"{path} has no manifest that can be read") from error
    if checksum != _checksum(manifest):
        raise CorruptError(f"{path / MANIFEST} was changed after it was written")
    manifest = _of_our_format(path, manifest)
    try:
        wrong = set(manifest["files"]) != {STATE, TENSORS}
    except (KeyError, TypeError):
        wrong = True
    if wrong or type(manifest.get("step")) is not int:
        raise CorruptError(f"{path / MANIFEST} is no checkpoint's")
    return manifest


def _decoded(path: Path, part: Callable[[Any], Any], own: Callable[[Tensor], Tensor]) -> Any:
    """A part of the structure, with its tensors in place."""
    manifest = _manifest(path)
    structure = part(_structure(path, _bytes(path, STATE, manifest)))
    try:
        if sha256_of(path / TENSORS) != manifest["files"][TENSORS]["sha256"]:
            raise CorruptError(f"{path / TENSORS} isn't what its manifest says")
        with safe_open(path / TENSORS, framework="pt") as file:
            return decode(structure, _Tensors(file, own))
    except OSError as error:
        raise CorruptError(f"{path / TENSORS} can't be read") from error
    except (SafetensorError, LookupError, TypeError, ValueError, RecursionError) as error:  # made by somebody else
        raise CorruptError(f"{path} holds no checkpoint: {type(error).__name__}: {error}") from error


class _Tensors(dict[str, Tensor]):
    """Those of a file, each taken from it when it is first asked for."""

    def __init__(self, file: Any, own: Callable[[Tensor], Tensor]) -> None:
        self._file, self._own, self._names = file, own, set(file.keys())

    def __missing__(self, name: str) -> Tensor:
        if name not in self._names:
            raise KeyError(name)
        self[name] = self._own(self._file.get_tensor(name))
        return self[name]


def _bytes(path: Path, name: str, manifest: Manifest) -> bytes:
    try:
        content = (path / name).read_bytes()
    except OSError as error:
        raise CorruptError(f"{path / name} can't be read") from error
    if hashlib.sha256(content).hexdigest() != manifest["files"][name]["sha256"]:
        raise CorruptError(f"{path / name} isn't what its manifest says")
    return content


def _structure(path: Path, content: bytes) -> Any:
    try:
        return _of_our_format(path / STATE, parse_json(content))["state"]
    except (ValueError, LookupError, TypeError) as error:
        raise CorruptError(f"{path / STATE} holds no state: {type(error).__name__}: {error}") from error


def _of_our_format(path: Path, record: Any) -> dict[str, Any]:
    """A later one is whole, and not ours to step back over: the run would go on from its past."""
    form = record.get("format") if isinstance(record, dict) else None
    if type(form) is int and form > FORMAT:
        raise UserError(newer(str(path), "format", form, FORMAT, str(record.get("version", ""))))
    if form != FORMAT:
        raise CorruptError(f"{path} is of format {form}, which there never was")
    return dict(record)


def _checksum(manifest: Manifest) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
