"""References that multiply each other are counted, not resolved."""

from __future__ import annotations

import time
from typing import Any

import pytest
from omegaconf import OmegaConf

from espalier.config.tree import resolved
from espalier.config.unfolding import require_small
from espalier.core.errors import ConfigError

TEXTS = {"a0": "x" * 16, **{f"a{n}": f"${{vars.a{n - 1}}}${{vars.a{n - 1}}}" for n in range(1, 40)}}
NODES = {"a0": {"x": 1}, **{f"a{n}": {"x": f"${{vars.a{n - 1}}}", "y": f"${{vars.a{n - 1}}}"} for n in range(1, 40)}}
MADE = {"a0": [1, 2], **{f"a{n}": [f"${{oc.create:${{vars.a{n - 1}}}}}"] * 2 for n in range(1, 40)}}
BESIDE = {"a0": "x" * 16, **{f"a{n}": f"${{.a{n - 1}}}${{.a{n - 1}}}" for n in range(1, 40)}}
INSIDE = {"a0": ["x" * 16], **{f"a{n}": [f"${{..a{n - 1}[0]}}${{vars.a{n - 1}.0}}"] for n in range(1, 40)}}


@pytest.mark.parametrize(
    "vars_", [TEXTS, NODES, MADE, BESIDE, INSIDE], ids=["texts", "nodes", "made", "beside", "lists"]
)
def test_doubling_is_refused_at_once(vars_: dict[str, Any]) -> None:
    began = time.perf_counter()
    with pytest.raises(ConfigError, match=r"vars  comes to more than .* characters: references"):
        resolved(OmegaConf.create({"vars": vars_, "name": "x"}))
    assert time.perf_counter() - began < 30


def test_the_key_that_is_too_much_is_named_wherever_it_takes_from() -> None:
    with pytest.raises(ConfigError, match="name  comes to more"):
        require_small({"name": "${vars.a}" * 3, "vars": {"a": "x" * 2**21}})


@pytest.mark.parametrize(
    "tree",
    [
        {"a": "${b}", "b": "${c}", "c": {"d": [1, "${e}"]}, "e": 3},
        {"a": "${a}"},
        {"a": "${b}", "b": "${a}"},
        {"a": "${oc.env:HOME}/${oc.select:b,${c}}", "c": "x"},
        {"a": "${nowhere.at.all} ${.b} ${...c} ${d[7]}", "d": [1]},
        {"a": {"b": "${a}"}},
    ],
)
def test_what_people_write_passes(tree: dict[str, Any]) -> None:
    require_small(tree)


def test_a_chain_longer_than_python_s_stack_is_refused() -> None:
    chain = {"a0": "x", **{f"a{n}": f"${{a{n - 1}}}" for n in range(1, 20_000)}}
    with pytest.raises(ConfigError, match="the config  comes to more"):
        require_small(dict(reversed(chain.items())))
