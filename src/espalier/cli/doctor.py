"""``espalier doctor``: what this machine and its settings are fit for, and how to mend what is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from espalier.cli.arguments import Parser
from espalier.cli.examine import Finding, examine, measured_findings
from espalier.report.layout import aligned

_HELP = """\
espalier doctor [--json] [--output FOLDER]

Looks at versions, CPU, GPUs, memory, disks (of FOLDER, else outputs, and of the cache), Weights & Biases, the hub,
ESPALIER_* variables, trusted packages and the compiler; then measures what torch finds. Each line is ok, or attention
with what to type. Exit code 1 where something needs attention. --json prints one object a line."""

_TORCH = """
import json, time
began = time.perf_counter()
import torch
seconds = time.perf_counter() - began
from espalier.hardware.precision import measured
print(json.dumps({"seconds": seconds, **measured()}))
"""


def main(words: Sequence[str]) -> int:
    """Look, and say; 0, or 1 where something needs attention."""
    parser = Parser("espalier doctor")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--output", type=Path, default=Path("outputs"))
    given = parser.read(words)
    if given.help:
        print(_HELP)
        return 0
    say = _json if given.json else _table
    found = list(examine(given.output))
    say(found)
    measured = list(measured_findings(_measure()))
    say(measured)
    return 1 if any(finding.status == "attention" for finding in [*found, *measured]) else 0


def _measure() -> dict[str, object] | None:
    """What a process with torch finds; None where it cannot be loaded."""
    command = [sys.executable, "-c", _TORCH]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONSAFEPATH": "1"})
    try:
        found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        return None
    return found


def _json(findings: Iterable[Finding]) -> None:
    for finding in findings:
        print(json.dumps(asdict(finding), ensure_ascii=False), flush=True)


def _table(findings: Sequence[Finding]) -> None:
    rows = [(finding.status, f"{finding.name:14}", finding.value) for finding in findings]
    for line, finding in zip(aligned([("attention", "", ""), *rows])[1:], findings, strict=True):
        print(line.rstrip() + (f"   →  {finding.mend}" if finding.mend else ""), flush=True)
