"""``espalier track``: which runs and trials are told, and what is answered where there is nothing to tell."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from espalier.cli import track
from espalier.cli.track import main
from espalier.core.errors import UserError
from espalier.core.record import trial_directory
from espalier.core.rundir import run_id
from report.sweep_files import grid

LINE = '{"step": 1, "epoch": 0, "train/loss": 0.5}\n'


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What would be run, with the pages that lie ready for it."""
    calls: list[tuple[str, ...]] = []

    def ask(module: str, *words: str) -> int:
        folder = next((Path(after) for word, after in pairwise(words) if word == "--pages"), None)
        calls.append((module, *words, *(sorted(file.name for file in folder.iterdir()) if folder else ())))
        return 0

    monkeypatch.setattr(track, "ask", ask)
    return calls


@pytest.fixture
def recorded(made_run: Callable[..., Path]) -> Callable[..., Path]:
    def make(status: str, **outcome: Any) -> Path:
        directory = made_run(status, **outcome)
        (directory / "metrics.jsonl").write_text(LINE)
        return directory

    return make


def test_a_run_goes_to_wandb_with_its_page_and_the_options_settings(
    recorded: Callable[..., Path], asked: list[tuple[str, ...]]
) -> None:
    directory = recorded("done")
    (directory / "report.html").write_text("the page with the data's texts")
    assert main([str(directory), "--to", "wandb"]) == 0
    ((module, run, to, name, flag, settings, *rest),) = asked
    assert (module, run, to, name, flag) == ("espalier.tracking.send", str(directory), "--to", "wandb", "--settings")
    assert json.loads(settings)["project"] == "espalier" and "_target_" not in json.loads(settings)
    assert rest[0] == "--pages" and rest[2:] == [f"{run_id(directory)}.html"]


def test_a_trial_that_was_not_tested_has_no_page(recorded: Callable[..., Path], asked: list[tuple[str, ...]]) -> None:
    main([f"run={recorded('done')}", "--to", "wandb"])
    assert asked[0][-2] == "--pages"


def test_a_file_needs_no_page(recorded: Callable[..., Path], asked: list[tuple[str, ...]]) -> None:
    assert main([str(recorded("done")), str(recorded("failed")), "--to", "csv"]) == 0
    assert len(asked) == 1 and "--pages" not in asked[0]


def test_of_a_sweep_every_trial_and_the_sweep_itself(
    here: Path, monkeypatch: pytest.MonkeyPatch, asked: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = grid(here / "outputs" / "mine" / "sweep-1", monkeypatch)
    monkeypatch.setattr(track, "_texts", lambda _: False)  # these trials have no config
    every = sorted(file.parent for file in sweep.glob("trials/*/outcome.json"))
    over = [run for run in every if json.loads((run / "outcome.json").read_text())["status"] != "running"]
    ready = [run for run in over if (run / "metrics.jsonl").exists() and (run / "metrics.jsonl").stat().st_size]
    assert main([str(sweep), "--to", "wandb"]) == 0
    first, second = asked
    assert list(first[1 : 1 + len(ready)]) == [str(run) for run in ready]
    assert second[:2] == ("espalier.tracking.sweep_run", str(sweep)) and second[2] == "--page"
    said = capsys.readouterr().out
    assert ("left out" in said) == (len(ready) < len(every))
    assert main([str(sweep), "--to", "csv"]) == 0 and len(asked) == 3


def test_trials_that_recorded_nothing_are_counted(
    here: Path, monkeypatch: pytest.MonkeyPatch, asked: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = grid(here / "outputs" / "mine" / "sweep-1", monkeypatch)
    (trial_directory(sweep, 0) / "metrics.jsonl").unlink()
    assert main([str(sweep), "--to", "csv"]) == 0
    assert "still run, or have recorded nothing: left out" in capsys.readouterr().out
    assert str(trial_directory(sweep, 0)) not in asked[0]


def test_a_run_that_goes_on_tells_its_trackers_itself(recorded: Callable[..., Path]) -> None:
    with pytest.raises(UserError, match="still runs, and tells its trackers itself"):
        main(
            [
                str(recorded("running", pid=os.getpid(), host=os.uname().nodename, process_created=_created())),
                "--to",
                "csv",
            ]
        )


def _created() -> float:
    from espalier.core.rundir import process_created

    return process_created(os.getpid()) or 0.0


def test_every_mistake_is_answered(made_run: Callable[..., Path]) -> None:
    with pytest.raises(UserError) as said:
        main([])
    assert [fault.truth for fault in said.value.faults] == ["needs a run or a sweep.", "needs to know whom to tell."]
    with pytest.raises(UserError, match="has recorded no metrics"):
        main([str(made_run("done")), "--to", "wandb"])
    with pytest.raises(UserError, match="is not there"):
        main(["nowhere", "--to", "wandb"])
    with pytest.raises(UserError, match="invalid choice: 'mlflow'"):
        main(["nowhere", "--to", "mlflow"])


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "espalier track outputs/latest --to wandb" in capsys.readouterr().out
