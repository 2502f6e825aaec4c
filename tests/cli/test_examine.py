from __future__ import annotations

from pathlib import Path

import pytest

from espalier.cli import examine as room
from espalier.cli.examine import Finding, examine, measured_findings

TORCH = {"seconds": 1.5, "threads": 2, "gpus": [], "bf16_speed": 1.0, "chosen": "32-true (no AMX)"}


def found(output: Path) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(output)}


def test_everything_is_looked_at(tmp_path: Path) -> None:
    names = found(tmp_path / "outputs").keys()
    assert {"espalier", "packages", "cpu", "gpu", "memory", "outputs", "cache", "wandb", "hub", "compiler"} <= names


def test_variables_that_nothing_reads_or_that_name_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATTA", "x y")
    monkeypatch.setenv("ESPALIER_MODELS", str(tmp_path / "none"))
    findings = found(tmp_path)
    slip, none = findings["ESPALIER_DATTA"], findings["ESPALIER_MODELS"]
    assert (slip.status, slip.mend) == ("attention", "export ESPALIER_DATA='x y'")
    assert (none.status, none.mend) == ("attention", f"mkdir -p {tmp_path / 'none'}")


def test_a_hub_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(tmp_path)["hub"].status == "ok"  # offline, as the tests set it
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    hub = found(tmp_path)["hub"]
    assert (hub.status, hub.mend) == ("ok", "export HF_HUB_OFFLINE=1")  # nothing that is there needs it


def test_little_room_and_no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_LITTLE_DISK", 1e18)
    monkeypatch.setattr(room, "_LITTLE_MEMORY", 1e18)
    monkeypatch.setenv("CXX", "none")
    findings = found(tmp_path)
    assert [findings[name].status for name in ("memory", "outputs", "cache")] == ["attention"] * 3
    assert (findings["compiler"].status, findings["compiler"].mend) == ("ok", "apt install g++")


def test_trusted_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_TRUST", "nowhere_to_be_found")
    assert found(tmp_path)["trusted"].mend == "espalier trust nowhere_to_be_found --remove"


def test_what_torch_found() -> None:
    said = {finding.name: finding for finding in measured_findings(TORCH)}
    assert said["bf16"].value == "1.0 times as fast as fp32 on this CPU; hardware=auto takes 32-true (no AMX)"
    assert said["bf16"].mend == ""
    quick = {finding.name: finding for finding in measured_findings(TORCH | {"bf16_speed": 3.0})}
    assert quick["bf16"].mend == "espalier train hardware=cpu hardware.precision=bf16-mixed"


def test_torch_that_does_not_load() -> None:
    (only,) = measured_findings(None)
    assert only.status == "attention"
