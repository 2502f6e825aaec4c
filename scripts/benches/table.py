"""README's table of results, made from the results file: no figure in it is typed by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from benches.machine import ROOT
from benches.records import figures, load

README = ROOT / "README.md"
MOST_BESIDE = 7  # of a row, in one cell
BEGIN, END = "<!-- results: made by scripts/bench table -->", "<!-- end of results -->"


def is_current() -> bool:
    """Whether README says what the results file says."""
    return README.read_text() == rewritten()


def write() -> None:
    """Put the table between README's two markers."""
    README.write_text(rewritten())


def rewritten() -> str:
    """README with the table of now."""
    before, rest = README.read_text().split(BEGIN)
    return f"{before}{BEGIN}\n{block(load())}\n{END}{rest.split(END)[1]}"


def block(results: Mapping[str, Mapping[str, Any]]) -> str:
    """The table, and where and when its rows were measured."""
    if not results:
        return "Nothing was measured yet: `scripts/bench all`."
    lines = ["| what | Espalier | beside it, in the same run | asked for |", "|---|---|---|---|"]
    wide = [row for row in results.values() if len(row["beside"]) > MOST_BESIDE]
    for row in results.values():
        told = "a table of its own, beneath" if row in wide else "<br>".join(
            f"{name}: {_joined(found)}" for name, found in row["beside"].items()
        )  # fmt: skip
        mark = "yes" if row["holds"] else "**no**"
        lines.append(f"| {row['title']} | {_joined(row['ours'])} | {told or '–'} | {row['claim']}: {mark} |")
    for row in wide:
        lines += ["", f"{row['title']}:", "", *_own_table(row["beside"])]
    dates: dict[str, set[str]] = defaultdict(set)
    for row in results.values():
        dates[_place(row)].add(row["date"])
    places = [f"Measured on {', '.join(sorted(days))}: {place}." for place, days in dates.items()]
    return "\n".join(
        [*lines, "", "Medians (lowest – highest), accuracies as mean ± sd over seeds. " + " ".join(places)]
    )


def _own_table(beside: Mapping[str, Iterable[Mapping[str, Any]]]) -> list[str]:
    """A line for each of many that stand beside, their figures in columns; all have the same ones."""
    found = {name: list(figures(list(record))) for name, record in beside.items()}
    columns = [
        f"{one.name}, {one.unit}" if one.name and one.unit else one.name or one.unit
        for one in next(iter(found.values()))
    ]
    cells = [[name, *(replace(one, name="", unit="") for one in row)] for name, row in found.items()]
    return [
        f"| | {' | '.join(columns)} |",
        "|---" * (len(columns) + 1) + "|",
        *(f"| {' | '.join(map(str, row))} |" for row in cells),
    ]


def _joined(record: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(str(figure) for figure in figures(list(record)))


def _place(row: Mapping[str, Any]) -> str:
    machine, versions = row["machine"], row["versions"]
    used = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}; {used}"
