"""Secrets stay out of what is written and sent: config files, trackers, reports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from espalier.core.errors import Fault

MASK = "•••"
_KEY = re.compile(
    r"(^|_)(api_?key|access_?key|secret(_?key)?|password|passwd|credential|private_?key|(auth|access|api|bearer|hf|hub|refresh)"
    r"_?token)s?$|^token$",
    re.IGNORECASE,
)
_PAIR = re.compile(r"""([\w-]+)(["']?\s*[:=]\s*)(\$\{[^}]*\}|"[^"]*"|'[^']*'|[^\s,{}\[\]]+)""")
_VALUE = re.compile(
    r"\b(hf_\w{20,}|sk-[\w-]{20,}|ghp_\w{20,}|AKIA[0-9A-Z]{16})\b|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)|(?<![\w/])[0-9a-f]{40}(?![\w/])"
)


def secrets_in(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Dotted keys with a literal secret, by the key's name or the value's look; ``${oc.env:NAME}`` is none."""
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from secrets_in(value, f"{key}.")
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, Mapping):
                yield from secrets_in(item, f"{key}.")
            elif isinstance(item, str) and item and "${" not in item and is_secret(str(name), item):
                yield key, item


def masked(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A copy without secrets, and with references to the environment left as they are written."""
    return {str(name): _masked(str(name), value) for name, value in tree.items()}


def masked_text(text: str) -> str:
    """A word of a command line, or any text, without secrets: ``api_key=•••``, ``vars={password: •••}``."""
    key, sign, value = text.partition("=")
    if sign and not _is_harmless(value) and _KEY.search(key.rpartition(".")[2].lstrip("+~")):
        return f"{key}={MASK}"
    text = _PAIR.sub(lambda m: m[0] if _is_harmless(m[3]) or not _KEY.search(m[1]) else f"{m[1]}{m[2]}{MASK}", text)
    return text if "revision" in text or "commit" in text else _VALUE.sub(MASK, text)


def masked_fault(fault: Fault) -> Fault:
    """A fault that can be shown to anybody."""
    what, truth, remedy = map(masked_text, (fault.what, fault.truth, fault.remedy))
    return Fault(what, truth, remedy, fault.where)


def _is_harmless(value: str) -> bool:
    return value.strip() in ("", "null", "…", MASK) or "${" in value


def is_secret(name: str, value: str) -> bool:
    """Whether a setting holds a secret. A commit (``revision: <40 hex>``) is none."""
    return bool(_KEY.search(name)) or (bool(_VALUE.search(value)) and "revision" not in name and "commit" not in name)


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return masked(value)
    if isinstance(value, list):
        return [_masked(name, item) for item in value]
    return MASK if isinstance(value, str) and value and "${" not in value and is_secret(name, value) else value
