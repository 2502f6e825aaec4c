from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from espalier import __version__
from espalier.cli.dispatch import main
from espalier.cli.help import COMMANDS

Script = Callable[..., subprocess.CompletedProcess[str]]
CANARY = "open('canary', 'w').close()\n"


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_overview(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    assert all(f"espalier {command}" in capsys.readouterr().out for command in ["train"])


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"espalier {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"espalier {command}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trian"], "Did you mean  espalier train ?"),
        (["xyz"], "There are: train, "),
        (["seed=1", "train"], "Did you mean  espalier train seed=1 ?"),
        (["-m", "seed=1"], "Did you mean  espalier train -m seed=1 ?"),
    ],
)
def test_no_command(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_a_mistake_is_one_message_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "seed=-1"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "1 thing to mend" in err and "Traceback" not in err


def test_the_traceback_on_demand(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ESPALIER_TRACEBACK", "1")
    assert main(["train", "seed=-1"]) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.e2e
def test_three_faults_in_one_answer_and_nothing_is_left(script: Script, here: Path) -> None:
    done = script("train", "optimizer.lrr=1e-3", "model=minlm", "hardware=ddp_cpu", "hardware.devices=99")
    assert (done.returncode, done.stdout) == (2, "")
    for said in ("3 things to mend", "optimizer.lr ?", "model=minilm", "this machine has"):
        assert said in done.stderr
    assert list(here.iterdir()) == []


@pytest.mark.e2e
def test_a_closed_pipe_is_no_error(here: Path) -> None:
    script = Path(sys.executable).with_name("espalier")
    done = subprocess.run(f"{script} train --cfg job | head -1", shell=True, capture_output=True, text=True)
    assert done.stdout.startswith("_target_") and done.stderr == ""


@pytest.mark.e2e
def test_a_reader_that_never_read_is_no_error_either(here: Path) -> None:
    script = Path(sys.executable).with_name("espalier")
    command = f"{script} runs | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc").is_dir(), reason="root may write anywhere but in /proc")
def test_a_file_that_cannot_be_written_is_named(
    made_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(made_run("done")), "output=/proc/page.html"]) == 2
    said = capsys.readouterr().err
    assert "/proc/page.html" in said and "Traceback" not in said


@pytest.mark.e2e
@pytest.mark.parametrize("command", [["espalier"], ["python", "-m", "espalier"]], ids=" ".join)
def test_the_working_folder_takes_no_librarys_place(command: list[str], here: Path) -> None:
    names = [
        "torch",
        "yaml",
        "sitecustomize",
        "usercustomize",
        "hydra",
        "omegaconf",
        "argparse",
        "json",
        "typing",
        "dataclasses",
        "subprocess",
        "__future__",
        "my_parts",
    ]
    for name in names:
        (here / f"{name}.py").write_text(CANARY)
    (here / "hydra_plugins").mkdir()
    (here / "hydra_plugins" / "evil.py").write_text(CANARY)
    program = [str(Path(sys.executable).with_name(command[0])), *command[1:]]
    for words in (
        ["train", "--cfg", "job"],
        ["train", "--info", "defaults-tree"],
        ["train", "model._target_=my_parts.Net"],
        ["runs"],
    ):
        done = subprocess.run([*program, *words], capture_output=True, text=True)
        assert done.returncode in (0, 2), done.stderr
    assert not (here / "canary").exists()


@pytest.mark.e2e
def test_torch_is_not_imported() -> None:
    program = (
        "import sys\nfrom espalier.cli.dispatch import main\n"
        "main(['train', '--cfg', 'job'])\nmain(['train', 'model=minlm'])\n"
        "heavy = ('torch', 'pytorch_lightning', 'transformers', 'wandb', 'rich', 'jinja2', 'pyarrow', 'numpy')\n"
        "sys.exit(', '.join(name for name in heavy if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words", [["train", "name=\udcff"], ["\ud83d"], ["predict", "input=\udcc3.csv"]])
def test_bytes_that_are_no_utf8_are_answered(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert "has bytes that are no UTF-8" in capsys.readouterr().err


def test_a_name_too_long_for_a_file_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "x=" + "9" * 5_000]) == 2
    said = capsys.readouterr().err
    assert "is the name of no file" in said and len(said) < 400
