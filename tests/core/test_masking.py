"""Fifty kinds of secrets are seen wherever they stand, two hundred words that look like some are let alone."""

from __future__ import annotations

import base64
import html
import importlib.util
import json
import sys
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import quote

import pytest

from espalier.core import masking
from espalier.core.masking import MASK, is_secret, keep_variables_of, masked, masked_text, masked_words, secrets_in

HEX = "0123456789abcdef0123456789abcdef01234567"
_FILE = Path(__file__).resolve().parents[2] / "scripts" / "benches" / "secret_samples.py"


def _load() -> Any:
    spec = importlib.util.spec_from_file_location("secret_samples", _FILE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


samples = _load()
SECRETS = samples.secrets()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the secrets' variables hold; nothing is kept from test to test."""
    monkeypatch.setattr(masking, "_named", set())
    for secret in SECRETS:
        if secret.variable:
            monkeypatch.setenv(secret.variable, secret.value)
    keep_variables_of({"login": {"passphrase": "${oc.env:MY_LOGIN}"}})


def test_there_are_fifty_of_them_and_two_hundred_of_the_others() -> None:
    assert len({secret.value for secret in SECRETS}) == 50
    assert len(samples.HARMLESS_SETTINGS) + len(samples.HARMLESS_TEXTS) >= 200


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: secret.kind)
def test_a_secret_is_masked_in_text_and_refused_as_a_literal(secret: Any) -> None:
    shown = masked_text(secret.said)
    assert secret.value not in shown and MASK in shown
    assert [key for key, _ in secrets_in({"a": {secret.key: secret.literal}})] == [f"a.{secret.key}"]
    assert secret.value not in masked_text(f"+a.{secret.key}={secret.literal}")
    assert secret.value not in str(masked({secret.key: [secret.literal]}))


def test_no_harmless_setting_is_taken_for_a_secret() -> None:
    wrong = [key for key, value in samples.HARMLESS_SETTINGS if masked({key: value}) != {key: value}]
    wrong += [key for key, value in samples.HARMLESS_SETTINGS if list(secrets_in({key: value}))]
    assert wrong == []


def test_no_harmless_text_is_changed() -> None:
    assert [text for text in samples.HARMLESS_TEXTS if masked_text(text) != text] == []


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("api_key", "x", True),
        ("wandb_api_key", "x", True),
        ("apiKey", "x", True),
        ("X-Api-Key", "x", True),
        ("password", "x", True),
        ("password", 12345678, True),
        ("token", "x", True),
        ("hf_token", "x", True),
        ("secret_key", "x", True),
        ("x", "hf_" + "a" * 30, True),
        ("x", "sk-" + "a" * 30, True),
        ("x", HEX, True),
        ("x", "https://u:${oc.env:P}@host", False),
        ("x", "https://u:literal@${oc.env:HOST}", True),
        ("password", "${oc.env:P}", False),
        ("password", "${oc.env:P,null}", False),
        ("password", "${oc.env:P,hush}", True),
        ("x", "${oc.env:P,hf_" + "a" * 30 + "}", True),
        ("revision", HEX, False),
        ("git_commit", HEX, False),
        ("pad_token", "<pad>", False),
        ("max_tokens", "100", False),
        ("tokenizer", "words", False),
        ("key", "x", False),
        ("token", 5, False),
        ("password", True, False),
    ],
)
def test_is_secret(name: str, value: Any, secret: bool) -> None:
    assert is_secret(name, value) is secret


def test_the_name_of_a_variable_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_secret("api_key", "MY_OWN_KEY")
    monkeypatch.setenv("MY_OWN_KEY", "abcdefgh1")
    assert not is_secret("api_key", "MY_OWN_KEY")


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
        ("vars={password:hush,b:1}", f"vars={{password:{MASK},b:1}}"),
        ('{\\"token\\": \\"hush\\", \\"n\\": 1}', f'{{\\"token\\": {MASK}, \\"n\\": 1}}'),
        ("x=" + HEX, f"x={MASK}"),
        ("model.revision=" + HEX, "model.revision=" + HEX),
        ("a.password=${oc.env:P}", "a.password=${oc.env:P}"),
        ("optimizer.lr=3", "optimizer.lr=3"),
        ("wandb has no setting hf_" + "a" * 30, f"wandb has no setting {MASK}"),
        ("Server=x;Password=ab,c;Database=d", f"Server=x;Password={MASK};Database=d"),
        ("https://u:p@ss:w@host/x", f"https://{MASK}@host/x"),
    ],
    ids=lambda _: "",  # pytest puts it into the environment, where addresses are looked for
)
def test_masked_text(text: str, shown: str) -> None:
    assert masked_text(text) == shown


@pytest.mark.parametrize("before", ["", "a", "ab", "me:"])
def test_what_a_variable_holds_is_seen_in_every_spelling(before: str) -> None:
    value = next(secret.value for secret in SECRETS if secret.variable == "DB_PASSWORD")
    coded = base64.b64encode(f"{before}{value}tail".encode()).decode()
    core = coded[(len(before) + 2) * 4 // 3 + 1 :][:12]  # of characters that come of nothing but the value
    assert core in coded
    for spelled in (quote(value, safe=""), html.escape(value), json.dumps(value), repr(value), coded):
        shown = masked_text(f"sent {spelled} to it")
        assert MASK in shown and value not in shown and core not in shown


def test_a_word_that_stands_everywhere_is_not_taken_for_what_a_variable_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_PASSWORD", "postgres")
    monkeypatch.setenv("MY_TOKEN", "true")
    monkeypatch.setenv("MY_SECRET", "100000")
    assert masked_text("postgres is true for 100000 rows") == "postgres is true for 100000 rows"


def test_the_password_of_an_address_in_the_environment_is_seen_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:abc123xyz@proxy:8080")
    assert masked_text("proxy said no to abc123xyz") == f"proxy said no to {MASK}"


def test_nested_words_are_masked_and_keys_stay() -> None:
    tree = {"password": 1, "lines": ["token=abc123x", {"n": 3}], "pair": ("a", 2)}
    assert masked_words(tree) == {"password": 1, "lines": [f"token={MASK}", {"n": 3}], "pair": ["a", 2]}


def test_a_line_of_a_log_costs_microseconds() -> None:
    line = "epoch 2/3   loss 0.291   161 texts/s   0:00:21 left"
    masked_text(line)
    fastest = min(_timed(line) for _ in range(200))
    assert fastest < 1e-3


def _timed(line: str) -> float:
    began = perf_counter()
    masked_text(line)
    return perf_counter() - began
