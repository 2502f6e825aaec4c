from __future__ import annotations

import json
import math
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

from espalier.state.codec import decode, encode

DTYPES = [
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.bool),
    *(torch.uint64, torch.uint32, torch.uint16, torch.uint8),
]
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
keys = st.text() | st.integers() | st.just("$")
nested = st.recursive(
    plain, lambda inner: st.lists(inner) | st.dictionaries(keys, inner) | st.lists(inner).map(tuple), max_leaves=20
)


def there_and_back(state: Any) -> Any:
    """Through the very bytes that a checkpoint is made of."""
    structure, tensors = encode(state)
    text, content = json.dumps(structure, allow_nan=False), safetensors.torch.save(tensors)
    return decode(json.loads(text), safetensors.torch.load(content))


@given(nested)
def test_plain_values_come_back_as_they_were(state: Any) -> None:
    assert repr(there_and_back(state)) == repr(state)  # repr: NaN equals itself, True isn't 1, a tuple isn't a list


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)], ids=str)
def test_tensors_of_every_kind_and_shape(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    tensor = (torch.rand(shape) * 10).to(dtype)
    back = there_and_back({"x": tensor})["x"]
    assert back.dtype == dtype and back.shape == shape
    assert torch.equal(back.reshape(-1).view(torch.uint8), tensor.reshape(-1).view(torch.uint8))


def test_nan_bits_infinities_and_minus_zero_survive() -> None:
    floats = {"a": math.nan, "b": -math.inf, "c": -0.0, "d": 0.1 + 0.2}
    back = there_and_back({"plain": floats, "tensor": torch.tensor(list(floats.values()))})
    assert repr(back["plain"]) == repr(floats)
    assert torch.equal(back["tensor"].view(torch.int32), torch.tensor(list(floats.values())).view(torch.int32))


def test_views_and_shared_memory() -> None:
    base = torch.arange(12.0).reshape(3, 4)
    state = {"whole": base, "same": base, "column": base[:, 1], "turned": base.T, "row": base[1], "flat": base.view(-1)}
    back = there_and_back(state)
    assert all(torch.equal(back[name], state[name]) for name in state)
    assert back["whole"] is back["same"]
    assert len(encode(state)[1]) == 5  # written once where it is the same


def test_memory_of_temporaries_is_not_mistaken_for_sharing() -> None:
    arrays = {str(i): np.full(64, i) for i in range(50)}
    back = there_and_back(arrays)
    assert all(np.array_equal(back[name], arrays[name]) for name in arrays)


def test_numpy_arrays_and_scalars() -> None:
    state = {
        "a": np.arange(6, dtype=np.uint32).reshape(2, 3).T,
        "b": np.float64(0.1),
        "c": np.array(True),
        "d": np.int8(-3),
    }
    back = there_and_back(state)
    assert all(type(back[k]) is type(state[k]) and back[k].dtype == state[k].dtype for k in state)
    assert all(np.array_equal(back[k], state[k]) for k in state)


def test_optimizer_state_of_adam() -> None:
    parameter = torch.nn.Parameter(torch.rand(3))
    optimizer = torch.optim.AdamW([parameter], betas=(0.9, 0.95))
    parameter.sum().backward()
    optimizer.step()
    state = optimizer.state_dict()
    back = there_and_back(state)
    assert back["param_groups"] == state["param_groups"] and list(back["state"]) == [0]
    assert all(torch.equal(back["state"][0][k], v) for k, v in state["state"][0].items())


def test_names_are_key_paths_and_never_clash() -> None:
    state = {"a/b": torch.zeros(1), "a": {"b": torch.ones(1)}, "list": [torch.rand(1)]}
    assert list(encode(state)[1]) == ["a/b", "a/b#2", "list/0"]
    assert there_and_back(state)["a"]["b"] == 1


def test_ordered_dicts_and_parameters_become_plain() -> None:
    back = there_and_back(OrderedDict(weight=torch.nn.Parameter(torch.ones(2))))
    assert type(back) is dict and type(back["weight"]) is torch.Tensor and not back["weight"].requires_grad


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (Path("x"), "pathlib"),
        ({1, 2}, "set"),
        (print, "builtin_function_or_method"),
        (torch.float32, "torch.dtype"),
        (np.array(["text"]), "numpy array of <U4"),
        (np.array([object()]), "numpy array of object"),
        (torch.eye(2).to_sparse(), "sparse"),
        (torch.zeros(2, dtype=torch.complex128), "complex128"),
        (torch.zeros(2, device="meta"), "meta"),
        ({(1, 2): 0}, r"key \(1, 2\)"),
        ({True: 0}, "key True"),
    ],
    ids=["path", "set", "function", "dtype", "texts", "objects", "sparse", "complex", "meta", "tuple_key", "bool_key"],
)
def test_anything_else_is_refused_with_its_place(value: Any, kind: str) -> None:
    with pytest.raises(TypeError, match=kind) as refusal:
        encode({"callbacks": {"Mine": [0, value]}})
    assert str(refusal.value).startswith("callbacks/Mine/1 ")
