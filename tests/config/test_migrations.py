"""A run directory as the first version left it, written by hand; and what later settings stand for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from espalier.config.check import check
from espalier.config.compose import compose
from espalier.config.migrations import SCHEMA, migrated
from espalier.config.saved import read, rerun
from espalier.config.tree import plain

FIRST = """\
_target_: espalier.build.assemble.assemble
name: null
seed: 3
output: outputs
vars: {}
task:
  _target_: espalier.task.classification.Classification
  objective: accuracy
  label_smoothing: 0.1
  head_dropout: 0.0
  bootstrap: 1000
data:
  batch_size: 32
  eval_batch_size: 128
  limit: null
  split: {validation: 0.1, test: 0.1}
  max_length: 128
  num_workers: 0
  bucket: true
  _target_: espalier.data.support_intents.SupportIntents
  columns: {text: text, label: label}
model:
  encoding:
    _target_: espalier.model.encoding.pretrained.Pretrained
    source: ${model.source}
    revision: ${model.revision}
  _target_: espalier.model.minilm.MiniLm
  source: sentence-transformers/all-MiniLM-L6-v2
  revision: c9745ed1d9f207416be6d2e6f8de32d1f16199bf
  pooling: mean
  dropout: 0.2
adapter: {_target_: espalier.adapter.lora.lora, target: attention, rank: 8, alpha: 16, dropout: 0.0}
optimizer:
  _target_: espalier.optimizer.adamw.adamw
  lr: 0.001
  betas: [0.9, 0.999]
  eps: 1.0e-08
  weight_decay: 0.01
  parts: {}
scheduler: {_target_: espalier.scheduler.linear.linear, warmup: 0.1}
hardware: {_target_: espalier.hardware.cpu.cpu, devices: 1, precision: auto, threads: auto}
trainer:
  _target_: espalier.trainer.default.default
  max_epochs: 8
  max_steps: -1
  accumulate_grad_batches: 1
  gradient_clip_val: 1.0
  limit_train_batches: 1.0
  limit_val_batches: 1.0
  log_every_n_steps: 10
callback:
  checkpoint: {_target_: espalier.callback.checkpoint.Checkpoint, every_n_steps: null, every_minutes: 10}
  early_stopping: {_target_: espalier.callback.early_stopping.EarlyStopping, patience: 5, min_delta: 0.0}
tracking:
  wandb:
    {_target_: espalier.tracking.wandb.Wandb, project: espalier, entity: null, group: null, job_type: train, tags: [],
    mode: auto}
"""
ORIGIN = """\
schema: 1
choices: {task: classification, data: support_intents, model: minilm, adapter: lora, optimizer: adamw,
  scheduler: linear, hardware: cpu, trainer: default, tracking: wandb, callback: [checkpoint, early_stopping],
  experiment: null, debug: null}
overrides: [hardware=cpu, seed=3, 'callback=[checkpoint,early_stopping]', task.label_smoothing=0.1, model.dropout=0.2]
config_dirs: []
"""


@pytest.fixture
def first(tmp_path: Path) -> Path:
    directory = tmp_path / "outputs" / "mine" / "2026-11-24_22-00-00-3fa9c1"
    directory.mkdir(parents=True)
    (directory / "config.yaml").write_text(FIRST)
    (directory / "origin.yaml").write_text(ORIGIN)
    return directory


def test_a_run_of_the_first_version_is_one_of_this(first: Path) -> None:
    experiment = read(first)
    check(experiment)
    values = experiment.values
    assert values["weights"] is None
    assert values["model"]["_target_"] == "espalier.model.hub.Transformer" and values["model"]["dropout"] == 0.2
    assert values["model"]["encoding"]["source"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert values["optimizer"]["decay_vectors"] is True, "it decayed them"
    assert set(values["callback"]) == {"checkpoint", "early_stopping"}, "nothing is added that it did not choose"


def test_what_it_set_itself_stays(first: Path) -> None:
    before, after = yaml.safe_load(FIRST), plain(read(first).config)
    before["model"].pop("_target_")

    def kept(old: Any, new: Any) -> bool:
        return all(kept(v, new[k]) for k, v in old.items()) if isinstance(old, dict) else bool(old == new)

    assert kept(before, after)


def test_it_can_be_repeated_with_changes(first: Path) -> None:
    for words in (["seed=4"], ["model=lstm", "adapter=full"]):
        experiment = rerun(first, words)
        check(experiment)
        assert experiment.values["task"]["label_smoothing"] == 0.1


def test_its_files_are_left_as_they_are(first: Path) -> None:
    read(first)
    assert (first / "config.yaml").read_text() == FIRST


def test_a_config_of_this_version_is_not_touched() -> None:
    tree = plain(compose(["model=lstm", "callback=[checkpoint,ema]", "vars.a=1"]).config)
    assert migrated(tree, SCHEMA) == tree


def test_a_setting_that_came_later_takes_its_default_whatever_the_schema() -> None:
    tree = plain(compose(["optimizer=sgd"]).config)
    del tree["optimizer"]["layer_decay"], tree["callback"]["early_stopping"]["min_delta"]
    filled = migrated(tree, SCHEMA)
    assert filled["optimizer"]["layer_decay"] == 1.0 and filled["callback"]["early_stopping"]["min_delta"] == 0.0


def test_parts_of_others_are_left_to_the_check(tmp_path: Path) -> None:
    for target in ("os.system", "espalier.run.fit.run", "espalier.nowhere.Part", "my.parts.Net", 7, None):
        tree = {**plain(compose(["model=lstm"]).config), "adapter": {"_target_": target}}
        assert migrated(tree, SCHEMA)["adapter"] == {"_target_": target}
