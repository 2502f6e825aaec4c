"""``adapter=adalora``: low-rank updates whose ranks move, while training, to where they count."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Gt, Lt, MinLen
from peft import AdaLoraConfig
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from espalier.adapter.inject import inject, target_modules, transposed
from espalier.core.bounds import OfferedBy
from espalier.core.errors import ConfigError, Fault
from espalier.core.exhibits import Exhibit, Table
from espalier.core.facts import DataFacts


def adalora(
    backbone: nn.Module,
    facts: DataFacts,
    /,
    *,
    target: Annotated[str | list[str], OfferedBy("model", "targets"), MinLen(1)],
    rank: Annotated[int, Ge(1)],
    first_rank: Annotated[int, Ge(1)],
    alpha: Annotated[float, Gt(0)],
    dropout: Annotated[float, Ge(0), Lt(1)],
    warmup: Annotated[float, Ge(0), Lt(1)],
    settled: Annotated[float, Ge(0), Lt(1)],
    every: Annotated[int, Ge(1)],
    orthogonality: Annotated[float, Ge(0)],
) -> nn.Module:
    """W x + (alpha / rank) B E A x, E diagonal; its least important entries are set to 0 (Zhang et al. 2023,
    arXiv:2303.10512), by PEFT.

    The ranks of all layers together fall from ``first_rank`` to ``rank`` a layer, along a cubic curve between
    ``warmup`` and ``settled``. ``espalier train adapter=adalora``

    Args:
        target: one of the names in the model's ``targets``, or a list of modules by name (``adapter.inject``).
        rank: of a layer in the end, on average.
        first_rank: of each layer in the beginning.
        alpha: the update's scale is alpha / first_rank.
        dropout: on the update's input.
        warmup: share of all steps before ranks begin to fall.
        settled: share of all steps, at the end, in which ranks stay as they are.
        every: steps between two allocations.
        orthogonality: weight of the mean of |A A' - I| and |B' B - I| in the training loss.

    Raises:
        ConfigError: the model has no such layers, PEFT cannot adapt them, training has no end, or the shares leave no
            step for falling.
    """
    if first_rank <= rank:
        truth = f"leaves nothing to take away: each layer has {rank} in the end."
        raise ConfigError(Fault(f"adapter.first_rank={first_rank}", truth, f"Set adapter.first_rank={2 * rank}"))
    first, last = _kept_whole(facts.total_steps, warmup, settled)
    config = AdaLoraConfig(
        target_r=rank,
        init_r=first_rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        tinit=first,
        tfinal=last,
        deltaT=every,
        orth_reg_weight=orthogonality,
        total_step=max(facts.total_steps, 1),
        target_modules=target_modules(backbone, target),
        fan_in_fan_out=transposed(backbone),
    )
    adapted: Any = inject(backbone, config, target)
    adapted.ranks = RankAllocation(adapted.trunk.base_model)
    return backbone


def _kept_whole(steps: int, warmup: float, settled: float) -> tuple[int, int]:
    """Steps at the beginning and at the end in which ranks stay as they are."""
    if steps < 0:
        truth = "takes ranks away along a curve from the first step to the last, and training has no end."
        raise ConfigError(Fault("adapter=adalora", truth, "Set trainer.max_epochs or trainer.max_steps."))
    first, last = round(warmup * steps), round(settled * steps)
    if steps and first >= steps - last:
        truth = f"and adapter.settled={settled} leave none of {steps} steps for ranks to fall."
        raise ConfigError(Fault(f"adapter.warmup={warmup}", truth, "Set smaller ones, or train longer."))
    return first, last


class RankAllocation(nn.Module):
    """When PEFT moves ranks, and what it remembers for that, as buffers: a resumed run goes on exactly.

    Args:
        model: PEFT's, around the trunk.
    """

    of_adapter: ClassVar[bool] = True
    divides: ClassVar[bool] = False  # it keeps the parameters themselves, whose places sharded ones would take

    def __init__(self, model: Any) -> None:
        super().__init__()
        self._model = (model,)  # not a module of this one: its parameters have a name already
        self._config = model.peft_config[model.trainable_adapter_name]
        learning = [(name, p) for name, p in model.model.named_parameters() if "lora_" in name]
        self._names = [name for name, _ in learning]
        self._matrices = [p for name, p in learning if "lora_A" in name or "lora_B" in name]
        self._values = [(name, p) for name, p in learning if "lora_E" in name]
        for i, (_, parameter) in enumerate(learning):
            self.register_buffer(f"importance_{i}", torch.zeros_like(parameter))
            self.register_buffer(f"uncertainty_{i}", torch.zeros_like(parameter))
        for i, (_, value) in enumerate(self._values):
            self.register_buffer(f"kept_{i}", torch.ones(len(value), dtype=torch.bool))
        told: Any = self
        told.register_load_state_dict_post_hook(lambda part, _: part.settle())

    def penalty(self) -> Tensor:
        """weight x the mean over A and B of |P P' - I|, rows of A and columns of B being orthonormal at 0."""
        distances = []
        with torch.autocast(self._matrices[0].device.type, enabled=False):
            for matrix in self._matrices:
                product = matrix @ matrix.T if matrix.shape[0] < matrix.shape[1] else matrix.T @ matrix
                distances.append(torch.linalg.matrix_norm(product - torch.eye(len(product), device=product.device)))
        mean: Tensor = torch.stack(distances).mean()
        return mean * float(self._config.orth_reg_weight)

    @torch.no_grad()
    def after_step(self, step: int, /) -> None:
        """Take up importances from the gradients, and set what is to go to zero."""
        (model,) = self._model
        gradients = [parameter.grad for parameter in (*self._matrices, *(value for _, value in self._values))]
        there = [gradient for gradient in gradients if gradient is not None]
        if len(there) < len(gradients) or not get_total_norm(there).isfinite():
            return  # the step was skipped
        allocator, total = model.rankallocator, self._config.total_step
        self._lend(allocator)
        if step <= total - self._config.tfinal:
            model.update_and_allocate(step)
        self._take_back(allocator)
        for i, (name, value) in enumerate(self._values):
            kept: Tensor = getattr(self, f"kept_{i}")
            if self._config.rank_pattern:
                kept.copy_(torch.tensor(self._config.rank_pattern[name]))
            value.masked_fill_(~kept.unsqueeze(-1), 0.0)

    def exhibits(self, split: str, /) -> Sequence[Exhibit]:
        """Of the weights that are tested: how many entries of E each layer kept; a column for each kind of layer."""
        if split != "test":
            return ()
        ranks = {name: (int(getattr(self, f"kept_{i}").sum()), len(e)) for i, (name, e) in enumerate(self._values)}
        cells: dict[str, dict[str, str]] = {}
        for name, (rank, _) in ranks.items():
            place, kind = _split(name.partition(".lora_E")[0])
            cells.setdefault(place, {})[kind] = str(rank)
        kinds = list(dict.fromkeys(kind for row in cells.values() for kind in row))
        rows = tuple((place, *(row.get(kind, "–") for kind in kinds)) for place, row in cells.items())
        left, first = (sum(pair[which] for pair in ranks.values()) for which in (0, 1))
        note = f"{left} of {first} are left, {left / len(ranks):.1f} a layer."
        return (Table("Ranks", ("layer", *(kind or "rank" for kind in kinds)), rows, note),)

    @torch.no_grad()
    def settle(self) -> None:
        """Let PEFT know which entries of E each layer keeps, since it saves these alone; the others are 0."""
        pattern: dict[str, list[bool]] = {}
        for i, (name, value) in enumerate(self._values):
            kept: Tensor = getattr(self, f"kept_{i}")
            pattern[name] = kept.tolist()
            value.masked_fill_(~kept.unsqueeze(-1), 0.0)
        self._config.rank_pattern = pattern

    def _lend(self, allocator: Any) -> None:
        for i, name in enumerate(self._names):
            allocator.ipt.setdefault(name, None)
            allocator.exp_avg_ipt[name] = getattr(self, f"importance_{i}")
            allocator.exp_avg_unc[name] = getattr(self, f"uncertainty_{i}")

    def _take_back(self, allocator: Any) -> None:
        for i, name in enumerate(self._names):
            if name in allocator.exp_avg_ipt:  # PEFT forgets them once ranks are settled
                getattr(self, f"importance_{i}").copy_(allocator.exp_avg_ipt[name])
                getattr(self, f"uncertainty_{i}").copy_(allocator.exp_avg_unc[name])


def _split(name: str) -> tuple[str, str]:
    """``encoder.layer.3.output.dense`` -> ``encoder.layer.3``, ``output.dense``."""
    place = re.match(r".*?\b\d+(?=\.|$)", name)
    return (place[0], name[place.end() + 1 :]) if place else (name, "")
