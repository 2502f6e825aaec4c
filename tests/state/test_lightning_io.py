from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.disk import full_disk
from espalier.core.errors import CorruptError
from espalier.state import folder
from espalier.state.lightning_io import FolderCheckpointIO
from state.harness import Loader, Net, fit, trainer_in


class Evaluated(Net):
    def test_step(self, batch: torch.Tensor, batch_idx: int) -> None:
        self.log("test_score", self.net(batch).sum())

    def test_dataloader(self) -> torch.utils.data.DataLoader:
        return torch.utils.data.DataLoader(torch.eye(3))


def test_weights_come_back_for_a_test(tmp_path: Path) -> None:
    trained = fit(tmp_path / "run")
    trained.save_checkpoint(tmp_path / "saved")
    lines = (tmp_path / "run" / "metrics.jsonl").read_text()
    fresh = Evaluated()
    trainer_in(tmp_path / "run").test(fresh, ckpt_path=tmp_path / "saved", verbose=False)
    want = trained.lightning_module.state_dict()
    assert all(torch.equal(value, want[name]) for name, value in fresh.state_dict().items())
    assert (tmp_path / "run" / "metrics.jsonl").read_text().startswith(lines), "a test cuts nothing off"


def test_a_damaged_one_is_not_loaded(tmp_path: Path) -> None:
    trainer = fit(tmp_path / "run")
    trainer.save_checkpoint(tmp_path / "saved")
    content = bytearray((tmp_path / "saved" / folder.TENSORS).read_bytes())
    content[-3] ^= 16
    (tmp_path / "saved" / folder.TENSORS).write_bytes(content)
    with pytest.raises(CorruptError, match=folder.TENSORS):
        trainer_in(tmp_path / "run").fit(Net(), Loader(5), ckpt_path=tmp_path / "saved")


def test_removal(tmp_path: Path) -> None:
    FolderCheckpointIO().save_checkpoint({"global_step": 3}, tmp_path / "saved")
    assert folder.verify(tmp_path / "saved")["step"] == 3
    FolderCheckpointIO().remove_checkpoint(tmp_path / "saved")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_saved_is_told_once_and_tried_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    writer = FolderCheckpointIO()
    for step in (1, 2):
        with full_disk(0):
            writer.save_checkpoint({"global_step": step}, tmp_path / "saved")
        assert writer.trouble == "File too large"
    writer.save_checkpoint({"global_step": 3}, tmp_path / "saved")
    assert writer.trouble == "" and folder.verify(tmp_path / "saved")["step"] == 3
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("step 1 is not saved: File too large") and second.startswith("step 3 is saved")


def test_a_checkpoint_waits_for_what_it_speaks_of(tmp_path: Path) -> None:
    def refuse() -> None:
        raise OSError(28, "No space left on device")

    writer = FolderCheckpointIO(refuse)
    writer.save_checkpoint({"global_step": 1}, tmp_path / "saved")
    assert writer.trouble == "No space left on device" and list(tmp_path.iterdir()) == []
