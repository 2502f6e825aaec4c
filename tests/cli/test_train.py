from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from espalier.cli import multirun, process, train
from espalier.core.errors import UserError
from espalier.core.lock import held

Script = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def became(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, bool]]:
    """Instead of training: which directory would be trained, and whether it is resumed."""
    calls: list[tuple[Path, bool]] = []

    def become(directory: Path, *, resume: bool = False) -> int:
        calls.append((directory, resume))
        return 0

    for module in (train, process):
        monkeypatch.setattr(module, "become", become)
    return calls


def test_a_run(became: list[tuple[Path, bool]]) -> None:
    assert train.main(["model=lstm", "adapter=full"]) == 0
    ((directory, resume),) = became
    assert not resume and yaml.safe_load((directory / "config.yaml").read_text())["model"]["hidden"] == 128


def test_a_mistake_leaves_nothing(became: list[tuple[Path, bool]], here: Path) -> None:
    with pytest.raises(UserError, match="must be >= 0"):
        train.main(["seed=-1"])
    assert became == [] and list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--cfg", "job", "--info"], "cannot be done at once"),
        (["--resume", "d", "--cfg", "job"], "cannot be done at once"),
        (["--resume", "d", "seed=1"], "espalier train --rerun d seed=1"),
        (["--resume", "d", "--rerun", "d"], "nothing in it can change"),
        (["--resume", "d", "-m"], "nothing in it can change"),
        (["--resolve"], "belongs to --cfg"),
        (["--package", "x"], "belongs to --cfg"),
        (["--cfg", "jobs"], "invalid choice"),
        (["--resum", "d"], "--resume"),
        (["--resume"], "expected one argument"),
        (["--resume", "d"], "is not there"),
        (["--rerun", "d"], "is not there"),
        (["--config-dir", "d"], "is no folder"),
    ],
)
def test_flags_that_cannot_be(words: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        train.main(words)


def test_resume(made_run: Callable[..., Path], became: list[tuple[Path, bool]]) -> None:
    directory = made_run("interrupted")
    assert train.main(["--resume", str(directory)]) == 0
    assert became == [(directory, True)]


def test_resume_of_a_killed_run(made_run: Callable[..., Path], became: list[tuple[Path, bool]]) -> None:
    directory = made_run("running", host=os.uname().nodename, pid=2**22 + 1)
    train.main(["--resume", str(directory)])
    assert became == [(directory, True)]


def test_resume_of_a_finished_run_says_so(
    made_run: Callable[..., Path], became: list[tuple[Path, bool]], capsys: pytest.CaptureFixture[str]
) -> None:
    directory = made_run("done")
    assert train.main(["--resume", str(directory)]) == 0
    assert became == [] and "is finished" in capsys.readouterr().out


def test_resume_of_a_trial_that_its_rule_has_paused_is_its_sweeps(
    made_run: Callable[..., Path], became: list[tuple[Path, bool]], here: Path
) -> None:
    made = made_run("paused")
    trial = here / "outputs" / "mine" / "sweep-1" / "trials" / "003"
    trial.parent.mkdir(parents=True)
    made.rename(trial)
    with pytest.raises(UserError) as error:
        train.main(["--resume", str(trial)])
    (fault,) = error.value.faults
    assert fault.what == "outputs/mine/sweep-1/trials/003" and "paused" in fault.truth
    assert "espalier sweep resume outputs/mine/sweep-1 ," in fault.remedy
    assert "espalier train --rerun outputs/mine/sweep-1/trials/003" in fault.remedy
    assert became == [] and error.value.exit_code == 2


def test_resume_of_a_running_one_is_refused(made_run: Callable[..., Path]) -> None:
    directory = made_run("running")
    with held(directory), pytest.raises(UserError, match="is running: process 1 on elsewhere"):
        train.main(["--resume", str(directory)])


def test_resume_of_one_whose_host_is_gone_goes_on(
    made_run: Callable[..., Path], became: list[tuple[Path, bool]]
) -> None:
    directory = made_run("running")
    train.main(["--resume", str(directory)])
    assert became == [(directory, True)]


def test_resume_of_a_changed_config_is_judged(made_run: Callable[..., Path], became: list[tuple[Path, bool]]) -> None:
    directory = made_run("interrupted")
    file = directory / "config.yaml"
    file.write_text(file.read_text().replace("espalier.model.lstm.Lstm", "os.system"))
    with pytest.raises(UserError, match="is Python's own"):
        train.main(["--resume", str(directory)])
    assert became == []


@pytest.mark.parametrize(
    ("changes", "model", "seed"),
    [([], "lstm", 0), (["seed=5"], "lstm", 5), (["model=mlp", "data=mnist", "seed=5"], "mlp", 5)],
)
def test_rerun(
    made_run: Callable[..., Path], became: list[tuple[Path, bool]], changes: list[str], model: str, seed: int
) -> None:
    directory = made_run("done")
    train.main(["--rerun", str(directory), *changes])
    ((new, resume),) = became
    config = yaml.safe_load((new / "config.yaml").read_text())
    assert new != directory and not resume
    assert (model in config["model"]["_target_"], config["seed"]) == (True, seed)


def test_a_sweep_is_conducted(monkeypatch: pytest.MonkeyPatch) -> None:
    conducted: list[tuple[str, ...]] = []
    monkeypatch.setattr(multirun, "conduct", lambda command: conducted.append(command.typed) or 3)
    assert train.main(["-m", "seed=0,1", "model=lstm", "adapter=full"]) == 3
    assert conducted == [("seed=0,1", "model=lstm", "adapter=full")]


def test_wrong_flags_and_wrong_words_are_answered_together() -> None:
    for flags in ([], ["-m"]):
        with pytest.raises(UserError) as error:
            train.main([*flags, "epochs=3", "--seed", "1", "lr=0.1", "optimizer.lr=-1", "name=mine"])
        assert {fault.what for fault in error.value.faults} == {"--seed", "epochs=3", "lr=0.1", "optimizer.lr=-1"}


def test_a_sweep_is_not_resumed_as_a_run(here: Path) -> None:
    (here / "sweep-1" / "best").mkdir(parents=True)
    (here / "sweep-1" / "sweep.yaml").touch()
    with pytest.raises(UserError, match="Go on:  espalier sweep resume sweep-1"):
        train.main(["--resume", "sweep-1"])
