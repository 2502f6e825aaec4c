from __future__ import annotations

import numpy as np
import pytest

from espalier.task.masks import Masking

MASK, SPECIAL = 4, frozenset({0, 1, 2, 3, 4})


def masking(share: float = 0.15) -> Masking:
    return Masking(share, MASK, 1000, SPECIAL)


def test_shares_are_those_of_bert() -> None:
    ids = np.random.default_rng(0).integers(5, 1000, (200, 100))
    given, chosen = masking().of(ids, np.ones(ids.shape, bool), [(0, 0, row) for row in range(200)])
    assert (chosen.sum(1) == 15).all() and (given == ids)[~chosen].all()
    hidden = given[chosen]
    assert (hidden == MASK).mean() == pytest.approx(0.8, abs=0.03)
    assert (hidden == ids[chosen]).mean() == pytest.approx(0.1, abs=0.02)
    drawn = hidden[(hidden != MASK) & (hidden != ids[chosen])]
    assert len(drawn) / len(hidden) == pytest.approx(0.1, abs=0.02) and drawn.min() >= 5


def test_special_tokens_and_padding_are_never_hidden_and_one_token_always_is() -> None:
    ids = np.array([[2, 7, 3, 9, 9], [2, 3, 9, 9, 9], [2, 7, 8, 7, 3]])
    seen = np.array([[1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 1, 1]], bool)
    given, chosen = masking(0.01).of(ids, seen, [(1, row) for row in range(3)])
    assert chosen.sum(1).tolist() == [1, 0, 1] and not (chosen & np.isin(ids, list(SPECIAL))).any()
    assert not chosen[~seen].any() and (given[1] == ids[1]).all()


def test_draws_depend_on_the_key_alone() -> None:
    ids = np.random.default_rng(0).integers(5, 1000, (3, 40))
    wide = np.concatenate([ids, np.zeros((3, 9), int)], 1)
    seen = np.concatenate([np.ones((3, 40), bool), np.zeros((3, 9), bool)], 1)
    keys = [(0, 1, row) for row in range(3)]
    given, chosen = masking().of(ids, np.ones(ids.shape, bool), keys)
    padded, of_padded = masking().of(wide[::-1], seen[::-1], keys[::-1])
    assert (padded[::-1, :40] == given).all() and (of_padded[::-1, :40] == chosen).all()
    _, next_epoch = masking().of(ids, np.ones(ids.shape, bool), [(0, 2, row) for row in range(3)])
    assert (next_epoch != chosen).any(1).all()
