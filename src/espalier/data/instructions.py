"""``data=instructions``: your own instructions, or conversations, and their answers."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Unpack

from espalier.core.bounds import ColumnsOf, Keys
from espalier.data.common import Common
from espalier.data.conversations import ConversationData
from espalier.data.paths import Files, Paths, files_of


class Instructions(ConversationData):
    """Tables of instructions and answers, or of whole conversations, for a model that learns to answer.

    ``espalier train data=instructions data.path=my.jsonl model=causal_lm model.source=ORG/NAME``

    Args:
        path: a file, a list of files, or a pattern; validation and test rows are cut from them where they have no
            files of their own. See ``data.conversations.read_conversations`` for what may be read.
        columns, encoding, delimiter, slices, on_null, packing: see ``data.conversations.ConversationData``.

    Raises:
        DataError: when read; see ``data.conversations.read_conversations``.
    """

    format: ClassVar[str] = "any"

    def __init__(
        self,
        *,
        path: Paths,
        validation_path: Paths | None,
        test_path: Paths | None,
        columns: Annotated[
            dict[str, str | None], Keys(("instruction", "input", "answer", "messages")), ColumnsOf("path")
        ],
        encoding: str,
        delimiter: str | None,
        slices: Annotated[list[str], ColumnsOf("path")],
        on_null: Literal["error", "drop"],
        packing: bool,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(
            columns=columns, encoding=encoding, delimiter=delimiter, slices=slices, on_null=on_null, packing=packing,
            **common,
        )  # fmt: skip
        self.paths = {"train": path, "validation": validation_path, "test": test_path}

    def files(self) -> tuple[Files, str]:
        """As the paths say."""
        return files_of(self.paths)
