from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import huggingface_hub.constants
import pytest

from espalier.core.errors import ConfigError
from espalier.model.download import download, no_safetensors

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """A server that answers as the hub does: a model of four files, a gated one, one of pickles, and no others."""

    FILES: ClassVar = {
        "config.json": b'{"model_type": "bert"}',
        "model.safetensors": b"weights",
        "tokenizer.json": b"{}",
        "chat_template.jinja": b"{{ messages }}",
        "flax_model.msgpack": b"left out",
    }
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        path = self.path.partition("?")[0]
        if path.startswith("/api/models/org/net/tree/"):
            listed = [{"type": "file", "path": n, "size": len(c), "oid": f"{n}-1"} for n, c in self.FILES.items()]
            self.answer(200, json.dumps(listed).encode())
        elif path == "/api/models/org/net/revision/none":
            self.answer(404, b"{}", error="RevisionNotFound")
        elif path.startswith("/api/models/org/net/"):
            self.answer(200, self.info("org/net", list(self.FILES)))
        elif path.startswith("/api/models/org/pickled"):
            self.answer(200, self.info("org/pickled", ["config.json", "pytorch_model.bin"]))
        elif path.startswith("/api/models/org/gated"):
            self.answer(403, b"{}", error="GatedRepo")
        elif path.startswith("/org/net/resolve/"):
            self.answer(200, self.FILES[path.rpartition("/")[2]])
        else:
            self.answer(404, b"{}", error="RepoNotFound")

    do_HEAD = do_GET  # noqa: N815

    def info(self, name: str, files: list[str]) -> bytes:
        return json.dumps({"id": name, "sha": COMMIT, "siblings": [{"rfilename": file} for file in files]}).encode()

    def answer(self, status: int, content: bytes, error: str = "") -> None:
        self.send_response(status)
        for name, value in {"X-Error-Code": error, "X-Repo-Commit": COMMIT, "ETag": f'"{self.path}"'}.items():
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    """The server, in place of the real hub, and an empty cache."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    constants = huggingface_hub.constants
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    Hub.asked.clear()
    yield server
    server.shutdown()
    server.server_close()


def test_a_branch_is_fetched_at_the_commit_it_stands_at_and_pickles_are_not(hub: ThreadingHTTPServer) -> None:
    folder = download("org/net", "main")
    assert folder.name == COMMIT
    wanted = ["chat_template.jinja", "config.json", "model.safetensors", "tokenizer.json"]
    assert sorted(file.name for file in folder.iterdir()) == wanted


def test_a_commit_that_is_there_needs_no_network(hub: ThreadingHTTPServer) -> None:
    folder = download("org/net", COMMIT)
    Hub.asked.clear()
    assert download("org/net", COMMIT) == folder
    assert Hub.asked == []


def test_a_commit_of_which_only_the_model_is_there_is_completed(hub: ThreadingHTTPServer, tmp_path: Path) -> None:
    """So transformers' own AutoModel leaves it; out of reach of the hub, what there is must do."""
    folder = tmp_path / "cache" / "models--org--net" / "snapshots" / COMMIT
    folder.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes(Hub.FILES[name])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
        assert download("org/net", COMMIT) == folder
    assert not (folder / "tokenizer.json").exists()
    assert download("org/net", COMMIT) == folder
    assert (folder / "tokenizer.json").exists()


def test_a_branch_that_was_fetched_before_is_taken_where_the_hub_is_out_of_reach(hub: ThreadingHTTPServer) -> None:
    folder = download("org/net", "main")
    hub.shutdown()
    hub.server_close()
    assert download("org/net", "main") == folder
    with pytest.raises(ConfigError, match=r"is not on this machine, and the hub could not be asked \(ConnectError\)"):
        download("org/other", "main")


@pytest.mark.parametrize(
    ("source", "revision", "said"),
    [
        ("org/nett", "main", r"model.source=org/nett  is no model on the hub that you may see. Check the spelling"),
        ("org/gated", "main", r"is gated. Accept its terms at http.*/org/gated, then log in here: hf auth login"),
        ("org/net", "none", r"model.revision=none  is no revision of org/net. See http.*/org/net/commits/main"),
        ("org/pickled", "main", r"has no safetensors weights, only pytorch_model.bin.*model.revision=refs/pr/1"),
        ("org//net", "main", r"is no hub id. Write ORG/NAME, or a folder"),
    ],
    ids=["misspelt", "gated", "no such revision", "pickles", "no id"],
)
def test_what_the_hub_answers_is_said_at_once(source: str, revision: str, said: str, hub: ThreadingHTTPServer) -> None:
    with pytest.raises(ConfigError, match=said):
        download(source, revision)
    assert len(Hub.asked) <= 1, "no retries"


def test_offline_is_answered_with_the_ways_to_mend_it() -> None:
    """Tests run with HF_HUB_OFFLINE=1."""
    with pytest.raises(
        ConfigError, match=r"HF_HUB_OFFLINE is set. Mend it by: pip install 'x\[y\]', or ESPALIER_MODELS="
    ):
        download("org/net", "main", extra="x[y]")


def test_no_weights_at_all() -> None:
    assert no_safetensors(["config.json"])[0].startswith("has no safetensors weights; a pickle")
