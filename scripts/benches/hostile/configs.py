"""Hostile configs: what would act, at every place where a config, a word or a handed-over directory can say it."""
# tables of cases, a line each

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from benches.hostile.payloads import BUILT, NODES
from espalier.config.compose import compose

# A small experiment that any machine can compose.
BASE = ("data=digits", "model=mlp", "adapter=full", "tracking=none", "hardware=cpu", "callback=[]")
OWN = "own"  # the stranger's folder of options


@dataclass(frozen=True)
class Case:
    """One try.

    Attributes:
        name: place and payload.
        lay: writes its files into an empty folder.
        words: of the command line.
        keys: nodes that a plain Hydra app would instantiate of the same words; none: it has no like of that place.
        refused: whether Espalier must say no; else it must only do nothing that is hostile.
    """

    name: str
    lay: Callable[[Path], None]
    words: tuple[str, ...]
    keys: tuple[str, ...] = ()
    refused: bool = True


Files = Mapping[str, Any]


def cases() -> list[Case]:
    """All of them, names unique."""
    from benches.hostile import texts  # which builds on this module's records

    found = [*_nodes(), *_built(), *_runs(), *_words(), *_sweeps(), *texts.cases()]
    assert len({case.name for case in found}) == len(found)
    return found


def files_case(
    name: str, files: Files, words: tuple[str, ...], keys: tuple[str, ...] = (), *, refused: bool = True
) -> Case:
    """Of files (path -> text, bytes, or content of a YAML) and words."""
    return Case(name, lambda folder: write(folder, files), words, keys, refused)


def write(folder: Path, files: Files) -> None:
    """Write texts, bytes and YAML trees below a folder."""
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content if isinstance(content, str) else dumped(content), encoding="utf-8")


def dumped(tree: Any) -> str:
    return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)


def preset(tree: Any) -> Files:
    """``experiment=theirs`` with this content."""
    return {f"{OWN}/experiment/theirs.yaml": "# @package _global_\n" + dumped(tree)}


THEIRS = ("train", "--config-dir", OWN, *BASE, "experiment=theirs")


def _nodes() -> Iterator[Case]:
    trees: dict[str, tuple[Callable[[Any], Any], str]] = {
        "vars": (lambda node: {"vars": {"x": node}}, "vars"),
        "callback": (lambda node: {"callback": {"x": node}}, "callback.x"),
        "list of lists": (lambda node: {"vars": {"x": [[{"y": [node]}]]}}, "vars.x"),
        "optimizer.parts": (lambda node: {"optimizer": {"parts": {"x": node}}}, "optimizer.parts"),
        "tracking": (lambda node: {"tracking": {"x": node}}, "tracking.x"),
        "under a setting": (lambda node: {"trainer": {"max_epochs": node}}, "trainer.max_epochs"),
    }
    for name, node in NODES.items():
        for place, (tree, key) in trees.items():
            yield files_case(f"{place}: {name}", preset(tree(node)), THEIRS, (key,))
        yield files_case(
            f"--cfg: {name}", preset({"vars": {"x": node}}), (*THEIRS, "--cfg", "job", "--resolve"), refused=False
        )
        yield files_case(
            f"explain: {name}",
            preset({"vars": {"x": node}}),
            ("explain", "optimizer.lr", "--config-dir", OWN, *BASE, "experiment=theirs"),
            refused=False,
        )
        if isinstance(node, dict):
            yield files_case(
                f"option: {name}",
                {f"{OWN}/scheduler/theirs.yaml": node},
                ("train", "--config-dir", OWN, *BASE, "scheduler=theirs"),
                ("scheduler",),
            )
            yield files_case(
                f"shadow: {name}",
                {f"{OWN}/optimizer/adamw.yaml": node},
                ("train", "--config-dir", OWN, *BASE),
                ("optimizer",),
            )
            yield files_case(
                f"hydra.callbacks: {name}", preset({"hydra": {"callbacks": {"x": node}}}), THEIRS, ("vars",)
            )
            yield files_case(f"hydra.launcher: {name}", preset({"hydra": {"launcher": node}}), THEIRS, ("vars",))


