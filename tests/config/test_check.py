from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from espalier.config.check import check
from espalier.config.compose import compose
from espalier.core.errors import ConfigError, Fault, TrustError
from espalier.core.machine import probe

Answers = Callable[..., dict[str, Fault]]
TYPED = {  # word -> what must stand in the answer, and what must be proposed
    "optimizer.lrr=1e-3": ('adamw has no setting "lrr"', "optimizer.lr "),
    "optimizer.lr=-1": ("must be > 0", ""),
    "trainer.gradient_clip_val=0": ("must be > 0, or null", "trainer.gradient_clip_val=null  for: none."),
    "trainer.limit_val_batches=0": ("must be int >= 1 or float > 0 and <= 1", ""),
    "tracking.wandb=false": ("must be a part", "tracking=[] "),
    "callback.progress=null": ("must be a part", "callback=[checkpoint,early_stopping,bad_steps,throughput] "),
    "optimizer.lr=abc": ("is not a number", "float > 0"),
    "optimizer.betas=3": ("is no list", ""),
    "optimizer.betas=[0.9]": ("needs 2 items", ""),
    "optimizer.foo=1": ('adamw has no setting "foo"', "It has: lr, betas"),
    "+optimizer.foo=1": ('adamw has no setting "foo"', "It has: lr, betas"),
    "~optimizer.lrr": ('adamw has no setting "lrr"', "~optimizer.lr"),
    "hardware.precision=bf17": ("is none of auto, 32-true", ""),
    "hardware.precision=b16-mixed": ("is none of", "hardware.precision=bf16-mixed"),
    "model=minlm": ("there is no such model", "model=minilm"),
    "callback=[checkpoint,progres]": ("no callback progres", "callback=[checkpoint,progress]"),
    "model=[lstm,mlp]": ("takes one option", "model=lstm"),
    "model=null": ("there is no such model", "gpt2, hub, llama"),
    "~callback": ("is a list of options", "callback=["),
    "~callback=progress": ("is a list of options", "callback=["),
    "~seed": ("is set by nothing", "seed="),
    "~scheduler": ("is set by nothing", "scheduler=…"),
    "~_target_": ("must be espalier.build.assemble.assemble", ""),
    "model@foo=lstm": ("where nothing reads it", "model=<option>"),
    "data=_common": ("there is no such data", "csv"),
    "optimzer=adamw": ('no setting "optimzer"', "optimizer=adamw"),
    "batch_size=3": ('no setting "batch_size"', "data.batch_size"),
    "seed.x=1": ('no setting "seed.x"', ""),
    "seed=0,1": ("names several values", "-m"),
    "seed=range(1,4)": ("names several values", "-m"),
    "+experiment=sst2_lora": ("chosen already", "experiment=sst2_lora"),
    "experiment=xyz": ("there is no such experiment", "ag_news_bag"),
    "hydra.foo=1": ('hydra has no setting "foo"', "It has: run"),
    "hydra.job.namee=1": ('hydra.job has no setting "namee"', "hydra.job.name"),
    "hydra.job.chdir=perhaps": ("is not a valid bool", ""),
    "callback.progres.line_seconds=2": ("is no part", "callback.progress"),
    "model._target_=nobody.Net": ("the package nobody, which you do not trust", "espalier trust nobody"),
    "model._target_=torch.load": ("can load and run anything", "package of yours"),
    "name=${optimizer.lrr}": ('refers to "optimizer.lrr"', "${optimizer.lr}"),
    "vars.x=[${oc.env:NOT_THERE_4}]": ("needs the variable NOT_THERE_4", "export NOT_THERE_4"),
    "data.path=[x": ("opens a bracket", "data.path='[x'"),
    "a.b": ("is no setting", "key=value"),
    "=3": ("sets nothing", "key=value"),
    "optimizer={lrr: 1}": ('adamw has no setting "lrr"', "optimizer.lr"),
}


def test_the_shipped_experiment_is_right(answers: Answers) -> None:
    assert answers() == {}


@pytest.mark.parametrize("word", TYPED, ids=str)
def test_one_wrong_word_gets_one_right_answer(answers: Answers, word: str) -> None:
    found = list(answers(word).values())
    truth, remedy = TYPED[word]
    assert len(found) == 1, found
    assert found[0].what.lstrip("~").partition("=")[0] in word
    assert truth in found[0].truth
    assert remedy in found[0].remedy


def test_all_wrong_words_are_answered_together(answers: Answers) -> None:
    words = [
        "optimizer.lrr=1",
        "model=minlm",
        "optimizer.lr=-1",
        "hardware.precision=bf17",
        "hydra.foo=1",
        "seed=0,1",
        "+experiment=sst2_lora",
        "optimzer=adamw",
        "callback=[checkpoint,progres]",
        "x=[a",
    ]
    assert set(answers(*words)) == set(words)


def test_more_devices_than_there_are(answers: Answers) -> None:
    fault = answers("hardware=ddp_cpu", "hardware.devices=99")["hardware.devices=99"]
    assert str(probe()) in fault.truth
    assert f"hardware.devices={probe().cpus}" in fault.remedy


