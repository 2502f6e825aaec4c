from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers as hf
from torch import nn

from adapter.tiny import Tiny
from conf.defaults import defaults_of
from espalier.adapter.bottleneck import Bottleneck, Entrance, bottleneck
from espalier.core.errors import ConfigError
from espalier.model.targets import OfTransformers
from espalier.state.layers import least_input
from task.toy import facts_of, lstm, minilm, mlp

LAYERS, WIDTH, INNER = 6, 384, 1536


def adapted(backbone: nn.Module, **values: Any) -> Any:
    return bottleneck(backbone, facts_of("text"), **defaults_of("adapter/bottleneck", **values))


def shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(p.shape) for name, p in module.named_parameters() if p.requires_grad}


def test_houlsbys_stand_after_both_sub_layers_and_norms_learn() -> None:
    learned = shapes(adapted(minilm(), hidden=10))
    per_place = 2 * WIDTH * 10 + 10 + WIDTH
    norms = [name for name in learned if ".LayerNorm." in name]
    assert sum(torch.Size(shape).numel() for shape in learned.values()) == LAYERS * 2 * per_place + len(norms) * WIDTH
    assert len(norms) == 2 * (2 * LAYERS + 1)
    assert {name.rpartition(".layer.0.")[2] for name in learned if ".layer.0." in name and ".down.weight" in name} == {
        "attention.output.dense.down.weight",
        "output.dense.down.weight",
    }
    assert not [name for name in shapes(adapted(minilm(), norms=False)) if "LayerNorm" in name]


@pytest.mark.parametrize("target", ["mlp", "mlp_outputs", "attention", "all_linear"])
def test_targets_say_where(target: str) -> None:
    count = {"mlp": 2, "mlp_outputs": 1, "attention": 4, "all_linear": 6}[target]
    model = adapted(minilm(), target=target, hidden=1, norms=False)
    assert sum(isinstance(part, Bottleneck) for part in model.modules()) == LAYERS * count


def test_a_serial_one_adds_to_what_the_layer_gave() -> None:
    backbone = mlp(hidden=[7])
    layer = backbone.trunk[0]
    inputs = torch.randn(3, 16)
    plain = layer(inputs)
    part = adapted(backbone, target="mlp", hidden=2, scale=0.5, activation="tanh").get_submodule("trunk.model.0")
    torch.testing.assert_close(part(inputs), plain, atol=0, rtol=0)
    nn.init.normal_(part.up.weight)
    torch.testing.assert_close(part(inputs), plain + 0.5 * part.up(torch.tanh(part.down(plain))))


def test_a_parallel_one_of_a_lone_layer_is_given_its_input() -> None:
    backbone = mlp(hidden=[7])
    inputs = torch.randn(3, 16)
    plain = backbone.trunk[0](inputs)
    part = adapted(backbone, target="mlp", form="parallel", scale=4.0).get_submodule("trunk.model.0")
    nn.init.normal_(part.up.weight)
    torch.testing.assert_close(
        part(inputs), plain + 4 * part.up(nn.functional.gelu(part.down(inputs))), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama", "t5", "vit"])
def test_a_parallel_one_of_a_sub_layer_is_given_what_that_was_given(family: str, tiny: Tiny) -> None:
    """He et al. 2022, table 1: the input of the whole of attention, or of the feed-forward part."""
    model, batch = tiny(family)
    given: dict[str, torch.Tensor] = {}
    attend, feed = "layer.0.SelfAttention", "layer.1.DenseReluDense"
    firsts = {  # end of a sub-layer -> where its input is first used
        "bert": {"attention.output.dense": "attention.self.query", "output.dense": "intermediate.dense"},
        "gpt2": {"attn.c_proj": "attn.c_attn", "mlp.c_proj": "mlp.c_fc"},
        "llama": {"self_attn.o_proj": "self_attn.q_proj", "mlp.down_proj": "mlp.gate_proj"},
        "t5": {f"{attend}.o": f"{attend}.q", f"{feed}.wo": f"{feed}.wi"},
        "vit": {"attention.o_proj": "attention.q_proj", "mlp.fc2": "mlp.fc1"},
    }[family]  # fmt: skip
    part = adapted(model, form="parallel", norms=False)
    part.eval()
    bottlenecks = {name: layer for name, layer in part.trunk.model.named_modules() if isinstance(layer, Bottleneck)}
    assert len(bottlenecks) == 4, "two sub-layers in each of two layers"
    for name, layer in bottlenecks.items():
        end = next(end for end in sorted(firsts, key=len, reverse=True) if name.endswith(f".{end}"))
        first = part.trunk.model.get_submodule(name.removesuffix(end) + firsts[end])

        def keep(_: nn.Module, args: Any, key: str = f"{name} first") -> None:
            given[key] = args[0]

        def keep_down(_: nn.Module, args: Any, key: str = f"{name} down") -> None:
            given[key] = args[0]

        first.register_forward_pre_hook(keep)
        layer.down.register_forward_pre_hook(keep_down)
    part(batch)
    for name in bottlenecks:
        assert given[f"{name} down"] is given[f"{name} first"], name


SIZE = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}


