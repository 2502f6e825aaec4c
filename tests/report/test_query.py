from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from espalier.core.errors import UserError
from espalier.core.rundir import process_created, write_outcome
from espalier.report.query import Found, find_runs
from report.run_files import outcome_of


@pytest.fixture
def directories(tmp_path: Path) -> list[Path]:
    """Newest first: a good run, a poor one with NaN, a killed one, one that runs."""
    good = outcome_of(
        seed=1, summary={"options": {"adapter": "lora", "callback": ["a"]}, "overrides": ["adapter=lora"]}
    )
    poor = outcome_of(
        metrics={"test/accuracy": 0.4, "test/loss": float("nan")}, summary={"options": {"debug": "one_batch"}}
    )
    killed = outcome_of(status="running", metrics={}, pid=2**22 + 1)
    alive = outcome_of(
        status="running", metrics={}, pid=os.getpid(), host=os.uname().nodename, process_created=own_start()
    )
    places = []
    for number, outcome in enumerate((good, poor, killed, alive)):
        directory = tmp_path / str(number)
        directory.mkdir()
        write_outcome(directory, outcome)
        places.append(directory)
    return places


def own_start() -> float:
    return process_created(os.getpid()) or 0.0


def names(found: Found) -> list[str]:
    return [run.directory.name for run in found.runs]


def test_all_in_the_order_given(directories: list[Path]) -> None:
    found = find_runs(directories)
    assert names(found) == ["0", "1", "2", "3"] and found.matching == 4
    assert [run.status for run in found.runs] == ["done", "done", "killed", "running"]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("metric > 0.9 and adapter = 'lora'", ["0"]),
        ("accuracy < 0.5", ["1"]),
        ("test_accuracy < 0.5 and validation_accuracy is null", ["1"]),
        ("status = 'killed'", ["2"]),
        ("debug is not null", ["1"]),
        ("changed like '%lora%' or seed = 7", ["0"]),
        ("took > 100 and objective = 'accuracy' and metric is null", ["2", "3"]),
        ("seed = 99", []),
    ],
)
def test_where(directories: list[Path], where: str, expected: list[str]) -> None:
    assert names(find_runs(directories, where=where)) == expected


def test_sorted_largest_first_and_what_is_not_known_last(directories: list[Path]) -> None:
    assert names(find_runs(directories, sort="accuracy"))[:2] == ["0", "1"]
    assert names(find_runs(directories, sort="accuracy asc"))[:2] == ["1", "0"]


def test_the_limit_says_how_many_there_are(directories: list[Path]) -> None:
    found = find_runs(directories, limit=1)
    assert names(found) == ["0"] and found.matching == 4


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"status": 1', b"\xff\xfe", b"3"])
def test_one_that_cannot_be_read_is_named_and_the_others_are_listed(directories: list[Path], content: bytes) -> None:
    (directories[1] / "outcome.json").write_bytes(content)
    found = find_runs(directories)
    assert found.unreadable == [directories[1]] and names(found) == ["0", "2", "3"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"where": "accurcy > 1"}, "has no column accurcy. Did you mean  accuracy ?"),
        ({"where": "accuracy >"}, "syntax error"),
        ({"where": "name = bewertungen"}, "Quote a text:  name = 'bewertungen'"),
        ({"where": "accuracy > 0,5"}, "Write  0.5"),
        ({"sort": "nope"}, "has no column nope."),
        ({"sort": "sed"}, "Did you mean  seed ?"),
        ({"where": "accuracy >> 0.9"}, "'>>(DOUBLE, DECIMAL(2,1))'. Columns: see"),
        ({"where": "foo(accuracy) > 1"}, "Scalar Function with name foo does not exist. Columns: see"),
    ],
)
def test_words_that_are_no_sql_or_name_nothing(directories: list[Path], words: dict[str, str], said: str) -> None:
    with pytest.raises(UserError) as raised:
        find_runs(directories, **words)  # type: ignore[arg-type]
    assert said in str(raised.value) and "LINE" not in str(raised.value) and "Candidate" not in str(raised.value)


def test_a_condition_and_an_order_that_are_wrong_are_both_named(directories: list[Path]) -> None:
    with pytest.raises(UserError) as raised:
        find_runs(directories, where="accurcy > 0.9", sort="nope")
    assert [fault.what for fault in raised.value.faults] == ['--where "accurcy > 0.9"', '--sort "nope"']
    assert "has no column accurcy" in str(raised.value) and "has no column nope" in str(raised.value)
    with pytest.raises(UserError) as raised:
        find_runs(directories, where="accuracy > 0.9", sort="nope")
    assert [fault.what for fault in raised.value.faults] == ['--sort "nope"']


