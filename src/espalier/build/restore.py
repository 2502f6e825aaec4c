"""A trained run as live parts again, without its data; and a new run that begins with what another one learned."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytorch_lightning as pl
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.utilities.seed import isolate_rng
from torch import nn

from espalier.build.instantiate import instantiate
from espalier.build.optimizers import Optimizers
from espalier.build.placed import placed
from espalier.build.transfer import merge, read_weights, require_merged, take_up
from espalier.config.check import check
from espalier.config.compose import Experiment
from espalier.config.saved import read
from espalier.core.errors import ConfigError, CorruptError, Fault, UserError
from espalier.core.facts import DataFacts, Raw
from espalier.core.files import sha256_of
from espalier.core.home import expanded
from espalier.core.parts import Encoding, Judged, Placement
from espalier.core.rundir import read_facts, read_outcome, shown, typed, weights_file
from espalier.core.trial import read_trial
from espalier.state import folder
from espalier.state.frozen import left_out
from espalier.state.store import Saved, Store

PARTS = ("model", "adapter", "task")
MODEL = "model"
BASE = "./base"  # beside an adapter's files, in model/: what it belongs to, where that lies nowhere else
_COMMIT = re.compile(r"^hub \S+ @([0-9a-f]{40})$")
_MARK = re.compile(r"(\(sha256 |\(step |@)[\w,]+\)?$")  # the end of an origin: which weights they are


@dataclass(frozen=True)
class Restored:
    """A run's model, as it was at a checkpoint.

    Attributes:
        directory: of the run.
        experiment: as it was composed.
        facts: of the data that it was trained on.
        encoding: as it was fitted.
        task: in evaluation mode, with the checkpoint's weights.
        placement: one device of where it is to work.
        step: the checkpoint's optimizer step.
    """

    directory: Path
    experiment: Experiment
    facts: DataFacts
    encoding: Encoding
    task: pl.LightningModule
    placement: Placement
    step: int


def restore(
    directory: Path,
    *,
    checkpoint: Literal["best", "last"] = "best",
    hardware: DictConfig | None = None,
    task: DictConfig | None = None,
) -> Restored:
    """Build a run's model again from its directory; its data are not looked at.

    Args:
        directory: of a run that is done.
        checkpoint: the best one by the task's objective (the last where none is marked), or the last.
        hardware, task: checked nodes that take the place of the run's own.

    Raises:
        UserError: no run directory; one of an earlier version, without a checkpoint, or whose encoding cannot load; or
            the weights that its checkpoints leave out are no longer there.
        TrustError: its config names code that is neither ours nor trusted.
        CorruptError: a checkpoint that does not verify.
    """
    experiment = read(directory)
    check(experiment, only=PARTS if hardware is not None else (*PARTS, "hardware"))
    config = experiment.config
    facts = read_facts(directory)
    saved = _checkpoint(directory, checkpoint)
    placement = one_device(instantiate(config.hardware if hardware is None else hardware))
    pin(config, str(read_outcome(directory).summary.get("weights", "")))
    encoding: Encoding = instantiate(config.model.encoding, facts)
    _load(encoding, directory, experiment)
    backbone = instantiate(config.model, facts, encoding=encoding)
    gone = config.get("weights") is not None and not Path(config.weights).exists()
    if not gone:
        begin(backbone, config.get("weights"))
    learner = placed(instantiate(config.adapter, backbone, facts), placement)
    optimizers = Optimizers(config.optimizer, config.scheduler, facts.total_steps)
    learned = instantiate(config.task if task is None else task, learner, facts, optimizers)
    if left_out(learned) and not gone:
        _require_same(backbone, directory)
    weights = folder.read_weights(saved.path)
    if gone and any(name not in weights for name, _ in learned.named_parameters()):
        truth = f"is no longer there, and {shown(directory)} has only what it trained itself."
        raise UserError(Fault(f"weights={config.weights}", truth, "Put it back where it was."))
    learned.load_state_dict(weights, strict=False)
    return Restored(directory, experiment, facts, encoding, learned.eval(), placement, saved.step)


def appoint(task: Any) -> None:
    """Let a task have the judge that it names, by the best weights of that run; its own random numbers stay the same.

    Raises:
        UserError: it is a file of weights, or of other data; see ``restore``.
    """
    if not isinstance(task, Judged) or task.judge is None:
        return
    directory = expanded(task.judge)
    if directory.is_file():
        raise ConfigError(
            Fault(f"task.judge={task.judge}", "is weights alone.", "Name the directory of a trained run.")
        )
    with isolate_rng():
        judge = restore(directory).task
    task.appoint(judge.requires_grad_(False))


def one_device(placement: Placement) -> Placement:
    """The same kind of device, one of it, for work without training."""
    return replace(placement, devices=1, num_nodes=1, strategy="auto", gradient_checkpointing=False)


def fit(encoding: Encoding, raw: Raw, facts: DataFacts, weights: str | None) -> None:
    """Let an encoding learn from the training rows; or take up what it learned for the run that a new one begins with.

    Raises:
        ConfigError: that run read other columns, or images of another size; or the weights are a file, and the encoding
            learned a vocabulary that need not be theirs.
    """
    before = encoding.fingerprint()
    alone = weights is not None and weights_file(Path(weights))
    if weights is None or alone or _target(encoding) != _encoding_of(Path(weights)):
        encoding.fit(raw)
        if alone and encoding.fingerprint() != before:
            truth = "are weights alone, and this model learns a vocabulary from its data: the words would be others."
            raise ConfigError(Fault(f"weights={weights}", truth, "Name the run directory that they come from."))
        return
    _load(encoding, Path(weights), read(Path(weights)))
    there = read_facts(Path(weights))
    if encoding.fingerprint() != before and (there.inputs, there.shape) != (facts.inputs, facts.shape):
        truth = f"read {_input(there)}, and this data has {_input(facts)}."
        raise ConfigError(Fault(f"weights={weights}", truth, "Give it the same columns."))


def begin(backbone: nn.Module, weights: str | None) -> None:
    """Let a backbone begin with the best weights of a run (what its adapter learned is added in), or with a file's.

    Its ``origin`` says so from then on, and an adapter's files will name ``BASE`` as what they belong to.

    Raises:
        ConfigError: they are of another model, or of an adapter that has no place in a model's weights.
        UserError: see ``restore``; a checkpoint that does not verify.
    """
    if weights is None:
        return
    module: Any = backbone
    if hasattr(module, "name_base"):
        module.name_base(BASE, "main")
    path = Path(weights)
    if file := weights_file(path):
        take_up(backbone, read_weights(file), path, path.name)
        module.origin = f"file {file} (sha256 {sha256_of(file)[:12]})"
        return
    try:
        other = restore(path)
    except CorruptError as error:
        raise ConfigError(Fault(f"weights={weights}", f"cannot be read: {error}.", "Name another run.")) from error
    learner = merge(getattr(other.task, "learner"))  # noqa: B009  # what Lightning's class does not say
    require_merged(learner)
    take_up(backbone, learner.state_dict(), path, f"model={other.experiment.choices['model']}")
    module.origin = f"run {path} (step {other.step:,})"


def save_base(experiment: Experiment, facts: DataFacts, encoding: Encoding, origin: str, folder: Path) -> str:
    """The model that an adapter's files belong to, into ``base/`` beside them, if it began with other weights than its
    source has; built once more, since an adapter stands within the one that was trained.

    Args:
        origin: of the model that was trained.

    Returns:
        Why it is not there, for people; ``""`` where it is, or is not needed.
    """
    config = experiment.config
    if config.get("weights") is None or not (folder / "adapter_config.json").exists():
        return ""
    backbone: Any = instantiate(config.model, facts, encoding=encoding)
    if not hasattr(backbone, "name_base"):
        return ""
    try:
        begin(backbone, config.weights)
    except UserError as error:
        return f"model/ has no base/: {error}"
    if backbone.origin != origin:
        return f"model/ has no base/: the adapter was trained beside {origin}, and now there are {backbone.origin}"
    (folder / BASE).mkdir()
    backbone.save(folder / BASE)
    return ""


def _checkpoint(directory: Path, wanted: Literal["best", "last"]) -> Saved:
    store = Store(directory / "checkpoints")
    found = (store.best() if wanted == "best" else None) or store.newest()
    if found is None:
        truth = "kept no checkpoint: there is nothing to take its weights from."
        remedy = f"Train it again with the callback checkpoint:  {typed('train --rerun', directory)}"
        raise UserError(Fault(str(directory), truth, remedy))
    return found


def _require_same(backbone: Any, directory: Path) -> None:
    """What was trained beside frozen weights means nothing beside others; where these lie now is no matter."""
    now, before = str(backbone.origin), str(read_outcome(directory).summary.get("weights", ""))
    mine, theirs = _MARK.search(now), _MARK.search(before)
    if mine and theirs and mine[1] == theirs[1] and mine[0] != theirs[0]:
        truth = f"was trained beside the frozen weights of {before}, and there are those of {now} now."
        raise UserError(Fault(str(directory), truth, "Put them back, or train it again."))


def pin(config: DictConfig, weights: str) -> None:
    """Let a model of the hub be taken at the commit that it was trained at, whatever branch was asked for then.

    Args:
        config: of a run; its model node is changed.
        weights: what the run's outcome says of them.
    """
    if (commit := _COMMIT.search(weights)) and "revision" in config.model:
        OmegaConf.update(config, "model.revision", commit[1])


def _load(encoding: Encoding, directory: Path, experiment: Experiment) -> None:
    if read_trial(directory) and not (directory / MODEL).exists():
        _learn_again(encoding, directory, experiment)
        return
    if not hasattr(encoding, "load"):
        truth = f"cannot be used again: its encoding, {_target(encoding)}, has no load(folder)."
        raise UserError(Fault(str(directory), truth, "Give it one that reads what its save(folder) wrote."))
    try:
        encoding.load(directory / MODEL)
    except Exception as error:  # tokenizers raises nothing more special
        truth = f"does not hold what its encoding saved: {type(error).__name__}: {error}."
        raise UserError(Fault(str(directory / MODEL), truth, typed("train --rerun", directory))) from error


def _learn_again(encoding: Encoding, directory: Path, experiment: Experiment) -> None:
    """A sweep's trial keeps weights and no ``model/``: what its encoding learned, the same rows teach again."""
    before = read_outcome(directory).data.get("fingerprint")
    check(experiment, only=("data",))
    raw: Raw = instantiate(experiment.config.data).read()
    if raw.fingerprint != before:
        truth = f"is a sweep's trial, which keeps no {MODEL}/, and its rows are no longer those it was trained on."
        raise UserError(
            Fault(str(directory), truth, f"Put them back, or train it:  {typed('train --rerun', directory)}")
        )
    encoding.fit(raw)


def _encoding_of(directory: Path) -> str:
    return str(read(directory).config.model.encoding.get("_target_"))


def _target(encoding: Encoding) -> str:
    return f"{type(encoding).__module__}.{type(encoding).__qualname__}"


def _input(facts: DataFacts) -> str:
    shape = f" of {' x '.join(map(str, facts.shape))}" if facts.shape else ""
    return f"{' and '.join(facts.inputs) or 'nothing'}{shape}"
