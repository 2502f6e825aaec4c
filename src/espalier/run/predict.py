"""``python -m espalier.run.predict DIR …``: the process behind ``espalier predict``."""

from __future__ import annotations

import argparse
import math
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from lightning_fabric import Fabric
from lightning_fabric.utilities.warnings import PossibleUserWarning
from omegaconf import OmegaConf

from espalier.batch.batches import batches_of
from espalier.build.instantiate import instantiate
from espalier.build.restore import Restored, restore
from espalier.build.transfer import merge
from espalier.checks.opening import answered
from espalier.config.saved import in_use
from espalier.config.trust import WorkingFolderFinder
from espalier.core.chunks import STREAM, Chunk, read_chunks
from espalier.core.errors import DataError, Fault, UserError
from espalier.core.facts import unit_of_kinds
from espalier.core.image_files import IMAGES, read_images
from espalier.core.image_sink import image_column, image_sink
from espalier.core.interpreter import leave
from espalier.core.sinks import Write, sink
from espalier.report.quantities import count, duration, rate
from espalier.run.given import OnEmpty, numbers_of, rows_of
from espalier.run.pictures import Pictures

CHUNK = 4096
_MOST = 2**26  # bytes of a chunk's images
_SPOKEN = 10.0  # seconds between lines of progress where there is no terminal
_DIGITS = 6


