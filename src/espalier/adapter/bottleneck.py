"""``adapter=bottleneck``: small networks of two layers within a frozen model, after its sub-layers or beside them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, MinLen
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from espalier.adapter.inject import refusal, require_apart, target_modules
from espalier.adapter.wrapped import Wrapped
from espalier.core.bounds import OfferedBy
from espalier.core.facts import DataFacts
from espalier.state.layers import layers_of


def bottleneck(
    backbone: nn.Module,
    _facts: DataFacts,
    /,
    *,
    target: Annotated[str | list[str], OfferedBy("model", "targets"), MinLen(1)],
    hidden: Annotated[int, Ge(1)],
    form: Literal["serial", "parallel"],
    scale: Annotated[float, Gt(0)],
    activation: Literal["gelu", "relu", "tanh"],
    norms: bool,
) -> nn.Module:
    """y + scale B f(A x), with A (hidden, inputs), B (outputs, hidden) and their biases trained; B begins at 0.

    ``serial``: x is y, a sub-layer's output before it is added to its input (Houlsby et al. 2019, arXiv:1902.00751).
    ``parallel``: x is what the sub-layer was given (He et al. 2022, arXiv:2110.04366). PEFT has no such adapter: the
    README in the saved folder holds the lines of torch that load it. It cannot be added into the weights.

    ``espalier train adapter=bottleneck adapter.form=parallel adapter.target=mlp_outputs adapter.scale=4``

    Args:
        target: one of the names in the model's ``targets``, or a list of modules by name (``adapter.inject``).
            ``outputs`` are the last layers of attention and of the feed-forward part. A layer with none before it in
            its sub-layer is taken for the whole of it.
        hidden: features of the bottleneck.
        form: where x comes from.
        scale: of the update.
        activation: f.
        norms: whether the trunk's normalising layers are trained as well, as Houlsby et al. do.

    Raises:
        ConfigError: the model has no such layers, they are not dense, or its files have no place for these.
    """
    require_apart(backbone, "bottleneck")
    pattern = target_modules(backbone, target)
    part: Any = backbone
    trunk: nn.Module = part.trunk
    named = [name for name, layer in trunk.named_modules() if _is_meant(pattern, name, layer)]
    odd = [name for name in named if not _is_dense(trunk.get_submodule(name))]
    if odd or not named:
        truth = f"names layers that are not dense ({odd[0]} …)." if odd else "names no layer of this model."
        raise refusal(backbone, target, truth)
    begins = _entrances(trunk, named) if form == "parallel" else {}
    places = {name: _place(trunk, name, begins.get(name), form) for name in named}
    settings: dict[str, Any] = {
        "places": places,
        "hidden": hidden,
        "form": form,
        "scale": scale,
        "activation": activation,
    }
    backbone.train().requires_grad_(False)
    put_bottlenecks(trunk, **settings)
    for layer in trunk.modules() if norms else ():
        if type(layer).__name__.endswith("Norm"):
            layer.requires_grad_(True)
    part.trunk = Wrapped(trunk, trunk, "bottleneck", settings, _PARTS, "put_bottlenecks({name}, **config)")
    return backbone


class Entrance(nn.Module):
    """The first layer of a sub-layer; it keeps what it was first given for the bottleneck at the end of that.

    DeBERTa gives its queries' layer the positions as well, behind the states.
    """

    def __init__(self, base_layer: nn.Module) -> None:
        super().__init__()
        self.base_layer = base_layer
        self.given: Tensor | None = None

    def forward(self, given: Tensor) -> Tensor:
        """The layer's own output."""
        self.given = given if self.given is None else self.given
        output: Tensor = self.base_layer(given)
        return output


class Bottleneck(nn.Module):
    """y + scale up(f(down(x))): y is a layer's output, x what its sub-layer was given, or y itself."""

    def __init__(
        self,
        base_layer: nn.Module,
        entrance: Entrance | None,
        sides: tuple[int, int],
        hidden: int,
        form: str,
        scale: float,
        activation: str,
    ) -> None:
        super().__init__()
        self.base_layer, self.form, self.scale = base_layer, form, scale
        self.entrance = (entrance,)  # in a tuple: it is a part of the model, not of this one
        self.down, self.up = nn.Linear(sides[0], hidden), nn.Linear(hidden, sides[1])
        self.activation = {"gelu": nn.GELU, "relu": nn.ReLU, "tanh": nn.Tanh}[activation]()
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    @property
    def weight(self) -> Tensor:
        """The layer's: T5 asks for its type."""
        return self.base_layer.get_parameter("weight")

    def forward(self, given: Tensor) -> Tensor:
        """(…, inputs) -> (…, outputs)."""
        output: Tensor = self.base_layer(given)
        (entrance,) = self.entrance
        x = output if self.form == "serial" else given
        if entrance is not None and entrance.given is not None:
            x, entrance.given = entrance.given, None
        updated: Tensor = output + self.scale * self.up(self.activation(self.down(x)))
        return updated


def put_bottlenecks(
    model: nn.Module,
    places: dict[str, tuple[int, int, str | None]],
    hidden: int,
    form: str,
    scale: float,
    activation: str,
) -> None:
    """Replace layers; ``places``: a layer -> features of x, of y, and where its sub-layer begins."""
    entrances: dict[str, Entrance] = {}
    for name, (inputs, outputs, first) in places.items():
        if first is not None:
            entrances[first] = Entrance(model.get_submodule(first))
            model.set_submodule(first, entrances[first])
        entrance = None if first is None else entrances[first]
        layer = Bottleneck(model.get_submodule(name), entrance, (inputs, outputs), hidden, form, scale, activation)
        model.set_submodule(name, layer)

    def forget(*_: object) -> None:  # a forward that was broken off, as recomputing ones are, leaves something behind
        for entrance in entrances.values():
            entrance.given = None

    if entrances:
        model.register_forward_pre_hook(forget)


_PARTS = (Entrance, Bottleneck, put_bottlenecks)


def _is_dense(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Linear | Conv1D)


def _is_meant(pattern: str, name: str, layer: nn.Module) -> bool:
    return _is_dense(layer) if pattern == "all-linear" else re.fullmatch(pattern, name) is not None


def _sides(layer: Any) -> tuple[int, int]:
    """Features that a dense layer takes and gives."""
    return (layer.in_features, layer.out_features) if isinstance(layer, nn.Linear) else (layer.nx, layer.nf)


def _place(trunk: nn.Module, name: str, first: str | None, form: str) -> tuple[int, int, str | None]:
    inputs, outputs = _sides(trunk.get_submodule(name))
    if form == "serial":
        return outputs, outputs, None
    return (_sides(trunk.get_submodule(first))[0] if first else inputs), outputs, first


def _entrances(trunk: nn.Module, named: Collection[str]) -> Mapping[str, str]:
    """A named layer -> the first dense one, of the same layer of the trunk, since the named one before it."""
    begins: dict[str, str] = {}
    first, stack = None, set(layers_of(trunk))
    for name, layer in trunk.named_modules():
        if layer in stack:
            first = None
        if name in named:
            begins |= {name: first} if first else {}
            first = None
        elif _is_dense(layer):
            first = first or name
    return begins
