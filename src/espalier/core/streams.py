"""Standard output and error of a process that runs other people's code: secrets are masked on their way out.

What such a process prints is kept: a trial's ``log.txt``, a cluster's job output, the last lines in a sweep's report.
What cannot be kept, on a full disk or since its reader has gone (``| head``, ``| tee`` after Ctrl-C), costs no run.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from threading import Lock
from typing import Any, TextIO, cast

from espalier.core.files import is_full
from espalier.core.masking import masked_text

_GONE = (errno.EPIPE, errno.EIO)  # a pipe's reader, a terminal


def mask_streams() -> None:
    """From here on ``sys.stdout`` and ``sys.stderr`` are masked; once is enough."""
    sys.stdout, sys.stderr = _masking(sys.stdout), _masking(sys.stderr)


def _masking(stream: TextIO | None) -> Any:
    return stream if stream is None or isinstance(stream, MaskingStream) else MaskingStream(stream)


class MaskingStream:
    """A text stream that hands on whole lines, or what there is when it is flushed; in all else the stream itself.

    A secret is seen though it was written in pieces: ``print("password:", word)`` is four of them.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream, self._held, self._lock = stream, "", Lock()

    def write(self, text: str) -> int:
        """Take up text; as many characters as it has."""
        with self._lock:
            whole, end, begun = (self._held + text).rpartition("\n")
            if not end:
                whole, end, begun = begun.rpartition("\r")
            self._held = begun
            if end:
                self._hand_on(self.stream.write, masked_text(whole) + end)
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Each of them."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Hand on the line that is begun, too."""
        with self._lock:
            begun, self._held = self._held, ""
            if begun:
                self._hand_on(self.stream.write, masked_text(begun))
        self._hand_on(self.stream.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(cast("TextIO", self.__dict__["stream"]), name)

    def _hand_on(self, act: Callable[..., object], *given: str) -> None:
        """To the stream below; where nobody reads it any more, to nobody from here on."""
        try:
            act(*given)
        except OSError as error:
            if error.errno in _GONE:
                os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())
            elif not is_full(error) and error.errno != errno.EFBIG:
                raise
