"""Curves as sweeps have them, and the bench's replay of a rule over recorded ones."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np

_FILE = Path(__file__).resolve().parents[2] / "scripts" / "benches" / "replay.py"


def _load() -> Any:
    spec = importlib.util.spec_from_file_location("benches_replay", _FILE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


replay: Any = _load().replay


def curves(trials: int, validations: int, seed: int, noise: float = 0.01) -> list[list[float]]:
    """Accuracies that rise to ends of their own at speeds of their own, with noise that falls."""
    generator = np.random.default_rng(seed)
    ends, speeds = generator.uniform(0.6, 0.95, trials), generator.uniform(0.5, 1.5, trials)
    steps = np.arange(1, validations + 1)
    whole = ends[:, None] * (1 - np.exp(-speeds[:, None] * np.sqrt(steps)))
    return (whole + generator.normal(0, noise, whole.shape) / np.sqrt(steps)).tolist()


def endings(found: Any) -> dict[int, int]:
    """Validations -> how many trials were trained for so many."""
    reached = list(found.reached.values())
    return {validations: reached.count(validations) for validations in sorted(set(reached))}
