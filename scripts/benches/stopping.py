"""Stop points: the kinds of training, a reference run of each, killed and resumed runs beside it."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from espalier.config.check import check
from espalier.config.compose import compose
from espalier.config.saved import write
from espalier.core.rundir import create, read_outcome

PARTS = Path(__file__).resolve().parent / "parts"
WARM = ["torch", "pytorch_lightning", "transformers", "peft", "torchmetrics", "tokenizers", "espalier.run.fit"]
COMMON = (
    "hardware=cpu", "hardware.threads=1", "tracking=none", "callback=[kill,checkpoint,early_stopping]",
    "callback.checkpoint.every_n_steps=3", "trainer.max_epochs=2", "trainer.log_every_n_steps=1", "data.batch_size=16",
    "task.bootstrap=0",
)  # fmt: skip
TEXTS = ("data=support_intents", "data.limit=112")
KINDS: dict[str, tuple[tuple[str, ...], int]] = {  # words, micro-batches of the whole run
    "minilm_lora": ((*TEXTS, "model=minilm", "adapter=lora", "adapter.dropout=0.1", "data.max_length=24"), 14),
    "lstm": ((*TEXTS, "model=lstm", "adapter=full"), 14),
    "mlp": (("data=mnist", "data.limit=112", "model=mlp", "model.dropout=0.2", "adapter=full"), 14),
    "accumulate_2": ((*TEXTS, "model=lstm", "adapter=full", "trainer.accumulate_grad_batches=2"), 28),
    "ddp_2": ((*TEXTS, "model=lstm", "adapter=full", "hardware=ddp_cpu", "hardware.devices=2"), 14),
}
SHARES = {"minilm_lora": 10, "lstm": 10, "mlp": 8, "accumulate_2": 8, "ddp_2": 4}  # of 40


@dataclass(frozen=True)
class Answer:
    """One stop point: where, by which signal, and what differed after the resume (nothing: exact)."""

    kind: str
    after: int
    signal: str
    differing: tuple[str, ...]

    @property
    def exact(self) -> bool:
        return not self.differing


def try_all(folder: Path, points: int, only: str | None = None) -> list[Answer]:
    """Reference runs and stop points, spread over the kinds and over each run's length."""
    os.environ.update(
        ESPALIER_TRUST="at_step", PYTHONPATH=str(PARTS), ESPALIER_DATA=str(made_up_mnist(folder / "data")),
        PYTHONSAFEPATH="1", ESPALIER_CACHE=str(folder / "cache"), OMP_NUM_THREADS="1", HF_HUB_OFFLINE="1",
        TOKENIZERS_PARALLELISM="false",
    )  # fmt: skip
    sys.path.insert(0, str(PARTS))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(WARM)
    answers: list[Answer] = []
    for kind, (words, batches) in KINDS.items():
        if only not in (None, kind):
            continue
        count = max(1, round(points * SHARES[kind] / 40)) if only is None else points
        reference = run(context, folder, kind, words, after=0, signal="SIGKILL")
        for number in range(count):
            after = 1 + round(number * (batches - 1) / max(1, count - 1))
            signal = "SIGTERM" if number % 3 == 2 else "SIGKILL"
            stopped = run(context, folder, kind, words, after=after, signal=signal)
            answers.append(Answer(kind, after, signal, tuple(differences(reference, stopped))))
            said = "exact" if answers[-1].exact else f"NOT exact: {', '.join(answers[-1].differing)}"
            print(f"  {kind:12} {signal} after micro-batch {after:2} of {batches}: {said}", flush=True)
    return answers


def run(context: Any, folder: Path, kind: str, words: Sequence[str], *, after: int, signal: str) -> Path:
    """Train to the end, through a kill and a resume where there is one; the run directory.

    Raises:
        SystemExit: the run did not die where it should, or did not end well.
    """
    experiment = compose(
        [*COMMON, *words, f"callback.kill.after={after}", f"callback.kill.signal={signal}"],
        config_dirs=[PARTS / "conf"],
    )
    check(experiment)
    directory = create(folder / "outputs", f"{kind}-{after}-{signal}")
    write(experiment, directory)
    codes = [_process(context, kind, directory, resume=False)]
    if after:
        codes.append(_process(context, kind, directory, resume=True))
    if codes[-1] != 0 or (after and codes[0] == 0) or read_outcome(directory).status != "done":
        sys.exit(f"{directory.parent.name}: exit codes {codes}, status {read_outcome(directory).status}")
    return directory


def differences(reference: Path, stopped: Path) -> list[str]:
    """What differs between two finished runs; empty where they are the same to the bit."""
    from espalier.state import folder

    found = []
    newest = [max((d / "checkpoints").glob("step-*")) for d in (reference, stopped)]
    if newest[0].name != newest[1].name:
        return [f"{newest[0].name} against {newest[1].name}"]
    ours, theirs = (folder.read(path) for path in newest)
    for part in ("state_dict", "optimizer_states", "lr_schedulers", "loops", "espalier"):
        if not same(ours[part], theirs[part]):
            found.append(part)
    for name in ("metrics.jsonl", "predictions/test.parquet", "model/head.safetensors"):
        if (reference / name).read_bytes() != (stopped / name).read_bytes():
            found.append(name)
    if read_outcome(reference).metrics != read_outcome(stopped).metrics:
        found.append("metrics")
    return found


def same(a: Any, b: Any) -> bool:
    """Equal to the bit, tensors included."""
    import torch

    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and a.shape == b.shape and bool(torch.equal(a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return bool(np.array_equal(a, b))
    return bool(a == b or (a != a and b != b))


def made_up_mnist(folder: Path) -> Path:
    """A data root with a small ``mnist`` in MNIST's format."""
    import gzip

    generator = np.random.default_rng(0)
    for split, rows in {"train": 300, "t10k": 60}.items():
        labels = (np.arange(rows) % 10).astype(np.uint8)
        pixels = (generator.integers(0, 80, (rows, 28, 28)) + 15 * labels[:, None, None]).astype(np.uint8)
        for name, values in ((f"{split}-images-idx3-ubyte", pixels), (f"{split}-labels-idx1-ubyte", labels)):
            header = bytes([0, 0, 8, values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape)
            (folder / "mnist").mkdir(parents=True, exist_ok=True)
            (folder / "mnist" / f"{name}.gz").write_bytes(gzip.compress(header + values.tobytes()))
    return folder


def _process(context: Any, kind: str, directory: Path, *, resume: bool) -> int:
    words = [str(directory), *(["--resume"] if resume else [])]
    if kind.startswith("ddp"):  # Lightning starts the other ranks by the command line of the first
        done = subprocess.run(
            [sys.executable, "-m", "espalier.run", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        return done.returncode
    process = context.Process(target=_train, args=(words,))
    process.start()
    process.join()
    return int(process.exitcode)


def _train(words: list[str]) -> None:
    from espalier.run.__main__ import main

    sys.argv = ["python -m espalier.run", *words]
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    sys.exit(main())
