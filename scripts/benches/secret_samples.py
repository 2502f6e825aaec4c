"""Fifty secrets as they are met, made up and put together here, and two hundred words that only look like some."""

from __future__ import annotations

import base64
import random
import string
from dataclasses import dataclass

_HEX, _WORD = "0123456789abcdef", string.ascii_letters + string.digits
_CAPITALS = string.ascii_uppercase + string.digits


@dataclass(frozen=True)
class Secret:
    """One.

    Attributes:
        kind: what it is.
        value: what must be found nowhere.
        said: as a message, a file or a command line quotes it.
        key: of a setting that would hold ``literal``; refused as a setting of that name.
        literal: the setting's value, with the secret in it.
        variable: of the environment, that holds it; ``""`` where it is known by its look or by what stands before it.
    """

    kind: str
    value: str
    said: str
    key: str = "note"
    literal: str = ""
    variable: str = ""


def secrets() -> list[Secret]:
    """All fifty; the same ones each time."""
    draw = random.Random(7)

    def made(alphabet: str, length: int) -> str:
        return "".join(draw.choices(alphabet, k=length - 2)) + draw.choice("abcdef") + draw.choice("23456789")

    def look(kind: str, value: str, said: str = "the server refused {}") -> Secret:
        return Secret(kind, value, said.format(value), literal=value)

    def within(kind: str, template: str, value: str) -> Secret:
        return Secret(kind, value, f"cannot open {template.format(value)}: timed out", literal=template.format(value))

    def keyed(kind: str, key: str, template: str, value: str) -> Secret:
        return Secret(kind, value, template.format(value), key=key, literal=value)

    def held(variable: str, key: str, value: str) -> Secret:
        return Secret(f"variable {variable}", value, f"login with {value} failed", key, value, variable)

    def pem(name: str) -> Secret:
        body = "\n".join(made(_WORD + "+/", 64) for _ in range(4))
        text = f"-----BEGIN {name}PRIVATE KEY-----\n{body}\n-----END {name}PRIVATE KEY-----"
        return Secret(f"PEM {name}".strip(), body.splitlines()[1], f"bad key:\n{text}\nin line 3", literal=text)

    basic = base64.b64encode(f"me:{made(_WORD, 14)}".encode()).decode().rstrip("=")
    return [
        look("Hugging Face", "hf_" + made(string.ascii_letters, 34)),
        look("OpenAI", "sk-" + made(_WORD, 48)),
        look("OpenAI project", "sk-" + "proj-A1" + made(_WORD + "_-", 90)),
        look("Anthropic", "sk-" + "ant-api03-A1" + made(_WORD + "_-", 80), "x-api-key: {} is not valid"),
        look("GitHub", "gh" + "p_" + made(_WORD, 36), "fatal: could not read from https://{}@github.com/a/b.git"),
        look("GitHub OAuth", "gh" + "o_" + made(_WORD, 36)),
        look("GitHub fine-grained", "github" + "_pat_" + made(_WORD + "_", 82)),
        look("GitLab", "gl" + "pat-" + made(_WORD + "-_", 20)),
        look("AWS key id", "AK" + "IA" + made(_CAPITALS, 15).upper()[:14] + "Q7"),
        look("AWS session key id", "AS" + "IA" + made(_CAPITALS, 15).upper()[:14] + "Z3"),
        keyed("AWS secret", "aws_secret_access_key", "aws_secret_access_key = {}", made(_WORD + "+/", 40)),
        look("Google API", "AI" + "za" + made(_WORD + "-_", 35)),
        look("Google OAuth", "ya" + "29." + made(_WORD + "-_", 60)),
        look("Slack bot", "xo" + "xb-" + "2048".join(("12345678", "-")) + made(_WORD, 24)),
        look("Slack user", "xo" + "xp-" + "2049-" + made(_WORD, 32)),
        look("Slack app", "xa" + "pp-1-" + made(_CAPITALS, 40)),
        within(
            "Slack webhook",
            "https://hooks.slack.com/services/{}",
            f"T{made(_CAPITALS, 8)}/B{made(_CAPITALS, 8)}/{made(_WORD, 24)}",
        ),
        look("JWT", "ey" + "J" + made(_WORD, 33) + ".ey" + "J" + made(_WORD, 50) + "." + made(_WORD + "-_", 43)),
        look("npm", "npm" + "_" + made(_WORD, 36)),
        look("PyPI", "pypi" + "-AgEIcHlwaS5vcmc" + made(_WORD + "-_", 100)),
        look("W&B", made(_HEX, 40), "wandb: invalid key {}"),
        look("W&B on-premises", "local-" + made(_HEX, 40)),
        look("W&B, new", "wandb" + "_v1_" + made(_WORD, 60)),
        look("Stripe", "sk" + "_live_" + made(_WORD, 24)),
        look("SendGrid", "SG" + "." + made(_WORD, 22) + "." + made(_WORD, 43)),
        look("Databricks", "da" + "pi" + made(_HEX, 32)),
        look("Replicate", "r8" + "_" + made(_WORD, 37)),
        pem("RSA "),
        pem("OPENSSH "),
        pem(""),
        within("HTTP password", "https://reader:{}@files.example.org/train.csv", made(_WORD + "!%", 14)),
        within("PostgreSQL", "postgresql://app:{}@db.example.org:5432/runs?sslmode=require", made(_WORD + "@+", 16)),
        within("Redis", "redis://:{}@cache.example.org:6379/0", made(_WORD, 16)),
        within("MongoDB", "mongodb+srv://app:{}@cluster0.example.org/test", made(_WORD, 16)),
        within(
            "presigned S3", "https://b.s3.amazonaws.com/t.csv?X-Amz-Date=20261130&X-Amz-Signature={}", made(_HEX, 64)
        ),
        within("URL token", "https://example.org/data.csv?split=train&token={}&page=2", made(_WORD, 24)),
        within("URL access token", "https://example.org/api?access_token={}", made(_WORD, 24)),
        within("Azure signature", "https://a.blob.core.windows.net/c/x?sv=2024&sig={}&se=1", made(_WORD, 40)),
        within("ADO string", "Server=db;User Id=app;Password={};Encrypt=yes", made(_WORD, 14)),
        keyed("netrc", "password", "machine example.org login me password {}", made(_WORD, 14)),
        keyed("flag", "passwd", "usage: fetch --user me --password {} --quiet", made(_WORD, 14)),
        keyed("bearer", "auth_token", "Authorization: Bearer {}", made(_WORD + "-_.", 32)),
        keyed("basic", "authorization", "> Authorization: Basic {}=", basic),
        keyed("JSON", "client_secret", '{{"client_id": "abc", "client_secret": "{}"}}', made(_WORD, 28)),
        held("DB_PASSWORD", "password", made(_WORD + "!#&=+", 16)),
        held("PGPASSWORD", "db_password", made(_WORD, 9)),
        held("SERVICE_API_KEY", "api_key", made(_WORD, 24)),
        held("HUB_TOKEN", "hub_token", made(_WORD, 24)),
        held("SIGNING_SECRET", "signing_secret", made(_HEX, 32)),
        held("MY_LOGIN", "passphrase", "correct horse! " + made(string.ascii_lowercase, 12)),
    ]


