"""``callback/throughput``: what training costs."""

from __future__ import annotations

import resource
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from espalier.callback.stopwatch import Stopwatch
from espalier.core.parts import RunInfo
from espalier.state.idle_hooks import without_idle_hooks
from espalier.state.ranks import gather_objects


@dataclass(frozen=True)
class Usage:
    """Seconds of training, seconds of all devices, rows and unpadded tokens of all ranks, bytes at the peak."""

    seconds: float = 0.0
    device_seconds: float = 0.0
    samples: int = 0
    tokens: int = 0
    memory: int = 0

    def after(self, earlier: Usage) -> Usage:
        """Of two processes, one after the other."""
        return Usage(
            self.seconds + earlier.seconds,
            self.device_seconds + earlier.device_seconds,
            self.samples + earlier.samples,
            self.tokens + earlier.tokens,
            max(self.memory, earlier.memory),
        )


@without_idle_hooks
class Throughput(pl.Callback):
    """Adds up seconds, samples and tokens of training batches, over resumes and ranks; knows the peak of memory.

    Validation, saving of checkpoints and set-up are not counted; the loading of batches is. Memory on a GPU is what
    torch allocated on the fullest one; on CPUs it is the resident memory of all ranks' processes together.
    A run that ends by an error or a signal counts its own rank for all.

    Attributes:
        usage: as of the last checkpoint or the end of training.
    """

    def __init__(self, _run: RunInfo, /) -> None:
        self._earlier = Usage()
        self._watch = Stopwatch()
        self._samples = self._tokens = 0
        self._device = torch.device("cpu")
        self.usage = Usage()

    def cost(self) -> dict[str, float]:
        """The fields of ``core.outcome.Cost`` that it knows."""
        usage = self.usage
        return {
            "train_seconds": usage.seconds,
            "device_seconds": usage.device_seconds,
            "samples_per_second": usage.samples / usage.seconds if usage.seconds else 0.0,
            "tokens_per_second": usage.tokens / usage.seconds if usage.seconds else 0.0,
            "peak_memory_bytes": usage.memory,
        }

    def on_train_start(self, _: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Know where memory is to be looked at."""
        self._device = pl_module.device

    def on_train_batch_start(self, *given: Any) -> None:
        """Count: ``given`` is trainer, module, batch, index."""
        batch = given[2]
        self._watch.go()
        self._samples += batch["samples"]
        self._tokens += batch["tokens"]

    def on_validation_start(self, *_: Any) -> None:
        """Stand until the next training batch."""
        self._pause()

    def on_train_epoch_end(self, *_: Any) -> None:
        """Stand until the next training batch."""
        self._pause()

    def on_train_end(self, *_: Any) -> None:
        """Sum up over ranks."""
        self._sum_up(gather_objects(self._here()))

    def on_exception(self, trainer: pl.Trainer, *_: Any) -> None:
        """Sum up without the other ranks, which may not be there any more."""
        self._sum_up([self._here()] * trainer.world_size)

    def state_dict(self) -> dict[str, Any]:
        """What was used so far. All ranks save together, so it may ask them; until the next batch, the watch stands."""
        self._sum_up(gather_objects(self._here()))
        return asdict(self.usage)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on adding to what was used before."""
        self._earlier = self.usage = Usage(**state_dict)

    def _here(self) -> Usage:
        self._pause()
        seconds = self._watch.seconds
        return Usage(seconds, seconds, self._samples, self._tokens, peak_memory(self._device))

    def _pause(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)  # what was launched is part of training
        self._watch.pause()

    def _sum_up(self, ranks: list[Usage]) -> None:
        together = max if self._device.type == "cuda" else sum
        here = Usage(
            max(rank.seconds for rank in ranks),
            sum(rank.device_seconds for rank in ranks),
            sum(rank.samples for rank in ranks),
            sum(rank.tokens for rank in ranks),
            together(rank.memory for rank in ranks),
        )
        self.usage = here.after(self._earlier)


def peak_memory(device: torch.device) -> int:
    """Bytes at the peak: allocated on a GPU, else resident in this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    status = Path("/proc/self/status")
    if status.exists():  # getrusage begins with the peak of the process that started this one
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
