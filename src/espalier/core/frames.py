"""Of an error's traceback, the frames that its reader can mend: neither a library's nor ours."""

from __future__ import annotations

import sys
from pathlib import Path
from traceback import FrameSummary, extract_tb

_OURS = str(Path(__file__).parents[1])


def own_frames(error: BaseException) -> list[FrameSummary]:
    """Those in code of the user's own, the innermost last."""
    return [
        frame
        for frame in extract_tb(error.__traceback__)
        if "site-packages" not in frame.filename and not frame.filename.startswith(("<", _OURS, sys.base_prefix))
    ]


def own_place(error: BaseException) -> str:
    """``my_parts/net.py:3``: the innermost line in code of the user's own; ``""`` where there is none."""
    frames = own_frames(error)
    file, line = (frames[-1].filename, frames[-1].lineno) if frames else ("", None)
    if isinstance(error, SyntaxError) and error.filename:  # which is no line that ran
        file, line = error.filename, error.lineno
    path = Path(file)
    return f"{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}:{line or 1}" if file else ""
