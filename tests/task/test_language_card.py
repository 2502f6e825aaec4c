from __future__ import annotations

from espalier.task.language_card import language_card
from espalier.task.sampling import Sampling


def test_the_lines_draw_as_the_task_does() -> None:
    drawn = language_card(Sampling(0.7, 40, 0.9), 12)
    assert "max_new_tokens=12" in drawn and "do_sample=True, temperature=0.7, top_k=40, top_p=0.9" in drawn
    assert "do_sample=False" in language_card(Sampling(0), 12)