class Reader(OfTransformers, nn.Module):
    """A backbone that is nothing but its trunk."""

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk


def test_dense_layers_outside_of_a_sub_layer_are_not_its_entrance() -> None:
    """ALBERT's projection of words, and Swin's network of positions, are registered right before attention."""
    albert = hf.AlbertModel(hf.AlbertConfig(vocab_size=50, embedding_size=8, **SIZE))
    windows = {"image_size": 32, "embed_dim": 8, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4}
    for trunk in (albert, hf.Swinv2Model(hf.Swinv2Config(**windows))):
        part = adapted(Reader(trunk), form="parallel")
        entrances = [
            n.rpartition(".")[2] for n, layer in part.trunk.model.named_modules() if isinstance(layer, Entrance)
        ]
        assert entrances == ["query", "ffn" if trunk is albert else "dense"] * (1 if trunk is albert else 2)
        part.trunk(**least_input(trunk))


def test_a_sub_layer_that_is_given_another_layout_is_answered() -> None:
    longformer = hf.LongformerModel(hf.LongformerConfig(vocab_size=50, attention_window=4, **SIZE))
    with pytest.raises(ConfigError, match=r"lays that out in another way\. Set adapter\.form=serial"):
        adapted(Reader(longformer), form="parallel")


def test_a_first_layer_that_is_asked_again_is_taken_at_its_first_word() -> None:
    """As DeBERTa's queries, which are of the states, and then of the positions."""
    model = adapted(minilm(dropout=0.0), form="parallel", hidden=2).eval()
    for layer in model.modules():
        if isinstance(layer, Bottleneck):
            nn.init.normal_(layer.up.weight, std=0.1)
    ids = torch.tensor([[101, 2054, 102]])
    batch = {"text": ids, "text_mask": ids > 0}
    before = model(batch)
    first = next(layer for layer in model.modules() if isinstance(layer, Entrance))
    again = first.register_forward_hook(lambda part, *_: (again.remove(), part(torch.ones(1, 9, 384)), None)[2])
    torch.testing.assert_close(model(batch), before)
    first.given = torch.ones(1, 3, 384)  # a forward that was broken off has left it
    torch.testing.assert_close(model(batch), before)


def test_gradients_reach_all_of_it_also_when_activations_are_computed_again() -> None:
    for form in ("serial", "parallel"):
        model = adapted(minilm(dropout=0.0), form=form, hidden=2)
        for layer in model.modules():
            if isinstance(layer, Bottleneck):
                nn.init.normal_(layer.up.weight, std=0.1)
        ids = torch.tensor([[101, 2054, 102]])
        batch = {"text": ids, "text_mask": ids > 0}
        model(batch).sum().backward()
        plain = {name: p.grad.clone() for name, p in model.named_parameters() if p.requires_grad}
        model.zero_grad()
        model.trunk.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        model(batch).sum().backward()
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                torch.testing.assert_close(parameter.grad, plain[name], msg=name)


def test_a_model_without_such_layers_is_answered() -> None:
    with pytest.raises(ConfigError, match=r"Lstm offers no layers to adapt\. Try adapter=full"):
        adapted(lstm())
    backbone = mlp()
    backbone.targets = {"mlp": r".*\d+", "other": "nothing"}  # activations too
    with pytest.raises(ConfigError, match=r"names layers that are not dense \(1 …\)\. Try adapter\.target=other"):
        adapted(backbone, target="mlp")
    with pytest.raises(ConfigError, match=r"names no layer of this model\. Try adapter\.target=mlp"):
        adapted(backbone, target="other")
