"""Tiny pretrained models of each family, and a batch for each; two labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from conf.defaults import defaults_of
from espalier.core.facts import DataFacts
from espalier.model.encoding.image import Image
from espalier.model.encoding.pretrained import Pretrained
from espalier.model.hub import Transformer
from espalier.model.source import locate
from model import checkpoints
from model.examples import SENTENCES, batch_of, of, vectors

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 1, 8, 8), np.uint8)
Tiny = Callable[[str], tuple[Any, dict[str, Any]]]


@contextmanager
def tiny_models(root: Path) -> Iterator[Tiny]:
    """What gives, by a preset's name, a new model without dropout, and a batch of four rows with labels."""
    written = cache(lambda family: checkpoints.write(root, family))

    def make(family: str) -> tuple[Any, dict[str, Any]]:
        written(family)
        return _built(family)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ESPALIER_MODELS", str(root))
        locate.cache_clear()
        yield make
    locate.cache_clear()


def _built(family: str) -> tuple[Any, dict[str, Any]]:
    settings = defaults_of(f"model/{family}", dropout=0.0)
    given = {key: settings[key] for key in ("source", "revision")}
    if family == "vit":
        raw, facts = vectors(IMAGES, "image", (1, 8, 8))
        model = Transformer(facts, encoding=Image(facts, **given), **settings)
    else:
        raw = of({"text": SENTENCES, "label": [0, 1, 0, 1]}, {"text": "text"})
        facts = DataFacts.of(raw, max_length=24)
        model = Transformer(facts, encoding=Pretrained(facts, **given), **settings)
    encoding = model.encoding
    batch = batch_of(encoding.apply(raw.splits["train"]), encoding.facts().get("pad", {}), [0, 1, 2, 3])
    return model, {**batch, "label": torch.tensor([0, 1, 0, 1])}
