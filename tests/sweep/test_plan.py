from __future__ import annotations

import time
from pathlib import Path

import pytest

from espalier.config.check import check
from espalier.config.compose import compose
from espalier.config.saved import write
from espalier.core.errors import ConfigError
from espalier.core.rundir import create
from espalier.sweep.plan import digests
from sweep.planning import SMALL, faults, planner


def test_trials_in_hydras_order_with_names_words_and_seeds() -> None:
    made = planner(*SMALL, "optimizer.lr=1e-4,1e-3", "seed=0,1")
    made.check()
    planned = [made.at(*trial) for trial in made.trials()]
    assert [trial.name for trial in planned] == [
        "lr=0.0001 seed=0", "lr=0.0001 seed=1", "lr=0.001 seed=0", "lr=0.001 seed=1"
    ]  # fmt: skip
    assert planned[1].words == ("optimizer.lr=0.0001", "seed=1")
    assert planned[1].command == (*SMALL, "optimizer.lr=0.0001", "seed=1")
    assert [trial.seed for trial in planned] == [0, 1, 0, 1]
    assert made.grid() == [{"optimizer.lr": 0.0001}, {"optimizer.lr": 0.001}]


def test_the_seeds_place_among_the_words_is_kept() -> None:
    made = planner(*SMALL, "seed=3,4", "optimizer.lr=1,2")
    assert [(point["optimizer.lr"], seed) for point, seed in made.trials()] == [(1, 3), (2, 3), (1, 4), (2, 4)]
    between = planner(*SMALL, "optimizer.lr=1,2", "seed=3,4", "model.dropout=0.1,0.2")
    order = [(point["optimizer.lr"], seed, point["model.dropout"]) for point, seed in between.trials()]
    assert order[:4] == [(1, 3, 0.1), (1, 3, 0.2), (1, 4, 0.1), (1, 4, 0.2)]


def test_a_trial_is_what_its_own_command_line_composes(tmp_path: Path) -> None:
    words = [
        "data=digits",
        "model=mlp,cnn",
        "adapter=full",
        "model.shift=0,1",
        "model.kernel=5",
        "vars.x=1",
        "seed=5,6",
    ]
    made = planner(*words)
    for point, seed in made.trials():
        planned = made.at(point, seed)
        alone = compose(planned.command)
        check(alone)
        assert planned.experiment.values == alone.values
        assert planned.hardware == alone.values["hardware"]
        directory = create(tmp_path, "trial")
        write(planned.experiment, directory)
        assert compose(planned.experiment.overrides).values == alone.values


def test_quick_patches_leave_nothing_behind() -> None:
    made = planner(*SMALL, "optimizer.lr=1,2", "model.hidden=[8],[16,16]")
    before = [made.at(*trial).digest for trial in made.trials()]
    again = [made.at(*trial).digest for trial in reversed(list(made.trials()))]
    assert before == again[::-1] and len(set(before)) == 4


def test_a_mapping_that_is_swept_replaces_the_one_before() -> None:
    made = planner(*SMALL, "vars={a:1},{b:2}")
    values = [made.at(point, seed) for point, seed in made.trials()]
    assert values[0].digest != values[1].digest
    assert [trial.experiment.values["vars"] for trial in values] == [{"a": 1}, {"b": 2}]
    assert made.at(*next(made.trials())).digest == values[0].digest


def test_a_key_that_is_added_may_be_swept() -> None:
    made = planner(*SMALL, "+vars.x=1,2")
    made.check()
    assert [made.at(*trial).experiment.values["vars"] for trial in made.trials()] == [{"x": 1}, {"x": 2}]


def test_the_command_names_the_folders_of_ones_own_options(tmp_path: Path) -> None:
    (tmp_path / "optimizer").mkdir()
    (tmp_path / "optimizer" / "mine.yaml").write_text("defaults: [adamw, _self_]\nlr: 0.5\n")
    made = planner(*SMALL, "optimizer=mine", "seed=0,1", config_dirs=[tmp_path])
    planned = made.at(*next(made.trials()))
    assert planned.command[:2] == ("--config-dir", str(tmp_path)) and "optimizer=mine" in planned.command


def test_a_value_is_set_where_the_option_has_the_key() -> None:
    made = planner(*SMALL[:1], "model=mlp,cnn", "adapter=full", "model.activation=relu,gelu", "model.kernel=5")
    made.check()
    names = [made.at(*trial).name for trial in made.trials()]
    assert names == ["model=mlp activation=relu", "model=mlp activation=gelu", "model=cnn"]
    commands = [made.at(*trial).command for trial in made.trials()]
    assert ["model.kernel=5" in command for command in commands] == [False, False, True]


def test_a_key_that_no_option_has_is_a_fault_with_all_others() -> None:
    found = faults("model=lstm,minilm", "adapter=lora,probe", "optimizer.lrr=2", "optimizer.x=1,2", "optimizer.lr=1,-2")
    assert set(found) == {"optimizer.lrr=2", "optimizer.x=1,2", "optimizer.lr=-2", "adapter.target=attention"}
    crossed = found["adapter.target=attention"].truth
    assert "In 2 of 8 trials: model=lstm adapter=lora." in crossed
    assert "In 4 of 8 trials." in found["optimizer.lr=-2"].truth


