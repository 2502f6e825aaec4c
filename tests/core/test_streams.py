"""What a process prints has no secret in it, and is otherwise what was printed."""

from __future__ import annotations

import io
import logging
import shlex
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from core.disk import full_disk
from espalier.core.masking import MASK
from espalier.core.streams import MaskingStream, mask_streams

KEY = "hf_" + "a1" * 15


def printed(*pieces: str) -> str:
    below = io.StringIO()
    stream = MaskingStream(below)
    for piece in pieces:
        assert stream.write(piece) == len(piece)
    stream.flush()
    return below.getvalue()


def test_a_secret_is_seen_though_it_was_written_in_pieces() -> None:
    assert printed("password:", " ", "hush1", "\n") == f"password: {MASK}\n"
    assert printed("sent ", KEY[:9], KEY[9:], "\nnext") == f"sent {MASK}\nnext"


def test_other_text_is_what_was_written() -> None:
    assert printed("one\ntwo", "\r 10%", "\r 20%", "", "\n\nend") == "one\ntwo\r 10%\r 20%\n\nend"


def test_a_line_goes_on_when_it_is_whole_and_a_bar_when_it_is_drawn() -> None:
    below = io.StringIO()
    stream = MaskingStream(below)
    stream.write("\r 10%")
    stream.write("\r 20%")
    assert below.getvalue() == "\r 10%\r"
    stream.writelines(["\n", "token"])
    assert below.getvalue() == "\r 10%\r 20%\n"
    stream.flush()
    assert below.getvalue() == "\r 10%\r 20%\ntoken"


def test_in_all_else_it_is_the_stream_below() -> None:
    below = io.TextIOWrapper(io.BytesIO(), encoding="utf-16")
    stream = MaskingStream(below)
    assert (stream.encoding, stream.isatty(), stream.buffer) == ("utf-16", False, below.buffer)


def test_prints_warnings_logs_and_tracebacks_of_a_process() -> None:
    program = f"""
import logging, sys, warnings
from espalier.core.streams import mask_streams
mask_streams(); mask_streams()
print("token=", {KEY!r}, sep="")
print({KEY!r}, end="", file=sys.stderr)
logging.basicConfig()
logging.warning("refused %s", {KEY!r})
warnings.warn({KEY!r})
try:
    raise ValueError("inner " + {KEY!r})
except ValueError as error:
    raise RuntimeError({KEY!r}) from error
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert KEY not in done.stdout + done.stderr
    assert done.stdout == f"token={MASK}\n"
    assert done.stderr.count(MASK) >= 5 and "RuntimeError" in done.stderr and done.returncode == 1


def test_a_process_without_streams_has_nothing_to_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    mask_streams()
    assert sys.stdout is None and sys.stderr is None


def test_handlers_that_keep_the_stream_are_masked_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    below = io.StringIO()
    monkeypatch.setattr(sys, "stderr", below)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    mask_streams()
    logger = logging.Logger("kept")
    logger.addHandler(logging.StreamHandler())
    logger.warning("refused %s", KEY)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(KEY, stacklevel=1)
    assert KEY not in below.getvalue() and f"refused {MASK}" in below.getvalue()


def test_a_log_on_a_full_disk_costs_no_run(tmp_path: Path) -> None:
    with (tmp_path / "log.txt").open("w", buffering=1) as below:
        stream = MaskingStream(below)
        stream.write("before\n")
        with full_disk(7):
            stream.write("meanwhile\n")
            stream.flush()
        stream.write("after\n")
        stream.flush()
    assert (tmp_path / "log.txt").read_text().startswith("before\n")
    with pytest.raises(ValueError, match="closed"):
        stream.flush()


def test_a_reader_that_has_gone_costs_no_run() -> None:
    program = """
import sys, time
from espalier.core.streams import mask_streams
mask_streams()
print("first", flush=True)
time.sleep(0.3)
for number in range(20_000):
    print("line", number, flush=number % 2 == 0)
print("done", file=sys.stderr)
"""
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(program)} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("first\n0\n", "done\n")
