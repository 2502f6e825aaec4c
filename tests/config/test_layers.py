from __future__ import annotations

from pathlib import Path

from espalier.config.compose import compose
from espalier.config.layers import Layers, Mark, flatten, marks_of, shown
from espalier.config.sources import shipped


def test_every_value_has_a_file_and_a_line() -> None:
    made = compose([])
    for key, value in flatten(made.values):
        if not isinstance(value, dict) or value:
            assert made.layers.where(key), key


def test_the_last_setter_holds(tmp_path: Path) -> None:
    layers = Layers()
    (tmp_path / "a.yaml").write_text("x: 1      # what it is\ny:\n  z: 2\n")
    layers.add_file(tmp_path / "a.yaml", "part")
    layers.add("part.x", Mark("part.x=3", 0, "3"))
    assert layers.where("part.x") == "command line: part.x=3" and layers.word("part.x") == "part.x=3"
    assert layers.comment("part.x") == "what it is"
    assert layers.where("part.y.z").endswith("a.yaml:3") and layers.word("part.y.z") is None


def test_where_of_what_nobody_set() -> None:
    layers = Layers()
    layers.add("a", Mark("f.yaml", 1, ""))
    layers.add("b.c.d", Mark("f.yaml", 7, ""))
    assert layers.where("a.x.y") == "f.yaml:1"  # what it stands in
    assert layers.where("b.c") == "f.yaml:7"  # what stands in it
    assert layers.where("a[0]") == "f.yaml:1"
    assert layers.where("z") == ""


def test_removed_with_all_below() -> None:
    layers = Layers()
    for key in ("a", "a.b", "ab"):
        layers.add(key, Mark("f.yaml", 1, ""))
    copy = layers.copy()
    layers.remove("a")
    assert set(layers.marks) == {"ab"} and set(copy.marks) == {"a", "a.b", "ab"}


def test_a_file_that_is_no_mapping_sets_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("- a\n")
    assert list(marks_of(tmp_path / "a.yaml")) == []


def test_shown() -> None:
    assert shown(shipped() / "model" / "mlp.yaml") == "conf/model/mlp.yaml"
