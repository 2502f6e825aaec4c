"""What ``espalier data`` says of rows, and the lines of it that every run shows. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from espalier.core.findings import Doubts, Findings, Lengths, Suspect
from espalier.report.layout import aligned, cut, terminal_width

_UNEQUAL = 10  # training rows of the largest class for one of the smallest, from which a run says so
_MANY_REPEATED = 0.01  # share of a split's rows, from which a run says so
_NAMED = 3
_CLASSES = 12
_DOUBTED = 10
_NARROW = 40
_LABEL = 26


def short_lines(found: Findings) -> list[str]:
    """At most three lines: what leaks between splits, what stands twice, which classes are rare.

    ``leaked   123 texts of test are in train too   (espalier data check)``
    """
    many = {split: n for split, n in found.repeated.items() if n >= _MANY_REPEATED * found.rows[split]}
    rows = [("leaked", _leaked(found)) if found.leaked else None,
            ("repeated", _repeated(found, many)) if many or found.conflicts else None,
            ("classes", _rare(found)) if found.imbalance >= _UNEQUAL or found.absent else None]  # fmt: skip
    lines = aligned([row for row in rows if row]) if any(rows) else []
    return [*lines[:-1], f"{lines[-1]}   (espalier data check)"] if lines else []


def check_lines(
    name: str,
    origin: str,
    found: Findings,
    words: Mapping[str, Lengths],
    doubted: Doubts | None,
    width: int | None = None,
    notes: Sequence[str] = (),
) -> list[str]:
    """Everything that was looked for, a line each whether it was found or not, and the labels that are doubted most.

    Args:
        name: the data option.
        words: split -> lengths of its texts; empty where there are none.
        doubted: None where labels were not judged.
        width: columns to write in; the terminal's if not given.
        notes: what the data option itself says of its rows.
    """
    width = terminal_width() if width is None else width
    single = found.unit.removesuffix("s")
    rows = [
        ("leaked", _leaked(found) if found.leaked else f"no {single} of a split is in an earlier one"),
        ("repeated", _repeated(found, found.repeated) if found.repeated or found.conflicts else f"no {single} twice"),
    ]
    if found.empty:
        rows.append(
            ("empty", f"{_by_split(found.empty)} {'says' if sum(found.empty.values()) == 1 else 'say'} nothing")
        )
    rows += [("classes", line) for line in _class_lines(found)]
    rows += [("lengths", _length(split, length)) for split, length in words.items()]
    rows += [("labels", line) for line in _alike(found.classes)]
    if doubted:
        rows.append(("labels", _doubts(doubted)))
    rows += [("notes", note) for note in notes]
    listed = [] if doubted is None else _listed(doubted.suspects, width)
    return [_head(name, origin, found.rows, found.unit), "", *_grouped(rows), *([""] if listed else []), *listed]


def show_lines(name: str, record: Mapping[str, Any], width: int | None = None) -> list[str]:
    """What was read: splits, columns, labels with their rows, and the first rows.

    Args:
        name: the data option.
        record: ``origin``, ``kinds`` (column -> kind), ``counts`` (split -> ``core.facts.Counts`` as a dict),
            ``classes`` (split -> label -> rows), ``notes``, ``rows`` (split -> first rows as dicts), ``shape``.
    """
    width = terminal_width() if width is None else width
    counts = record["counts"]
    dropped = {s: ", ".join(f"{n:,} dropped ({why})" for why, n in c["dropped"].items()) for s, c in counts.items()}
    splits = [("", "rows", "")] + [(s, f"{c['kept']:,}", dropped[s]) for s, c in counts.items()]
    lines = [f"{name}   {record['origin']}", "", *aligned(splits, (1,)), "", *_columns(record), ""]
    if record["classes"]:
        lines += [
            *_distribution(record["classes"]),
            "",
            *(alike := _alike(record["classes"])),
            *([""] if alike else []),
        ]
    lines += [*record["notes"], *([""] if record["notes"] else [])]
    for split, rows in record["rows"].items():
        lines += [f"{split}:", *(cut(f"  {line}", width) for row in rows for line in _row_lines(row, record["kinds"]))]
    return lines


def _head(name: str, origin: str, rows: Mapping[str, int], unit: str) -> str:
    return f"{name}   {unit}: {', '.join(f'{split} {count:,}' for split, count in rows.items())}   {origin}"


def _grouped(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Aligned, with a name only where it changes."""
    names = ["" if i and rows[i - 1][0] == name else name for i, (name, _) in enumerate(rows)]
    return aligned([(name, said) for name, (_, said) in zip(names, rows, strict=True)])


def _leaked(found: Findings) -> str:
    parts = []
    for split, count in found.leaked.items():
        places = [f"{n:,} in {earlier}" for earlier, n in found.shared[split].items()]
        where = f"in {next(iter(found.shared[split]))} too"
        if len(places) > 1:
            where = f"in earlier splits too ({', '.join(places)})"
        parts.append(f"{_number(count, found.unit)} of {split} {'is' if count == 1 else 'are'} {where}")
    return "; ".join(parts)


def _repeated(found: Findings, repeated: Mapping[str, int]) -> str:
    parts = [f"{_by_split(repeated)} stand there already"] if repeated else []
    parts += [f"{_number(found.conflicts, found.unit)} with more than one label"] if found.conflicts else []
    return "; ".join(parts)


