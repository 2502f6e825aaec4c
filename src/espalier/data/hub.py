"""Rows of data sets on the Hugging Face hub, for sources that find nothing under ``$ESPALIER_DATA``."""

from __future__ import annotations

from typing import Any

from espalier.core.errors import DataError, Fault
from espalier.core.home import data_root


def from_hub(name: str, dataset: str) -> Any:
    """A ``datasets.DatasetDict``.

    Raises:
        DataError: the hub cannot be reached or does not have it; says which folder would do instead.
    """
    # datasets costs a second to import; most runs read plain files and never need it. This is its only door.
    from datasets import load_dataset

    try:
        return load_dataset(dataset)
    except Exception as error:
        looked = data_root() / name if data_root() else f"$ESPALIER_DATA/{name}"  # type: ignore[operator]
        raise DataError(
            Fault(
                f"data={name}",
                f"is not at {looked}, and {dataset} could not be fetched from the hub ({type(error).__name__}).",
                f"Set ESPALIER_DATA to the folder that holds {name}/, or go online.",
            )
        ) from error
