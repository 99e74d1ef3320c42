"""A server in a child that can be killed, and clients that write down what they were answered."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

REPORT = {
    "site": "HERE-1",
    "complication": "infection-pocket",
    "year": 2020,
    "severity": 3,
    "seriousness": ["hospitalisation"],
    "outcome": "recovered",
}


@contextmanager
def served() -> Iterator[tuple[int, int]]:
    """The registry, served by threads of a child: its process id and port."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    child = os.fork()
    if child == 0:
        try:
            _serve(listening)
        finally:
            os._exit(1)
    port: int = listening.getsockname()[1]
    listening.close()
    try:
        yield child, port
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _serve(listening: socket.socket) -> None:
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    class Silent(WSGIRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadedWSGIServer(("127.0.0.1", 0), Silent, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    server.server_address = listening.getsockname()
    server.server_name, server.server_port = server.server_address[:2]
    server.setup_environ()
    server.set_app(get_wsgi_application())
    server.serve_forever()


def _says_when(reply: http.client.HTTPResponse) -> bool:
    """Whether a refusal is a problem document, with the time to come again."""
    told = reply.headers
    return "Retry-After" in told and told["Content-Type"] == "application/problem+json"


@dataclass
class Met:
    """What clients met: keys of events that were stored, and how often what else."""

    stored: list[str] = field(default_factory=list)
    busy: int = 0
    failed: int = 0
    slowest: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Clients:
    """Threads that send one event after the other until they are stopped or the server is gone."""

    def __init__(self, port: int, token: str, word: str, *, count: int) -> None:
        self.met = Met()
        self._port, self._token = port, token
        self._stopped, self._first = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(f"{word}{number}",), daemon=True)
            for number in range(count)
        ]

    def start(self) -> None:
        """Begin sending."""
        for thread in self._threads:
            thread.start()

    def wait_for_one(self) -> None:
        """Wait until the server has stored something; raises TimeoutError."""
        if not self._first.wait(60):
            raise TimeoutError("The server stored nothing in a minute.")

    def stop(self) -> None:
        """Let each end its request, and no more."""
        self._stopped.set()

    def join(self) -> Met:
        """Wait for them."""
        for thread in self._threads:
            thread.join(90)
        return self.met

    def _run(self, word: str) -> None:
        number = 0
        server = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        with closing(server) as connection, suppress(OSError, http.client.HTTPException):
            while not self._stopped.is_set():
                number += 1
                self._send(connection, f"{word}-{number}")

    def _send(self, connection: http.client.HTTPConnection, key: str) -> None:
        began = time.monotonic()
        body = json.dumps(REPORT | {"source_id": key})
        headers = {"Authorization": f"Token {self._token}", "Content-Type": "application/json"}
        connection.request("POST", "/api/v1/events/", body, headers)
        reply = connection.getresponse()
        reply.read()
        with self.met.lock:
            self.met.slowest = max(self.met.slowest, time.monotonic() - began)
            if reply.status == 201:
                self.met.stored.append(key)
                self._first.set()
            elif reply.status == 503 and _says_when(reply):
                self.met.busy += 1
            else:
                self.met.failed += 1