def main(words: Sequence[str]) -> int:
    """Predict; 0 done, 1 failed, 2 something to mend, 130 or 143 ended by a signal."""
    parser = argparse.ArgumentParser(prog="python -m espalier.run.predict", description=__doc__)
    parser.add_argument("directory", type=Path)
    for name in ("input", "input-kind", "output", "output-kind", "encoding", "on-empty"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--column", action="append", default=[])
    parser.add_argument("--named", action="append", default=[], help="a role whose column must be there")
    parser.add_argument("--scores", action="store_true")
    parser.add_argument("--delimiter")
    parser.add_argument("--override", action="append", default=[])
    given = parser.parse_args(words)
    return answered(lambda: _predict(given))


def _predict(given: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was begun is tidied away
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])  # one that came while libraries were loaded
    warnings.simplefilter("ignore", PossibleUserWarning)  # advice for people who write Trainers
    sys.meta_path.append(WorkingFolderFinder(Path.cwd()))
    config = in_use(given.directory, given.override).config if given.override else None
    beside = Path.cwd() if given.input == STREAM else Path(given.input).parent
    changed = {"hardware": config.hardware, "task": config.task} if config else {}
    restored = restore(given.directory, **changed)
    origin = "the input" if given.input == STREAM else given.input
    predictor = Predictor(restored, with_scores=given.scores, beside=beside, origin=origin)
    columns = dict(word.split("=", 1) for word in given.column)
    said = Progress(predictor.unit)
    with _sink(given, predictor) as write:
        for chunk in _chunks(given, max(1, min(CHUNK, _MOST // math.prod(predictor.facts.shape)))):
            if not predictor.done:
                _require_named(chunk, columns, given.named)
            write(chunk, predictor(chunk, columns, given.on_empty))
            said.more(len(chunk.numbers))
    said.end(predictor, given.output)
    return 0


def _require_named(chunk: Chunk, columns: Mapping[str, str], named: Sequence[str]) -> None:
    """Whether columns are there that need not be, but were asked for: a stream's are known no sooner."""
    for role in named:
        if columns[role] not in chunk.header:
            remedy = f"It has: {', '.join(chunk.header)}."
            raise DataError(Fault(f"column.{role}={columns[role]}", "is no column of the input.", remedy))


def _sink(given: argparse.Namespace, predictor: Predictor) -> AbstractContextManager[Write]:
    """A table, or a folder of images. Raises ``UserError``: the task makes none."""
    if given.output_kind != IMAGES:
        return sink(given.output, given.output_kind)
    column = image_column(predictor.schema, predictor.facts.shape)
    if column is None:
        truth = f"is a folder, for a model that makes images; this one answers {', '.join(predictor.schema.names)}."
        raise UserError(Fault(f"output={given.output}", truth, "Name a table:  output=answers.csv"))
    return image_sink(given.output, column, predictor.facts.shape)


def _chunks(given: argparse.Namespace, size: int) -> Iterator[Chunk]:
    if given.input_kind == IMAGES:
        return read_images(given.input, size)
    return read_chunks(given.input, given.input_kind, size, given.encoding, given.delimiter)


class Predictor:
    """A restored model that answers chunks of rows.

    Args:
        restored: its adapter's update is added into its weights.
        with_scores: whether each score is told as well, in columns that the task names: ``score:<label>``.
        beside: the folder of the table, where it names images.
        origin: what the rows are of, for people.

    Attributes:
        truncated, empty: rows so far that were cut, and that had no text, or no image.
        done: rows so far.
        asked: what the task reads in place of the data's columns, where it does.
        pictures: reads images; None for a model that reads none.

    Raises:
        UserError: its task answers no single rows.
    """

    def __init__(
        self, restored: Restored, *, with_scores: bool = False, beside: Path = Path(), origin: str = "the input"
    ) -> None:
        task: Any = restored.task
        if not callable(getattr(task, "answer", None)):
            truth = f"cannot predict: its task, {type(task).__name__}, has no predict_step, answer and answer_schema."
            remedy = "Give it all three; see espalier.core.parts.Answers."
            raise UserError(Fault(str(restored.directory), truth, remedy))
        merge(task.learner)
        placement = restored.placement
        torch.set_num_threads(placement.threads)
        self.task, self.facts, self.encoding, self.with_scores = task, restored.facts, restored.encoding, with_scores
        self.schema: pa.Schema = task.answer_schema(with_scores=with_scores)
        self.fabric = Fabric(accelerator=placement.accelerator, devices=1, precision=placement.precision)  # type: ignore[arg-type]
        self.fabric.setup_module(task)  # moves and converts it in place
        data = OmegaConf.create(OmegaConf.to_container(restored.experiment.config, resolve=True)).data
        self.origin = origin
        self.separator = str(data.get("label_separator") or "|")
        data.num_workers = 0  # a chunk is gathered sooner than processes are started
        self.source = instantiate(data)
        self.unit = unit_of_kinds(self.facts.kinds)
        self.truncated = self.empty = self.done = 0
        self.asked = getattr(task, "asked", {})
        reads = "image" in self.facts.kinds.values() and not self.asked
        self.pictures = Pictures(self.facts.shape, beside) if reads else None

    def __call__(self, chunk: Chunk, columns: Mapping[str, str], on_empty: OnEmpty) -> dict[str, pa.Array]:
        """What the task answers, column by column; null for rows without an input.

        Args:
            columns: role -> column of the chunk.

        Raises:
            DataError: a column that is missing, or one of that name already; see ``rows_of``.
        """
        if self.asked:
            table, empty = numbers_of(chunk, self.asked, columns, self.done), np.zeros(len(chunk.numbers), bool)
        else:
            table, empty = rows_of(chunk, self.facts, columns, on_empty, self.pictures, self.origin)
        numbers = self.done + np.flatnonzero(~empty)
        self.done += len(empty)
        self.empty += int(empty.sum())
        found = self.task.answer(self._found(table, numbers), with_scores=self.with_scores) if table.num_rows else {}
        if taken := [name for name in self.schema.names if name in chunk.header]:
            remedy = "Rename it, or take it out: predictions get that name."
            raise DataError(Fault(taken[0], "is a column of the input already.", remedy))
        places = np.where(empty, 0, (~empty).cumsum() - 1)
        return {
            field.name: self._column(list(found.get(field.name, ())), places, empty, field.type)
            for field in self.schema
        }

    def _column(
        self, values: list[Any], places: npt.NDArray[np.int64], empty: npt.NDArray[np.bool_], kind: pa.DataType
    ) -> pa.Array:
        """Values of the rows that were answered, each at its place, null at the others; texts in a tuple are joined."""
        joined = [self.separator.join(value) if isinstance(value, tuple) else value for value in values]
        spread = [None if left_out else joined[place] for place, left_out in zip(places, empty, strict=True)]
        if pa.types.is_floating(kind):
            spread = [None if value is None else round(float(value), _DIGITS) for value in spread]
        return pa.array(spread, kind)

    @torch.inference_mode()
    def _found(self, table: pa.Table, numbers: npt.NDArray[np.int64]) -> dict[str, Any]:
        """What ``predict_step`` told of the rows, in the order of the table: arrays, or lists.

        Args:
            numbers: of the rows in all that is predicted, (N,), ascending: what a row draws goes by its own. In what is
                told a row's number is its place in the table.
        """
        given = {role: table[role].to_numpy() for role in self.asked}
        encoded = given or dict(self.encoding.apply(table))
        cut: Any = encoded.pop("truncated", np.zeros(0, bool))
        self.truncated += int(np.count_nonzero(cut))
        encoded["row"] = numbers[np.asarray(encoded.pop("taken", np.arange(table.num_rows)))]
        parts: dict[str, list[Any]] = {}
        for batch in batches_of(self.source, {"test": encoded}, self.facts).test_dataloader():
            with self.fabric.autocast():
                told = self.task.predict_step(self.fabric.to_device(batch))
            for name, values in told.items():
                parts.setdefault(name, []).append(_plain(values))
        parts["row"] = [np.searchsorted(numbers, some) for some in parts["row"]]
        order = np.argsort(np.concatenate(parts["row"]), kind="stable")
        return {**{name: _ordered(values, order) for name, values in parts.items()}, "rows": table}


def _plain(values: Any) -> Any:
    if not isinstance(values, torch.Tensor):
        return list(values)
    return (values.float() if values.is_floating_point() else values).cpu().numpy()


def _ordered(parts: list[Any], order: npt.NDArray[np.int64]) -> Any:
    """The rows of all batches by their number."""
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)[order]
    flat = list(chain.from_iterable(parts))
    return [flat[place] for place in order]


@dataclass
class Progress:
    """How far it is, on standard error: one line that changes on a terminal, else a line every ten seconds."""

    unit: str
    done: int = 0
    began: float = field(default_factory=time.perf_counter)
    spoken: float = field(default_factory=time.perf_counter)

    def more(self, rows: int) -> None:
        """So many rows are written."""
        self.done += rows
        now = time.perf_counter()
        if sys.stderr.isatty():
            print(f"\r{self._line(now)}   ", end="", file=sys.stderr, flush=True)
        elif now - self.spoken >= _SPOKEN:
            print(self._line(now), file=sys.stderr, flush=True)
            self.spoken = now

    def end(self, predictor: Predictor, output: str) -> None:
        """The last word."""
        now = time.perf_counter()
        parts = [f"{self._line(now)} in {duration(now - self.began)}"]
        if predictor.truncated:
            parts.append(f"{predictor.truncated:,} truncated at {predictor.facts.max_length} tokens")
        if predictor.pictures and predictor.pictures.resized:
            height, width = predictor.facts.shape[1:]
            parts.append(f"{predictor.pictures.resized:,} resized to {height} x {width}")
        if predictor.empty:
            lacks = "an image" if predictor.pictures else "a text"
            parts.append(f"{count(predictor.empty, 'row')} without {lacks}: no prediction")
        if output != "-":
            parts.append(output)
        start = "\r" if sys.stderr.isatty() else ""
        print(start + "   ".join(parts), file=sys.stderr, flush=True)

    def _line(self, now: float) -> str:
        return f"{self.done:,} {self.unit}, {rate(self.done / max(now - self.began, 1e-9), self.unit)}"


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
