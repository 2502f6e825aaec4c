"""What hostile configs and files do to Espalier: each is tried for real, in a child that notes whatever acts."""

from __future__ import annotations

import gc
import importlib
import os
import pickle
import pkgutil
import platform
import runpy
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benches.hostile.payloads import CANARY, lay_out, tests_module
from benches.hostile.watch import Tried, tried
from benches.machine import ROOT, say
from benches.records import Figure, Measured, Row, Settings
from espalier.core import interpreter

_LIGHT = ("core", "config", "search", "pruning", "launcher", "report", "sweep", "cli")
_ALSO = (
    *("sklearn.ensemble", "optuna.importance", "optuna.visualization", "plotly.io", "espalier.build.instantiate"),
    *("encodings.unicode_escape", "encodings.idna", "encodings.utf_16"),
)
_QUICK_CONFIGS, _QUICK_FILES, _QUICK_SHIPPED = 90, 18, 12
_MEMORY = 2**30


def configs(settings: Settings) -> Measured:
    """Every hostile config by the command that would read it; and by a bare Hydra app where there is a like of it."""
    _warm(_light_modules())
    # Not before: what these import is for the children as well.
    cases, tried_bare = _module("configs").cases(), _module("bare").tried_bare
    chosen = _sample(cases, _QUICK_CONFIGS if settings.quick else len(cases))
    wrong: dict[str, Tried] = {}
    bare = acted = 0
    for case, folder in _folders(chosen):
        lay_out(folder)
        case.lay(folder)
        found = _command(case.words, folder)
        if found.acts or (folder / CANARY).exists() or not _answered(found, refused=case.refused):
            wrong[case.name] = found
    _tell(wrong)
    _warm(["torch", "pytorch_lightning", "transformers"])  # so that each try of Hydra's imports nothing itself
    for case, folder in _folders([case for case in chosen if case.keys]):
        lay_out(folder)
        case.lay(folder)
        found = tried_bare(case, folder)
        bare += 1
        acted += bool((folder / CANARY).exists() or [act for act in found.acts if act.startswith(_ACTING)])
    return Measured(
        (_count("configs", len(chosen)), _count("acted, or were not answered", len(wrong))),
        {"bare Hydra app": (_count("configs that it has a like of", bare), _count("acted", acted))},
        "0 act: no code, import, process, connection or file",
        not wrong and acted > 0,
    )


def files(settings: Settings) -> Measured:
    """Every hostile file by the command that would read it, up to its end in the process that trains."""
    _warm([*_light_modules(), *_heavy_modules()])
    cases = _module("files").cases()
    chosen = _sample(cases, _QUICK_FILES if settings.quick else len(cases))
    wrong: dict[str, Tried] = {}
    most, largest = 0.0, ""
    with _templates() as templates:
        for case, folder in _folders(chosen):
            case.lay(folder, templates)
            found = _command(case.words, folder, go_on=_as_module)
            if found.memory > most:
                most, largest = found.memory, case.name
            if found.acts or (folder / CANARY).exists() or not _answered(found, refused=case.refused):
                wrong[case.name] = found
    _tell(wrong)
    say(f"the most memory: {largest}")
    return Measured(
        (
            _count("files", len(chosen)),
            _count("acted, or were not answered", len(wrong)),
            Figure("the most memory beside the start", "MB", (most,)),
        ),
        {},
        f"0 act, each answered in one message, ≤ {_MEMORY >> 20} MB",
        not wrong and most <= _MEMORY / 2**20,
    )


def shipped(settings: Settings) -> Measured:
    """Every option of every group, and every experiment: the gate has nothing against them."""
    _warm(_light_modules())
    from espalier.config.compose import compose
    from espalier.config.gate import judge
    from espalier.config.options import groups
    from espalier.config.sources import shipped as folder

    found = [(group, option) for group, names in groups([folder()]).items() for option in names]
    refused: list[str] = []
    for group, option in _sample(found, _QUICK_SHIPPED if settings.quick else len(found)):
        root = "multirun" if group in ("sweep", "search", "pruning", "launcher") else "train"
        value = f"[{option}]" if group in ("callback", "tracking") and option != "none" else option
        experiment = compose([f"{group}={value}"], root=root)
        values = (
            experiment.values
            if root == "train"
            else {key: experiment.values[key] for key in ("sweep", "search", "pruning", "launcher")}
        )
        refused += [f"{group}={option}: {fault}" for fault in (*experiment.faults, *judge(values))]
    for line in refused[:5]:
        say(line)
    return Measured(
        (_count("options", len(found)), _count("refused", len(refused))),
        {},
        "every shipped option passes the gate",
        not refused,
    )


def _command(words: Sequence[str], folder: Path, go_on: Callable[[list[str]], int] | None = None) -> Tried:
    (folder / "outputs").mkdir()
    from espalier.cli.dispatch import main

    # What a run makes again, it may keep: tokenised rows, a baseline's figures.
    writable = [
        folder / "outputs",
        folder / "comparison.html",
        folder / "run",
        folder / "swept",
        Path(os.environ["ESPALIER_CACHE"]),
    ]
    return tried(lambda: main(words), folder, writable=writable, go_on=go_on, memory=_MEMORY, light=go_on is None)


def _as_module(words: list[str]) -> int:
    sys.argv[1:] = words[1:]
    interpreter.leave = sys.exit  # what came of it is told before this process ends
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    return 0


_ACTING = ("code", "run", "net", "write", "import", "unpickle")


