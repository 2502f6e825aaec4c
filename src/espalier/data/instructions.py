"""``data=instructions``: your own instructions, or conversations, and their answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Unpack

from espalier.core.bounds import ColumnsOf, Keys
from espalier.core.errors import DataError, Fault
from espalier.core.globs import expand
from espalier.data.common import Common
from espalier.data.conversations import ConversationData, Files
from espalier.data.files import Paths


class Instructions(ConversationData):
    """Tables of instructions and answers, or of whole conversations, for a model that learns to answer.

    ``espalier train data=instructions data.path=my.jsonl model=causal_lm model.source=ORG/NAME``

    Args:
        path: a file, a list of files, or a pattern; validation and test rows are cut from them where they have no
            files of their own. See ``data.conversations.read_conversations`` for what may be read.
        columns, slices, on_null, packing: see ``data.conversations.ConversationData``.

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
        slices: Annotated[list[str], ColumnsOf("path")],
        on_null: Literal["error", "drop"],
        packing: bool,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(columns=columns, slices=slices, on_null=on_null, packing=packing, **common)
        self.paths = {"path": path, "validation_path": validation_path, "test_path": test_path}

    def files(self) -> tuple[Files, str]:
        """As the paths say."""
        found: dict[str, list[Path]] = {}
        for key, paths in self.paths.items():
            if paths is None:
                continue
            split = key.removesuffix("_path") if key != "path" else "train"
            found[split] = expand(paths)
            if not found[split]:
                raise DataError(Fault(f"data.{key}={paths}", f"matches no file (looked from {Path.cwd()})."))
        first, *others = found["train"]
        return found, f"{first} and {len(others)} more" if others else str(first)
