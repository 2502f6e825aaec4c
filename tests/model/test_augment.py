from __future__ import annotations

import pytest
import torch

from espalier.core.errors import ConfigError
from espalier.model.augment import Augment

IMAGES = torch.arange(1, 2 * 3 * 4 * 5 + 1, dtype=torch.uint8).reshape(2, 3, 4, 5).repeat(100, 1, 1, 1)


def test_each_image_is_moved_whole_and_black_comes_in() -> None:
    torch.manual_seed(0)
    moved = Augment("image", shift=1, flip=False)(IMAGES)
    assert (moved.shape, moved.dtype) == (IMAGES.shape, torch.uint8)
    padded = torch.nn.functional.pad(IMAGES, [1] * 4)
    places = [(y, x) for y in range(3) for x in range(3)]
    found = [
        [place for place in places if torch.equal(new, old[:, place[0] : place[0] + 4, place[1] : place[1] + 5])]
        for new, old in zip(moved, padded, strict=True)
    ]
    assert all(len(matches) == 1 for matches in found), "all channels by the same way"
    assert {matches[0] for matches in found} == set(places), "every way, standing still included"


def test_half_of_the_images_are_mirrored() -> None:
    torch.manual_seed(0)
    mirrored = Augment("image", shift=0, flip=True)(IMAGES)
    turned = [torch.equal(new, old.flip(2)) for new, old in zip(mirrored, IMAGES, strict=True)]
    same = [torch.equal(new, old) for new, old in zip(mirrored, IMAGES, strict=True)]
    assert all(a != b for a, b in zip(turned, same, strict=True))
    assert 70 < sum(turned) < 130


def test_both_together_move_the_mirrored_image() -> None:
    torch.manual_seed(0)
    new = Augment("image", shift=1, flip=True)(IMAGES[:40])
    centre = new[:, :, 1:3, 1:4]
    middles = [old[:, y : y + 2, x : x + 3] for old in (IMAGES[0], IMAGES[1]) for y in range(3) for x in range(3)]
    known = [*middles, *(middle.flip(2) for middle in middles)]
    assert all(any(torch.equal(image, middle) for middle in known) for image in centre)


def test_torchs_generator_decides() -> None:
    augment = Augment("image", shift=2, flip=True)
    state = torch.get_rng_state()
    first = augment(IMAGES)
    assert not torch.equal(augment(IMAGES), first)
    torch.set_rng_state(state)
    assert torch.equal(augment(IMAGES), first)


def test_nothing_to_do_draws_nothing() -> None:
    state = torch.get_rng_state()
    assert Augment("image", shift=0, flip=False)(IMAGES) is IMAGES
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(("setting", "what"), [({"shift": 2}, "model.shift=2"), ({"flip": True}, "model.flip=true")])
def test_vectors_have_no_place(setting: dict[str, int], what: str) -> None:
    with pytest.raises(ConfigError, match=f"{what}  is for images, and this data has vectors"):
        Augment("vector", **{"shift": 0, "flip": False, **setting})
    Augment("vector", shift=0, flip=False)
