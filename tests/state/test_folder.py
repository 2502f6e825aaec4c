from __future__ import annotations

import errno
import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.disk import full_disk
from espalier.core.errors import CorruptError, UserError
from espalier.state import folder

CHECKPOINT = {
    "global_step": 7,
    "state_dict": {"weight": torch.arange(5.0)},
    "betas": (0.9, 0.99),
    "espalier": {"n": 12},
}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "step-00000007"
    folder.write(path, CHECKPOINT, step=7)
    return path


def test_comes_back(written: Path) -> None:
    back = folder.read(written)
    assert torch.equal(back["state_dict"]["weight"], torch.arange(5.0))
    assert back["betas"] == (0.9, 0.99) and back["global_step"] == 7
    assert folder.verify(written)["step"] == 7
    assert folder.read_structure(written)["espalier"] == {"n": 12}


def test_tensors_can_be_written_over(written: Path) -> None:
    folder.read(written)["state_dict"]["weight"].add_(1)
    assert torch.equal(folder.read(written)["state_dict"]["weight"], torch.arange(5.0))


def test_nothing_else_is_left(written: Path) -> None:
    assert [path.name for path in written.parent.iterdir()] == [written.name]
    assert sorted(path.name for path in written.iterdir()) == ["manifest.json", "state.json", "tensors.safetensors"]


def test_replaces_what_stood_there(written: Path) -> None:
    folder.write(written, {"new": True}, step=7)
    assert folder.read(written) == {"new": True}


def test_a_value_of_another_kind_leaves_the_old_one(written: Path) -> None:
    with pytest.raises(TypeError, match="callbacks/Mine is of type"):
        folder.write(written, {"callbacks": {"Mine": object()}}, step=7)
    assert folder.read(written)["global_step"] == 7


@pytest.mark.parametrize("name", [folder.TENSORS, folder.STATE, folder.MANIFEST])
def test_every_flipped_bit_is_detected(written: Path, name: str) -> None:
    content = (written / name).read_bytes()
    looks = (folder.read, folder.read_weights) if name != folder.STATE else (folder.read_structure,)
    for place in range(0, len(content), max(1, len(content) // 60)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << (place % 8)
        (written / name).write_bytes(flipped)
        for look in (folder.verify, *looks):
            with pytest.raises(CorruptError, match=written.name):
                look(written)


@pytest.mark.parametrize("name", [folder.TENSORS, folder.STATE, folder.MANIFEST])
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.99])
def test_truncation_is_detected(written: Path, name: str, keep: float) -> None:
    os.truncate(written / name, int((written / name).stat().st_size * keep))
    for look in (folder.verify, folder.read):
        with pytest.raises(CorruptError):
            look(written)


@pytest.mark.parametrize("name", [folder.TENSORS, folder.STATE, folder.MANIFEST])
def test_a_missing_file_is_detected(written: Path, name: str) -> None:
    (written / name).unlink()
    with pytest.raises(CorruptError):
        folder.verify(written)
    with pytest.raises(CorruptError):
        folder.read(written)


def test_no_checkpoint_at_all(tmp_path: Path) -> None:
    for look in (folder.verify, folder.read, folder.read_structure):
        with pytest.raises(CorruptError, match="no manifest"):
            look(tmp_path / "nowhere")


def rewritten(written: Path, **changed: object) -> None:
    """The manifest with other facts, and a checksum that fits."""
    manifest = {**json.loads((written / folder.MANIFEST).read_text()), **changed}
    del manifest["checksum"]
    (written / folder.MANIFEST).write_text(json.dumps({**manifest, "checksum": folder._checksum(manifest)}))


def test_a_later_format_is_refused_with_the_version_to_install(written: Path) -> None:
    rewritten(written, format=folder.FORMAT + 1, version="7.8.9")
    for look in (folder.read, folder.verify):
        with pytest.raises(UserError, match=rf"format {folder.FORMAT + 1}.*pip install 'espalier>=7\.8\.9'"):
            look(written)


@pytest.mark.parametrize(
    "changed", [{"format": 0}, {"format": "1"}, {"files": {}}, {"files": None}, {"step": "7"}], ids=str
)
def test_a_manifest_that_fits_itself_and_no_checkpoint(written: Path, changed: dict[str, object]) -> None:
    rewritten(written, **changed)
    with pytest.raises(CorruptError):
        folder.verify(written)


def test_names_of_files_elsewhere_are_not_followed(written: Path) -> None:
    files = json.loads((written / folder.MANIFEST).read_text())["files"]
    rewritten(written, files={**files, "../../out": files[folder.STATE]})
    with pytest.raises(CorruptError, match="no checkpoint's"):
        folder.link(written.with_name("best-00000007"), written, score=1.0)


