"""Nodes that would act if they were called, and a trusted package with holes to try."""

from __future__ import annotations

from typing import Any

CANARY = "canary"
TOUCH = f"touch {CANARY}"
HOSTILE: dict[str, Any] = {
    "os.system": {"_target_": "os.system", "command": TOUCH},
    "posix.system": {"_target_": "posix.system", "command": TOUCH},
    "subprocess": {"_target_": "subprocess.Popen", "args": ["touch", CANARY]},
    "eval": {"_target_": "builtins.eval", "source": f"open('{CANARY}', 'w')"},
    "exec": {"_target_": "builtins.exec", "_args_": [f"open('{CANARY}', 'w')"]},
    "torch.load": {"_target_": "torch.load", "f": "evil.pt", "weights_only": False},
    "torch.hub": {"_target_": "torch.hub.load", "repo_or_dir": ".", "source": "local", "model": "evil"},
    "pickle": {"_target_": "pickle.loads", "data": "x"},
    "numpy": {"_target_": "numpy.load", "file": "evil.npy", "allow_pickle": True},
    "open": {"_target_": "builtins.open", "file": CANARY, "mode": "w"},
    "pathlib": {"_target_": "pathlib.Path.touch", "self": CANARY},
    "partial": {"_target_": "functools.partial", "_args_": [{"_target_": "os.system", "command": TOUCH}]},
    "get_method": {"_target_": "hydra.utils.get_method", "path": "os.system"},
    "hydra.call": {"_target_": "hydra.utils.call", "config": {"_target_": "os.system", "command": TOUCH}},
    "hydra.instantiate": {"_target_": "hydra.utils.instantiate", "config": {"_target_": "os.system", "command": TOUCH}},
    "import_module": {"_target_": "importlib.import_module", "name": "evil"},
    "in a list": [{"_target_": "os.system", "command": TOUCH}],
    "deep": {"a": [{"b": {"c": [[{"_target_": "os.system", "command": TOUCH}]]}}]},
    "module of the package": {"_target_": "my_parts.os.system", "command": TOUCH},
    "re-export of the library": {"_target_": "my_parts.system", "command": TOUCH},
    "re-export renamed": {"_target_": "my_parts.Net", "args": ["touch", CANARY]},
    "alias": {"_target_": "my_parts.alias", "command": TOUCH},
    "star": {"_target_": "my_parts.check_call", "popenargs": ["touch", CANARY]},
    "another package": {"_target_": "my_parts.safe_load", "stream": "x"},
    "method of a class": {"_target_": "my_parts.bag.Bag.make"},
    "replaced at run time": {"_target_": "my_parts.swapped", "command": TOUCH},
    "dunder": {"_target_": "my_parts.__init__.Bag"},
    "dunder attribute": {"_target_": "my_parts.bag.Bag.__class__"},
    "globals": {"_target_": "my_parts.bag.__builtins__.eval"},
    "relative": {"_target_": ".bag.Bag"},
    "two dots": {"_target_": "my_parts..Bag"},
    "empty": {"_target_": ""},
    "one word": {"_target_": "print"},
    "a path": {"_target_": "my_parts/bag.Bag"},
    "look-alike": {"_target_": "оs.system", "command": TOUCH},  # a Cyrillic o
    "full width": {"_target_": "ｏｓ.system", "command": TOUCH},
    "blank": {"_target_": "os.system ", "command": TOUCH},
    "a number": {"_target_": 3},
    "a list as target": {"_target_": ["os.system"]},
    "a mapping as target": {"_target_": {"_target_": "os.system", "command": TOUCH}},
    "null": {"_target_": None},
    "ours, no part": {"_target_": "espalier.core.files.write_atomic", "path": CANARY, "content": "x"},
    "ours, trust": {"_target_": "espalier.config.trust.trust", "package": "os"},
    "ours, hub": {"_target_": "espalier.data.download.from_hub", "name": "x"},
    "ours, run": {"_target_": "espalier.run.fit.run"},
    "ours, process": {"_target_": "espalier.cli.process.become", "directory": "."},
    "ours, import": {"_target_": "espalier.data.csv.Path", "args": []},
    "ours, private": {"_target_": "espalier.data.mnist._read"},
    "ours, root": {"_target_": "espalier.build.assemble.assemble"},
    "args": {"_target_": "espalier.optimizer.adamw.adamw", "_args_": [1]},
    "partial word": {"_target_": "espalier.optimizer.adamw.adamw", "_partial_": True},
    "recursive word": {"_target_": "espalier.optimizer.adamw.adamw", "_recursive_": False},
    "convert word": {"_target_": "espalier.optimizer.adamw.adamw", "_convert_": "all"},
}
BUILT = {  # targets that only appear once references are resolved
    "reference": {"bad": "os.system", "node": {"_target_": "${vars.bad}", "command": TOUCH}},
    "joined": {"a": "os", "b": "system", "node": {"_target_": "${vars.a}.${vars.b}", "command": TOUCH}},
    "decode": {"node": f"${{oc.decode:'{{_target_: os.system, command: {TOUCH}}}'}}"},
    "decode in a list": {"node": [f"${{oc.decode:'{{_target_: os.system, command: {TOUCH}}}'}}"]},
    "create": {"a": {"_target_": "os.system", "command": TOUCH}, "node": {"x": "${oc.create:${vars.a}}"}},
    "select": {"a": {"_target_": "os.system", "command": TOUCH}, "node": "${oc.select:vars.a}"},
}
PACKAGE = {
    "init": """
import os
from os import system
from subprocess import Popen as Net
from subprocess import *
from yaml import safe_load
from .bag import *
from .bag import Bag as Sack, Shell, make_bag
alias = os.system
def swapped(command): ...
swapped = os.system
""",
    "bag": """
import torch.nn as nn
from dataclasses import dataclass
from typing import Annotated
from annotated_types import Ge
class Base:
    def __init__(self, facts, width: Annotated[int, Ge(1)] = 64, *, depth: int = 1):
        self.width = width
class Bag(Base):
    @classmethod
    def make(cls): ...
@dataclass
class Shell:
    facts: object
    width: int
    name: str = "x"
class Leaf(nn.Module):
    def __init__(self, facts, /, *, width: int):
        super().__init__()
def make_bag(facts, width: int = 3):
    return Bag(facts, width)
""",
}
