"""What a run's result depends on besides its config: versions, machine, commit."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from pathlib import Path

from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

from espalier import __version__
from espalier.core.machine import probe
from espalier.core.world import launched

_PACKAGES = ("torch", "pytorch-lightning", "transformers", "peft", "tokenizers", "numpy", "hydra-core", "wandb")


def versions() -> dict[str, str]:
    """Package -> version; ``espalier``, ``python``, ``platform`` and ``machine`` too."""
    found = {name: importlib.metadata.version(name) for name in _PACKAGES}
    here = {"python": platform.python_version(), "platform": platform.platform(), "machine": str(probe())}
    return {"espalier": __version__, **found, **here}


def git_commit(folder: Path) -> str:
    """The commit checked out there, ``+`` behind it where tracked files differ from it; ``""`` outside of git.

    A repository may name programs in its own config: none of a stranger's runs. The monitor of files is off, and
    where the repository itself (not the user) has filters, its files are not compared.
    """
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return commit if _has_filters(folder) else commit + ("+" if _is_changed(folder) else "")
    except (OSError, subprocess.SubprocessError):
        return ""


def cluster() -> ClusterEnvironment:
    """How Lightning meets the other ranks: those that torchrun or srun started, else those that it starts itself.

    Said, not left to its detection: in a batch script Slurm's variables are there though no other process is; and
    its own answer to Slurm's signals is off, since a run has one already (``run.stop``).
    """
    world = launched()
    if world is None:
        return LightningEnvironment()
    return TorchElasticEnvironment() if world.by == "torchrun" else SLURMEnvironment(auto_requeue=False)


# A submodule's own config would be asked where its files are compared: its commit alone is.
_QUICKLY = ("--porcelain", "--untracked-files=no", "--ignore-submodules=dirty")


def _has_filters(folder: Path) -> bool:
    asked = ("config", "--includes", "--show-scope", "--name-only", "--get-regexp", r"^filter\..*\.(clean|process)$")
    return any(line.startswith(("local", "worktree")) for line in _git(folder, *asked, accept=1).splitlines())


def _is_changed(folder: Path) -> bool:
    return bool(_git(folder, "-c", "core.fsmonitor=false", "status", *_QUICKLY))


def _git(folder: Path, *words: str, accept: int = 0) -> str:
    """What git prints. ``accept``: the highest exit code that is no failure (``config`` ends with 1: none found)."""
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, timeout=10, check=False)
    if not 0 <= done.returncode <= accept:
        raise subprocess.CalledProcessError(done.returncode, done.args)
    return done.stdout.strip()
