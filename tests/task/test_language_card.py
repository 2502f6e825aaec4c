from __future__ import annotations

from typing import Any

import pytest
import torch

from espalier.task.language_card import language_card
from espalier.task.sampling import Sampling
from model import checkpoints


def card(temperature: float, **more: Any) -> str:
    return language_card(Sampling(temperature, 40, 0.9), 12, **{"ends": [], "context": None, "answers": False, **more})


def test_the_lines_draw_as_the_task_does() -> None:
    drawn = card(0.7)
    assert "max_new_tokens=12" in drawn and "do_sample=True, temperature=0.7, top_k=40, top_p=0.9" in drawn
    assert "do_sample=False" in card(0)
    assert "eos_token_id=None" in drawn and "eos_token_id=[2, 5]" in card(0.7, ends=[2, 5], answers=True)


class Repeats:
    """A model that goes on with the last token of what it is given."""

    device, generation_config = "cpu", object()

    def generate(self, *, input_ids: torch.Tensor, **_: Any) -> torch.Tensor:
        self.seen = input_ids[0].tolist()
        return torch.cat([input_ids, input_ids[:, -1:]], 1)


def lines(model: Repeats, template: str | None = None, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"model": model, "tokenizer": checkpoints.pieces()}
    given["tokenizer"].chat_template = template
    exec(card(0, loading="pass", **more).partition("```python\n")[2].partition("```")[0], given)
    return given


def test_a_continuation_keeps_the_blank_that_it_begins_with() -> None:
    assert lines(Repeats(), max_length=2, keep="start")["go_on"]("a film a b").startswith(" ")


@pytest.mark.parametrize(("keep", "left"), [("start", slice(3)), ("end", slice(-3, None))])
def test_a_longer_prompt_is_cut_as_the_task_cuts_it(keep: str, left: slice) -> None:
    model = Repeats()
    lines(model, max_length=3, keep=keep)["go_on"]("a film a b c d e")
    assert model.seen == checkpoints.pieces()("a film a b c d e")["input_ids"][left]
    assert "rows[:, -3:]" in card(0, max_length=3, answers=True, context=64)


def test_a_text_is_gone_on_with_as_far_as_the_model_has_places() -> None:
    assert 'max_new_tokens=min(12, 64 - ids["input_ids"].shape[1])' in card(0, context=64)
    assert "rows[:, -52:]" in card(0, context=64) and "rows[:, -4:]" in card(0, context=8)
    assert "rows[:," not in card(0)


def test_messages_as_long_as_the_model_has_places_are_answered() -> None:
    class Chats(Repeats):
        def generate(self, *, max_new_tokens: int, **ids: Any) -> torch.Tensor:
            assert max_new_tokens > 0
            return super().generate(**ids)

    model, asked = Chats(), "a film a b c d e f a b c d e f"
    ids = checkpoints.pieces()(asked, add_special_tokens=False)["input_ids"]
    lines(model, template=asked, context=len(ids), answers=True)
    assert model.seen == ids[12 - len(ids) :]
