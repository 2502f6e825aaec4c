"""The precision that a machine is quick at: asked of a GPU, measured on a CPU."""

from __future__ import annotations

import json
from contextlib import suppress
from time import perf_counter

import torch

from espalier.core.files import write_json
from espalier.core.home import cache
from espalier.core.machine import cpu_name, probe

_WORTH = 1.2  # autocast has a price outside of multiplications: a CPU must be clearly quicker
_SECONDS = 0.025  # of measuring each precision
_MEASURED = "bf16.json"


def of_gpus() -> tuple[str, str]:
    """bf16 where every visible GPU can (compute capability 8: Ampere and later), else fp16; and why.

    bf16 has the range of fp32, so that nothing is to be scaled; before Ampere it is emulated.
    """
    lowest = min(gpu_capabilities())
    chosen = "bf16-mixed" if lowest >= (8, 0) else "16-mixed"
    return chosen, "" if chosen == "bf16-mixed" else f"compute capability {lowest[0]}.{lowest[1]} has no bf16"


def gpu_capabilities() -> list[tuple[int, int]]:
    """Of each visible NVIDIA GPU."""
    return [torch.cuda.get_device_capability(i) for i in range(torch.cuda.device_count())]


def of_cpu() -> tuple[str, str]:
    """bf16 where the CPU has AMX and bf16 was measured to be quicker here, else fp32; and why."""
    if not probe().amx:
        return "32-true", "no AMX"
    times = bf16_speed()
    return ("bf16-mixed" if times >= _WORTH else "32-true"), f"bf16: {times:.1f} times fp32 here"


def bf16_speed() -> float:
    """How many times as quick as in fp32 a dense layer is in bf16 autocast, forward and backward.

    Measured once (50 ms) for a CPU, a number of threads and a version of torch, and kept in ``core.home.cache()``.
    """
    file, key = cache() / _MEASURED, f"{cpu_name()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    known: dict[str, float] = {}
    with suppress(OSError, ValueError):
        known = dict(json.loads(file.read_text()))
    if key not in known:
        known[key] = round(_seconds(torch.float32) / _seconds(torch.bfloat16), 2)
        with suppress(OSError):  # a cache that cannot be written costs the time again
            file.parent.mkdir(parents=True, exist_ok=True)
            write_json(file, known)
    return float(known[key])


def _seconds(precision: torch.dtype) -> float:
    """Of a 512 x 768 x 768 layer: the quickest of several, since whatever else runs only slows down."""
    generator = torch.Generator().manual_seed(0)
    rows, weight = (torch.randn(size, 768, generator=generator).requires_grad_() for size in (512, 768))
    best, until, done = float("inf"), perf_counter() + _SECONDS, 0
    while done < 3 or perf_counter() < until:
        began = perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision is torch.bfloat16):
            product = torch.nn.functional.linear(rows, weight)
        torch.autograd.grad(product.float().sum(), [rows, weight])
        best, done = min(best, perf_counter() - began), done + 1
    return best


def measured() -> dict[str, object]:
    """What ``espalier doctor`` tells of torch here, as plain values."""
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    gpus = [f"{name}, compute capability {c[0]}.{c[1]}" for name, c in zip(names, gpu_capabilities(), strict=True)]
    chosen, why = of_gpus() if gpus else of_cpu()
    return {
        "threads": torch.get_num_threads(),
        "gpus": gpus,
        "bf16_speed": bf16_speed(),
        "chosen": f"{chosen} ({why})" if why else chosen,
    }
