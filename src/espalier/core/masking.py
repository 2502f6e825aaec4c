"""Secrets stay out of what is written and sent: config files, trackers, reports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

MASK = "•••"
_KEY = re.compile(r"(^|_)(api_?key|access_?key|secret|token|password|passwd|credential|private_?key)s?$", re.IGNORECASE)
_VALUE = re.compile(r"\b(hf_\w{20,}|sk-[\w-]{20,}|ghp_\w{20,}|AKIA[0-9A-Z]{16}|[0-9a-f]{40})\b")


def secrets_in(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Dotted keys with a literal secret, by the key's name or the value's look; ``${oc.env:NAME}`` is none."""
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from secrets_in(value, f"{key}.")
        elif isinstance(value, str) and value and "${" not in value and is_secret(str(name), value):
            yield key, value


def masked(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A copy without secrets, and with references to the environment left as they are written."""
    return {str(name): _masked(str(name), value) for name, value in tree.items()}


def is_secret(name: str, value: str) -> bool:
    """Whether a setting holds a secret. A commit (``revision: <40 hex>``) is none."""
    return bool(_KEY.search(name)) or (bool(_VALUE.search(value)) and "revision" not in name and "commit" not in name)


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return masked(value)
    if isinstance(value, list):
        return [_masked(name, item) for item in value]
    return MASK if isinstance(value, str) and value and "${" not in value and is_secret(name, value) else value
