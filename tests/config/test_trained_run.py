from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from espalier.config.check import check
from espalier.config.compose import compose
from espalier.config.trained_run import unusable
from espalier.core.errors import ConfigError
from espalier.core.rundir import process_created

Made = Callable[..., Path]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """A directory whose outcome says this."""
    monkeypatch.chdir(tmp_path)

    def make(**outcome: object) -> Path:
        record = {"status": "done", "name": "n", "seed": 0, "started": "", "pid": 1, "host": "elsewhere", **outcome}
        Path("run").mkdir(exist_ok=True)
        Path("run/outcome.json").write_text(json.dumps(record))
        Path("run/facts.json").write_text("{}")
        return Path("run")

    return make


def test_one_that_is_done_will_do(made: Made) -> None:
    assert unusable(made()) is None
    check(compose(["weights=run"]))


@pytest.mark.parametrize(
    ("outcome", "truth", "remedy"),
    [
        ({"status": "interrupted", "steps": 1200}, "was interrupted at step 1,200, before its end.", "--resume run"),
        ({"status": "failed"}, "failed.", "--resume run"),
        ({"status": "running"}, "was killed, before its end.", "--resume run"),
        (
            {"status": "running", "pid": os.getpid(), "host": os.uname().nodename},
            f"is still running: process {os.getpid()} on {os.uname().nodename}.",
            "Wait",
        ),
    ],
    ids=["interrupted", "failed", "killed", "running"],
)
def test_one_that_is_not(made: Made, outcome: dict[str, object], truth: str, remedy: str) -> None:
    created = process_created(os.getpid()) or 0.0
    told = unusable(made(**outcome, process_created=created))
    assert told is not None and told[0] == truth and remedy in told[1]


def test_one_of_an_earlier_version(made: Made) -> None:
    (made() / "facts.json").unlink()
    told = unusable(Path("run"))
    assert told is not None and "earlier version" in told[0] and "--rerun run" in told[1]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("weights=nowhere", "is not there"),
        ("weights=.", "is no run directory"),
        ("weights=w.bin", "is no safetensors file"),
    ],
)
def test_what_weights_may_not_be(made: Made, word: str, said: str) -> None:
    Path("w.bin").write_bytes(b"")
    with pytest.raises(ConfigError, match=said):
        check(compose([word]))


def test_a_slip_is_answered_with_the_key() -> None:
    with pytest.raises(ConfigError, match="Did you mean  weights"):
        check(compose(["model.weights=run"]))


def test_a_trial_goes_on_with_its_sweep(made: Made) -> None:
    trial = Path("outputs/mine/sweep-2026-11-30_14-02-11-3fa9c1/trials/007")
    trial.parent.mkdir(parents=True)
    made(status="paused", steps=4).rename(trial)
    told = unusable(trial)
    assert told is not None and told[0] == "was paused at step 4, before its end."
    assert told[1].endswith("espalier sweep resume outputs/mine/sweep-2026-11-30_14-02-11-3fa9c1")


def test_a_folder_of_weights_alone_will_do(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    check(compose([f"weights={tmp_path}"]))
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ConfigError, match="is no run directory"):
        check(compose([f"weights={tmp_path}"]))


def test_a_pickle_is_answered_with_the_command_that_converts_it(tmp_path: Path) -> None:
    for name, remedy in {
        "x.ckpt": rf"espalier import '?{tmp_path}/x.ckpt'? --output FOLDER",
        "x.h5": "Name a run directory",
    }.items():
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(ConfigError, match=rf"is no safetensors file. .*{remedy}"):
            check(compose([f"weights={tmp_path / name}"]))
