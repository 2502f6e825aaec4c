"""Files of questions in one JSON value: SQuAD's own layout, or a list of rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from espalier.core.errors import DataError, Fault
from espalier.core.files import parse_json
from espalier.core.formats import read_bytes
from espalier.core.jsonl import Records
from espalier.core.texts import halved, is_whole

_REMEDY = 'Give SQuAD\'s layout, {"data": [{"paragraphs": […]}]}, a list of objects, or JSON lines (.jsonl).'


def read_squad(path: Path) -> Records:
    """The questions of a file; ``numbers`` count them from 1.

    Of SQuAD's layout (Rajpurkar et al. 2018, arXiv:1806.03822) each has ``id``, ``title``, ``context``, ``question``
    and ``answers``, a list of ``text`` and ``answer_start``, empty where it ``is_impossible``. Other rows, a list or
    what stands under ``data``, have their own keys.

    Raises:
        DataError: not there, no JSON, another layout, no question.
    """
    try:
        whole = parse_json(read_bytes(path).decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(Fault(str(path), f"is not UTF-8: {error.reason}.", "Convert the file (iconv).")) from None
    except ValueError as error:
        raise DataError(Fault(str(path), f"is no JSON value: {error}.", _REMEDY)) from None
    listed = whole.get("data") if isinstance(whole, Mapping) else whole
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise DataError(Fault(str(path), "holds no list of questions.", _REMEDY))
    nested = any("paragraphs" in one for one in listed)
    try:
        rows = list(_questions(listed)) if nested else [dict(one) for one in listed]
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(
            Fault(str(path), f"is not of SQuAD's layout: {type(error).__name__}: {error}.", _REMEDY)
        ) from None
    for number, row in enumerate(rows, 1):
        if not is_whole(json.dumps(row, ensure_ascii=False)):
            raise halved(str(path), f"in question {number}")
    if not rows:
        raise DataError(Fault(str(path), "has no question.", "Give a file with data in it."))
    return Records(tuple(dict.fromkeys(key for row in rows for key in row)), rows, range(1, len(rows) + 1))


def _questions(articles: list[Any]) -> Iterator[dict[str, Any]]:
    for article in articles:
        for paragraph in article["paragraphs"]:
            for asked in paragraph["qas"]:
                answers = [] if asked.get("is_impossible") else asked["answers"]
                yield {
                    "id": asked.get("id"), "title": article.get("title"), "context": paragraph["context"],
                    "question": asked["question"], "answers": answers,
                }  # fmt: skip
