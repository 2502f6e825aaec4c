"""A finished run's outcome and directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from espalier.core.outcome import Outcome
from report.run_files import outcome_of, write_metrics, write_predictions


@pytest.fixture
def outcome() -> Outcome:
    return outcome_of()


@pytest.fixture
def run_directory(tmp_path: Path) -> Path:
    """All files that the report reads, of a finished run with four labels."""
    write_metrics(tmp_path)
    write_predictions(tmp_path, classes=4)
    (tmp_path / "config.yaml").write_text('seed: 0\nname: "</pre><script>alert(1)</script>"\n')
    return tmp_path
