"""``python -m espalier.checks.find FOLDER``: the process behind ``espalier data check``."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from espalier.checks.doubts import doubts
from espalier.checks.features import features
from espalier.checks.opening import answered, opened
from espalier.checks.rows import findings, identities, lengths, suspects
from espalier.checks.table import write_suspects
from espalier.report.data_checks import check_lines


def main() -> int:
    """Check; 0, or with ``--strict`` 1 where something was found; 2 something to mend."""
    parser = argparse.ArgumentParser(prog="python -m espalier.checks.find", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    return answered(lambda: _find(given))


def _find(given: argparse.Namespace) -> int:
    experiment, source, raw = opened(given.directory)
    same = identities(raw)
    found, rows = findings(raw, same), suspects(raw, same)
    words = lengths(raw, source.batching.max_length)
    doubted = None
    if not given.quick:
        if not given.json and sys.stdout.isatty():
            print(f"judging {sum(found.rows.values()):,} labels …", file=sys.stderr, flush=True)
        doubted = doubts(raw, features(experiment, source, raw))
    rows += doubted.suspects if doubted else []
    if given.output:
        write_suspects(given.output, rows)
    if given.json:
        record = {
            "origin": raw.origin, "fingerprint": raw.fingerprint, **asdict(found), **found.summary(),
            "words": {split: asdict(length) for split, length in words.items()},
            "labels": None if doubted is None else {k: v for k, v in asdict(doubted).items() if k != "suspects"},
            "suspects": [asdict(row) for row in rows],
        }  # fmt: skip
        print(json.dumps(record, ensure_ascii=False))
    else:
        print("\n".join(check_lines(experiment.choices["data"], raw.origin, found, words, doubted)))
        said = (
            f"{len(rows):,} rows are listed in {given.output}" if given.output else "--output FILE lists every such row"
        )
        print(*(["", said] if rows else []), sep="\n")
    return 1 if given.strict and rows else 0


if __name__ == "__main__":
    sys.exit(main())
