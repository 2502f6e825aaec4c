"""``tracking=wandb``: Weights & Biases."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from time import monotonic
from typing import Literal

from espalier.core.outcome import Outcome
from espalier.core.parts import RunInfo
from espalier.core.rundir import shown, typed
from espalier.tracking.background import Background
from espalier.tracking.wandb_mode import choose_mode
from espalier.tracking.wandb_process import is_frozen, let_go
from espalier.tracking.wandb_server import Probe
from espalier.tracking.wandb_session import Place, Session

_GRACE = 1.0  # seconds that the end of a run waits for wandb, whatever that does
_AT_WORK = 0.002  # seconds of a processor in that second, by which a thread is seen to be at work
_PATIENCE = {"offline": 10.0, "online": 30.0}  # and where it gets on with its work, at most

# Importing asks no network and is waited for, so long at most: beside the first steps it would take twice as long.
_IMPORT_SECONDS = 5.0
# So is the start of wandb's own process, which takes a core from the first steps otherwise, where no server is asked.
_INIT_SECONDS = 0.5


class Wandb:
    """Metrics, config and outcome go to W&B: online where an API key is configured, else into the run's folder.

    ``espalier train tracking.wandb.project=intents tracking.wandb.tags=[first,lora]``

    The config's values are what holds when nothing else is said: a variable that is set wins over them, since it was
    set for this shell or job (``WANDB_MODE``, ``WANDB_PROJECT``, ``WANDB_ENTITY``, ``WANDB_RUN_GROUP``, ``WANDB_NAME``,
    ``WANDB_TAGS``, ``WANDB_JOB_TYPE``, ``WANDB_DIR``, ``WANDB_RUN_ID``); the others mean what they mean to wandb.
    ``WANDB_MODE=disabled`` turns it off. A sweep's trials stand in a group of the sweep's name, their job type is
    ``trial``; what differs is a trial's name, and its words are tags beside those of the config.

    wandb runs in a thread of its own: neither its failure nor its slowness reaches training. argv, code, git and output
    are not recorded; the config is, with secrets masked.

    Args:
        project: where runs are listed.
        entity: team or user; None: the account's default.
        group: runs that belong together.
        job_type: what kind of run this is.
        tags: labels to find it by.
        mode: ``auto`` is online where there is an API key.
        texts: whether the page that it gets of the run shows the data's own texts; metrics and config never do.
    """

    def __init__(
        self,
        *,
        project: str,
        entity: str | None,
        group: str | None,
        job_type: str,
        tags: list[str],
        mode: Literal["auto", "online", "offline"],
        texts: bool,
    ) -> None:
        self._where = (project, entity, group, job_type, tags)
        self._asked_mode, self.texts = mode, texts
        self._rows = 0
        self._background: Background | None = None

    def start(self, run: RunInfo, /) -> str:
        """Begin in the background, or go on after a resume; ``metrics.jsonl`` is cut back to the checkpoint by now."""
        mode, why = choose_mode(self._asked_mode)
        if mode != "disabled":
            metrics = run.directory / "metrics.jsonl"
            written = metrics.stat().st_size if metrics.exists() else 0
            self._directory = run.directory
            self._place = Place.of(run, *self._where)
            self._session = Session(run, self._place, mode, written)
            self._background = Background("wandb")
            self._background.do(self._session.load, _IMPORT_SECONDS)
            self._background.settle(_IMPORT_SECONDS)
            self._background.do(self._session.start, _PATIENCE[mode])
            if mode == "offline":
                self._background.settle(_INIT_SECONDS)
        return f"wandb {mode}" + (f" ({why})" if why else "")

    def log(self, metrics: Mapping[str, float], step: int, /) -> None:
        """Hand the metrics of one optimizer step to the thread."""
        if self._background:
            self._rows += 1
            self._background.do(partial(self._session.log, dict(metrics), step))

    def attach(self, page: str, /) -> None:
        """Hand over the run's report, as HTML."""
        if self._background:
            self._background.do(partial(self._session.attach, page))

    def finish(self, outcome: Outcome, /) -> str:
        """Hand over the outcome, wait a second, or while W&B gets on; says where to look, or what was not delivered."""
        background = self._background
        if background is None:
            return ""
        self._background = None
        background.do(partial(self._session.finish, outcome), _PATIENCE["online"])
        trouble = self._waited_for(background)
        error, dropped = background.error, background.dropped
        if trouble or dropped:
            let_go(_GRACE, by_force=bool(trouble))
        elif not self._session.lost:
            return self._look()
        why = error or self._session.lost or trouble
        rows = self._rows + self._session.past
        missing = rows - self._session.rows
        what = f"{missing} of {rows} rows were" if missing > 0 else "the end of the run was"
        again = f"{typed('track', self._directory)} --to wandb"
        return f"wandb: {what} not delivered ({why}); metrics.jsonl has everything, and sends it:  {again}"

    def _waited_for(self, background: Background) -> str:
        """Why nobody waits any longer; ``""`` where all had its turn."""
        began = monotonic()
        while True:
            probe = Probe(_GRACE) if self._session.mode == "online" else None
            worked = background.worked()
            if background.close(_GRACE):
                return ""
            if probe and (trouble := probe.trouble()):
                return trouble
            hangs = background.stalled and background.worked() - worked < _AT_WORK
            if hangs or is_frozen() or monotonic() - began >= _PATIENCE[self._session.mode]:
                return f"no answer in {monotonic() - began:.0f} s"

    def _look(self) -> str:
        if self._session.mode == "online":
            return f"wandb: {self._session.url}"
        folder = shown(self._place.folder)
        why = f" ({self._session.why})" if self._session.why else ""
        return f"wandb offline{why}   wandb leet {folder}   (wandb sync sends it)"
