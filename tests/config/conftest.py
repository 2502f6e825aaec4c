"""Answers to command lines, in this process; a folder of options of one's own; a package of one's own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from espalier.config import locate, signature
from espalier.config.check import check
from espalier.config.compose import compose
from espalier.core.errors import Fault, UserError

Answers = Callable[..., dict[str, Fault]]


@pytest.fixture
def answers() -> Answers:
    """``answers("model=minlm", …)``: what was set -> its fault; empty where nothing is wrong. None appears twice."""

    def ask(*words: str, config_dirs: Sequence[Path] = ()) -> dict[str, Fault]:
        try:
            check(compose(words, config_dirs=config_dirs))
        except UserError as error:
            faults = {fault.what: fault for fault in error.faults}
            assert len(faults) == len(error.faults)
            return faults
        return {}

    return ask


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str | bytes], Path]:
    """``options("experiment/mine", text)`` writes ``own/experiment/mine.yaml`` and returns ``own``."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, text: str | bytes) -> Path:
        file = Path("own", f"{name}.yaml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return Path("own")

    return write


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """``package(bag="class Bag: …")`` makes the trusted package ``my_parts`` in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ESPALIER_TRUST", "my_parts")
    forget()

    def write(init: str = "", **modules: str) -> str:
        folder = tmp_path / "my_parts"
        folder.mkdir(exist_ok=True)
        for name, text in {"__init__": init, **modules}.items():
            (folder / f"{name}.py").write_text(text)
        forget()
        return "my_parts"

    yield write
    forget()
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_parts"]:
        del sys.modules[name]


@pytest.fixture
def own_model(package: Callable[..., str], options: Callable[[str, str | bytes], Path]) -> Path:
    """A folder with the option ``model=bolsa``, whose file lists one of the two settings of the class."""
    head = "from typing import Annotated, Any\nfrom annotated_types import Ge, Le\n"
    package(bolsa=head + "class Bolsa:\n    def __init__(self, facts, /, *, encoding, width: Annotated[int, Ge(1)], "
            "dropout: Annotated[float, Ge(0), Le(0.9)] = 0.1, mode: str | None = None) -> None: ...\n")  # fmt: skip
    text = "defaults: [{encoding: words}, _self_]\n_target_: my_parts.bolsa.Bolsa\nwidth: 8\n"
    return options("model/bolsa", text)


def forget() -> None:
    """Sources are read once a process; a test writes them anew."""
    for cached in (locate.read_module, locate.module_file, signature.signature_of):
        cached.cache_clear()
