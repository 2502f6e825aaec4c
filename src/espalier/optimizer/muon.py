"""``optimizer=muon``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, Unpack

import torch
from annotated_types import Ge, Gt, Len, Lt
from torch.optim import AdamW, Optimizer
from torch.optim import Muon as TorchMuon

from espalier.optimizer.common import Common


def muon(
    groups: list[dict[str, Any]],
    /,
    *,
    lr: Annotated[float, Gt(0)],
    momentum: Annotated[float, Ge(0), Lt(1)],
    nesterov: bool,
    iterations: Annotated[int, Ge(1)],
    betas: Annotated[list[Annotated[float, Ge(0), Lt(1)]], Len(2, 2)],
    eps: Annotated[float, Gt(0)],
    weight_decay: Annotated[float, Ge(0)],
    matrices: Literal["hidden", "all"],  # noqa: ARG001  # read where the groups are made
    **_common: Unpack[Common],
) -> Optimizer:
    """Muon for matrices, AdamW for the rest (Jordan et al. 2024, kellerjordan.github.io/posts/muon), both torch's.

    ``espalier train model=mlp data=mnist adapter=full optimizer=muon``

    Muon's steps are scaled to the root mean square of AdamW's (Liu et al. 2025, arXiv:2502.16982), so that one rate and
    one weight decay, as they are good for AdamW, serve both.

    Args:
        groups: each says ``matrix``, whether Muon steps it.
        momentum: Muon's.
        iterations: of Newton and Schulz, by which Muon makes an update orthogonal.
        betas: AdamW's.
        eps: AdamW's.
    """
    first, second = betas
    of_muon = {"momentum": momentum, "nesterov": nesterov, "ns_steps": iterations, "adjust_lr_fn": "match_rms_adamw"}
    of_adamw = {"betas": (first, second), "eps": eps}
    return MuonWithAdamW(groups, {"lr": lr, "weight_decay": weight_decay}, of_muon, of_adamw)


class MuonWithAdamW(Optimizer):
    """Two optimizers that look like one: one list of groups, one state, saved and loaded as one.

    The two inside hold no state of their own: at each step they are lent the groups and the state of this one.
    """

    def __init__(
        self, groups: list[dict[str, Any]], shared: dict[str, Any], of_muon: dict[str, Any], of_adamw: dict[str, Any]
    ) -> None:
        super().__init__(groups, shared)
        inner: tuple[tuple[Callable[..., Optimizer], dict[str, Any], bool], ...] = (
            (TorchMuon, of_muon, True),
            (AdamW, of_adamw, False),
        )
        # Making an optimizer of groups writes its defaults into them, so that they are saved with the rest.
        self._inner = [
            (make(mine, **shared, **own), matrix)
            for make, own, matrix in inner
            if (mine := [group for group in self.param_groups if group["matrix"] is matrix])
        ]

    def state_bytes(self) -> int:
        """Of its state once it has stepped: one moment of a matrix, two of another parameter."""
        groups = ((2 - bool(group["matrix"]), group["params"]) for group in self.param_groups)
        return sum(moments * each.numel() * each.element_size() for moments, params in groups for each in params)

    def step(self, closure: Any = None) -> Any:
        """One step of both."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for optimizer, matrix in self._inner:
            optimizer.param_groups = [group for group in self.param_groups if group["matrix"] is matrix]
            optimizer.state = self.state
            optimizer.step()
        return loss
