from __future__ import annotations

import random

import numpy as np
import torch

from espalier.state import rng
from espalier.state.codec import decode, encode


def draw() -> tuple[object, ...]:
    return (
        random.random(),
        random.gauss(),
        np.random.rand(),
        np.random.randn(),
        torch.rand(2).tolist(),
        torch.randn(3).tolist(),
    )


def test_what_follows_is_drawn_again() -> None:
    draw()  # an odd number of gaussians: each generator keeps a second one
    state = rng.capture()
    first = [draw() for _ in range(3)]
    rng.restore(state)
    assert [draw() for _ in range(3)] == first


def test_capture_takes_nothing() -> None:
    state = rng.capture()
    undisturbed = draw()
    rng.restore(state)
    rng.capture()
    assert draw() == undisturbed


def test_state_goes_through_a_checkpoint() -> None:
    state = rng.capture()
    first = draw()
    rng.restore(decode(*encode(state)))
    assert draw() == first


def test_asking_wakes_no_gpu() -> None:
    assert rng.capture()["cuda"] == []
    assert not torch.cuda.is_initialized()
