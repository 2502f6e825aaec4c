"""Adapters, each with a rate of its own: tuned on few sentences, then trained on all, by sweeps that can be resumed."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benches.machine import ESPALIER, ROOT, child, data_root, say
from benches.records import Figure, Measured, Row, Settings
from espalier.core.record import TrialRecord, read_record, trial_directory

COMMON = ("data=sst2", "model=minilm", "hardware=cpu", "tracking=none", "callback=[checkpoint,throughput]")
TUNED, STEP, MOST = 4, 3.0, 8  # rates at first, each so many times the one before; and at most
# Adapter -> the words that choose it, and the lowest of its first rates.
ADAPTERS: Mapping[str, tuple[tuple[str, ...], float]] = {
    "full": (("adapter=full",), 3e-5),
    "probe": (("adapter=probe",), 1e-3),
    "bitfit": (("adapter=bitfit",), 1e-3),
    "lora": (("adapter=lora",), 3e-4),
    "dora": (("adapter=dora",), 3e-4),
    "ia3": (("adapter=ia3",), 3e-3),
    "layers": (("adapter=layers",), 1e-4),
    "rslora": (("adapter=rslora",), 3e-4),
    "adalora": (("adapter=adalora",), 3e-4),
    "prompt": (("adapter=prompt",), 3e-3),
    "p_tuning": (("adapter=p_tuning",), 3e-4),
    "prefix": (("adapter=prefix",), 3e-3),
    "bottleneck": (("adapter=bottleneck",), 3e-4),
    "bottleneck_parallel": (
        (
            "adapter=bottleneck", "adapter.form=parallel", "adapter.target=mlp_outputs", "adapter.scale=4",
            "adapter.norms=false",
        ),
        3e-4,
    ),
    "side": (("adapter=side",), 3e-4),
}  # fmt: skip
REPEATED, AGAINST = ("full", "probe", "bitfit", "lora", "dora", "ia3"), "lora"  # those with three seeds
T_95 = 4.303  # of Student's distribution with 2 degrees of freedom: a mean of three differences


@dataclass(frozen=True)
class Sizes:
    """How much of everything: for the measurement, or to try it out."""

    adapters: tuple[str, ...]
    tuning: tuple[str, ...]
    training: tuple[str, ...]
    seeds: tuple[int, ...]
    most: int


WHOLE = Sizes(tuple(ADAPTERS), ("data.limit=1000", "trainer.max_epochs=1"), ("trainer.max_epochs=3",), (0, 1, 2), MOST)
QUICK = Sizes(
    ("probe", "lora", "bottleneck_parallel"), ("data.limit=64", "trainer.max_epochs=1"),
    ("data.limit=96", "trainer.max_epochs=1"),
    (0, 1, 2), TUNED,
)  # fmt: skip


def adapters(settings: Settings) -> Measured:
    """Each adapter's rate by validation, then its accuracy on test; differences from LoRA, seed by seed."""
    sizes = QUICK if settings.quick else WHOLE
    kind = "quick" if settings.quick else "whole"
    folder = ROOT / "outputs" / "bench_adapters" / f"{kind}-{ROW.digest()[:12]}"
    trained: dict[str, list[TrialRecord]] = {}
    beside: dict[str, tuple[Figure, ...]] = {}
    tuned = []
    for name in sizes.adapters:
        rate, inside = tune(name, sizes, folder)
        tuned.append(inside)
        seeds = sizes.seeds if name in REPEATED else sizes.seeds[:1]
        sweep = swept(
            [*_words(name, rate), f"seed={','.join(map(str, seeds))}", *sizes.training], folder / name / "all"
        )
        trained[name] = sorted(read_record(sweep), key=lambda row: row.seed)
        title = f"{name}, rate {rate:g}" if inside else f"{name}, rate {rate:g} (no better one was looked for)"
        beside[title] = figures_of(trained[name], sweep)
        say(f"{title}: {', '.join(map(str, beside[title]))}")
    others = [name for name in sizes.adapters if name in REPEATED and name != AGAINST]
    ours = tuple(difference(name, _accuracies(trained[name]), _accuracies(trained[AGAINST])) for name in others)
    complete = all(row.state == "done" for rows in trained.values() for row in rows)
    claim = "says which differences remain when each rate is tuned (arXiv:2602.04998)"
    return Measured(ours, beside, claim, complete and all(tuned))


