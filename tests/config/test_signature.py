from __future__ import annotations

from collections.abc import Callable

import pytest

from espalier.config.locate import find
from espalier.config.signature import class_attribute, has_member, owner_of, settings_at, signature_of, summary

BAG = '''
"""Bags."""
import torch.nn as nn
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, TypedDict, Unpack
class Common(TypedDict):
    limit: int | None
class Base:
    """A base. More."""
    kinds: ClassVar[dict[str, int]] = {"a": 1}
    plain = [1, 2]
    def __init__(self, given, /, *, width: int, depth: int = 1): ...
class Child(Base): ...
class Open(nn.Module): ...
class Sub(Open):
    logits = None
    def __init__(self, given, /): self.width, self.twice = 1, 2
    def states(self, batch): ...
class Elsewhere(nn.Sequential): ...
class Wrapped:
    def __init__(self, *, width: int, **common: Unpack[Common]): ...
class Longer(Common):
    path: str
class Inherits:
    def __init__(self, **common: Unpack[Longer]): ...
class Loose:
    def __init__(self, **anything: Any): ...
class Plain:
    def __init__(self, facts, width: int, depth: int = 2): ...
class Empty: ...
@dataclass
class Data:
    facts: object
    width: int
    depth: int = 3
    count: ClassVar[int] = 0
    hidden: list = field(init=False, default=None)
@dataclass
class More(Data):
    extra: str = ""
class Pair(NamedTuple):
    left: int
@unknown
class Marked: ...
def make(parameters, /, *, lr: float): ...
def plain(parameters, lr: float = 1): ...
def many(*args, lr: float): ...
'''


@pytest.fixture(autouse=True)
def bag(package: Callable[..., str]) -> None:
    package(bag=BAG)


@pytest.mark.parametrize(
    ("name", "required", "optional", "is_open"),
    [
        ("Base", {"width"}, {"depth"}, False),
        ("Child", {"width"}, {"depth"}, False),
        ("Open", set(), set(), True),
        ("Wrapped", {"width", "limit"}, set(), False),
        ("Inherits", {"limit", "path"}, set(), False),
        ("Loose", set(), set(), True),
        ("Plain", {"facts", "width"}, {"depth"}, False),
        ("Empty", set(), set(), False),
        ("Data", {"facts", "width"}, {"depth"}, False),
        ("More", {"facts", "width"}, {"depth", "extra"}, False),
        ("Pair", set(), set(), True),
        ("Marked", set(), set(), True),
        ("make", {"lr"}, set(), False),
        ("plain", {"parameters"}, {"lr"}, False),
        ("many", {"lr"}, set(), False),
        ("Nobody", set(), set(), True),
    ],
)
def test_what_yaml_must_and_may_give(name: str, required: set[str], optional: set[str], is_open: bool) -> None:
    signature = signature_of(f"my_parts.bag.{name}")
    assert {n for n, p in signature.parameters.items() if p.required} == required
    assert {n for n, p in signature.parameters.items() if not p.required} == optional
    assert signature.open is is_open


@pytest.mark.parametrize(
    ("name", "key", "left"),
    [
        ("Plain", "model", {"width", "depth"}),
        ("plain", "optimizer", {"lr"}),
        ("Data", "model.encoding", {"width", "depth"}),
        ("Base", "model", {"width", "depth"}),
        ("make", "callback.mine", {"lr"}),
        ("many", "adapter", {"lr"}),
        ("plain", "data", {"parameters", "lr"}),
        ("plain", "task", {"parameters", "lr"}),
    ],
)
def test_what_the_run_gives_is_not_asked_of_yaml(name: str, key: str, left: set[str]) -> None:
    assert set(settings_at(key, f"my_parts.bag.{name}").parameters) == left


def test_defaults_as_the_source_has_them() -> None:
    told = {name: {n: p.default for n, p in signature_of(f"my_parts.bag.{name}").parameters.items()}
            for name in ("Base", "Plain", "More")}  # fmt: skip
    assert told["Base"] == {"width": "", "depth": "1"} and told["Plain"] == {"facts": "", "width": "", "depth": "2"}
    assert told["More"] == {"facts": "", "width": "", "depth": "3", "extra": "''"}


def test_class_attributes() -> None:
    assert class_attribute("my_parts.bag.Base", "kinds") == {"a": 1}
    assert class_attribute("my_parts.bag.Base", "plain") == class_attribute("my_parts.bag.Child", "plain") == [1, 2]
    assert class_attribute("my_parts.bag.Base", "none") is None and class_attribute("my_parts.bag.Nobody", "x") is None


def test_members() -> None:
    known = {name: has_member("my_parts.bag.Sub", name) for name in ("states", "logits", "width", "twice", "context")}
    assert known == {"states": True, "logits": True, "width": True, "twice": True, "context": False}
    assert not has_member("my_parts.bag.Open", "states"), "torch's module has none"
    assert has_member("my_parts.bag.Elsewhere", "states") and has_member("nobody.Knows", "states"), "who can tell?"


def test_names_for_people() -> None:
    assert (owner_of("espalier.optimizer.adamw.adamw"), owner_of("my_parts.bag.Bag")) == ("adamw", "Bag")
    assert owner_of("espalier.sweep.settings.Settings") == "sweep"
    found = find("my_parts.bag.Base")
    assert found and summary(found.definition) == "A base. More."
