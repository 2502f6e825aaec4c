"""Secrets stay out of what is written and sent: config files, trackers, reports, logs. All rules stand here.

A secret is found by the name of its key (``password``, ``hub_token``), by its own look (``ghp_…``, ``user:pass@``, a
private key), or since a variable of the environment whose name says that it is one holds it: then also in base64,
or quoted as URLs, JSON and HTML do.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "•••"

_NAME = re.compile(
    r"""(^|_)(
        api_?key | (secret_)?access_?key | secret(_?key)? | pass(word|wd|phrase) | credential | authorization
      | (private|signing|encryption|deploy|ssh|account|storage)_?key | (?<=_)pwd | (set_)?cookie
      | (auth|oauth|access|api|bearer|hf|hub|hugging_?face|refresh|session|security|bot|github|gitlab|slack|wandb
        |personal|webhook|deploy|admin|user|vault|pypi|npm|deploy|service|app|jwt|replicate)_?token
    )s?$ | ^token$""",
    re.VERBOSE,
)
_WORDS = {"token", "secret", "secrets", "cookie", "cookies", "credential", "credentials"}  # of any text, too
_PROSE = re.compile(r"[A-Z]?[a-z]+\W?")
_IS_PASSWORD = re.compile(r"pass(word|wd|phrase)$|_pwd$")
# Of variables: their names are written by people who keep secrets there, so the end of the name says it.
_VARIABLE = re.compile(
    r"(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|_PWD|CREDENTIALS?|API_?KEY|(ACCESS|SECRET|PRIVATE)_?KEY)$"
)
_REFERENCE = re.compile(r"\$\{oc\.env:\s*(\w+)\s*(?:,([^}]*))?\}")

_SHAPES = re.compile(
    r"""(?<![\w-])(?:
        hf_[A-Za-z0-9]{20,} | api_org_[A-Za-z0-9]{20,}                                       # Hugging Face
      | sk-(?:[A-Za-z0-9]{20,}(?![\w-]) | (?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{20,})               # OpenAI, Anthropic
      | gh[pousr]_[A-Za-z0-9]{20,} | github_pat_\w{20,} | glpat-[\w-]{20,}                   # GitHub, GitLab
      | (?:AKIA|ASIA|AGPA|AIDA|AROA)[0-9A-Z]{16}(?!\w) | AIza[\w-]{35} | ya29\.[\w-]{20,}       # AWS, Google
      | xox[abeoprs]-[\w-]{10,} | xapp-[\w-]{10,}                                            # Slack
      | (?:wandb_v\d+|npm|pypi|dop_v1|r8|gsk|shpat|rk_live|sk_live|sk_test)_[A-Za-z0-9_-]{20,} | pypi-[\w-]{40,}
      | (?:dapi[0-9a-f]|SG\.[\w-]|nvapi-[\w-]|xai-[\w-]|pplx-[\w-]|local-[0-9a-f])[\w.-]{30,}
      | eyJ[\w-]{8,}\.eyJ[\w-]{4,}\.[\w-]{8,}                                                # JWT
    )
    | -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY(?:[ ]BLOCK)?-----.*?(?:-----END[ ][A-Z ]*PRIVATE[ ]KEY(?:[ ]BLOCK)?-----|\Z)
    | (?<=hooks\.slack\.com/services/)[\w/]{10,}
    | (?<=://)[^/\s:@"'<>]*:[^/\s"'<>]+(?=@)                                                 # user:password@host
    | (?<=[Bb]earer[ ])(?=[^\s"']*[\d=])[\w.~+/=-]{12,} | (?<=[Bb]asic[ ])(?=[^\s"']*[\d=])[\w+/]{8,}=*""",
    re.VERBOSE | re.DOTALL,
)
_SHORTEST = 12  # characters of a value that can have one of these shapes
# W&B's keys look like a commit: what stands before says which.
_HEX = re.compile(r"(?<![\w/@])[0-9a-f]{40}(?![\w/])")
_NO_KEY = re.compile(
    r"(revision|commit|sha1?|hash|digest|checksum|fingerprint|version|tree|branch|head|ref|blob|snapshot|etag|parent"
    r"|git|at)s?\b\W{0,4}(is |was |at |to |of |id|hex)*\W{0,3}$",
    re.IGNORECASE,
)
_HINT = re.compile(r"token|secret|pass|pwd|key|cred|auth|cookie|sig|code", re.IGNORECASE)
_KEYED = re.compile(r"""(?P<name>[\w-]+)(?:\\*["'])?[ \t]*(?:[:=]|=>|%3[AD])[ \t]*""")
_VALUE = re.compile(
    r"""\$\{[^}]*\} | \\+["'](?P<escaped>[^"'\\\n]*)\\+["'] | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*'
    | (?:[^\s,;&{}\[\]"'<>] | [,;&](?=[^\s,;&{}\[\]"'<>])(?![\w.-]+[ ]?[:=]))+""",
    re.VERBOSE,
)
_FLAG = re.compile(r"(?P<name>(?<!\S)--[\w-]+)(?P<sign>[ \t]+)(?P<value>(?!-)[^\s\"']+)")
_LOGIN = re.compile(r"(?P<name>\blogin\s+\S+\s+password)(?P<sign>\s+)(?P<value>\S+)")  # a line of .netrc
_SIGNED = re.compile(
    r"(?<=[?&;])(?P<name>sig|signature|X-Amz-Signature|X-Amz-Credential|X-Goog-Signature|key|auth|code)(?P<sign>=)"
    r"(?P<value>[^\s&;#\"'<>]{6,})"
)

_named: set[str] = set()


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
            elif is_secret(str(name), item):
                yield key, str(item)


def is_secret(name: str, value: Any) -> bool:
    """Whether a setting holds a secret. A commit (``revision: <40 hex>``) is none, nor a variable's name."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return False
    text = str(value)
    for literal in (text, *(found[2] or "" for found in _REFERENCE.finditer(text))) if "${" in text else (text,):
        plain = re.sub(r"\$\{[^}]*\}?", "…", literal).strip(" '\"")
        if _says_secret(name) and "…" not in plain and not _is_harmless(name, plain):
            return True
        if len(plain) >= _SHORTEST and _look(plain, name) != plain:
            return True
        if ("://" in plain or ";" in plain) and _without_pairs(_unsigned(plain)) != plain:
            return True
    return False


def keep_variables_of(tree: Mapping[str, Any]) -> None:
    """Take the values of variables that secret keys of a config refer to for secrets, whatever the variables' names."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            keep_variables_of(value)
        elif isinstance(value, str) and "${" in value and _says_secret(str(name)):
            _named.update(found[1] for found in _REFERENCE.finditer(value))


def masked(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A copy without secrets, and with references to the environment left as they are written."""
    return {str(name): _masked(str(name), value) for name, value in tree.items()}


def masked_text(text: str) -> str:
    """A word of a command line, or any text, without secrets: ``api_key=•••``, ``vars={password: •••}``."""
    key, sign, value = text.partition("=")
    name = key.lstrip("+~").rpartition(".")[2]
    if sign and re.fullmatch(r"[\w-]+", name) and _says_secret(name):
        return text if "${" in value or _is_harmless(name, value) else f"{key}={MASK}"
    if known := _known():
        text = known.sub(MASK, text)
    text = _look(text)
    if not _HINT.search(text):
        return text
    text = _LOGIN.sub(rf"\g<name>\g<sign>{MASK}", _unsigned(text))
    return _without_pairs(_FLAG.sub(_told, text))


def masked_words(tree: Any) -> Any:
    """Plain nested values with ``masked_text`` in the place of each text; keys stay as they are."""
    if isinstance(tree, str):
        return masked_text(tree)
    if isinstance(tree, Mapping):
        return {name: masked_words(value) for name, value in tree.items()}
    return [masked_words(value) for value in tree] if isinstance(tree, list | tuple) else tree


def _unsigned(text: str) -> str:
    """Without what an address is signed with."""
    return _SIGNED.sub(rf"\g<name>\g<sign>{MASK}", text)


def _without_pairs(text: str) -> str:
    pieces, done = [], 0
    for key in _KEYED.finditer(text):
        value = _VALUE.match(text, key.end()) if _says_secret(key["name"]) else None
        if value and key.start() >= done and _is_told(key["name"], value[0], text[: key.end()]):
            pieces += [text[done : key.end()], MASK]
            done = value.end()
    return "".join([*pieces, text[done:]])


def _told(found: re.Match[str]) -> str:
    name = found["name"].lstrip("-")
    said = _says_secret(name) and _is_told(name, found["value"])
    return f"{found['name']}{found['sign']}{MASK}" if said else found[0]


def _is_told(name: str, value: str, before: str = "=") -> bool:
    """Whether text tells a secret behind its name. In prose, "token: the" tells of a word, "secret: see" of nothing."""
    value = value.strip("\\\"'")
    if "${" in value or _is_harmless(name, value):
        return False
    in_mapping = before.rfind("{") > before.rfind("}") or before.rstrip()[-1:] != ":"
    return in_mapping or _snake(name) not in _WORDS or bool(len(value) >= 6 and not _PROSE.fullmatch(value))


def _look(text: str, name: str = "") -> str:
    """Without what has the look of a secret."""
    text = _SHAPES.sub(lambda found: found[0] if set(found[0].rpartition(":")[2]) <= set("•…*x") else MASK, text)

    def key(found: re.Match[str]) -> str:
        before = f"{name}: {text[max(0, found.start() - 40) : found.start()]}"
        return found[0] if _NO_KEY.search(before) else MASK

    return _HEX.sub(key, text)


def _is_harmless(name: str, value: str) -> bool:
    """Of a key that says it is a secret: nothing, a switch, a token of a vocabulary, a variable's name, a count."""
    value = value.strip(" ,.;)")
    if value.lower() in ("", "null", "none", "true", "false", "…", MASK, "***", "???", "env"):
        return True
    if value.isdecimal():
        return _IS_PASSWORD.search(_snake(name)) is None or len(value) < 4
    if value[0] + value[-1] in ("<>", "[]") or re.fullmatch(r"[*•]+|x{3,}|\.{3}", value):
        return True
    return value.isupper() and value.isidentifier() and value in os.environ


@lru_cache(maxsize=4096)
def _says_secret(name: str) -> bool:
    return bool(_NAME.search(_snake(name)))


def _snake(name: str) -> str:
    """``secretKey``, ``Secret-Key`` and ``SECRET_KEY`` as ``secret_key``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


def _known() -> re.Pattern[str] | None:
    """Of the secrets that the environment holds, in every spelling."""
    values = (v for n, v in os.environ.items() if n in _named or _names_secret(n) or "://" in v)
    return _pattern(tuple(sorted(set(values))))


@lru_cache(maxsize=4096)
def _names_secret(variable: str) -> bool:
    return bool(_VARIABLE.search(variable.upper()))


@lru_cache(maxsize=8)
def _pattern(values: Iterable[str]) -> re.Pattern[str] | None:
    secrets = [secret for value in values if (secret := _secret_of(value)) and _can_be_told(secret)]
    spellings = {spelled for secret in secrets for spelled in _spellings(secret)}
    return re.compile("|".join(re.escape(s) for s in sorted(spellings, key=len, reverse=True))) if spellings else None


def _secret_of(value: str) -> str:
    """A variable's value, or of an address the password in it."""
    if "://" not in value:
        return value.strip()
    found = re.search(r"://[^/\s:@]*:([^/\s]+)@", value)
    return found[1] if found else ""


def _can_be_told(secret: str) -> bool:
    """Whether it is unlike words and numbers that stand everywhere."""
    return len(secret) >= (6 if not secret.isalnum() or not (secret.isalpha() or secret.isdigit()) else 10)


def _spellings(secret: str) -> Iterator[str]:
    yield from (secret, quote(secret, safe=""), quote_plus(secret), html.escape(secret), json.dumps(secret)[1:-1])
    yield from (repr(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    raw = secret.encode()
    for before in range(3) if len(raw) >= 8 else ():  # within longer content it may begin at any of three places
        whole = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        begins, ends = -(-before * 8 // 6), (before + len(raw)) * 8 // 6  # what depends on nothing beside it
        yield from (whole[begins:ends], whole[begins:ends].translate(str.maketrans("+/", "-_")))


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return masked(value)
    if isinstance(value, list):
        return [_masked(name, item) for item in value]
    if is_secret(name, value):
        return MASK
    return known.sub(MASK, value) if isinstance(value, str) and (known := _known()) else value
