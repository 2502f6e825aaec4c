"""Ranks that were started together learn of the run directory that the first of them chose: a small file beside it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from espalier.core.errors import Fault, UserError
from espalier.core.files import write_atomic
from espalier.core.world import World

_OLD = 600.0  # seconds: what lay there so long before this process began is of a launch that ended badly
_LOOK = 0.05


def announce(output: Path, world: World, directory: Path, what: str) -> None:
    """Say which directory it is and what to do with it, to all ranks that share ``output``."""
    write_atomic(_file(output, world), f"{what} {directory}")


def learn(output: Path, world: World, seconds: float = 120.0) -> tuple[Path, str]:
    """Wait for the first rank's word: a directory, and what to do with it.

    Raises:
        UserError: it did not come.
    """
    file, began = _file(output, world), time.time()
    while time.time() < began + seconds:
        try:
            if file.stat().st_mtime > began - _OLD:
                what, _, directory = file.read_text().partition(" ")
                return Path(directory), what
        except FileNotFoundError:
            pass
        time.sleep(_LOOK)
    truth = f"rank 0 named no run directory there within {seconds:.0f} s, rank {world.rank} looked."
    raise UserError(Fault(f"output={output}", truth, "Name a folder that all machines share:  output=/SHARED/outputs"))


def close(output: Path, world: World) -> None:
    """All have come, or none will."""
    _file(output, world).unlink(missing_ok=True)


def _file(output: Path, world: World) -> Path:
    # torchrun's own name for a launch may be the same in the next one; on one machine its process tells them apart.
    agent = f"-{os.getppid()}" if world.by == "torchrun" and world.nodes == 1 else ""
    return output.resolve() / f".rendezvous-{world.key}{agent}"
