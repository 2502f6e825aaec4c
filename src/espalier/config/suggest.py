"""The right word for a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

_ALIKE = 0.65  # "none" is not "cosine", "bayes" not "cmaes"
_VAGUE = ("name",)  # what means something else in each node


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was most likely meant, or None: the same but for case, what it begins, like in spelling."""
    words = list(known)
    if word in words:
        return word
    whole = {known_word.lower(): known_word for known_word in reversed(words)}
    typed, in_order = word.lower(), list(reversed(whole))
    if typed in whole:
        return whole[typed]
    begun = [known_word for known_word in in_order if len(typed) > 1 and known_word.startswith(typed)]
    found = begun or difflib.get_close_matches(typed, in_order, n=1, cutoff=_ALIKE)
    return whole[found[0]] if found else None


def nearest_keys(key: str, known: Sequence[str]) -> list[str]:
    """Known dotted keys that may have been meant: the same name elsewhere, else a slip in the name or the node."""
    parent, _, name = key.rpartition(".")
    siblings = {k.rpartition(".")[2]: k for k in known if k.rpartition(".")[0] == parent}
    if same := [k for n, k in siblings.items() if n.lower() == name.lower()]:
        return same
    if alike := difflib.get_close_matches(key, known, n=1, cutoff=0.85) if parent else []:
        return alike
    if same := [k for k in known if k.rpartition(".")[2].lower() == name.lower() and name not in _VAGUE]:
        return sorted(same, key=lambda k: (k.count("."), k))[:3]
    if found := nearest(name, siblings):
        return [siblings[found]]
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
