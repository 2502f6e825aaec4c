"""A W&B server that answers everything in one wrong way, on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Literal

Manner = Literal["refuses", "hangs", "500"]
_HANGS = 30  # seconds for each call


@contextmanager
def broken_server(manner: Manner) -> Iterator[str]:
    """Its address. ``refuses``: nobody listens there; ``hangs``: each call takes 30 s; ``500``: an error at once."""
    over = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if manner == "hangs":
                over.wait(_HANGS)
            self.send_response(500)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815  # http.server's names

        def log_message(self, *_: Any) -> None:
            pass

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    address = f"http://127.0.0.1:{server.server_address[1]}"
    if manner == "refuses":
        server.server_close()
        yield address
        return
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield address
    finally:
        over.set()
        server.shutdown()
        server.server_close()
