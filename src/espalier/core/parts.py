"""What swappable parts promise each other. Protocols only: a part satisfies one by having its methods.

Values that YAML gives are a part's keyword-only parameters; values that the run gives are positional-only:

    data        Data(*, …)                                  .read() -> Raw, .batching
    encoding    Encoding(facts, /, *, …)                    .fit(raw), .apply(table) -> Columns
    model       Backbone(facts, /, *, encoding, …)          forward(batch) -> features (B, width)
    adapter     adapter(backbone, facts, /, *, …) -> Backbone
    task        Task(learner, facts, optimizers, /, *, …)   a LightningModule
    optimizer   optimizer(groups, /, *, …) -> torch Optimizer
    scheduler   scheduler(optimizer, total_steps, /, *, …) -> torch LRScheduler
    hardware    hardware(*, …) -> Placement
    trainer     trainer(*, …) -> dict of Lightning Trainer arguments, in global batches
    callback    Callback(run, /, *, …)                      a Lightning Callback
    tracking    Tracker(*, …)                               .start, .log, .finish
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import pyarrow as pa
    import pytorch_lightning as pl
    import torch

    from espalier.core.columns import Columns
    from espalier.core.exhibits import Exhibit
    from espalier.core.facts import DataFacts, Raw
    from espalier.core.outcome import Outcome


@dataclass(frozen=True)
class Batching:
    """How encoded rows become batches; the keys that every data option has (``conf/data/_common.yaml``).

    ``windows``: rows are blocks of running text, and training sees blocks that begin elsewhere in each epoch.
    ``packing``: in training, texts of one batch stand several in a row, as far as ``max_length`` lets them.
    ``overlap``: where a long text is cut into pieces for a model, the tokens that one shares with the piece before it.
    """

    batch_size: int
    eval_batch_size: int
    num_workers: int
    bucket: bool
    max_length: int | None = None
    windows: bool = False
    overlap: int = 0
    packing: bool = False


class Data(Protocol):
    """A source of rows. Reading needs no torch: what a data option imports, ``espalier data show`` waits for."""

    @property
    def batching(self) -> Batching:
        """How its rows become batches."""

    def read(self) -> Raw:
        """Read, clean and split. Raises ``DataError``."""

    def rows(self, labels: tuple[str, ...], /) -> Raw:
        """Rows to evaluate on, as the single split ``test``, labels indexed by the given names. Raises ``DataError``.

        May be left out: then a trained model is evaluated on the splits that ``read`` gives.
        """

    def batches(
        self, splits: Mapping[str, Columns], facts: DataFacts, /, *, seed: int, world_size: int, accumulate: int
    ) -> pl.LightningDataModule:
        """Encoded splits -> a data module with ``steps_per_epoch``: optimizer steps that see each training row once.

        May be left out, and mostly is: then ``batch.batches.Batches`` are made of them, as ``batching`` says.
        """


class Encoding(Protocol):
    """Turns rows into numbers: a tokenizer, an image transform. Belongs to a model.

    What ``apply`` made is kept on disk under ``fingerprint``; an encoding that only looks at its rows in another shape
    says ``costs_nothing: ClassVar[bool] = True`` and is applied each time. One that makes ids may also have
    ``recipe() -> str``: Python lines that define ``encode(texts)`` -> a list of ids for each, for a model's README.
    """

    def fit(self, raw: Raw, /) -> None:
        """Learn from the training split (a vocabulary, a mean); nothing for a pretrained one."""

    def apply(self, table: pa.Table, /) -> Columns:
        """Encode the columns it knows; label, row and other integer columns pass through without it.

        A column ``truncated`` (rows,) bool, where there is one, tells of rows that lost something; it is counted.
        A column ``length`` (rows,) int32, where there is one, tells how many tokens a row had before it was cut.
        Where rows are cut into pieces, or packed, a column ``taken`` (pieces,) int64 tells the row of the table that
        each of them is of (of several, the first): all other columns are of pieces then.
        """

    def facts(self) -> Mapping[str, Any]:
        """What ``DataFacts`` learns from it: ``vocab_size``, ``pad``."""

    def fingerprint(self) -> str:
        """sha256 over everything that ``apply`` depends on, after ``fit``."""

    def save(self, folder: Path, /) -> None:
        """Files by which others can encode in the same way."""

    def load(self, folder: Path, /) -> None:
        """Take up what ``save`` wrote, in place of ``fit``; nothing for a pretrained one."""


class Backbone(Protocol):
    """A torch module: batch -> features of shape (B, width).

    Attributes:
        width, trunk: number of features; the module that an adapter may wrap or replace.
        origin: where its weights lie; left out, or ``from scratch``: nowhere, and checkpoints hold frozen ones too.
        merges: a class attribute: ``save`` adds what an adapter learned into the weights, as each adapter must allow.
        targets: a class attribute: a name for some layers -> PEFT's ``target_modules``: a regex that their whole names
            within ``trunk`` match, or ``all-linear``; or ``all-conv``. Empty: an adapter finds no layers here.
        tied: layers by whose weights it tells tokens too; may be left out, as where the same tensor has two names.
    """

    width: int
    trunk: torch.nn.Module

    def save(self, folder: Path, /) -> None:
        """Files from which others load it: config and safetensors. Left out, its weights are saved by name."""

    def name_base(self, name: str, revision: str) -> None:
        """What an adapter's files call the model that they belong to; of a model that saves these apart from its own.

        May be left out. Asked before there is an adapter, where others' weights are put into the model.
        """

    def recipe(self) -> str:
        """Python lines that load those files without Espalier, for a README; may be left out.

        They run in the folder, define ``features(rows)`` -> (len(rows), width), and end with some ``rows`` to try.
        """


@runtime_checkable
class Judged(Protocol):
    """A task that asks a trained model of another run about what its own makes.

    Attributes:
        judge: that run's directory, or None; ``Annotated[str, RunOrWeights()] | None`` in its signature.
    """

    judge: str | None

    def appoint(self, judge: Any, /) -> None:
        """Take that run's task: frozen, in evaluation mode, on the CPU. Raises ``ConfigError``: it is of other data."""