def _built() -> Iterator[Case]:
    for name, tree in BUILT.items():
        content = {"vars": tree, "optimizer": {"parts": {"x": "${vars.node}"}}}
        yield files_case(f"built, parts: {name}", preset(content), THEIRS, ("optimizer.parts",))
        yield files_case(f"built, vars: {name}", preset({"vars": tree}), THEIRS, ("vars",))
        yield files_case(
            f"built, callback: {name}",
            preset({"vars": tree, "callback": {"x": "${vars.node}"}}),
            THEIRS,
            ("callback.x",),
        )
        yield files_case(f"built, --rerun: {name}", run_files({"vars": tree}), ("train", "--rerun", "run"), ("vars",))


def _words() -> Iterator[Case]:
    for name, node in NODES.items():
        word = f"vars.x={flow(node)}"
        yield Case(f"word: {name}", _nothing, ("train", *BASE, word), ("vars",))
        yield Case(f"word of -m: {name}", _nothing, ("train", "-m", *BASE, "seed=0,1", word))
        yield Case(f"swept: {name}", _nothing, ("train", "-m", *BASE, f"vars.x={flow(node)},1"))
        yield Case(f"plan: {name}", _nothing, ("sweep", "plan", *BASE, "seed=0,1", word))
        if isinstance(node, dict) and isinstance(node.get("_target_"), str):
            target = flow(node["_target_"])
            yield Case(
                f"optimizer._target_: {name}",
                _nothing,
                ("train", *BASE, f"optimizer._target_={target}"),
                refused=not node["_target_"].startswith("espalier.optimizer."),  # by itself it is an optimizer
            )
            yield Case(
                f"launcher._target_: {name}",
                _nothing,
                ("train", "-m", *BASE, "seed=0,1", f"launcher._target_={target}"),
            )
            yield Case(
                f"search._target_: {name}", _nothing, ("train", "-m", *BASE, "seed=0,1", f"search._target_={target}")
            )


def _runs() -> Iterator[Case]:
    commands: dict[str, tuple[tuple[str, ...], str, bool]] = {
        "--resume": (("train", "--resume", "run"), "interrupted", True),
        "--rerun": (("train", "--rerun", "run", "seed=1"), "done", True),
        "evaluate": (("evaluate", "run=run"), "done", True),
        "predict": (("predict", "run=run", "input=rows.csv", "output=out.csv"), "done", True),
        "compare": (("compare", "run", "other"), "done", False),
        "report": (("report", "run", "output=outputs/page.html"), "done", False),
    }
    for name, node in NODES.items():
        for place, (words, status, refused) in commands.items():
            files = {**run_files({"vars": {"x": node}}, status=status), "rows.csv": "text\na\n"}
            if place == "compare":
                files |= run_files({}, "other")
            yield files_case(f"{place}: {name}", files, words, ("vars",) if place == "--rerun" else (), refused=refused)
        said = [f"vars.x={flow(node)}"]
        yield files_case(
            f"its words: {name}", run_files({}, overrides=said), ("train", "--rerun", "run", "scheduler=linear")
        )
    folders = [
        {"config_dirs": [place]} for place in (f"./{OWN}", "..", "/", "/proc/self/root", "\0", "pkg://evil", "http://x")
    ]
    for number, folder in enumerate(folders):
        yield files_case(
            f"its folders: {number}",
            run_files({}, **folder),
            ("train", "--rerun", "run", "scheduler=linear"),
            refused=False,
        )


