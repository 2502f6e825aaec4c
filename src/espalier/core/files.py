"""Files that are whole or not there: atomic writes, durable folders, manifests with checksums."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write beside the destination, fsync, rename, fsync the folder: after a crash the old or the new file stands.

    Raises:
        OSError: the disk is full or read-only; nothing of the new file is left.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
    sync_folder(path.parent)


def is_full(error: OSError) -> bool:
    """Whether a disk, or somebody's share of it, has no room left: what may pass."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def write_json(path: Path, content: Any) -> None:
    """``write_atomic`` of indented JSON; NaN and infinities are refused nowhere else, so they are refused here."""
    write_atomic(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """What a file of JSON holds, whoever made it.

    Raises:
        OSError: it is not there, or cannot be read.
        ValueError: it is no JSON or no UTF-8, or is nested deeper than Python reads.
    """
    return parse_json(path.read_text(encoding="utf-8"))


def parse_json(text: str | bytes) -> Any:
    """What a text of JSON says. Raises ``ValueError``: see ``read_json``."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def sync_folder(folder: Path) -> None:
    """Make renames and deletions in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_file(path: Path) -> None:
    """Make the content of a written file durable."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
