from __future__ import annotations

import json

from espalier.core.outcome import Cost, Outcome

OUTCOME = Outcome(
    status="done", name="mine", seed=3, started="2026-01-01T00:00:00", pid=7, host="here",
    metrics={"test/accuracy": 0.5}, intervals={"test/accuracy": (0.4, 0.6)}, cost=Cost(wall_seconds=1.5, parameters=9),
)  # fmt: skip


def test_outcome_survives_json() -> None:
    assert Outcome.of(json.loads(json.dumps(OUTCOME.as_dict()))) == OUTCOME


def test_keys_of_a_later_version_are_passed_over() -> None:
    record = OUTCOME.as_dict()
    record["colour"] = "red"
    record["cost"]["joules"] = 12
    assert Outcome.of(record) == OUTCOME


def test_record_of_a_run_that_has_just_begun_is_enough() -> None:
    record = {"status": "running", "name": "a", "seed": 0, "started": "now", "pid": 1, "host": "h"}
    assert Outcome.of(record).cost == Cost()
