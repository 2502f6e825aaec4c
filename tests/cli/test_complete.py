from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from espalier.cli.complete import _VALUES, main
from report.sweep_files import grid


@pytest.fixture
def offered(capsys: pytest.CaptureFixture[str]) -> Callable[[str], list[str]]:
    def ask(line: str) -> list[str]:
        assert main([line]) == 0
        return capsys.readouterr().out.split()

    return ask


@pytest.mark.parametrize(
    ("line", "there"),
    [
        ("espalier ", {"train", "explain", "runs", "doctor"}),
        ("espalier train ", {"model=", "optimizer.", "seed="}),
        ("espalier train mod", {"model=", "model."}),
        ("espalier train model=l", {"model=lstm"}),
        ("espalier train callback=[checkpoint,pro", {"callback=[checkpoint,progress"}),
        ("espalier train optimizer.l", {"optimizer.lr="}),
        ("espalier train model=lstm model.hid", {"model.hidden="}),
        ("espalier train model=lstm model.pooling=", {"model.pooling=max", "model.pooling=mean", "model.pooling=last"}),
        ("espalier train hardware.compile=", {"hardware.compile=true", "hardware.compile=false"}),
        ("espalier train hardware=cpu hardware.attention=", {"hardware.attention=sdpa", "hardware.attention=null"}),
        ("espalier train seed=", {"seed=0"}),
        ("espalier train --re", {"--resume", "--rerun", "--resolve"}),
        ("espalier import --", {"--output", "--prefix"}),
        ("espalier data show ", {"data=", "data.", "seed="}),
        ("espalier data check data=csv data.p", {"data.path="}),
        ("espalier sweep plan ", {"sweep=", "model=", "seed="}),
        ("espalier sweep plan search=tpe search.st", {"search.startup="}),
        ("espalier sweep wandb opt", {"optimizer=", "optimizer."}),
        ("espalier sweep resume launcher.t", {"launcher.trials="}),
        ("espalier predict ", {"run=", "input=", "output=", "format=", "column=", "hardware=", "task."}),
        ("espalier predict hardware=c", {"hardware=cpu"}),
        ("espalier predict task.", {"task.objective="}),
        ("espalier evaluate ", {"run=", "split=", "slice=", "output=", "data=", "data.", "hardware="}),
        ("espalier evaluate data=csv data.p", {"data.path="}),
        ("espalier evaluate --a", {"--against"}),
        ("espalier explain optim", {"optimizer", "optimizer."}),
        ("espalier explain search=tpe search.", {"search.startup"}),
        ("espalier explain optimizer.lr opt", {"optimizer=", "optimizer."}),
    ],
)  # fmt: skip
def test_what_a_word_may_become(offered: Callable[[str], list[str]], line: str, there: set[str]) -> None:
    found = offered(line)
    assert there <= set(found)
    current = "" if line.endswith(" ") else line.split()[-1]
    assert all(candidate.startswith(current) for candidate in found)
    assert not any("_target_" in candidate for candidate in found)


def test_run_directories(offered: Callable[[str], list[str]], made_run: Callable[..., Path], here: Path) -> None:
    directory = made_run("interrupted").relative_to(here)
    assert offered("espalier train --resume ") == [str(directory)]
    assert offered("espalier compare out") == [str(directory)]
    assert offered("espalier predict run=") == ([f"run={directory}"] if "predict" in offered("espalier p") else [])


@pytest.mark.parametrize(
    ("line", "all_of_it"),
    [
        ("espalier data ", ["show", "check"]),
        ("espalier completion ", ["bash", "zsh", "fish"]),
        ("espalier completion bash ", []),
        ("espalier predict in", ["input="]),
        ("espalier predict input=", []),
        ("espalier predict task=", []),
        ("espalier predict model", []),
        ("espalier predict scores=", ["scores=true", "scores=false"]),
        ("espalier evaluate split=", ["split=test", "split=validation"]),
        ("espalier report ", ["output=", "texts="]),
        *((f"espalier {command} ", []) for command in ("import", "trust", "new", "doctor", "runs", "compare", "track")),
        ("espalier train --config-dir ", []),
        ("espalier train data=csv data.path=", []),
        ("espalier train data=csv data.test_path=", []),
        ("espalier train weights=", []),
    ],
)  # fmt: skip
def test_a_command_offers_what_it_takes_and_nothing_else(
    offered: Callable[[str], list[str]], line: str, all_of_it: list[str]
) -> None:
    assert offered(line) == all_of_it


