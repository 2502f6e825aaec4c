"""Rows -> columns of numbers, by the model's encoding; what was encoded once is kept on disk."""

from __future__ import annotations

import hashlib
import inspect
import json
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from espalier.core.columns import Columns, Ragged
from espalier.core.facts import Raw
from espalier.core.files import read_json, sha256_of
from espalier.core.home import cache
from espalier.core.parts import Encoding

TAKEN = "taken"
_FORMAT = 1
_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Encoded:
    """Encoded splits, and how many rows of each were cut because a text was too long."""

    splits: dict[str, Columns]
    truncated: dict[str, int]

    @property
    def lengths(self) -> dict[str, npt.NDArray[np.int64]]:
        """split -> tokens of each row before it was cut; splits of texts alone."""
        told = {split: columns.get("length") for split, columns in self.splits.items()}
        return {split: np.asarray(column, np.int64) for split, column in told.items() if isinstance(column, np.ndarray)}


def encode(raw: Raw, encoding: Encoding) -> Encoded:
    """Apply a fitted encoding to every split; row, lists of labels and other integers pass through without it.

    The result lies in ``core.home.cache()/encoded/<key>``, where the key is made of the data's fingerprint, the rows of
    each split, the encoding's fingerprint and the version of the code. Nothing is kept of an encoding that says
    ``costs_nothing = True``, nor of data without a fingerprint.
    """
    if getattr(encoding, "costs_nothing", False) or not raw.fingerprint:
        return _encode(raw, encoding)
    folder = cache() / "encoded" / _key(raw, encoding)
    # Broken, half-written, or being replaced by another process: in any case it can be made again.
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        return _read(folder)
    encoded = _encode(raw, encoding)
    with suppress(OSError):  # a cache that cannot be written costs time, not the run
        _write(folder, encoded)
    return encoded


def _encode(raw: Raw, encoding: Encoding) -> Encoded:
    splits: dict[str, Columns] = {}
    truncated: dict[str, int] = {}
    for split, table in raw.splits.items():
        columns = dict(encoding.apply(table))
        cut = columns.pop("truncated", None)
        truncated[split] = 0 if cut is None else int(np.count_nonzero(np.asarray(cut)))
        given: dict[str, npt.NDArray[Any]] = {**_integers(table), **_label_lists(table, raw)}
        taken: Any = columns.pop(TAKEN, None)
        if taken is not None:
            given = {name: column[np.asarray(taken)] for name, column in given.items()}
        splits[split] = {**given, **columns}
    return Encoded(splits, truncated)


def _integers(table: pa.Table) -> dict[str, npt.NDArray[np.int64]]:
    names = [field.name for field in table.schema if pa.types.is_integer(field.type)]
    return {name: table[name].to_numpy().astype(np.int64, copy=False) for name in names}


def _label_lists(table: pa.Table, raw: Raw) -> dict[str, npt.NDArray[np.uint8]]:
    """Labels of which a row has any number, as (rows, labels) of 0 and 1."""
    names = [role for role, kind in raw.kinds.items() if kind == "labels" and role in table.column_names]
    return {name: table[name].combine_chunks().flatten().to_numpy().reshape(len(table), -1) for name in names}


def _key(raw: Raw, encoding: Encoding) -> str:
    digest = hashlib.sha256(f"{_FORMAT} {raw.fingerprint} {encoding.fingerprint()} {version('tokenizers')}".encode())
    digest.update(Path(__file__).read_bytes())
    if source := inspect.getsourcefile(type(encoding)):  # what it shares with others stands beside it
        digest.update(b"".join(file.read_bytes() for file in sorted(Path(source).parent.glob("*.py"))))
    for split, table in raw.splits.items():
        digest.update(f"{split} {table.num_rows} {table.column_names}".encode())
        digest.update(np.ascontiguousarray(table["row"].to_numpy()).tobytes())
    return digest.hexdigest()


def _write(folder: Path, encoded: Encoded) -> None:
    # Whole or not there: written beside its place, moved into it. Who finds the place taken has lost a race and leaves.
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        _fill(temporary, encoded)
        _remove(folder)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _remove(folder: Path) -> None:
    # Moved aside first, so that no reader meets an entry that is half deleted.
    if folder.exists():
        aside = Path(tempfile.mkdtemp(prefix=".old-", dir=folder.parent))
        with suppress(OSError):
            folder.rename(aside / folder.name)
        shutil.rmtree(aside, ignore_errors=True)


def _fill(folder: Path, encoded: Encoded) -> None:
    splits: dict[str, dict[str, list[str]]] = {}
    for split, columns in encoded.splits.items():
        splits[split] = {}
        for name, column in columns.items():
            arrays = [column.values, column.offsets] if isinstance(column, Ragged) else [np.asarray(column)]
            splits[split][name] = [_save(folder, array) for array in arrays]
    digests = {file.name: sha256_of(file) for file in folder.glob("*.npy")}
    manifest = {"splits": splits, "truncated": encoded.truncated, "sha256": digests}
    (folder / _MANIFEST).write_text(json.dumps(manifest))


def _save(folder: Path, array: npt.NDArray[Any]) -> str:
    name = f"{len(list(folder.iterdir()))}.npy"  # numbered: a column's name need not be a file's
    np.save(folder / name, array, allow_pickle=False)
    return name


def _read(folder: Path) -> Encoded:
    manifest = read_json(folder / _MANIFEST)
    for name, digest in manifest["sha256"].items():
        if sha256_of(folder / name) != digest:
            raise ValueError(f"{name} is not what was written")
    splits: dict[str, Columns] = {
        split: {name: _column(folder, files) for name, files in columns.items()}
        for split, columns in manifest["splits"].items()
    }
    return Encoded(splits, manifest["truncated"])


def _column(folder: Path, files: list[str]) -> npt.NDArray[Any] | Ragged:
    arrays = [np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in files]
    return Ragged(*arrays) if len(arrays) == 2 else arrays[0]
