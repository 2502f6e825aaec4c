"""Nested state <-> (structure that JSON can hold, tensors by name), exactly, and without pickle.

What comes back is of the type that went in: tuples, integer keys, 0-d tensors, bf16, NaN, numpy arrays and scalars. Two
places that held one tensor hold one again. Tensors come back on the CPU, contiguous and detached; an OrderedDict comes
back as a dict.
"""

from __future__ import annotations

import math
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

_TAG = "$"  # marks a JSON object that stands for something else than a dict with string keys
_PLAIN = (type(None), bool, int, str)
_STORABLE = {
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.bool),
    *(torch.uint64, torch.uint32, torch.uint16, torch.uint8),
}


def encode(state: Any) -> tuple[Any, dict[str, Tensor]]:
    """The structure, and its tensors named by their key path (``optimizer_states/0/state/3/exp_avg``).

    Raises:
        TypeError: a value of another kind, named by its key path.
    """
    encoder = _Encoder()
    return encoder.node(state, ()), encoder.tensors


def decode(structure: Any, tensors: dict[str, Tensor]) -> Any:
    """The reverse of ``encode``.

    Raises:
        KeyError: the structure names a tensor that isn't there, or a kind that this version doesn't know.
    """
    if isinstance(structure, list):
        return [decode(item, tensors) for item in structure]
    if not isinstance(structure, dict):
        return structure
    if _TAG not in structure:
        return {key: decode(value, tensors) for key, value in structure.items()}
    return _DECODERS[structure[_TAG]](structure["is"], tensors)


class _Encoder:
    def __init__(self) -> None:
        self.tensors: dict[str, Tensor] = {}
        self._names: dict[Any, str] = {}  # a view of memory -> its name, so that one tensor is written once
        self._memory: set[int] = set()
        self._alive: list[Tensor] = []  # memory that is freed could be given to the next tensor, and look like it

    def node(self, value: Any, path: tuple[object, ...]) -> Any:
        kind = type(value)
        if kind in _PLAIN or (kind is float and math.isfinite(value)):
            return value
        if kind is float:
            return _tagged("float", str(value))
        if kind is list:
            return self._items(value, path)
        if kind is tuple:
            return _tagged("tuple", self._items(value, path))
        if kind in (dict, OrderedDict, defaultdict):
            return self._mapping(value, path)
        if isinstance(value, np.ndarray | np.generic):
            return _tagged("array" if isinstance(value, np.ndarray) else "scalar", self._array(np.asarray(value), path))
        if kind in (Tensor, torch.nn.Parameter):
            return _tagged("tensor", self._tensor(value.detach(), path))
        raise _refusal(path, f"of type {kind.__module__}.{kind.__qualname__}")

    def _items(self, values: Any, path: tuple[object, ...]) -> list[Any]:
        return [self.node(value, (*path, index)) for index, value in enumerate(values)]

    def _mapping(self, mapping: dict[Any, Any], path: tuple[object, ...]) -> Any:
        for key in mapping:
            if type(key) not in (str, int):
                raise TypeError(f"{_name(path)} has the key {key!r}, which is neither a string nor an integer")
        pairs = [(key, self.node(value, (*path, key))) for key, value in mapping.items()]
        if all(type(key) is str and key != _TAG for key in mapping):
            return dict(pairs)
        return _tagged("dict", [list(pair) for pair in pairs])

    def _array(self, array: np.ndarray[Any, Any], path: tuple[object, ...]) -> str:
        try:
            tensor = torch.from_numpy(np.array(array, order="C"))
        except (TypeError, ValueError):  # of objects or text; of the other byte order
            raise _refusal(path, f"a numpy array of {array.dtype}") from None
        return self._tensor(tensor, path)

    def _tensor(self, tensor: Tensor, path: tuple[object, ...]) -> str:
        if tensor.layout != torch.strided or tensor.dtype not in _STORABLE or tensor.is_meta:
            raise _refusal(path, f"a {tensor.layout} tensor of {tensor.dtype} on {tensor.device}")
        view = (tensor.device, tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride())
        if tensor.numel() and view in self._names:
            return self._names[view]
        name = self._unique(_name(path))
        self._alive.append(tensor)
        self._names[view] = name
        self.tensors[name] = self._own(tensor.cpu().contiguous())
        return name

    def _own(self, tensor: Tensor) -> Tensor:
        """Itself if nobody else of these tensors lives in its memory, else a copy: safetensors wants them apart."""
        memory = tensor.untyped_storage()
        if memory.data_ptr() in self._memory or memory.nbytes() != tensor.nbytes:
            tensor = tensor.clone()
        self._memory.add(tensor.untyped_storage().data_ptr())
        return tensor

    def _unique(self, name: str) -> str:
        tries = (f"{name}#{number}" for number in range(2, 2 + len(self.tensors)))
        return next(tried for tried in (name, *tries) if tried not in self.tensors)


def _tagged(kind: str, value: Any) -> dict[str, Any]:
    return {_TAG: kind, "is": value}


def _refusal(path: tuple[object, ...], what: str) -> TypeError:
    return TypeError(f"{_name(path)} is {what}, which a checkpoint can't hold")


def _name(path: tuple[object, ...]) -> str:
    return "/".join(map(str, path)) or "the state"


_DECODERS: dict[str, Callable[[Any, dict[str, Tensor]], Any]] = {
    "float": lambda text, _: float(text),
    "tuple": lambda items, tensors: tuple(decode(item, tensors) for item in items),
    "dict": lambda pairs, tensors: {key: decode(value, tensors) for key, value in pairs},
    "tensor": lambda name, tensors: tensors[name],
    "array": lambda name, tensors: tensors[name].numpy(),
    "scalar": lambda name, tensors: tensors[name].numpy()[()],
}
