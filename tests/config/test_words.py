from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from espalier.config.words import as_word, quoted, read_words
from espalier.core.errors import Fault

FILES = [
    "réponse.csv",
    "my file (1).csv",
    "a=b.csv",
    "中文.csv",
    "🙂.csv",
    "~x.csv",
    "$y.csv",
    "it's.csv",
    "a{b}.csv",
    "x#y.csv",
    'q"r.csv',
    "tab\tx.csv",
    "a:b.csv",
    "back\\slash.csv",
    "100%.csv",
    "(x).csv",
    "-x.csv",
    "a b",
    "été, hiver.csv",
]


@pytest.mark.parametrize("name", FILES)
def test_a_file_name_that_the_grammar_refuses_is_quoted(name: str) -> None:
    words, faults = read_words([f"data.path={name}"])
    assert faults == [] or name == "été, hiver.csv"
    assert [word.override.value() for word in words] in ([name], [])


@pytest.mark.parametrize("name", [*FILES, "a,b.csv", "[x].csv", "{y}.csv", "choice(a).csv"])
def test_the_name_of_a_file_that_is_there_is_meant(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).touch()
    words, faults = read_words([f"data.path={name}"])
    assert faults == []
    assert words[0].override.value() == name


@pytest.mark.parametrize("name", [*FILES, "a,b.csv", "[x].csv"])
def test_the_proposed_word_can_be_typed(name: str) -> None:
    (typed,) = shlex.split(as_word("data.path", name))
    words, faults = read_words([typed])
    assert faults == [] and words[0].override.value() == name


@pytest.mark.parametrize(
    ("word", "truth"),
    [
        ("a.b", "is no setting"),
        ("=3", "sets nothing"),
        ("x=[a", "opens a bracket"),
        ("-x", "is no setting"),
        ("foo.yaml", "is a file"),
        ("seed=1,2", "names several values"),
    ],
)
def test_what_cannot_be_read(word: str, truth: str) -> None:
    words, faults = read_words([word, "seed=1"])
    assert [fault.what for fault in faults] == [word] and truth in faults[0].truth
    assert [word.key for word in words] == ["seed"]


def test_a_config_file_is_taken_as_an_experiment() -> None:
    remedies = [fault.remedy for fault in read_words(["foo.yaml", "my/experiment/foo.yaml"])[1]]
    assert remedies == [
        "Put it to  FOLDER/experiment/foo.yaml , and write  --config-dir FOLDER experiment=foo",
        "Write  --config-dir my experiment=foo",
    ]


def test_several_values_are_offered_as_list_and_text() -> None:
    (fault,) = read_words(["x=a,b"])[1]
    assert isinstance(fault, Fault)
    assert "-m" in fault.remedy and "x=[a,b]" in fault.remedy and "\"x='a,b'\"" in fault.remedy


def test_quoted_is_read_back() -> None:
    for text in ("it's", "a\\b", "a\\'b", "", "'", "\\", "\\\n"):
        ((word,), _) = read_words([f"x={quoted(text)}"])
        assert word.override.value() == text


def test_items_of_other_scripts_are_quoted_in_lists_and_mappings() -> None:
    words, faults = read_words(["a=[größe,land]", "b={text: Bewertung größe, label: 星}", "c=['ä,b', ö c]", "d=[x^]"])
    assert faults == []
    assert [word.override.value() for word in words] == [
        ["größe", "land"], {"text": "Bewertung größe", "label": "星"}, ["ä,b", "ö c"], ["x^"]
    ]  # fmt: skip


@pytest.mark.parametrize("depth", [70, 300, 2_000])
@pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ("{a:", "}")])
def test_a_word_that_is_nested_too_deep_is_a_fault(opens: str, closes: str, depth: int) -> None:
    words, (fault,) = read_words([f"vars.x={opens * depth}1{closes * depth}"])
    assert words == [] and fault.truth == "is nested deeper than 64 levels." and len(fault.what) < 60
    assert read_words([f"vars.x={opens * 10}1{closes * 10}"])[1] == []
