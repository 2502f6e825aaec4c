"""Data sets of the Hugging Face hub: asked once, answered at once, at a commit that is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from espalier.core.errors import DataError, Fault
from espalier.core.home import data_root

_SECONDS = 5.0
_COMMIT = re.compile(r"[0-9a-f]{40}")


def from_hub(name: str, dataset: str, revision: str | None = None, config: str | None = None) -> Any:
    """A ``datasets.DatasetDict``, for a named set that finds nothing under ``$ESPALIER_DATA``.

    Args:
        name: of the data option.
        dataset: id on the hub.
        revision: commit; None: the newest.
        config: which of several sets under that id.

    Raises:
        DataError: the hub cannot be reached or does not have it; says which folder would do instead.
    """
    try:
        return fetch(dataset, revision=revision, config=config)[0]
    except DataError as error:
        looked = data_root() / name if data_root() else f"$ESPALIER_DATA/{name}"  # type: ignore[operator]
        raise DataError(
            Fault(
                f"data={name}",
                f"is not at {looked}, and the hub's {dataset} {error.faults[0].truth}",
                f"Set ESPALIER_DATA to the folder that holds {name}/, or go online.",
            )
        ) from error


def fetch(
    source: str, *, revision: str | None = None, config: str | None = None, streaming: bool = False
) -> tuple[Any, str]:
    """A ``datasets.DatasetDict`` (an iterable one, if streaming) and where it was taken from: id and commit.

    The hub is asked once, without retries; where it cannot be reached, what was fetched before is taken.

    Raises:
        DataError: there is no such set, revision or config, it is gated, or it is not here and the hub is out of reach.
    """
    # datasets takes a second to import; most runs read plain files and never need it. This is its only door.
    from datasets import load_dataset
    from huggingface_hub import HfApi, constants

    try:
        commit = HfApi(endpoint=constants.ENDPOINT).dataset_info(source, revision=revision, timeout=_SECONDS).sha
    except Exception as error:
        if known := _known(source, revision, error):
            raise DataError(known) from error
        asked = "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else f"the hub is out of reach ({_name(error)})"
        with _offline():
            try:
                found = load_dataset(source, config, revision=revision, streaming=streaming)
            except Exception as missing:
                raise DataError(_unreachable(source, asked, missing)) from error
        return found, f"hub {source} {_commit(found)}".rstrip()
    return _load(source, config, commit, streaming), f"hub {source} @{commit}"


def fetch_folder(folder: Path, *, config: str | None = None, streaming: bool = False) -> tuple[Any, str]:
    """As ``fetch``, of a data set that lies in a folder as it would on the hub. Raises ``DataError``."""
    return _load(str(folder), config, None, streaming), str(folder)


def _load(source: str, config: str | None, commit: str | None, streaming: bool) -> Any:
    from datasets import load_dataset

    try:
        return load_dataset(source, config, revision=commit, streaming=streaming)
    except Exception as error:
        said = _said(error)
        what = f"data.config={config}" if "onfig" in said else f"data.source={source}"
        raise DataError(Fault(what, f"cannot be read: {said}.")) from error


@contextmanager
def _offline() -> Iterator[None]:
    # Both libraries try for 25 seconds before they look at what they have.
    import datasets.config
    import huggingface_hub.constants

    places: tuple[Any, ...] = (datasets.config, huggingface_hub.constants)
    before = [place.HF_HUB_OFFLINE for place in places]
    for place in places:
        place.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        for place, was in zip(places, before, strict=True):
            place.HF_HUB_OFFLINE = was


def _commit(found: Any) -> str:
    """The commit of a set from the cache: its files lie in a folder of that name."""
    files = [file["filename"] for split in found.values() for file in getattr(split, "cache_files", ())]
    names = [name for file in files for name in Path(file).parts if _COMMIT.fullmatch(name)]
    return f"@{names[0]}" if names else "(from the cache)"


def _known(source: str, revision: str | None, error: Exception) -> Fault | None:
    """What the hub itself has answered."""
    from huggingface_hub import constants, errors

    what, page = f"data.source={source}", f"{constants.ENDPOINT}/datasets/{source}"
    match error:
        case errors.GatedRepoError():
            return Fault(what, "is gated.", f"Accept its terms at {page}, then log in here: hf auth login")
        case errors.RepositoryNotFoundError():
            remedy = "Check the spelling (ORG/NAME); for a private one log in here: hf auth login"
            return Fault(what, "is no data set on the hub that you may see.", remedy)
        case errors.RevisionNotFoundError():
            return Fault(f"data.revision={revision}", f"is no revision of {source}.", f"See {page}/commits/main")
    return None


def _unreachable(source: str, asked: str, missing: Exception) -> Fault:
    if isinstance(missing, ValueError):  # it is here, without what was asked for
        return Fault(f"data.source={source}", f"cannot be read: {_said(missing)}.")
    remedy = "Go online, or name a folder that holds it: data.source=./folder"
    return Fault(f"data.source={source}", f"is not on this machine, and {asked}.", remedy)


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:300].rstrip(".")


def _name(error: Exception) -> str:
    return type(error).__name__
