"""What is wrong with the rows of a data option, as ``espalier data check`` prints it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from espalier.checks.opening import opened
from espalier.checks.rows import findings, identities, lengths, suspects
from espalier.checks.table import write_suspects
from espalier.config.compose import Experiment
from espalier.core.facts import Raw
from espalier.core.findings import Doubts, Findings, Lengths, Suspect
from espalier.core.parts import Data
from espalier.report.data_checks import check_lines


def find(experiment: Experiment, *, strict: bool, as_json: bool, output: Path | None) -> int:
    """Count what is the same, empty or rare, and say so; labels are not judged. See ``tell``."""
    source, raw = opened(experiment)
    return tell(experiment, source, raw, None, strict=strict, as_json=as_json, output=output)


def tell(
    experiment: Experiment,
    source: Data,
    raw: Raw,
    doubted: Doubts | None,
    *,
    strict: bool,
    as_json: bool,
    output: Path | None,
) -> int:
    """Print what counting finds, and the labels that are doubted.

    Args:
        doubted: None where labels were not judged.
        strict: whether a row that was found is a failure.
        as_json: one object, for other programs.
        output: a file for every row that was found (see ``checks.table``).

    Returns:
        The exit code: 0, or 1 by ``strict``.
    """
    same = identities(raw)
    found, rows = findings(raw, same), suspects(raw, same)
    rows += doubted.suspects if doubted else []
    words = lengths(raw, source.batching.max_length)
    if as_json:
        print(_json(raw, found, words, doubted, rows))
    else:
        name = experiment.choices["data"]
        print("\n".join(check_lines(name, raw.origin, found, words, doubted, notes=raw.notes)), flush=True)
    if output:
        write_suspects(output, rows)
    if rows and not as_json:
        said = f"{len(rows):,} rows are listed in {output}" if output else "--output FILE lists every such row"
        print("", said, sep="\n")
    return 1 if strict and rows else 0


def _json(raw: Raw, found: Findings, words: dict[str, Lengths], doubted: Doubts | None, rows: Sequence[Suspect]) -> str:
    record = {
        "origin": raw.origin, "fingerprint": raw.fingerprint, **asdict(found), **found.summary(),
        "words": {split: asdict(length) for split, length in words.items()},
        "labels": None if doubted is None else {k: v for k, v in asdict(doubted).items() if k != "suspects"},
        "suspects": [asdict(row) for row in rows],
    }  # fmt: skip
    return json.dumps(record, ensure_ascii=False)
