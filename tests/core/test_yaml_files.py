"""What a YAML unfolds to is known before it is read."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest
import yaml

from espalier.core.errors import ConfigError
from espalier.core.yaml_files import BYTES, DEPTH, VALUES, read_text, read_yaml, yaml_text

LISTS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
MERGED = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12))
TOO_MUCH = {
    "lists of lists": (LISTS, "more than 20,000 values"),
    "merged mappings": (MERGED, "more than 20,000 values"),
    "one long text, many times": (f'a: &a "{"x" * 10_000}"\nb: [{", ".join(["*a"] * 1000)}]\n', "characters"),
    "wide": ("".join(f"k{n}: 1\n" for n in range(VALUES)), "more than 20,000 values"),
    "deep": ("a: " + "[" * (DEPTH + 2) + "]" * (DEPTH + 2), "deeper than 64"),
    "deep mappings": ("{a: " * 5000 + "1" + "}" * 5000, "deeper than 64"),
    "deep by aliases": (
        "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 80)),
        "deeper than 64",
    ),
    "an anchor in itself": ("a: &a [*a]\n", "the anchor &a holds itself"),
    "an anchor far in itself": ("a: &a {b: {c: [1, {d: *a}]}}\n", "the anchor &a holds itself"),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_more_than_any_config_is_refused_before_it_is_read(name: str, tmp_path: Path) -> None:
    text, said = TOO_MUCH[name]
    (file := tmp_path / "x.yaml").write_text(text)
    tracemalloc.start()
    began = time.perf_counter()
    with pytest.raises(ConfigError, match=said) as refused:
        read_yaml(file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50e6 and time.perf_counter() - began < 60
    (fault,) = refused.value.faults
    assert fault.what == str(file) and fault.where.startswith(f"{file}:")


def test_a_long_file_is_not_even_opened(tmp_path: Path) -> None:
    (file := tmp_path / "x.yaml").write_text("# " + "x" * BYTES)
    with pytest.raises(ConfigError, match=r"has 1,048,578 bytes: no config is as long"):
        read_text(file)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [1, 2]\nb: *a\nc: {<<: {x: 1}, y: *a}\n",
        "".join(f"k{n}: {n}\n" for n in range(5000)),
        "a: " + "[" * 40 + "]" * 40,
        "",
        "3",
        "# nothing\n",
    ],
)
def test_what_people_write_is_read_as_it_is(text: str, tmp_path: Path) -> None:
    (file := tmp_path / "x.yaml").write_text(text)
    assert read_yaml(file) == yaml.safe_load(text)


def test_what_is_no_yaml_says_in_which_file(tmp_path: Path) -> None:
    (file := tmp_path / "x.yaml").write_text("a: 1\nb: [\n")
    with pytest.raises(yaml.MarkedYAMLError) as refused:
        read_yaml(file)
    assert refused.value.problem_mark is not None and refused.value.problem_mark.name == str(file)
    file.write_text('a: !!python/object/apply:os.system ["touch canary"]')
    with pytest.raises(yaml.YAMLError, match="python/object/apply"):
        read_yaml(file)
    file.write_bytes(b"a: \xe9\n")
    with pytest.raises(UnicodeDecodeError):
        read_yaml(file)


@pytest.mark.parametrize("number", [":".join(["59"] * 2_000), "0x" + "f" * 2_000, "0b" + "1" * 2_000, "9" * 2_000])
def test_numbers_that_python_does_not_write_are_refused(number: str, tmp_path: Path) -> None:
    (file := tmp_path / "x.yaml").write_text(f"a: {number}\n")
    with pytest.raises(ConfigError, match="has a number of"):
        read_yaml(file)
    file.write_text(f"a: '{number}'\nb: {'x1' * 2_000}\n")
    assert read_yaml(file) == {"a": number, "b": "x1" * 2_000}


@pytest.mark.parametrize("text", ["\x85", "a\x85b", " größe 星 🙂", "\u2028", "a\nb", "1e-3", "\ufeff"])
def test_texts_are_read_back_as_they_were_written(text: str) -> None:
    assert yaml.safe_load(yaml_text({"a": text})) == {"a": text}
    assert "größe 星" in yaml_text({"a": " größe 星"})
