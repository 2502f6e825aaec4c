"""Takes the place of ``espalier.run`` where a test is about processes: it does what its directory's ``do`` says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def main() -> int:
    directory = Path(sys.argv[1])
    do, _, value = (directory / "do").read_text().partition(" ")
    names = ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "MINE")
    told = {name: os.environ.get(name) for name in names}
    (directory / "told.json").write_text(json.dumps({"words": sys.argv[2:], "group": os.getpgid(0), **told}))
    print("begun", do, flush=True)
    if do == "exit":
        return int(value)
    if do == "kill":
        os.kill(os.getpid(), int(value))
    if do == "rank":
        beside = subprocess.Popen(["sleep", "300"])
        (directory / "beside").write_text(str(beside.pid))
        os.kill(os.getpid(), signal.SIGKILL)
    if do == "polite":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if do == "eat":
        blocks = []
        while True:
            blocks.append(bytearray(os.urandom(1 << 20) * 8))
    (directory / "ready").touch()
    if do == "read":
        print("read", sys.stdin.readline().strip(), flush=True)
        return 0
    time.sleep(60)
    return 0


if __name__ == "__main__":
    sys.exit(main())
