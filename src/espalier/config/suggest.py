"""The right word for a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was most likely meant, or None: like in spelling, or what it abbreviates."""
    words = list(known)
    found = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return found[0] if found else next((w for w in words if len(word) > 1 and w.startswith(word)), None)


def nearest_keys(key: str, known: Sequence[str]) -> list[str]:
    """Known dotted keys that may have been meant: a slip in the name or the node, else the same name elsewhere."""
    parent, _, name = key.rpartition(".")
    siblings = {k.rpartition(".")[2]: k for k in known if k.rpartition(".")[0] == parent}
    if found := nearest(name, siblings):
        return [siblings[found]]
    if alike := difflib.get_close_matches(key, known, n=1, cutoff=0.85):
        return alike
    if same := [k for k in known if k.rpartition(".")[2] == name]:
        return sorted(same, key=lambda k: (k.count("."), k))[:3]
    names = {k.rpartition(".")[2]: k for k in known if k.count(".") <= max(1, key.count("."))}
    return [names[n] for n in difflib.get_close_matches(name, names, n=1, cutoff=0.79)] if not parent else []


def asked(words: Iterable[str]) -> str:
    """``Did you mean  a or b ?``; nothing for no words."""
    said = " or ".join(words)
    return f"Did you mean  {said} ?" if said else ""


def listed(words: Iterable[str], most: int = 12) -> str:
    """``a, b, c …``"""
    all_words = list(words)
    return ", ".join(all_words[:most]) + (" …" if len(all_words) > most else "")
