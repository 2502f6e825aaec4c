"""A part from outside of Espalier that says what it should keep to itself: prints, logs, warns, and fails with it."""

from __future__ import annotations

import base64
import json
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytorch_lightning as pl

from espalier.core.parts import RunInfo


class TellsSecrets(pl.Callback):
    """At the first step it says the lines of the file that the variable ``TELLS`` names, in each way there is.

    Args:
        notes: settings, as a config refers to the environment.
        fails: whether it then raises an error that quotes all of them.
    """

    def __init__(self, run: RunInfo, /, *, notes: dict[str, str], fails: bool) -> None:  # noqa: ARG002
        self.notes, self.fails, self.said = notes, fails, False

    def on_train_batch_end(self, *_: Any) -> None:
        """Once."""
        if self.said:
            return
        self.said = True
        lines = json.loads(Path(os.environ["TELLS"]).read_text())
        logger = logging.getLogger("tells_secrets")
        for line in lines:
            print(line)
            print("said", repr(line), json.dumps({"why": line}))
            logger.warning("a library says %s", line)
            warnings.warn(line, stacklevel=1)
            sys.stderr.write(f"{line}\n")
        for name, value in self.notes.items():
            print(name, value)
            print("in other words", quote(value, safe=""), base64.b64encode(f"me:{value}".encode()).decode())
        if self.fails:
            told = "\n".join([*lines, *self.notes.values()])
            try:
                raise ConnectionError(told)
            except ConnectionError as error:
                raise RuntimeError(f"could not be fetched: {lines[0]} {told}") from error
