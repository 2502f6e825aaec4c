"""``python again.py DIR DIR``: two runs in one process; prints the seconds that assembling the second one took.

Everything is imported, loaded and warm by then: they are what its model and its data need.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from espalier.run import __main__ as command
from espalier.run import fit


def main() -> None:
    took: list[float] = []
    assemble = fit.assemble

    def timed(**nodes: Any) -> Any:
        began = time.perf_counter()
        assembly = assemble(**nodes)
        took.append(time.perf_counter() - began)
        return assembly

    fit.assemble = timed
    for directory in sys.argv[1:]:
        sys.argv[1:] = [directory]
        command.main()
    print(json.dumps({"seconds": took[-1]}))


if __name__ == "__main__":
    main()
