"""Fifty planted secrets, looked for in all that runs and sweeps leave; two hundred harmless words, none masked."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from urllib.parse import quote, quote_plus

from benches.machine import ESPALIER, ROOT, say
from benches.records import Figure, Measured, Row, Settings
from benches.secret_samples import HARMLESS_SETTINGS, HARMLESS_TEXTS, Secret, secrets
from espalier.core.masking import masked, masked_text, secrets_in

_PARTS = ROOT / "scripts" / "benches" / "parts"
_SMALL = ("data=digits", "model=mlp", "adapter=full", "hardware=cpu", "trainer.max_epochs=1", "name=told",
          "callback=[checkpoint,tells_secrets]")  # fmt: skip
PLACES = {
    "config": ("config.yaml", "origin.yaml", "trial.json", "sweep.yaml"),
    "outcome": ("outcome.json", "record.jsonl", "summary.json", "facts.json", "metrics.jsonl"),
    "logs": ("log.txt", "traceback.txt"),
    "W&B": ("/wandb/",),
    "reports": ("report.html", "report.md", "trials.csv"),
    "checkpoints": ("/checkpoints/",),
    "model": ("/model/",),
}
_ARGV = "processes' words"
_PRINTED = "what commands print"


@dataclass
class Leaks:
    """Where something was found.

    Attributes:
        found: (place, kind of secret).
        looked: files of each place.
        accepted: literals that a command did not refuse.
        wrong: what was not as it must be for the search to mean anything.
    """

    found: set[tuple[str, str]] = field(default_factory=set)
    looked: dict[str, int] = field(default_factory=dict)
    accepted: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def security(settings: Settings) -> Measured:
    """Plant, look, count."""
    every = secrets()
    chosen = every[::8] + [one for one in every if one.variable][:1] if settings.quick else every
    leaks = planted(chosen)
    for line in (*sorted(map(str, leaks.found)), *leaks.accepted, *leaks.wrong):
        say(line)
    say(", ".join(f"{place} {count}" for place, count in leaks.looked.items()))
    changed = harmless_changed()
    places = len(leaks.looked)
    return Measured(
        (
            Figure("planted", "secrets", (float(len(chosen)),)),
            Figure("places", "", (float(places),)),
            Figure("found", "", (float(len(leaks.found)),)),
            Figure("literals accepted", "", (float(len(leaks.accepted)),)),
            Figure(
                "harmless words masked", f"of {len(HARMLESS_SETTINGS) + len(HARMLESS_TEXTS)}", (float(len(changed)),)
            ),
        ),
        {},
        "0 found, raw, in base64 or as URLs write them; every literal refused; 0 harmless words masked",
        not leaks.found and not leaks.accepted and not leaks.wrong and not changed and places >= 8,
    )


def harmless_changed() -> list[str]:
    """What was taken for a secret and is none."""
    settings = [k for k, v in HARMLESS_SETTINGS if masked({k: v}) != {k: v} or list(secrets_in({k: v}))]
    return [*settings, *(text for text in HARMLESS_TEXTS if masked_text(text) != text)]


def planted(chosen: Sequence[Secret]) -> Leaks:
    """Refusals first, then a run that ends well, one that fails, and a sweep with one of each; everything searched."""
    leaks = Leaks()
    with tempfile.TemporaryDirectory(prefix="espalier-bench-") as folder, _watching(chosen, leaks):
        outside, here = Path(folder) / "outside", Path(folder) / "here"
        outside.mkdir()
        here.mkdir()
        (outside / "said.json").write_text(json.dumps([one.said for one in chosen]))
        environment = {
            "TELLS": str(outside / "said.json"), "ESPALIER_TRUST": "tells_secrets", "PYTHONPATH": str(_PARTS),
            "HOME": str(outside), "WANDB_MODE": "offline", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1",
            "ESPALIER_HOME": str(outside / "home"), "ESPALIER_CACHE": str(outside / "cache"),
            **{one.variable: one.value for one in chosen if one.variable},
        }  # fmt: skip
        _refused(chosen, here, environment, leaks)
        printed = [_shown(chosen, here, environment), *_trained(chosen, here, environment, leaks)]
        leaks.looked[_PRINTED] = len(printed)
        leaks.found |= {(_PRINTED, one.kind) for one in chosen for text in printed if _is_in(one, text.encode())}
        _search(chosen, here, leaks)
        _search(chosen, outside, leaks, but=outside / "said.json")
    return leaks


def _refused(chosen: Sequence[Secret], here: Path, environment: Mapping[str, str], leaks: Leaks) -> None:
    """As a word of the command line, and as a line of a config: exit code 2, nothing made, nothing echoed."""
    conf = here.parent / "outside" / "conf" / "experiment"
    conf.mkdir(parents=True)
    for one in chosen:
        quoted = json.dumps(one.literal)
        (conf / "mine.yaml").write_text(
            f"# Mine.\n# @package _global_\ncallback:\n  tells_secrets:\n    notes: {{{one.key}: {quoted}}}\n"
        )
        ways = {
            "word": [f"callback.tells_secrets.notes.{one.key}={quoted}"],
            "file": ["--config-dir", str(conf.parent), "experiment=mine"],
        }
        for way, words in ways.items():
            done = _called(["train", *_SMALL, *words], here, environment)
            if done.returncode != 2 or "is a secret" not in " ".join((done.stdout + done.stderr).split()):
                leaks.accepted.append(f"{one.kind}, {way}: exit {done.returncode} {done.stderr[-200:]}")
            if _is_in(one, (done.stdout + done.stderr).encode()):
                leaks.found.add((f"the refusal of a {way}", one.kind))
    if list(here.iterdir()):
        leaks.wrong.append("a refused command left files")


def _shown(chosen: Sequence[Secret], here: Path, environment: Mapping[str, str]) -> str:
    """What ``--cfg job --resolve`` and ``explain`` print of settings that refer to the environment."""
    words = [*_SMALL, *_notes(chosen)]
    shown = [_called(["train", "--cfg", "job", "--resolve", *words], here, environment)]
    shown += [_called(["explain", "callback.tells_secrets", *words], here, environment)]
    return "".join(one.stdout + one.stderr for one in shown)


def _trained(chosen: Sequence[Secret], here: Path, environment: Mapping[str, str], leaks: Leaks) -> Iterator[str]:
    """What is printed by a run that ends well, by one that fails, and by a sweep with one of each."""
    words = [*_SMALL, *_notes(chosen)]
    fails = "callback.tells_secrets.fails"
    for code, more in ((0, [f"{fails}=false"]), (1, [f"{fails}=true"]), (0, ["-m", f"{fails}=true,false"])):
        done = _called(["train", *words, *more], here, environment)
        if done.returncode != code or (code == 0 and "-m" not in more and "•••" not in done.stdout):
            leaks.wrong.append(f"{more}: exit {done.returncode}, {(done.stdout + done.stderr)[-1500:]}")
        yield done.stdout + done.stderr


def _notes(chosen: Sequence[Secret]) -> list[str]:
    return [f"+callback.tells_secrets.notes.{one.key}='${{oc.env:{one.variable}}}'" for one in chosen if one.variable]


def _called(words: Sequence[str], here: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    whole = [ESPALIER, words[0], "--config-dir", str(_PARTS / "conf"), *words[1:]]
    return subprocess.run(whole, cwd=here, env={**os.environ, **environment}, capture_output=True, text=True)


def _search(chosen: Sequence[Secret], folder: Path, leaks: Leaks, but: Path | None = None) -> None:
    """Every file below a folder."""
    for file in sorted(folder.rglob("*")):
        if not file.is_file() or file.is_symlink() or file == but or "conf" in file.relative_to(folder).parts:
            continue
        place = _place(file.relative_to(folder))
        leaks.looked[place] = leaks.looked.get(place, 0) + 1
        content = file.read_bytes()
        leaks.found |= {(f"{place}: {file.name}", one.kind) for one in chosen if _is_in(one, content)}


def _place(file: Path) -> str:
    path = f"/{file}"
    return next(
        (p for p, marks in PLACES.items() if any(m in path if "/" in m else file.name == m for m in marks)), "others"
    )


def _is_in(secret: Secret, content: bytes) -> bool:
    return any(spelled in content for spelled in _spellings(secret.value))


def _spellings(value: str) -> Iterator[bytes]:
    """As it is, as URLs and JSON write it, and in base64 wherever it begins within something longer."""
    for text in (value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1]):
        yield text.encode()
    raw = value.encode()
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + raw).rstrip(b"=")
        yield coded[2 if before else 0 :][:-2][2:]


@contextmanager
def _watching(chosen: Sequence[Secret], leaks: Leaks) -> Iterator[None]:
    """Read the command lines of all processes, again and again."""
    over, seen = Event(), set[bytes]()

    def look() -> None:
        while not over.wait(0.02):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(file.read_bytes())

    thread = Thread(target=look, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join()
    # A person's own words are refused, and their process ends with that; those of its children are ours.
    ours = {line for line in seen if b"espalier.run" in line or b"espalier.tracking" in line or b"wandb-core" in line}
    leaks.looked[_ARGV] = len(ours)
    leaks.found |= {(_ARGV, one.kind) for one in chosen for line in ours if _is_in(one, line)}


SOURCES = (
    "src/espalier/core/*.py", "src/espalier/config/check.py", "src/espalier/config/saved.py", "src/espalier/run/*.py",
    "src/espalier/tracking/*.py", "src/espalier/report/**/*", "src/espalier/sweep/*.py", "scripts/benches/secrets.py",
    "scripts/benches/secret_samples.py", "scripts/benches/parts/tells_secrets/*.py",
)  # fmt: skip
ROWS = (Row("security", "security_secrets", "50 planted secrets, looked for in all that is left", SOURCES, security),)
