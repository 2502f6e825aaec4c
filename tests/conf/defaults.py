"""The values that an option's yaml gives to its part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

CONF = Path(__file__).resolve().parents[2] / "conf"


def defaults_of(option: str, **others: Any) -> dict[str, Any]:
    """``defaults_of("optimizer/adamw", lr=1.0)``: the file's keys that are the part's parameters, some replaced."""
    content = yaml.safe_load((CONF / f"{option}.yaml").read_text())
    return {key: value for key, value in content.items() if key not in ("_target_", "defaults")} | others
