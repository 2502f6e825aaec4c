from __future__ import annotations

from espalier.task.reading_baselines import BASELINES, closest_sentence, sentences


def test_sentences_end_with_a_mark_before_a_capital_or_at_a_line_s_end() -> None:
    text = 'It is 3.5 stars.The room was small! "Never again"\nNoisy too e.g. at night'
    assert sentences(text) == ["It is 3.5 stars.", "The room was small!", '"Never again"', "Noisy too e.g. at night"]
    assert sentences("") == [] == sentences(" \n")


def test_the_sentence_with_most_words_in_common_is_the_answer() -> None:
    context = "I liked it. The room was very clean. The staff was friendly."
    assert closest_sentence("How clean was the room?", context) == "The room was very clean."
    assert closest_sentence("Where?", context) == "I liked it."
    assert closest_sentence("Where?", "  ") == ""
    assert [answer("How clean was it?", context) for answer in BASELINES.values()] == ["", "The room was very clean."]
