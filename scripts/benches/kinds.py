"""Kinds of training that stop points are tried on: small ones that have, each, something of its own to go wrong."""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benches.machine import ROOT

Words = tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """What is trained.

    Attributes:
        words: of the command line, beside ``COMMON``.
        alone: whether it cannot be forked from a warm parent: Lightning starts its other ranks.
        rungs: of a sweep's trial, after which validations it asks whether to go on; None: no trial.
    """

    words: Words
    alone: bool = False
    rungs: tuple[int, ...] | None = None


COMMON: Words = (
    "hardware=cpu", "hardware.threads=1", "tracking=none", "callback=[kill,checkpoint,early_stopping,bad_steps]",
    "callback.checkpoint.every_n_steps=3", "trainer.max_epochs=2", "trainer.log_every_n_steps=1", "data.batch_size=16",
    "data.eval_batch_size=32", "data.limit=112", "task.bootstrap=0",
)  # fmt: skip
TEXTS: Words = ("data=support_intents", "data.max_length=24")
LSTM: Words = (*TEXTS, "model=lstm", "adapter=full", "model.embedding=16", "model.hidden=16")
MLP: Words = ("data=digits", "model=mlp", "adapter=full", "model.hidden=[32]", "model.dropout=0.2")
CNN: Words = ("data=mnist", "model=cnn", "adapter=full", "model.channels=[4,8]", "model.dropout=0.2", "model.flip=true")
BERT: Words = (*TEXTS, "model=bert", "model.dropout=0.1")
GPT: Words = (*TEXTS, "model=gpt2", "model.dropout=0.1")
BORED: Words = ("callback.early_stopping.patience=2", "callback.early_stopping.min_delta=9")
STRICT: Words = ("callback.bad_steps.factor=1.01", "callback.bad_steps.window=8", "callback.bad_steps.most=99")
OFTEN: Words = ("trainer.val_check_interval=2",)

KINDS: dict[str, Kind] = {
    # models and what they draw at random
    "lstm": Kind(LSTM),
    "bag": Kind((*TEXTS, "model=bag", "adapter=full", "model.dropout=0.1")),
    "mlp": Kind(MLP),
    "cnn": Kind(CNN),
    "minilm_lora": Kind((*TEXTS, "model=minilm", "adapter=lora", "adapter.dropout=0.1")),
    # adapters
    "lora": Kind((*BERT, "adapter=lora", "adapter.dropout=0.1")),
    "dora": Kind((*BERT, "adapter=dora", "adapter.dropout=0.1")),
    "rslora": Kind((*GPT, "adapter=rslora")),
    "adalora": Kind((*BERT, "adapter=adalora")),
    "ia3": Kind((*BERT, "adapter=ia3")),
    "bitfit": Kind((*BERT, "adapter=bitfit")),
    "layers": Kind((*BERT, "adapter=layers", "adapter.top=1", "optimizer.layer_decay=0.8")),
    "probe": Kind((*BERT, "adapter=probe")),
    "prompt": Kind((*BERT, "adapter=prompt", "adapter.tokens=4")),
    "p_tuning": Kind((*GPT, "adapter=p_tuning", "adapter.tokens=4", "adapter.hidden=16")),
    "prefix": Kind((*BERT, "adapter=prefix", "adapter.tokens=4")),
    "checkpointing": Kind((*BERT, "adapter=full", "hardware.gradient_checkpointing=true")),
    # batches
    "workers_texts": Kind((*LSTM, "data.num_workers=2")),
    "workers_images": Kind((*CNN, "data.num_workers=2")),
    "unsorted": Kind((*LSTM, "data.bucket=false")),
    "accumulate_2": Kind((*LSTM, "trainer.accumulate_grad_batches=2")),
    "accumulate_3": Kind((*CNN, "trainer.accumulate_grad_batches=3", *OFTEN)),
    # schedules and optimizers
    "plateau": Kind((*MLP, "scheduler=plateau", "scheduler.patience=0", "scheduler.warmup=3", "scheduler.min_delta=1")),
    "plateau_often": Kind((*MLP, *OFTEN, "scheduler=plateau", "scheduler.patience=0", "scheduler.min_delta=1")),
    "one_cycle": Kind((*MLP, "scheduler=one_cycle", "optimizer=sgd")),
    "cosine": Kind((*MLP, "scheduler=cosine", "optimizer=adam")),
    "warmup": Kind((*MLP, "scheduler=constant", "scheduler.warmup=5", "optimizer=sgd", "optimizer.nesterov=true")),
    "muon": Kind((*MLP, "optimizer=muon")),
    "adafactor": Kind((*BERT, "adapter=full", "optimizer=adafactor")),
    "bf16": Kind((*MLP, "hardware.precision=bf16-mixed")),
    # callbacks
    "ema": Kind((*CNN, "callback=[kill,checkpoint,early_stopping,bad_steps,ema]", "callback.ema.decay=0.9")),
    "stops_early": Kind((*MLP, *BORED, "trainer.max_epochs=6")),
    "bad_steps": Kind((*MLP, *STRICT, "data.batch_size=8")),
    "watched": Kind((*MLP, "callback=[kill,checkpoint,early_stopping,bad_steps,throughput,progress,gradient_norm]")),
    # how long, and when to validate
    "often": Kind((*LSTM, *OFTEN)),
    "max_steps": Kind((*MLP, "trainer.max_epochs=-1", "trainer.max_steps=11")),
    "every_other": Kind((*MLP, "trainer.max_epochs=4", "trainer.check_val_every_n_epoch=2")),
    "limits": Kind((*CNN, "trainer.limit_train_batches=5", "trainer.limit_val_batches=2", "trainer.max_epochs=3")),
    "overfit": Kind((*MLP, "debug=overfit", "callback=[kill,checkpoint,bad_steps]", "trainer.max_epochs=6")),
    # tasks of other shapes
    "multilabel": Kind(("task=multilabel", "data=jsonl", "data.path=several.jsonl", *LSTM[2:], "model.pooling=mean")),
    "gan": Kind(("experiment=gan", "data.rows=112", "model.hidden=8")),
    "two_heads": Kind(("experiment=two_heads", "data.rows=112", "trainer.max_epochs=2")),
    "translation": Kind(("experiment=translation", "data.rows=112", "trainer.max_epochs=2")),
    # trials of a sweep
    "trial": Kind((*MLP, *OFTEN), rungs=()),
    "trial_of_rungs": Kind((*CNN, "trainer.max_epochs=3"), rungs=(1, 2)),
    # several processes
    "ddp_2": Kind((*LSTM, "hardware=ddp_cpu", "hardware.devices=2"), alone=True),
    "ddp_2_accumulate": Kind(
        (*CNN, "hardware=ddp_cpu", "hardware.devices=2", "trainer.accumulate_grad_batches=2"), alone=True
    ),
    "fsdp_2": Kind((*BERT, "adapter=full", "hardware=fsdp_cpu", "hardware.devices=2"), alone=True),
}  # fmt: skip
OWN_BATCHES = ("gan", "two_heads", "translation")  # whose data has no other settings than rows and batch_size


