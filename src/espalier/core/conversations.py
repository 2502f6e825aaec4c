"""Conversations as they stand in files: who said what, in turn."""

from __future__ import annotations

from typing import Any

from espalier.core.errors import DataError, Fault
from espalier.core.files import parse_json
from espalier.core.texts import halved, is_whole

Message = dict[str, str]
"""``role`` (``system``, ``user``, ``assistant``) and ``content``."""

USER, ASSISTANT = "user", "assistant"
_ROLES = ("system", USER, ASSISTANT)
_NAMES = (("role", "content"), ("from", "value"))  # the second as ShareGPT has them
_ALSO = {"human": USER, "gpt": ASSISTANT}
_REMEDY = 'Write a list of messages: [{"role": "user", "content": "…"}, …]'


def is_conversation(value: Any) -> bool:
    """Whether a value is a list of messages, by the first of them; also as JSON in a text."""
    if isinstance(value, str) and value.lstrip().startswith("[{"):
        try:
            value = parse_json(value)
        except ValueError:
            return False
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return False
    return any(role in value[0] and said in value[0] for role, said in _NAMES)


def messages_of(value: Any, name: str, where: str) -> list[Message]:
    """What was said, one message or more.

    Args:
        value: a list of objects with ``role`` and ``content`` (or ``from`` and ``value``); the same as JSON in a text;
            or another text, which is then what a user says.
        name: of the column, for people.
        where: of the row, for people: ``line 3 of a.jsonl``.

    Raises:
        DataError: it is none of these; a role that is none, or a message without a text.
    """
    if isinstance(value, str):
        if not value.lstrip().startswith("[{"):
            return [{"role": USER, "content": value}]
        try:
            value = parse_json(value)
        except ValueError as error:
            truth = f"begins as JSON does on {where}, and is none: {error}."
            raise DataError(Fault(name, truth, _REMEDY)) from None
    if not isinstance(value, list) or not value:
        truth = f"is no list of messages on {where}: {value!r:.60}."
        raise DataError(Fault(name, truth, _REMEDY))
    return [_message(one, name, f"message {number} on {where}") for number, one in enumerate(value, 1)]


def _message(one: Any, name: str, where: str) -> Message:
    if not isinstance(one, dict):
        raise DataError(Fault(name, f"has no object as {where}: {one!r:.60}.", _REMEDY))
    said, text = next(((one[a], one[b]) for a, b in _NAMES if a in one and b in one), (None, None))
    role = _ALSO.get(str(said), said)
    if role not in _ROLES:
        truth = f"has no message of a role that is known as {where}: {said!r}."
        raise DataError(Fault(name, truth, f"Roles are {', '.join(_ROLES)}."))
    if not isinstance(text, str) or not text.strip():
        raise DataError(Fault(name, f"has no text in {where}: {text!r:.60}.", "Fill it, or take the message out."))
    if not is_whole(text):
        raise halved(name, f"in {where}")
    return {"role": role, "content": text}
