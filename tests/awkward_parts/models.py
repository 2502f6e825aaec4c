"""Backbones of more than one piece."""

from __future__ import annotations

from typing import Annotated, Any

import torch
from annotated_types import Ge
from torch import Tensor, nn


class Adversaries(nn.Module):
    """Two parts by name: ``generator`` and ``discriminator``."""

    def __init__(
        self, facts: Any, /, *, encoding: Any, noise: Annotated[int, Ge(1)], hidden: Annotated[int, Ge(1)]
    ) -> None:
        super().__init__()
        (features,) = facts.shape
        self.noise, self.width = noise, 1
        self.generator = nn.Sequential(nn.Linear(noise, hidden), nn.ReLU(), nn.Linear(hidden, features))
        self.discriminator = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, 1))


class EncoderDecoder(nn.Module):
    """A GRU reads the source, another writes the target."""

    def __init__(self, facts: Any, /, *, encoding: Any, width: Annotated[int, Ge(1)]) -> None:
        super().__init__()
        self.encoding, self.width, self.vocab_size = encoding, width, facts.vocab_size
        self.embedding = nn.Embedding(facts.vocab_size, width, padding_idx=0)
        self.reader, self.writer = nn.GRU(width, width, batch_first=True), nn.GRU(width, width, batch_first=True)

    def forward(self, batch: Any) -> Tensor:
        """States (B, L, width) from which target token i is told, given the source and the tokens before i."""
        _, meaning = self.reader(self.embedding(batch["source"]))
        before = torch.nn.functional.pad(batch["target"], (1, 0))[:, :-1]
        states, _ = self.writer(self.embedding(before), meaning)
        return states
