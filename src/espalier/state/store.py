"""``Store``: the checkpoints of a run. Which are kept, which is the newest that is whole, which is the best."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from espalier.core.errors import CorruptError
from espalier.state import folder

_KEEP = 2


@dataclass(frozen=True)
class Saved:
    """A checkpoint that verified: its folder, its optimizer step, and the score that made it the best, if it did."""

    path: Path
    step: int
    score: float | None = None


class Store:
    """``step-00000123/`` folders, the last two of them, and one ``best-00000123/``.

    One process writes; any may read. Every change leaves a state from which ``newest`` reads, whenever it is cut off.
    What cannot be deleted now (a disk that went read-only) is by the next change.

    Args:
        root: the folder, ``DIR/checkpoints``; made by the first write.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._whole: set[Path] = set()  # what this process wrote or verified: checked once

    def path_of(self, step: int) -> Path:
        """Where the checkpoint of an optimizer step stands."""
        return self.root / f"step-{step:08d}"

    def newest(self) -> Saved | None:
        """The newest checkpoint that verifies; None for an empty store. Warns when it steps back over a broken one.

        Raises:
            CorruptError: there are checkpoints, and none verifies.
            UserError: it is of a later format.
        """
        saved, broken = self._newest("step", "best")
        if saved is None and broken:
            raise CorruptError(f"no checkpoint in {self.root} is whole: {'; '.join(broken)}")
        if saved and broken:
            warnings.warn(f"{'; '.join(broken)}: going back to {saved.path.name}", stacklevel=2)
        return saved

    def best(self) -> Saved | None:
        """The best one; None where none is marked, or, with a warning, where it does not verify.

        Raises:
            UserError: it is of a later format.
        """
        saved, broken = self._newest("best")
        if broken:
            instead = f"taking {saved.path.name}" if saved else "there is no best one to take"
            warnings.warn(f"{'; '.join(broken)}: {instead}", stacklevel=2)
        return saved

    def mark_best(self, step: int, score: float) -> Saved:
        """Make the checkpoint of ``step`` the best; the one before goes.

        Raises:
            CorruptError: that checkpoint isn't whole.
            OSError: the disk is full or read-only; the one before stays the best.
        """
        best = self.root / f"best-{step:08d}"
        folder.link(best, self.path_of(step), score=score)
        for other in self._folders("best"):
            if other != best:
                _remove(other)
        return Saved(best, step, score)

    def mend_best(self, step: int, score: float) -> None:
        """Make up for a ``mark_best`` that a kill or a full disk prevented.

        Raises:
            OSError: it still is.
        """
        if self._is_whole(self.path_of(step)) and not self._is_whole(self.root / f"best-{step:08d}"):
            self.mark_best(step, score)

    def tidy(self, step: int) -> None:
        """After a write of ``step``: keep it and the newest whole one before it.

        Whatever is later belongs to a past that the run has gone back behind; leftovers of killed writes go too.
        """
        self._whole.add(self.path_of(step))
        kept = 0
        for path in self._folders("step"):
            if _step_of(path) <= step and kept < _KEEP and self._is_whole(path):
                kept += 1
            else:
                _remove(path)
                self._whole.discard(path)
        self.clear()

    def clear(self) -> None:
        """Delete leftovers of killed writes, which may be large."""
        for leftover in self.root.glob(".*.tmp"):
            shutil.rmtree(leftover, ignore_errors=True)

    def _newest(self, *kinds: str) -> tuple[Saved | None, list[str]]:
        """Of these kinds, with what is wrong with the newer ones."""
        broken: list[str] = []
        for path in self._folders(*kinds):
            try:
                manifest = _verified(path)
            except CorruptError as error:
                broken.append(str(error))
                continue
            self._whole.add(path)
            return Saved(path, manifest["step"], manifest.get("score")), broken
        return None, broken

    def _folders(self, *kinds: str) -> Iterator[Path]:
        """Newest first, of one step in the order of the kinds; whole or not."""
        found = [path for kind in kinds for path in self.root.glob(f"{kind}-*") if path.name[5:].isdigit()]
        return iter(sorted(found, key=_step_of, reverse=True))

    def _is_whole(self, path: Path) -> bool:
        if path not in self._whole:
            try:
                _verified(path)
            except CorruptError:
                return False
            self._whole.add(path)
        return True


def _verified(path: Path) -> folder.Manifest:
    """The manifest of a whole checkpoint that stands where it was put: under the number of its step."""
    manifest = folder.verify(path)
    if manifest["step"] != _step_of(path):
        raise CorruptError(f"{path} holds the checkpoint of step {manifest['step']}")
    return manifest


def _remove(path: Path) -> None:
    with suppress(OSError):
        folder.remove(path)


def _step_of(path: Path) -> int:
    return int(path.name[5:])
