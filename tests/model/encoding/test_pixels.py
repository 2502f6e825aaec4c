from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from espalier.core.errors import ConfigError
from espalier.model.encoding.pixels import Pixels
from model.examples import sentences, vectors


def test_images_stay_bytes_in_their_shape() -> None:
    values = np.arange(5 * 12, dtype=np.uint8).reshape(5, 3, 2, 2)
    raw, facts = vectors(values, "image", (3, 2, 2))
    encoded = Pixels(facts).apply(raw.splits["train"])["image"]
    assert isinstance(encoded, np.ndarray) and encoded.dtype == np.uint8
    assert (encoded == values).all()


def test_mean_and_deviation_are_those_of_the_training_rows() -> None:
    values = np.random.default_rng(0).integers(0, 256, (3000, 2, 2), np.uint8)
    raw, facts = vectors(values, "image", (1, 2, 2))
    encoding = Pixels(facts)
    encoding.fit(raw)
    assert (encoding.mean, encoding.std) == (pytest.approx(values.mean()), pytest.approx(values.std()))


def test_vectors_far_from_zero_keep_their_deviation() -> None:
    values = (1e6 + np.random.default_rng(0).normal(size=(50, 4))).astype(np.float64)
    raw, facts = vectors(values, "vector", (4,))
    encoding = Pixels(facts)
    encoding.fit(raw)
    assert encoding.std == pytest.approx(values.std())


def test_constant_input_is_not_divided_by_zero() -> None:
    raw, facts = vectors(np.full((4, 2), 3, np.uint8), "image", (1, 1, 2))
    encoding = Pixels(facts)
    encoding.fit(raw)
    assert (encoding.mean, encoding.std) == (3.0, 1.0)


def test_saved_file_says_how_to_normalise(tmp_path: Path) -> None:
    raw, facts = vectors(np.array([[0, 2]], np.uint8), "image", (1, 1, 2))
    encoding = Pixels(facts)
    encoding.fit(raw)
    encoding.save(tmp_path)
    assert json.loads((tmp_path / "pixels.json").read_text()) == {"mean": 1.0, "std": 1.0, "shape": [1, 1, 2]}


def test_loaded_is_as_it_was_fitted(tmp_path: Path) -> None:
    raw, facts = vectors(np.arange(12, dtype=np.uint8).reshape(3, 4), "image", (1, 2, 2))
    fitted, loaded = Pixels(facts), Pixels(facts)
    fitted.fit(raw)
    fitted.save(tmp_path)
    loaded.load(tmp_path)
    assert vars(loaded) == vars(fitted)
    assert loaded.fingerprint() == fitted.fingerprint()


def test_texts_are_refused() -> None:
    with pytest.raises(ConfigError, match="needs images or vectors"):
        Pixels(sentences()[1])


def test_fingerprint_is_of_the_shape() -> None:
    prints = {Pixels(vectors(np.zeros((1, 4), np.uint8), "image", s)[1]).fingerprint() for s in ((1, 2, 2), (1, 1, 4))}
    assert len(prints) == 2
    assert Pixels.costs_nothing
