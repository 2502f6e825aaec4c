from __future__ import annotations

import json

from data.examples import COMMON, TEXT
from espalier.data.support_answers import SupportAnswers
from espalier.data.support_intents import FOLDER, SupportIntents


def test_each_message_has_the_answer_to_its_intent() -> None:
    answers, intents = SupportAnswers(columns=TEXT, **COMMON).read(), SupportIntents(columns=TEXT, **COMMON).read()
    written = dict(json.loads(line).values() for line in (FOLDER / "answers.jsonl").read_text().splitlines())
    assert len(set(written.values())) == len(answers.labels[""]) == 18
    for split, table in answers.splits.items():
        other = intents.splits[split]
        texts = dict(zip(other["text"].to_pylist(), other["label"].to_pylist(), strict=True))
        for text, label in zip(table["text"].to_pylist(), table["label"].to_pylist(), strict=True):
            assert answers.labels[""][label] == written[intents.labels[""][texts[text]]]
