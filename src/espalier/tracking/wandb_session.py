"""A run at W&B, as the background thread sees it: everything here may block or raise."""

from __future__ import annotations

import glob
import importlib
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from espalier.core.metrics_file import read_metrics
from espalier.core.outcome import Outcome
from espalier.core.parts import RunInfo
from espalier.tracking.background import in_one_line
from espalier.tracking.wandb_log import told_in
from espalier.tracking.wandb_mode import Mode
from espalier.tracking.wandb_process import is_idle
from espalier.tracking.wandb_server import Probe

_WRITING_SECONDS = 2.0  # after its end, for W&B's file to be whole, at most
_QUIET_SECONDS = 0.3  # in which the file does not grow and W&B's process is idle: then it writes no more
_ANSWER_SECONDS = 5.0  # for a server to answer anything
_REACH_SECONDS = 15  # for it to open a run, and to take what is left at the end
_EXIT_CODES = {"done": 0, "paused": 0, "interrupted": 255}  # W&B shows 255 as killed, others as failed
_TAG, _NAME = 64, 128  # characters that W&B takes

# Off: what W&B records by itself and what could hold a secret (argv, code, git, output), and its own words.
_PRIVATE: dict[str, Any] = {
    "console": "off",
    "disable_code": True,
    "disable_git": True,
    "disable_job_creation": True,
    "label_disable": True,
    "program": "espalier",
    "save_code": False,
    "x_disable_meta": True,
    "x_save_requirements": False,
    "silent": True,
    "finish_timeout_raises": True,
    "reinit": "create_new",
}


@dataclass(frozen=True)
class Place:
    """Where at W&B a run goes; a ``WANDB_*`` variable that is set wins over what the config says."""

    project: str
    entity: str | None
    group: str | None
    job_type: str | None
    tags: tuple[str, ...]
    name: str
    run_id: str
    root: Path

    @staticmethod
    def of(run: RunInfo, project: str, entity: str | None, group: str | None, job_type: str, tags: list[str]) -> Place:
        """From the environment, or else the config.

        A sweep's trial stands in the sweep's group, is named by what differs from the others, and has its words as tags
        too. A name or an id of the environment would be that of all trials: the one stands before theirs, the other is
        passed over.
        """
        given = {name.removeprefix("WANDB_"): value for name, value in os.environ.items() if value}
        labels = list(dict.fromkeys([*tags, *(word[:_TAG] for word in run.words if word)]))
        return Place(
            project=given.get("PROJECT", project),
            entity=given.get("ENTITY", entity),
            group=given.get("RUN_GROUP", group or run.group or None),
            job_type=given.get("JOB_TYPE", run.job_type or job_type),
            tags=tuple(given["TAGS"].split(",") if "TAGS" in given else labels),
            name=_name(run, given.get("NAME", ""))[:_NAME],
            run_id=re.sub(r"[^\w.-]+", "-", _unique(run) if run.group else given.get("RUN_ID", _unique(run))),
            root=Path(given.get("DIR", run.directory)).absolute(),
        )

    @property
    def folder(self) -> Path:
        """Where W&B keeps its own files."""
        return self.root / "wandb"

    def offline_runs(self) -> list[Path]:
        """Folders of this run's offline history, of this process or an earlier one."""
        return [file.parent for file in self.folder.glob(f"offline-run-*/run-{glob.escape(self.run_id)}.wandb")]


def _name(run: RunInfo, given: str) -> str:
    return " ".join(filter(None, (given, run.label))) or f"{run.name}-{run.run_id}"


def _unique(run: RunInfo) -> str:
    """What no other run at W&B is called: made of the directory's name; a sweep's, and before its trials' numbers."""
    directory = run.directory.name
    if run.group:
        return run.group if run.run_id == run.group else f"{run.group}-{directory}"
    return directory if directory.endswith(run.run_id) else f"{directory}-{run.run_id}"


