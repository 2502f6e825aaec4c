"""A trunk with layers of ours in it or beside it, where PEFT has none: how it is saved, and how others load it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from safetensors.torch import save_file
from torch import nn

_START = "base_model.model."  # before each name, as PEFT has it
_CONFIG, _WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_LOADING = """
{sources}


config = json.load(open("adapter_config.json"))["settings"]
{made}
weights = {{name.removeprefix("{start}"): tensor for name, tensor in load_file("adapter_model.safetensors").items()}}
assert not {name}.load_state_dict(weights, strict=False).unexpected_keys
"""


@dataclass
class Settings:
    """What ``adapter_config.json`` says.

    Attributes:
        kind: takes the place of PEFT's ``peft_type``: PEFT refuses the folder by it.
        settings: by which the parts are made again.
        revision: of the base model; a model sets it when it is saved, as it does with PEFT's.
    """

    is_prompt_learning: ClassVar[bool] = False

    kind: str
    base_model_name_or_path: str
    settings: dict[str, Any]
    revision: str | None = None

    def as_json(self) -> str:
        """In PEFT's layout."""
        base = {"base_model_name_or_path": self.base_model_name_or_path, "revision": self.revision}
        said = {"peft_type": self.kind, "task_type": None, **base, "inference_mode": True, "settings": self.settings}
        return json.dumps(said, indent=2) + "\n"


class Wrapped(nn.Module):
    """A trunk that has learned in a way of ours, which answers a model what PEFT's would: ``peft_config``,
    ``get_base_model``, ``save_pretrained``.

    It has no ``merge_and_unload``: what was learned has no place in the trunk's weights.

    Args:
        model: called in the trunk's place; what requires a gradient in it is what is saved.
        trunk: the model that the adapter began with; it is, or stands in, the other.
        kind: the adapter's name.
        settings: plain values by which its parts are made again.
        parts: classes and functions of plain torch that others need for that; a README shows their source.
        made: the line of Python that does it: ``{name} = Part({name}, **config)``.
    """

    def __init__(
        self, model: nn.Module, trunk: nn.Module, kind: str, settings: dict[str, Any], parts: Sequence[Any], made: str
    ) -> None:
        super().__init__()
        self.model, self._trunk = model, (trunk,)  # in a tuple: its parameters have a name already
        self._parts, self._made = parts, made
        base = str(getattr(trunk, "name_or_path", ""))
        self.peft_config = {"default": Settings(kind.upper(), base, settings)}

    def forward(self, *given: Any, **named: Any) -> Any:
        """As the trunk's."""
        return self.model(*given, **named)

    @property
    def active_peft_config(self) -> Settings:
        """The only one there is."""
        return self.peft_config["default"]

    def get_base_model(self) -> nn.Module:
        """The trunk."""
        return self._trunk[0]

    def save_pretrained(self, folder: Path | str, **_: Any) -> None:
        """``adapter_config.json`` and ``adapter_model.safetensors``: what was trained, and nothing else."""
        learned = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
        state = {f"{_START}{name}": p.detach().contiguous() for name, p in learned.items()}
        save_file(state, Path(folder) / _WEIGHTS, metadata={"format": "pt"})
        (Path(folder) / _CONFIG).write_text(self.active_peft_config.as_json(), encoding="utf-8")

    def loading(self, name: str, /) -> tuple[list[str], str]:
        """Imports, and plain torch that gives the base model of that name what the folder holds; without PEFT."""
        imports = ["import json", "import torch", "from typing import Any"]
        imports += ["from safetensors.torch import load_file", "from torch import Tensor, nn"]
        sources = "\n\n\n".join(inspect.getsource(part).strip() for part in self._parts)
        return imports, _LOADING.format(sources=sources, made=self._made.format(name=name), name=name, start=_START)
