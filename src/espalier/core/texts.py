"""Texts that can be kept in a file."""

from __future__ import annotations

from espalier.core.errors import DataError, Fault


def is_whole(text: str) -> bool:
    """Whether a text can be written as UTF-8: no half of a character is in it (``\\ud83d``, or a stray byte)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def halved(what: str, where: str = "") -> DataError:
    """What to say of data with a text that is not whole; ``where`` in them: ``in question 3``."""
    truth = f"has half a character{where and f' {where}'}: of a pair like \\ud83d\\ude00 one is missing."
    return DataError(Fault(what, truth, "Take it out, or export the file again."))