def test_a_mandatory_value_is_asked_for_with_its_meaning(answers: Answers) -> None:
    (fault,) = answers("data=csv").values()
    assert (fault.what, fault.where) == ("data.path", "conf/data/csv.yaml:4")
    assert "a file" in fault.truth and "data.path=" in fault.remedy


def test_a_word_that_was_to_set_it_is_answered_instead(answers: Answers) -> None:
    assert set(answers("data=csv", "data.path=[x")) == {"data.path=[x"}


def test_impossible_cross(answers: Answers) -> None:
    (fault,) = answers("model=lstm").values()
    assert (fault.what, fault.where) == ("adapter.target=attention", "conf/adapter/lora.yaml:3")
    assert fault.truth == "lstm offers no targets." and "adapter=full" in fault.remedy


def test_column_that_the_file_does_not_have(answers: Answers, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("review,stars\ngood,5\n")
    found = answers("data=csv", f"data.path={table}", "data.columns.text=reveiw", "data.columns.label=stars")
    (fault,) = found.values()
    assert (fault.what, fault.where) == ("data.columns.text=reveiw", "")
    assert "It has: review, stars." in fault.truth
    assert fault.remedy == "Set  data.columns.text=review"


@pytest.mark.parametrize(
    "words", [("model=lstmm",), ("adapter=fulll", "model=lstm"), ("model=lsmt", "model.hidden=[x]")]
)
def test_nothing_is_said_of_what_stands_below_a_wrong_option(answers: Answers, words: tuple[str, ...]) -> None:
    assert set(answers(*words)) == {words[0]}


def test_nothing_is_said_of_a_preset_that_is_not_there(answers: Answers) -> None:
    assert set(answers("experiment=xyz", "optimizer.lr=-1", "model.hidden=3")) == {"experiment=xyz"}


def test_the_preset_that_was_meant_is_judged(answers: Answers) -> None:
    assert set(answers("experiment=mnist_mpl", "model.hidden=[64]", "seed=-1")) == {"experiment=mnist_mpl", "seed=-1"}


def test_nothing_is_said_of_a_part_that_is_not_trusted(answers: Answers) -> None:
    assert set(answers("model._target_=nobody.Net", "model.foo=1", "+model.bar=1")) <= {
        "model._target_=nobody.Net",
        "model.foo=1",
    }


def test_trust_alone_is_a_trust_error() -> None:
    from espalier.config.check import check
    from espalier.config.compose import compose

    with pytest.raises(TrustError):
        check(compose(["model._target_=nobody.Net"]))


@pytest.mark.parametrize(
    "word",
    [
        "vars.password=hushhush",
        "vars={password: hushhush}",
        "tracking.wandb={api_key: hushhush}",
        "api_key=hush hushhush",
        "tracking.wandb.api_key=hushhush",
        "vars.x=hf_hushhushhushhushhushhush",
        "tracking.wandb.tags=[hf_hushhushhushhushhushhush]",
        "nope={token: hushhush, a: b}",
        "vars.token=[hushhush",
        "vars.password=hushhush,b",
    ],
)
def test_a_secret_is_refused_and_never_echoed(answers: Answers, word: str) -> None:
    found = answers(word)
    assert found
    assert "hushhush" not in str([*found.values()])


def test_a_reference_to_the_environment_is_no_secret(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_PASSWORD", "x")
    assert answers("vars.password=${oc.env:MY_PASSWORD}") == {}


def test_an_empty_list_of_callbacks_is_fine(answers: Answers) -> None:
    assert answers("callback=[]") == {}


def test_mappings_take_new_names_without_a_plus(answers: Answers) -> None:
    assert answers("vars.mine=1", "vars={a: 2}", "optimizer.parts={one: {lr: 0.1}}", "optimizer={lr: 0.1}") == {}


def test_of_some_parts_alone_nothing_is_said_of_the_others() -> None:
    check(compose(["data=mnist", "optimizer.lr=-1"]), only=["data"])  # nor that the default model reads no images
    with pytest.raises(ConfigError, match=r"data\.batch_size"):
        check(compose(["data=mnist", "data.batch_size=0", "optimizer.lr=-1"]), only=["data"])
    with pytest.raises(ConfigError, match="there is no such model"):
        check(compose(["model=minlm"]), only=["data"])


def test_a_time_that_yaml_takes_for_a_number_of_base_60(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    file = tmp_path / "experiment" / "mine.yaml"
    file.write_text("# @package _global_\ntrainer:\n  max_time: 1:12:00:00\n")
    with pytest.raises(ConfigError) as raised:
        check(compose(["experiment=mine"], config_dirs=[tmp_path]))
    (fault,) = raised.value.faults
    assert fault.truth == "is a number of base 60 to YAML: 259200." and fault.where.endswith("mine.yaml:3")
    assert fault.remedy == "Quote it:  max_time: '1:12:00:00'"
    file.write_text("# @package _global_\ntrainer:\n  max_time: '1:12:00:00'\n")
    check(compose(["experiment=mine"], config_dirs=[tmp_path]))
