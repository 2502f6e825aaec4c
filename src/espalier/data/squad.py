"""``data=squad``: your own questions about texts, with their answers, in SQuAD's layout, JSON lines or parquet."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Unpack

from annotated_types import Ge

from espalier.core.bounds import Keys
from espalier.data.answered import AnsweredData
from espalier.data.common import Common
from espalier.data.paths import Files, Paths, files_of


class Squad(AnsweredData):
    """Rows of a context, a question, and answers, which are spans of the context; none where it does not answer.

    ``espalier train data=squad data.path=train-v2.0.json data.validation_path=dev-v2.0.json model=minilm``

    Args:
        path: a file, a list of files, or a pattern; validation and test rows are cut from them where they have no
            files of their own, all questions about a context into one split. What a file's ending says of it, and how
            answers may be written: see ``data.answered.read_answered``.
        columns: role -> column.
        overlap: tokens that a window of a long context shares with the one before it.
        slices: columns by which results are told apart.
        on_null: what to do with rows without a question or a context; ``drop`` counts them.

    Raises:
        DataError: when read; see ``data.answered.read_answered``.
    """

    together: ClassVar[str | None] = "context"

    def __init__(
        self,
        *,
        path: Paths,
        validation_path: Paths | None,
        test_path: Paths | None,
        columns: Annotated[dict[str, str], Keys(("context", "question", "answers"))],
        overlap: Annotated[int, Ge(0)],
        slices: list[str],
        on_null: Literal["error", "drop"],
        **common: Unpack[Common],
    ) -> None:
        super().__init__(columns=columns, overlap=overlap, slices=slices, on_null=on_null, **common)
        self.paths = {"train": path, "validation": validation_path, "test": test_path}

    def files(self) -> tuple[Files, str]:
        """As the paths say."""
        return files_of(self.paths)
