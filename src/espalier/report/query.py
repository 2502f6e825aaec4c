"""Runs chosen and ordered by what their outcomes say: SQL over ``outcome.json`` files, ten thousand in a second."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from espalier.config.suggest import asked, nearest
from espalier.core.errors import Fault, UserError
from espalier.core.files import parse_json
from espalier.core.outcome import Outcome
from espalier.core.rundir import OUTCOME, Place, is_gone
from espalier.report.runs import ListedRun

_RECORD = {
    "name": "VARCHAR",
    "status": "VARCHAR",
    "seed": "BIGINT",
    "started": "VARCHAR",
    "objective": "VARCHAR",
    "steps": "BIGINT",
    "epochs": "BIGINT",
    "error": "VARCHAR",
    "host": "VARCHAR",
    "git_commit": "VARCHAR",
    "metrics": "MAP(VARCHAR, DOUBLE)",
    "cost": {
        "wall_seconds": "DOUBLE",
        "device_seconds": "DOUBLE",
        "samples_per_second": "DOUBLE",
        "peak_memory_bytes": "BIGINT",
        "parameters": "BIGINT",
        "trained_parameters": "BIGINT",
    },
    "summary": {"options": "MAP(VARCHAR, VARCHAR)", "overrides": "VARCHAR[]"},
}
_COLUMNS = {
    "name": "r.name",
    "status": "coalesce(killed.status, r.status)",
    "seed": "r.seed",
    "started": "r.started",
    "took": "r.cost.wall_seconds",
    "sweep": "place.sweep",
    "trial": "place.trial",
    "objective": "split_part(r.objective, '/', 2)",
    # Of trials on validation: of a sweep the best alone is tested, and like is compared with like.
    "metric": "nullif(coalesce(CASE WHEN place.sweep IS NULL THEN r.metrics['test/' || split_part(r.objective, '/', 2)]"
    " END, r.metrics[r.objective], r.metrics['test/' || split_part(r.objective, '/', 2)]), 'NaN')",
    "steps": "r.steps",
    "epochs": "r.epochs",
    "changed": "array_to_string(r.summary.overrides, ' ')",
    "error": "r.error",
    "host": "r.host",
    "git_commit": "r.git_commit",
    "device_seconds": "nullif(r.cost.device_seconds, 0)",
    "speed": "nullif(r.cost.samples_per_second, 0)",
    "memory": "nullif(r.cost.peak_memory_bytes, 0)",
    "parameters": "r.cost.parameters",
    "trained_parameters": "r.cost.trained_parameters",
}
_GROUPS = ("data", "model", "adapter", "task", "optimizer", "scheduler", "hardware", "experiment", "debug")
_UNKNOWN = re.compile(r'Referenced column "(.+?)" (?:was )?not found')
_KIND = re.compile(r"^\w+ Error: ")
_COMMA = re.compile(r"\b\d+,\d+\b")
_HELP = "Columns: see  espalier runs --help"


@dataclass(frozen=True)
class Found:
    """Answer to a query.

    Attributes:
        runs: those that match, in order, at most ``limit``.
        matching: how many match.
        unreadable: directories of which the outcome cannot be read.
    """

    runs: Sequence[ListedRun]
    matching: int
    unreadable: Sequence[Path]


def find_runs(directories: Iterable[Path], *, where: str = "", sort: str = "", limit: int = 0) -> Found:
    """Read the outcomes of run directories and choose among them.

    Args:
        directories: newest first; this is the order where ``sort`` says no other.
        where: an SQL condition over the columns that ``espalier runs --help`` names; ``""``: all.
        sort: a column, largest first; ``accuracy asc``: smallest first.
        limit: at most so many; 0: all.

    Raises:
        UserError: ``where`` or ``sort`` is no SQL, or names what no run has.
    """
    places, contents, unreadable = _read(directories)
    if not places:
        return Found([], 0, unreadable)
    with duckdb.connect() as database:
        _load(database, contents)
        bad = [
            places[i] for (i,) in database.execute("SELECT id FROM runs WHERE r.status IS NULL ORDER BY id").fetchall()
        ]
        running = [i for (i,) in database.execute("SELECT id FROM runs WHERE r.status = 'running'").fetchall()]
        killed = {i for i in running if (run := _outcome(contents[i])) and is_gone(places[i], run)}
        database.execute("CREATE TEMP TABLE killed AS SELECT unnest($ids::BIGINT[]) AS id, 'killed' AS status",
                         {"ids": sorted(killed)})  # fmt: skip
        database.execute("CREATE TEMP TABLE place AS SELECT unnest($ids::BIGINT[]) AS id, "
                         "unnest($sweeps::VARCHAR[]) AS sweep, unnest($trials::BIGINT[]) AS trial",
                         _trials(places))  # fmt: skip
        _name_columns(database)
        chosen = _choose(database, where, sort)
    shown = chosen[:limit] if limit else chosen
    runs = [(i, _outcome(contents[i])) for i in shown]
    bad += [places[i] for i, run in runs if run is None]
    return Found([ListedRun(places[i], run, i in killed) for i, run in runs if run], len(chosen), [*unreadable, *bad])


def _outcome(content: str) -> Outcome | None:
    try:
        return Outcome.of(parse_json(content))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _read(directories: Iterable[Path]) -> tuple[list[Path], list[str], list[Path]]:
    places: list[Path] = []
    contents: list[str] = []
    unreadable: list[Path] = []
    for directory in directories:
        try:
            content = (directory / OUTCOME).read_text(encoding="utf-8")
        except (OSError, ValueError):
            unreadable.append(directory)
        else:
            places.append(directory)
            contents.append(content)
    return places, contents, unreadable


def _trials(places: Sequence[Path]) -> dict[str, list[Any]]:
    """Of those that are trials: the name of the sweep, and the number there."""
    of = [(i, found.name, int(place.name)) for i, place in enumerate(places)
          if (found := Place.of(place).sweep) and place.name.isdecimal()]  # fmt: skip
    ids, sweeps, trials = ([*column] for column in zip(*of, strict=True)) if of else ([], [], [])
    return {"ids": ids, "sweeps": sweeps, "trials": trials}


def _load(database: duckdb.DuckDBPyConnection, contents: Sequence[str]) -> None:
    """Table ``runs``: id, and the record ``r``, of which all is NULL where the content is no outcome."""
    ids = {"ids": list(range(len(contents)))}
    record = "CASE WHEN json_valid(content) THEN json_transform(content, $record) END"
    files = "SELECT unnest($ids::BIGINT[]) AS id, unnest($contents) AS content"
    given = {**ids, "contents": list(contents), "record": json.dumps(_RECORD)}
    database.execute(f"CREATE TEMP TABLE runs AS SELECT id, {record} AS r FROM ({files})", given)
    # What follows has a person's words in it, which look at this table and at nothing else.
    database.execute("SET enable_external_access = false; SET lock_configuration = true")


def _name_columns(database: duckdb.DuckDBPyConnection) -> None:
    """View ``named``: a column for each thing that can be asked for. NaN, to SQL the largest number, is NULL there."""
    columns = dict(_COLUMNS)
    for group in (*_GROUPS, *_keys(database, "r.summary.options")):
        columns.setdefault(group, f"r.summary.options[{_quoted(group)}]")
    metrics = _keys(database, "r.metrics")
    for key in metrics:
        columns.setdefault(key.replace("/", "_"), f"nullif(r.metrics[{_quoted(key)}], 'NaN')")
    for name in filter(None, dict.fromkeys(key.partition("/")[2] for key in metrics)):
        test, validation = _quoted(f"test/{name}"), _quoted(f"validation/{name}")
        columns.setdefault(name, f"nullif(coalesce(r.metrics[{test}], r.metrics[{validation}]), 'NaN')")
    said = ", ".join(f"{what} AS {_identifier(name)}" for name, what in columns.items())
    database.execute(f"CREATE TEMP VIEW named AS SELECT runs.id AS run_id, {said} FROM runs LEFT JOIN killed USING (id)"
                     " LEFT JOIN place USING (id)"
                     " WHERE r.status IS NOT NULL")  # fmt: skip


def _keys(database: duckdb.DuckDBPyConnection, what: str) -> list[str]:
    found = database.execute(f"SELECT DISTINCT unnest(map_keys({what})) FROM runs ORDER BY 1").fetchall()
    return [key for (key,) in found if key and key.isprintable()]  # others can name no column


def _choose(database: duckdb.DuckDBPyConnection, where: str, sort: str) -> list[int]:
    condition = f"WHERE ({where})" if where else ""
    columns = [name for (name, *_) in database.execute("DESCRIBE named").fetchall() if name != "run_id"]
    column, _, order = sort.strip().partition(" ")
    column = _identifier(column) if column in columns else column
    first = f"{column} {order or 'desc'} NULLS LAST, " if sort else ""
    try:
        rows = database.execute(f"SELECT run_id FROM named {condition} ORDER BY {first}run_id").fetchall()
    except duckdb.Error as error:
        if where and sort:  # each on its own, so that both are named
            raise UserError(
                *(fault for one in ((where, ""), ("", sort)) for fault in _faults(database, *one))
            ) from None
        said = f'--where "{where}"' if where else f'--sort "{sort}"'
        raise UserError(Fault(said, *_explained(error, where, columns))) from None
    return [i for (i,) in rows]


def _faults(database: duckdb.DuckDBPyConnection, where: str, sort: str) -> Sequence[Fault]:
    try:
        _choose(database, where, sort)
    except UserError as error:
        return error.faults
    return ()


def _explained(error: duckdb.Error, where: str, columns: Sequence[str]) -> tuple[str, str]:
    """What is true and what to type, of a person's words alone; else the first line, without the candidates."""
    told = str(error)
    if found := _UNKNOWN.search(told):
        name = found.group(1)
        if compared := re.search(rf"""(\w+)\s*(=|!=|<>)\s*"?{re.escape(name)}\b""", where):
            left, sign = compared.groups()
            return f"compares {left} with {name}, which is no column.", f"Quote a text:  {left} {sign} '{name}'"
        guess = nearest(name, columns)
        if guess and not re.fullmatch(r"\w+", guess):
            return f"has no column {name}.", f"Did you mean {guess} ? Quote it:  {shlex.quote(_identifier(guess))}"
        return f"has no column {name}.", asked([guess] if guess else []) or _HELP
    if comma := _COMMA.search(where):
        return f"has a comma in {comma.group()}.", f"Write  {comma.group().replace(',', '.')}"
    said = _KIND.sub("", (told.splitlines() or [""])[0]).partition(" You might need")[0]
    return said.rstrip(".!") + ".", _HELP


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
