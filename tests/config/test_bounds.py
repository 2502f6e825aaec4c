from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from espalier.config import bounds
from espalier.config.bounds import outside
from espalier.config.setting import Setting
from espalier.config.types import Bound
from espalier.core.machine import Machine, probe


def answers(
    bound: Bound, key: str, value: Any, siblings: dict[str, Any] | None = None, **tree: Any
) -> list[tuple[str, ...]]:
    return list(outside(bound, Setting(key, value, siblings or {}, tree)))


def test_at_most() -> None:
    bound, cpus = Bound("AtMost", ("cpus",)), probe().cpus
    assert answers(bound, "hardware.devices", cpus) == []
    assert answers(bound, "hardware.devices", "auto") == []
    ((key, truth, remedy),) = answers(bound, "hardware.devices", cpus + 1)
    assert key == "hardware.devices" and str(probe()) in truth and f"hardware.devices={cpus}" in remedy


def test_the_machine_is_the_one_that_it_is_to_run_on(monkeypatch: pytest.MonkeyPatch) -> None:
    box = Machine(64, 4, False, nodes=2, cluster="partition gpu")

    def on(machine: Machine | None, bound: Bound, value: Any) -> list[tuple[str, ...]]:
        return list(outside(bound, Setting("hardware.devices", value, {}, {}, lambda: machine)))

    gpus = Bound("AtMost", ("gpus",))
    assert on(box, gpus, 4) == on(None, gpus, 99) == []
    ((_, truth, remedy),) = on(box, gpus, 8)
    assert truth == "the largest of the 2 nodes of partition gpu has 64 CPU cores and 4 GPUs."
    assert remedy == "Set hardware.devices=4, or run where there are 8."
    ((_, _, remedy),) = on(replace(box, gpus=0), Bound("Needs", ("gpus",)), "auto")
    assert remedy.startswith("Set hardware=ddp_cpu hardware.devices=64,")
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert on(box, Bound("Needs", ("compiler",)), True) == []  # what is installed there is not known
    assert on(box, Bound("Needs", ("gpus",)), "auto") == []


def test_own_settings() -> None:
    bound, part = Bound("OwnSettings", ()), {"_target_": "espalier.optimizer.adamw.adamw"}
    assert answers(bound, "optimizer.parts", {"critic": {"lr": 0.5, "betas": [0.5, 0.9]}}, optimizer=part) == []
    found = answers(
        bound, "optimizer.parts", {"critic": {"lrr": 1, "eps": -1, "betas": 3, "parts": {}}}, optimizer=part
    )
    assert [(key, truth) for key, truth, _ in found] == [
        ("optimizer.parts.critic.lrr", 'adamw has no setting "lrr".'),
        ("optimizer.parts.critic.eps", "eps must be > 0."),
        ("optimizer.parts.critic.betas", "betas is no list."),
        ("optimizer.parts.critic.parts", 'adamw has no setting "parts".'),
    ]
    assert found[0][2] == "Did you mean  optimizer.parts.critic.lr ?"


def test_offered_by() -> None:
    bound = Bound("OfferedBy", ("model", "targets"))
    minilm = {"_target_": "espalier.model.hub.Transformer"}
    assert answers(bound, "adapter.target", "attention", model=minilm) == []
    assert "adapter.target=" in answers(bound, "adapter.target", "nope", model=minilm)[0][2]
    assert answers(bound, "adapter.target", ["query", "value"], model=minilm) == []  # modules are not known here
    lstm = answers(bound, "adapter.target", "attention", model={"_target_": "espalier.model.lstm.Lstm"})
    assert lstm == [("adapter.target", "lstm offers no targets.", "Try adapter=full.")]
    assert answers(bound, "adapter.target", "attention") == []  # of an unknown model nothing is said


def test_bounds_on_files_are_those_of_data_files() -> None:
    assert answers(Bound("FileExists", ()), "data.path", "none.csv")[0][0] == "data.path"
    assert answers(Bound("FolderExists", ()), "data.path", "none")[0][0] == "data.path"
    assert answers(Bound("ColumnsOf", ("path",)), "data.columns", {"text": "a"}) == []
    assert answers(Bound("Learns", ("data",)), "task", {"_target_": "somebody.Elses"}) == []


def test_other_bounds_are_of_the_value_alone() -> None:
    assert answers(Bound("Ge", (1,)), "seed", 0) == []


