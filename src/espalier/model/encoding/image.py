"""``model/encoding=image``: the image transform that belongs to pretrained weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy.typing as npt
import pyarrow as pa
import torch
from torch import Tensor, nn
from torch.nn import functional

from espalier.core.columns import Columns
from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts, Raw
from espalier.core.files import read_json
from espalier.model.source import locate

_FILE = "preprocessor_config.json"
_MODES = {0: "nearest-exact", 1: "bicubic", 2: "bilinear", 3: "bicubic"}
"""Pillow's number of a filter -> torch's name; torch has no Lanczos (1)."""


class Image:
    """Leaves images as bytes in their own size; the model resizes and normalises them batch by batch, on its device.

    Args:
        source: hub id or folder, as the model's.
        revision: the hub's commit, where the hub is asked.

    Attributes:
        settings: of ``preprocessor_config.json``.

    Raises:
        ConfigError: the data has no images, or images of other colours than the model's; or it has no such file, or
            one that asks for something else.
    """

    costs_nothing: ClassVar[bool] = True
    reads: ClassVar[tuple[str, ...]] = ("image",)

    def __init__(self, facts: DataFacts, /, *, source: str, revision: str) -> None:
        self.roles = tuple(role for role, kind in facts.kinds.items() if kind == "image")
        if not self.roles:
            kinds = ", ".join(sorted(set(facts.kinds.values()) - {"label"}))
            raise ConfigError(
                Fault("model/encoding=image", f"needs images, and this data has {kinds}.", "Choose another model.")
            )
        self.shape = facts.shape
        file = locate(source, revision).folder / _FILE
        if not file.is_file():
            remedy = "Choose a model of images, for instance google/vit-base-patch16-224-in21k."
            raise ConfigError(Fault(f"model.source={source}", f"has no {_FILE}: it reads no images.", remedy))
        try:
            self.settings: dict[str, Any] = read_json(file)
            self.transform()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            truth = f"has a {_FILE} that Espalier cannot follow: {type(error).__name__}: {error}."
            raise ConfigError(Fault(f"model.source={source}", truth, "Choose another model.")) from error
        colours = len(self.settings.get("image_mean") or (0, 0, 0))
        if self.shape[0] not in (1, colours):
            truth = f"reads images of {colours} channels, and these have {self.shape[0]}."
            raise ConfigError(Fault(f"model.source={source}", truth, "Choose another model."))

    def fit(self, raw: Raw, /) -> None:
        """Nothing: mean and deviation came with the weights."""

    def apply(self, table: pa.Table, /) -> Columns:
        """Dense arrays of shape (rows, *shape)."""
        return {role: _dense(table, role).reshape(table.num_rows, *self.shape) for role in self.roles}

    def facts(self) -> Mapping[str, Any]:
        """Nothing beyond the shape that reading told."""
        return {}

    def fingerprint(self) -> str:
        """Of the shape: ``apply`` does not depend on the transform."""
        return hashlib.sha256(f"image {self.roles} {self.shape}".encode()).hexdigest()

    def save(self, folder: Path, /) -> None:
        """``preprocessor_config.json``, as transformers' image processors load it."""
        (folder / _FILE).write_text(json.dumps(self.settings, indent=2) + "\n")

    def load(self, folder: Path, /) -> None:
        """Nothing: it comes from where the weights come from."""

    def transform(self) -> Transform:
        """The module that resizes and normalises."""
        return Transform(self.settings, self.shape)


class Transform(nn.Module):
    """Bytes (B, C, H, W) -> what a pretrained model reads, (B, channels, height, width) fp32; one channel becomes all.

    Follows transformers' image processors on torch tensors, but that a resized pixel is not rounded to a byte.

    Args:
        settings: of ``preprocessor_config.json``: resized (to a size, or by the shortest edge), cut from the centre,
            multiplied by ``rescale_factor``, normalised by ``image_mean`` and ``image_std``.
        shape: of the images: channels, height, width.

    Raises:
        KeyError, ValueError: the settings ask for something else.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, settings: Mapping[str, Any], shape: tuple[int, ...]) -> None:
        super().__init__()
        self.size = _resized(settings, shape[1:]) if settings.get("do_resize", True) else tuple(shape[1:])
        crop = settings.get("crop_size") if settings.get("do_center_crop") else None
        self.kept = _sides(crop) if crop else self.size
        if any(kept > side for kept, side in zip(self.kept, self.size, strict=True)):
            raise ValueError(f"{self.kept} pixels cannot be cut from {self.size}")
        self.mode = _MODES.get(settings.get("resample", 2), "bilinear")
        normal = settings.get("do_normalize", True)
        mean = torch.tensor(settings["image_mean"] if normal else [0.0, 0.0, 0.0])
        std = torch.tensor(settings["image_std"] if normal else [1.0, 1.0, 1.0])
        # Folded into one subtraction and one division: (x f - mean) / std = (x - mean / f) / (std / f).
        factor = settings.get("rescale_factor", 1 / 255) if settings.get("do_rescale", True) else 1.0
        self.register_buffer("mean", (mean / factor).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", (std / factor).view(-1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Resized, cut, normalised."""
        pixels = images.float()
        if self.size != tuple(pixels.shape[2:]):
            smooth = {} if self.mode == "nearest-exact" else {"antialias": True}
            pixels = functional.interpolate(pixels, self.size, mode=self.mode, **smooth)
        top, left = ((side - kept) // 2 for side, kept in zip(self.size, self.kept, strict=True))
        pixels = pixels[:, :, top : top + self.kept[0], left : left + self.kept[1]]
        return (pixels.expand(-1, len(self.mean), -1, -1) - self.mean) / self.std

    def code(self) -> str:
        """Lines of torch that do the same: of ``rows`` they make ``pixels``."""
        smooth = "" if self.mode == "nearest-exact" else ", antialias=True"
        top, left = ((side - kept) // 2 for side, kept in zip(self.size, self.kept, strict=True))
        lines = [
            f"mean = torch.tensor({_short(self.mean)}).view(-1, 1, 1)",
            f"std = torch.tensor({_short(self.std)}).view(-1, 1, 1)",
            f'pixels = torch.nn.functional.interpolate(rows.float(), {self.size}, mode="{self.mode}"{smooth})',
            f"pixels = pixels[:, :, {top}:{top + self.kept[0]}, {left}:{left + self.kept[1]}]",
            f"pixels = (pixels.expand(-1, {len(self.mean)}, -1, -1) - mean) / std",
        ]
        return "\n    ".join(lines)


def _short(values: Tensor) -> str:
    return "[" + ", ".join(f"{value:.7g}" for value in values.flatten().tolist()) + "]"


def _resized(settings: Mapping[str, Any], shape: tuple[int, ...]) -> tuple[int, ...]:
    size = settings["size"]
    if not isinstance(size, Mapping) or "shortest_edge" not in size:
        return _sides(size)
    edge = size["shortest_edge"]
    return tuple(edge if side == min(shape) else int(edge * side / min(shape)) for side in shape)


def _sides(size: int | Mapping[str, int]) -> tuple[int, ...]:
    return (size, size) if isinstance(size, int) else (size["height"], size["width"])


def _dense(table: pa.Table, role: str) -> npt.NDArray[Any]:
    flat: npt.NDArray[Any] = table[role].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(table.num_rows, -1)
