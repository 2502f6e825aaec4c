from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
import torch

from espalier.core.errors import CorruptError, UserError
from espalier.state import folder
from espalier.state.store import Saved, Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "checkpoints")


def put(store: Store, *steps: int) -> None:
    for step in steps:
        folder.write(store.path_of(step), {"global_step": step, "weight": torch.full((9,), step)}, step=step)
        store.tidy(step)


def names(store: Store) -> list[str]:
    return sorted(path.name for path in store.root.iterdir())


def spoil(path: Path) -> None:
    content = bytearray((path / folder.TENSORS).read_bytes())
    content[-1] ^= 1
    (path / folder.TENSORS).write_bytes(content)


def test_an_empty_store_has_none(store: Store) -> None:
    assert store.newest() is None and store.best() is None


def test_keeps_the_last_two_and_the_best(store: Store) -> None:
    put(store, 1, 2)
    store.mark_best(2, 0.5)
    put(store, 3, 4)
    assert names(store) == ["best-00000002", "step-00000003", "step-00000004"]
    assert store.newest() == Saved(store.path_of(4), 4)
    assert store.best() == Saved(store.root / "best-00000002", 2, 0.5)


def test_a_better_one_takes_the_place(store: Store) -> None:
    put(store, 1)
    store.mark_best(1, 0.5)
    put(store, 2)
    assert store.mark_best(2, 0.75) == store.best()
    assert names(store) == ["best-00000002", "step-00000001", "step-00000002"]


def test_steps_back_over_a_broken_one_and_says_so(store: Store) -> None:
    put(store, 1, 2)
    spoil(store.path_of(2))
    with pytest.warns(UserWarning, match="step-00000002.*going back to step-00000001"):
        newest = store.newest()
    assert newest == Saved(store.path_of(1), 1)


def test_raises_where_none_is_whole(store: Store) -> None:
    put(store, 1, 2)
    spoil(store.path_of(1))
    (store.path_of(2) / folder.MANIFEST).unlink()
    with pytest.raises(CorruptError, match=r"no checkpoint in .* is whole"):
        store.newest()


def test_a_broken_one_does_not_count_among_the_two(store: Store) -> None:
    put(store, 1, 2)
    spoil(store.path_of(2))
    put(Store(store.root), 3)  # another process
    assert names(store) == ["step-00000001", "step-00000003"]


def test_what_lies_ahead_of_a_run_that_went_back_is_dropped(store: Store) -> None:
    put(store, 5, 9)
    put(store, 6)
    assert names(store) == ["step-00000005", "step-00000006"]


def test_leftovers_of_killed_writes_go(store: Store) -> None:
    put(store, 1)
    (store.root / ".step-00000002.4711.tmp").mkdir()
    (store.root / ".step-00000002.4711.tmp" / folder.TENSORS).write_bytes(b"half")
    assert store.newest() == Saved(store.path_of(1), 1)
    put(store, 2)
    assert names(store) == ["step-00000001", "step-00000002"]


def test_files_of_others_are_left_alone(store: Store) -> None:
    store.root.mkdir()
    (store.root / "step-notes").mkdir()
    put(store, 1, 2, 3)
    assert "step-notes" in names(store)


def test_a_mark_that_a_kill_prevented_is_made_up_for(store: Store) -> None:
    put(store, 1)
    store.mark_best(1, 0.5)
    put(store, 2)
    store.mend_best(2, 0.75)
    assert store.best() == Saved(store.root / "best-00000002", 2, 0.75)
    put(store, 3, 4)
    before = names(store)
    store.mend_best(2, 0.75)  # there is nothing to do, and nothing to do it from
    assert names(store) == before


def test_without_a_step_the_best_is_gone_on_from(store: Store) -> None:
    put(store, 1)
    store.mark_best(1, 0.5)
    put(store, 2, 3)
    spoil(store.path_of(2))
    spoil(store.path_of(3))
    with pytest.warns(UserWarning, match="step-00000003.*step-00000002.*going back to best-00000001"):
        assert store.newest() == Saved(store.root / "best-00000001", 1, 0.5)


def test_a_broken_best_is_none_and_told(store: Store) -> None:
    put(store, 1)
    store.mark_best(1, 0.5)
    put(store, 2, 3)
    spoil(store.root / "best-00000001")
    with pytest.warns(UserWarning, match="best-00000001.*there is no best one to take"):
        assert store.best() is None
    assert store.newest() == Saved(store.path_of(3), 3)


def test_a_checkpoint_under_another_steps_name_is_broken(store: Store) -> None:
    put(store, 1, 2)
    shutil.rmtree(store.path_of(2))
    shutil.copytree(store.path_of(1), store.path_of(2))
    with pytest.warns(UserWarning, match="step-00000002 holds the checkpoint of step 1: going back to step-00000001"):
        assert store.newest() == Saved(store.path_of(1), 1)


def test_one_of_a_later_format_is_not_stepped_over(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, 1)
    with monkeypatch.context() as later:
        later.setattr(folder, "FORMAT", folder.FORMAT + 1)
        folder.write(store.path_of(2), {"global_step": 2}, step=2)
    with pytest.raises(UserError, match="was written by Espalier"):
        store.newest()


def test_leftovers_can_be_cleared_before_there_is_a_write(store: Store) -> None:
    put(store, 1)
    (store.root / ".step-00000002.4711.tmp").mkdir()
    store.clear()
    assert names(store) == ["step-00000001"]


def test_a_folder_that_cannot_be_deleted_stops_nobody(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        if path.exists():
            raise OSError("busy")

    put(store, 1, 2)
    store.mark_best(2, 0.5)
    with monkeypatch.context() as stuck:
        stuck.setattr(folder, "remove", refuse)
        folder.write(store.path_of(3), {"global_step": 3}, step=3)
        store.tidy(3)
        store.mark_best(3, 0.75)
    assert store.newest() == Saved(store.path_of(3), 3) and store.best() == Saved(store.root / "best-00000003", 3, 0.75)
    put(store, 4)
    assert names(store)[-2:] == ["step-00000003", "step-00000004"]


WRITER = """
import sys, torch
from pathlib import Path
from espalier.state import folder
from espalier.state.store import Store
store, step = Store(Path(sys.argv[1])), int(sys.argv[2])
weights = {str(i): torch.rand(2000) for i in range(20)}
print("go", flush=True)
while True:
    step += 1
    folder.write(store.path_of(step), {"global_step": step, "weights": weights}, step=step)
    store.tidy(step)
    store.mark_best(step, float(step))
    print(step, flush=True)
"""


@pytest.mark.slow
def test_sigkill_at_any_moment_leaves_a_store_that_reads(store: Store) -> None:
    step = 0
    for kill in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(store.root), str(step)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout and writer.stdout.readline() == "go\n"
        time.sleep(0.05 + kill * 0.0685)
        writer.send_signal(signal.SIGKILL)
        said = [int(line) for line in writer.stdout.read().split()]
        writer.wait()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a folder that was being deleted may be stepped over
            newest, best = store.newest(), store.best()
        assert newest and newest.step >= max(said, default=step), "a checkpoint that was reported is there"
        assert best and best.step >= newest.step - 1
        assert folder.read(newest.path)["global_step"] == newest.step
        step = newest.step