_H40, _H64, _H32 = (
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
    "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    "d41d8cd98f00b204e9800998ecf8427e",
)

HARMLESS_SETTINGS: tuple[tuple[str, object], ...] = (
    ("token_count", 1234),
    ("tokens", 4096),
    ("num_tokens", 512),
    ("max_tokens", 100),
    ("min_tokens", 5),
    ("tokens_per_second", 161.0),
    ("token_type_ids", [0, 1]),
    ("pad_token", "<pad>"),
    ("eos_token", "</s>"),
    ("bos_token", "<s>"),
    ("unk_token", "[UNK]"),
    ("mask_token", "[MASK]"),
    ("cls_token", "[CLS]"),
    ("sep_token", "[SEP]"),
    ("special_tokens", ["<a>", "<b>"]),
    ("pad_token_id", 0),
    ("token_dropout", 0.1),
    ("virtual_tokens", 20),
    ("num_virtual_tokens", 20),
    ("tokenizer", "words"),
    ("tokenizer_name", "bert-base-uncased"),
    ("tokenize", True),
    ("tokenization", "bpe"),
    ("detokenize", False),
    ("token_pooling", "mean"),
    ("token_level", True),
    ("first_token", "the"),
    ("last_token", "end"),
    ("next_token", "of"),
    ("token_embedding", 384),
    ("key_padding_mask", "batch"),
    ("key", "label"),
    ("keys", ["text", "label"]),
    ("key_size", 64),
    ("num_key_value_heads", 8),
    ("key_column", "id"),
    ("primary_key", "row"),
    ("sort_key", "length"),
    ("foreign_key", "user_id"),
    ("keyboard", "qwerty"),
    ("keyword", "loss"),
    ("keywords", ["a", "b"]),
    ("hotkey", "ctrl+c"),
    ("partition_key", "country"),
    ("cache_key", "sst2-minilm"),
    ("public_key", "ssh-ed25519 AAAAC3Nz me@host"),
    ("query_key_value", "attention"),
    ("key_bias", False),
    ("secretary", "Ms Jones"),
    ("secretariat", "UN"),
    ("secrets_found", 0),
    ("secretion", 1.5),
    ("is_secret", False),
    ("secret_santa", "draw"),
    ("password_reset", 12),
    ("password_length", 8),
    ("forgot_password_intent", "label 7"),
    ("passwords_seen", 3),
    ("pass", "second"),
    ("passes", 3),
    ("passage", "once upon a time"),
    ("passenger", "Titanic"),
    ("bypass", True),
    ("compass", "north"),
    ("pass_through", True),
    ("passed", 12),
    ("api_version", 3),
    ("api_url", "https://api.example.org/v2"),
    ("api", "rest"),
    ("api_calls", 17),
    ("access", "read"),
    ("access_count", 4),
    ("accessor", "text"),
    ("auth", "none"),
    ("author", "J. Doe"),
    ("authors", ["A", "B"]),
    ("authority", "EU"),
    ("authorized", True),
    ("private", True),
    ("private_dataset", "mine"),
    ("credit", "MIT"),
    ("credits", 3),
    ("credibility", 0.7),
    ("credential_type", "none"),
    ("cookie_count", 3),
    ("cookies_accepted", True),
    ("bearer", "carrier"),
    ("refresh", 10),
    ("refresh_rate", 60),
    ("session", "2026-11-30_14-02-11"),
    ("session_id", "3fa9c1"),
    ("signature", "1.0"),
    ("sign", "+"),
    ("significance", 0.05),
    ("code", "UTF-8"),
    ("encoder", "minilm"),
    ("revision", _H40),
    ("git_commit", _H40),
    ("commit", _H40),
    ("sha", _H40),
    ("sha1", _H40),
    ("model_revision", _H40),
    ("code_hash", _H40),
    ("base_sha", _H40),
    ("tree", _H40),
    ("head", _H40),
    ("parent_commit", _H40),
    ("etag", _H40),
    ("fingerprint", _H64),
    ("sha256", _H64),
    ("digest", _H64),
    ("md5", _H32),
    ("checksum", _H32),
    ("run_id", "3fa9c1"),
    ("uuid", "550e8400-e29b-41d4-a716-446655440000"),
    ("wandb_id", "sweep-2026-11-30_14-02-11-3fa9c1-000"),
    ("name", "sk-learn-baseline-with-long-name"),
    ("project", "hf_tokenizers"),
    ("model", "sentence-transformers/all-MiniLM-L6-v2"),
    ("path", "/data/secrets/../tokens/train.csv"),
    ("url", "https://huggingface.co/datasets/stanfordnlp/sst2"),
    ("url_port", "http://localhost:8080/a@b"),
    ("email", "jane@example.org"),
    ("git", "git@github.com:org/repo.git"),
    ("token", "${oc.env:HF_TOKEN}"),
    ("password", None),
    ("api_key", ""),
    ("hub_token", "null"),
    ("password_2", "x"),
    ("token_", "a"),
    ("lr", 1e-3),
    ("seed", 123456),
    ("timestamp", 1764000000),
    ("hash", "crc32"),
    ("label", "password_reset"),
    ("labels", ["password", "token", "secret"]),
    ("intent", "change_password"),
    ("columns", {"text": "token", "label": "secret"}),
    ("stop_words", ["secret", "token:"]),
    ("separator", "://"),
)

