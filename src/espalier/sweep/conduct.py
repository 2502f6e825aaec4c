"""A command becomes a sweep: its parts are made and checked, its directory is held, the driver runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from espalier.config.multirun import Command
from espalier.core.errors import Fault, RunFailedError, UserError
from espalier.core.files import is_full
from espalier.core.record import TRIALS, Record, TrialRecord
from espalier.core.rundir import shown, typed
from espalier.core.searching import identity
from espalier.core.streams import mask_streams
from espalier.core.world import launched
from espalier.report.sweep_read import read_summary
from espalier.sweep.definition import Definition, read_definition
from espalier.sweep.directory import driven, new_directory, own_id, require_free
from espalier.sweep.driver import Driver
from espalier.sweep.finish import finish
from espalier.sweep.listening import Ears
from espalier.sweep.parts import Clock
from espalier.sweep.plan import Planner
from espalier.sweep.preview import left_out
from espalier.sweep.ready import Ready, prepare
from espalier.sweep.screen import Screen
from espalier.sweep.summary import Summary
from espalier.sweep.takeover import take_over

_LOOK = 1.0  # seconds between two looks whether a full disk has room


@dataclass(frozen=True)
class Orders:
    """What is asked of a driver beside going on.

    Attributes:
        ending: end what runs, and go (``stopped``).
        now: at once, without checkpoints.
        before: what to write in the record before anything else.
    """

    ending: str = ""
    now: bool = False
    before: Callable[[Record], None] | None = None


def conduct(command: Command, directory: Path | None = None, orders: Orders | None = None) -> int:
    """Begin a sweep, or go on with one, and stay until its end; the exit code.

    Args:
        command: read.
        directory: of the sweep to go on with; else the one that ``sweep.dir`` names, or a new one.

    Raises:
        UserError: something is to be mended; nothing was made.
    """
    mask_streams()
    _require_alone()
    ready = prepare(command)
    place = directory or (Path(ready.settings.dir) if ready.settings.dir else None)
    definition = Definition.of(command, ready.planner)
    if place and (place / "sweep.yaml").exists():
        begun = read_definition(place)
        begun.require_same(definition)
        definition = replace(definition, started=begun.started, id=begun.id)
    else:
        if place:
            require_free(place)
        place = place or new_directory(ready.planner)
        definition = replace(definition, id=own_id(place))
    place = place.resolve()
    (place / TRIALS).mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(driven(place))
        definition.write(place)
        return _drive(stack, place, ready, definition, orders or Orders())


def _require_alone() -> None:
    if world := launched():
        truth = f"starts the processes of its trials, and {world.by} has started {world.size}."
        raise UserError(Fault("-m", truth, f"Leave {world.by} out; several processes a trial:  hardware=ddp_cpu"))


class _Watcher:
    """Draws, writes the summary, listens to whoever wants an end."""

    def __init__(self, ears: Ears, screen: Screen) -> None:
        self._ears, self._screen = ears, screen
        self.summary: Summary | None = None
        self._now = False

    def look(self, driver: Driver, /) -> None:
        if self.summary and (content := self.summary.look()):
            self._screen.draw(content)
        if not (wish := self._ears.heard()):
            return
        ending, now = wish
        if not driver.ending:
            running = len(driver.places.running)
            waits = f"; {running} running {'trial leaves a' if running == 1 else 'trials leave their'} checkpoint"
            more = "; once more ends at once" if ending == "interrupted" else ""
            self._screen.say(f"ending the sweep{waits if running else ''}{more if running else ''}")
            driver.end(ending, ending)
        if now and not self._now:
            self._now = True
            driver.places.cancel(now=True)

    def moved(self, driver: Driver, trial: TrialRecord, /) -> None:
        over = sum(t.state not in ("planned", "running", "paused") for t in driver.trials.values())
        total = self.summary.total(len(driver.trials)) if self.summary else None
        self._screen.moved(trial, over, total, [one.name for one in driver.objectives])


class _Patience:
    """A full disk is waited for; who wants an end meanwhile has it."""

    def __init__(self, ears: Ears, screen: Screen) -> None:
        self._ears, self._screen, self._said = ears, screen, False

    def __call__(self, error: OSError) -> bool:
        if not self._said:
            self._screen.say(f"the disk is full ({error.filename}): the sweep waits until there is room")
        self._said = True
        time.sleep(_LOOK)
        return self._ears.heard() is None


def _drive(
    stack: ExitStack,
    place: Path,
    ready: Ready,
    definition: Definition,
    orders: Orders,
) -> int:
    ears = stack.enter_context(Ears(place))
    launcher, over = ready.parts.launcher, read_summary(place).get("status") == "done"
    if not over:
        stack.enter_context(launcher)  # what it loads, it loads while trials are planned
    screen, record = Screen(), Record(place)
    record.waits = _Patience(ears, screen)
    stack.callback(record.close)
    if orders.before:
        orders.before(record)
    watcher = _Watcher(ears, screen)
    driver = Driver(place, record, ready.parts, Clock(time.monotonic, time.sleep), watcher)
    _require_same_trials(driver, ready.planner)
    take_over(driver)
    _plan_ahead(driver, ready)
    fixed = {
        "sweep": place.name,
        **{name: str(ready.command.settings.choices[name]) for name in ("launcher", "search", "pruning")},
        "words": definition.words,
    }
    summary = watcher.summary = Summary(driver, fixed, definition.started)
    summary.write("running")
    screen.say(*_first_lines(place, driver, fixed, ready))
    if orders.ending:
        driver.end(orders.ending, orders.ending)
    if orders.now:
        driver.places.cancel(now=True)
    status = "interrupted"
    try:
        if not over or driver.has_more():
            if over:
                stack.enter_context(launcher)
            with screen:
                driver.run()
        else:
            screen.say("nothing is left to train: its page is made again")
        status = driver.ending or "done"
    except UserError:
        status = "stopped"
        raise
    except OSError as error:
        if not is_full(error):
            raise
        again = typed("sweep resume", place)
        raise RunFailedError(f"There is no room for {error.filename}. Make some, and go on:  {again}") from error
    finally:
        summary.write(status)
    return finish(driver, summary, status, ears.code)


def _plan_ahead(driver: Driver, ready: Ready) -> None:
    """Record the trials of a grid before the first begins; a rule that cuts wants the first seed of each only."""
    if not ready.planner.is_grid:
        return
    if driver.parts.pruning.rungs(1000):
        while driver.ask():
            pass
        return
    driver.enrolment.begin_grid(list(ready.planner.trials(most=ready.settings.trials)))


def _require_same_trials(driver: Driver, planner: Planner) -> None:
    """The files of options may have changed since trials were recorded; one trial of each set of them tells."""
    groups = [option.key for option in planner.space.options()]
    firsts: dict[str, TrialRecord] = {}
    for trial in driver.trials.values():
        if trial.digest:
            firsts.setdefault(identity({group: trial.point.get(group) for group in groups}), trial)
    for first in firsts.values():
        if driver.attempts.planned(first).digest != first.digest:
            truth = f"would be another one now: a file of options has changed since ({first.name})."
            raise UserError(Fault(f"trial {first.trial}", truth, "Put it back, or begin another sweep."))


def _first_lines(place: Path, driver: Driver, fixed: Mapping[str, Any], ready: Ready) -> list[str]:
    total, places = driver.proposals.total(), len(ready.parts.launcher.slots())
    known = len(driver.trials)
    many = f"{max(total or 0, known)} trials" if total is not None or known else "a sweep"
    rule = "" if fixed["pruning"] == "none" else f", cut by {fixed['pruning']}"
    on = f"launcher={fixed['launcher']}, {places} at a time" if places > 1 else f"launcher={fixed['launcher']}"
    over = sum(trial.ended for trial in driver.trials.values())
    return [
        f"{many} by {fixed['search']}{rule}   {on}   {shown(place)}",
        *left_out(str(fixed["search"]), ready.parts.search.beside(ready.planner.space)),
        *([f"going on: {over} are over"] * bool(over)),
    ]


def working_folder(definition: Definition) -> None:
    """Go to the folder that a sweep was begun in, where it is still there: names of files are relative to it."""
    with suppress(OSError):
        os.chdir(definition.folder)
