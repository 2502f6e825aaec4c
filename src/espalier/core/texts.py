"""Texts that can be kept in a file."""

HALF = "of a pair like \\ud83d\\ude00 one is missing"


def is_whole(text: str) -> bool:
    """Whether a text can be written as UTF-8: no half of a character is in it (``\\ud83d``, or a stray byte)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
