"""What every test may lean on: a private home and cache, no network, one thread."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Before any library reads them: tests run two at a time, and never ask the network for anything.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.update(HF_HUB_OFFLINE="1", WANDB_MODE="offline")


@pytest.fixture(scope="session", autouse=True)
def _private_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Settings and caches of the person who runs the tests are neither read nor written."""
    for name in ("ESPALIER_HOME", "ESPALIER_CACHE", "WANDB_CONFIG_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR"):
        os.environ[name] = str(tmp_path_factory.mktemp(name.lower()))
    for name in ("ESPALIER_TRUST", "WANDB_API_KEY", "WANDB_PROJECT", "WANDB_ENTITY"):
        os.environ.pop(name, None)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """What one test leaves to the next: W&B's service's address, SIGINT held back, torch's random numbers."""
    os.environ.pop("WANDB_SERVICE", None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs real data where there is none, and say so."""
    if os.environ.get("ESPALIER_DATA"):
        return
    for item in items:
        if item.get_closest_marker("data"):
            item.add_marker(pytest.mark.skip(reason="ESPALIER_DATA is not set: no folder of real data"))
