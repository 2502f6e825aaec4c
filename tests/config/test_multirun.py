from __future__ import annotations

from pathlib import Path

import pytest

from espalier.config.compose import compose
from espalier.config.multirun import read_command
from espalier.config.saved import write
from espalier.core.errors import ConfigError, Fault
from espalier.core.machine import Machine
from espalier.core.rundir import create
from espalier.core.searching import Dimension


def refused(*words: str) -> dict[str, Fault]:
    with pytest.raises(ConfigError) as error:
        read_command(words)
    found = {fault.what: fault for fault in error.value.faults}
    assert len(found) == len(error.value.faults)
    return found


def test_a_line_is_sorted() -> None:
    made = read_command(
        ["data=sst2", "optimizer.lr=1e-4,1e-3", "seed=0,1", "adapter=lora,probe", "sweep=tpe", "sweep.trials=40"]
    )
    assert made.fixed == ("data=sst2",)
    assert [word.typed for word in made.swept] == ["optimizer.lr=1e-4,1e-3", "adapter=lora,probe"]
    assert made.dimensions[0] == Dimension("optimizer.lr", (0.0001, 0.001), source="command line", place=0)
    assert (made.seeds, made.seed_place) == ((0, 1), 1)
    assert made.settings.values["sweep"]["trials"] == 40
    assert made.settings.choices["search"] == "tpe"
    assert "sweep" not in made.experiment(made.fixed).values


def test_the_rest_of_the_settings() -> None:
    made = read_command(["hydra/sweeper=random", "seed=3"])
    assert made.settings.choices["search"] == "random" and made.settings.choices["pruning"] == "none"
    assert made.settings.values["search"]["_target_"] == "espalier.search.random.Random"
    assert (made.seeds, made.fixed, made.stock) == ((), ("seed=3",), False)
    assert read_command(["hydra/sweeper=basic", "hydra/launcher=basic"]).stock


def test_seeds_by_range() -> None:
    assert read_command(["seed=range(3)"]).seeds == (0, 1, 2)


def test_faults_of_the_sweep_and_of_the_experiment_come_together() -> None:
    found = refused("model=lstm,minlm", "adapter=full", "optimizer.lrr=2", "sweep.trial=3", "search.x=1", "sweep=tpee")
    assert set(found) == {"model=minlm", "optimizer.lrr=2", "sweep.trial=3", "search.x=1", "sweep=tpee"}


def test_a_fixed_key_that_some_option_lacks_is_no_fault_beside_others() -> None:
    found = refused("data=digits", "model=mlp,cnn", "adapter=full", "model.kernel=5", "sweep.trial=3")
    assert set(found) == {"sweep.trial=3"}


@pytest.mark.parametrize(
    "word", ["seed=interval(0,9)", "seed=-1,1", "seed=a,b", "x=interval(2,1)", "hydra.job.name=a,b", "x=choice()"]
)
def test_words_that_name_no_values(word: str) -> None:
    assert word in refused(word)


def test_a_key_that_is_set_twice() -> None:
    assert set(refused("optimizer.lr=1,2", "optimizer.lr=3")) == {"optimizer.lr=1,2"}


def test_settings_are_checked_in_range() -> None:
    assert set(refused("sweep.trials=0", "sweep.space=some", "sweep=tpe", "search.startup=0")) == {
        "sweep.trials=0", "sweep.space=some", "search.startup=0"
    }  # fmt: skip


def test_one_experiment_is_answered_with_the_flag_that_it_lacks() -> None:
    fault, *others = compose(["sweep=tpe", "model=lstm"]).faults
    assert (fault.what, others) == ("sweep=tpe", []) and "-m" in fault.remedy


def test_a_run_once_more(tmp_path: Path) -> None:
    directory = create(tmp_path, "run")
    write(compose(["model=lstm", "adapter=full", "optimizer.lr=0.5"]), directory)
    made = read_command(["seed=0,1"], rerun=directory)
    assert made.experiment(["seed=1"]).values["optimizer"]["lr"] == 0.5


def test_users_own_presets(tmp_path: Path) -> None:
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / "mine.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /search: qmc\nsweep: {trials: 8}\n"
    )
    made = read_command(["sweep=mine", "sweep.seed=3"], [tmp_path])
    assert (made.settings.choices["search"], made.settings.values["sweep"]["trials"]) == ("qmc", 8)


def test_where_a_word_is_wrong_the_machine_is_asked_about_the_others() -> None:
    words = ["hardware=gpu", "hardware.devices=64", "optimizer.lr=1e-4,1e-3", "sweep.trails=3"]
    with pytest.raises(ConfigError) as refused:
        read_command(words, machine=lambda _: Machine(8, 4, False))
    assert [fault.what for fault in refused.value.faults] == ["sweep.trails=3", "hardware.devices=64"]
    with pytest.raises(ConfigError) as refused:
        read_command(words)
    assert [fault.what for fault in refused.value.faults] == ["sweep.trails=3"]
