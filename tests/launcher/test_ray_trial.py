"""How a trial's end follows from its actors' ends."""

from __future__ import annotations

from concurrent.futures import Future
from importlib.util import find_spec

import pytest

from espalier.core.launching import Ended
from espalier.launcher import ray_trial
from espalier.launcher.ray_trial import Trial

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'espalier[ray]'")
LOST = Ended(137, "Ray's node was lost", lost=True)


def of(*ends: Ended | Exception | None) -> Trial:
    return Trial("000-ab", "espalier-s", [None] * len(ends), "", Future(), [future(end) for end in ends])


def future(end: Ended | Exception | None) -> Future[Ended]:
    made: Future[Ended] = Future()
    if isinstance(end, Ended):
        made.set_result(end)
    elif end:
        made.set_exception(end)
    return made


def test_one_machine() -> None:
    assert of(None).ended() is None
    assert of(Ended(0)).ended() == Ended(0)
    assert of(Ended(1)).ended() == Ended(1)


def test_of_several_machines_all_must_end_well() -> None:
    assert of(Ended(0), None).ended() is None
    assert of(Ended(0), Ended(0)).ended() == Ended(0)
    assert of(Ended(0), Ended(1)).ended() == Ended(1)


def test_a_machine_that_is_lost_explains_the_others() -> None:
    assert of(Ended(1), LOST).ended() == LOST
    assert of(None, LOST).ended() == LOST


def test_an_error_on_one_machine_waits_a_while_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = of(Ended(1), None)
    assert trial.ended() is None
    monkeypatch.setattr(ray_trial.time, "monotonic", lambda: trial._until + 1)
    assert trial.ended() == Ended(1)


def test_rays_own_errors_in_words() -> None:
    from ray.core.generated.common_pb2 import ActorDiedErrorContext
    from ray.exceptions import ActorDiedError, OutOfMemoryError, RuntimeEnvSetupError

    said = "1 worker(s) were killed … Memory on the node (IP: 10.0.0.2, ID: ab) was 8.8GB used / 9.1GB limit (0.96)"
    why = "Ray ended it for want of memory: 10.0.0.2 was at 8.8GB used / 9.1GB limit"
    assert of(OutOfMemoryError(said)).ended() == Ended(137, why, out_of_memory=True)
    told = said.replace("killed …", "killed due to the node running low on memory.")
    context = ActorDiedErrorContext(class_name="Worker", actor_id=bytes(16), error_message=told)
    assert of(ActorDiedError(context)).ended() == Ended(137, why, out_of_memory=True)
    assert of(ActorDiedError(ActorDiedErrorContext(actor_id=bytes(16), error_message="gone"))).ended().lost
    ended = of(RuntimeEnvSetupError("no such package: einop")).ended()
    assert ended
    assert not ended.lost
    assert "no such package: einop" in ended.why
