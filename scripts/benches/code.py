"""What a run's figures depend on: its composed config, and the code that config leads to."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import grimp

from benches.machine import ROOT
from espalier.config.compose import compose

RUN = "espalier.run.__main__"  # what a run's process executes; it knows no part but by the config


def digest_of(words: str) -> str:
    """sha256 over the config of a run on a CPU and all modules that it may import.

    Comments, options that it does not choose, and trackers, which take no part, are not among it.

    Args:
        words: of its command line, ``experiment=sst2_lora``.
    """
    values = _composed(words)
    content = hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode())
    for module in sorted(_reached(values)):
        content.update(module.encode() + b"\0" + meaning(module))
    return content.hexdigest()


def modules_of(words: str) -> set[str]:
    """Dotted names of our modules that a run of these words may import."""
    return _reached(_composed(words))


def _composed(words: str) -> dict[str, Any]:
    return compose([*words.split(), "hardware=cpu", "tracking=none"]).values


def _reached(values: Mapping[str, Any]) -> set[str]:
    first = {RUN, *(target.rpartition(".")[0] for target in _targets(values) if target.startswith("espalier."))}
    return first.union(*map(_imported, first))


def _targets(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        yield from (str(value) for key, value in node.items() if key == "_target_")
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            yield from _targets(inner)


@cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph("espalier", exclude_type_checking_imports=True)


@cache
def _imported(module: str) -> frozenset[str]:
    return frozenset(_graph().find_upstream_modules(module))


@cache
def meaning(module: str) -> bytes:
    """A module's syntax tree: its text without comments and spaces."""
    return ast.dump(ast.parse(file_of(module).read_bytes())).encode()


def file_of(module: str) -> Path:
    """Where a module's text is."""
    path = ROOT.joinpath("src", *module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
