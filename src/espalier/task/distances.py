"""How far made images are from real ones: distances between two sets of points, and how varied one set is."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from espalier.task.exact import exact


def sliced_wasserstein(one: Tensor, other: Tensor, directions: Tensor) -> float:
    """The mean over directions of the Wasserstein-1 distance between the projections of two sets.

    SW(P, Q) = mean over d of W1(d·P, d·Q) (Rabin et al. 2011; for images made by GANs Karras et al. 2018,
    arXiv:1710.10196), where W1 of two samples of equally many numbers is the mean distance between them in order.

    Args:
        one, other: (N, D) both.
        directions: (D, P), of length 1 each: see ``directions``.
    """
    difference = (one @ directions).sort(0).values - (other @ directions).sort(0).values
    return float(difference.abs().mean())


def directions(features: int, number: int, seed: int = 0) -> Tensor:
    """Unit vectors, (features, number) fp32, evenly distributed; the same ones for the same arguments."""
    drawn = torch.randn(features, number, generator=torch.Generator().manual_seed(seed))
    unit: Tensor = drawn / torch.linalg.vector_norm(drawn, dim=0)
    return unit


def frechet(one: Tensor, other: Tensor) -> float:
    """The Fréchet distance between two normal distributions with the means and covariances of two sets.

    |m1 - m2|² + Tr(C1 + C2 - 2 (C1 C2)^½) (Dowson & Landau 1982; of features of a classifier Heusel et al. 2017,
    arXiv:1706.08500). The trace of the root is that of (C1^½ C2 C1^½)^½, whose matrix is symmetric.

    Args:
        one, other: (N, D) and (M, D), two rows at least.
    """
    first, second = exact(one), exact(other)
    covariances = [torch.cov(rows.T).reshape(rows.shape[1], -1) for rows in (first, second)]
    root = _root(covariances[0])
    shared = torch.linalg.eigvalsh(root @ covariances[1] @ root).clamp(min=0).sqrt().sum()
    means = (first.mean(0) - second.mean(0)).square().sum()
    # What should be 0 may come out a little below it.
    return max(0.0, float(means + covariances[0].trace() + covariances[1].trace() - 2 * shared))


def entropy(classes: Tensor, number: int) -> float:
    """Of how often each class was told, in nats: 0 where all rows are of one class, ln(number) where of all alike.

    Args:
        classes: (N,) indices below ``number``.
    """
    shares = exact(torch.bincount(classes, minlength=number)) / len(classes)
    return -math.fsum(share * math.log(share) for share in shares.tolist() if share)


def _root(matrix: Tensor) -> Tensor:
    """The symmetric square root of a covariance."""
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    return root
