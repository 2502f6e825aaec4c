"""Online where wandb would find a key, else offline; wandb itself is not asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from espalier.tracking.wandb_mode import choose_mode


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with nothing of W&B's in it."""
    for name in [name for name in os.environ if name.startswith("WANDB_") or name == "NETRC"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_offline_without_a_key() -> None:
    assert choose_mode("auto") == ("offline", "")


def test_online_with_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    assert choose_mode("auto") == ("online", "")
    assert choose_mode("offline") == ("offline", "")


@pytest.mark.parametrize("host", ["api.wandb.ai", "api.forge.coreweave.com"])
def test_a_key_in_netrc(bare: Path, host: str) -> None:
    (bare / ".netrc").write_text(f"machine {host}\n  login user\n  password {'k' * 40}\n")
    assert choose_mode("auto")[0] == "online"


def test_a_netrc_that_is_named_is_the_one_looked_at(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (bare / "elsewhere").write_text(f"machine api.wandb.ai login user password {'k' * 40}\n")
    monkeypatch.setenv("NETRC", "~/elsewhere")
    assert choose_mode("auto")[0] == "online"


def test_a_key_for_another_server_is_none(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (bare / ".netrc").write_text(f"machine api.wandb.ai login user password {'k' * 40}\n")
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    assert choose_mode("auto")[0] == "offline"
    with (bare / ".netrc").open("a") as file:
        file.write(f"machine wandb.example.org login user password {'k' * 40}\n")
    assert choose_mode("auto")[0] == "online"


def test_a_broken_netrc_has_no_key(bare: Path) -> None:
    (bare / ".netrc").write_text("machine\nnonsense here")
    assert choose_mode("auto")[0] == "offline"


def test_online_without_a_key_says_why_it_is_offline() -> None:
    mode, why = choose_mode("online")
    assert mode == "offline"
    assert "wandb login" in why


@pytest.mark.parametrize(
    ("variable", "mode"),
    [("offline", "offline"), ("dryrun", "offline"), ("disabled", "disabled"), ("online", "online"), ("run", "online")],
)
def test_the_variable_wins_over_the_config(monkeypatch: pytest.MonkeyPatch, variable: str, mode: str) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    monkeypatch.setenv("WANDB_MODE", variable)
    assert choose_mode("offline" if mode == "online" else "online")[0] == mode


def test_what_wandb_offline_left_behind_is_respected(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    (bare / "wandb").mkdir()
    (bare / "wandb" / "settings").write_text("[default]\nmode = offline\n")
    assert choose_mode("auto")[0] == "offline"
    assert choose_mode("online")[0] == "online"


def test_a_key_in_the_settings_file(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(bare))
    (bare / "settings").write_text("[default]\napi_key = " + "k" * 40 + "\n")
    assert choose_mode("auto")[0] == "online"


def test_wandb_is_not_imported_for_it() -> None:
    program = "import sys, espalier.tracking.wandb; print('wandb' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
