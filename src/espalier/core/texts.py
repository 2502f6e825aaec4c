"""Texts that can be kept in a file."""


def is_whole(text: str) -> bool:
    """Whether a text can be written as UTF-8: it has no half of a character (``\\ud83d`` of a pair, or a stray byte)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
