"""Lightning's way to our checkpoints: ``Trainer(plugins=[FolderCheckpointIO()])``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lightning_fabric.plugins import CheckpointIO

from espalier.state import folder


class FolderCheckpointIO(CheckpointIO):
    """``trainer.save_checkpoint(path)``, ``fit(ckpt_path=path)``, ``test(ckpt_path=path)``; the path is a folder's.

    A checkpoint that cannot be written does not end the run: it is told once, and the next one is tried as if nothing
    had been. Lightning asks the first rank alone to write, so no rank waits for one that failed.

    Args:
        before: what must be on the disk before a checkpoint may say so; raises OSError where it cannot be.

    Attributes:
        trouble: why the last checkpoint was not saved; ``""`` where it was.
    """

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self._before = before
        self.trouble = ""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, *_: Any, **__: Any) -> None:
        """Write a folder; see ``folder.write``."""
        step = checkpoint["global_step"]
        try:
            self._before()
            folder.write(Path(path), checkpoint, step=step)
        except OSError as error:
            self.leave_out(step, error.strerror or str(error))
            return
        if self.trouble:
            print(f"step {step:,} is saved: checkpoints are written again", file=sys.stderr, flush=True)
        self.trouble = ""

    def leave_out(self, step: int, why: str) -> None:
        """Take up, and say once, that a step is not saved."""
        if not self.trouble:
            said = f"step {step:,} is not saved: {why}. The run goes on, and the last checkpoint before it stays"
            print(said, file=sys.stderr, flush=True)
        self.trouble = why

    def load_checkpoint(self, path: Any, *_: Any, **__: Any) -> dict[str, Any]:
        """Verify and read a folder, on the CPU; see ``folder.read``. There is never any code in it."""
        return folder.read(Path(path))

    def remove_checkpoint(self, path: Any) -> None:
        """Delete a folder, manifest first."""
        folder.remove(Path(path))
