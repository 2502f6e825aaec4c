"""Milliseconds of a step with default features, beside lean Lightning and a plain loop: MNIST, 784-128-10."""

from __future__ import annotations

import sys

from benches.machine import ROOT, child, data_root, say
from benches.records import Figure, Measured, Row, Settings
from benches.training import last_json, train

PLAIN = ROOT / "scripts" / "benches" / "plain"
LEAN, LOOP = "lean Lightning", "plain torch loop"


def overhead(settings: Settings) -> Measured:
    epochs, rounds = (1, 1) if settings.quick else (4, 7)
    timed: dict[str, list[float]] = {"ours": [], LEAN: [], LOOP: []}
    for number in range(rounds):
        run = train(["experiment=mnist_mlp", "hardware=cpu", f"seed={number}", f"trainer.max_epochs={epochs}"])
        timed["ours"].append(1000 * run.cost("train_seconds") / run.outcome["steps"])
        for name, program in ((LEAN, "mnist_lightning.py"), (LOOP, "mnist_loop.py")):
            words = [str(PLAIN / program), str(data_root() / "mnist"), "--seed", str(number), "--epochs", str(epochs)]
            timed[name].append(float(last_json(child([sys.executable, *words]).stdout)["ms_per_step"]))
        say(
            f"round {number + 1} of {rounds}: "
            + ", ".join(f"{name} {times[-1]:.3f} ms" for name, times in timed.items())
        )
    ours, lean, loop = (Figure("", "ms a step", tuple(times)) for times in timed.values())
    # The two of a round stand side by side in time: their difference is free of the machine's drift between rounds.
    more = Figure(
        "more than lean Lightning, round by round", "ms", tuple(a - b for a, b in zip(*pair(timed), strict=True))
    )
    return Measured((ours, more), {LEAN: (lean,), LOOP: (loop,)}, "≤ lean Lightning + 0.2 ms", more.value <= 0.2)


def pair(timed: dict[str, list[float]]) -> tuple[list[float], list[float]]:
    return timed["ours"], timed[LEAN]


SOURCES = (
    "src/espalier/**/*.py", "conf/**/*.yaml",
    "scripts/benches/overhead.py", "scripts/benches/training.py", "scripts/benches/plain/mnist_*.py",
)  # fmt: skip
ROWS = (Row("overhead", "overhead", "An optimizer step, default features on (MNIST, 784-128-10)", SOURCES, overhead),)
