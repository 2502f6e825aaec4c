from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

from adapter.tiny import Tiny
from conf.defaults import defaults_of
from espalier.adapter.side import Beside, side
from espalier.core.errors import ConfigError
from task.toy import facts_of, lstm, minilm

IDS = torch.randint(1000, 2000, (8, 32), generator=torch.Generator().manual_seed(0))
BATCH = {"text": IDS, "text_mask": IDS > 0}


def adapted(backbone: nn.Module, **values: Any) -> Any:
    return side(backbone, facts_of("text"), **defaults_of("adapter/side", **values))


def begun(module: Any) -> Any:
    """As after some training: what begins at 0 does not stay so."""
    nn.init.normal_(module.trunk.model.side.up.weight)
    return module


def leaves(output: torch.Tensor) -> Iterator[nn.Parameter]:
    """The parameters that a backward pass from here would reach."""
    seen, todo = set(), [output.grad_fn]
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            yield node.variable
        todo += [after for after, _ in node.next_functions]


def kept(module: nn.Module) -> int:
    """Bytes of activations and weights that are kept for a backward pass, each once."""
    sizes: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        result = module(BATCH)
    assert result.requires_grad
    return sum(sizes.values())


def fastest(module: nn.Module) -> float:
    """Seconds of a forward and a backward pass."""
    times = []
    for _ in range(4):
        started = time.perf_counter()
        module(BATCH).sum().backward()
        times.append(time.perf_counter() - started)
    return min(times)


def test_at_first_it_changes_nothing_and_has_the_trunks_width() -> None:
    plain = minilm().eval()(BATCH)
    model = adapted(minilm())
    assert model(BATCH).shape == (8, model.width) == (8, 384)
    torch.testing.assert_close(model(BATCH), plain)
    assert not torch.equal(begun(model)(BATCH), plain)


def test_nothing_is_propagated_back_through_the_trunk() -> None:
    model = begun(adapted(minilm()))
    beside: Beside = model.trunk.model
    output = model(BATCH)
    reached = set(leaves(output))
    assert reached == set(beside.side.parameters())
    output.sum().backward()
    assert all(p.grad is None and not p.requires_grad for p in beside.model.parameters())
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in beside.side.parameters())


def test_it_keeps_less_for_the_backward_pass_and_takes_less_time() -> None:
    full, narrow = minilm(dropout=0.0).train().requires_grad_(True), begun(adapted(minilm(dropout=0.0)))
    assert kept(narrow) < kept(full) / 3
    assert fastest(narrow) < 0.75 * fastest(full)


def test_gates_mix_a_layers_state_with_the_sides_own() -> None:
    """Sung et al. 2022, section 3.2: sigmoid(alpha / 0.1) of the trunk's state, the rest of the side's before."""
    network = adapted(minilm()).trunk.model.side
    states = tuple(torch.randn(2, 3, 384) for _ in range(7))
    seen: list[torch.Tensor] = []
    for layer in network.layers:
        layer.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.no_grad():
        network.gates[:] = torch.tensor([9.0, -9.0, 0.0, 0.0, 0.0, 0.0])
    network(states, None)
    normal = [nn.functional.layer_norm(state, (384,)) for state in states]
    torch.testing.assert_close(seen[0], network.down[1](normal[1]))
    torch.testing.assert_close(seen[1], network.layers[0](seen[0], None))
    half = (network.down[3](normal[3]) + network.layers[1](seen[1], None)) / 2
    torch.testing.assert_close(seen[2], half)


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama", "t5"])
def test_padding_has_no_influence(family: str, tiny: Tiny) -> None:
    model, batch = tiny(family)
    begun(adapted(model, reduction=2))
    mask = batch["text_mask"]
    row = int(mask.sum(1).argmin())
    length = int(mask[row].sum())
    assert length < mask.shape[1]
    alone = model({"text": batch["text"][row : row + 1, :length], "text_mask": mask[row : row + 1, :length]})
    torch.testing.assert_close(model(batch)[row : row + 1], alone, atol=1e-5, rtol=1e-5)


def test_what_has_no_such_layers_is_answered(tiny: Tiny) -> None:
    with pytest.raises(
        ConfigError, match=r"stands beside a transformer's layers, and Lstm has none .*Try adapter=full"
    ):
        adapted(lstm())
    with pytest.raises(ConfigError, match=r"more than the 16 features .*Set adapter\.reduction=16 at most"):
        adapted(tiny("bert")[0], reduction=17)
