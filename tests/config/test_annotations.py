from __future__ import annotations

import ast
from pathlib import Path

import pytest

from espalier.config.annotations import literal, name_of, type_of
from espalier.config.locate import Module
from espalier.config.types import wrong

RIGHT_AND_WRONG = [
    ("int", 3, 3.5),
    ("float", 3, "3"),
    ("bool", True, 1),
    ("str", "a", 1),
    ("int | None", None, "x"),
    ("Optional[int]", None, "x"),
    ("Union[int, str]", "a", 1.5),
    ("list[int]", [1], ["a"]),
    ("Sequence[float]", [1.5], 3),
    ("dict[str, int]", {"a": 1}, 3),
    ("Literal['a', 'b']", "a", "c"),
    ("Annotated[int, Ge(1)]", 1, 0),
    ("Annotated[float, Gt(0), Lt(1)]", 0.5, 1),
    ("'int'", 3, "x"),
    ("Rate", 0.5, 0),
    ("tuple[int, int]", [1, 2], 3),
    ("Annotated[list[int], Len(2, 2)]", [1, 2], [1]),
]


@pytest.fixture
def module() -> Module:
    alias = ast.parse("Annotated[float, Gt(0)]", mode="eval").body
    return Module("m", Path("m.py"), {}, {}, (), {"Rate": alias})


@pytest.mark.parametrize(("annotation", "right", "not_right"), RIGHT_AND_WRONG)
def test_type_of(module: Module, annotation: str, right: object, not_right: object) -> None:
    kind = type_of(ast.parse(annotation, mode="eval").body, module)
    assert wrong(kind, right) is None
    assert wrong(kind, not_right)


@pytest.mark.parametrize("annotation", ["Any", "object"])
def test_no_statement(module: Module, annotation: str) -> None:
    assert str(type_of(ast.parse(annotation, mode="eval").body, module)) == "anything"
    assert str(type_of(None, module)) == "anything"


def test_an_object_is_a_part(module: Module) -> None:
    assert str(type_of(ast.parse("torch.nn.Module", mode="eval").body, module)) == "a part"


def test_an_alias_that_names_itself_ends() -> None:
    node = ast.parse("A", mode="eval").body
    assert str(type_of(node, Module("m", Path("m.py"), {}, {}, (), {"A": node}))) == "anything"


def test_names_and_literals() -> None:
    assert [name_of(ast.parse(t, mode="eval").body) for t in ("a", "b.c", "d.e(1)", "1")] == ["a", "c", "e", ""]
    assert literal(ast.parse("{'a': [1]}", mode="eval").body) == {"a": [1]}
    assert literal(ast.parse("f(1)", mode="eval").body) is None
