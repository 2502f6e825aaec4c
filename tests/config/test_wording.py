from __future__ import annotations

from pathlib import Path

import pytest

from espalier.config.compose import Experiment, changed, compose
from espalier.config.tree import plain
from espalier.config.wording import owner, unknown_key
from espalier.config.words import read_words


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return compose([])


@pytest.mark.parametrize(
    ("word", "truth", "remedy", "where"),
    [
        (
            "optimizer.lrr=1",
            'adamw has no setting "lrr".',
            "Did you mean  optimizer.lr ?",
            "conf/optimizer/adamw.yaml:4",
        ),
        (
            "~optimizer.lrr",
            'adamw has no setting "lrr".',
            "Did you mean  ~optimizer.lr ?",
            "conf/optimizer/adamw.yaml:4",
        ),
        ("data.path=a.csv", 'support_intents has no setting "path".', "Add  data=csv", ""),
        ("data.path=a.jsonl.gz", 'support_intents has no setting "path".', "Add  data=jsonl", ""),
        (
            "data.delimiter=x",
            'support_intents has no setting "delimiter".',
            "It is a setting of csv, instructions, pairs: add  data=csv  or another of them.",
            "",
        ),
        (
            "data.label_separator=x",
            'support_intents has no setting "label_separator".',
            "It is a setting of csv, hub, jsonl, parquet: add  data=csv  or another of them.",
            "",
        ),
        ("modl=lstm", 'the experiment has no setting "modl".', "Did you mean  model=lstm ?", ""),
        ("model.encoding.x.y=1", 'pretrained has no setting "x.y".', "It has: source, revision.", ""),
        (
            "optimizer.dropout=1",
            'adamw has no setting "dropout".',
            "Did you mean  adapter.dropout or model.dropout ?",
            "",
        ),
        (
            "optimizer={lrr: 2}",
            'adamw has no setting "lrr".',
            "Did you mean  optimizer.lr ?",
            "conf/optimizer/adamw.yaml:4",
        ),
        ("optimizer.lr=1", "cannot be set so: why.", "", ""),
    ],
)
def test_unknown_key(experiment: Experiment, word: str, truth: str, remedy: str, where: str) -> None:
    ((read,), _) = read_words([word])
    fault = unknown_key(read, plain(experiment.config), experiment.layers, ValueError("why.\nmore"))
    assert (fault.what, fault.truth, fault.remedy, fault.where) == (word, truth, remedy, where)


def test_owner(experiment: Experiment) -> None:
    tree = plain(experiment.config)
    assert owner("data.columns.x", tree) == "data.columns" and owner("x.y.z", tree) == "the experiment"


def test_settings_that_only_the_signature_has_are_meant_and_listed_too(own_model: Path) -> None:
    made = compose(["model=bolsa", "model.dropuot=1", "model.xyz=1"], config_dirs=[own_model])
    near, strange = (fault.remedy for fault in made.faults)
    assert (near, strange) == ("Did you mean  model.dropout ?", "It has: encoding, width, dropout, mode.")


@pytest.mark.parametrize(
    ("word", "remedy"),
    [
        ("optimizer.lr=0,01", "Did you mean  optimizer.lr=0.01 ? For a run of each value add -m."),
        ("optimizer.lr=1,5e-3", "Did you mean  optimizer.lr=1.5e-3 ? For a run of each value add -m."),
        ("seed=0,1", "Add -m for a run of each"),  # a whole number
        ("data.path=0,1", "Add -m for a run of each"),
        ("optimizer.lr=0,01,1", "Add -m for a run of each"),
        ("optimizer.lrr=0,01", "Add -m for a run of each"),
    ],
)
def test_a_comma_for_the_point_of_a_number(word: str, remedy: str) -> None:
    for made in (compose([word]), changed(compose([]), [word])):
        (fault,) = made.faults
        assert (fault.what, fault.truth) == (word, "names several values.") and fault.remedy.startswith(remedy)