def test_reads() -> None:
    bound, texts, pixels = Bound("Reads", ("data",)), "espalier.model.encoding.words.Words", "espalier.data.mnist.Mnist"
    model = {"_target_": "espalier.model.lstm.Lstm", "encoding": {"_target_": texts}}
    assert answers(bound, "model", model, data={"_target_": "espalier.data.csv.Csv"}) == []
    assert answers(bound, "model", model, data={"_target_": "somebody.Elses"}) == []
    assert answers(bound, "model", model) == []
    ((key, truth, _),) = answers(bound, "model", model, data={"_target_": pixels})
    assert (key, truth) == ("model", "reads text or words, and mnist has image.")


@pytest.mark.parametrize(
    ("encoding", "data", "said"),
    [
        ("joint_bpe.JointBpe", "support_intents.SupportIntents", "and support_intents has no target"),
        ("both_sides.BothSides", "csv.Csv", "and csv has no target"),
        ("joint_bpe.JointBpe", "pairs.Pairs", ""),
    ],
)
def test_what_writes_needs_something_to_write(encoding: str, data: str, said: str) -> None:
    model = {"_target_": "espalier.model.encoder_decoder.EncoderDecoder"}
    given = {**model, "encoding": {"_target_": f"espalier.model.encoding.{encoding}"}}
    found = answers(Bound("Reads", ("data",)), "model", given, data={"_target_": f"espalier.data.{data}"})
    assert [said in truth for _, truth, _ in found] == [True] * bool(said)


@pytest.mark.parametrize(
    ("task", "model", "said"),
    [
        ("gan.Gan", "hub.Transformer", "asks a model for generator, and this one has none. Set model=gan."),
        ("gan.Gan", "gan.Gan", ""),
        ("language_modelling.LanguageModelling", "lstm.Lstm", "asks a model for logits, and this one has none."),
        ("language_modelling.LanguageModelling", "causal_lm.CausalLm", ""),
        ("language_modelling.LanguageModelling", "gpt.Gpt", ""),
        ("masked_language_modelling.MaskedLanguageModelling", "hub.Transformer", ""),
        ("masked_language_modelling.MaskedLanguageModelling", "gpt.Gpt", "asks a model for masked_head"),
        ("translation.Translation", "seq2seq.Seq2SeqLm", ""),
        ("translation.Translation", "gpt.Gpt", "asks a model for begin"),
        ("tagging.Tagging", "bag.Bag", "asks a model for states"),
        ("classification.Classification", "encoder_decoder.EncoderDecoder", ""),
    ],
)
def test_asks(task: str, model: str, said: str) -> None:
    given, there = {"_target_": f"espalier.task.{task}"}, {"_target_": f"espalier.model.{model}"}
    found = answers(Bound("Asks", ("model",)), "task", given, model=there)
    assert [said in f"{truth} {remedy}" for _, truth, remedy in found] == [True] * bool(said)
    assert answers(Bound("Asks", ("model",)), "task", given, model={"_target_": "somebody.Elses"}) == []


def test_keys() -> None:
    bound = Bound("Keys", (("validation", "test"),))
    assert answers(bound, "data.split", {"test": 0.1}) == []
    assert answers(bound, "data.split", {"validatoin": 0.1}) == [
        ("data.split.validatoin", 'data.split has no "validatoin".', "Did you mean  data.split.validation ?")
    ]


def test_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = Bound("Needs", ("compiler",))
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert answers(bound, "hardware.compile", False) == []
    ((key, truth, remedy),) = answers(bound, "hardware.compile", True)
    assert (key, remedy.rpartition("set ")[2]) == ("hardware.compile", "hardware.compile=false")
    assert "C++ compiler" in truth
    if not probe().gpus:
        assert answers(Bound("Needs", ("gpus",)), "hardware.devices", "auto")[0][2].startswith("Set hardware=")


def test_needs_a_package_of_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = Bound("Needs", ("bitsandbytes",))
    monkeypatch.setattr(bounds, "find_spec", lambda name: None)
    assert answers(bound, "model.quantize", None) == []
    ((key, truth, remedy),) = answers(bound, "model.quantize", "4bit")
    assert (key, truth) == ("model.quantize", "needs bitsandbytes, which is not installed.")
    assert remedy == "pip install 'espalier[gpu]'   or set model.quantize=null"
    monkeypatch.setattr(bounds, "find_spec", lambda name: "there")
    assert answers(bound, "model.quantize", "4bit") == []
