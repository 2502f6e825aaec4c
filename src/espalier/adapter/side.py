"""``adapter=side``: a narrow network beside a frozen transformer, through which nothing is propagated back."""

from __future__ import annotations

from typing import Annotated, Any

import torch
from annotated_types import Ge
from torch import Tensor, nn
from transformers import PreTrainedModel

from espalier.adapter.inject import require_apart
from espalier.adapter.wrapped import Wrapped
from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts
from espalier.state.layers import least_input

_HEAD = 16  # features of an attention head, at least


def side(backbone: nn.Module, _facts: DataFacts, /, *, reduction: Annotated[int, Ge(2)]) -> nn.Module:
    """A ladder side network (Sung et al. 2022, arXiv:2206.06522) of as many layers as the trunk.

    Layer i of it is a narrow transformer's, given g_i D_i(h_i) + (1 - g_i) s_(i-1): h_i is the trunk's state after its
    layer i, D_i a projection to the narrow width, g_i a learned gate, s_(i-1) what the side's layer before gave. In the
    end U(s) is added to the trunk's last state, where the paper takes U(s) alone: U begins at 0, so the model begins as
    it was. The trunk stays in evaluation mode and without gradients: its activations are not kept.

    ``espalier train adapter=side``. PEFT has no such adapter: the README in the saved folder holds the lines of torch
    that load it. It cannot be added into the weights.

    Args:
        reduction: by which the trunk's width is divided.

    Raises:
        ConfigError: the model is no transformer with a state for each token after each layer, or narrower than that.
    """
    require_apart(backbone, "side")
    part: Any = backbone
    backbone.eval().requires_grad_(False)
    widths = _widths(part.trunk) if isinstance(part.trunk, PreTrainedModel) else []
    if not widths:
        truth = f"stands beside a transformer's layers, and {type(backbone).__name__} has none that give such states."
        raise ConfigError(Fault("adapter=side", truth, "Try adapter=full."))
    if reduction > widths[0]:
        truth = f"is more than the {widths[0]} features that {type(backbone).__name__} has."
        raise ConfigError(Fault(f"adapter.reduction={reduction}", truth, f"Set adapter.reduction={widths[0]} at most."))
    narrow = widths[0] // reduction
    heads = next(heads for heads in range(max(1, narrow // _HEAD), 0, -1) if narrow % heads == 0)
    settings: dict[str, Any] = {"widths": widths, "output": int(part.width), "narrow": narrow, "heads": heads}
    made = "{name} = Beside({name}, **config)"
    part.trunk = Wrapped(Beside(part.trunk, **settings), part.trunk, "side", settings, _PARTS, made)
    return backbone


class SideLayer(nn.Module):
    """Attention, then two dense layers; each is given normalised states and adds to them."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.mlp_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, states: Tensor, mask: Tensor | None) -> Tensor:
        """(B, L, width), and (B, 1, 1, L) bool -> (B, L, width)."""
        batch, length, width = states.shape
        split = self.qkv(self.attention_norm(states)).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        states = states + self.out(mixed.transpose(1, 2).flatten(2))
        added: Tensor = self.narrow(nn.functional.gelu(self.widen(self.mlp_norm(states))))
        return states + added


class SideNetwork(nn.Module):
    """The network alone: states of a trunk -> what is added to the last of them, 0 at first."""

    def __init__(self, widths: list[int], output: int, narrow: int, heads: int) -> None:
        super().__init__()
        self.down = nn.ModuleList(nn.Linear(width, narrow) for width in widths)
        self.layers = nn.ModuleList(SideLayer(narrow, heads) for _ in widths[1:])
        self.gates = nn.Parameter(torch.zeros(len(widths) - 1))
        self.norm, self.up = nn.LayerNorm(narrow), nn.Linear(narrow, output)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, states: tuple[Tensor, ...], mask: Tensor | None) -> Tensor:
        """A state (B, L, width) after the embedding and after each layer; (B, L) -> (B, L, output)."""
        keys = None if mask is None else mask[:, None, None, :].bool()
        plain = [nn.functional.layer_norm(state, state.shape[-1:]) for state in states]
        narrow: Tensor = self.down[0](plain[0])
        for layer, down, state, gate in zip(self.layers, self.down[1:], plain[1:], self.gates, strict=True):
            open_ = torch.sigmoid(gate / 0.1)  # the paper's temperature
            narrow = layer(open_ * down(state) + (1 - open_) * narrow, keys)
        added: Tensor = self.up(self.norm(narrow))
        return added


class Beside(nn.Module):
    """A transformer with a side network; called as the transformer is, by names."""

    def __init__(self, model: nn.Module, widths: list[int], output: int, narrow: int, heads: int) -> None:
        super().__init__()
        self.model, self.side = model, SideNetwork(widths, output, narrow, heads)

    @property
    def device(self) -> Any:
        """Where the transformer lies."""
        return self.model.device

    def forward(self, **given: Any) -> Any:
        """What the transformer gives, its last state changed."""
        with torch.no_grad():
            found = self.model(**given, output_hidden_states=True)
        found.last_hidden_state = found.last_hidden_state + self.side(found.hidden_states, given.get("attention_mask"))
        return found


_PARTS = (SideLayer, SideNetwork, Beside)


def _widths(trunk: PreTrainedModel) -> list[int]:
    """Features of the states after the embedding and each layer; none where these differ in shape."""
    with torch.no_grad():
        states = trunk(**least_input(trunk), output_hidden_states=True).hidden_states
    shapes = {state.shape for state in states}
    return [shape[-1] for shape in (state.shape for state in states)] if len(shapes) == 1 and len(states) > 1 else []
