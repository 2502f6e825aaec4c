"""README's table of results, made from the results file: no figure in it is typed by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from benches import adapters
from benches.machine import ROOT
from benches.records import figures, load

README = ROOT / "README.md"
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
    for row in results.values():
        if row["bench"] == adapters.BENCH:
            continue  # they have a table of their own
        beside = "<br>".join(f"{name}: {_joined(found)}" for name, found in row["beside"].items()) or "–"
        mark = "yes" if row["holds"] else "**no**"
        lines.append(f"| {row['title']} | {_joined(row['ours'])} | {beside} | {row['claim']}: {mark} |")
    if told := adapters.table(results):
        lines += ["", f"{adapters.TITLE}:", "", *told, "", adapters.NOTE]
    dates: dict[str, set[str]] = defaultdict(set)
    for row in results.values():
        dates[_place(row)].add(row["date"])
    places = [f"Measured on {', '.join(sorted(days))}: {place}." for place, days in dates.items()]
    return "\n".join(
        [*lines, "", "Medians (lowest – highest), accuracies as mean ± sd over seeds. " + " ".join(places)]
    )


def _joined(record: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(str(figure) for figure in figures(list(record)))


def _place(row: Mapping[str, Any]) -> str:
    machine, versions = row["machine"], row["versions"]
    used = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}; {used}"
