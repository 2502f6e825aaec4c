"""Training through the console script, and what its outcome says."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benches.machine import ESPALIER, child, data_root


@dataclass(frozen=True)
class Trained:
    """A finished run: its outcome, its wall time, the numbers of run directories and W&B runs it left."""

    outcome: dict[str, Any]
    seconds: float
    directories: int
    wandb_runs: int

    @property
    def accuracy(self) -> float:
        """On test, in percent."""
        return 100 * float(self.outcome["metrics"]["test/accuracy"])

    def cost(self, key: str) -> float:
        """One of the outcome's cost figures."""
        return float(self.outcome["cost"][key])


def train(overrides: Sequence[str], *, real_data: bool = True) -> Trained:
    """``espalier train …`` with all of its default features, in a folder of its own that is removed."""
    with tempfile.TemporaryDirectory(prefix="espalier-bench-") as folder:
        env = {"ESPALIER_DATA": str(data_root())} if real_data else {}
        done = child([ESPALIER, "train", *overrides, f"output={folder}"], env=env)
        outcomes = [path for path in Path(folder).glob("*/*/outcome.json") if not path.parent.is_symlink()]
        tracked = {path.parent.name for path in Path(folder).rglob("*.wandb")}
        return Trained(json.loads(outcomes[0].read_text()), done.seconds, len(outcomes), len(tracked))


def last_json(text: str) -> dict[str, Any]:
    """The last line of a plain program's output, which is its answer."""
    answer: dict[str, Any] = json.loads(text.strip().splitlines()[-1])
    return answer
