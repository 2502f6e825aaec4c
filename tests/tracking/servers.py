"""The bench's W&B server: one that takes runs, or is broken in one way or another, on this machine."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

_FILE = Path(__file__).resolve().parents[2] / "scripts" / "benches" / "wandb_server.py"


def _load() -> Any:
    spec = importlib.util.spec_from_file_location("benches_wandb_server", _FILE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


wandb_server: Any = _load().wandb_server
