from __future__ import annotations

import json

import pytest

from cli.conftest import Command
from espalier.cli import doctor


def test_lines_and_exit_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(doctor, "_measure", lambda: None)
    assert doctor.main([]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ok          espalier")
    assert lines[-1].startswith("attention   torch") and "→" in lines[-1]


@pytest.mark.e2e
@pytest.mark.slow
def test_as_json_it_is_an_object_a_line(script: Command) -> None:
    done = script("doctor", "--json")
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == int(any(finding["status"] == "attention" for finding in findings))
    assert {"espalier", "cpu", "torch", "bf16"} <= {finding["name"] for finding in findings}
