"""The precision that a machine is quick at: asked of a GPU, measured on a CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import perf_counter

import torch

from espalier.core.errors import ConfigError, Fault
from espalier.core.files import read_json, write_json
from espalier.core.home import cache
from espalier.core.machine import cpu_name, probe
from espalier.core.quantities import times_as_fast

_WORTH = 1.5  # autocast has a price outside of multiplications: a CPU must be clearly quicker
_SHAPE = (512, 384, 1536)  # rows, features in and out: a small encoder's widest layer
_ROUNDS = 4
_HOPELESS = 1 / 4  # what is emulated takes ten times as long: one round tells it, four would take seconds
_MEASURED = "bf16.json"


def chosen(precision: str, asked: Callable[[], tuple[str, str]]) -> tuple[str, str]:
    """What is set, ``""``; or for ``auto`` what a machine answers when it is asked, and why."""
    if precision != "auto":
        return precision, ""
    found, why = asked()
    return found, why or "the GPUs have bf16"


def of_several() -> tuple[str, str]:
    """fp32: CPU processes that each measure for themselves might come to different answers; and why."""
    return "32-true", "fp32 for several processes on CPUs"


def of_mps() -> tuple[str, str]:
    """fp32; and why."""
    return "32-true", "fp32 on Apple's GPUs"


def of_shards() -> tuple[str, str]:
    """As ``of_gpus``, but for fp16: a sharded model's gradients are not scaled."""
    found, why = of_gpus()
    return (found, why) if found == "bf16-mixed" else ("32-true", why)


def of_gpus() -> tuple[str, str]:
    """bf16 where every visible GPU can (compute capability 8: Ampere and later), else fp16; and why.

    bf16 has the range of fp32, so that nothing is to be scaled; before Ampere it is emulated.

    Raises:
        ConfigError: torch can use none of the machine's GPUs.
    """
    if not (capabilities := gpu_capabilities()):
        truth = "cannot use the GPUs of this machine: torch was built without CUDA, or the driver is too old for it."
        raise ConfigError(Fault("torch", truth, "See:  espalier doctor"))
    lowest = min(capabilities)
    chosen = "bf16-mixed" if lowest >= (8, 0) else "16-mixed"
    return chosen, "" if chosen == "bf16-mixed" else f"compute capability {lowest[0]}.{lowest[1]} has no bf16"


def gpu_capabilities() -> list[tuple[int, int]]:
    """Of each visible NVIDIA GPU that torch can use."""
    if not torch.cuda.is_available():
        return []
    return [torch.cuda.get_device_capability(i) for i in range(torch.cuda.device_count())]


def of_cpu() -> tuple[str, str]:
    """bf16 where the CPU has instructions for it and was measured to be quicker by them, else fp32; and why."""
    if not probe().bf16:
        return "32-true", "this CPU has no bf16"
    times = bf16_speed()
    return ("bf16-mixed" if times >= _WORTH else "32-true"), f"bf16: {times_as_fast(times)} fp32 here"


def bf16_speed() -> float:
    """How many times as quick as in fp32 a dense layer is in bf16 autocast, forward and backward.

    Measured once (0.1 s; 0.5 s where bf16 is emulated) for a CPU and a version of torch; kept in
    ``core.home.cache()``.
    """
    key = f"{cpu_name()}, torch {torch.__version__}, {' x '.join(map(str, _SHAPE))}"
    file = cache() / _MEASURED
    known: dict[str, float] = {}
    with suppress(OSError, ValueError):
        known = dict(read_json(file))
    if key not in known:
        with _one_thread():
            known[key] = _measure()
        with suppress(OSError):  # a cache that cannot be written costs the time again
            file.parent.mkdir(parents=True, exist_ok=True)
            write_json(file, known)
    return float(known[key])


def _measure() -> float:
    """By turns, so that what else runs slows down both; of each the quickest; no more once bf16 has lost by far."""
    rows, features, outputs = _SHAPE
    generator = torch.Generator().manual_seed(0)
    given, weight = (torch.randn(n, features, generator=generator).requires_grad_() for n in (rows, outputs))
    best = {False: float("inf"), True: float("inf")}
    for bf16 in (False, True) * _ROUNDS:
        began = perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            product = torch.nn.functional.linear(given, weight)
        torch.autograd.grad(product.float().sum(), [given, weight])
        best[bf16] = min(best[bf16], perf_counter() - began)
        if best[False] < _HOPELESS * best[True] < float("inf"):
            break
    return round(best[False] / best[True], 2)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Whoever else computes here disturbs one thread least: several wait for the slowest."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def measured() -> dict[str, object]:
    """What ``espalier doctor`` tells of torch here, as plain values."""
    able = enumerate(gpu_capabilities())  # not device_count(), which counts those that a driver is too old for
    gpus = [f"{torch.cuda.get_device_name(i)}, compute capability {c[0]}.{c[1]}" for i, c in able]
    chosen, why = of_gpus() if gpus else of_cpu()
    return {
        "threads": torch.get_num_threads(),
        "gpus": gpus,
        "bf16_speed": bf16_speed(),
        "chosen": f"{chosen} ({why})" if why else chosen,
    }
