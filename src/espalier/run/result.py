"""What is left of a trained model: predictions, the model as others load it, figures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytorch_lightning as pl

from espalier.build.assemble import Assembly
from espalier.core.files import sync_file, sync_folder, write_atomic
from espalier.core.metrics_file import read_metrics

_EXAMPLES = 25
_UNITS = {"text": "texts", "image": "images"}


def evaluate(assembly: Assembly, trainer: pl.Trainer, directory: Path) -> dict[str, Any]:
    """Test the task as it stands (on validation rows where there is no test split), and write its predictions.

    Returns:
        ``metrics`` and ``intervals``, keys ``<split>/<metric>``. On all ranks; the first one writes.
    """
    split = "test" if "test" in assembly.raw.splits else "validation"
    batches = assembly.batches
    rows = batches.test_dataloader() if split == "test" else batches.val_dataloader()
    trainer.test(assembly.task, dataloaders=rows, verbose=False)
    task: Any = assembly.task
    if trainer.is_global_zero:
        write_predictions(directory / "predictions", split, task.predictions(), assembly)
    metrics = {f"{split}/{name}": float(value) for name, value in task.test_metrics.items()}
    return {"metrics": metrics, "intervals": {f"{split}/{n}": tuple(v) for n, v in task.test_intervals.items()}}


def write_predictions(folder: Path, split: str, columns: Mapping[str, Any], assembly: Assembly) -> None:
    """``<split>.parquet``, and ``examples.jsonl``: the most confident errors with their texts."""
    if not columns:
        return
    folder.mkdir(exist_ok=True)
    table = pa.table({name: pa.array(list(v)) if isinstance(v, list) else pa.array(v) for name, v in columns.items()})
    temporary = folder / f".{split}.parquet.tmp"
    pq.write_table(table, temporary)
    sync_file(temporary)
    temporary.replace(folder / f"{split}.parquet")
    examples = worst(columns, assembly, split)
    write_atomic(folder / "examples.jsonl", "".join(json.dumps(e, ensure_ascii=False) + "\n" for e in examples))


def worst(columns: Mapping[str, Any], assembly: Assembly, split: str) -> list[dict[str, Any]]:
    """Wrong predictions by falling confidence, with their texts; none for tasks and data that have no such thing."""
    roles = [role for role, kind in assembly.raw.kinds.items() if kind == "text"]
    if not roles or not {"row", "target", "prediction", "scores"} <= set(columns):
        return []
    target, prediction = np.asarray(columns["target"]), np.asarray(columns["prediction"])
    confidence = np.asarray([max(scores) for scores in columns["scores"]])
    wrong = np.flatnonzero(target != prediction)
    chosen = wrong[np.argsort(-confidence[wrong], kind="stable")][:_EXAMPLES]
    table = assembly.raw.splits[split]
    place = {row: position for position, row in enumerate(table["row"].to_pylist())}
    found = []
    for i in chosen:
        position = place[int(columns["row"][i])]
        text = "\n".join(table[role][position].as_py() for role in roles)
        found.append({"row": int(columns["row"][i]), "text": text, "target": int(target[i]),
                      "prediction": int(prediction[i]), "score": float(confidence[i])})  # fmt: skip
    return found


def save_model(assembly: Assembly, directory: Path) -> None:
    """``model/``, whole or not there: what the task saves, and what encodes its input."""
    temporary = directory / ".model.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    assembly.encoding.save(temporary)
    task: Any = assembly.task
    task.save(temporary)
    for file in temporary.rglob("*"):
        if file.is_file():
            file.chmod(0o644)  # safetensors makes files that only their owner can read
            sync_file(file)
    shutil.rmtree(directory / "model", ignore_errors=True)
    temporary.replace(directory / "model")
    sync_folder(directory)


def validation_at(directory: Path, step: int) -> dict[str, float]:
    """The validation metrics that were logged at an optimizer step."""
    found: dict[str, float] = {}
    for line in read_metrics(directory / "metrics.jsonl"):
        if line["step"] == step:
            found |= {name: float(value) for name, value in line.items() if name.startswith("validation/")}
    return found


def data_facts(assembly: Assembly) -> dict[str, Any]:
    """What the outcome says of the data: origin, fingerprint, unit, labels, counts per split with truncated rows."""
    raw, facts = assembly.raw, assembly.facts
    counts = {s: asdict(replace(c, truncated=assembly.truncated.get(s, 0))) for s, c in raw.counts.items()}
    labels: Any = list(facts.label_names) if len(raw.labels) == 1 else {s: list(n) for s, n in raw.labels.items()}
    return {
        "origin": raw.origin,
        "fingerprint": raw.fingerprint,
        "unit": unit_of(assembly),
        "max_length": facts.max_length if "text" in raw.kinds.values() else None,
        "labels": labels,
        "counts": counts,
    }


def unit_of(assembly: Assembly) -> str:
    """What a row is, for people."""
    return next((word for kind, word in _UNITS.items() if kind in assembly.raw.kinds.values()), "samples")
