from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from transformers import AutoTokenizer

from conf.defaults import defaults_of
from espalier.core.columns import Columns, Ragged
from espalier.core.errors import ConfigError, DataError
from espalier.core.facts import DataFacts, Kind
from espalier.model.encoding.chat import Chat
from model import checkpoints

ASKED: dict[str, Kind] = {"instruction": "text", "input": "aside", "answer": "target"}
SAID: dict[str, Kind] = {"messages": "messages", "answer": "target"}
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
STRICT = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    "{{ m.content }}{% endfor %}"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A llama without a template of its own, whose texts begin with a token."""
    return checkpoints.write(tmp_path_factory.mktemp("models"), "llama")


def chat(folder: Path, kinds: dict[str, Kind], max_length: int | None = None, **values: Any) -> Chat:
    facts = DataFacts(kinds, {}, {}, max_length=max_length)
    return Chat(facts, **defaults_of("model/encoding/chat", source=str(folder), revision="main", **values))


def with_template(folder: Path, template: str, to: Path, special: tuple[str, ...] = ()) -> Path:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"additional_special_tokens": list(special)})
    tokenizer.chat_template = template
    tokenizer.save_pretrained(to)
    (to / "config.json").write_text((folder / "config.json").read_text())
    (to / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    return to


def rows(columns: Columns, name: str = "text") -> list[list[int]]:
    column = columns[name]
    assert isinstance(column, Ragged)
    return [column[row].tolist() for row in range(len(column))]


def table(*pairs: tuple[str, str, str]) -> pa.Table:
    return pa.table(dict(zip(("instruction", "input", "answer"), map(list, zip(*pairs, strict=True)), strict=True)))


def test_the_stated_template_is_alpaca_s(folder: Path) -> None:
    encoding = chat(folder, ASKED)
    columns = encoding.apply(table(("Add.", "1 2", "3"), ("Hi", " ", "Yo")))
    begin, end = "<|begin_of_text|>", "<|end_of_text|>"
    first, second = (encoding.tokenizer.decode(ids) for ids in rows(columns))
    assert first == f"{begin}### Instruction:\nAdd.\n\n1 2\n\n### Response:\n3{end}"
    assert second == f"{begin}### Instruction:\nHi\n\n### Response:\nYo{end}"
    assert not encoding.own and encoding.ends == (encoding.tokenizer.eos_token_id,)


def test_answers_alone_are_marked_and_their_number_is_told(folder: Path) -> None:
    encoding = chat(folder, ASKED)
    columns = encoding.apply(table(("Add.", "", "3"), ("Hi", "", "a longer answer")))
    told = [
        encoding.tokenizer.decode([i for i, m in zip(ids, marks, strict=True) if m])
        for ids, marks in zip(rows(columns), rows(columns, "text:answer"), strict=True)
    ]
    assert told == ["3<|end_of_text|>", "a longer answer<|end_of_text|>"]
    marked = sum(map(sum, rows(columns, "text:answer")))
    np.testing.assert_allclose(columns["expected"], [marked / 2] * 2)


def test_what_is_asked_has_the_same_tokens_with_and_without_its_answer(folder: Path) -> None:
    encoding = chat(folder, ASKED)
    whole, asked = (
        encoding.apply(table(("Add.", "1", " 3"))),
        encoding.apply(pa.table({"instruction": ["Add."], "input": ["1"]})),
    )
    (ids,), (marks,), (alone,) = rows(whole), rows(whole, "text:answer"), rows(asked)
    assert ids[: marks.index(1)] == alone and "text:answer" not in asked


def test_all_answers_of_a_conversation_are_learned(folder: Path) -> None:
    encoding = chat(folder, SAID)
    said = [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": "So."}, {"role": "user", "content": "And?"},
    ]  # fmt: skip
    columns = encoding.apply(pa.table({"messages": [said], "answer": ["No."]}))
    (ids,), (marks,) = rows(columns), rows(columns, "text:answer")
    assert (
        encoding.tokenizer.decode([i for i, m in zip(ids, marks, strict=True) if m])
        == "So.<|end_of_text|>No.<|end_of_text|>"
    )
    (asked,) = rows(encoding.apply(pa.table({"messages": [[*said, {"role": "assistant", "content": "No."}]]})))
    assert encoding.tokenizer.decode(asked).endswith("And?\n\n### Response:\n")


def test_the_tokenizer_s_own_template_is_taken_where_it_has_one(folder: Path, tmp_path: Path) -> None:
    own = with_template(folder, CHATML, tmp_path, ("<|im_start|>", "<|im_end|>"))
    encoding = chat(own, ASKED)
    (ids,) = rows(encoding.apply(table(("Hi", "", "Yo"))))
    wanted = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nYo<|im_end|>\n"
    assert encoding.own and encoding.tokenizer.decode(ids) == wanted
    assert encoding.tokenizer.convert_ids_to_tokens(list(encoding.ends)) == ["<|end_of_text|>", "<|im_end|>"]
    assert chat(own, ASKED, prefer_own=False).fingerprint() != encoding.fingerprint()


def test_what_a_template_refuses_is_told(folder: Path, tmp_path: Path) -> None:
    strict = with_template(folder, STRICT, tmp_path / "a")
    said = [{"role": "system", "content": "x"}, {"role": "user", "content": "y"}]
    with pytest.raises(DataError, match=r"refuses a conversation of system, user: no system"):
        chat(strict, SAID).apply(pa.table({"messages": [said], "answer": ["z"]}))
    with pytest.raises(ConfigError, match=r"model.encoding.template .*cannot write a question"):
        chat(folder, SAID, template="{% for m in messages %}")
    turned = "{% for m in messages|reverse %}{{ m.content }}{% endfor %}"
    with pytest.raises(ConfigError, match="otherwise once it is answered"):
        chat(folder, SAID, template=turned)


def test_long_ones_lose_their_end_in_training_and_their_beginning_when_asked(folder: Path) -> None:
    encoding = chat(folder, ASKED, max_length=12)
    columns = encoding.apply(table(("Hi", "", "Yo " * 30)))
    (ids,), (asked,) = rows(columns), rows(encoding.apply(pa.table({"instruction": ["Hi"]})))
    whole = chat(folder, ASKED)
    assert (
        ids == rows(whole.apply(table(("Hi", "", "Yo " * 30))))[0][:12] and len(rows(columns, "text:answer")[0]) == 12
    )
    assert asked == rows(whole.apply(pa.table({"instruction": ["Hi"]})))[0][-12:]
    assert columns["truncated"].tolist() == [True] and columns["length"][0] > 12  # type: ignore[union-attr]


def test_running_text_becomes_blocks_of_whole_documents(folder: Path) -> None:
    encoding = chat(folder, {"text": "text", "document": "id"}, max_length=8)
    texts, document = ["The cat sat, ", "quietly.\n", "A dog."], np.array([0, 0, 1])
    columns = encoding.apply(pa.table({"text": texts, "document": document}))
    begin, end = encoding.tokenizer.bos_token_id, encoding.tokenizer.eos_token_id
    ids = [encoding.tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    wanted = [[begin, *ids[0], *ids[1], end], [begin, *ids[2], end]]
    blocks, found = rows(columns), [[], []]  # type: ignore[var-annotated]
    of = document[columns["taken"]]  # type: ignore[call-overload]
    for block, which in zip(blocks, of, strict=True):
        assert len(block) <= 9
        found[which] += block if not found[which] else block[1:]
    assert found == wanted


def test_single_texts_are_the_tokenizer_s_and_keep_their_end(folder: Path) -> None:
    encoding = chat(folder, {"text": "text"}, max_length=5)
    text = "The cat sat, quietly."
    whole = encoding.tokenizer(text)["input_ids"]
    assert rows(encoding.apply(pa.table({"text": [text]}))) == [whole[-5:]]
    assert rows(chat(folder, {"text": "text"}, 5, keep="start").apply(pa.table({"text": [text]}))) == [whole[:5]]


def test_it_is_saved_with_its_template(folder: Path, tmp_path: Path) -> None:
    encoding = chat(folder, ASKED)
    encoding.save(tmp_path)
    other = AutoTokenizer.from_pretrained(tmp_path)
    asked = other.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False, add_generation_prompt=True)
    (ids,) = rows(encoding.apply(pa.table({"instruction": ["Hi"]})))
    assert other(asked, add_special_tokens=False)["input_ids"] == ids


def test_rows_of_two_texts_are_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"reads one text a row, and this data has text, text_pair. Set  model=hub"):
        chat(folder, {"text": "text", "text_pair": "text", "label": "label"})