@pytest.mark.parametrize(
    ("command", "its_own"),
    [("sweep", "_VERBS"), ("data", "_ACTIONS"), ("completion", "_SCRIPTS"),
     ("predict", "_KNOWN"), ("evaluate", "_KNOWN")],
)  # fmt: skip
def test_what_is_offered_is_all_that_a_command_knows(
    offered: Callable[[str], list[str]], command: str, its_own: str
) -> None:
    known = set(getattr(import_module(f"espalier.cli.{command}"), its_own))
    found = {word.rstrip("=") for word in offered(f"espalier {command} ")}
    assert known <= found
    assert its_own == "_KNOWN" or found == known


def test_values_of_settings_are_those_that_a_command_takes() -> None:
    known = import_module("espalier.cli.predict")._CHOICES
    assert known == {key: _VALUES[key] for key in known}
    for command, keys in {"predict": ("format",), "evaluate": ("split",), "report": ("texts",)}.items():
        said = import_module(f"espalier.cli.{command}")._HELP
        assert all(f"{key}={_VALUES[key][0]}" in said or f"{key}={_VALUES[key][1]}" in said for key in keys)


def test_runs_where_weights_come_from_one(
    offered: Callable[[str], list[str]], made_run: Callable[..., Path], here: Path
) -> None:
    directory = made_run("done").relative_to(here)
    assert offered("espalier train weights=") == [f"weights={directory}"]
    assert offered("espalier train task=gan task.judge=out") == [f"task.judge={directory}"]
    assert offered("espalier evaluate --against ") == [str(directory)]
    assert f"{directory}" in offered("espalier report ")


def test_what_a_run_has_is_offered_for_it(offered: Callable[[str], list[str]], made_run: Callable[..., Path]) -> None:
    directory = made_run("done")
    assert "task.objective=" in offered(f"espalier predict run={directory} task.")


def test_sweep_directories(offered: Callable[[str], list[str]], here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = grid(here / "outputs" / "mine" / "sweep-2026-11-18_21-46-40-abc000", monkeypatch)
    directory = str(sweep.relative_to(here))
    for verb in ("status", "best", "retry", "stop", "report", "optuna"):
        assert offered(f"espalier sweep {verb} ") == [directory]
    assert offered("espalier sweep resume out") == [directory]
    assert directory in offered("espalier report ") and directory in offered("espalier track ")


def test_sweeps_that_a_person_has_named(
    offered: Callable[[str], list[str]], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = str(grid(here / "outputs" / "sst2" / "main", monkeypatch).relative_to(here))
    assert offered("espalier sweep status ") == offered("espalier sweep resume out") == [sweep]
    assert sweep in offered("espalier report ")


def test_options_of_the_users_own_folder(offered: Callable[[str], list[str]], here: Path) -> None:
    (here / "conf" / "model").mkdir(parents=True)
    (here / "conf" / "model" / "mine.yaml").write_text("# mine\n")
    assert set(offered("espalier train --config-dir conf model=mi")) == {"model=mine", "model=minilm"}


@pytest.mark.parametrize("line", ["", "espalier nothing ", "espalier train 'open", "espalier train nothing.x="])
def test_what_cannot_be_completed_is_no_error(offered: Callable[[str], list[str]], line: str) -> None:
    assert offered(line) == [] or line == ""


def test_torch_is_not_loaded() -> None:
    asked = "main(['espalier train optimizer.l'])"
    program = f"import sys; from espalier.cli.complete import main; {asked}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"


def test_keys_and_values_of_a_sweep_where_one_is_typed(offered: Callable[[str], list[str]]) -> None:
    assert "sweep.trials=" in offered("espalier train -m sweep.tr")
    assert offered("espalier train sweep.tr") == []
    assert offered("espalier train -m sweep.space=") == ["sweep.space=auto", "sweep.space=all", "sweep.space=none"]
    assert "search.startup=" in offered("espalier train -m sweep=tpe search.")
    assert "sweep=tpe" in offered("espalier train -m sweep=t")


def test_trackers_and_runs_of_track(offered: Callable[[str], list[str]], made_run: Callable[..., Path]) -> None:
    directory = made_run("done").relative_to(Path.cwd())
    assert offered("espalier track outputs --to ") == ["wandb", "tensorboard", "csv"]
    assert offered("espalier track out") == [str(directory)]