def words_of(kind: str) -> list[str]:
    """A kind's command line. What comes last holds."""
    own = KINDS[kind].words
    if kind in OWN_BATCHES:
        common = [word for word in COMMON if not word.startswith(("data.", "task.")) and word != "hardware=cpu"]
        return [*common, "data.batch_size=16", *own]
    return [*_without(COMMON, own), *own]


def lay_out(folder: Path) -> dict[str, str]:
    """Data, models and parts that the kinds need, below a folder; the environment that finds them there."""
    for package in (ROOT / "scripts" / "benches" / "parts" / "at_step", ROOT / "tests" / "awkward_parts"):
        (folder / "parts").mkdir(parents=True, exist_ok=True)
        if not (folder / "parts" / package.name).exists():
            (folder / "parts" / package.name).symlink_to(package)
    _write_mnist(folder / "data" / "mnist")
    _write_several_labels(folder / "several.jsonl")
    sys.path[:0] = [str(folder / "parts"), str(ROOT / "tests")]
    from transformers.utils.logging import disable_progress_bar

    from model.checkpoints import write  # tiny transformers with their tokenizers

    disable_progress_bar()
    for family in ("bert", "gpt2"):
        write(folder / "models", family)
    return {
        "ESPALIER_DATA": str(folder / "data"), "ESPALIER_MODELS": str(folder / "models"),
        "ESPALIER_CACHE": str(folder / "cache"), "ESPALIER_TRUST": "at_step,awkward_parts",
        "PYTHONPATH": str(folder / "parts"), "PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }  # fmt: skip


CONFIG_DIRS = (ROOT / "scripts" / "benches" / "parts" / "conf", ROOT / "tests" / "awkward_parts" / "conf")


def _without(common: Sequence[str], own: Sequence[str]) -> list[str]:
    """The common words that a kind does not say in its own way: a key is set once."""
    said = {word.partition("=")[0] for word in own}
    return [word for word in common if word.partition("=")[0] not in said]


def _write_mnist(folder: Path) -> None:
    """Small pictures in MNIST's format."""
    generator = np.random.default_rng(0)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for split, rows in {"train": 300, "t10k": 60}.items():
        labels = (np.arange(rows) % 10).astype(np.uint8)
        pixels = (generator.integers(0, 80, (rows, 28, 28)) + 15 * labels[:, None, None]).astype(np.uint8)
        for name, values in ((f"{split}-images-idx3-ubyte", pixels), (f"{split}-labels-idx1-ubyte", labels)):
            header = bytes([0, 0, 8, values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape)
            (folder / f"{name}.gz").write_bytes(gzip.compress(header + values.tobytes(), mtime=0))


def _write_several_labels(file: Path) -> None:
    """Texts that have none, one or two labels."""
    many = [["a"], ["b"], ["a", "b"], []]
    rows = [{"text": f"film number {i} is {'very ' * (i % 5)}good", "label": many[i % 4]} for i in range(160)]
    file.write_text("\n".join(map(json.dumps, rows)) + "\n")
