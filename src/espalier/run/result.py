"""What is left of a trained model: predictions, the model as others load it, figures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytorch_lightning as pl

from espalier.build.assemble import Assembly
from espalier.build.restore import save_base
from espalier.checks.rows import findings
from espalier.config.compose import Experiment
from espalier.core.facts import Raw, unit_of_kinds
from espalier.core.files import sync_file, sync_folder, write_atomic
from espalier.core.metrics_file import read_metrics
from espalier.report.data_checks import short_lines
from espalier.report.predictions import Answers, Predictions, answers_of
from espalier.run.exhibition import show
from espalier.state.sharded import whole

_SLICE = "slice:"
_LENGTH = "length"


@dataclass(frozen=True)
class Measured:
    """What a test of the rows of one split came to.

    Attributes:
        split: whose rows.
        metrics, intervals: plain name -> value, 95% interval.
        predictions: ``row``, ``target``, ``prediction``, ``scores``, ``length`` and ``slice:<name>``, as far as the
            task and the data have them; None on all ranks but the first, and for tasks that tell nothing row by row.
    """

    split: str
    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    predictions: pa.Table | None

    def by_split(self) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
        """Metrics and intervals under ``<split>/<metric>``."""
        metrics = {f"{self.split}/{name}": value for name, value in self.metrics.items()}
        return metrics, {f"{self.split}/{name}": bounds for name, bounds in self.intervals.items()}


def measure(
    task: pl.LightningModule,
    loader: Any,
    trainer: pl.Trainer,
    raw: Raw,
    split: str,
    length: npt.NDArray[np.int64] | None,
) -> Measured:
    """Test a task as it stands. On all ranks.

    Args:
        loader: batches of the split's encoded rows.
        raw: the rows themselves, of which the predictions get what tells them apart.
        length: tokens of each of them.
    """
    trainer.test(task, dataloaders=loader, verbose=False)
    tested: Any = task
    columns = tested.predictions() if trainer.is_global_zero else {}
    return Measured(
        split,
        {name: float(value) for name, value in tested.test_metrics.items()},
        {name: (float(low), float(high)) for name, (low, high) in tested.test_intervals.items()},
        predictions_table(columns, raw.splits[split], length) if columns else None,
    )


def evaluate(assembly: Assembly, trainer: pl.Trainer, directory: Path) -> Measured:
    """Test what was trained (on validation rows where there is no test split), and write its predictions.

    On all ranks; the first one writes. A task that was sharded is afterwards good for being saved, and nothing else.
    """
    split = "test" if "test" in assembly.raw.splits else "validation"
    batches = assembly.batches
    loader = batches.test_dataloader() if split == "test" else batches.val_dataloader()
    tested = measure(assembly.task, loader, trainer, assembly.raw, split, assembly.lengths.get(split))
    if tested.predictions is not None:
        write_predictions(directory / "predictions", tested.predictions, assembly.raw, split)
    show(assembly.task, trainer, directory, split, "test")
    whole(assembly.task)
    return tested


def predictions_table(columns: Mapping[str, Any], rows: pa.Table, length: npt.NDArray[np.int64] | None) -> pa.Table:
    """A task's predictions as a table; by their ``row``, with each row's length and slices beside them."""
    table = pa.table({name: pa.array(list(v)) if isinstance(v, list) else pa.array(v) for name, v in columns.items()})
    asked, there = table["row"].to_numpy(), rows["row"].to_numpy()
    order = np.argsort(there, kind="stable")
    place = order[np.searchsorted(there, asked, sorter=order).clip(max=len(there) - 1)]
    if not (there[place] == asked).all():
        return table  # a task over several sources, whose rows have numbers of their own
    more = {name: rows[name].take(pa.array(place)) for name in rows.column_names if name.startswith(_SLICE)}
    if length is not None:
        more[_LENGTH] = pa.array(length[place].astype(np.int32))
    for name, values in more.items():
        table = table.append_column(name, values)
    return table


def write_predictions(folder: Path, table: pa.Table, raw: Raw, split: str) -> None:
    """``<split>.parquet``, and ``examples.jsonl``: the most confident errors with their texts."""
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / f"{split}.parquet", table)
    examples = worst(answers_of(table), raw, split)
    write_atomic(folder / "examples.jsonl", "".join(json.dumps(e, ensure_ascii=False) + "\n" for e in examples))


def write_table(file: Path, table: pa.Table) -> None:
    """A parquet file, whole or not there."""
    temporary = file.with_name(f".{file.name}.tmp")
    pq.write_table(table, temporary)
    sync_file(temporary)
    temporary.replace(file)
    sync_folder(file.parent)


def worst(answers: Answers | None, raw: Raw, split: str) -> list[dict[str, Any]]:
    """Wrong predictions by falling confidence, with their texts; none for tasks and data that have no such thing."""
    roles = [role for role, kind in raw.kinds.items() if kind == "text"]
    if not roles or not isinstance(answers, Predictions):
        return []
    table = raw.splits[split]
    place = {row: position for position, row in enumerate(table["row"].to_pylist())}

    def text(i: int) -> str:
        return "\n".join(table[role][place[int(answers.row[i])]].as_py() for role in roles)

    return [answers.error(i, text(i)) for i in answers.worst()]


def save_model(experiment: Experiment, assembly: Assembly, directory: Path) -> str:
    """``model/``, whole or not there: what the task saves, and what encodes its input; what it lacks, for people."""
    temporary = directory / ".model.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    assembly.encoding.save(temporary)
    task: Any = assembly.task
    task.save(temporary)
    origin = str(getattr(task.learner, "origin", ""))
    lacks = save_base(experiment, assembly.facts, assembly.encoding, origin, temporary)
    for file in temporary.rglob("*"):
        if file.is_file():
            file.chmod(0o644)  # safetensors makes files that only their owner can read
            sync_file(file)
    shutil.rmtree(directory / "model", ignore_errors=True)
    temporary.replace(directory / "model")
    sync_folder(directory)
    return lacks


def missing(directory: Path, tested: Measured | None) -> list[str]:
    """What of a run that would say it is done is not in its directory, though it was written.

    Args:
        tested: what its test came to; None of a trial, which leaves no predictions and no model.
    """
    wanted = ["config.yaml", "facts.json", "metrics.jsonl"]
    if tested and tested.predictions is not None:
        wanted.append(f"predictions/{tested.split}.parquet")
    lost = [name for name in wanted if not (directory / name).is_file()]
    if tested and not (directory / "model").is_dir():
        lost.append("model/")
    return lost


def validation_at(directory: Path, step: int) -> dict[str, float]:
    """The validation metrics that were logged at an optimizer step."""
    found: dict[str, float] = {}
    for line in read_metrics(directory / "metrics.jsonl"):
        if line["step"] == step:
            found |= {name: float(value) for name, value in line.items() if name.startswith("validation/")}
    return found


def data_facts(assembly: Assembly, *, checked: bool) -> dict[str, Any]:
    """What the outcome says of the data: origin, fingerprint, unit, labels, counts by split, notes, checks.

    Args:
        checked: whether to look for repeated rows and the like, which a sweep's trials need not do each.
    """
    raw, facts = assembly.raw, assembly.facts
    counts = {s: asdict(replace(c, truncated=assembly.truncated.get(s, 0))) for s, c in raw.counts.items()}
    labels: Any = list(facts.label_names) if len(raw.labels) == 1 else {s: list(n) for s, n in raw.labels.items()}
    found = findings(raw) if checked else None
    return {
        "origin": raw.origin,
        "fingerprint": raw.fingerprint,
        "unit": unit_of(assembly),
        "max_length": facts.max_length if {"text", "words"} & set(raw.kinds.values()) else None,
        "labels": labels,
        "counts": counts,
        "notes": list(raw.notes),
        **({"checks": {**found.summary(), "lines": short_lines(found)}} if found else {}),
    }


def unit_of(assembly: Assembly) -> str:
    """What a row is, for people."""
    return unit_of_kinds(assembly.raw.kinds)
