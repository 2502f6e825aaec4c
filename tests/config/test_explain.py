from __future__ import annotations

from pathlib import Path

import pytest

from espalier.config.compose import compose
from espalier.config.explain import explain
from espalier.core.errors import ConfigError


def test_a_value_its_type_its_meaning_and_who_set_it() -> None:
    lines = explain(compose(["experiment=sst2_lora", "optimizer.lr=3"]), "optimizer.lr")
    assert lines[0] == "optimizer.lr = 3    float > 0, the step size after warm-up"
    assert lines[1] == "  set by    command line: optimizer.lr=3"
    assert [line.split()[:2] for line in lines[2:]] == [
        ["over", "conf/experiment/sst2_lora.yaml:8"],
        ["over", "conf/optimizer/adamw.yaml:4"],
    ]


def test_a_part_and_its_settings() -> None:
    lines = explain(compose(["model=lstm", "adapter=full"]), "model")
    assert lines[0].startswith("model    espalier.model.lstm.Lstm    ")
    assert any(line.startswith("  hidden") and "int >= 1" in line for line in lines)


def test_an_option_says_what_it_is_beside_its_part() -> None:
    lines = explain(compose(["model=gpt2"]), "model")
    assert lines[1].startswith("  model=gpt2    GPT-2 small: an English decoder")
    assert lines[2].strip() == "A text's vector is the state of its last token."
    assert explain(compose([]), "model.encoding")[1].startswith("  model/encoding=pretrained    The tokenizer")


def test_a_reference_is_shown_as_it_is_written() -> None:
    assert "(${model.source})" in explain(compose([]), "model.encoding.source")[0]


def test_what_auto_takes_is_told_and_choices_once() -> None:
    headline = explain(compose([]), "hardware.precision")[0]
    assert headline.count("bf16-true") == 1 and "auto: on GPUs bf16-mixed" in headline
    assert all("," in line for line in explain(compose([]), "adapter")[2:] if " = " in line)


def test_a_mapping() -> None:
    assert explain(compose(["vars={a: null, b: true}"]), "vars")[-2:] == ["  a = null", "  b = true"]


def test_an_unknown_key() -> None:
    with pytest.raises(ConfigError, match=r"Did you mean  optimizer\.lr"):
        explain(compose([]), "optimizer.lrr")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("nothing", 'the experiment has no setting "nothing".*It has: seed, '),
        ("optimizer.foo", 'adamw has no setting "foo".*It has: lr, '),
        ("optimiser", r"Did you mean  optimizer \?"),
        ("data.path", "Add|add  data=csv"),
        ("optimizer.lr=3", r"is no key.*Write  espalier explain optimizer\.lr optimizer\.lr=3"),
        ("optimizer=sgd", r"is no key.*Write  espalier explain optimizer optimizer=sgd"),
        ("model/encoding=bpe", r"is no key.*Write  espalier explain model\.encoding model/encoding=bpe"),
        ("optimizer.lrr=3", r"is no key.*Did you mean  optimizer\.lr \?"),
    ],
)
def test_an_unknown_key_is_answered_as_a_word_that_sets_it(key: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        explain(compose([]), key)
    assert [fault.what for fault in raised.value.faults] == [key]


def test_parts_side_by_side_and_a_part_within_a_part() -> None:
    lines = explain(compose(["callback=[ema,gradient_norm]"]), "callback")
    assert [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "] == ["ema", "gradient_norm"]
    assert any(line.startswith("    decay = 0.999") and "float > 0 and < 1" in line for line in lines)
    assert not any("…" in line.split() for line in lines)
    assert any("see  espalier explain model.encoding …" in line for line in explain(compose([]), "model"))


def test_secrets_stay_secret() -> None:
    assert "hushhush" not in "\n".join(explain(compose(["vars.password=hushhush"]), "vars.password"))


def test_settings_that_no_file_lists(own_model: Path) -> None:
    made = compose(["model=bolsa"], config_dirs=[own_model])
    lines = explain(made, "model")
    assert "  dropout  = 0.1           float >= 0 and <= 0.9, its signature's default" in lines
    assert any(line.startswith("  mode     = null") for line in lines)
    alone = explain(made, "model.dropout")
    assert alone == [
        "model.dropout = 0.1    float >= 0 and <= 0.9",
        "  set by    its signature's default; no file lists it",
    ]
    assert sum("dropout" in line for line in explain(compose(["model=bag"]), "model")) == 1
