"""Adapters, each with a rate of its own: tuned on few sentences, then trained on all, by sweeps that can be resumed."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from benches.machine import ESPALIER, ROOT, child, data_root, say
from benches.records import Figure, Measured, Row, Settings, figures
from espalier.core.record import TrialRecord, read_record, trial_directory

BENCH = "adapters"
TITLE = "Adapters on SST-2 sentences, MiniLM, three epochs, each at a learning rate of its own"
NOTE = (
    "Rates are tuned on 1,000 sentences by validation, until worse ones are known on both sides, and lowered where all"
    " sentences reach less on validation than these. Published differences between adapters often vanish so"
    " (arXiv:2602.04998): here one remains where its 95% interval over seeds leaves out 0. An adapter without a line"
    " was not measured yet."
)
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
T_95 = {3: 4.303}  # of Student's distribution, by the number of differences whose mean it is


@dataclass(frozen=True)
class Sizes:
    """How much of everything: for the measurement, or to try it out."""

    tuning: tuple[str, ...]
    training: tuple[str, ...]
    seeds: tuple[int, ...]
    most: int


WHOLE = Sizes(("data.limit=1000", "trainer.max_epochs=3"), ("trainer.max_epochs=3",), (0, 1, 2), MOST)
QUICK = Sizes(("data.limit=64", "trainer.max_epochs=1"), ("data.limit=96", "trainer.max_epochs=1"), (0, 1, 2), TUNED)


def adapter(name: str, settings: Settings) -> Measured:
    """Its rate by validation, then its accuracy on test and what that takes."""
    sizes = QUICK if settings.quick else WHOLE
    kind = "quick" if settings.quick else "whole"
    folder = ROOT / "outputs" / "bench_adapters" / f"{kind}-{name}-{_row(name).digest()[:12]}"
    rates = tune(name, sizes, folder)
    best = max(rates, key=lambda rate: rates[rate])
    inside = min(rates) < best < max(rates)
    say(f"{name}: " + ", ".join(f"{rate:g} {100 * value:.1f} %" for rate, value in sorted(rates.items())))
    rate, sweeps = train(name, best, rates[best], sizes, folder)
    rows = [row for sweep in sweeps for row in read_record(sweep)]
    done = all(row.state == "done" for row in rows)
    claim = "its rate has worse ones on both sides"
    return Measured((Figure("rate", "", (rate,)), *figures_of(rows, sweeps[0])), {}, claim, done and inside)


def tune(name: str, sizes: Sizes, folder: Path) -> dict[float, float]:
    """Rate -> accuracy on validation, of few sentences."""
    found: dict[float, float] = {}
    wanted = [ADAPTERS[name][1] * STEP**i for i in range(TUNED)]
    while wanted:
        rates = ",".join(f"{rate:.3g}" for rate in wanted)
        sweep = swept([*_words(name, rates), *sizes.tuning, "sweep.test=false"], folder / f"rates-{len(found)}")
        # A sweep of one rate has none that differs.
        found |= {float(row.point.get("optimizer.lr", rates)): _validated(row) for row in read_record(sweep)}
        wanted = further(found, sizes.most)
    return found


def further(found: Mapping[float, float], most: int) -> list[float]:
    """The rate to try next: beyond the best one where that is the lowest or the highest; none where enough were."""
    best = max(found, key=lambda rate: found[rate])
    if len(found) >= most or min(found) < best < max(found):
        return []
    return [best * STEP if best == max(found) else best / STEP]


def train(name: str, rate: float, reached: float, sizes: Sizes, folder: Path) -> tuple[float, list[Path]]:
    """All sentences at a rate, or at the first lower one by which they do no worse on validation than few did.

    Returns:
        The rate; and the sweeps of its seeds, in their order.
    """
    seed, *others = sizes.seeds if name in REPEATED else sizes.seeds[:1]
    while True:
        words, place = [*_words(name, f"{rate:.3g}"), *sizes.training], folder / f"all-{rate:.3g}"
        sweeps = [swept([*words, f"seed={seed}"], place / "first")]
        (row,) = read_record(sweeps[0])
        if _validated(row) >= reached:
            break
        say(f"{name}: {rate:g} is too high for all sentences, {100 * _validated(row):.1f} %")
        rate /= STEP
    if others:
        sweeps.append(swept([*words, f"seed={','.join(map(str, others))}"], place / "others"))
    return rate, sweeps


def table(records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A line for each adapter that was measured, and how far it is from LoRA; no line where none was.

    Where not all were measured on the same processor, whose seconds they are.
    """
    rows = {name: list(figures(records[key]["ours"])) for name in ADAPTERS if (key := key_of(name)) in records}
    if not rows:
        return []
    columns = [", ".join(filter(None, (one.name, one.unit))) for one in next(iter(rows.values()))]
    base = _accuracy(rows[AGAINST]) if AGAINST in rows else None
    on = {name: str(records[key_of(name)]["machine"]["processor"]) for name in rows}
    several = len(set(on.values())) > 1
    head = ["adapter", *columns, f"accuracy − {AGAINST}'s", *["processor"] * several]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name, row in rows.items():
        cells = [str(replace(one, name="", unit="")) for one in row]
        told = difference(_accuracy(row), base) if base and name != AGAINST else "–"
        lines.append(f"| {' | '.join([name, *cells, told, *[on[name]] * several])} |")
    return lines


