"""A GAN, and the classifier that judges what it makes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benches.machine import ESPALIER, child, data_root, say
from benches.records import Figure, Measured, Settings

CLASSES, SECONDS, SHARE = 10, 720, 0.1


def mnist_gan(settings: Settings) -> Measured:
    """Judged by ``experiment=mnist_cnn``, on the test rows; beside it the generator before it has learned anything."""
    quick = ["data.limit=512", "trainer.max_epochs=1"] if settings.quick else []
    with tempfile.TemporaryDirectory(prefix="espalier-bench-") as place:
        judge, _, _ = _trained(place, ["experiment=mnist_cnn", *(quick or ["trainer.max_epochs=3"])])
        words = ["experiment=mnist_gan", f"task.judge={judge}"]
        # A step so small that no weight changes.
        _, untrained, _ = _trained(place, [*words, *quick, "optimizer.lr=1e-30", "trainer.max_steps=1"])
        say(f"untrained: Fréchet distance {untrained['test/frechet']:.1f}")
        _, ours, seconds = _trained(place, [*words, *quick])
    say(f"Fréchet distance {ours['test/frechet']:.2f}, {ours['test/classes']:.0f} digits, {seconds:.0f} s in all")
    holds = (
        ours["test/classes"] == CLASSES
        and ours["test/frechet"] <= SHARE * untrained["test/frechet"]
        and seconds <= SECONDS
    )
    claim = f"all {CLASSES} digits among 1,000 samples, 1/10 of the distance at most, ≤ {SECONDS // 60} min"
    figures = (*_figures(ours), Figure("", "s in all", (seconds,)))
    return Measured(figures, {"untrained": _figures(untrained)}, claim, holds)


def _figures(metrics: dict[str, float]) -> tuple[Figure, ...]:
    return (
        Figure("Fréchet distance", "", (metrics["test/frechet"],)),
        Figure("", "digits", (metrics["test/classes"],)),
        Figure("entropy of digits", "", (metrics["test/class_entropy"],)),
    )


def _trained(place: str, words: Sequence[str]) -> tuple[Path, dict[str, float], float]:
    """The run directory, its metrics, and the seconds it took in all."""
    before = set(Path(place).glob("*/*/outcome.json"))
    command = [ESPALIER, "train", *words, "hardware=cpu", f"output={place}"]
    done = child(command, env={"ESPALIER_DATA": str(data_root())})
    new = set(Path(place).glob("*/*/outcome.json")) - before
    (file,) = (file for file in new if not file.parent.is_symlink())
    outcome: dict[str, Any] = json.loads(file.read_text())
    return file.parent, outcome["metrics"], done.seconds
