from __future__ import annotations

from pathlib import Path

import pytest
from hydra._internal.config_repository import CachingConfigRepository

from espalier.config.options import groups, header, root_choices, sort_out, summaries
from espalier.config.sources import loader, shipped
from espalier.config.words import read_words


@pytest.fixture(scope="module")
def repository() -> CachingConfigRepository:
    return loader([])._parse_overrides_and_create_caching_repo("train", [])[1]


def test_groups_of_several_folders(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.yaml").touch()
    (tmp_path / "train.yaml").touch()
    found = groups([tmp_path, shipped()])
    assert found["model"] == sorted(found["model"]) and {"lstm", "mine", "minilm", "mlp"} <= {*found["model"]}
    assert "_common" not in found["data"] and "" not in found and "." not in found


def test_root_choices(repository: CachingConfigRepository) -> None:
    chosen = root_choices(repository, "train")
    assert chosen["model"] == "minilm" and isinstance(chosen["callback"], list) and chosen["experiment"] is None


@pytest.mark.parametrize(
    ("typed", "left", "wrong"),
    [
        (["model=lstm", "seed=1"], ["model=lstm", "seed=1"], []),
        (["model=lsmt", "model.hidden=3"], ["model=lstm"], ["model"]),
        (["model=xyz", "model.hidden=3", "seed=1"], ["seed=1"], ["model"]),
        (["experiment=null"], [], []),
        (["+experiment=sst2_lora"], ["experiment=sst2_lora"], ["experiment"]),
        (["callback=[progres,checkpoint]"], ["callback=[progress,checkpoint]"], ["callback"]),
        (["model/encoding=word", "model.encoding.x=1"], ["model/encoding=words"], ["model.encoding"]),
    ],
)
def test_sort_out(repository: CachingConfigRepository, typed: list[str], left: list[str], wrong: list[str]) -> None:
    words, faults = sort_out(read_words(typed)[0], repository, "train")
    assert [word.typed for word in words] == left
    assert list(faults) == wrong


def test_spaces_are_no_options(tmp_path: Path) -> None:
    (tmp_path / "space" / "model").mkdir(parents=True)
    (tmp_path / "space" / "model" / "net.yaml").write_text("# Mine.\nsize: choice(1,2)\n")
    assert not [group for group in groups([tmp_path, shipped()]) if group.startswith("space")]


def test_an_option_may_be_a_part_of_what_another_one_makes(repository: CachingConfigRepository) -> None:
    typed = ["data=joint", "data@data.sources.mood=csv", "+data@data.sources.topic=csv"]
    words, wrong = sort_out(read_words(typed)[0], repository, "train")
    assert not wrong
    assert [word.typed for word in words] == ["data=joint", "+data@data.sources.mood=csv", typed[2]]
    _, wrong = sort_out(read_words(["data@data.sources.mood=cvs"])[0], repository, "train")
    assert "data@data.sources.mood=csv" in wrong["data"].remedy
    _, wrong = sort_out(read_words(["data@elsewhere=csv"])[0], repository, "train")
    assert "where nothing reads it" in wrong["data"].truth


def test_folders_that_are_none_have_no_options(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "own.yaml").write_text("")
    (tmp_path / "model" / "_base.yaml").write_text("")
    (tmp_path / "space" / "model").mkdir(parents=True)
    (tmp_path / "space" / "model" / "own.yaml").write_text("")
    assert groups([tmp_path / "gone", Path("\0"), tmp_path]) == {"model": ["own"]}


def test_an_option_is_summed_up_by_the_first_sentence_of_its_header(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    texts = {
        "a": "# One (Li et al. 2020): two\n# lines. More.\nx: 1\n",
        "b": "# Write a=b\n# Then this.\n# @x\n",
        "c": "x: 1\n",
    }
    for name, text in texts.items():
        (tmp_path / "model" / f"{name}.yaml").write_text(text)
    assert summaries("model", [tmp_path]) == {"a": "One (Li et al. 2020): two lines", "b": "Write a=b", "c": ""}
    assert header("model", "b", [tmp_path]) == ["Write a=b", "Then this."]
    assert header("model", "gone", [tmp_path]) == []
