"""Words of other tools (transformers, PEFT, Lightning's templates, LLaMA-Factory, Axolotl …), and ours for them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from espalier.config.sources import shipped
from espalier.config.tree import at

# Ours -> theirs, where a value means the same; an option in brackets is needed where the setting is not there yet.
_SAME = {
    "trainer.max_epochs": "epochs num_epochs num_train_epochs n_epochs",
    "trainer.gradient_clip_val": "max_grad_norm grad_clip gradient_clipping clip_grad_norm",
    "trainer.log_every_n_steps": "logging_steps log_interval",
    "trainer.val_check_interval": "eval_steps eval_interval",
    "optimizer.lr": "learning_rate",
    "optimizer.eps": "adam_epsilon",
    "scheduler.warmup": "warmup_steps warmup_ratio num_warmup_steps",
    "data.max_length": "cutoff_len max_seq_length max_seq_len max_len sequence_len sequence_length seq_len",
    "data.eval_batch_size": "per_device_eval_batch_size val_batch_size",
    "data.num_workers": "dataloader_num_workers",
    "data.limit": "max_samples max_train_samples",
    "[data={file}] data.validation_path": "val_path val_file validation_file eval_file",
    "[data={file}] data.test_path": "test_file",
    "[adapter=lora] adapter.rank": "r lora_r lora_rank",
    "[adapter=lora] adapter.alpha": "lora_alpha",
    "[adapter=lora] adapter.dropout": "lora_dropout",
    "[adapter=lora] adapter.target": "target_modules lora_target lora_target_modules",
    "hardware.compile": "torch_compile",
    "hardware.attention": "attn_implementation",
    "[hardware=ddp] hardware.num_nodes": "num_nodes nnodes",
    "[tracking=wandb] tracking.wandb.project": "wandb_project",
    "[tracking=wandb] tracking.wandb.tags": "tags",
    "output": "output_dir out_dir save_dir log_dir",
    "name": "run_name task_name experiment_name",
    "seed": "random_seed random_state seed_everything",
}
_ACCUMULATE = "trainer.accumulate_grad_batches={} , whose micro-batches are shares of data.batch_size"
_BATCH = "data.batch_size={} , which is global: all devices and micro-batches of an optimizer step together"
_RESUME = "Go on with a run of ours:  espalier train --resume RUN"
_OFF = dict.fromkeys(("false", "none", "null", "disabled", "[]"), "tracking=none")
# Theirs -> ours by the value, "" for any other one.
_BY_VALUE: dict[str, dict[str, str]] = {
    "gradient_accumulation_steps gradient_accumulation grad_accum": {"": _ACCUMULATE},
    "per_device_train_batch_size train_batch_size micro_batch_size per_gpu_batch_size": {"": _BATCH},
    "gpus num_gpus n_gpus": {"0": "hardware=cpu", "-1": "hardware=auto", "": "hardware=gpu hardware.devices={}"},
    "accelerator device": {
        "cpu": "hardware=cpu", "gpu": "hardware=gpu", "cuda": "hardware=gpu", "mps": "hardware=mps",
        "": "hardware=auto , or another of  espalier explain hardware",
    },
    "strategy": {
        "ddp": "hardware=ddp", "ddp_spawn": "hardware=ddp", "fsdp": "hardware=fsdp", "deepspeed": "hardware=fsdp",
        "": "hardware=auto , or another of  espalier explain hardware",
    },
    "fp16": {"false": "hardware.precision=32-true", "": "hardware.precision=16-mixed  on a GPU, bf16-mixed on a CPU"},
    "bf16": {"false": "hardware.precision=32-true", "": "hardware.precision=bf16-mixed"},
    "load_in_4bit": {"false": "model.quantize=null", "": "model.quantize=4bit"},
    "load_in_8bit": {"false": "model.quantize=null", "": "model.quantize=8bit"},
    "quantization_bit": {"": "model.quantize={}bit"},
    "logger report_to": {"wandb": "tracking=wandb", "csv": "tracking=csv", "tensorboard": "tracking=tensorboard",
                         **_OFF, "": "tracking=[wandb,csv]"},
    "wandb use_wandb": {**_OFF, "": "tracking=wandb"},
    "lr_scheduler_type": {"constant_with_warmup": "scheduler=constant", "": "scheduler={}"},
    "ckpt_path resume_from_checkpoint resume": {"": _RESUME},
    "hparams_search": {"": "-m sweep=tpe , or another of  espalier explain sweep"},
    "trials n_trials num_trials": {"": "-m sweep.trials={}"},
    "fast_dev_run": {"": "debug=one_batch"},
    "overfit_batches": {"": "debug=overfit"},
    "profiler": {"": "debug=profile"},
    "train": {"": "What a run is worth on a split:  espalier evaluate run=RUN"},
    "test": {"": "Leave it out: a run ends with its test."},
    "num_labels num_classes": {"": "Leave it out: the data tells."},
}  # fmt: skip
_MODELS = ("model_name", "model_id", "model_path", "name_or_path", "model_name_or_path", "base_model")
_DATA = ("dataset", "dataset_name", "dataset_path", "train_file", "train_path", "data_path", "data_files")
# Group -> a strange option -> ours for it.
_OPTIONS = {
    "adapter": {"qlora": "model.quantize=4bit adapter=lora", "none": "adapter=full", "null": "adapter=full"},
    "callback": {"none": "callback=[]", "null": "callback=[]"},
    "tracking": {"null": "tracking=none", "false": "tracking=none"},
    "scheduler": {"none": "scheduler=constant", "null": "scheduler=constant"},
    "hardware": {"cuda": "hardware=gpu", "deepspeed": "hardware=fsdp"},
    "trainer": {name: f"hardware={name}" for name in ("cpu", "gpu", "mps", "ddp", "fsdp")},
    "debug": {"fdr": "debug=one_batch", "fast_dev_run": "debug=one_batch", "profiler": "debug=profile"},
    "search": {"bayes": "search=tpe or search=gp", "bayesian": "search=tpe or search=gp", "optuna": "search=tpe"},
    "sweep": {"bayes": "sweep=tpe or sweep=gp", "bayesian": "sweep=tpe or sweep=gp", "optuna": "sweep=tpe"},
    "task": {
        "ner": "task=tagging", "token_classification": "task=tagging", "sft": "task=instruction_tuning",
        "clm": "task=language_modelling", "mlm": "task=masked_language_modelling", "qa": "task=reading",
        "question_answering": "task=reading", "seq2seq": "task=translation",
        "text_classification": "task=classification",
        "regression": "Numbers are no targets here: make classes of them, for  task=classification",
    },
}  # fmt: skip
_PRECISIONS = {
    "16": "16-mixed", "fp16": "16-mixed", "float16": "16-mixed", "half": "16-mixed", "bfloat16": "bf16-mixed",
    "32": "32-true", "fp32": "32-true", "float32": "32-true",
}  # fmt: skip
_OWN = ("sweep", "search", "pruning", "launcher", "callback", "vars")  # nodes whose names are of other things
_DRAWN = re.compile(r"(?:\w+\.)?(?:log_?)?uniform\((.*)\)")
_HUB_ID = re.compile(r"\w[\w.-]*/[\w.-]+")
_WEIGHTS = re.compile(rf"{_HUB_ID.pattern}|(?:\.{{1,2}}|~)?/.+|[A-Za-z][\w.]*-[\w.-]+")  # or a folder, or an id of old
_FILES = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".parquet": "parquet"}
_OPTION_NEEDED = re.compile(r"\[(.*?)\] (.*)")


def renamed(key: str, known: Collection[str]) -> str | None:
    """Our key, of those that are there, for one of another tool, where values mean the same."""
    ours = _OPTION_NEEDED.sub(r"\2", _OURS.get(_theirs(key), ""))
    return ours if ours in known else None


def setting_remedy(key: str, value: str, tree: Mapping[str, Any]) -> str:
    """What to write for a setting of another tool; nothing where it is none that we know.

    Args:
        key: as typed, with nodes of ours or theirs before the name.
        value: as typed; empty for none.
        tree: the experiment's values.
    """
    theirs = _theirs(key)
    if theirs in _MODELS or key == "model.name":
        return f"Write  {_model(value, tree)}"
    if theirs in _DATA or key in ("data.name", "data.files"):
        return f"Write  {_data(value)}"
    if option := _OPTION_NEEDED.fullmatch(_OURS.get(theirs, "")):
        return f"Write  {option[1]} {option[2]}={value or '…'}".replace("{file}", _FILES.get(_ending(value), "csv"))
    if theirs == "devices":
        alone = at(tree, "hardware.devices") if str(at(tree, "hardware._target_")).endswith((".auto", ".cpu")) else None
        return f"Write  {'hardware=gpu ' if alone else ''}hardware.devices={value or '…'}"
    if values := _VALUED.get(theirs):
        words = values.get(value.lower().partition(":")[0]) or values[""]
        return _written(words.replace("{}", value or "…"))
    return ""


def option_remedy(group: str, name: str) -> tuple[str, str]:
    """What to write for an option of another tool, and the option of the group that it chooses; nothing, if unknown."""
    words = _OPTIONS.get(group, {}).get(name.lower(), "")
    if group == "model" and _WEIGHTS.fullmatch(name):
        words = _model(name, {})
    elif group == "data" and (_ending(name) or "/" in name):
        words = _data(name)
    meant = next((word for word in words.split() if word.startswith(f"{group}=")), "")
    return _written(words), meant


def value_remedy(key: str, value: str, allowed: Collection[str], *, gpus: bool) -> str:
    """The allowed value that another tool's word stands for; nothing, if unknown."""
    if key != "hardware.precision":
        return ""
    ours = _PRECISIONS.get(value.lower(), "")
    return "bf16-mixed" if ours == "16-mixed" and (ours not in allowed or not gpus) else ours


