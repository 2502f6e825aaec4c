"""Pickles of tensors, honest ones and others, each converted in a child of its own: it is confined for good."""

from __future__ import annotations

import argparse
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from espalier.core.errors import UserError
from espalier.run.convert import convert

STATE = {
    "a.weight": torch.arange(6.0).reshape(2, 3),
    "b": torch.tensor([1, 2]),
    "c": torch.ones(2, dtype=torch.bfloat16),
}


def converted(file: Path, **given: Any) -> str:
    """``done N``, or what is wrong."""
    reads, writes = os.pipe()
    if (child := os.fork()) == 0:
        said = "nothing"
        try:
            os.chdir(file.parent)
            said = f"done {convert(file, file.with_name('model.safetensors'), **given)}"
        except UserError as error:
            said = f"UserError {error}"
        except BaseException as error:  # a test's child must not go on as a test
            said = f"{type(error).__name__} {error}"
        finally:
            os.write(writes, said.encode())
            os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def made(file: Path) -> dict[str, torch.Tensor]:
    return dict(load_file(file.with_name("model.safetensors")))


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_state_dict_keeps_every_tensor(zipped: bool, tmp_path: Path) -> None:
    torch.save(STATE, file := tmp_path / "x.bin", _use_new_zipfile_serialization=zipped)
    assert converted(file) == "done 3"
    found = made(file)
    assert found.keys() == STATE.keys()
    assert all(torch.equal(found[name], STATE[name]) and found[name].dtype == STATE[name].dtype for name in STATE)


def test_of_a_checkpoint_the_state_dict_is_taken(tmp_path: Path) -> None:
    whole = {
        "epoch": 3,
        "state_dict": STATE,
        "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(2)}}}],
        "loops": {"x": None},
    }
    torch.save(whole, file := tmp_path / "last.ckpt")
    assert converted(file) == "done 3"
    assert made(file).keys() == STATE.keys()


def test_what_wraps_a_model_is_taken_off_and_a_prefix_chooses(tmp_path: Path) -> None:
    torch.save({f"module.{name}": tensor for name, tensor in STATE.items()}, file := tmp_path / "x.pt")
    assert converted(file) == "done 3" and made(file).keys() == STATE.keys()
    assert converted(file, prefix="a.") == "done 1" and list(made(file)) == ["weight"]
    assert converted(file, prefix="z.").startswith(
        "UserError --prefix z.  has no such tensors; there are: a.weight, b, c"
    )


def test_tied_and_cut_out_tensors_get_memory_of_their_own(tmp_path: Path) -> None:
    whole = torch.arange(12.0)
    torch.save(
        {"a": whole, "tied": whole, "part": whole[3:5], "turned": whole.reshape(3, 4).T}, file := tmp_path / "x.pt"
    )
    assert converted(file) == "done 4"
    found = made(file)
    assert torch.equal(found["tied"], whole) and found["part"].tolist() == [3, 4]
    assert torch.equal(found["turned"], whole.reshape(3, 4).T)


class Acts:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.canary}",)


def repeated(tmp_path: Path) -> Any:
    return {"a": torch.zeros(1).expand(10**12)}


HOSTILE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "acts": (lambda folder: {"a": torch.zeros(1), "b": Acts(folder / "canary")}, "which is code and no tensor"),
    "namespace": (
        lambda _: {"state_dict": STATE, "hyper_parameters": argparse.Namespace(a=1)},
        "holds argparse.Namespace, which",
    ),
    "module": (lambda _: torch.nn.Linear(1, 1), "which is code and no tensor"),
    "a view of a terabyte": (repeated, "would take many times the memory that it takes on disk"),
    "a list": (lambda _: [torch.zeros(1)], "holds no state dict, but one list"),
    "no tensors": (lambda _: {"a": 1, "b": "x"}, "holds no state dict, but {a: int, b: str}"),
    "a number among them": (lambda _: {"state_dict": {"a": torch.zeros(1), "b": 3}}, r"cannot keep: b (int)"),
    "sparse": (lambda _: {"a": torch.eye(3).to_sparse()}, r"cannot keep: a (Tensor)"),
    "on no device": (lambda _: {"a": torch.zeros(3, device="meta")}, r"cannot keep: a (Tensor)"),
    "numbers as names": (lambda _: {1: torch.zeros(1)}, r"cannot keep: 1 (Tensor)"),
    "nothing": (lambda _: {}, "holds no state dict"),
}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_more_than_tensors_is_refused_with_its_reason(name: str, zipped: bool, tmp_path: Path) -> None:
    content, said = HOSTILE[name]
    torch.save(content(tmp_path), file := tmp_path / "x.bin", _use_new_zipfile_serialization=zipped)
    answer = converted(file)
    assert answer.startswith("UserError") and said in answer, answer
    assert [found.name for found in tmp_path.iterdir()] == ["x.bin"]


def bomb(file: Path) -> None:
    """Two gigabytes of zeros that are two megabytes on disk: torch's writer never compresses, its reader inflates."""
    torch.save({"a": torch.zeros(4)}, small := file.with_name("small.pt"))
    with zipfile.ZipFile(small) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for name in old.namelist():
            if not name.endswith("data/0"):
                new.writestr(name, old.read(name))
            else:
                with new.open(name, "w", force_zip64=True) as part:
                    for _ in range(512):
                        part.write(bytes(2**22))
    small.unlink()


RAW: dict[str, Callable[[Path], None]] = {
    "bare pickle": lambda file: file.write_bytes(pickle.dumps(Acts(file.with_name("canary")))) and None,
    "zip bomb": bomb,
    "empty": lambda file: file.write_bytes(b"") and None,
    "junk": lambda file: file.write_bytes(bytes(range(256)) * 40) and None,
    "json": lambda file: file.write_text(json.dumps({"a": 1})) and None,
    "half a zip": lambda file: file.write_bytes(b"PK\x03\x04" + bytes(100)) and None,
    "pickle of 2^62 bytes": lambda file: file.write_bytes(b"\x80\x04\x8e" + (2**62).to_bytes(8, "little")) and None,
    "deep pickle": lambda file: file.write_bytes(b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".") and None,
    "safetensors": lambda file: file.write_bytes((8).to_bytes(8, "little") + b"{}      ") and None,
}


@pytest.mark.parametrize("name", RAW)
def test_files_that_are_none_of_torch_s(name: str, tmp_path: Path) -> None:
    file = tmp_path / "x.bin"
    RAW[name](file)
    answer = converted(file)
    assert answer.startswith("UserError") and str(file) in answer, answer
    assert [found.name for found in tmp_path.iterdir()] == ["x.bin"]


def test_a_hole_in_torch_s_reader_leads_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if ``weights_only`` did not hold: the pickle's call is met by the confinement."""
    load = torch.load
    monkeypatch.setattr(torch, "load", lambda file, **given: load(file, **{**given, "weights_only": False}))
    torch.save({"a": torch.zeros(1), "b": Acts(tmp_path / "canary")}, file := tmp_path / "x.pt")
    answer = converted(file)
    assert answer.startswith("ConfinedError") and "tried to" in answer, answer
    assert [found.name for found in tmp_path.iterdir()] == ["x.pt"]
