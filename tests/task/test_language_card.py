from __future__ import annotations

from typing import Any

from espalier.task.language_card import language_card
from espalier.task.sampling import Sampling


def card(temperature: float, **more: Any) -> str:
    return language_card(Sampling(temperature, 40, 0.9), 12, **{"ends": [], "context": None, "answers": False, **more})


def test_the_lines_draw_as_the_task_does() -> None:
    drawn = card(0.7)
    assert "max_new_tokens=12" in drawn and "do_sample=True, temperature=0.7, top_k=40, top_p=0.9" in drawn
    assert "do_sample=False" in card(0)
    assert "eos_token_id=None" in drawn and "eos_token_id=[2, 5]" in card(0.7, ends=[2, 5], answers=True)


def test_a_text_is_gone_on_with_as_far_as_the_model_has_places() -> None:
    assert 'max_new_tokens=min(12, 64 - ids["input_ids"].shape[1])' in card(0, context=64)
    assert "rows[:, -52:]" in card(0, context=64) and "rows[:, -4:]" in card(0, context=8)
    assert "rows[:," not in card(0) + card(0, context=64, answers=True)