def _answered(found: Tried, *, refused: bool) -> bool:
    """Whether it ended as commands do: refused in a message, or done; no traceback, no end by force."""
    at_work = "this could not be done: " in found.said  # CorruptError, which is no mistake in the command
    codes = (2, *[1] * at_work) if refused else (0, 1, 2, "handed over")
    return found.code in codes and "Traceback (most recent call last)" not in found.said


def _tell(wrong: dict[str, Tried]) -> None:
    for name, found in list(wrong.items())[:40]:
        last = found.said.strip().splitlines()[-1:] or [""]
        say(f"{name}: {found.code} {found.acts[:3]} {found.seconds:.0f} s, {found.memory:.0f} MB  {last[0][:160]}")


def _count(name: str, number: int) -> Figure:
    return Figure(name, "", (float(number),))


def _sample(cases: Sequence[Any], most: int) -> list[Any]:
    """Evenly through all of them: some of every place and kind."""
    return [cases[int(place * len(cases) / most)] for place in range(min(most, len(cases)))]


def _folders(cases: Sequence[Any]) -> Iterator[tuple[Any, Path]]:
    """Each case with an empty folder, which is gone afterwards; nothing of the user's own is read or written."""
    with tempfile.TemporaryDirectory(prefix="espalier-bench-") as top:
        _alone(Path(top))
        for number, case in enumerate(cases):
            folder = Path(top, str(number))
            folder.mkdir()
            os.environ["ESPALIER_DATA"] = str(folder / "data")
            yield case, folder
            shutil.rmtree(folder)


def _alone(top: Path) -> None:
    for name in ("ESPALIER_HOME", "ESPALIER_CACHE", "HF_HOME", "WANDB_DIR"):
        (top / name.lower()).mkdir(exist_ok=True)
        os.environ[name] = str(top / name.lower())
    os.environ.update(
        ESPALIER_TRUST="my_parts", HF_HUB_OFFLINE="1", WANDB_MODE="offline", OMP_NUM_THREADS="1", PYTHONSAFEPATH="1"
    )


@contextmanager
def _templates() -> Iterator[Path]:
    """An honest run and an honest pretrained model, from which those of strangers are made."""
    with tempfile.TemporaryDirectory(prefix="espalier-bench-") as top:
        _alone(Path(top))
        tests_module("model", "checkpoints").bert(Path(top, "bert"))
        words = [
            "train",
            "data=digits",
            "model=mlp",
            "adapter=full",
            "tracking=none",
            "hardware=cpu",
            "trainer.max_epochs=1",
            "output=made",
            "callback=[checkpoint]",
        ]
        from espalier.cli.dispatch import main

        done = tried(lambda: main(words), Path(top), go_on=_as_module, light=False, memory=2**34, writable=[Path(top)])
        if done.code != 0:
            sys.exit(f"bench: an honest run failed: {done}")
        (run,) = Path(top, "made").glob("*/*-*")
        run.rename(Path(top, "run"))
        yield Path(top)


def _warm(modules: Sequence[str]) -> None:
    os.environ.update(OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError:  # of an extra that is not installed
            continue
    platform.processor()  # which asks uname once, and keeps its answer
    gc.collect()
    gc.freeze()


def _light_modules() -> list[str]:
    packages = [importlib.import_module(f"espalier.{room}") for room in _LIGHT]
    found = [
        m.name
        for p in packages
        for m in pkgutil.walk_packages(p.__path__, f"{p.__name__}.")
        if ".project" not in m.name
    ]
    return [*found, *_ALSO]


def _heavy_modules() -> list[str]:
    rooms = (
        "run",
        "build",
        "batch",
        "data",
        "model",
        "adapter",
        "task",
        "optimizer",
        "scheduler",
        "hardware",
        "trainer",
        "callback",
    )
    own = [
        f"espalier.{path.relative_to(ROOT / 'src' / 'espalier').with_suffix('').as_posix().replace('/', '.')}"
        for room in rooms
        for path in (ROOT / "src" / "espalier" / room).rglob("*.py")
        if path.name not in ("__init__.py", "__main__.py")
    ]
    return [
        "torch",
        "pytorch_lightning",
        "transformers",
        "peft",
        "datasets",
        "torchmetrics",
        "espalier.run.__main__",
        *own,
    ]


def _module(name: str) -> Any:
    return importlib.import_module(f"benches.hostile.{name}")


def _apart(measure: Callable[[Settings], Measured]) -> Callable[[Settings], Measured]:
    """In a process of its own: what it imports and sets is no matter of the rows after it."""

    def measured(settings: Settings) -> Measured:
        reads, writes = os.pipe()
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            try:
                found = pickle.dumps(measure(settings))
                os.close(reads)
                with os.fdopen(writes, "wb") as pipe:
                    pipe.write(found)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(0)
        os.close(writes)
        with os.fdopen(reads, "rb") as pipe:
            content = pipe.read()
        os.waitpid(child, 0)
        return pickle.loads(content)

    return measured


SOURCES = (
    "src/espalier/**/*.py",
    "conf/**/*.yaml",
    "scripts/benches/security.py",
    "scripts/benches/hostile/*.py",
    "tests/config/hostile.py",
)
ROWS = (
    Row("security", "security_configs", "Hostile configs, words, run and sweep directories", SOURCES, _apart(configs)),
    Row("security", "security_files", "Hostile weights, checkpoints, tables, images", SOURCES, _apart(files)),
    Row("security", "security_shipped", "Shipped options through the gate", SOURCES, _apart(shipped)),
)
