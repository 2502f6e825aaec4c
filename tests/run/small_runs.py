"""Runs of seconds, trained in this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from espalier.config.check import check
from espalier.config.compose import compose
from espalier.config.saved import read, write
from espalier.core.rundir import create
from espalier.run.fit import run
from espalier.run.stop import Stop

SMALL = (
    "hardware=cpu", "tracking=none", "data.batch_size=16", "trainer.max_epochs=2", "task.bootstrap=50",
    "callback=[checkpoint]", "optimizer.lr=0.01",
)  # fmt: skip
IMAGES = (
    "task=gan", "model=gan", "data=mnist", "adapter=full", "model.noise=4", "model.channels=[8,4]",
    "task.projections=8", "data.limit=48", "hardware=cpu", "tracking=none", "data.batch_size=16",
    "trainer.max_epochs=1", "trainer.gradient_clip_val=null", "callback=[checkpoint]", "optimizer.lr=0.05",
)  # fmt: skip
"""Of a generator of images, in place of ``SMALL``."""
WORDS = ("model=lstm", "adapter=full", "model.embedding=8", "model.hidden=8")


def trained(folder: Path, *words: str, small: Sequence[str] = SMALL) -> Path:
    """The directory of a finished run."""
    experiment = compose([*small, *words])
    check(experiment)
    directory = create(folder / "outputs", "small")
    write(experiment, directory)
    with Stop(directory) as stop:
        outcome = run(read(directory), directory, stop, resume=False)
    assert (outcome.status, outcome.error) == ("done", "")
    return directory


def write_films(path: Path, rows: int, *, start: int = 0, label: bool = True) -> Path:
    """A csv of good and bad films, with a genre; some texts are longer."""
    lines = [
        f"{i},{('a dull and endless film', 'a warm and funny film')[i % 2]}{' indeed' * (i % 7)},"
        f"{('drama', 'comedy', 'horror')[i % 3]}" + (f",{('bad', 'good')[i % 2]}" if label else "")
        for i in range(start, start + rows)
    ]
    path.write_text("\n".join(["id,review,genre" + ",verdict" * label, *lines]) + "\n")
    return path


def films(path: Path) -> list[str]:
    """Words that read them."""
    return ["data=csv", f"data.path={path}", "data.columns.text=review", "data.columns.label=verdict"]
