"""How much is generated, and what is generated for several rooms.

    pytest tests/fuzz                                           the short form: some seconds, the same inputs always
    FUZZ=long pytest tests/fuzz --hypothesis-show-statistics    the long form: new inputs each time, with their counts

An input that broke something in the long form is kept in ``.hypothesis`` and tried first the next time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

IS_LONG = os.environ.get("FUZZ") == "long"


def effort(short: int, long: int) -> Callable[[Any], Any]:
    """A decorator: so many inputs in the short form and in the long one."""
    return settings(
        max_examples=long if IS_LONG else short,
        derandomize=not IS_LONG,
        database=None if not IS_LONG else settings.default.database,
        deadline=None,
        print_blob=IS_LONG,
        suppress_health_check=list(HealthCheck),
    )


ANY = st.text(st.characters(codec="utf-8") | st.sampled_from("\ud83d\udcff\udfff"), max_size=40)
"""Any text that may come by ``sys.argv``: bytes that are no UTF-8 stand in it as lone surrogates."""

WHOLE = st.text(st.characters(codec="utf-8"), max_size=40)
"""Any text that can be written as UTF-8: NUL, line ends of all kinds and marks of direction included."""

GRAMMAR = st.text(st.sampled_from("abz019_.,:;=+-~/@$%&|^#!?*()[]{}<>'\"\\ \t\n\0é中🙂"), max_size=30)
"""What Hydra's grammar, YAML, csv and shells read in their own ways."""


def trees(names: st.SearchStrategy[str] = WHOLE) -> st.SearchStrategy[Any]:
    """Plain values, nested; ``names`` are the keys of mappings."""
    return st.recursive(
        st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | WHOLE,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
        max_leaves=8,
    )
