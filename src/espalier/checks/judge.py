"""``python -m espalier.checks.judge FOLDER``: the process behind ``espalier data check``, which judges labels too."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from espalier.checks.doubts import doubts
from espalier.checks.features import features
from espalier.checks.find import tell
from espalier.checks.opening import answered, opened
from espalier.checks.rows import label_role
from espalier.config.saved import read
from espalier.core.interpreter import leave


def main() -> int:
    """Check; 0, or with ``--strict`` 1 where something was found; 2 something to mend."""
    parser = argparse.ArgumentParser(prog="python -m espalier.checks.judge", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    return answered(lambda: _judge(given))


def _judge(given: argparse.Namespace) -> int:
    experiment = read(given.directory)
    source, raw = opened(experiment)
    if not given.json and sys.stdout.isatty():
        rows = sum(table.num_rows for table in raw.splits.values())
        print(f"judging {rows:,} labels …", file=sys.stderr, flush=True)
    doubted = doubts(raw, features(experiment, source, raw)) if label_role(raw) else None
    return tell(experiment, source, raw, doubted, strict=given.strict, as_json=given.json, output=given.output)


if __name__ == "__main__":
    leave(main())
