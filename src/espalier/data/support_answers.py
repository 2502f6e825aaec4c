"""``data=support_answers``: the embedded messages, each with the answer that fits it."""

from __future__ import annotations

import json
from dataclasses import replace

from espalier.data.common import Source
from espalier.data.support_intents import FOLDER, SupportIntents


class SupportAnswers(SupportIntents):
    """The messages of ``support_intents``, labelled with one of 18 answers: a text instead of an intent's name.

    ``espalier train data=support_answers task=retrieval``
    """

    def tables(self) -> Source:
        """Read the messages, and the answer to each intent."""
        lines = [json.loads(line) for line in (FOLDER / "answers.jsonl").read_bytes().splitlines()]
        answers = {line["label"]: line["answer"] for line in lines}
        source = super().tables()
        splits = {s: {**c, "label": [answers[intent] for intent in c["label"]]} for s, c in source.splits.items()}
        return replace(source, splits=splits)
