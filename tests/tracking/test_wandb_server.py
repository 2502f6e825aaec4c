"""Whether a server answers is known in a second, whatever it does."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import pytest

from espalier.tracking.wandb_server import Probe, address
from tracking.servers import wandb_server


def trouble(monkeypatch: pytest.MonkeyPatch, url: str, seconds: float = 10) -> str:
    monkeypatch.setenv("WANDB_BASE_URL", url)
    return Probe(seconds).trouble()


@pytest.mark.parametrize("status", [200, 204, 401, 403, 404, 429])
def test_any_answer_is_one(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    with wandb_server(status) as server:
        assert trouble(monkeypatch, server.url) == ""


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_error_of_its_own_is_none(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    with wandb_server(status) as server:
        assert trouble(monkeypatch, server.url) == f"{server.url} answers {status}"


def test_one_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with wandb_server("hangs") as server:
        began = perf_counter()
        assert trouble(monkeypatch, server.url, 0.5) == f"no answer from {server.url} in 0 s"
        assert perf_counter() - began < 5


def test_one_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with wandb_server("refuses") as server:
        assert "refused" in trouble(monkeypatch, server.url)
    assert trouble(monkeypatch, "http://no-such-host.invalid") != ""


def test_an_address_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert trouble(monkeypatch, "ftp:nowhere") != ""


def test_where_wandb_would_send_a_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path))
    monkeypatch.delenv("WANDB_BASE_URL", raising=False)
    assert address() == "https://api.wandb.ai"
    (tmp_path / "settings").write_text("[default]\nbase_url = https://wandb.example.org/\n")
    assert address() == "https://wandb.example.org"
    monkeypatch.setenv("WANDB_BASE_URL", "https://other.example.org")
    assert address() == "https://other.example.org"
