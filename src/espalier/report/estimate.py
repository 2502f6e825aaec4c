"""What a run is about to need, in a line: memory, time, disk."""

from __future__ import annotations

from dataclasses import dataclass

from espalier.report.quantities import duration, memory


@dataclass(frozen=True)
class Estimate:
    """Bytes and seconds of a run that begins.

    Attributes:
        memory_bytes: at the peak of training, of all processes together; on GPUs of the fullest one. 0: not probed.
        memory_total: what there is: the machine's, or one GPU's. 0: unknown.
        seconds: of training and evaluating that are left; 0: without end, or not probed.
        disk_bytes: checkpoints, model and predictions together.
        disk_free: where they go.
        state_bytes: of the optimizer's state, a part of the memory.
        checkpoint_bytes: of one checkpoint.
        probe_seconds: that the probe took.
    """

    memory_bytes: int
    memory_total: int
    seconds: float
    disk_bytes: int
    disk_free: int
    state_bytes: int
    checkpoint_bytes: int
    probe_seconds: float

    @property
    def fits_memory(self) -> bool:
        """Whether it will, as far as anything is known."""
        return not self.memory_total or self.memory_bytes <= self.memory_total

    @property
    def fits_disk(self) -> bool:
        """Whether it will."""
        return self.disk_bytes <= self.disk_free


def estimate_lines(estimate: Estimate) -> list[str]:
    """``estimate  1.1 GB of 23 GB memory, about 2 min, 190 MB of 60 GB disk``, and a warning where memory is short."""
    parts = [_of(estimate.memory_bytes, estimate.memory_total, "memory")] if estimate.memory_bytes else []
    parts += [f"about {rough(estimate.seconds)}"] if estimate.seconds else []
    parts += [_of(estimate.disk_bytes, estimate.disk_free, "disk")]
    parts += [] if estimate.memory_bytes else ["no probe"]
    lines = [f"estimate  {', '.join(parts)}"]
    if not estimate.fits_memory:
        ways = "trainer.accumulate_grad_batches=2, hardware.gradient_checkpointing=true, or a smaller data.batch_size"
        lines.append(f"warning   it may not fit into memory; less is taken by  {ways}")
    return lines


def _of(need: int, there: int, what: str) -> str:
    return f"{memory(need)} of {memory(there)} {what}" if there else f"{memory(need)} {what}"


def rough(seconds: float) -> str:
    """Without a precision that it does not have: ``5 s``, ``40 s``, ``2 min``, ``3 h``."""
    if seconds < 10:
        return f"{max(1, round(seconds))} s"
    if seconds < 90:
        return f"{round(seconds, -1):.0f} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else duration(seconds)
