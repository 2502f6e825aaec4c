"""``python -m espalier.run.evaluate DIR …``: the process behind ``espalier evaluate``."""

from __future__ import annotations

import argparse
import signal
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.warnings import PossibleUserWarning

from espalier.batch.batches import batches_of
from espalier.build.encode import encode
from espalier.build.instantiate import instantiate
from espalier.build.restore import Restored, appoint, restore
from espalier.checks.opening import answered
from espalier.checks.seen import seen
from espalier.config.saved import in_use
from espalier.config.trust import WorkingFolderFinder
from espalier.core.counted import counts_of
from espalier.core.errors import DataError, Fault
from espalier.core.facts import DataFacts, Raw, unit_of_kinds
from espalier.core.files import write_json
from espalier.core.interpreter import leave
from espalier.core.rundir import read_outcome, shown
from espalier.report.evaluation import (
    EVALUATION,
    TABLES,
    Evaluated,
    against_dict,
    against_lines,
    evaluation_lines,
    place_of,
)
from espalier.report.predictions import answers_of
from espalier.run import result


def main(words: Sequence[str]) -> int:
    """Evaluate; 0 done, 1 failed, 2 something to mend, 130 ended by a signal."""
    parser = argparse.ArgumentParser(prog="python -m espalier.run.evaluate", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--split")
    parser.add_argument("--other-data", action="store_true")
    parser.add_argument("--override", action="append", default=[])
    given = parser.parse_args(words)
    return answered(lambda: _evaluate(given))


def _evaluate(given: argparse.Namespace) -> int:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])  # one that came while libraries were loaded
    warnings.simplefilter("ignore", PossibleUserWarning)  # advice for people who write Trainers
    sys.meta_path.append(WorkingFolderFinder(Path.cwd()))
    experiment = in_use(given.directory, given.override)
    hardware = experiment.config.hardware
    source: Any = instantiate(experiment.config.data)
    model = restore(given.directory, hardware=hardware)
    raw, split = rows_to_judge(source, model.facts, given.split, other_data=given.other_data)
    found = [evaluate(model, source, raw, split)]
    if given.against:
        found.append(evaluate(restore(given.against, hardware=hardware), source, raw, split))
    sides = [one for one, _ in found]
    print(*(against_lines(*sides) if given.against else evaluation_lines(sides[0])), sep="\n", flush=True)
    rows = f"{experiment.choices['data']}-{raw.fingerprint[:8] or split}" if given.other_data else split
    folder = given.output or place_of(given.directory, rows, given.against)
    folder.mkdir(parents=True, exist_ok=True)
    for (_, table), file in zip(found, TABLES, strict=False):
        if table is not None:
            result.write_table(folder / file, table)
    write_json(folder / EVALUATION, against_dict(*sides) if given.against else sides[0].as_dict())
    print("", shown(folder), sep="\n")
    return 0


def rows_to_judge(source: Any, facts: DataFacts, split: str | None, *, other_data: bool) -> tuple[Raw, str]:
    """The rows, as the one split that is named.

    Args:
        source: a data part.
        facts: of the data that the model was trained on.
        split: one of the source's; None: its test rows (of other data without such a split: all of them), or else the
            validation rows.
        other_data: whether the source is not the one that the model was trained on.

    Raises:
        DataError: no such split, other labels than the model's; see ``Data.rows`` and ``Data.read``.
    """
    labels = facts.label_names if len(facts.labels) == 1 else ()
    if other_data and split is None and len(facts.labels) < 2 and callable(getattr(source, "rows", None)):
        return source.rows(labels), "test"
    raw: Raw = source.read()
    chosen = split or ("test" if "test" in raw.splits else "validation")
    if chosen not in raw.splits:
        raise DataError(Fault(f"split={chosen}", f"is no split of {raw.origin}.", f"It has: {', '.join(raw.splits)}."))
    if raw.labels != facts.labels:
        truth = f"has other labels than the model, which has {_listed(facts)}."
        raise DataError(Fault(raw.origin, truth, "Name rows with these labels."))
    return replace(raw, splits={chosen: raw.splits[chosen]}), chosen


def require_readable(raw: Raw, facts: DataFacts, directory: Path) -> None:
    """Whether a model can read the rows. Raises ``DataError``."""
    wanted = {role: kind for role, kind in facts.kinds.items() if kind != "id"}
    there = {role: kind for role, kind in raw.kinds.items() if role in wanted}
    if there != wanted:
        missing = ", ".join(f"{role} ({kind})" for role, kind in wanted.items() if raw.kinds.get(role) != kind)
        raise DataError(Fault(raw.origin, f"lacks {missing}, which {directory} reads.", "Name the columns."))
    if raw.shape != facts.shape:
        said = " and ".join(" x ".join(map(str, shape)) or "no shape" for shape in (raw.shape, facts.shape))
        raise DataError(Fault(raw.origin, f"has rows of another shape than {directory} reads: {said}."))
    if raw.labels != facts.labels:
        raise DataError(Fault(str(directory), f"has other labels than the rows: {_listed(facts)}."))


def evaluate(restored: Restored, source: Any, raw: Raw, split: str) -> tuple[Evaluated, Any]:
    """Test a restored model on rows; the same way as at the end of training.

    Returns:
        What came of it, and the predictions as a table (None where the task tells nothing row by row).

    Raises:
        DataError: the model reads other columns, or has other labels.
    """
    require_readable(raw, restored.facts, restored.directory)
    appoint(restored.task)
    restored.task.rows = raw.splits  # type: ignore[assignment]  # what a task of ours has of its own
    placement = restored.placement
    torch.set_num_threads(placement.threads)
    encoded = encode(raw, restored.encoding)
    columns = {"test": encoded.splits[split]}
    batches = batches_of(source, columns, restored.facts)
    trainer = pl.Trainer(
        accelerator=placement.accelerator,
        devices=1,
        precision=placement.precision,  # type: ignore[arg-type]
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    loader = batches.test_dataloader()
    tested = result.measure(restored.task, loader, trainer, raw, split, encoded.lengths.get(split))
    table = tested.predictions
    counted = getattr(restored.task, "counted", {})
    found = Evaluated(
        str(shown(restored.directory)), read_outcome(restored.directory), split, raw.origin, raw.fingerprint,
        unit_of_kinds(raw.kinds), tested.metrics, tested.intervals,
        None if table is None else answers_of(table), None if table is None else counts_of(table, counted),
        seen(restored.directory, raw, split, restored.facts.kinds),
    )  # fmt: skip
    return found, table


def _listed(facts: DataFacts) -> str:
    names = [name for group in facts.labels.values() for name in group]
    return ", ".join(map(repr, names[:10])) + (" …" if len(names) > 10 else "")


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
