"""Sharded data parallel training (torch's FSDP2) whose checkpoints are those of any other run.

Each rank keeps a part of every parameter, of its gradient and of what the optimizer knows of it; a layer is put
together when it computes. A checkpoint holds whole tensors, gathered to the first rank one by one, under the names and
numbers that they have without sharding: it may be resumed with another number of processes, by DDP, on one device.

Importing this makes the strategies known to Lightning: ``Trainer(strategy="sharded")``, ``"sharded_offload"``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch
import torch.distributed as dist
from lightning_fabric.utilities.device_dtype_mixin import _update_properties
from pytorch_lightning.strategies import DDPStrategy, StrategyRegistry
from pytorch_lightning.trainer.states import TrainerFn
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import (
    CPUOffloadPolicy,
    FSDPModule,
    OffloadPolicy,
    fully_shard,
    register_fsdp_forward_method,
)
from torch.distributed.tensor import DTensor, Replicate, distribute_tensor
from torch.optim import Optimizer

from espalier.state.layers import layers_of

_STEPS = ("training_step", "validation_step", "test_step", "predict_step", "exhibits")
_BUCKET = 2**25  # bytes of buffers that are sent together


class ShardedStrategy(DDPStrategy):
    """DDP's processes and launcher, without its copies of the model.

    Args:
        offload: keep parameters and the optimizer's state in main memory, and step there.
    """

    def __init__(self, *, offload: bool = False, **given: Any) -> None:
        # What is offloaded is still summed up over ranks (a gradient's norm), which NCCL does on GPUs alone.
        backend = "cpu:gloo,cuda:nccl" if offload and torch.cuda.is_available() else None
        super().__init__(process_group_backend=backend, **given)
        self.offload = offload
        self._buffers: list[Tensor] = []

    def setup(self, trainer: pl.Trainer) -> None:
        """Shard the model, unless it is; then make the optimizers, of the shards."""
        task = self.lightning_module
        assert self.accelerator is not None and task is not None
        self.accelerator.setup(trainer)
        if not isinstance(task, FSDPModule):
            self.precision_plugin.convert_module(task)
            shard(task, self.root_device, offload=self.offload)
            _update_properties(task, device=self.root_device)  # what it logs is summed up over ranks there
        self._buffers = _persistent_buffers(task)
        self.model = task
        if trainer.state.fn == TrainerFn.FITTING:
            self.setup_optimizers(trainer)
            for optimizer in self.optimizers:
                _unfuse(optimizer)
        self.setup_precision_plugin()

    def training_step(self, *args: Any, **kwargs: Any) -> Any:
        """With the first rank's buffers (BatchNorm's), as DDP does."""
        self._share_buffers()
        return super().training_step(*args, **kwargs)

    def validation_step(self, *args: Any, **kwargs: Any) -> Any:
        """The same."""
        self._share_buffers()
        return super().validation_step(*args, **kwargs)

    def load_optimizer_state_dict(self, checkpoint: Mapping[str, Any]) -> None:
        """Give each rank its part of the whole tensors."""
        for optimizer, state in zip(self.optimizers, checkpoint["optimizer_states"], strict=True):
            optimizer.load_state_dict(_divided(optimizer, state))
            _unfuse(optimizer)

    def save_checkpoint(self, checkpoint: dict[str, Any], filepath: Any, storage_options: Any = None) -> None:
        """Gather what is sharded, wherever in the checkpoint it stands; the first rank writes."""
        super().save_checkpoint(gathered(checkpoint), filepath, storage_options)

    def teardown(self) -> None:
        """Let go of all but the model, which stays where it is: a test may follow."""
        assert self.cluster_environment is not None and self.accelerator is not None
        self.cluster_environment.teardown()
        self.precision_plugin.teardown()
        self.accelerator.teardown()
        self.checkpoint_io.teardown()

    def _share_buffers(self) -> None:
        if self._buffers:
            everyone: Any = dist.group.WORLD
            dist._broadcast_coalesced(everyone, self._buffers, _BUCKET, 0)  # type: ignore[attr-defined]


def strategy_of(*, offload: bool) -> str:
    """Its name, which Lightning knows."""
    return "sharded_offload" if offload else "sharded"


def shard(task: Any, device: torch.device, *, offload: bool = False) -> None:
    """Divide a task's parameters over all ranks, in place: each layer of its trunk, and what is left.

    One layer at a time is on the device as a whole. Afterwards whole tensors may still be loaded into it.
    """
    mesh = init_device_mesh(device.type, (dist.get_world_size(),))
    policy = CPUOffloadPolicy(pin_memory=device.type == "cuda") if offload else OffloadPolicy()
    for layer in layers_of(_trunk(task)):
        fully_shard(layer, mesh=mesh, offload_policy=policy)
    fully_shard(task, mesh=mesh, offload_policy=policy, reshard_after_forward=True)
    for name in _STEPS:
        if callable(getattr(task, name, None)):
            register_fsdp_forward_method(task, name)
    task.register_load_state_dict_pre_hook(_divide_loaded)


def gathered(tree: Any) -> Any:
    """Nested dicts, lists and tuples with whole tensors on the CPU in place of sharded ones; on all ranks.

    On all ranks but the first, sharded tensors become None.
    """
    if isinstance(tree, DTensor):
        whole = tree.full_tensor().detach().cpu()  # on the CPU, of uneven shards, a part of what was gathered
        alone = whole if whole.untyped_storage().nbytes() == whole.nbytes else whole.clone()
        return alone if dist.get_rank() == 0 else None
    if type(tree) in (dict, OrderedDict):
        return {key: gathered(value) for key, value in tree.items()}
    if type(tree) in (list, tuple):
        return type(tree)(gathered(value) for value in tree)
    return tree


def like(parameter: Tensor, whole: Tensor) -> Tensor:
    """A whole tensor as a parameter is: this rank's part of it where that is sharded."""
    if not isinstance(parameter, DTensor) or isinstance(whole, DTensor):
        return whole
    placements = parameter.placements if whole.shape == parameter.shape else [Replicate()]
    there = whole.to(parameter.to_local().device)
    # Every rank has the whole of it: nothing is to be sent.
    return distribute_tensor(there, parameter.device_mesh, placements, src_data_rank=None)


