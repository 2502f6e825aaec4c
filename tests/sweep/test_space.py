from __future__ import annotations

from pathlib import Path

import pytest

from espalier.core.searching import count
from sweep.planning import SMALL, planner


def keys(*words: str, options: dict[str, str] | None = None, config_dirs: tuple[Path, ...] = ()) -> list[str]:
    space = planner(*words, config_dirs=config_dirs).space
    return [dimension.key for dimension in space.keys(options or {})]


def test_an_options_own_space_comes_with_the_option() -> None:
    words = ("adapter=lora,probe", "sweep=tpe")
    assert keys(*words, options={"adapter": "lora"})[:2] == ["adapter.rank", "adapter.dropout"]
    assert not [key for key in keys(*words, options={"adapter": "probe"}) if key.startswith("adapter")]
    assert "optimizer.lr" in keys(*words, options={"adapter": "probe"})


@pytest.mark.parametrize(
    ("words", "own"),
    [
        (("adapter=lora,probe",), False),  # a grid varies what is named, and nothing else
        (("adapter=lora,probe", "sweep=random"), True),
        (("adapter=lora,probe", "sweep=random", "optimizer.lr=1e-4,1e-3"), False),
        (("adapter=lora,probe", "sweep=random", "optimizer.lr=1e-4,1e-3", "sweep.space=all"), True),
        (("adapter=lora,probe", "sweep=random", "sweep.space=none"), False),
        (("sweep.space=all",), True),
    ],
)
def test_when_the_options_spaces_are_searched(words: tuple[str, ...], own: bool) -> None:
    made = planner(*words)
    assert made.space.uses_options is own
    assert any(dimension.source != "command line" for dimension in made.space.all()) is own


def test_what_the_line_says_of_a_key_holds() -> None:
    found = planner("sweep=random", "optimizer.lr=0.5", "scheduler.warmup=0.1,0.2", "sweep.space=all").space.keys({})
    said = {dimension.key: dimension.source for dimension in found}
    assert "optimizer.lr" not in said and "optimizer.weight_decay" in said
    assert said["scheduler.warmup"] == "command line"


def test_ones_own_space_goes_before_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "space" / "optimizer").mkdir(parents=True)
    (tmp_path / "space" / "optimizer" / "adamw.yaml").write_text("# Mine.\neps: choice(1e-8,1e-6)\n")
    found = keys(*SMALL, "sweep=random", config_dirs=(tmp_path,))
    assert "optimizer.eps" in found and "optimizer.lr" not in found
    assert "eps" not in planner(*SMALL, config_dirs=(tmp_path,)).base({}).choices


def test_places_follow_the_words() -> None:
    space = planner("optimizer.lr=1,2", "model=lstm,minilm", "adapter=full", "seed=0,1", "model.dropout=0.1,0.2").space
    assert [(dimension.key, dimension.place) for dimension in space.all()] == [
        ("optimizer.lr", 0), ("model", 1), ("model.dropout", 2)
    ]  # fmt: skip
    assert count(space) == 8
