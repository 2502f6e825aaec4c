"""A W&B server on this machine: so much of one that wandb sends a run to it, or one that is broken in some way."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

HANGS = 30  # seconds for each call


@dataclass
class Runs:
    """What a server was told.

    Attributes:
        url: of the server.
        opened: the variables with which a run was opened, by its id, the last ones.
        lines: of its history, by its id: each stands where it was said to stand, and takes the place of an earlier one.
        summary: by its id.
        codes: exit codes, by its id.
    """

    url: str
    opened: dict[str, dict[str, Any]] = field(default_factory=dict)
    lines: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    summary: dict[str, dict[str, Any]] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)

    def history(self, run: str) -> list[dict[str, Any]]:
        """Rows in order."""
        found = self.lines.get(run, {})
        return [found[place] for place in sorted(found)]

    def take(self, run: str, sent: dict[str, Any]) -> None:
        """What wandb streams of a run."""
        files = sent.get("files", {})
        if history := files.get("wandb-history.jsonl"):
            rows = {history["offset"] + i: json.loads(line) for i, line in enumerate(history["content"])}
            self.lines.setdefault(run, {}).update(rows)
        if summary := files.get("wandb-summary.json"):
            self.summary[run] = json.loads(summary["content"][-1])
        if sent.get("complete"):
            self.codes[run] = sent.get("exitcode", 0)

    def open(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Answer any question of GraphQL: a run that is opened, and files that may be uploaded."""
        name = str(asked.get("name") or asked.get("run") or "run")
        if asked.get("displayName") or asked.get("config"):
            told = {key: value for key, value in asked.items() if value is not None}
            self.opened[name] = {**self.opened.get(name, {}), **told}
        project = {"id": "UA==", "name": asked.get("project") or "p", "entity": {"id": "RQ==", "name": "me"}}
        run = {"id": "Ug==", "name": name, "displayName": name, "config": "{}", "sweepName": None, "project": project}
        names = [one if isinstance(one, str) else one.get("name", "") for one in asked.get("files") or ()]
        return {
            "upsertBucket": {"bucket": {**run, "historyLineCount": len(self.lines.get(name, {}))}, "inserted": True},
            "createRunFiles": {
                "runID": "Ug==",
                "uploadHeaders": [],
                "files": [{"name": one, "uploadUrl": f"{self.url}/upload/{one}"} for one in names],
            },
            "viewer": {"id": "1", "entity": "me", "username": "me", "flags": "{}", "teams": {"edges": []}},
            "serverInfo": {"features": []},
            "model": {"bucket": None},
        }


@contextmanager
def wandb_server(manner: str | int = "works") -> Iterator[Runs]:
    """Until the block ends. ``refuses``: nobody listens; ``hangs``: 30 s for each call; a number: that status."""
    over = Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = _body(self)
            if manner == "hangs":
                over.wait(HANGS)
            if manner == "works" and self.path.endswith("/graphql"):
                self._answer(200, {"data": runs.open(json.loads(body).get("variables") or {})})
                return
            if manner == "works" and self.path.endswith("/file_stream"):
                runs.take(self.path.split("/")[-2], json.loads(body))
            self._answer(manner if isinstance(manner, int) else 500 if manner == "hangs" else 200, {})

        do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815  # http.server's names

        def _answer(self, status: int, content: dict[str, Any]) -> None:
            whole = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(whole)))
            self.end_headers()
            self.wfile.write(whole)

        def log_message(self, *_: Any) -> None:
            pass

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    runs = Runs(f"http://127.0.0.1:{server.server_address[1]}")
    if manner == "refuses":
        server.server_close()
        yield runs
        return
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield runs
    finally:
        over.set()
        server.shutdown()
        server.server_close()


def _body(request: BaseHTTPRequestHandler) -> bytes:
    body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
    if request.headers.get("Transfer-Encoding") == "chunked":
        while size := int(request.rfile.readline(), 16):
            body += request.rfile.read(size)
            request.rfile.readline()
        request.rfile.readline()
    return gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body
