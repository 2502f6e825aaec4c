"""The keys that every hardware option has; their meanings and defaults stand in ``conf/hardware/_common.yaml``."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from espalier.core.bounds import Needs
from espalier.hardware.threads import Threads


class Common(TypedDict):
    """CPU threads; how the model computes, which ``build.placed`` sees to; what a sweep does when memory runs out."""

    threads: Threads
    compile: Annotated[bool, Needs("compiler")]
    gradient_checkpointing: bool
    attention: Literal["sdpa", "eager", "flash_attention_2"] | None
    oom: Literal["fail", "halve"]


class Computing(TypedDict):
    """The part of them that a ``Placement`` takes over as it is."""

    compile: bool
    gradient_checkpointing: bool
    attention: str | None


def computing(common: Common) -> Computing:
    """How the model computes, for ``Placement(…, **computing(common))``."""
    return Computing(
        compile=common["compile"],
        gradient_checkpointing=common["gradient_checkpointing"],
        attention=common["attention"],
    )