HARMLESS_TEXTS: tuple[str, ...] = (
    "epoch 2/3   loss 0.291   161 texts/s   0:00:21 left",
    "token_count=3",
    "max_tokens: 100",
    "tokenizer=words",
    "pad_token: <pad>",
    "Unexpected token: the",
    "the secret: practice",
    "the secret of good data is to read it",
    "password must have eight characters",
    "which password?",
    "label password_reset: 12 rows",
    "intent=password_reset",
    "api_version=3",
    "key_padding_mask=None",
    "keys: text, label",
    "primary_key=row",
    "author: J. Doe",
    "secretary: Ms Jones",
    f"commit {_H40}",
    f"git_commit: {_H40}",
    f"revision={_H40}",
    f"model.revision={_H40}",
    f"at revision {_H40}",
    f"HEAD is now at {_H40}",
    f"https://github.com/a/b/commit/{_H40}",
    f"https://huggingface.co/m/resolve/{_H40}/config.json",
    f"snapshots/{_H40}/model.safetensors",
    f"git+https://github.com/a/b@{_H40}",
    f"sha256 {_H64}",
    f"fingerprint: {_H64}",
    f"md5={_H32}",
    "550e8400-e29b-41d4-a716-446655440000",
    "run 2026-11-30_14-02-11-3fa9c1",
    "sweep-2026-11-30_14-02-11-3fa9c1",
    "https://files.example.org/train.csv?split=train&page=2",
    "http://localhost:8080/health",
    "s3://bucket/key/train.csv",
    "git@github.com:org/repo.git",
    "jane@example.org",
    "postgresql://db.example.org:5432/runs",
    "ssh://git@example.org/repo",
    "Basic characteristics of the data",
    "Bearer of bad news",
    "Authorization is not needed",
    "optimizer.lr=3e-4",
    "data.columns.text=token",
    "data.columns.label=secret",
    "basic understanding of attention",
    "sk-learn-contrib-imbalanced-learn",
    "hf_transfer is not installed",
    "the token [MASK] has id 103",
    "tokens: 4,096",
    "tokens/s: 1,234",
    "pass 2 of 3",
    "bypass: true",
    "passed: 12",
    "secrets_found=0",
    "cookie_count=3",
    "refresh_rate: 60 Hz",
    "ValueError: token must be a string",
    "KeyError: 'password'",
    "TypeError: got an unexpected keyword argument 'token'",
    "token=${oc.env:HF_TOKEN}",
    "password: null",
    "api_key=•••",
    "use_auth_token=False",
    "is_secret=false",
    "espalier train --rerun outputs/mine seed=1",
)
