"""Whatever is typed or written in a file of options: an experiment, or every fault of it in one answer."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from espalier.cli.show import show_config
from espalier.config.check import check
from espalier.config.compose import Experiment, changed, compose
from espalier.config.dimensions import words_of
from espalier.config.explain import explain
from espalier.config.multirun import read_command
from espalier.config.saved import read, rerun, write
from espalier.config.types import Bound, Bounded, Choice, DictOf, Either, ListOf, Plain, wrong
from espalier.config.words import quoted, read_words
from espalier.core.errors import UserError
from espalier.report.faults import fault_lines
from fuzz.effort import WHOLE, effort, trees
from fuzz.experiments import BASE, base, contents, keys, mistyped, told, values, words


@pytest.fixture(autouse=True, scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working folder with nothing of ours in it."""
    before, place = Path.cwd(), tmp_path_factory.mktemp("fuzz")
    os.chdir(place)
    yield place
    os.chdir(before)


def answer(make: Any, *arguments: Any, **named: Any) -> Experiment | UserError:
    """A checked experiment, or what is said of it: several lines in which no fault stands twice."""
    made: Experiment | None = None
    try:
        made = make(*arguments, **named)
        check(made)
        Path("checked").mkdir(exist_ok=True)
        write(made, Path("checked"))
        return made
    except UserError as error:
        assert error.faults and len(set(map(str, error.faults))) == len(error.faults)
        assert all(fault.what or fault.truth for fault in error.faults)
        assert "\n".join(fault_lines(error.faults, 100))
        return error


@effort(12, 500)
@given(st.lists(words(), max_size=5))
def test_any_words_make_an_experiment_or_an_answer(typed: list[str]) -> None:
    assert told(answer(compose, typed)) == told(answer(compose, typed))


SWEPT_KEYS = ["seed", "optimizer.lr", "model", "adapter", "vars.x", "sweep.trials", "launcher", *keys()]
SWEPT_VALUES = [
    "0,1", "1e-4,1e-3", "lstm,bag", "range(3)", "range(0,1,0)", "interval(1e-5,1)", "interval(2,1)", "a,a", "nan,nan",
    "tag(log,interval(-1,1))", "glob(*)", "choice()", "shuffle(range(4))", "[a],[ü]", "{a: b},{c: d}", "sort(3,1)",
    "int(interval(0,9))", "interval(0,inf)", "'',' '",
]  # fmt: skip
SWEPT = st.builds("{}={}".format, st.sampled_from(SWEPT_KEYS), st.sampled_from(SWEPT_VALUES))


@effort(10, 500)
@given(st.lists(SWEPT | words(), max_size=4))
def test_any_words_make_a_sweep_or_an_answer(typed: list[str]) -> None:
    said = []
    for _ in range(2):
        try:
            command = read_command(typed)
        except UserError as error:
            assert error.faults and "\n".join(fault_lines(error.faults, 100))
            said.append(sorted(map(str, error.faults)))
            continue
        for dimension in command.dimensions:
            for point in ({dimension.key: value} for value in dimension.values):
                again, faults = read_words(words_of(point))
                assert faults == [] and len(again) == 1
        said.append([str(dimension) for dimension in command.dimensions])
    assert said[0] == said[1]


@effort(10, 300)
@given(st.sampled_from(["optimizer", "experiment", "model", "callback"]), contents(), st.booleans())
def test_any_file_of_options_makes_an_experiment_or_an_answer(group: str, content: bytes, as_global: bool) -> None:
    folder = Path("own")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / group).mkdir(parents=True)
    (folder / group / "mine.yaml").write_bytes(b"# @package _global_\n" * as_global + content)
    typed = [*BASE[1:], f"{group}=[mine]" if group == "callback" else f"{group}=mine"]
    assert told(answer(compose, typed, config_dirs=[folder])) == told(answer(compose, typed, config_dirs=[folder]))


CHANGES = st.builds(
    "{}={}".format, st.sampled_from(keys()) | mistyped(st.sampled_from(keys())), values() | trees().map(str)
)


@effort(150, 20_000)
@given(st.lists(CHANGES, min_size=1, max_size=3))
def test_any_value_is_checked(typed: list[str]) -> None:
    found = answer(changed, base(), typed)
    if isinstance(found, Experiment):
        said = io.StringIO()
        with redirect_stdout(said):
            show_config(found, "all", None, resolve=True)
        assert said.getvalue()
        for key in ("optimizer", "data.path", "seed"):
            assert explain(found, key)


@effort(40, 2_000)
@given(st.sampled_from(["name", "data.path", "data.columns.text", "vars.mine", "data.label_separator"]), WHOLE)
@example("data.columns.text", "Bewertung größe 星 🙂 \u202e")
def test_a_text_arrives_as_it_was_typed_and_is_kept_with_the_run(key: str, text: str) -> None:
    if "${" in text or text == "???":
        return  # what those stand for
    made = changed(base(), [f"{key}={quoted(text)}"])
    assert made.faults == ()
    assert _at(made, key) == text
    if key != "data.path":  # which becomes absolute
        folder = Path("kept")
        folder.mkdir(exist_ok=True)
        write(made, folder)
        assert _at(read(folder), key) == text
        assert _at(rerun(folder, []), key) == text


@effort(50, 20_000)
@given(contents(), contents() | st.just(b"schema: 1\nchoices: {}\noverrides: []\nconfig_dirs: []\n"))
def test_any_run_directory_is_read_or_refused(config: bytes, origin: bytes) -> None:
    folder = Path("run")
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_bytes(config)
    (folder / "origin.yaml").write_bytes(origin)
    answer(read, folder)


KINDS: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(["int", "float", "str", "bool", "None"]).map(Plain)
    | st.lists(st.none() | st.booleans() | st.integers() | st.text(min_size=1, max_size=3), min_size=1, max_size=3).map(
        lambda values: Choice(tuple(values))
    ),
    lambda inner: (
        inner.map(ListOf)
        | inner.map(DictOf)
        | st.lists(inner, min_size=1, max_size=3).map(lambda kinds: Either(tuple(kinds)))
    ),
    max_leaves=4,
)
NUMBERS = st.sampled_from(["int", "float"]).map(Plain)
BOUNDS = st.builds(Bound, st.sampled_from(["Gt", "Ge", "Lt", "Le"]), st.tuples(st.integers(-5, 5)))
BOUNDED = st.builds(Bounded, NUMBERS, st.lists(BOUNDS).map(tuple))


@effort(300, 20_000)
@given(KINDS | BOUNDED, trees() | st.floats())
def test_any_value_has_a_type_or_a_reason(kind: Any, value: Any) -> None:
    said = wrong(kind, value)
    assert said is None or said
    assert str(kind)
    if isinstance(kind, Either):
        assert (said is None) == any(wrong(option, value) is None for option in kind.options)
    if isinstance(kind, ListOf) and isinstance(value, list):
        assert (said is None) == all(wrong(kind.item, item) is None for item in value)


def _at(experiment: Experiment, key: str) -> Any:
    node: Any = experiment.values
    for part in key.split("."):
        node = node[part]
    return node
