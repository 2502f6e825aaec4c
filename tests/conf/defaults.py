"""The values that an option's yaml gives to its part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

CONF = Path(__file__).resolve().parents[2] / "conf"


def defaults_of(option: str, **others: Any) -> dict[str, Any]:
    """``defaults_of("optimizer/adamw", lr=1.0)``: the file's keys that are the part's parameters, some replaced.

    A preset's (``model/minilm``) are those of the option that it names first, with its own values.
    """
    content = yaml.safe_load((CONF / f"{option}.yaml").read_text())
    base = next((line for line in content.get("defaults", []) if isinstance(line, str) and line[0] != "_"), None)
    inherited = defaults_of(f"{option.rpartition('/')[0]}/{base}") if base else {}
    return inherited | {key: value for key, value in content.items() if key not in ("_target_", "defaults")} | others
