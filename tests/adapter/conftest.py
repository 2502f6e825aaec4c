"""Tiny pretrained models for the tests of adapters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapter.tiny import Tiny, tiny_models


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    """See ``adapter.tiny.tiny_models``."""
    with tiny_models(tmp_path_factory.mktemp("models")) as make:
        yield make
