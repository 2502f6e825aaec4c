from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from callback.tiny import Loader, Tiny, run_info, trainer
from espalier.callback.profile import Profile


def profiled(folder: Path, batches: int, **changed: Any) -> tuple[Profile, Any]:
    callback = Profile(run_info(folder), **{"after": 2, "steps": 3, "rows": 4, **changed})
    made = trainer(callback, folder)
    made.fit(Tiny(), Loader(batches))
    return callback, made


def test_it_writes_a_table_and_a_time_line_and_ends_the_training(tmp_path: Path, capfd: Any) -> None:
    callback, made = profiled(tmp_path, 20)
    assert (made.global_step, callback.ended) == (5, "3 steps were profiled")
    table, said = (tmp_path / "profile" / "table.txt").read_text(), capfd.readouterr()
    assert "aten::addmm" in table
    assert "ui.perfetto.dev" in said.out
    assert len(said.out.splitlines()) < len(table.splitlines())
    assert "USDT" not in said.err
    names = {event["name"] for event in json.loads((tmp_path / "profile" / "trace.json").read_text())["traceEvents"]}
    assert "aten::addmm" in names


def test_a_shorter_run_tells_what_it_saw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    callback, _ = profiled(tmp_path, 4)
    assert callback.ended == ""
    assert "2 steps, by an operation's own time" in capsys.readouterr().out


def test_a_run_of_nothing_but_first_steps_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    profiled(tmp_path, 2)
    assert "nothing was profiled: the run had 2 steps, and callback.profile.after=2" in capsys.readouterr().out
    assert not (tmp_path / "profile").exists()


def test_a_run_that_fails_lets_the_profiler_go(tmp_path: Path) -> None:
    callback = Profile(run_info(tmp_path), after=1, steps=9, rows=4)
    with pytest.raises(ValueError, match="it broke"):
        trainer(callback, tmp_path).fit(Tiny(fail_at=3), Loader(6))
    profiled(tmp_path, 20)