@torch.no_grad()
def local(tensors: list[Tensor]) -> list[Tensor]:
    """What of them lies on this rank, in the same memory: torch's operations on lists take no sharded tensors."""
    return [tensor.to_local() if isinstance(tensor, DTensor) else tensor for tensor in tensors]


def whole(module: nn.Module) -> None:
    """Make a sharded module an ordinary one on the first rank, on the CPU, to be saved; on all ranks.

    It is good for nothing else afterwards, and on other ranks for nothing at all.
    """
    for part in list(module.modules()):
        if isinstance(part, FSDPModule):
            part.reshard()
    made: dict[DTensor, nn.Parameter | None] = {}  # by identity: what has several names keeps them
    for part in list(module.modules()):
        for name, parameter in list(part.named_parameters(recurse=False)):
            if not isinstance(parameter, DTensor):
                continue
            if parameter not in made:
                value = gathered(parameter)
                made[parameter] = None if value is None else nn.Parameter(value, parameter.requires_grad)
            if (ordinary := made[parameter]) is not None:
                part._parameters[name] = ordinary
        if isinstance(part, FSDPModule):
            part.__class__ = type(part).__mro__[2]  # torch made FSDPNet of (FSDPModule, Net)


def _trunk(task: Any) -> nn.Module:
    learner = getattr(task, "learner", task)
    trunk: nn.Module = getattr(learner, "trunk", learner)
    return trunk


def _unfuse(optimizer: Optimizer) -> None:
    """torch's fused step takes shards where it is Adam's; elsewhere (2.13) it refuses them."""
    if not isinstance(optimizer, torch.optim.Adam):  # AdamW is one
        for group in optimizer.param_groups:
            group.update({"fused": False} if group.get("fused") else {})


def _divided(optimizer: Optimizer, state: Mapping[str, Any]) -> dict[str, Any]:
    """The state of an optimizer over whole parameters as that of one over shards."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    numbers = [number for group in state["param_groups"] for number in group["params"]]
    of = dict(zip(numbers, parameters, strict=True))
    divided = {
        number: {name: _part(of[number], value) for name, value in kept.items()}
        for number, kept in state["state"].items()
    }
    return {**state, "state": divided}


def _part(parameter: Tensor, value: Any) -> Any:
    return like(parameter, value) if isinstance(value, Tensor) and value.ndim else value


def _divide_loaded(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    for name, parameter in module.named_parameters(remove_duplicate=False):  # tied weights have several names
        if isinstance(state.get(prefix + name), Tensor):
            state[prefix + name] = like(parameter, state[prefix + name])


def _persistent_buffers(module: nn.Module) -> list[Tensor]:
    saved = module.state_dict().keys()
    return [buffer for name, buffer in module.named_buffers() if name in saved]


StrategyRegistry.register("sharded", ShardedStrategy, "FSDP2, checkpoints of whole tensors")
StrategyRegistry.register("sharded_offload", ShardedStrategy, "the same, parameters in main memory", offload=True)
