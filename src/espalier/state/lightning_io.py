"""Lightning's way to our checkpoints: ``Trainer(plugins=[FolderCheckpointIO()])``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning_fabric.plugins import CheckpointIO

from espalier.state import folder


class FolderCheckpointIO(CheckpointIO):
    """``trainer.save_checkpoint(path)``, ``fit(ckpt_path=path)``, ``test(ckpt_path=path)``; the path is a folder's."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, *_: Any, **__: Any) -> None:
        """Write a folder; see ``folder.write``."""
        folder.write(Path(path), checkpoint, step=checkpoint["global_step"])

    def load_checkpoint(self, path: Any, *_: Any, **__: Any) -> dict[str, Any]:
        """Verify and read a folder, on the CPU; see ``folder.read``. There is never any code in it."""
        return folder.read(Path(path))

    def remove_checkpoint(self, path: Any) -> None:
        """Delete a folder, manifest first."""
        folder.remove(Path(path))
