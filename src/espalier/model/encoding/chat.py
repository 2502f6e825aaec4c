"""``model/encoding=chat``: a causal model's tokenizer, for conversations and answers, and for texts to go on with."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from jinja2 import TemplateError

from espalier.core.columns import BESIDE, DOCUMENT, Columns, Ragged
from espalier.core.conversations import ASSISTANT, USER, Message
from espalier.core.errors import ConfigError, DataError, Fault
from espalier.core.facts import DataFacts, Raw
from espalier.model.encoding.behind import Behind
from espalier.model.encoding.blocks import blocks_of
from espalier.model.encoding.pretrained import read_tokenizer
from espalier.model.encoding.texts import in_parts, packed, text_roles
from espalier.model.source import locate

ROLE, ANSWER = "text", f"text{BESIDE}answer"
_MARK = "7f3a9c"
_TRIED: tuple[Message, ...] = ({"role": USER, "content": "a"}, {"role": ASSISTANT, "content": _MARK})


class Chat:
    """A fast tokenizer from a model's folder; learns nothing.

    **Conversations** (``messages``, or an ``instruction`` with an ``input``; and the ``answer``, a target) are written
    by a chat template, and become one column, ``text``. Beside it stands ``text:answer``, 1 for each token of an answer
    and of what the template puts behind it, 0 for what is only read. What comes before an answer has the tokens that
    it has where the model is asked for one: the two are never one token.

    **Texts** begin with what the tokenizer begins each text with. Rows that have a ``document`` are running text: those
    of one document make up blocks of ``data.max_length + 1`` tokens, each beginning with the last one of the block
    before it; a document ends with the tokenizer's end of text, where it has one.

    Args:
        source: hub id or folder, as the model's.
        revision: the hub's commit, where the hub is asked.
        template: Jinja of the ``messages``, as transformers' chat templates are.
        prefer_own: whether the tokenizer's own template is taken, where it has one.
        keep: which end of a single text stays that is longer than ``data.max_length``. Of a conversation the beginning
            stays where its answer is learned, and the end where it is asked for.

    Attributes:
        tokenizer: transformers' own, with the template that is used.
        ends: ids behind which an answer, or a text, is at its end.

    Raises:
        ConfigError: the tokenizer cannot be read; the template is none, or writes a conversation otherwise once it is
            answered; rows have two texts.
    """

    reads: ClassVar[tuple[str, ...]] = ("text", "messages")

    def __init__(
        self, facts: DataFacts, /, *, source: str, revision: str, template: str, prefer_own: bool,
        keep: Literal["start", "end"],
    ) -> None:  # fmt: skip
        self.data, self.max_length, self.keep = facts, facts.max_length, keep
        self.tokenizer = read_tokenizer(locate(source, revision).folder, source)
        self.backend = self.tokenizer.backend_tokenizer
        self.backend.no_truncation()
        self.backend.no_padding()
        self.own = prefer_own and bool(self.tokenizer.chat_template)
        if not self.own:
            self.tokenizer.chat_template = template
        self.chats = "target" in facts.kinds.values() or "messages" in facts.kinds.values()
        self.role = ROLE if self.chats else _only(text_roles(facts, "chat"))
        self.ends = tuple(self._ends())

    def fit(self, raw: Raw, /) -> None:
        """Nothing: the vocabulary came with the weights."""

    def apply(self, table: pa.Table, /) -> Columns:
        """Ids of each row, which of them are of answers, how many there were, and whether the row was cut.

        Where answers are learned, ``expected`` (rows,) float32 is how many tokens of them a row of this table has, on
        the mean.
        """
        if self.chats:
            return self._conversations(table)
        texts = table[self.role].to_pylist()
        if DOCUMENT in table.column_names and self.max_length is not None:
            document = table[DOCUMENT].to_numpy()
            blocks, taken = blocks_of(self._running(texts, document), document, self.max_length + 1)
            return {self.role: blocks, "taken": taken}
        rows = [packed(encoded.ids) for encoded in in_parts(self.backend.encode_batch_fast, texts)]
        empty = packed([self.tokenizer.eos_token_id or self.tokenizer.pad_token_id])
        return self._limited([row or empty for row in rows], self.keep)

    def decode(self, ids: Sequence[int], /) -> str:
        """The text of some ids, without special ones."""
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        return text

    def facts(self) -> Mapping[str, Any]:
        """The size of the vocabulary and what pads."""
        return {"vocab_size": len(self.tokenizer), "pad": {self.role: self.tokenizer.pad_token_id, ANSWER: 0}}

    def fingerprint(self) -> str:
        """Of the tokenizer's file content, the template and the length limit."""
        told = (self.tokenizer.chat_template, self.tokenizer.special_tokens_map, self.max_length, self.keep, self.role)
        return hashlib.sha256(f"{self.backend.to_str()}{told}".encode()).hexdigest()

    def save(self, folder: Path, /) -> None:
        """As ``AutoTokenizer.from_pretrained`` loads it, with the template."""
        self.tokenizer.save_pretrained(folder)

    def load(self, folder: Path, /) -> None:
        """Nothing: it comes from where the weights come from."""

    def segments(self, messages: Sequence[Message], /) -> Iterator[tuple[str, bool]]:
        """A conversation in pieces that, together, are what the template writes; and which of them are answers'.

        Raises:
            DataError: the template refuses it.
        """
        written = ""
        for place, message in enumerate(messages):
            if message["role"] != ASSISTANT:
                continue
            asked, answered = self._written(messages[:place], asks=True), self._written(messages[: place + 1])
            if not asked.startswith(written) or not answered.startswith(asked):
                truth = "writes what was said otherwise once it is answered: it leaves open what the answer is."
                raise DataError(Fault("the chat template", truth, "Set  model.encoding.prefer_own=false"))
            yield asked[len(written) :], False
            yield answered[len(asked) :], True
            written = answered
        if not messages or messages[-1]["role"] != ASSISTANT:
            asked = self._written(messages, asks=True)
            yield asked[len(written) :] if asked.startswith(written) else asked, False

    def _conversations(self, table: pa.Table) -> Columns:
        rows = [[*self.segments(messages)] for messages in self._messages(table)]
        pieces = [text for row in rows for text, _ in row]
        ids = iter(Behind(self.backend)(pieces, [place == 0 for row in rows for place, _ in enumerate(row)]))
        told = [[(next(ids), answer) for _, answer in row] for row in rows]
        joined = [packed(token for some, _ in row for token in some) for row in told]
        if not (learns := "answer" in table.column_names):
            return self._limited(joined, "end")
        marks = [packed(int(answer) for some, answer in row for _ in some) for row in told]
        columns = dict(self._limited(joined, "start"))
        answer = Ragged.of([row[: self.max_length] for row in marks])
        expected = float(answer.values.sum()) / max(1, len(rows)) if learns else 0.0
        return {**columns, ANSWER: answer, "expected": np.full(len(rows), max(expected, 1e-6), np.float32)}

    def _messages(self, table: pa.Table) -> Iterator[list[Message]]:
        """Of each row all that was said, with its answer where there is one."""
        answers = table["answer"].to_pylist() if "answer" in table.column_names else [None] * table.num_rows
        if "messages" in table.column_names:
            asked = table["messages"].to_pylist()
        else:
            inputs = table["input"].to_pylist() if "input" in table.column_names else [""] * table.num_rows
            pairs = zip(table["instruction"].to_pylist(), inputs, strict=True)
            asked = [[{"role": USER, "content": f"{text}\n\n{more}" if more.strip() else text}] for text, more in pairs]
        for said, answer in zip(asked, answers, strict=True):
            if answer is not None:
                yield [*said, {"role": ASSISTANT, "content": answer}]
            else:  # what is asked for is not looked at
                yield said[:-1] if len(said) > 1 and said[-1]["role"] == ASSISTANT else said

    def _written(self, messages: Sequence[Message], *, asks: bool = False) -> str:
        try:
            text: str = self.tokenizer.apply_chat_template(
                [dict(message) for message in messages], tokenize=False, add_generation_prompt=asks
            )
        except TemplateError as error:
            said = " ".join(str(error).split()).rstrip(".")
            roles = ", ".join(message["role"] for message in messages)
            truth = f"refuses a conversation of {roles}: {said}."
            raise DataError(Fault("the chat template", truth, "Set  model.encoding.prefer_own=false")) from None
        return text

    def _ends(self) -> list[int]:
        """The end of text, and the special token that the template puts behind an answer."""
        ends = [self.tokenizer.eos_token_id] if self.tokenizer.eos_token_id is not None else []
        if self.chats:
            try:
                (_, _), (answer, _) = self.segments(_TRIED)
            except (DataError, ValueError) as error:
                truth = f"cannot write a question and its answer: {error}."
                raise ConfigError(Fault("model.encoding.template", truth, "Mend it.")) from error
            behind = self.backend.encode(answer.rpartition(_MARK)[2], add_special_tokens=False).ids
            special = self.tokenizer.all_special_ids + list(self.tokenizer.added_tokens_decoder)
            ends += [token for token in behind[:1] if token in special and token not in ends]
        return ends

    def _running(self, texts: Sequence[str], document: Any) -> list[array[int]]:
        """Passages as ids; a document's first begins as a text does, its last ends as one."""
        changes = np.flatnonzero(np.diff(document)) + 1
        begins = {0, *changes.tolist()}
        rows = Behind(self.backend)(texts, [place in begins for place in range(len(texts))])
        tried, end = self.backend.encode("a"), [self.tokenizer.eos_token_id]
        begin = tried.ids[: tried.special_tokens_mask.index(0)]
        for first in [0, *changes] if rows else []:
            rows[first] = packed([*begin, *rows[first]])
        for last in [*(changes - 1), len(rows) - 1] if rows and end != [None] else []:
            rows[last] = packed([*rows[last], *end])
        return rows

    def _limited(self, rows: Sequence[Sequence[int]], keep: Literal["start", "end"]) -> Columns:
        lengths = np.fromiter(map(len, rows), np.int32, len(rows))
        most = self.max_length
        cut = [row if most is None else row[:most] if keep == "start" else row[-most:] for row in rows]
        return {self.role: Ragged.of(cut), "length": lengths, "truncated": lengths > (most or np.inf)}


def _only(roles: Sequence[str]) -> str:
    if len(roles) != 1:
        truth = f"reads one text a row, and this data has {', '.join(roles) or 'words with tags'}."
        raise ConfigError(Fault("model/encoding=chat", truth, "Set  model=hub  with the same model.source"))
    return roles[0]