def _sweeps() -> Iterator[Case]:
    for name, node in NODES.items():
        word = f"vars.x={flow(node)}"
        yield files_case(f"sweep resume: {name}", sweep_files([*BASE, word, "seed=0,1"]), ("sweep", "resume", "swept"))
        own = {f"{OWN}/optimizer/adamw.yaml": node if isinstance(node, dict) else {"x": node}}
        yield files_case(
            f"sweep's options: {name}",
            {**own, **sweep_files([*BASE, "seed=0,1"], config_dirs=[OWN])},
            ("sweep", "resume", "swept"),
        )
        yield files_case(
            f"space: {name}",
            {f"{OWN}/space/optimizer/adamw.yaml": {"lr": node, "betas": flow(node)}},
            ("sweep", "plan", "--config-dir", OWN, *BASE, "sweep=tpe"),
        )
    for verb in ("status", "best", "report", "stop", "optuna", "retry"):
        more = ("--failed",) if verb == "retry" else ()
        for number, line in enumerate(_EVENTS):
            files = {
                **sweep_files([*BASE, f"vars.x={flow(NODES['os.system'])}", "seed=0,1"]),
                "swept/record.jsonl": line,
            }
            yield files_case(f"record, {verb}: {number}", files, ("sweep", verb, "swept", *more), refused=False)


_EVENTS = (
    "",
    "{}\n",
    "[]\n",
    "3\n",
    '{"event": "planned", "trial": {"_target_": "os.system"}}\n',
    "[" * 100_000 + "\n",
    '{"event": "planned", "trial": "../../../canary", "configuration": 0, "point": {}, "seed": 0, "words": []}\n',
    '{"event": "running", "trial": 7, "slot": "x", "handle": {"pid": 1}}\n',
    "\xff\xfe\n",
    '{"event": "__class__", "trial": 0}\n',
)


def flow(node: Any) -> str:
    """A value as Hydra's grammar writes it."""
    if isinstance(node, Mapping):
        return "{" + ",".join(f"{key}:{flow(value)}" for key, value in node.items()) + "}"
    if isinstance(node, list):
        return "[" + ",".join(map(flow, node)) + "]"
    if isinstance(node, str):
        escaped = node.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    return "null" if node is None else str(node).lower()


@cache
def _config() -> str:
    tree: Any = OmegaConf.to_container(compose(BASE).config)
    return json.dumps(tree)


def run_files(
    change: Mapping[str, Any],
    place: str = "run",
    *,
    status: str = "done",
    overrides: list[str] | None = None,
    config_dirs: list[str] | None = None,
) -> dict[str, Any]:
    """A run directory, as somebody hands it over: its config with a change."""
    origin = {
        "schema": 1,
        "version": "0.1.0",
        "choices": {"data": "digits", "model": "mlp"},
        "overrides": [*BASE, *(overrides or [])],
        "config_dirs": config_dirs or [],
    }
    outcome = {"status": status, "name": "x", "seed": 0, "started": "2026-11-25T10:00:00+00:00", "pid": 1, "host": "x"}
    facts = {"kinds": {"vector": "vector", "label": "label"}, "labels": {"": ["a", "b"]}}
    return {
        f"{place}/config.yaml": {**json.loads(_config()), **change},
        f"{place}/origin.yaml": origin,
        f"{place}/outcome.json": json.dumps(outcome),
        f"{place}/facts.json": json.dumps(facts),
    }


def sweep_files(words: list[str], **change: Any) -> dict[str, Any]:
    """A sweep's directory with a command that somebody else began it with."""
    definition = {
        "schema": 1,
        "words": words,
        "config_dirs": [],
        "rerun": None,
        "folder": ".",
        "started": "x",
        "fixed": [],
        "seeds": [0, 1],
        "space": {},
        "search": {},
        "pruning": {},
        "judged": {},
    }
    return {
        "swept/sweep.yaml": {**definition, **change},
        "swept/record.jsonl": "",
        "swept/summary.json": json.dumps({"status": "interrupted", "best": None}),
    }


def _nothing(_: Path) -> None:
    pass