def test_faults_count_the_seeds_too() -> None:
    assert "In 3 of 6 trials." in faults(*SMALL, "optimizer.lr=1,-2", "seed=0,1,2")["optimizer.lr=-2"].truth


def test_an_option_that_is_not_there_hides_no_other_fault() -> None:
    found = faults("model=mlpp,cnn", "data=digits", "adapter=full", "model.hidden=3,4", "optimizer.lrr=1")
    assert {"model=mlpp", "optimizer.lrr=1"} <= set(found)


def test_a_search_is_checked_at_the_ends_of_every_key() -> None:
    found = faults(*SMALL, "sweep=random", "model.dropout=interval(0,1)", "optimizer.lr=interval(1e-5,1e-2)")
    assert list(found) == ["model.dropout=1.0"]
    assert not faults(*SMALL, "sweep=random", "model.dropout=interval(0,0.9)")


def test_at_refuses_what_cannot_be() -> None:
    made = planner(*SMALL, "sweep=random", "model.dropout=interval(0,1)")
    assert made.at({"model.dropout": 0.5}).name == "dropout=0.5"
    with pytest.raises(ConfigError):
        made.at({"model.dropout": 1.0})


def test_the_digest_is_of_the_run_and_not_of_its_place() -> None:
    one, two = (planner(*SMALL, f"name={name}", f"output={name}").at({}, 0) for name in ("a", "b"))
    other = planner(*SMALL, "seed=1").at({}, 1)
    assert one.digest == two.digest != other.digest
    made = planner(*SMALL, "name=a,b", "optimizer.lr=1,2")
    assert sorted(map(len, digests(made.at(*trial) for trial in made.trials()).values())) == [2, 2]


def test_seeds_that_are_not_swept() -> None:
    assert planner(*SMALL).seeds == (0,)
    fixed = planner(*SMALL, "seed=7", "optimizer.lr=1,2")
    assert fixed.seeds == (7,)
    assert fixed.at({"optimizer.lr": 1}, 7).words == ("optimizer.lr=1", "seed=7")
    assert fixed.at({"optimizer.lr": 1}, 7).name == "lr=1"
    assert fixed.at({"optimizer.lr": 1}, 7).command == (*SMALL, "optimizer.lr=1", "seed=7")


def test_the_folder_is_named_by_what_is_not_varied(tmp_path: Path) -> None:
    assert planner(*SMALL).name == "digits-mlp-full"
    assert planner("data=digits", "model=mlp,cnn", "adapter=full").name == "digits-full"
    assert planner(*SMALL, "name=mine", f"output={tmp_path}").name == "mine"
    assert planner(*SMALL, f"output={tmp_path}").output == str(tmp_path)
    assert planner("experiment=mnist_mlp,mnist_cnn").name == "mnist-full"
    assert planner("experiment=sst2_lora,mnist_cnn").name == "sweep"


def test_experiments_and_lists_of_options_may_be_swept() -> None:
    made = planner("experiment=mnist_mlp,mnist_cnn", "callback=[checkpoint],[checkpoint,progress]", "tracking=none")
    made.check()
    planned = [made.at(*trial) for trial in made.trials()]
    assert [sorted(trial.experiment.values["callback"]) for trial in planned[:2]] == [
        ["checkpoint"],
        ["checkpoint", "progress"],
    ]
    assert [trial.experiment.values["name"] for trial in planned] == [
        "mnist_mlp",
        "mnist_mlp",
        "mnist_cnn",
        "mnist_cnn",
    ]
    assert planned[1].name == "experiment=mnist_mlp callback=[checkpoint,progress]"


def test_a_run_once_more_with_other_seeds_and_options(tmp_path: Path) -> None:
    directory = create(tmp_path, "run")
    write(compose([*SMALL, "optimizer.lr=0.5"]), directory)
    made = planner("seed=1,2", rerun=directory)
    made.check()
    planned = [made.at(*trial) for trial in made.trials()]
    assert [(trial.seed, trial.experiment.values["optimizer"]["lr"]) for trial in planned] == [(1, 0.5), (2, 0.5)]
    assert planned[0].command == ("--rerun", str(directory), "seed=1")
    options = planner("model=mlp,cnn", "model.kernel=5", rerun=directory)
    options.check()
    again = [options.at(*trial) for trial in options.trials()]
    assert [trial.experiment.choices["model"] for trial in again] == ["mlp", "cnn"]
    assert [trial.command[2:] for trial in again] == [("model=mlp",), ("model.kernel=5", "model=cnn")]


@pytest.mark.slow
def test_a_thousand_trials_are_planned_quickly() -> None:
    began = time.process_time()
    made = planner(*SMALL, "optimizer.lr=range(0.001,0.251,0.001)", "model.activation=relu,gelu", "seed=0,1")
    made.check()
    planned = [made.at(*trial) for trial in made.trials()]
    assert len(planned) == len(digests(planned)) == 1000
    assert time.process_time() - began < 15  # 4 to 8 s, by the machine


def test_of_a_grid_that_is_too_large_only_the_first_trials_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    made = planner(*SMALL, "trainer.max_epochs=range(1,100000)")
    checked: list[object] = []
    monkeypatch.setattr(made, "_checked", lambda point, _: checked.append(point))
    made.check()
    assert 0 < len(checked) <= 1_000
