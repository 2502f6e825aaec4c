from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from scipy.stats import wasserstein_distance

from espalier.task.distances import directions, entropy, frechet, sliced_wasserstein


def points(number: int, features: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    mixed = torch.randn(number, features, generator=generator) @ torch.randn(features, features, generator=generator)
    return mixed + seed


def test_sliced_wasserstein_is_the_mean_of_scipys() -> None:
    one, other, lines = points(50, 6, 1), points(50, 6, 2), directions(6, 9)
    each = [wasserstein_distance((one @ line).numpy(), (other @ line).numpy()) for line in lines.T]
    assert sliced_wasserstein(one, other, lines) == pytest.approx(np.mean(each), rel=1e-5)


def test_sliced_wasserstein_does_not_look_at_the_order() -> None:
    one, lines = points(40, 5, 1), directions(5, 16)
    assert sliced_wasserstein(one, one.flip(0), lines) == pytest.approx(0, abs=1e-6)
    moved = sliced_wasserstein(one, one + 1, lines)  # by the vector of ones, whose projections are the sums
    assert moved == pytest.approx(float(lines.sum(0).abs().mean()), rel=1e-5)


def test_directions_are_fixed_and_of_length_one() -> None:
    assert torch.equal(directions(7, 3), directions(7, 3)) and not torch.equal(directions(7, 3), directions(7, 3, 1))
    torch.testing.assert_close(directions(7, 3).norm(dim=0), torch.ones(3))


@pytest.mark.parametrize("features", [1, 5, 40])  # of 40, there are fewer rows than features
def test_frechet_is_its_formula_with_scipys_root(features: int) -> None:
    one, other = points(30, features, 1).double().numpy(), points(35, features, 2).double().numpy()
    covariances = [np.cov(rows, rowvar=False).reshape(features, features) for rows in (one, other)]
    root = sqrtm(covariances[0] @ covariances[1])
    means = ((one.mean(0) - other.mean(0)) ** 2).sum()
    wanted = means + np.trace(covariances[0] + covariances[1] - 2 * np.real(root))
    assert frechet(torch.tensor(one), torch.tensor(other)) == pytest.approx(wanted, rel=1e-5)
    assert frechet(torch.tensor(one), torch.tensor(one)) == pytest.approx(0, abs=1e-6)


def test_entropy() -> None:
    assert entropy(torch.tensor([3, 3, 3]), 10) == 0.0
    assert entropy(torch.arange(10), 10) == pytest.approx(math.log(10))
    assert entropy(torch.tensor([0, 0, 1, 2]), 3) == pytest.approx(1.5 * math.log(2))
