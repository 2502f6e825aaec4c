"""Rows that a model has learned from: a run leaves their digests, by which an evaluation knows them again."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from espalier.checks.rows import inputs
from espalier.core.facts import Kind, Raw
from espalier.core.files import write_atomic

FILE = "seen.npy"
_KIND = np.dtype("<u8")

Digests = npt.NDArray[np.uint64]


def leave(directory: Path, raw: Raw, before: Path | None = None) -> None:
    """Write the digests of the training rows' inputs, 8 bytes each, in rising order.

    Args:
        before: the run that this one began with, if any: what that one saw was seen too.

    Raises:
        OSError: the disk is full.
    """
    found = [_digests(raw, "train", raw.kinds)]
    if before and (known := _known(before)) is not None:
        found.append(known)
    content = io.BytesIO()
    np.save(content, np.unique(np.concatenate(found)), allow_pickle=False)
    write_atomic(directory / FILE, content.getvalue())


def seen(directory: Path, raw: Raw, split: str, kinds: Mapping[str, Kind]) -> int | None:
    """How many rows of a split have an input that a run was trained on, as ``checks.rows.inputs`` compares them.

    Args:
        kinds: those of the data that the run was trained on.

    Returns:
        None where the run left no digests that can be read.
    """
    known = _known(directory)
    if known is None:
        return None
    return int(np.isin(_digests(raw, split, kinds), known).sum())


def digest_of(raw: Raw, split: str) -> str:
    """One digest of a split's inputs in their order, which tells whether two runs were judged on the same rows."""
    return hashlib.sha256(_digests(raw, split, raw.kinds).tobytes()).hexdigest()


def _known(directory: Path) -> Digests | None:
    try:
        known: Digests = np.load(directory / FILE, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return known if known.dtype == _KIND and known.ndim == 1 else None


def _digests(raw: Raw, split: str, kinds: Mapping[str, Kind]) -> Digests:
    # Of a billion pairs of rows one in 18 billion would be taken for the same by chance.
    digests = (hashlib.blake2b(repr(row).encode(), digest_size=8).digest() for row in inputs(raw, split, kinds))
    return np.frombuffer(b"".join(digests), _KIND)
