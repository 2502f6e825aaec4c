from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from config.conftest import Answers
from espalier.config import foreign_words
from espalier.config.compose import compose
from espalier.config.foreign_words import option_remedy, range_remedy, renamed, setting_remedy, value_remedy
from espalier.config.layers import flatten
from espalier.config.sources import shipped


@pytest.fixture(scope="module")
def tree() -> dict[str, Any]:
    return compose([]).values


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("num_train_epochs", "trainer.max_epochs"),
        ("optimizer.learning_rate", "optimizer.lr"),
        ("adapter.r", "adapter.rank"),
        ("paths.output_dir", "output"),
        ("callback.r", None),
        ("optimizer.lr", None),
    ],
)
def test_what_has_another_name_here(tree: dict[str, Any], theirs: str, ours: str | None) -> None:
    assert renamed(theirs, [key for key, _ in flatten(tree)]) == ours


@pytest.mark.parametrize(
    ("key", "value", "ours"),
    [
        ("gpus", "2", "Write  hardware=gpu hardware.devices=2"),
        ("trainer.devices", "2", "Write  hardware=gpu hardware.devices=2"),
        ("device", "cuda:0", "Write  hardware=gpu"),
        ("device", "cpu", "Write  hardware=cpu"),
        ("strategy", "ddp", "Write  hardware=ddp"),
        ("bf16", "true", "Write  hardware.precision=bf16-mixed"),
        ("micro_batch_size", "4", "Write  data.batch_size=4 , which is global"),
        ("trainer.gradient_accumulation", "2", "Write  trainer.accumulate_grad_batches=2 ,"),
        ("ckpt_path", "last.ckpt", "espalier train --resume RUN"),
        ("wandb", "false", "Write  tracking=none"),
        ("logger", "csv", "Write  tracking=csv"),
        ("train", "false", "espalier evaluate run=RUN"),
        ("trials", "10", "Write  -m sweep.trials=10"),
        ("trainer.fast_dev_run", "true", "Write  debug=one_batch"),
        ("model.name", "bert-base-uncased", "Write  model=bert"),
        ("base_model", "ORG/NAME", "Write  model=hub model.source=ORG/NAME"),
        ("data.name", "imdb", "Write  data=imdb"),
        ("data.train_file", "a.jsonl", "Write  data=jsonl data.path=a.jsonl"),
        ("dataset", "ORG/NAME", "Write  data=hub data.source=ORG/NAME"),
        ("data.val_path", "b.csv", "Write  data=csv data.validation_path=b.csv"),
        ("lora_r", "", "Write  adapter=lora adapter.rank=…"),
        ("sweep.r", "1", ""),
        ("nothing", "1", ""),
    ],
)
def test_what_is_said_otherwise_here(tree: dict[str, Any], key: str, value: str, ours: str) -> None:
    said = setting_remedy(key, value, tree)
    assert ours in said and bool(ours) == bool(said)


def test_who_tunes_a_language_model_goes_on_with_one() -> None:
    assert setting_remedy("base_model", "a/b", {"model": {"_target_": "espalier.model.causal_lm.CausalLm"}}) == (
        "Write  model=causal_lm model.source=a/b"
    )


@pytest.mark.parametrize(
    ("group", "name", "remedy", "meant"),
    [
        ("adapter", "qlora", "Write  model.quantize=4bit adapter=lora", "adapter=lora"),
        ("callback", "none", "Write  callback=[]", "callback=[]"),
        ("trainer", "gpu", "Write  hardware=gpu", ""),
        ("model", "roberta-base", "Write  model=roberta", "model=roberta"),
        ("model", "gpt-2", "Write  model=gpt2", "model=gpt2"),
        ("model", "org/name-7b", "Write  model=hub model.source=org/name-7b", "model=hub"),
        ("model", "./mine", "Write  model=hub model.source=./mine", "model=hub"),
        ("data", "my.tsv", "Write  data=csv data.path=my.tsv", "data=csv"),
        ("task", "regression", "Numbers are no targets here: make classes of them, for  task=classification", ""),
        ("model", "xyz", "", ""),
    ],
)
def test_options_of_others(group: str, name: str, remedy: str, meant: str) -> None:
    found = option_remedy(group, name)
    assert found[0] == remedy and (found[1] == meant or group == "task")


def test_values_and_ranges_of_others() -> None:
    allowed = ("auto", "32-true", "bf16-mixed", "16-mixed")
    assert value_remedy("hardware.precision", "16", allowed, gpus=True) == "16-mixed"
    assert value_remedy("hardware.precision", "16", allowed, gpus=False) == "bf16-mixed"
    assert value_remedy("hardware.precision", "fp16", allowed[:3], gpus=True) == "bf16-mixed"
    assert value_remedy("trainer.x", "16", allowed, gpus=True) == ""
    assert (
        range_remedy("a", "tune.loguniform(1,2)")
        == range_remedy("a", "uniform(1,2)")
        == ("Write  'a=interval(1,2)'  with -m")
    )
    assert range_remedy("a", "fast") == ""


def test_every_word_of_ours_is_there() -> None:
    there = {key for words in ([], ["data=csv", "hardware=ddp"]) for key, _ in flatten(compose(words).values)}
    there |= {f"sweep.{name}" for name in compose([], root="multirun").values["sweep"]}
    for word in words_of_ours():
        key, _, option = word.partition("=")
        named = [name for name in option.strip("[]").split(",") if name and name[0] != "{"]
        if (shipped() / key).is_dir():
            assert all((shipped() / key / f"{name}.yaml").is_file() for name in named), word
        else:
            assert key in there, word


def words_of_ours() -> Iterator[str]:
    tables = (foreign_words._BY_VALUE, foreign_words._OPTIONS)
    said = [*foreign_words._SAME, *(text for table in tables for values in table.values() for text in values.values())]
    for text in (text for text in said if not text[0].isupper() or "task=" in text):
        words = text.replace("[", " ", text[0] == "[").replace("] ", " ").split(" ,")[0].split()
        yield from (word for word in words if "=" in word or text in foreign_words._SAME)


def test_the_answers_of_a_command_line(answers: Answers) -> None:
    drawn = "optimizer.lr=loguniform(1e-5,1e-2)"
    found = answers("epochs=3", "adapter=none", "hardware.precision=fp32", drawn, "+gpus=1", "foo=1")
    assert found.pop("foo=1").remedy.endswith("name, output, vars, experiment, debug.")
    assert {what: fault.remedy for what, fault in found.items()} == {
        "epochs=3": "Did you mean  trainer.max_epochs ?",
        "adapter=none": "Write  adapter=full",
        "hardware.precision=fp32": "Did you mean  hardware.precision=32-true ?",
        drawn: "Write  'optimizer.lr=interval(1e-5,1e-2)'  with -m",
        "+gpus=1": "Write  hardware=gpu hardware.devices=1",
    }
