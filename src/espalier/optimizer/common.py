"""What every optimizer has besides its own settings."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from annotated_types import Gt, Le

from espalier.core.bounds import OwnSettings


class Common(TypedDict):
    """Read where the groups are made (``build.groups``); meanings, defaults: ``conf/optimizer/_common.yaml``.

    ``layer_decay`` is that of ELECTRA and BEiT (Clark et al. 2020, arXiv:2003.10555; Bao et al. 2021,
    arXiv:2106.08254): with 0.8 the head learns at ``lr``, the trunk's last layer at 0.8 of it, the one below at 0.64 …
    """

    decay_vectors: bool
    layer_decay: Annotated[float, Gt(0), Le(1)]
    parts: Annotated[dict[str, dict[str, Any]], OwnSettings()]
