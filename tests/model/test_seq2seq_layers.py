from __future__ import annotations

import torch

from espalier.model.seq2seq_layers import Attention, Before


def test_attention_is_the_formula() -> None:
    torch.manual_seed(0)
    attention, states, others = Attention(12, 3, 0.0).eval(), torch.randn(2, 5, 12), torch.randn(2, 7, 12)
    mask = torch.tensor([[True] * 7, [True] * 4 + [False] * 3])
    keys, values = attention.kv_proj(others).chunk(2, -1)
    heads = []
    for q, k, v in zip(attention.q_proj(states).split(4, -1), keys.split(4, -1), values.split(4, -1), strict=True):
        scores = (q @ k.transpose(1, 2) / 4**0.5).masked_fill(~mask.unsqueeze(1), float("-inf"))
        heads.append(scores.softmax(-1) @ v)
    found = attention(states, attention.project(others), mask[:, None, None])
    torch.testing.assert_close(found, attention.out_proj(torch.cat(heads, -1)))


def test_what_was_written_is_kept_in_order_and_chosen() -> None:
    before = Before()
    first, second = (torch.arange(4.0).reshape(4, 1, 1, 1) + 10 * step for step in (0, 1))
    before.choose(torch.tensor([0, 1]))  # nothing yet
    assert before.extended((first, first))[0].shape == (4, 1, 1, 1)
    before.choose(torch.tensor([3, 3, 0]))
    keys, values = before.extended((second[:3], -second[:3]))
    assert keys[..., 0].squeeze(1).tolist() == [[3, 10], [3, 11], [0, 12]]
    assert values[..., 0].squeeze(1).tolist() == [[3, -10], [3, -11], [0, -12]]
