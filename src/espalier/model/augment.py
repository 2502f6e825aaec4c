"""Training images, moved and mirrored at random."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from espalier.core.errors import ConfigError, Fault
from espalier.state.ranks import own_part


class Augment:
    """Moves each image by up to ``shift`` pixels along each axis, black coming in, and mirrors each second one.

    It draws from torch's generator of the images' device, whose state a checkpoint holds: a resumed run sees the images
    that the undisturbed one would have. With neither ``shift`` nor ``flip`` it draws nothing.

    Args:
        kind: of what the model reads, ``image`` or ``vector``.
        shift: pixels, at most, each way.
        flip: whether left and right change places in half of the images.

    Raises:
        ConfigError: vectors have no place to be moved to.
    """

    def __init__(self, kind: str, *, shift: int, flip: bool) -> None:
        self.shift, self.flip = shift, flip
        self.idle = not (shift or flip)
        if kind != "image" and not self.idle:
            what, remedy = (
                (f"model.shift={shift}", "model.shift=0") if shift else ("model.flip=true", "model.flip=false")
            )
            raise ConfigError(Fault(what, f"is for images, and this data has {kind}s.", f"Set {remedy}."))

    def __call__(self, images: Tensor) -> Tensor:
        """Other images of the same shape (B, C, H, W) and type."""
        if self.idle:
            return images
        size, (height, width), device = len(images), images.shape[2:], images.device
        rows = torch.arange(height, device=device).expand(size, -1)
        columns = torch.arange(width, device=device).expand(size, -1)
        if self.flip:
            mirrored = own_part(lambda count: torch.rand(count, 1, device=device), size) < 0.5
            columns = torch.where(mirrored, columns.flip(1), columns)
        if self.shift:
            most = 2 * self.shift + 1
            moved = own_part(lambda count: torch.randint(0, most, (2, count, 1), device=device).transpose(0, 1), size)
            rows, columns = rows + moved[:, 0], columns + moved[:, 1]
            images = functional.pad(images, [self.shift] * 4)
        # One look-up does both: pixel (y, x) of the new image is pixel (rows[y], columns[x]) of the old one.
        places = (rows.unsqueeze(2) * images.shape[3] + columns.unsqueeze(1)).flatten(1)
        found = images.flatten(2).gather(2, places.unsqueeze(1).expand(-1, images.shape[1], -1))
        return found.reshape(*found.shape[:2], height, width)
