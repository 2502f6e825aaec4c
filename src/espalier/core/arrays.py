"""Values as Arrow arrays and back. pyarrow's own ways load pandas, which takes longer than reading the rows does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_MOST = 2**31 - 1  # bytes of all texts together that an Arrow string column can address


def array(values: Sequence[Any] | npt.NDArray[Any]) -> pa.Array:
    """The values as ``pyarrow.array`` gives them; a numpy array of several axes as fixed-size lists, one for each row.

    Texts and numpy's numbers are laid out here, anything else by pyarrow, which cuts a column of texts that is too long
    for ``string`` in chunks that cannot be put together again: here it is one of ``large_string``.

    Raises:
        pyarrow.ArrowInvalid, pyarrow.ArrowTypeError: there is no type for them.
    """
    if isinstance(values, np.ndarray):
        if values.ndim > 1:
            flat = np.ascontiguousarray(values).reshape(len(values), -1)
            return pa.FixedSizeListArray.from_arrays(array(flat.ravel()), flat.shape[1])
        if values.dtype.kind in "iuf" and values.dtype.isnative:
            return _laid_out(pa.from_numpy_dtype(values.dtype), len(values), np.ascontiguousarray(values))
    elif values and all(type(value) is str for value in values):
        encoded = [value.encode() for value in values]
        ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
        short = ends[-1] <= _MOST
        kind, places = (pa.string(), ends.astype(np.int32)) if short else (pa.large_string(), ends)
        return _laid_out(kind, len(encoded), places, b"".join(encoded))
    return pa.array(values)


def numbers(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """A column of numbers as numpy has them, not to be written to: (rows,); of fixed-size lists, (rows, size)."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_fixed_size_list(whole.type):
        return numbers(whole.flatten()).reshape(len(whole), -1)
    primitive = pa.types.is_integer(whole.type) or pa.types.is_floating(whole.type)
    if not primitive or whole.null_count:
        found: npt.NDArray[Any] = whole.to_numpy(zero_copy_only=False)
        return found
    return np.from_dlpack(whole)


def _laid_out(kind: pa.DataType, rows: int, *buffers: Any) -> pa.Array:
    return pa.Array.from_buffers(kind, rows, [None, *map(pa.py_buffer, buffers)])
