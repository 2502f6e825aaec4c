"""What runs say before their first step that they will need, beside what they then used: memory, time, disk."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from benches.machine import ESPALIER, child, say
from benches.records import Figure, Measured, Row, Settings

ALWAYS = ("hardware=cpu", "tracking=none", "task.bootstrap=20", "callback=[checkpoint,throughput]", "data.limit=512")
CONFIGS: dict[str, tuple[str, ...]] = {
    "lstm": ("model=lstm", "adapter=full"),
    "lstm, batch 256": ("model=lstm", "adapter=full", "data.batch_size=256"),
    "lstm, 1024 wide": ("model=lstm", "adapter=full", "model.hidden=1024", "model.embedding=512", "data.limit=128"),
    "lstm, sgd": ("model=lstm", "adapter=full", "optimizer=sgd"),
    "mlp": ("data=mnist", "model=mlp", "adapter=full"),
    "mlp, 2 x 4096": ("data=mnist", "model=mlp", "adapter=full", "model.hidden=[4096,4096]"),
    "mlp, batch 512": ("data=mnist", "model=mlp", "adapter=full", "data.batch_size=512", "model.hidden=[2048]"),
    "minilm, probe": ("adapter=probe",),
    "minilm, lora": ("adapter=lora",),
    "minilm, lora, batch 8": ("adapter=lora", "data.batch_size=8", "data.limit=128"),
    "minilm, lora, batch 128": ("adapter=lora", "data.batch_size=128"),
    "minilm, lora, recomputed": ("adapter=lora", "hardware.gradient_checkpointing=true", "data.limit=256"),
    "minilm, lora, sst2": ("data=sst2", "adapter=lora", "data.limit=256"),
    "minilm, full": ("adapter=full", "data.limit=256"),
    "minilm, full, accumulated": ("adapter=full", "trainer.accumulate_grad_batches=4", "data.limit=256"),
}
# The estimate's two constants were chosen on those above; these nobody looked at while they were.
HELD_OUT: dict[str, tuple[str, ...]] = {
    "cnn": ("data=mnist", "model=cnn", "adapter=full"),
    "bag": ("model=bag", "adapter=full"),
    "minilm, top 2 layers": ("adapter=layers", "data.limit=256"),
    "minilm, dora, all layers": ("adapter=dora", "adapter.target=all_linear", "data.limit=256"),
    "minilm, prefix, batch 64": ("adapter=prefix", "data.batch_size=64", "data.limit=256"),
    "lstm, adafactor, 768 wide": ("model=lstm", "adapter=full", "optimizer=adafactor", "model.hidden=768"),
}


def estimate(settings: Settings) -> Measured:
    """One epoch of each; memory must be within 15% of the peak that was measured."""
    memory, seconds, disk, probes = [], [], [], []
    with tempfile.TemporaryDirectory(prefix="espalier-bench-") as folder:
        for name, words in list({**CONFIGS, **HELD_OUT}.items())[: 2 if settings.quick else None]:
            said, used = _run(Path(folder), words)
            memory.append(100 * (said["memory_bytes"] / used["memory"] - 1))
            seconds.append(said["seconds"] / used["seconds"])
            disk.append(said["disk_bytes"] / used["disk"])
            probes.append(said["probe_seconds"] / used["step"])
            said_used = [
                ("memory", said["memory_bytes"] / 1e6, used["memory"] / 1e6, "MB"),
                ("time", said["seconds"], used["seconds"], "s"),
                ("disk", said["disk_bytes"] / 1e6, used["disk"] / 1e6, "MB"),
            ]
            shown = "   ".join(f"{what} {a:6.0f}, was {b:6.0f} {unit}" for what, a, b, unit in said_used)
            say(f"{name:26} {shown}   memory {memory[-1]:+5.1f}%   probe {probes[-1]:4.1f} steps")
    figures = (
        Figure("off in memory", "%", tuple(map(abs, memory[: len(CONFIGS)]))),
        *[Figure("of configs held out", "%", tuple(map(abs, memory[len(CONFIGS) :])))] * (not settings.quick),
        Figure("time said / taken", "", tuple(seconds)),
        Figure("disk said / taken", "", tuple(disk)),
        Figure("probe", "steps", tuple(probes)),
    )
    within = all(abs(off) <= 15 for off in memory)
    count = len(CONFIGS) + len(HELD_OUT)
    return Measured(figures, {}, f"memory within 15% of the measured peak for each of {count} experiments", within)


def _run(folder: Path, words: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, float]]:
    given = dict(word.split("=", 1) for word in (*ALWAYS, "trainer.max_epochs=1", *words))
    child(
        [ESPALIER, "train", *(f"{key}={value}" for key, value in given.items()), "name=estimated"],
        cwd=folder,
        env={"OMP_NUM_THREADS": "1"},
    )
    (directory,) = (folder / "outputs" / "estimated").iterdir()
    outcome = json.loads((directory / "outcome.json").read_text())
    files = [file.stat() for file in directory.rglob("*") if file.is_file()]
    written = sum({file.st_ino: file.st_size for file in files}.values())  # the best checkpoint may be a second name
    cost, said = outcome["cost"], outcome["summary"]["estimate"]
    used = {
        "memory": cost["peak_memory_bytes"],
        "seconds": cost["wall_seconds"],
        "disk": written,
        "step": cost["train_seconds"] / outcome["steps"],
    }
    shutil.rmtree(directory)
    return said, used


SOURCES = (
    "src/espalier/run/estimate.py", "src/espalier/run/probe.py", "src/espalier/run/footprint.py",
    "src/espalier/callback/throughput.py", "scripts/benches/estimate.py",
)  # fmt: skip
ROWS = (Row("estimate", "estimate", "What a run says it will need, and what it used", SOURCES, estimate),)
