from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from espalier.config.tree import at, interpolations, is_blocked, is_open, part_above, plain, resolved

TREE = OmegaConf.create(
    {
        "a": 1,
        "b": "${a}",
        "c": ["${a}", "${x.y}"],
        "d": "${d}",
        "e": "${oc.env:NOT_THERE_4}",
        "h": {"i": "${b}"},
        "n": "${o}",
        "o": "${n}",
        "m": "???",
        "part": {"_target_": "x", "columns": {"k": 1}},
        "hydra": {"job": {}},
        "vars": {},
    }
)


def test_plain_keeps_what_is_written() -> None:
    assert plain(TREE)["b"] == "${a}" and plain(TREE)["m"] == "???"


def test_resolved_as_far_as_possible() -> None:
    values = resolved(TREE)
    assert (values["b"], values["h"]["i"], values["c"]) == (1, 1, [1, "${x.y}"])
    assert (values["d"], values["n"], values["m"]) == ("${d}", "${o}", "???")


def test_references_that_lead_nowhere() -> None:
    assert set(interpolations(TREE)) == {"c[1]", "d", "e", "n", "o"}


@pytest.mark.parametrize(
    ("key", "is_it"),
    [
        ("vars.x", True),
        ("vars.x.y", True),
        ("vars", True),
        ("part.columns.z", True),
        ("part.z", False),
        ("z", False),
        ("z.y", False),
        ("hydra.job.x", False),
        ("a", False),
    ],
)
def test_is_open(key: str, is_it: bool) -> None:
    assert is_open(TREE, key) is is_it


@pytest.mark.parametrize(
    ("key", "is_it"), [("a.x", True), ("a.x.y", True), ("a", False), ("vars.x", False), ("z.x", False)]
)
def test_is_blocked(key: str, is_it: bool) -> None:
    assert is_blocked(TREE, key) is is_it


def test_at() -> None:
    assert at({"a": {"b": 3}}, "a.b") == 3 and at({"a": 1}, "a.b") is None and at({}, "a") is None


def test_the_part_that_a_key_which_is_not_there_would_belong_to() -> None:
    tree = OmegaConf.create({"model": {"_target_": "a.B", "size": 1, "inner": {"x": 1}}, "vars": {}})
    assert part_above(tree, "model.dropout") == ("model", "a.B", "dropout")
    assert part_above(tree, "model.rate.low") == ("model", "a.B", "rate")
    for key in ("model.size", "model.inner.y", "vars.x", "nothing", "model"):
        assert part_above(tree, key) is None
