"""``adapter=bottleneck``: small networks of two layers within a frozen model, after its sub-layers or beside them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal

import torch
from annotated_types import Ge, Gt, MinLen
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from espalier.adapter.inject import refusal, require_apart, target_modules
from espalier.adapter.wrapped import Wrapped
from espalier.core.bounds import OfferedBy
from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts
from espalier.state.layers import UNFIT, least_input


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
        ConfigError: the model has no such layers, they are not dense, or its files have no place for these; in
            parallel, what a sub-layer is given is not laid out as what it gives.
    """
    require_apart(backbone, "bottleneck")
    part: Any = backbone
    trunk: nn.Module = part.trunk
    named = _named(backbone, trunk, target)
    begins = _entrances(trunk, named) if form == "parallel" else {}
    places = {name: _place(trunk, name, begins.get(name), form) for name in named}
    settings: dict[str, Any] = {
        "places": places,
        "hidden": hidden,
        "form": form,
        "scale": scale,
        "activation": activation,
    }
    backbone.eval().requires_grad_(False)
    put_bottlenecks(trunk, **settings)
    if begins:
        _require_fit(backbone, trunk)
    backbone.train()
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


def _named(backbone: nn.Module, trunk: nn.Module, target: str | list[str]) -> list[str]:
    """The layers that are meant. Raises ``ConfigError``: there is none, or one is not dense."""
    pattern = target_modules(backbone, target)
    named = [name for name, layer in trunk.named_modules() if _is_meant(pattern, name, layer)]
    odd = [name for name in named if not _is_dense(trunk.get_submodule(name))]
    if odd or not named:
        truth = f"names layers that are not dense ({odd[0]} …)." if odd else "names no layer of this model."
        raise refusal(backbone, target, truth)
    return named


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
    """A named layer -> the first dense one of its sub-layer since the named one before it."""
    begins: dict[str, str] = {}
    since: list[str] = []
    for name, layer in trunk.named_modules():
        if name in named:
            first = next((other for other in since if _beside(other, name)), None)
            begins |= {name: first} if first else {}
            since = []
        elif _is_dense(layer):
            since.append(name)
    return begins


def _beside(name: str, other: str) -> bool:
    """Whether two layers stand in one module, without a list of modules between it and either of them.

    ALBERT's projection of words stands outside of the layers, and Swin's network of positions is a list of its own.
    """
    paths = name.split("."), other.split(".")
    common = next(i for i, (a, b) in enumerate(zip(*paths, strict=False)) if a != b)
    return not any(part.isdigit() for path in paths for part in path[common:])


def _require_fit(backbone: nn.Module, trunk: nn.Module) -> None:
    """Try it, where the trunk is one of transformers': Longformer's queries are given rows and tokens transposed.

    Raises:
        ConfigError: a bottleneck is given other tokens than its layer.
    """
    shapes: dict[str, list[Any]] = {"given": [], "plain": []}
    hooks = []
    for layer in trunk.modules():
        if isinstance(layer, Bottleneck):
            hooks.append(layer.down.register_forward_pre_hook(lambda _, a: shapes["given"].append(a[0].shape[:-1])))
            hooks.append(layer.base_layer.register_forward_hook(lambda *a: shapes["plain"].append(a[2].shape[:-1])))
    try:
        with torch.no_grad():
            if least := least_input(trunk):
                trunk(**least)
        fits = shapes["given"] == shapes["plain"]
    except UNFIT:
        fits = False
    for hook in hooks:
        hook.remove()
    if not fits:
        truth = f"is given what a sub-layer is, and this {type(backbone).__name__} lays that out in another way."
        raise ConfigError(Fault("adapter.form=parallel", truth, "Set adapter.form=serial"))
