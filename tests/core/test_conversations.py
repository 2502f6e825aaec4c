from __future__ import annotations

import json
from typing import Any

import pytest

from espalier.core.conversations import is_conversation, messages_of
from espalier.core.errors import DataError

SAID = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]


@pytest.mark.parametrize(
    "value",
    [
        SAID,
        json.dumps(SAID),
        [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "So."}],
        [{"content": "Why?", "role": "user", "name": "x"}, {"role": "assistant", "content": "So.", "from": None}],
    ],
)
def test_messages_are_read_however_they_stand(value: Any) -> None:
    assert messages_of(value, "m", "line 1") == SAID


def test_a_text_is_what_a_user_says() -> None:
    assert messages_of("[1] Why?", "m", "line 1") == [{"role": "user", "content": "[1] Why?"}]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "is no list of messages on line 3"),
        (3, "is no list of messages on line 3"),
        ('[{"role": ', "begins as JSON does on line 3"),
        (["Why?"], "has no object as message 1 on line 3"),
        ([SAID[0], {"role": "tool", "content": "x"}], "role that is known as message 2 on line 3: 'tool'"),
        ([{"content": "x"}], "role that is known as message 1"),
        ([{"role": "user", "content": " "}], "has no text in message 1"),
        ('[{"role": "user", "content": "so \\ud83d"}]', "has half a character in message 1 on line 3"),
        ([{"role": "user", "content": [{"type": "image"}]}], "has no text in message 1"),
    ],
)
def test_what_is_none_is_refused_with_its_place(value: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        messages_of(value, "m", "line 3")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (SAID, True), (json.dumps(SAID), True), ([{"from": "human", "value": "Why?"}], True),
        ([{"role": "user"}], False), (["user"], False), ([], False), ("Why?", False), ("[{", False), (None, False),
    ],
)  # fmt: skip
def test_conversations_are_known_by_their_first_message(value: Any, told: bool) -> None:
    assert is_conversation(value) is told
