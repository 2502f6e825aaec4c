from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers as hf

from espalier.model.scoring import scoring

SIZE = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}
GEMMA = {"num_key_value_heads": 1, "head_dim": 8, "final_logit_softcapping": 0.3, "pad_token_id": 0}
OPT = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "ffn_dim": 24}
MODELS = {
    "llama": lambda: hf.LlamaForCausalLM(hf.LlamaConfig(**SIZE)),
    "gpt2": lambda: hf.GPT2LMHeadModel(hf.GPT2Config(vocab_size=40, n_embd=16, n_layer=1, n_head=2)),
    "gemma2": lambda: hf.Gemma2ForCausalLM(hf.Gemma2Config(**SIZE, **GEMMA)),  # type: ignore[arg-type]
    "cohere": lambda: hf.CohereForCausalLM(hf.CohereConfig(**SIZE, logit_scale=0.1)),
    "opt": lambda: hf.OPTForCausalLM(hf.OPTConfig(**OPT, word_embed_proj_dim=8)),
}


@pytest.mark.parametrize("family", MODELS)
def test_scores_are_the_model_s_own(family: str) -> None:
    torch.manual_seed(0)
    whole: Any = MODELS[family]().eval()
    ids = torch.arange(1, 9).view(2, 4)
    with torch.inference_mode():
        states = whole.base_model(input_ids=ids).last_hidden_state
        wanted = whole(input_ids=ids).logits
        torch.testing.assert_close(scoring(whole)(states), wanted)
        torch.testing.assert_close(scoring(whole)(states[0, 1:3]), wanted[0, 1:3])


def test_parameters_are_the_model_s_own() -> None:
    whole: Any = MODELS["llama"]()
    score = scoring(whole)
    score(torch.randn(1, 2, 16)).sum().backward()
    assert whole.lm_head.weight.grad is not None and whole.model.layers[0].mlp.up_proj.weight.grad is None
    before = score(torch.ones(1, 1, 16)).detach()
    with torch.no_grad():
        whole.lm_head.weight.mul_(2)
    torch.testing.assert_close(score(torch.ones(1, 1, 16)), 2 * before)
