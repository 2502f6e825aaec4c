from __future__ import annotations

import pytest

from espalier.config.references import explained

TREE = {"optimizer": {"lr": 1}, "seed": 0}


@pytest.mark.parametrize(
    ("text", "truth", "remedy"),
    [
        ("${optimizer.lrr}", 'refers to "optimizer.lrr"', "${optimizer.lr}"),
        ("a ${ nothing.like.it } b", '"nothing.like.it"', "Name a key"),
        ("${oc.env:NOT_THERE_4}", "needs the variable NOT_THERE_4", "export NOT_THERE_4="),
        ("${now:%Y}", 'asks for "now:"', "Mend"),
        ("${seed}-${sed}", 'refers to "sed"', "${seed}"),
        ("${seed}", "refers to itself", "Mend"),
    ],
)
def test_explained(text: str, truth: str, remedy: str) -> None:
    said = explained(text, TREE)
    assert said is not None
    assert truth in said[0] and remedy in said[1]


def test_nothing_is_said_of_a_value_that_is_asked_for_itself() -> None:
    assert explained("${model.source}", {"model": {"source": "???"}}) is None


def test_nothing_is_said_of_what_leads_to_a_reference_that_leads_nowhere() -> None:
    tree = {"a": "${b}", "b": "x/${oc.env:NOT_THERE_4}", "c": "${d}", "d": "${c}", "e": "${c}", "f": {"g": "${f}"}}
    assert explained("${a}", tree) is None and explained("${b}", tree) is None
    assert explained(tree["b"], tree) is not None
    assert all("itself" in str(explained(text, tree)) for text in ("${c}", "${d}", "${e}", "${f}", "${f.g}"))
