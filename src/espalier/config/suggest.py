"""The right word for a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was most likely meant, or None: like in spelling, or what it abbreviates."""
    words = list(known)
    found = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return found[0] if found else next((w for w in words if word and w.startswith(word)), None)


def nearest_key(key: str, known: Sequence[str]) -> str | None:
    """The known dotted key that was most likely meant: a slip within the same node first, else the same last name."""
    parent, _, name = key.rpartition(".")
    siblings = {k.rpartition(".")[2]: k for k in known if k.rpartition(".")[0] == parent}
    if found := nearest(name, siblings):
        return siblings[found]
    if alike := difflib.get_close_matches(key, known, n=1, cutoff=0.85):
        return alike[0]
    if same := [k for k in known if k.rpartition(".")[2] == name]:
        return min(same, key=lambda k: (k.count("."), k))
    return nearest(key, (k for k in known if not key.startswith(f"{k}.")))


def listed(words: Iterable[str], most: int = 12) -> str:
    """``a, b, c …``"""
    all_words = list(words)
    return ", ".join(all_words[:most]) + (" …" if len(all_words) > most else "")
