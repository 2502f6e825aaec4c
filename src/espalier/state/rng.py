"""Random-number states of this process as plain values and tensors: python, numpy, torch on the CPU and each GPU."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch

State = dict[str, Any]


def capture() -> State:
    """The states now. Takes nothing from any generator."""
    version, words, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    return {
        "python": {"version": version, "words": torch.tensor(words), "gauss": gauss},
        "numpy": {"name": name, "keys": keys, "place": [int(position), int(has_gauss)], "cached": float(cached)},
        "torch": torch.get_rng_state(),
        "cuda": _cuda(),
        "mps": [torch.mps.get_rng_state()] if torch.backends.mps.is_available() else [],
    }


def restore(state: State) -> None:
    """The reverse. States of GPUs that this process doesn't see are passed over."""
    python, numpy = state["python"], state["numpy"]
    random.setstate((python["version"], tuple(python["words"].tolist()), python["gauss"]))
    np.random.set_state((numpy["name"], numpy["keys"], *numpy["place"], numpy["cached"]))
    torch.set_rng_state(state["torch"])
    if (apple := state.get("mps")) and torch.backends.mps.is_available():
        torch.mps.set_rng_state(apple[0])
    if state["cuda"] and torch.cuda.is_available():
        for device, words in enumerate(state["cuda"][: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(words, device)


def _cuda() -> list[torch.Tensor]:
    # GPUs that were never asked for anything have no state to lose, and asking would wake them.
    awake: bool = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    return torch.cuda.get_rng_state_all() if awake else []
