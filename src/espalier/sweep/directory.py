"""A sweep's directory before its driver works in it: how it is called, that it is its own, that one driver has it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from espalier.core.errors import Fault, UserError
from espalier.core.lock import held
from espalier.core.record import TRIALS
from espalier.core.rundir import SWEEP_NAME, safe_name, shown, typed
from espalier.report.sweep_read import read_summary
from espalier.sweep.plan import Planner

_LEFT = {TRIALS, "lock"}  # by a driver that was killed at once


def new_directory(planner: Planner) -> Path:
    """``<output>/<name>/sweep-<date>_<time>-<6 hex>``; not made."""
    name = f"sweep-{datetime.now():%Y-%m-%d_%H-%M-%S}-{secrets.token_hex(3)}"
    return Path(planner.output).resolve() / safe_name(planner.name) / name


def own_id(place: Path) -> str:
    """Six hex digits that no other sweep has: those of its directory's name, or drawn where a person has named it."""
    found = SWEEP_NAME.fullmatch(place.name)
    return found["id"] if found else secrets.token_hex(3)


def require_free(place: Path) -> None:
    """A folder that a sweep may be made in: none yet, an empty one, or what a driver left that was killed at once.

    Raises:
        UserError: it is a file, or holds other things.
    """
    if place.exists() and (not place.is_dir() or {file.name for file in place.iterdir()} - _LEFT):
        truth = "is no sweep's directory, and holds other things."
        raise UserError(Fault(f"sweep.dir={shown(place)}", truth, "Name a sweep's, or a folder to be made."))


@contextmanager
def driven(place: Path) -> Iterator[None]:
    """Hold it.

    Raises:
        UserError: another driver has it, which is named.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(held(place))
        except UserError:
            driver = read_summary(place).get("driver") or {}
            who = f"process {driver['pid']} on {driver['host']}" if driver else "another process"
            remedy = f"See:  {typed('sweep status', place)}"
            raise UserError(Fault(str(shown(place)), f"is driven by {who}.", remedy)) from None
        yield
