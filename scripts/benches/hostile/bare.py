"""The same words through a bare Hydra app, which composes and calls what its config names, as apps do."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hydra
from omegaconf import OmegaConf

from benches.hostile.configs import OWN, Case
from benches.hostile.watch import Tried, tried
from benches.machine import ROOT


def tried_bare(case: Case, folder: Path) -> Tried:
    """What came of it; its own log files are no act."""
    return tried(
        lambda: _app(case), folder, writable=[folder / "outputs", folder / "multirun"], light=False, seconds=20
    )


def _app(case: Case) -> int:
    words = list(case.words)
    if words[:2] == ["train", "--rerun"]:  # an app of another kind: it reads a config that was saved
        config = OmegaConf.load("run/config.yaml")
        return _call(config, case.keys)
    own = words.index("--config-dir") if "--config-dir" in words else None
    options = words[1:] if own is None else [*words[1:own], *words[own + 2 :]]
    root = Path(OWN) if Path(OWN, "train.yaml").exists() else ROOT / "conf"
    beside = [] if own is None else ["--config-dir", str(Path(OWN).absolute())]
    added = [f"+{word}" if word.startswith("vars.") else word for word in options]
    sys.argv = ["app.py", *beside, *added, "hydra.run.dir=outputs", "hydra.output_subdir=null"]

    @hydra.main(config_path=str(root.absolute()), config_name="train", version_base="1.3")
    def app(config: Any) -> None:
        _call(config, case.keys)

    app()
    return 0


def _call(config: Any, keys: Sequence[str]) -> int:
    for key in keys:
        node = OmegaConf.select(config, key)
        if OmegaConf.is_config(node):
            hydra.utils.instantiate(node)
    return 0
