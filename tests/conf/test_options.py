"""Every option of every group, found by looking at ``conf/``: composed, checked, built, and one step of training.

A new yaml gets these tests by being there. It passes if it fits at least one of the CONTEXTS; a value that it demands
(``???``) is to be named in GIVEN.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import transformers as hf
import yaml

from conf.toy_data import (
    write_answered,
    write_asked,
    write_data_root,
    write_images,
    write_pairs,
    write_rows,
    write_table,
    write_tagged,
    write_text,
)
from data.examples import FILES
from espalier.config.check import check
from espalier.config.compose import Experiment, compose
from espalier.config.dimensions import spelled
from espalier.config.saved import write
from espalier.core.errors import UserError
from espalier.core.machine import probe
from espalier.core.rundir import create
from espalier.model.source import locate
from espalier.run.fit import run
from espalier.run.stop import Stop
from model import checkpoints

CONF = Path(__file__).resolve().parents[2] / "conf"
OF_SWEEPS = {"sweep", "search", "pruning", "launcher", "space"}
OPTIONS = sorted(
    file
    for file in CONF.rglob("*/*.yaml")
    if not file.name.startswith("_") and file.relative_to(CONF).parts[0] not in OF_SWEEPS
)

# What an option is tried in, the cheapest first: texts learned from scratch, a pretrained encoder, images; rows with
# any number of labels.
CONTEXTS = (
    {"data": "support_intents", "model": "lstm", "adapter": "full"},
    {"data": "support_intents", "model": "minilm", "adapter": "probe"},
    {"data": "mnist", "model": "mlp", "adapter": "full"},
    {"data": "mnist", "model": "vit", "adapter": "probe"},
    {"data": "jsonl", "data.path": "many.jsonl", "model": "lstm", "adapter": "full"},
    {"data": "wnut17", "model": "lstm", "adapter": "full"},
    {"data": "news_tone", "model": "lstm", "adapter": "full"},
)
# What no check of the words alone can tell: an adapter that is for transformers is refused when the model is built.
ONLY_IN = {f"adapter={name}": CONTEXTS[1] for name in ("layers", "p_tuning", "prefix", "prompt", "side")}
ONLY_IN["task=multi_head"] = CONTEXTS[-1]
ONLY_IN["task=gan"] = {"data": "mnist", "model": "gan", "adapter": "full", "trainer.gradient_clip_val": "null"}
RUNNING_TEXT = {"data": "shakespeare", "model": "gpt", "adapter": "full"}
ONLY_IN |= dict.fromkeys(("data=text_file", "data=shakespeare", "task=language_modelling"), RUNNING_TEXT)
TRANSLATED = {"data": "multi30k", "model": "encoder_decoder", "adapter": "full"}
WRITERS = ("data=multi30k", "data=pairs", "model=encoder_decoder", "model/encoding=joint_bpe", "task=translation")
ONLY_IN |= dict.fromkeys(WRITERS, TRANSLATED)
ONLY_IN |= {
    "model=seq2seq": TRANSLATED,
    "model/encoding=both_sides": {**TRANSLATED, "model": "seq2seq", "model.source": "org/t5-small"},
}
ANSWERED = {"data": "subjqa", "model": "minilm", "adapter": "probe"}
ONLY_IN |= dict.fromkeys(("data=squad", "data=subjqa", "task=reading"), ANSWERED)
ONLY_IN |= {key: {**ANSWERED, "data": "wikitext"} for key in ("data=wikitext", "task=masked_language_modelling")}
ASKED = {"data": "alpaca", "model": "causal_lm", "model.source": "org/Llama-3.2-1B", "adapter": "lora"}
CHATS = ("data=alpaca", "data=instructions", "model=causal_lm", "model/encoding=chat", "task=instruction_tuning")
ONLY_IN |= dict.fromkeys(CHATS, ASKED)
STORIES = "weights-stories260k"
# In place of MiniLM's weights, for all but its own option: narrow, with room for the longest windows, and more layers
# than adapter=layers trains.
ENCODER = {
    "num_hidden_layers": 3, "hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 48,
    "max_position_embeddings": 512,
}  # fmt: skip
WITHOUT_INTERVALS = ("task=gan", "experiment=mnist_gan")
ELSEWHERE = {"hardware": "cpu", "tracking": "none"}
SMALL = (
    "data.limit=48", "data.batch_size=8", "trainer.max_epochs=1", "trainer.limit_train_batches=1",
    "trainer.limit_val_batches=1", "task.bootstrap=8",
)  # fmt: skip
A_TABLE = {
    **FILES, "_target_": "espalier.data.csv.Csv", "path": "table.csv", "encoding": "utf-8", "delimiter": None,
}  # fmt: skip
GIVEN = {
    "data=csv": {"data.path": "table.csv"},
    "data=jsonl": {"data.path": "rows.jsonl"},
    "data=parquet": {"data.path": "rows.parquet"},
    "data=tokens": {"data.path": "tagged.jsonl"},
    "data=joint": {"data.sources": spelled({"mood": A_TABLE, "other": A_TABLE})},
    "data=folder": {"data.path": "images"},
    "data=hub": {"data.source": "./hub"},
    "data=text_file": {"data.path": "book.txt"},
    "data=squad": {"data.path": "answered.jsonl"},
    "data=instructions": {"data.path": "asked.jsonl"},
    "data=pairs": {"data.path": "pairs.tsv"},
    "model=causal_lm": {"model.source": "org/Llama-3.2-1B"},
    "model=hub": {"model.source": "org/bert-base-uncased"},
    "model=seq2seq": {"model.source": "org/t5-small"},
}
each_option = pytest.mark.parametrize("option", OPTIONS, ids=lambda file: str(file.relative_to(CONF)))


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny checkpoints under the names by which the presets look for theirs."""
    root = tmp_path_factory.mktemp("models")
    for family in checkpoints.FAMILIES:
        checkpoints.write(root, family)
    checkpoints.llama(root / STORIES)
    minilm = root / yaml.safe_load((CONF / "model" / "minilm.yaml").read_text())["source"].rpartition("/")[2]
    tokenizer = checkpoints.word_pieces()
    checkpoints.both(minilm, tokenizer, lambda size: hf.BertModel(hf.BertConfig(vocab_size=size, **ENCODER)))
    return root


