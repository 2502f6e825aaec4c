"""``espalier import``: what is checked before anything is read, and what a person types next."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from cli.conftest import Command
from espalier.cli import import_
from espalier.core.errors import UserError


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The processes that would begin; each writes what it would."""
    told: list[tuple[str, ...]] = []

    def ask(*words: str) -> int:
        told.append(words)
        (Path(words[3]) / "model.safetensors").write_bytes(b"")
        return 0

    monkeypatch.setattr(import_, "ask", ask)
    Path("x.bin").write_bytes(b"")
    return told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x.bin"], r"--output  is not given"),
        (["--output", "new"], r"names 0 files"),
        (["x.bin", "y.bin", "--output", "new"], r"names 2 files(.|\n)*y.bin  is not there"),
        (["none.bin", "--output", "new"], r"is not there"),
        ([".", "--output", "new"], r"is a folder"),
        (["x.bin", "--output", "."], r"is there already"),
        (["x.bin", "--output", "a/b"], r"lies in a, which is not there"),
        (["x.safetensors", "--output", "new"], r"is safetensors already. Use it as it is:  weights=x.safetensors"),
        (["x.msgpack", "--output", "new"], r"is of Flax"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_read(words: Sequence[str], said: str, asked: list[Any]) -> None:
    for name in ("x.safetensors", "x.msgpack"):
        Path(name).write_bytes(b"")
    with pytest.raises(UserError, match=said):
        import_.main(words)
    assert not asked and not Path("new").exists()


def test_it_is_read_by_a_confined_process_and_told_how_to_use(
    asked: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_.main(["x.bin", "--output", "new", "--prefix", "model."]) == 0
    assert asked == [("espalier.run.confined", "espalier.run.convert", "x.bin", "new", "--prefix=model.")]
    assert capsys.readouterr().out == "to use it   espalier train … weights=new\n"


def test_a_model_s_config_and_tokenizer_come_along(asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("config.json", "tokenizer.json", "vocab.txt", "modeling_evil.py", "training_args.bin"):
        Path(name).write_text("{}")
    assert import_.main(["x.bin", "--output", "new model"]) == 0
    assert {file.name for file in Path("new model").iterdir()} == {
        "config.json", "tokenizer.json", "vocab.txt", "model.safetensors"
    }  # fmt: skip
    assert "espalier train model=hub model.source='./new model'" in capsys.readouterr().out


def test_what_was_given_up_says_so_and_leaves_nothing(asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_, "ask", lambda *_: 152)
    with pytest.raises(UserError, match=r"was given up: reading it was ended by signal 24"):
        import_.main(["x.bin", "--output", "new"])
    monkeypatch.setattr(import_, "ask", lambda *_: 2)
    assert import_.main(["x.bin", "--output", "new"]) == 2
    assert not Path("new").exists()


class Acts:
    def __reduce__(self) -> Any:
        return os.system, ("touch canary",)


@pytest.mark.e2e
@pytest.mark.slow
def test_by_the_command_itself(script: Command, here: Path) -> None:
    state = {"trunk.weight": torch.arange(4.0), "trunk.bias": torch.zeros(2)}
    torch.save({"state_dict": {f"model.{name}": tensor for name, tensor in state.items()}}, here / "last.ckpt")
    done = script("import", "last.ckpt", "--output", "mine", "--prefix", "model.")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 tensors, 0.0 MB   mine/model.safetensors\n")
    assert load_file(here / "mine" / "model.safetensors")["trunk.weight"].tolist() == [0, 1, 2, 3]
    torch.save({"a": torch.zeros(1), "b": Acts()}, here / "evil.bin")
    done = script("import", "evil.bin", "--output", "evil")
    assert done.returncode == 2 and "holds posix.system, which is code and no tensor" in done.stderr
    assert not (here / "canary").exists() and not (here / "evil").exists()
