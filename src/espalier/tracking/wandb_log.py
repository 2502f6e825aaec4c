"""W&B's own file of an offline run, ``run-<id>.wandb``: how much of it there is. A full disk is told by nobody else.

It is a log as LevelDB writes it: blocks of 32 KiB, in them pieces of records behind headers of 7 bytes (checksum,
length, kind: 1 whole, 2 first, 3 middle, 4 last), before all of that 7 bytes of W&B's. A record is a protocol buffer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from importlib import import_module

_BLOCK, _HEADER = 32768, 7
_WHOLE, _FIRST, _LAST = 1, 2, 4


def told_in(content: bytes) -> tuple[int, bool]:
    """How many rows of a run's history such a file holds, and whether it has the record by which a run ends."""
    record_of = import_module("wandb.proto.wandb_internal_pb2").Record.FromString
    rows, ended = 0, False
    for record in _records(content):
        try:
            kind = record_of(record).WhichOneof("record_type")
        except Exception:  # protobuf's own error: a record that was cut off
            break
        rows += kind == "history"
        ended |= kind == "exit"
    return rows, ended


def _records(content: bytes) -> Iterator[bytes]:
    place, parts = _HEADER, b""
    while place + _HEADER <= len(content):
        if (left := _BLOCK - place % _BLOCK) < _HEADER:
            place += left
            continue
        _, length, kind = struct.unpack_from("<IHB", content, place)
        piece = content[place + _HEADER : place + _HEADER + length]
        if len(piece) < length or not kind:
            return
        parts = piece if kind in (_WHOLE, _FIRST) else parts + piece
        if kind in (_WHOLE, _LAST):
            yield parts
        place += _HEADER + length
