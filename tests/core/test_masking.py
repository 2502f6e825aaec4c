from __future__ import annotations

import pytest

from espalier.core.errors import Fault
from espalier.core.masking import MASK, is_secret, masked, masked_fault, masked_text, secrets_in

HEX = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("api_key", "x", True),
        ("wandb_api_key", "x", True),
        ("password", "x", True),
        ("token", "x", True),
        ("hf_token", "x", True),
        ("secret_key", "x", True),
        ("x", "hf_" + "a" * 30, True),
        ("x", "sk-" + "a" * 30, True),
        ("x", HEX, True),
        ("revision", HEX, False),
        ("git_commit", HEX, False),
        ("pad_token", "<pad>", False),
        ("max_tokens", "100", False),
        ("tokenizer", "words", False),
        ("key", "x", False),
    ],
)
def test_is_secret(name: str, value: str, secret: bool) -> None:
    assert is_secret(name, value) is secret


def test_found_wherever_they_stand() -> None:
    tree = {
        "a": {"password": "x"},
        "tags": ["ok", "hf_" + "a" * 30],
        "l": [{"token": "y"}],
        "env": {"token": "${oc.env:T}"},
        "token": "",
    }
    assert list(secrets_in(tree)) == [("a.password", "x"), ("tags", "hf_" + "a" * 30), ("l.token", "y")]


def test_masked_copy() -> None:
    tree = {"a": {"password": "x", "n": 1}, "tags": ["ok", HEX], "l": [{"token": "y"}], "env": {"token": "${oc.env:T}"}}
    assert masked(tree) == {
        "a": {"password": MASK, "n": 1},
        "tags": ["ok", MASK],
        "l": [{"token": MASK}],
        "env": {"token": "${oc.env:T}"},
    }
    assert tree["a"]["password"] == "x"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a.password=hush it", f"a.password={MASK}"),
        ("+a.token=x", f"+a.token={MASK}"),
        ("vars={password: hush, b: 1}", f"vars={{password: {MASK}, b: 1}}"),
        ("vars={password: 'hush it'}", f"vars={{password: {MASK}}}"),
        ("x=" + HEX, f"x={MASK}"),
        ("model.revision=" + HEX, "model.revision=" + HEX),
        ("a.password=${oc.env:P}", "a.password=${oc.env:P}"),
        ("optimizer.lr=3", "optimizer.lr=3"),
        ("wandb has no setting hf_" + "a" * 30, f"wandb has no setting {MASK}"),
    ],
)
def test_masked_text(text: str, shown: str) -> None:
    assert masked_text(text) == shown


def test_masked_fault() -> None:
    fault = masked_fault(Fault("password=x", "password: x is bad.", "Try  token=x", "a.yaml:3"))
    assert fault == Fault(f"password={MASK}", f"password: {MASK} is bad.", f"Try  token={MASK}", "a.yaml:3")
