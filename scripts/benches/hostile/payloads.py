"""What would act if it were called: nodes, texts of YAML, and the package and files that they reach for."""
# tables of cases, a line each

from __future__ import annotations

import importlib.util
import pickle
from pathlib import Path
from typing import Any

from benches.machine import ROOT

CANARY = "canary"


def tests_module(*place: str) -> Any:
    """A module of the tests, whose examples are stated there once: ``tests_module("config", "hostile")``."""
    file = ROOT.joinpath("tests", *place).with_suffix(".py")
    spec = importlib.util.spec_from_file_location(f"tests_{'_'.join(place)}", file)
    if spec is None or spec.loader is None:
        raise ImportError(str(file))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_NODES = tests_module("config", "hostile")
TOUCH: str = _NODES.TOUCH
_OWN = (
    "torch.os.system",
    "torch.serialization.os.system",
    "transformers.utils.os.system",
    "yaml.os.system",
    "numpy.os.system",
    "logging.os.system",
    "espalier.cli.process.os.system",
    "espalier.core.files.os.system",
)
_MORE: dict[str, Any] = {
    **{target: {"_target_": target, "command": TOUCH} for target in _OWN},
    "subprocess.run": {"_target_": "subprocess.run", "args": ["touch", CANARY]},
    "subprocess.call, by place": {"_target_": "subprocess.call", "_args_": [["touch", CANARY]]},
    "os.popen": {"_target_": "os.popen", "cmd": TOUCH},
    "shutil": {"_target_": "shutil.copyfile", "src": "evil.py", "dst": CANARY},
    "runpy": {"_target_": "runpy.run_path", "path_name": "evil.py"},
    "timeit": {"_target_": "timeit.timeit", "stmt": f"open('{CANARY}', 'w')", "number": 1},
    "pydoc": {"_target_": "pydoc.locate", "path": "evil.x"},
    "webbrowser": {"_target_": "antigravity.geohash", "latitude": 1, "longitude": 1, "datedow": "x"},
    "joblib": {"_target_": "joblib.load", "filename": "evil.pkl"},
    "pandas": {"_target_": "pandas.read_pickle", "filepath_or_buffer": "evil.pkl"},
    "pandas.eval": {"_target_": "pandas.eval", "expr": "@__import__('os').system('touch canary')"},
    "torch.jit": {"_target_": "torch.jit.load", "f": "evil.pt"},
    "extension": {"_target_": "torch.utils.cpp_extension.load", "name": "x", "sources": ["evil.cpp"]},
    "transformers": {
        "_target_": "transformers.AutoModel.from_pretrained",
        "_args_": ["./remote"],
        "trust_remote_code": True,
    },
    "lightning": {"_target_": "pytorch_lightning.LightningModule.load_from_checkpoint", "checkpoint_path": "evil.ckpt"},
    "yaml": {"_target_": "yaml.unsafe_load", "stream": f"!!python/object/apply:os.system ['{TOUCH}']"},
    "sqlite": {"_target_": "sqlite3.connect", "database": CANARY},
    "urllib": {"_target_": "urllib.request.urlopen", "url": "http://127.0.0.1:9/"},
    "socket": {"_target_": "socket.create_connection", "address": ["127.0.0.1", 9]},
    "stranger's package": {"_target_": "evil.act"},
    "stranger's class": {"_target_": "evil.Net"},
    "partial of Hydra": {"_target_": "os.system", "_partial_": True, "command": TOUCH},
    "within a part of ours": {
        "_target_": "espalier.optimizer.adamw.adamw",
        "lr": {"_target_": "os.system", "command": TOUCH},
    },
    "attributes of an object": {"_target_": "my_parts.bag.Bag.make.__globals__"},
    "property": {"_target_": "my_parts.bag.Bag.width.fget"},
}
# The one whose source is harmless and whose object is not is refused as it is made: tests/config/test_gate.py.
NODES: dict[str, Any] = {
    **{name: node for name, node in _NODES.HOSTILE.items() if name != "replaced at run time"},
    **_MORE,
}
BUILT: dict[str, Any] = _NODES.BUILT

TAGS = (
    f'!!python/object/apply:os.system ["{TOUCH}"]',
    f'!!python/object/new:os.system ["{TOUCH}"]',
    '!!python/name:os.system ""',
    '!!python/module:evil ""',
    "!!python/object:evil.Net {}",
    f'!!python/object/apply:subprocess.Popen [["touch", "{CANARY}"]]',
    f"!!python/object/apply:eval [\"open('{CANARY}','w')\"]",
    "!!python/tuple [1]",
    "!!python/bytes x",
    "!!python/complex 1",
    "!<tag:yaml.org,2002:python/object/apply:os.system> [x]",
    "!evil x",
    "!include evil.yaml",
    "!!binary canary",
    "!!set {a, b}",
    "!!omap [a: 1]",
)


def lay_out(folder: Path) -> None:
    """A stranger's folder: a package that is trusted by its name, one that is not, pickles that act."""
    parts = folder / "my_parts"
    parts.mkdir(parents=True)
    (parts / "__init__.py").write_text(_NODES.PACKAGE["init"])
    (parts / "bag.py").write_text(_NODES.PACKAGE["bag"])
    act = f"open({CANARY!r}, 'w').close()\n"
    (folder / "evil.py").write_text(f"{act}class Net: ...\ndef act(): ...\ndependencies = []\n")
    (folder / "hubconf.py").write_text(f"{act}def evil(): ...\n")
    for name in ("evil.pt", "evil.pkl", "evil.ckpt", "evil.npy"):
        (folder / name).write_bytes(pickled(f"touch {CANARY}"))
    remote = folder / "remote"
    remote.mkdir()
    (remote / "config.json").write_text(
        '{"model_type": "evil", "auto_map": {"AutoConfig": "code.C", "AutoModel": "code.M"}}'
    )
    (remote / "code.py").write_text(f"open('{folder / CANARY}', 'w').close()\nclass C: ...\nclass M: ...\n")


class _Acts:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        import os

        return os.system, (self.command,)


def pickled(command: str, protocol: int = 2) -> bytes:
    """A pickle that runs a shell's command as it is read."""
    return pickle.dumps(_Acts(command), protocol)