@pytest.mark.parametrize("state", ["[", "[]", '{"format": 1}', '{"format": 1, "state": {"$": "tensor", "is": "none"}}'])
def test_a_state_that_somebody_else_made(written: Path, state: str) -> None:
    (written / folder.STATE).write_text(state)
    files = json.loads((written / folder.MANIFEST).read_text())["files"]
    digest = hashlib.sha256(state.encode()).hexdigest()
    rewritten(written, files={**files, folder.STATE: {"bytes": len(state), "sha256": digest}})
    with pytest.raises(CorruptError, match=r"state\.json|KeyError"):
        folder.read(written)


@pytest.mark.parametrize("room", [0, 50, 99, 170, 400])
def test_a_full_disk_leaves_the_old_one_and_no_halves(written: Path, room: int) -> None:
    with full_disk(room), pytest.raises(OSError, match="File too large") as failed:
        folder.write(written, {**CHECKPOINT, "weight": torch.rand(200)}, step=7)
    assert failed.value.errno == errno.EFBIG
    assert [path.name for path in written.parent.iterdir()] == [written.name]
    assert torch.equal(folder.read(written)["state_dict"]["weight"], torch.arange(5.0))
    with full_disk(10), pytest.raises(OSError, match="File too large"):
        folder.link(written.with_name("best-00000007"), written, score=1.0)
    assert [path.name for path in written.parent.iterdir()] == [written.name]


@pytest.mark.parametrize("linked", [True, False])
def test_link_is_a_checkpoint_of_its_own(written: Path, monkeypatch: pytest.MonkeyPatch, linked: bool) -> None:
    if not linked:
        monkeypatch.setattr(os, "link", refuse)
    best = written.with_name("best-00000007")
    folder.link(best, written, score=0.25)
    assert ((best / folder.TENSORS).stat().st_nlink == 2) is linked
    folder.remove(written)
    assert folder.verify(best)["score"] == 0.25 and folder.read(best)["global_step"] == 7


def test_removal_begins_with_the_manifest(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(OSError, match="refused"):
        folder.remove(written)
    with pytest.raises(CorruptError):
        folder.verify(written)
    monkeypatch.undo()
    folder.remove(written)
    assert not written.exists()
    folder.remove(written)


def test_every_moment_of_a_write_leaves_the_old_or_the_new(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the process died at the n-th call that touches the disk."""
    for moment in itertools.count():
        calls = itertools.count()
        with monkeypatch.context() as patch:
            for owner, name in (
                (os, "fsync"),
                (Path, "rename"),
                (Path, "write_text"),
                (Path, "mkdir"),
                (shutil, "rmtree"),
            ):
                patch.setattr(owner, name, dying_at(moment, calls, getattr(owner, name)))
            try:
                folder.write(written.with_name("step-00000008"), {"new": True}, step=8)
            except Died:
                pass
            else:
                break
        assert folder.read(written)["global_step"] == 7
        if written.with_name("step-00000008").exists():  # renamed, and only the folder's sync was missed
            assert folder.read(written.with_name("step-00000008")) == {"new": True}
    assert moment > 8


class Died(BaseException): ...


def dying_at(moment: int, calls: itertools.count[int], real: Callable[..., object]) -> Callable[..., object]:
    def call(*args: object, **more: object) -> object:
        if next(calls) == moment:
            raise Died
        return real(*args, **more)

    return call


def refuse(*_: object, **__: object) -> None:
    raise OSError("refused")


def test_weights_alone_are_read_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weight, path = torch.arange(5.0), tmp_path / "step-00000001"
    state = {"state_dict": {"weight": weight, "tied": weight}, "optimizer_states": [{"exp_avg": torch.ones(9)}]}
    folder.write(path, state, step=1)
    taken: list[str] = []

    class Noting(folder._Tensors):
        def __missing__(self, name: str) -> torch.Tensor:
            taken.append(name)
            return super().__missing__(name)

    monkeypatch.setattr(folder, "_Tensors", Noting)
    weights = folder.read_weights(path)
    assert torch.equal(weights["weight"], weight) and weights["tied"] is weights["weight"]
    assert taken == ["state_dict/weight"]
    folder.read(path)
    assert taken[1:] == ["state_dict/weight", "optimizer_states/0/exp_avg"]


@pytest.mark.parametrize("state", [{}, {"state_dict": [1, 2]}, {"state_dict": {"weight": 3}}, {"state_dict": None}])
def test_a_checkpoint_without_weights_is_none(state: dict[str, Any], tmp_path: Path) -> None:
    folder.write(tmp_path / "step-00000001", state, step=1)
    with pytest.raises(CorruptError, match="holds no weights"):
        folder.read_weights(tmp_path / "step-00000001")