class Session:
    """Begins, feeds and ends one run at W&B.

    A run that goes on from a checkpoint keeps its id. Online, its history is rewound to the checkpoint; where the
    server cannot (rewinding is a preview; the run may never have been online), it is resumed, and W&B passes over the
    steps that it has. One that goes on from step 0 is told anew from ``metrics.jsonl``: a run of the same id is
    overwritten, as W&B does by itself. Offline, ``metrics.jsonl`` is replayed into a fresh folder that takes the place
    of earlier ones.

    Args:
        written: bytes of ``metrics.jsonl`` that are the run's past.
        seconds: for the server to open the run, and for it to take what is left at the end; else some that a run
            which trains can wait.

    Attributes:
        mode: what it came to: offline where online could not be had.
        why: what stood against online, in one line.
        url: of the run's page, once it is online.
        rows: that wandb took; ``past`` were told from ``metrics.jsonl``.
        lost: why its file of an offline run is not whole.
    """

    def __init__(self, run: RunInfo, place: Place, mode: Mode, written: int, seconds: int = _REACH_SECONDS) -> None:
        self.mode, self.why, self.url, self.lost = mode, "", "", ""
        self.rows, self.past = 0, 0
        self._steps, self._last, self._seconds = 0, -1, seconds
        self._page = ""
        self._info, self._place, self._written = run, place, written
        self._run: Any = None
        self._wandb: Any = None

    @property
    def folder(self) -> Path:
        """Where W&B keeps its files of it."""
        return self._place.folder

    def load(self) -> None:
        """Import wandb: not at the top, since it takes a second and a broken installation must not stop training."""
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # it may hold argv, and its end waits for the server
        self._wandb = importlib.import_module("wandb")
        with suppress(ImportError):  # what init would import beside the first steps
            importlib.import_module("wandb.apis.public")
            importlib.import_module("wandb.sdk.launch")

    def start(self) -> None:
        """Log in, begin."""
        earlier = self._place.offline_runs()
        run, replay = self._begin(self._wandb)
        run.define_metric("step")
        run.define_metric("*", step_metric="step")
        self._run = run
        self.url = run.url if self.mode == "online" else ""
        if replay:
            self._replay()
            for folder in earlier:
                shutil.rmtree(folder)

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Metrics of an optimizer step, under W&B's own step of the same number."""
        if self._run is None:
            raise ConnectionError("wandb did not start")
        self._run.log({**metrics, "step": step}, step=step)
        self.rows += 1
        self._steps, self._last = self._steps + (step != self._last), step  # wandb makes one row of each step

    def attach(self, page: str) -> None:
        """The run's report, kept until the end: W&B shows it as ``report``."""
        self._page = page

    def finish(self, outcome: Outcome) -> None:
        """Metrics, cost and status into the summary; then the end, which online waits for what is still to be sent."""
        cost = {f"cost/{name}": value for name, value in outcome.as_dict()["cost"].items()}
        summary = {**outcome.metrics, **cost, "status": outcome.status}
        self.end(summary, exit_code=_EXIT_CODES.get(outcome.status, 1), step=outcome.steps)

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Show a table; a column may hold values of several kinds."""
        if self._run is None:
            raise ConnectionError("wandb did not start")
        table = self._wandb.Table(columns=list(columns), data=[list(row) for row in rows], allow_mixed_types=True)
        self._run.log({name: table}, step=0)

    def end(self, summary: Mapping[str, Any], *, exit_code: int, step: int) -> None:
        """Summary and page, then the end."""
        if self._run is None:
            raise ConnectionError("wandb did not start")
        self._run.summary.update(dict(summary))
        if self._page:
            self._run.log({"report": self._wandb.Html(self._page, inject=False)}, step=max(step, self._last))
        self._run.finish(exit_code=exit_code)
        if self.mode == "offline":
            self._look_at(str(getattr(self._run.settings, "sync_file", "")))

    def _look_at(self, file: str) -> None:
        """What the file of an offline run holds: wandb itself says nothing where it could not write it."""
        if not file:
            return
        size, began = -1, monotonic()
        changed = began
        while True:  # its process may still be writing the last lines
            content = Path(file).read_bytes() if Path(file).exists() else b""
            rows, ended = told_in(content)
            whole = ended and rows >= self._steps
            if len(content) != size or not is_idle():
                size, changed = len(content), monotonic()
            if whole or monotonic() - changed > _QUIET_SECONDS or monotonic() - began > _WRITING_SECONDS:
                break
            sleep(0.05)
        if not whole:
            self.rows -= max(0, self._steps - rows)
            self.lost = "its file is not whole: is the disk full?"

    def _begin(self, wandb: Any) -> tuple[Any, bool]:
        """A live run, and whether its history is still to be told from ``metrics.jsonl``."""
        if self.mode == "online":
            self.why = Probe(_ANSWER_SECONDS).trouble()
            for manner, replay in self._manners() if not self.why else ():
                began = monotonic()
                try:
                    return self._init(wandb, **manner), replay
                except Exception as error:
                    self.why = in_one_line(error)
                with suppress(Exception, SystemExit):
                    wandb.teardown()  # else the run's id counts as in use
                if monotonic() - began >= self._seconds:
                    break
            self.mode = "offline"
        return self._init(wandb), True

    def _manners(self) -> list[tuple[dict[str, str], bool]]:
        if not self._info.resumed:
            return [({}, False)]
        if not self._info.resumed_step:
            return [({}, True), ({"resume": "allow"}, True)]
        moment = f"{self._place.run_id}?_step={self._info.resumed_step}"
        return [({"resume_from": moment}, False), ({"resume": "allow"}, True)]

    def _init(self, wandb: Any, **manner: str) -> Any:
        place = self._place
        wandb.setup(settings=wandb.Settings(silent=True, login_timeout=1))  # for the login before the run
        settings = wandb.Settings(
            mode=self.mode,
            root_dir=str(place.root),
            project=place.project,
            entity=place.entity,
            run_id=place.run_id,
            run_name=place.name,
            run_group=place.group,
            run_job_type=place.job_type,
            run_tags=place.tags,
            **{**_PRIVATE, "init_timeout": self._seconds, "finish_timeout": self._seconds},
            **manner,
        )
        return wandb.init(settings=settings, config=dict(self._info.config))

    def _replay(self) -> None:
        lines = read_metrics(self._info.directory / "metrics.jsonl", self._written)
        self.past = len(lines)
        for line in lines:
            self.log({**line, "epoch": line["epoch"] + 1}, line.pop("step"))