def test_a_condition_reads_no_files(directories: list[Path], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    with pytest.raises(UserError):
        find_runs(directories, where=f"(select count(*) from read_text('{tmp_path / 'secret'}')) > 0")


def test_none_at_all() -> None:
    assert find_runs([], where="nonsense") == Found([], 0, [])


def test_records_of_other_versions_are_listed(directories: list[Path]) -> None:
    file = directories[0] / "outcome.json"
    record = json.loads(file.read_text())
    file.write_text(json.dumps({**record, "summary": {}, "cost": {}, "later": [1, {"x": 2}]}))
    assert names(find_runs(directories, where="changed is null or true", limit=1)) == ["0"]


def test_trials_are_sorted_by_validation_also_the_one_that_was_tested(tmp_path: Path) -> None:
    metrics = [{"test/accuracy": 0.6, "validation/accuracy": 0.9}, {"validation/accuracy": 0.8}]
    places = [tmp_path / "n" / "sweep-1" / "trials" / f"{number:03d}" for number in range(2)]
    for place, own in zip(places, metrics, strict=True):
        place.mkdir(parents=True)
        write_outcome(place, outcome_of(metrics=own))
    assert names(find_runs(places, sort="metric")) == ["000", "001"]
    assert names(find_runs(places, where="metric > 0.7")) == ["000", "001"]


def test_nan_is_no_number_and_so_neither_the_largest_nor_above_anything(tmp_path: Path) -> None:
    places = [tmp_path / name for name in ("lost", "good", "better")]
    for place, accuracy in zip(places, (float("nan"), 0.8, 0.9), strict=True):
        place.mkdir()
        write_outcome(place, outcome_of(metrics={"test/accuracy": accuracy, "validation/accuracy": 0.7}))
    for column in ("metric", "accuracy", "test_accuracy"):
        assert names(find_runs(places, sort=column)) == ["better", "good", "lost"]
        assert names(find_runs(places, where=f"{column} > 0.5")) == ["good", "better"]


def test_a_metric_whose_name_is_no_word_sorts_as_it_is_and_is_quoted_in_a_condition(tmp_path: Path) -> None:
    places = [tmp_path / name for name in ("good", "better")]
    for place, recall in zip(places, (0.8, 0.9), strict=True):
        place.mkdir()
        write_outcome(place, outcome_of(metrics={"test/recall@1": recall}))
    assert names(find_runs(places, sort="recall@1")) == ["better", "good"]
    assert names(find_runs(places, sort="recall@1 asc")) == ["good", "better"]
    assert names(find_runs(places, where='"recall@1" > 0.85')) == ["better"]
    with pytest.raises(UserError, match=re.escape("""Did you mean recall@1 ? Quote it:  '"recall@1"'""")):
        find_runs(places, where="recall@1 > 0.85")


def test_trials_are_told_by_their_sweep(tmp_path: Path, directories: list[Path]) -> None:
    trials = [tmp_path / "sweep-x" / "trials" / f"{number:03d}" for number in (2, 10)]
    for trial in trials:
        trial.mkdir(parents=True)
        write_outcome(trial, outcome_of())
    places = [*directories, *trials]
    assert names(find_runs(places, where="sweep = 'sweep-x'", sort="trial")) == ["010", "002"]
    assert names(find_runs(places, where="sweep is null")) == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    "more",
    [
        {"metrics": {"a": [1]}},
        {"metrics": {"a": 10**400}},
        {"intervals": {"a": [1]}},
        {"cost": {"wall_seconds": "x" * 3}},
        {"name": None},
        {"summary": [1]},
        {"summary": {"overrides": 3}},
    ],
)
def test_a_record_that_is_no_outcome_after_all_is_unreadable(directories: list[Path], more: dict[str, object]) -> None:
    file = directories[0] / "outcome.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | more))
    found = find_runs(directories)
    assert (names(found), found.unreadable) == (["1", "2", "3"], [directories[0]])


def test_metrics_whose_names_can_name_no_column_are_listed(directories: list[Path]) -> None:
    file = directories[0] / "outcome.json"
    metrics = {"metrics": {"": 1.0, "\0": 2.0, "a/": 3.0}}
    file.write_text(json.dumps(json.loads(file.read_text()) | metrics))
    assert names(find_runs(directories)) == ["0", "1", "2", "3"]


def test_a_record_that_is_nested_too_deep_is_unreadable(directories: list[Path]) -> None:
    file = directories[1] / "outcome.json"
    file.write_text(file.read_text().rstrip()[:-1] + ', "x": ' + "[" * 900 + "]" * 900 + "}")
    assert names(find_runs(directories))
    file.write_text("[" * 100_000)
    assert find_runs(directories).unreadable == [directories[1]]
