from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import hydra
import pytest
from omegaconf import OmegaConf

from espalier.config.compose import changed, compose
from espalier.config.sources import shipped
from espalier.config.tree import plain
from espalier.core.errors import Fault

LINES = [
    [],
    ["model=lstm", "adapter=full", "optimizer.lr=0.1"],
    ["experiment=sst2_lora", "hardware=cpu"],
    ["experiment=mnist_mlp", "model.hidden=[64,32]", "seed=7"],
    ["debug=overfit", "experiment=support_intents"],
    ["callback=[checkpoint,progress]", "tracking=none"],
    ["+vars.x=1", "~tracking.wandb.tags", "++seed=3", "model/encoding=words", "model=lstm"],
    ["name='a, b'", "vars={}", "trainer.gradient_clip_val=null", "data.columns={text: a}"],
    ["optimizer=sgd", "~scheduler"],
    ["tracking=[csv,memory]", "debug=one_batch"],
    ["tracking=csv"],
]


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_equals_what_stock_hydra_composes(words: list[str]) -> None:
    with hydra.initialize_config_dir(str(shipped()), version_base="1.3"):
        stock = OmegaConf.to_container(hydra.compose("train", words))
    ours = compose(words)
    assert ours.faults == ()
    assert plain(ours.config) == stock


def test_hydras_node_is_left_out_and_kept_where_it_is_set() -> None:
    assert not compose([]).hydra
    made = compose(["hydra.job.chdir=true"])
    assert made.hydra.job.chdir is True
    assert "hydra" not in made.config


def test_choices_and_words() -> None:
    made = compose(["model=lstm", "callback=[progress]", "seed=2"])
    assert made.choices["model"] == "lstm" and made.choices["model/encoding"] == "words"
    assert made.choices["callback"] == ["progress"]
    assert made.choices["experiment"] is None
    assert made.overrides == ("model=lstm", "callback=[progress]", "seed=2")


def test_the_last_preset_wins_over_the_option_and_the_word_over_both(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\noptimizer: {lr: 0.5}\nseed: 4\n")
    made = compose(["seed=5", "experiment=mine"], config_dirs=[tmp_path])
    assert (made.values["optimizer"]["lr"], made.values["seed"]) == (0.5, 5)


def test_wrong_words_are_left_out_and_kept_as_faults() -> None:
    made = compose(["model=minlm", "model.dropout=0.5", "optimizer.lrr=1", "seed=3"])
    assert [fault.what for fault in made.faults] == ["model=minlm", "optimizer.lrr=1"]
    assert made.unsettled == {"model"} and not made.is_half_read
    assert made.values["seed"] == 3


def test_changed_keeps_the_options() -> None:
    made = changed(compose(["model=lstm", "adapter=full"]), ["seed=9", "optimizer.lrr=2"])
    assert made.values["seed"] == 9 and made.choices["model"] == "lstm"
    assert [fault.what for fault in made.faults] == ["optimizer.lrr=2"]
    assert made.layers.word("seed") == "seed=9"


def test_a_setting_of_the_class_that_its_file_does_not_list_is_set_without_a_plus(
    own_model: Path, answers: Callable[..., dict[str, Fault]]
) -> None:
    words = ["model=bolsa", "adapter=full"]
    made = compose([*words, "model.dropout=0.3", "model.mode=a"], config_dirs=[own_model])
    assert (made.faults, made.values["model"]["dropout"], made.values["model"]["mode"]) == ((), 0.3, "a")
    assert changed(compose(words, config_dirs=[own_model]), ["model.dropout=0.3"]).values["model"]["dropout"] == 0.3
    assert answers(*words, "model.dropout=0.3", config_dirs=[own_model]) == {}
    assert answers(*words, "model.dropout=3", config_dirs=[own_model])["model.dropout=3"].truth == "must be <= 0.9."
    for strange in ("model.facts=1", "~model.dropout"):  # what the run gives; what nobody has set
        assert "has no setting" in answers(*words, strange, config_dirs=[own_model])[strange].truth
