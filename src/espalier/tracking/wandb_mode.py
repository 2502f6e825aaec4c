"""Whether a run goes to W&B at once, later, or not at all: decided without importing wandb, which takes a second."""

from __future__ import annotations

import configparser
import netrc
import os
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

Mode = Literal["online", "offline", "disabled"]
_ALIASES = {"dryrun": "offline", "run": "online", "shared": "online"}
_HOSTS = ("api.forge.coreweave.com", "api.wandb.ai")  # W&B's own service, by its new name and its old one


def choose_mode(configured: str) -> tuple[Mode, str]:
    """The mode and why, for people.

    ``WANDB_MODE`` comes first, then ``configured`` unless it is ``auto``, then what ``wandb offline`` left in W&B's
    settings files, then online. Online without a key is offline: nobody is there to answer wandb's prompt for one.
    """
    settings = settings_of_wandb()
    asked = os.environ.get("WANDB_MODE") or (configured if configured != "auto" else settings.get("mode", "auto"))
    asked = _ALIASES.get(asked, asked)
    if asked == "disabled":
        return "disabled", "WANDB_MODE=disabled"
    if asked == "offline":
        return "offline", ""
    if has_key(settings):
        return "online", ""
    return "offline", "" if asked == "auto" else "online was asked for, but no API key is configured: wandb login"


def has_key(settings: dict[str, str]) -> bool:
    """Whether wandb would find credentials: environment, settings files, netrc."""
    if any(os.environ.get(name) for name in ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE")):
        return True
    return bool(settings.get("api_key")) or _in_netrc(os.environ.get("WANDB_BASE_URL") or settings.get("base_url", ""))


def _in_netrc(base_url: str) -> bool:
    host = urlsplit(base_url).netloc
    hosts = _HOSTS if host in ("", *_HOSTS) else (host,)
    try:
        machines = netrc.netrc(_netrc_path()).hosts
    except (OSError, netrc.NetrcParseError):
        return False
    return any(host in machines and machines[host][2] for host in hosts)


def _netrc_path() -> Path:
    if given := os.environ.get("NETRC"):
        return Path(given).expanduser()
    unix = Path("~/.netrc").expanduser()
    return unix if unix.exists() else Path("~/_netrc").expanduser()


def settings_of_wandb() -> dict[str, str]:
    """What ``wandb login``, ``wandb offline`` and the like wrote: the user's file, over it the working folder's."""
    folder = Path(os.environ.get("WANDB_CONFIG_DIR") or "~/.config/wandb").expanduser()
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read([folder / "settings", Path("wandb", "settings")], encoding="utf-8")
        return dict(parser["default"]) if parser.has_section("default") else {}
    except (configparser.Error, UnicodeDecodeError):
        return {}


if __name__ == "__main__":  # espalier doctor asks so
    print(*choose_mode("auto"), sep="\n")
