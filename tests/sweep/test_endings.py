from __future__ import annotations

import pytest

from espalier.core.launching import Ended
from espalier.core.outcome import Outcome, Status
from espalier.sweep.endings import MOST_HALVINGS, Circumstances, ending_of, halved


def outcome(status: Status, error: str = "") -> Outcome:
    return Outcome(status, "n", 0, "", 1, "h", error=error)


@pytest.mark.parametrize(
    ("said", "ended", "known", "kind", "why"),
    [
        (outcome("done"), Ended(0), Circumstances(), "done", ""),
        (outcome("done"), Ended(1, "node lost", lost=True), Circumstances(), "done", ""),
        (outcome("paused"), Ended(0), Circumstances(cancelled=True), "paused", ""),
        (outcome("failed", "ValueError"), Ended(1), Circumstances(), "failed", "ValueError"),
        (outcome("failed", "gloo: closed"), Ended(1, "n2 was lost", lost=True), Circumstances(), "lost", "n2 was lost"),
        (outcome("failed", "out of memory: x"), Ended(1), Circumstances(), "infeasible", "out of memory: x"),
        (outcome("failed", "MemoryError: "), Ended(1), Circumstances(halves=True), "halve", "half the micro-batch"),
        (outcome("running"), Ended(137, out_of_memory=True), Circumstances(halves=True, halvings=MOST_HALVINGS),
         "infeasible", f"halved {MOST_HALVINGS} times"),
        (outcome("interrupted", "stopped by SIGTERM"), Ended(143), Circumstances(cancelled=True), "again", "sweep"),
        (outcome("interrupted", "stopped by SIGTERM"), Ended(143), Circumstances(), "lost", "SIGTERM"),
        (outcome("running"), Ended(1, "n2 was lost", lost=True), Circumstances(lost=2), "failed", "placed 3 times"),
        (outcome("running"), Ended(137, "killed by SIGKILL"), Circumstances(), "failed", "killed by SIGKILL"),
        (outcome("running"), Ended(137), Circumstances(cancelled=True), "again", "sweep"),
        (None, Ended(2), Circumstances(), "failed", "ended with code 2"),
        (None, Ended(139), Circumstances(), "failed", "signal 11"),
    ],
)  # fmt: skip
def test_endings(said: Outcome | None, ended: Ended, known: Circumstances, kind: str, why: str) -> None:
    found = ending_of(said, ended, known)
    assert found.kind == kind and why in found.why


def test_half_the_micro_batch_is_twice_as_many() -> None:
    assert halved({"accumulate_grad_batches": 4}, 1) == {"accumulate_grad_batches": 8}
    assert halved({}, 3) == {"accumulate_grad_batches": 8}
