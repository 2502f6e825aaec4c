"""Whether W&B's server answers at all: asked before a run is opened there, and before its end is waited for."""

from __future__ import annotations

import os
import ssl
import urllib.error
import urllib.request
from http.client import HTTPException
from threading import Thread

from espalier.tracking.background import in_one_line
from espalier.tracking.wandb_mode import settings_of_wandb

_SAAS = "https://api.wandb.ai"


def address() -> str:
    """Where wandb would send a run."""
    return (os.environ.get("WANDB_BASE_URL") or settings_of_wandb().get("base_url") or _SAAS).rstrip("/")


class Probe:
    """One question to the server, in a thread of its own: names may be looked up for longer than anybody wants to wait.

    Args:
        seconds: after which no answer counts as none.
    """

    def __init__(self, seconds: float) -> None:
        self._url, self._seconds = address(), seconds
        self._trouble = f"no answer from {self._url} in {seconds:.0f} s"
        self._thread = Thread(target=self._ask, name="wandb-server", daemon=True)
        self._thread.start()

    def trouble(self) -> str:
        """What stands against it, in one line; ``""`` where it answers. Waits for that, no longer than was said."""
        self._thread.join(self._seconds)
        return self._trouble

    def _ask(self) -> None:
        try:
            with urllib.request.urlopen(f"{self._url}/healthz", timeout=self._seconds):
                self._trouble = ""
        except urllib.error.HTTPError as answer:
            self._trouble = "" if answer.code < 500 else f"{self._url} answers {answer.code}"
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, ssl.SSLError):
                self._trouble = ""  # wandb may trust another list of authorities
            elif not isinstance(reason, TimeoutError):
                self._trouble = in_one_line(reason) if isinstance(reason, Exception) else f"{self._url}: {reason}"