class Answers(Protocol):
    """A task that ``espalier predict`` asks about rows whose truth nobody knows.

    One whose answers are of no rows of data says what it reads in their place, ``asked: ClassVar[Mapping[str, Kind]]``:
    roles of kind ``id``, whole numbers. Where a table has no such column, a role is the row's place, from 0.
    """

    def predict_step(self, batch: Mapping[str, Any], /) -> Mapping[str, Any]:
        """``row`` (B,), the batch's own, and what is told of each row: tensors whose first axis is rows, or lists.

        Rows that the encoding cut into several pieces come as several, under the same number.
        """

    def answer(self, found: Mapping[str, Any], /, *, with_scores: bool) -> Mapping[str, Sequence[Any]]:
        """What all batches of some rows told, numpy arrays or lists in the order of the rows -> ``answer_schema``.

        ``found["rows"]`` are the rows as they were given, a table of the roles that the model reads.
        One value for each row. A tuple of texts is joined by the data's separator of labels.
        """

    def answer_schema(self, *, with_scores: bool) -> pa.Schema:
        """Names and types of the columns that are added to the user's; numbers of type float64 are rounded."""


class Shows(Protocol):
    """A task, or a module of its learner, that shows more of the model than numbers."""

    def exhibits(self, split: str, /) -> Sequence[Exhibit]:
        """After each validation (``validation``) and after the test (``test``), on all ranks; random states are kept.

        Those of the test stand in the report, those of the validations as a series of each title.
        """


class OptimizerFactory(Protocol):
    """A module, or its parameters -> optimizer and schedule, as Lightning's ``configure_optimizers`` wants them.

    Of a module it knows which parameters are biases, which layer they stand in: hand over the module.
    """

    def __call__(self, parameters: Any, /, part: str = "") -> dict[str, Any]:
        """``part`` names one of several optimizers, whose values ``optimizer.parts.<part>`` may override."""


@dataclass(frozen=True)
class Placement:
    """Where a run trains: Lightning's accelerator, devices, strategy and precision; CPU threads; why it was chosen.

    Attributes:
        compile: whether torch compiles the learner.
        gradient_checkpointing: whether a trunk that can, recomputes its activations in the backward pass.
        attention: a trunk's implementation of attention, by transformers' name (``sdpa``, ``eager`` …), or its own.
    """

    accelerator: str
    devices: int
    precision: str
    strategy: str
    threads: int
    why: str
    num_nodes: int = 1
    compile: bool = False
    gradient_checkpointing: bool = False
    attention: str | None = None

    @property
    def world_size(self) -> int:
        """Processes that share a batch."""
        return self.devices * self.num_nodes


@dataclass(frozen=True)
class RunInfo:
    """What callbacks and trackers may know of the run they serve.

    Attributes:
        directory: the run directory.
        run_id: six hex digits, the end of the directory's name, or what a trial's sweep gave it: stable over resumes.
        config: the composed config, plain values, secrets masked.
        resumed: whether this process goes on from a checkpoint.
        resumed_step: the optimizer step of that checkpoint, 0 for a new run.
        objective: metric name on validation, ``validation/accuracy``.
        direction: ``max`` or ``min``.
        group: of a sweep's trial: what the sweep is called among all.
        job_type: ``trial`` of one.
        label: what differs from the sweep's other trials.
        words: the same as words of a command line.
    """

    directory: Path
    name: str
    run_id: str
    config: Mapping[str, Any]
    objective: str = ""
    direction: str = "max"
    resumed: bool = False
    resumed_step: int = 0
    group: str = ""
    job_type: str = ""
    label: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Baseline:
    """What a simple model reaches on the rows that a task was tested on.

    Attributes:
        name: what it is, for people.
        metrics, intervals: as a task's ``test_metrics`` and ``test_intervals``.
        predictions: as a task's ``predictions()``.
    """

    name: str
    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    predictions: Mapping[str, Any]


class Tracker(Protocol):
    """A sink for metrics. It must never stop or delay training: what it cannot take, it drops and says so once.

    One that has a method ``attach(page: str)`` is given the run's report, as HTML, before the end: without the data's
    own texts, unless it says ``texts = True``.
    """

    def start(self, run: RunInfo, /) -> str:
        """Begin (or go on, after a resume); returns one line for people, or ``""``."""

    def log(self, metrics: Mapping[str, float], step: int, /) -> None:
        """Metrics of one optimizer step."""

    def finish(self, outcome: Outcome, /) -> str:
        """End with the run's outcome; returns one line for people (where to look, how to sync), or ``""``."""
