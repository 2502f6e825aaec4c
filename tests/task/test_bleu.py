from __future__ import annotations

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from espalier.task.bleu import Judge, bleu, chrf

REFERENCES = [
    "Ein Hund läuft über den Rasen, der grün ist.", "Zwei Männer (jung) sitzen auf einer Bank!", "Ja.",
    "Eine Frau mit 3,5 kg Mehl und »Brot« wartet.", "Kinder spielen im Park",
]  # fmt: skip
CLOSE = [
    "Ein Hund läuft über den Rasen.", "Zwei Männer sitzen auf einer Bank !", "Nein.",
    "Eine Frau mit 3,5 kg Mehl und Brot wartet.", "kinder spielen im Park ",
]  # fmt: skip
CASES = {
    "close": CLOSE,
    "equal": REFERENCES,
    "short": [text[: len(text) // 2] for text in REFERENCES],
    "long": [f"{text} {text}" for text in CLOSE],
    "no pairs": ["Hund", "Bank", "Ja", "Frau", "Park"],
    "few words": ["Ein Rasen Hund läuft", "auf", "Ja", "Frau Mehl mit", "im Park Kinder"],
    "nothing": ["x", "y", "z", "x", "y"],
    "empty": [""] * 5,
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("tokenizer", ["13a", "char"])
def test_scores_are_sacrebleu_s(name: str, tokenizer: str) -> None:
    translations, judge = CASES[name], Judge(tokenizer)
    counts, characters = judge.bleu(translations, REFERENCES), judge.chrf(translations, REFERENCES)
    assert counts.shape == (5, 10) and characters.shape == (5, 18)
    theirs = BLEU(tokenize=tokenizer).corpus_score(translations, [REFERENCES])
    assert float(bleu(counts.sum(0))) == pytest.approx(theirs.score, abs=1e-9)
    assert float(chrf(characters.sum(0))) == pytest.approx(
        CHRF().corpus_score(translations, [REFERENCES]).score, abs=1e-9
    )
    if name == "short":
        assert theirs.bp < 0.7  # the brevity penalty was part of what is equal


def test_resamples_are_scored_at_once() -> None:
    counts, characters = Judge("13a").bleu(CLOSE, REFERENCES), Judge("13a").chrf(CLOSE, REFERENCES)
    drawn = np.random.default_rng(0).integers(0, 3, (7, 5)).astype(float)
    for score, of in ((bleu, counts), (chrf, characters)):
        assert score(drawn @ of).tolist() == pytest.approx([float(score(weights @ of)) for weights in drawn])


def test_rows_without_a_translation_count_nothing() -> None:
    counts = Judge("13a").bleu(CLOSE[:2], REFERENCES[:2])
    assert Judge("13a").bleu([], []).shape == (0, 10) and Judge("13a").chrf([], []).shape == (0, 18)
    assert float(bleu(np.zeros(10))) == float(chrf(np.zeros(18))) == 0
    assert float(bleu(np.vstack([counts, np.zeros((3, 10))]).sum(0))) == float(bleu(counts.sum(0)))


def test_the_signature_says_how_it_was_counted() -> None:
    said = Judge("13a").signature
    assert said.startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")
