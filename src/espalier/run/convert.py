"""``python -m espalier.run.convert FILE FOLDER``: a pickle of tensors as safetensors, read in confinement.

torch's own reader for pickles that may hold tensors and plain values alone (``weights_only``) has had holes of its own
(CVE-2025-32434): so it runs where a hole leads nowhere.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import torch
from safetensors.torch import save, save_file

from espalier.core.errors import EspalierError, Fault, UserError
from espalier.core.interpreter import leave
from espalier.report.faults import fault_lines
from espalier.run.confined import confined

_NESTED = ("state_dict", "model_state_dict", "model", "module", "weights")
_WRAPPERS = ("module.", "_orig_mod.")  # of DistributedDataParallel, torch.compile
_MEMORY, _SECONDS, _RATE = 2**29, 60, 20_000_000
_HEADER = 2**24


def main() -> int:
    """Convert; 0, or 2 with what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m espalier.run.convert", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--prefix", default="")
    given = parser.parse_args()
    to = given.folder / "model.safetensors"
    aside = to.with_name(f".{to.name}.{os.getpid()}.tmp")
    try:
        count = convert(given.file, aside, prefix=given.prefix)
        aside.replace(to)
    except EspalierError as error:
        aside.unlink(missing_ok=True)
        faults = error.faults if isinstance(error, UserError) else [Fault(str(given.file), f"{error}.", _ASK)]
        print("\n".join(fault_lines(faults)), file=sys.stderr)
        return 2
    print(f"{count:,} tensors, {to.stat().st_size / 1e6:,.1f} MB   {to}")
    return 0


def convert(file: Path, to: Path, *, prefix: str = "") -> int:
    """Write the tensors of a state dict, or of a checkpoint that holds one; how many there are.

    The process is confined from here on, and is good for nothing else.

    Args:
        prefix: only tensors whose names begin with it, under the rest of their names.

    Raises:
        UserError: it is no file of torch's, holds something else than tensors, or more of them than it has bytes.
        ConfinedError: it tried to act.
    """
    torch.set_num_threads(1)
    _load(BytesIO(_small()), "itself")  # whatever is imported at the first reading is imported now
    size = file.stat().st_size
    limits = {"memory": 6 * size + _MEMORY, "seconds": _SECONDS + size // _RATE, "writes": 4 * size + _HEADER}
    with file.open("rb") as content, confined(**limits) as confinement:
        try:
            tensors = _whole(_plain(_state(_load(content, str(file)), str(file)), prefix, str(file)), size, str(file))
            confinement.let_write_one()
            save_file(tensors, to, metadata={"format": "pt"})
        except MemoryError:
            raise _too_much(str(file)) from None
        except RuntimeError as error:
            if "allocate memory" not in str(error):
                raise
            raise _too_much(str(file)) from None
    return len(tensors)


_ASK = "Ask whoever made it for safetensors."


def _load(content: IO[bytes], name: str) -> Any:
    try:
        return torch.load(content, map_location="cpu", weights_only=True)
    except (EspalierError, MemoryError):
        raise
    except Exception as error:  # its reader raises whatever the bytes make of it
        said = str(error)
        if "allocate memory" in said:
            raise MemoryError from None
        if found := re.search(r"GLOBAL ([\w.]+)", said):
            truth = f"holds {found[1]}, which is code and no tensor: it was not read further."
            raise UserError(Fault(name, truth, _ASK)) from None
        lines = said.partition("Check the documentation")[0].strip().splitlines() or [type(error).__name__]
        reason = lines[-1].strip()[:200].rstrip(".")
        truth = f"cannot be read as tensors of torch: {reason}."
        raise UserError(Fault(name, truth, _ASK)) from None


def _state(content: Any, name: str) -> Mapping[str, Any]:
    """The state dict: the file's whole content, or what a checkpoint calls so."""
    if isinstance(content, Mapping):
        nested = [key for key in _NESTED if isinstance(content.get(key), Mapping)]
        if nested and not all(isinstance(value, torch.Tensor) for value in content.values()):
            return dict(content[nested[0]])
        if content and all(isinstance(value, torch.Tensor) for value in content.values()):
            return content
        inside = ", ".join(f"{key}: {type(value).__name__}" for key, value in list(content.items())[:4])
        raise UserError(Fault(name, f"holds no state dict, but {{{inside}}}.", f"Name a file of tensors. {_ASK}"))
    raise UserError(Fault(name, f"holds no state dict, but one {type(content).__name__}.", _ASK))


def _plain(state: Mapping[str, Any], prefix: str, name: str) -> dict[str, torch.Tensor]:
    """Names without what wraps them; tensors alone."""
    odd = [f"{key} ({type(value).__name__})" for key, value in state.items() if not _can_be_kept(key, value)]
    if odd:
        truth = f"holds what safetensors cannot keep: {', '.join(odd[:3])}{' …' if len(odd) > 3 else ''}."
        raise UserError(Fault(name, truth, _ASK))
    for wrapper in _WRAPPERS:
        if state and all(key.startswith(wrapper) for key in state):
            state = {key.removeprefix(wrapper): value for key, value in state.items()}
    chosen = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    if not chosen:
        first = ", ".join(list(state)[:3]) or "none at all"
        what = f"--prefix {prefix}" if prefix else name
        raise UserError(Fault(what, f"has no such tensors; there are: {first} ….", ""))
    return chosen


def _can_be_kept(key: Any, value: Any) -> bool:
    kept = isinstance(key, str) and type(value) in (torch.Tensor, torch.nn.Parameter)
    return kept and value.layout == torch.strided and value.device.type == "cpu" and not value.is_quantized


def _whole(tensors: dict[str, torch.Tensor], size: int, name: str) -> dict[str, torch.Tensor]:
    """Each with memory of its own. A tensor may be a view that repeats a few bytes any number of times."""
    total = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if total > 4 * size + _HEADER:
        raise _too_much(name)
    return dict(_copied(tensors))


def _copied(tensors: Mapping[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
    seen: set[int] = set()
    for key, tensor in tensors.items():
        place = tensor.untyped_storage().data_ptr()
        whole = tensor.detach().contiguous()
        yield key, whole.clone() if place in seen and whole.untyped_storage().data_ptr() == place else whole
        seen.add(place)


def _too_much(name: str) -> UserError:
    return UserError(Fault(name, "would take many times the memory that it takes on disk.", _ASK))


def _small() -> bytes:
    to = BytesIO()
    torch.save({"state_dict": {"a": torch.zeros(2), "b": torch.nn.Parameter(torch.ones(1, dtype=torch.bfloat16))}}, to)
    save({"a": torch.zeros(2)})
    return to.getvalue()


if __name__ == "__main__":
    leave(main())