def difference(theirs: Sequence[float], base: Sequence[float]) -> str:
    """Points above LoRA, seed by seed; it remains where 0 is outside of the mean's 95% interval."""
    points = tuple(a - b for a, b in zip(theirs, base, strict=False))
    if len(points) not in T_95:
        return f"{points[0]:+.1f} (one seed)"
    half = T_95[len(points)] * statistics.stdev(points) / len(points) ** 0.5
    mean = statistics.mean(points)
    return f"{mean:+.1f} ± {half:.1f}, {'remains' if abs(mean) > half else 'may be chance'}"


def figures_of(rows: Sequence[TrialRecord], first: Path) -> tuple[Figure, ...]:
    """Accuracy on test, what learns, seconds of training, memory, and the bytes of a checkpoint.

    Args:
        rows: of all seeds.
        first: the sweep of the first.
    """
    costs = [row.cost or {} for row in rows]
    kept = _bytes(trial_directory(first, rows[0].trial) / "checkpoints") / 1e6
    accuracies = [100 * (row.metrics or {}).get("test/accuracy", float("nan")) for row in rows]
    return (
        Figure("accuracy", "%", tuple(accuracies), "mean"),
        Figure("trained", "parameters", (costs[0]["trained_parameters"],)),
        Figure("", "s of training", tuple(cost["train_seconds"] for cost in costs)),
        Figure("memory", "MB", tuple(cost["peak_memory_bytes"] / 2**20 for cost in costs)),
        Figure("checkpoint", "MB", (kept,)),
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


def key_of(name: str) -> str:
    """Of an adapter's record."""
    return f"adapter_{name}"


def _words(name: str, rate: str) -> list[str]:
    # One trial at a time: seconds and memory are its own.
    return [*COMMON, *ADAPTERS[name][0], f"optimizer.lr={rate}", "launcher.trials=1"]


def _validated(row: TrialRecord) -> float:
    return row.values[0] if row.state == "done" else float("-inf")


def _accuracy(row: Sequence[Figure]) -> tuple[float, ...]:
    return next(one.samples for one in row if one.name == "accuracy")


def _bytes(checkpoints: Path) -> int:
    (best,) = checkpoints.glob("best-*")
    return sum(file.stat().st_size for file in best.rglob("*") if file.is_file())


def _row(name: str) -> Row:
    measure: Callable[[Settings], Measured] = partial(adapter, name)
    runs = (" ".join([*COMMON[:2], *ADAPTERS[name][0]]),)
    return Row(BENCH, key_of(name), f"SST-2 sentences, MiniLM, {name}", ("scripts/benches/adapters.py",), measure, runs)


ROWS = tuple(map(_row, ADAPTERS))