def tune(name: str, sizes: Sizes, folder: Path) -> tuple[float, bool]:
    """The rate that is best on validation, and whether worse ones were tried on both sides of it."""
    found: dict[float, float] = {}
    wanted = [ADAPTERS[name][1] * STEP**i for i in range(TUNED)]
    while wanted:
        rates = ",".join(f"{rate:.3g}" for rate in wanted)
        place = folder / name / f"rates-{len(found)}"
        sweep = swept([*_words(name, rates), *sizes.tuning, "sweep.test=false"], place)
        # A sweep of one rate has none that differs.
        found |= {float(row.point.get("optimizer.lr", wanted[0])): _validated(row) for row in read_record(sweep)}
        wanted = further(found, sizes.most)
    best = max(found, key=lambda rate: found[rate])
    return best, min(found) < best < max(found)


def further(found: Mapping[float, float], most: int) -> list[float]:
    """The rate to try next: beyond the best one where that is the lowest or the highest; none where enough were."""
    best = max(found, key=lambda rate: found[rate])
    if len(found) >= most or min(found) < best < max(found):
        return []
    return [best * STEP if best == max(found) else best / STEP]


def difference(name: str, theirs: Sequence[float], base: Sequence[float]) -> Figure:
    """Points above LoRA, seed by seed; it remains where 0 is outside of the mean's 95% interval."""
    points = tuple(a - b for a, b in zip(theirs, base, strict=True))
    half = T_95 * statistics.stdev(points) / len(points) ** 0.5
    said = "remains" if abs(statistics.mean(points)) > half else "may be chance"
    return Figure(f"{name} − {AGAINST} ({said})", "points", points, "mean")


def figures_of(rows: Sequence[TrialRecord], sweep: Path) -> tuple[Figure, ...]:
    """Accuracy on test, what learns, seconds of training, memory, and the bytes of a checkpoint."""
    costs = [row.cost or {} for row in rows]
    kept = [_bytes(trial_directory(sweep, row.trial) / "checkpoints") / 1e6 for row in rows]
    return (
        Figure("accuracy", "%", tuple(_accuracies(rows)), "mean"),
        Figure("trained", "parameters", (costs[0]["trained_parameters"],)),
        Figure("", "s of training", tuple(cost["train_seconds"] for cost in costs)),
        Figure("memory", "MB", tuple(cost["peak_memory_bytes"] / 2**20 for cost in costs)),
        Figure("checkpoint", "MB", tuple(kept[:1])),
    )


def swept(words: Sequence[str], output: Path) -> Path:
    """A sweep's directory, when it has come to its end: begun, or gone on with where it was cut off."""
    env = {"ESPALIER_DATA": str(data_root())}
    begun = next(output.glob("*/sweep-*"), None)
    if begun is None:
        child([ESPALIER, "train", "-m", *words, f"output={output}"], env=env)
        return next(output.glob("*/sweep-*"))
    child([ESPALIER, "sweep", "resume", str(begun)], env=env)
    return begun


def _words(name: str, rate: object) -> list[str]:
    # One trial at a time: seconds and memory are its own.
    return [*COMMON, *ADAPTERS[name][0], f"optimizer.lr={rate}", "launcher.trials=1"]


def _validated(row: TrialRecord) -> float:
    return row.values[0] if row.state == "done" else float("-inf")


def _accuracies(rows: Sequence[TrialRecord]) -> list[float]:
    return [100 * (row.metrics or {}).get("test/accuracy", float("nan")) for row in rows]


def _bytes(checkpoints: Path) -> int:
    (best,) = checkpoints.glob("best-*")
    return sum(file.stat().st_size for file in best.rglob("*") if file.is_file())


ROW = Row(
    "adapters",
    "adapters_sst2",
    "SST-2 sentences, MiniLM, 15 adapters, each with its own rate; six of them with 3 seeds",
    ("src/espalier/adapter/**/*.py", "conf/adapter/*.yaml", "scripts/benches/adapters.py"),
    adapters,
)
ROWS = (ROW,)
