"""Files of a pretrained model from the Hugging Face hub: asked once, answered at once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from espalier.core.errors import ConfigError, Fault

_FILES = ["*.json", "*.jinja", "*.txt", "*.model", "model*.safetensors"]
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SECONDS = 5.0


def download(source: str, revision: str, *, extra: str = "") -> Path:
    """The folder of a snapshot: from the hub's cache on this machine, else from the hub itself.

    A pinned commit that is whole in the cache needs no network. Else the hub is asked once, without retries; where it
    cannot be reached, what was fetched of this revision before is taken.

    Args:
        source: ``ORG/NAME``.
        revision: commit, branch or tag.
        extra: what pip can install that brings these weights.

    Raises:
        ConfigError: there is no such model or revision, it is gated or has only pickles, or the hub is out of reach.
    """
    if _COMMIT.fullmatch(revision) and (cached := _cached(source, revision)) and _is_whole(cached):
        return cached
    try:
        info = HfApi(endpoint=constants.ENDPOINT).model_info(source, revision=revision, timeout=_SECONDS)
        names = [file.rfilename for file in info.siblings or ()]
        if not any(name.startswith("model") and name.endswith(".safetensors") for name in names):
            raise ConfigError(Fault(f"model.source={source}", *no_safetensors(names)))
        return Path(snapshot_download(source, revision=revision, allow_patterns=_FILES))
    except ConfigError:
        raise
    except Exception as error:
        if known := _known(source, revision, error):
            raise ConfigError(known) from error
        if cached := _cached(source, revision):
            return cached
        raise ConfigError(_unreachable(source, extra, error)) from error


def no_safetensors(names: Iterable[str]) -> tuple[str, str]:
    """What is true of a model without safetensors, and the ways to mend it."""
    pickles = sorted(name for name in names if name.endswith((".bin", ".pt", ".pth", ".h5", ".msgpack", ".ckpt")))
    truth = f"has no safetensors weights, only {', '.join(pickles[:3])}" if pickles else "has no safetensors weights"
    named = next((name for name in pickles if name.endswith((".bin", ".pt", ".pth", ".ckpt"))), "FILE")
    return (
        f"{truth}; a pickle can run code as it is read, so Espalier reads none.",
        "Choose a revision that has them (often model.revision=refs/pr/1), or fetch its files and convert them: "
        f"espalier import FOLDER/{named} --output mine , then  model.source=./mine",
    )


def _cached(source: str, revision: str) -> Path | None:
    with suppress(EntryNotFoundError, HFValidationError):
        folder = Path(snapshot_download(source, revision=revision, allow_patterns=_FILES, local_files_only=True))
        if (folder / "config.json").exists() and any(folder.glob("model*.safetensors")):
            return folder
    return None


def _is_whole(folder: Path) -> bool:
    """Whether more than weights were fetched: those who ask for the model alone get no tokenizer."""
    return any((folder / name).exists() for name in ("tokenizer.json", "preprocessor_config.json"))


def _known(source: str, revision: str, error: Exception) -> Fault | None:
    """What the hub itself has answered."""
    what, page = f"model.source={source}", f"{constants.ENDPOINT}/{source}"
    match error:
        case GatedRepoError():
            return Fault(what, "is gated.", f"Accept its terms at {page}, then log in here: hf auth login")
        case RepositoryNotFoundError():
            remedy = "Check the spelling (ORG/NAME); for a private one log in here: hf auth login"
            return Fault(what, "is no model on the hub that you may see.", remedy)
        case RevisionNotFoundError():
            return Fault(f"model.revision={revision}", f"is no revision of {source}.", f"See {page}/commits/main")
        case HFValidationError():
            return Fault(what, "is no hub id.", "Write ORG/NAME, or a folder: ./NAME")
    return None


def _unreachable(source: str, extra: str, error: Exception) -> Fault:
    offline = (
        "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else f"the hub could not be asked ({type(error).__name__})"
    )
    installed = f"pip install '{extra}', or " if extra else ""
    folder = f"ESPALIER_MODELS=<folder with {source.rpartition('/')[2]}/>"
    return Fault(
        f"model.source={source}",
        f"is not on this machine, and {offline}.",
        f"Mend it by: {installed}{folder}, or model.source=./folder, or go online.",
    )
