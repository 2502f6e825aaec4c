from __future__ import annotations

import json
from typing import Any

import pytest

from espalier.core.masking import MASK
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


def test_what_others_said_is_masked_and_figures_stay() -> None:
    told = {"origin": "https://me:hush1@host/x.csv", "notes": ["token=abc123x"], "labels": ["token=abc123x"]}
    outcome = Outcome("failed", "n", 0, "", 1, "h", error="E: password=hush1", data=told, metrics={"test/loss": 0.5},
                      tracking={"lines": ["wandb: api_key=abc123x"]},
                      git_commit="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b")  # fmt: skip
    shown = outcome.masked()
    assert (shown.error, shown.data["origin"]) == (f"E: password={MASK}", f"https://{MASK}@host/x.csv")
    assert (shown.data["notes"], shown.tracking) == ([f"token={MASK}"], {"lines": [f"wandb: api_key={MASK}"]})
    assert (shown.data["labels"], shown.metrics, shown.git_commit) == (
        told["labels"],
        outcome.metrics,
        outcome.git_commit,
    )
    assert outcome.error == "E: password=hush1"


@pytest.mark.parametrize(
    "said",
    [
        {"status": {"a": 1}}, {"name": None}, {"started": 3}, {"objective": 3}, {"pid": "x"}, {"data": 3},
        {"cost": [1]}, {"cost": {"wall_seconds": "x"}}, {"metrics": {"a": [1]}}, {"metrics": {"a": 10**400}},
        {"intervals": {"a": 1}}, {"intervals": {"a": [1]}}, {"cost": {"wall_seconds": 10**400}},
        {"cost": {"wall_seconds": float("nan")}},
        {"summary": [1]}, {"summary": {"options": [1]}}, {"summary": {"overrides": 3}},
    ],
)  # fmt: skip
def test_a_record_of_other_types_is_no_outcome(said: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        Outcome.of(OUTCOME.as_dict() | said)