@pytest.fixture(scope="session")
def toy_files(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Path:
    """Tables, texts and images, and a data root with the real sets' formats; they are only read."""
    root = tmp_path_factory.mktemp("toy")
    write_data_root(root / "data")
    (root / "data" / STORIES).symlink_to(models / STORIES)
    write_table(root / "table.csv", 96, "text,label")
    write_table(root / "hub" / "train.csv", 96, "text,label")
    write_rows(root, 96)
    write_images(root / "images", 48)
    write_tagged(root / "tagged.jsonl", 64)
    write_text(root / "book.txt", 96)
    write_answered(root / "answered.jsonl", 64)
    write_asked(root / "asked.jsonl", 64)
    write_pairs(root / "pairs.tsv", 96, "source\ttarget")
    return root


@pytest.fixture(autouse=True)
def toy_data(tmp_path: Path, models: Path, toy_files: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A working folder with links to the toy files."""
    for entry in toy_files.iterdir():
        (tmp_path / entry.name).symlink_to(entry)
    monkeypatch.setenv("ESPALIER_MODELS", str(models))
    monkeypatch.setenv("ESPALIER_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    locate.cache_clear()
    yield
    locate.cache_clear()


@each_option
@pytest.mark.slow
def test_option_takes_one_step(option: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_machine(option)
    if choice(option) == "model=minilm":
        monkeypatch.delenv("ESPALIER_MODELS")  # its own weights, from the embedded package
    experiment = fitting(option)
    assert choice(option) in experiment.overrides
    directory = create(tmp_path / "outputs", "one_step")
    write(experiment, directory)
    if has_ranks(option):  # these are started by the first one's command line: it must be the real one
        subprocess.run([sys.executable, "-m", "espalier.run", directory], check=True, capture_output=True)
    else:
        with Stop(directory) as stop:
            run(experiment, directory, stop, resume=False)
    outcome = json.loads((directory / "outcome.json").read_text())
    assert (outcome["status"], outcome["error"]) == ("done", "")
    assert outcome["steps"] >= 1
    objective = outcome["objective"].removeprefix("validation/")
    split = "test" if outcome["data"]["counts"].get("test") else "validation"
    assert 0 <= outcome["metrics"][f"{split}/{objective}"] <= (1 if objective != "loss" else 12)


def fitting(option: Path) -> Experiment:
    """The option in the first context that it fits."""
    refusals = []
    for overrides in attempts(option):
        try:
            experiment = compose(overrides)
            check(experiment)
        except UserError as error:
            refusals.append(f"{' '.join(overrides)}\n  {error}")
        else:
            return experiment
    return pytest.fail("it fits nowhere:\n" + "\n".join(refusals))


def attempts(option: Path) -> Iterator[list[str]]:
    """Overrides to try. A preset chooses its options itself, so nothing is chosen beside it."""
    demanded = [f"{key}={GIVEN[choice(option)][key]}" for key in demands(option)]
    preset = option.read_text().startswith("# @package _global_")
    contexts = (ONLY_IN[choice(option)],) if choice(option) in ONLY_IN else CONTEXTS
    for context in ({},) if preset else contexts:
        chosen = {k: name for k, name in (context | ELSEWHERE).items() if k.partition(".")[0] != group_of(option)}
        words = [f"{group}={name}" for group, name in chosen.items()]
        small = [word for word in SMALL if word != "task.bootstrap=8" or choice(option) not in WITHOUT_INTERVALS]
        yield [*words, choice(option), *demanded, *small]


def has_ranks(option: Path) -> bool:
    """Whether it may train in several processes, or on a GPU, which this process shall not hold."""
    alone = ("cpu",) if probe().gpus else ("cpu", "auto")
    return group_of(option) == "hardware" and option.stem not in alone


def choice(option: Path) -> str:
    return f"{group_of(option)}={option.stem}"


def group_of(option: Path) -> str:
    return str(option.parent.relative_to(CONF))


def demands(option: Path) -> list[str]:
    """Keys of the option that have no value of their own."""
    content = yaml.safe_load(option.read_text()) or {}
    return [f"{group_of(option).replace('/', '.')}.{key}" for key, value in content.items() if value == "???"]


def require_machine(option: Path) -> None:
    if choice(option) == "optimizer=adamw_8bit":
        pytest.importorskip("bitsandbytes", reason="needs the extra espalier[gpu]")
    if choice(option) in ("hardware=gpu", "hardware=ddp", "hardware=fsdp") and not probe().gpus:
        pytest.skip("needs an NVIDIA GPU")
    if choice(option) == "hardware=mps" and not probe().apple_gpus:
        pytest.skip("needs an Apple GPU")
    if choice(option) in ("hardware=ddp_cpu", "hardware=fsdp_cpu") and probe().cpus < 2:
        pytest.skip("needs two CPU cores")
