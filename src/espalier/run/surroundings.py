"""What a run's result depends on besides its config: versions, machine, commit."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

from espalier import __version__
from espalier.core.machine import probe

_PACKAGES = ("torch", "pytorch-lightning", "transformers", "peft", "tokenizers", "numpy", "hydra-core", "wandb")


def versions() -> dict[str, str]:
    """Package -> version; ``espalier``, ``python``, ``platform`` and ``machine`` too."""
    found = {name: importlib.metadata.version(name) for name in _PACKAGES}
    here = {"python": platform.python_version(), "platform": platform.platform(), "machine": str(probe())}
    return {"espalier": __version__, **found, **here}


def git_commit(folder: Path) -> str:
    """The commit checked out there, ``+`` behind it where tracked files differ from it; ``""`` outside of git."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return commit + ("+" if commit and _git(folder, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return ""


def is_first_rank() -> bool:
    """Whether this process is the one that writes: the launcher of the others, or one that is alone."""
    return os.environ.get("LOCAL_RANK", "0") == "0" and os.environ.get("NODE_RANK", "0") == "0"


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip()
