"""``trainer=default``: the arguments of Lightning's Trainer that an experiment chooses, under Lightning's names."""

from typing import Annotated, Any

from annotated_types import Ge, Gt, Le

Batches = Annotated[int, Ge(1)] | Annotated[float, Gt(0), Le(1)]


def default(
    *,
    max_epochs: Annotated[int, Ge(-1)],
    max_steps: Annotated[int, Ge(-1)],
    accumulate_grad_batches: Annotated[int, Ge(1)],
    gradient_clip_val: Annotated[float, Gt(0)] | None,
    limit_train_batches: Batches,
    limit_val_batches: Batches,
    log_every_n_steps: Annotated[int, Ge(1)],
) -> dict[str, Any]:
    """See https://lightning.ai/docs/pytorch/stable/common/trainer.html for each. -1 is without end."""
    return dict(locals())
