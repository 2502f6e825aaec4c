from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from espalier.config.multirun import read_command
from espalier.core.errors import UserError
from espalier.sweep.definition import Definition, read_definition
from espalier.sweep.plan import Planner

WORDS = ["model=mlp", "adapter=full", "data=digits", "optimizer.lr=1e-3,1e-2", "seed=0,1"]


def definition(*words: str) -> Definition:
    command = read_command(words or WORDS)
    return Definition.of(command, Planner(command))


def test_there_and_back(tmp_path: Path) -> None:
    written = definition(*WORDS, f"sweep.dir={tmp_path}")
    written.write(tmp_path)
    read = read_definition(tmp_path)
    assert read == written and read.words == WORDS and read.folder == str(Path.cwd())
    assert read.space == {"optimizer.lr": "0.001, 0.01"} and read.seeds == [0, 1]
    read.require_same(definition())


def test_what_is_its_own_is_kept_and_an_earlier_version_has_none(tmp_path: Path) -> None:
    written = replace(definition(), id="12e345")
    written.write(tmp_path)
    assert read_definition(tmp_path) == written
    content = yaml.safe_load((tmp_path / "sweep.yaml").read_text())
    del content["id"]
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump(content))
    assert read_definition(tmp_path) == replace(written, id="")


@pytest.mark.parametrize("id", ["../../x", "ABCDEF", 123456, None, ["3fa9c1"]])
def test_what_is_no_name_of_ours_cannot_be_read(tmp_path: Path, id: object) -> None:
    replace(definition(), id=id).write(tmp_path)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"sweep\.yaml.*cannot be read"):
        read_definition(tmp_path)


def test_the_command_with_other_places_for_trials() -> None:
    command = definition(*WORDS, "launcher=inline", "sweep.max_time=3").command(["launcher=pool", "launcher.trials=2"])
    assert command.typed == (*WORDS, "sweep.max_time=3", "launcher=pool", "launcher.trials=2")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([*WORDS[:3], "optimizer.lr=1e-3,2e-2", "seed=0,1"], "optimizer.lr  is 0.001, 0.02, and was 0.001, 0.01."),
        ([*WORDS[:4], "seed=0,1,2"], "seed=0,1,2  was [0, 1]."),
        ([*WORDS, "data.limit=9"], "data.limit=9  is not what the sweep was begun with."),
        ([*WORDS[:2], *WORDS[3:]], "data=digits  is missing"),
        ([*WORDS, "model.dropout=0,0.1"], "model.dropout  is new: 0, 0.1."),
        ([*WORDS, "pruning=asha"], "pruning._target_  is espalier.pruning.asha.Asha, and was"),
        ([*WORDS, "sweep.objectives=[loss]"], "sweep.objectives  is ['loss'], and was ['auto']."),
    ],
)
def test_another_command_is_refused_with_the_difference(words: list[str], said: str) -> None:
    with pytest.raises(UserError) as refused:
        definition().require_same(definition(*words))
    assert said in str(refused.value)


def test_how_much_is_tried_and_where_may_change() -> None:
    definition().require_same(definition(*WORDS, "launcher=inline", "sweep.trials=9", "sweep.test=false"))


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no sweep\.yaml"):
        read_definition(tmp_path)
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump({"schema": 99}))
    with pytest.raises(UserError, match="another version"):
        read_definition(tmp_path)
    (tmp_path / "sweep.yaml").write_text("[")
    with pytest.raises(UserError, match="cannot be read"):
        read_definition(tmp_path)
