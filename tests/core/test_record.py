"""A sweep's record: what was written is read, whatever happened in between."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from espalier.core.errors import UserError
from espalier.core.record import RECORD, Record, kind_of, last_lines, read_events, read_record, trial_directory

TOLD = {"configuration": 0, "point": {"x": 1, "callback": ["a"]}, "seed": 0, "words": ["x=1"], "name": "x=1"}


def made(directory: Path, *events: tuple[str, dict[str, Any]]) -> Record:
    record = Record(directory)
    record.write("planned", 0, **TOLD)
    for event, more in events:
        record.write(event, 0, **more)
    return record


def test_a_trials_life(tmp_path: Path) -> None:
    record = made(
        tmp_path,
        ("running", {"slot": "cpu:0", "handle": {"pid": 7}}),
        ("rung", {"validations": 1, "value": 0.5}),
        ("rung", {"validations": 3, "value": None}),
        ("paused", {"cost": {"seconds": 3.0}}),
        ("running", {"slot": "cpu:1", "handle": None}),
        ("again", {"why": "node n2 was lost", "lost": 1}),
        ("running", {"slot": "cpu:1", "handle": None}),
        ("done", {"values": [0.9], "metrics": {"validation/accuracy": 0.9}, "cost": {"seconds": 9.0}}),
        ("tested", {"metrics": {"test/accuracy": 0.8}}),
    )
    (trial,) = read_record(tmp_path)
    assert trial == record.trials[0] and trial.ended
    assert (trial.state, trial.attempts, trial.lost, trial.slot) == ("done", 3, 1, "cpu:1")
    assert trial.rungs == ((1, 0.5), (3, None)) and trial.values == (0.9,) and trial.words == ("x=1",)
    assert trial.metrics == {"validation/accuracy": 0.9, "test/accuracy": 0.8} and trial.cost == {"seconds": 9.0}


def test_one_that_could_not_be_is_planned_anew(tmp_path: Path) -> None:
    record = made(tmp_path, ("failed", {"why": "no such option"}), ("again", {"why": "tried once more"}))
    record.write("planned", 0, **TOLD, digest="abc")
    assert (record.trials[0].digest, record.trials[0].why) == ("abc", "")


def test_a_torn_last_line_is_passed_over_and_cut_off_by_the_next_writer(tmp_path: Path) -> None:
    made(tmp_path).close()
    with (tmp_path / RECORD).open("ab") as file:
        file.write(b'{"event": "running", "tri')
    assert [event["event"] for event in read_events(tmp_path)] == ["planned"]
    record = Record(tmp_path)
    record.write("running", 0, slot="cpu:0", handle=None)
    record.close()
    assert [event["event"] for event in read_events(tmp_path)] == ["planned", "running"]


def test_a_disk_that_takes_half_a_line_leaves_a_record_that_is_whole(tmp_path: Path) -> None:
    class Half:
        name = "record.jsonl"

        def __init__(self, file: Any) -> None:
            self.file = file

        def write(self, text: bytes) -> int:
            return int(self.file.write(text[: len(text) // 2]))

        def fileno(self) -> int:
            return int(self.file.fileno())

    record = made(tmp_path)
    record._file = Half(record._file)  # type: ignore[assignment]
    with pytest.raises(OSError, match="No space left"):
        record.write("running", 0, slot="cpu:0", handle=None)
    assert record.trials[0].state == "planned"
    again = Record(tmp_path)
    again.write("running", 0, slot="cpu:1", handle=None)
    assert read_record(tmp_path)[0].slot == "cpu:1"


def test_who_waits_for_room_writes_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record, waited = made(tmp_path), list[OSError]()
    append, refusals = record._append, iter([errno.ENOSPC, errno.EDQUOT])

    def appended(line: bytes) -> OSError | None:
        number = next(refusals, None)
        return OSError(number, "no") if number else append(line)

    def waits(error: OSError) -> bool:
        waited.append(error)
        return True

    monkeypatch.setattr(record, "_append", appended)
    record.waits = waits
    record.write("running", 0, slot="cpu:0", handle=None)
    assert [error.errno for error in waited] == [errno.ENOSPC, errno.EDQUOT]
    assert read_record(tmp_path)[0].slot == record.trials[0].slot == "cpu:0"


def test_half_a_character_in_a_reason_is_no_end_of_the_sweep(tmp_path: Path) -> None:
    record = made(tmp_path, ("failed", {"why": "no file r\udce9sum\udce9.csv", "log": "été"}))
    trial = record.trials[0]
    assert trial == read_record(tmp_path)[0] and (trial.why, trial.log) == ("no file r?sum?.csv", "été")


def test_secrets_in_reasons_are_masked(tmp_path: Path) -> None:
    secret = "hf_" + "abcdefghijklmnopqrstuvwxyz0123456789"[:34]
    made(tmp_path, ("failed", {"why": f"refused: token {secret}", "log": secret}))
    assert secret not in (tmp_path / RECORD).read_text() and "refused" in read_record(tmp_path)[0].why


def test_where_nothing_is_recorded(tmp_path: Path) -> None:
    assert read_record(tmp_path) == [] and list(read_events(tmp_path)) == []
    assert trial_directory(tmp_path, 7) == tmp_path / "trials" / "007"
    assert trial_directory(tmp_path, 12345).name == "12345"
    assert last_lines(["a  ", "b", "c"], 2) == "b\nc"


def test_events_bear_their_time_on_one_line_each(tmp_path: Path) -> None:
    made(tmp_path, ("failed", {"why": "a\nb"})).close()
    lines = (tmp_path / RECORD).read_text().splitlines()
    assert len(lines) == 2 and all(json.loads(line)["at"] > 1e9 for line in lines)


@pytest.mark.parametrize(
    ("why", "kind"),
    [
        ("ValueError: could not convert 'my own text'\nmore", "ValueError"),
        ("out of memory: torch.OutOfMemoryError: 3 GiB", "out of memory: torch.OutOfMemoryError"),
        ("KeyError", "KeyError"),
        ("killed by SIGKILL", "killed by SIGKILL"),
        ("", ""),
    ],
)
def test_the_kind_of_a_reason_quotes_nothing(why: str, kind: str) -> None:
    assert kind_of(why) == kind


@pytest.mark.parametrize(
    "line",
    [
        "3", "[]", "{}", "{", "[" * 100_000, '{"event": "planned", "trial": "../../x"}', '{"event": 3, "trial": 0}',
        '{"event": "running", "trial": 7, "slot": "x", "handle": null}', '{"event": "planned", "trial": 0}',
        '{"event": "planned", "trial": 0, "words": 3}', '{"event": "planned", "trial": true, "words": []}',
    ],
)  # fmt: skip
def test_what_no_sweep_has_written_is_answered(line: str, tmp_path: Path) -> None:
    (tmp_path / RECORD).write_text(f"{line}\n")
    with pytest.raises(UserError, match=r"record.jsonl  holds what no sweep has written"):
        read_record(tmp_path)