def _by_split(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{_number(count, 'rows')} of {split}" for split, count in counts.items())


def _number(count: int, unit: str) -> str:
    return f"{count:,} {unit.removesuffix('s') if count == 1 else unit}"


def _rare(found: Findings) -> str:
    parts = [_unequal(found)] if found.imbalance >= _UNEQUAL else []
    parts += [f"no row of {split} is {_some(names)}" for split, names in found.absent.items()]
    return "; ".join(parts)


def _unequal(found: Findings) -> str:
    counts = {name: count for name, count in found.classes["train"].items() if count}
    low, high = min(counts, key=lambda name: counts[name]), max(counts, key=lambda name: counts[name])
    fewest = f"{_label(low)} has {_number(counts[low], 'rows')} in train"
    return f"{fewest}, {_label(high)} {counts[high]:,} (1 : {found.imbalance:,.0f})"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(map(_label, names[:_NAMED])) + more


def _label(name: str) -> str:
    """As it is; quoted where blanks at its ends would not be seen."""
    return name if name == name.strip() and name else f"'{name}'"


def _alike(classes: Mapping[str, Mapping[str, int]]) -> list[str]:
    """A line for each group of labels that may be meant as one."""
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys(name for counts in classes.values() for name in counts):
        groups.setdefault(" ".join(name.casefold().split()), []).append(name)
    lines = [_differ(names, "case and blanks") for names in groups.values() if len(names) > 1]
    numbers = [(name, name.rstrip("0")[:-1]) for name in groups if re.fullmatch(r"-?\d+\.0+", name)]
    return lines + [_differ([whole, name], "how a number is written") for name, whole in numbers if whole in groups]


def _differ(names: Sequence[str], what: str) -> str:
    *first, last = (f"'{name}'" for name in names)
    return f"{', '.join(first)} and {last} differ in {what} only"


def _class_lines(found: Findings) -> list[str]:
    train = found.classes.get("train", {})
    counts = [count for count in train.values() if count]
    if not counts:
        return []
    lines = [f"{len(train):,}, of {min(counts):,} to {max(counts):,} rows in train"]
    lines += [_unequal(found)] if found.imbalance >= _UNEQUAL else []
    lines += [f"one row in train: {_some(found.single)}"] if found.single else []
    return lines + [f"no row in {split}: {_some(names)}" for split, names in found.absent.items()]


def _length(split: str, length: Lengths) -> str:
    said = f"{split}: {length.median:,} words at the median, {length.longest:,} at most"
    have = f"{_number(length.over, 'rows')} {'has' if length.over == 1 else 'have'}"
    over = f"; {have} more than data.max_length={length.limit}, and will be cut"
    return said + (over if length.over else "")


def _doubts(doubted: Doubts) -> str:
    count = len(doubted.suspects)
    return (f"{count:,} of {doubted.rows:,} are doubted, by {doubted.features} "
            f"(a classifier that did not see the row gives {doubted.agreement:.0%} of all labels)")  # fmt: skip


def _listed(suspects: Sequence[Suspect], width: int) -> list[str]:
    if not suspects:
        return []
    shown = suspects[:_DOUBTED]
    rows = [
        (f"{s.split} {s.row}", cut(_label(s.given), _LABEL), cut(_label(s.suggested), _LABEL), " ".join(s.text.split()))
        for s in shown
    ]
    return [
        cut(line, width)
        for line in aligned([("row", "label", "rather", "text" if any(s.text for s in shown) else ""), *rows])
    ]


def _columns(record: Mapping[str, Any]) -> list[str]:
    shape = f", {' x '.join(map(str, record['shape']))}" if record["shape"] else ""
    kinds = record["kinds"].items()
    rows = [(role, kind + (shape if kind in ("image", "vector") else "")) for role, kind in kinds]
    others = sorted(
        {role for rows in record["rows"].values() for row in rows for role in row} - {*record["kinds"], "row"}
    )
    return aligned([("column", "kind"), *rows, *((role, "") for role in others)])


def _distribution(classes: Mapping[str, Mapping[str, int]]) -> list[str]:
    """A line for each label, the most frequent first; of many, the first and the last ones."""
    splits = list(classes)
    first = classes[splits[0]]
    names = sorted(first, key=lambda name: -first[name])
    rows = [(cut(_label(name), _NARROW), *(f"{classes[split][name]:,}" for split in splits)) for name in names]
    if len(rows) > _CLASSES:
        half = _CLASSES // 2
        rows = [*rows[:half], (f"… {len(rows) - _CLASSES:,} more", *("" for _ in splits)), *rows[-half:]]
    return aligned([("label", *splits), *rows], range(1, len(splits) + 1))


def _row_lines(row: Mapping[str, Any], kinds: Mapping[str, str]) -> list[str]:
    """A row on a line; of a conversation what was said in turn, and what is learned to be answered, on lines below."""
    if "messages" not in {kinds.get(role) for role in row}:
        return [_said(row, kinds)]
    spoken = {role: value for role, value in row.items() if kinds.get(role) in ("messages", "target")}
    turns = [(one["role"], one["content"]) for value in spoken.values() if isinstance(value, list) for one in value]
    turns += [(role, value) for role, value in spoken.items() if not isinstance(value, list)]
    rest = {role: value for role, value in row.items() if role not in spoken}
    return [_said(rest, kinds), *(f"  {role}: {_value(text)}" for role, text in turns)]


def _said(row: Mapping[str, Any], kinds: Mapping[str, str]) -> str:
    """A row on a line; its texts last, since a long one is cut."""
    roles = sorted(row, key=lambda role: kinds.get(role) == "text")
    return "   ".join(f"{role}={_value(row[role])}" for role in roles)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, list) and not all(isinstance(item, str) for item in value):
        return f"[{', '.join(f'{item:.4g}' for item in value[:6])}{', …' if len(value) > 6 else ''}]"
    return ", ".join(value) if isinstance(value, list) else str(value)
