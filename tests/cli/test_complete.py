from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from espalier.cli.complete import main


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