def range_remedy(key: str, value: str) -> str:
    """What to write for a range as Optuna, Ray and W&B name it; nothing where a value is none."""
    found = _DRAWN.fullmatch(value)
    return f"Write  '{key}=interval({found[1]})'  with -m" if found else ""


def _theirs(key: str) -> str:
    """The name, whatever node it stands in; a sweep's settings and those of a callback are their own."""
    head, _, below = key.partition(".")
    return "" if below and head in _OWN else key.rpartition(".")[2]


def _written(words: str) -> str:
    return words if not words or words[0].isupper() else f"Write  {words}"


def _model(value: str, tree: Mapping[str, Any]) -> str:
    """The option of that name or of those weights, or else the one that takes any."""
    for file in _options("model") if value else ():
        source = str((yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("source", "")).lower()
        names = (file.stem.replace("_", ""), source.rpartition("/")[2], source)
        if value.lower() in names[1:] or value.lower().replace("-", "") == names[0]:
            return f"model={file.stem}"
    target = str(at(tree, "model._target_"))
    option = next((name for name in ("causal_lm", "seq2seq") if f".{name}." in target), "hub")
    return f"model={option} model.source={value or '…'}"


def _data(value: str) -> str:
    """The option of that name, or the hub's, or the one that reads such a file."""
    if value.lower() in [file.stem for file in _options("data")]:
        return f"data={value.lower()}"
    if _HUB_ID.fullmatch(value) and not _ending(value):
        return f"data=hub data.source={value}"
    return f"data={_FILES.get(_ending(value), 'csv')} data.path={value or '…'}"


def _options(group: str) -> list[Path]:
    return sorted((shipped() / group).glob("[a-z]*.yaml"))


def _ending(value: str) -> str:
    ending = Path(value.lower().removesuffix(".gz")).suffix
    return ending if ending in _FILES else ""


_OURS = {theirs: ours for ours, several in _SAME.items() for theirs in several.split()}
_VALUED = {theirs: values for several, values in _BY_VALUE.items() for theirs in several.split()}
