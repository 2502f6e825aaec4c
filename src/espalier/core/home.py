"""Folders outside the project: the user's own settings, the cache, data and weights that are there already."""

import os
from pathlib import Path


def home() -> Path:
    """The user's settings: ``$ESPALIER_HOME``, else ``$XDG_CONFIG_HOME/espalier``, else ``~/.config/espalier``."""
    if given := os.environ.get("ESPALIER_HOME"):
        return Path(given)
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "espalier"


def cache() -> Path:
    """What can be made again: ``$ESPALIER_CACHE``, else ``$XDG_CACHE_HOME/espalier``, else ``~/.cache/espalier``."""
    if given := os.environ.get("ESPALIER_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "espalier"


def data_root() -> Path | None:
    """``$ESPALIER_DATA``: folders of real data by name."""
    given = os.environ.get("ESPALIER_DATA")
    return Path(given) if given else None


def models_root() -> Path | None:
    """``$ESPALIER_MODELS``: folders of pretrained models by name."""
    given = os.environ.get("ESPALIER_MODELS")
    return Path(given) if given else None


def expanded(path: str) -> Path:
    """With ``~`` and ``~name`` as home folders; as it is written where there is no such user, or no such path."""
    try:
        return Path(path).expanduser()
    except (RuntimeError, ValueError):
        return Path(path)


def folder_of(source: str) -> Path | None:
    """The folder that a source of weights names, if it is written as a path: ``./mine``, ``/data/mine``, ``~/mine``."""
    is_path = source.startswith(("./", "../", "/", "~")) or source in (".", "..")
    return expanded(source).resolve() if is_path and "\0" not in source else None
