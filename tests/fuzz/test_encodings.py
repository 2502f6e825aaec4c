"""Text encodings: any text gives ids of the vocabulary, within the limit, the same each time and beside others."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from conf.defaults import defaults_of
from espalier.core.chunks import Records
from espalier.core.columns import Ragged
from espalier.core.errors import DataError
from espalier.core.facts import Counts, DataFacts, Raw
from espalier.model.encoding.ngrams import Ngrams
from espalier.model.encoding.pretrained import Pretrained
from espalier.model.encoding.texts import encode_texts
from espalier.model.encoding.words import Words
from espalier.run.given import rows_of
from fuzz.effort import ANY, WHOLE, effort

LIMIT = 16
TEXTS = st.lists(
    WHOLE | st.builds(lambda text, times: text * times, WHOLE, st.integers(1, 200)), min_size=1, max_size=5
)
CELLS = st.none() | st.booleans() | st.integers() | st.floats() | WHOLE | ANY | st.lists(st.integers(), max_size=2)
SHORT = st.text(st.sampled_from("ab .é中🙂\0"), max_size=30)
LONG = [
    "a" * 100_000,
    "é" * 100_000,
    "a " * 50_000,
    "\0" * 100_000,
    "🙂" * 30_000,
    "中" * 50_000,
    "\u0301" * 100_000,
    "." * 100_000,
]
MINILM = defaults_of("model/minilm")
NAMES = ("words", "ngrams", "minilm")


def facts(*, pair: bool) -> DataFacts:
    kinds: dict[str, Any] = {"text": "text", **({"text_pair": "text"} if pair else {}), "label": "label"}
    return DataFacts(kinds, {"": ("a", "b")}, {"train": 4}, max_length=LIMIT)


def table(texts: list[str], *, pair: bool) -> pa.Table:
    second = {"text_pair": texts[::-1]} if pair else {}
    return pa.table({"text": pa.array(texts, pa.string()), **second, "label": [0] * len(texts)})


def made(name: str, *, pair: bool) -> Any:
    if name == "minilm":
        return Pretrained(facts(pair=pair), source=MINILM["source"], revision=MINILM["revision"])
    if name == "ngrams":
        return Ngrams(facts(pair=pair), buckets=97, longest=3, lowercase=True)
    words = Words(facts(pair=pair), vocab_size=50, min_frequency=1, lowercase=True)
    train = table(["a b c", "größe 星 🙂 !", "\0 \u2028 x"], pair=pair)
    words.fit(Raw({"train": train}, facts(pair=pair).kinds, {"": ("a", "b")}, {"train": Counts(3, 3)}, "", ""))
    return words


@pytest.fixture(scope="module")
def encodings() -> dict[tuple[str, bool], Any]:
    return {(name, pair): made(name, pair=pair) for name in NAMES for pair in (False, True)}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pair", [False, True])
@effort(50, 4_000)
@given(TEXTS)
@example(["", " ", "\0", "\u2028"])
def test_any_texts_become_ids(encodings: dict[tuple[str, bool], Any], name: str, pair: bool, texts: list[str]) -> None:
    encoding = encodings[name, pair]
    require_ids(encoding, texts, pair=pair)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", LONG, ids=[f"{text[:1]!a}" for text in LONG])
def test_a_hundred_thousand_characters_become_ids(encodings: dict[tuple[str, bool], Any], name: str, text: str) -> None:
    require_ids(encodings[name, False], [text], pair=False)


@pytest.mark.parametrize("name", NAMES)
def test_a_pair_of_long_texts_takes_no_longer_than_both(encodings: dict[tuple[str, bool], Any], name: str) -> None:
    began = time.perf_counter()
    require_ids(encodings[name, True], ["a " * 50_000, "b " * 40_000], pair=True)
    assert time.perf_counter() - began < 20, "each piece that is cut off was made with each"


@pytest.mark.parametrize("name", ["words", "minilm"])
@effort(50, 4_000)
@given(SHORT, SHORT, st.integers(4, 20))
def test_a_pair_is_cut_as_the_tokenizer_cuts(
    encodings: dict[tuple[str, bool], Any], name: str, first: str, second: str, limit: int
) -> None:
    encoding = encodings[name, True]
    own = Tokenizer.from_str(getattr(encoding, "backend", encoding.tokenizer).to_str())
    own.enable_truncation(limit)
    ours = encode_texts(
        getattr(encoding, "backend", encoding.tokenizer),
        table([first, second], pair=True),
        ["text"],
        limit,
        second="text_pair",
    )
    assert ours["text"][0].tolist() == own.encode(first, second).ids


@pytest.mark.parametrize("name", ["words", "ngrams"])
@effort(20, 2_000)
@given(TEXTS)
def test_an_encoding_that_was_kept_says_the_same(
    encodings: dict[tuple[str, bool], Any], name: str, tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("encoding")
    encodings[name, False].save(folder)
    again = made(name, pair=False)
    again.load(folder)
    require_same(encodings[name, False].apply(table(texts, pair=False)), again.apply(table(texts, pair=False)))


@effort(100, 20_000)
@given(st.lists(CELLS, min_size=1, max_size=6), st.sampled_from(["error", "skip"]))
def test_any_cells_to_predict_are_texts_or_refused(cells: list[Any], on_empty: Any) -> None:
    rows = [{"größe": cell} for cell in cells]
    chunk = Records(("größe",), rows, range(1, len(rows) + 1))
    try:
        found, empty = rows_of(chunk, facts(pair=False), {"text": "größe"}, on_empty)
    except DataError as error:
        assert all(fault.truth for fault in error.faults)
        return
    assert found.num_rows + int(empty.sum()) == len(cells)
    assert on_empty == "skip" or not empty.any()
    assert all(text.strip() for text in found["text"].to_pylist())


def require_ids(encoding: Any, texts: list[str], *, pair: bool) -> None:
    encoded = encoding.apply(table(texts, pair=pair))
    ids: Ragged = encoded["text"]
    assert len(ids) == len(texts) == len(encoded["length"]) == len(encoded["truncated"])
    assert ids.lengths.min() > 0, "each row has something to look at"
    known = encoding.facts()
    assert ids.values.min() >= 0 and ids.values.max() < known["vocab_size"]
    if isinstance(encoding, Ngrams):
        assert ids.lengths.max() <= 3 * LIMIT
    else:
        assert ids.lengths.max() <= LIMIT
    assert ((encoded["length"] > LIMIT) == encoded["truncated"]).all()
    require_same(encoded, encoding.apply(table(texts, pair=pair)))
    if not pair:
        (first,) = texts[:1]
        assert (encoding.apply(table([first], pair=False))["text"][0] == ids[0]).all(), "whatever stands beside it"


def require_same(left: Any, right: Any) -> None:
    assert np.array_equal(left["text"].values, right["text"].values)
    assert np.array_equal(left["text"].offsets, right["text"].offsets)
    assert np.array_equal(left["length"], right["length"])
