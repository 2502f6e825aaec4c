from __future__ import annotations

import pytest

from espalier.config.grid import grid
from espalier.core.errors import ConfigError


def test_every_combination_the_last_word_quickest() -> None:
    assert grid(["seed=0,1", "model=lstm", "optimizer.lr=choice(1,2)"]) == [
        ["seed=0", "model=lstm", "optimizer.lr=1"],
        ["seed=0", "model=lstm", "optimizer.lr=2"],
        ["seed=1", "model=lstm", "optimizer.lr=1"],
        ["seed=1", "model=lstm", "optimizer.lr=2"],
    ]


def test_options_by_pattern_and_never_a_common_base() -> None:
    assert grid(["model=glob(m*)"]) == [["model=minilm"], ["model=mlp"]]
    assert ["data=_common"] not in grid(["data=glob(*)"])


def test_one_line_where_nothing_is_swept() -> None:
    assert grid(["seed=1"]) == [["seed=1"]]
    assert grid([]) == [[]]


@pytest.mark.parametrize("word", ["optimizer.lr=interval(0,1)", "hydra.job.name=a,b", "x=[a", "hydra/launcher=a,b"])
def test_what_cannot_be_a_grid(word: str) -> None:
    with pytest.raises(ConfigError) as refused:
        grid([word, "seed=0,1"])
    assert [fault.what for fault in refused.value.faults] == [word]
