"""The same questions over HTTP: gunicorn with two workers, asked by four clients at once."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.benchmarks.eight_questions import QUESTIONS
from tests.benchmarks.made_registry import ROOT
from tests.benchmarks.timing import Timed

WORKERS, CLIENTS = 2, 4
LOCAL = "127.0.0.1"
SECONDS_TO_START = 30


@dataclass(frozen=True, kw_only=True)
class OverHttp:
    """How long replies took.

    uncached: every question, exact. nothing: of the empty view. cached, unchanged: of an exact
    answer that is kept, and the 304 to who has it; published, published_unchanged: the same of a
    protected one.
    """

    uncached: Timed
    nothing: Timed
    cached: Timed
    unchanged: Timed
    published: Timed
    published_unchanged: Timed


def measured(label: str, tokens: Mapping[str, str], *, rounds: int) -> OverHttp:
    """Ask over HTTP; rounds: how often each client asks everything, and 20 times that of replies
    that are kept.

    label: the release. tokens: of an exact viewer and of a protected one, as `exact` and
    `protected`.
    """
    exact, published = (_address(label, params) for params in _of_counts())
    often = 20 * rounds
    with _server(cache="") as ask:
        addresses = [_address(label, each.params, each.measure.value) for each in QUESTIONS]
        _together(ask, addresses, tokens["exact"])  # so that each worker has opened the release
        uncached = _together(ask, addresses * rounds, tokens["exact"])
    with _server(cache="locmem") as ask:
        kept = {"exact": (exact, tokens["exact"]), "protected": (published, tokens["protected"])}
        tags = {}
        for name, (address, token) in kept.items():
            for _ in range(10 * WORKERS):  # so that each worker keeps it
                tags[name] = ask(address, token, "")[1]
        found = {}
        for name, (address, token) in kept.items():
            found[name] = _together(ask, [address] * often, token)
            found[f"{name}-304"] = _together(ask, [address] * often, token, tag=tags[name])
        nothing = _together(ask, ["/nothing/"] * often, tokens["exact"])
    return OverHttp(
        uncached=uncached,
        nothing=nothing,
        cached=found["exact"],
        unchanged=found["exact-304"],
        published=found["protected"],
        published_unchanged=found["protected-304"],
    )


Ask = Callable[[str, str, str], tuple[int, str]]
"""An address, a token and an ETag to the status and the ETag of the reply."""


@contextmanager
def _server(*, cache: str) -> Iterator[Ask]:
    port = _free_port()
    command = [
        *(sys.executable, "-m", "gunicorn", "registry_project.wsgi", "--no-control-socket"),
        *("--bind", f"{LOCAL}:{port}", "--threads", "4", "--log-level", "error"),
    ]
    given = {"BENCH_CACHE": cache, "WEB_CONCURRENCY": str(WORKERS)}
    server = subprocess.Popen(command, cwd=ROOT, env=os.environ | given)

    def ask(address: str, token: str, tag: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(LOCAL, port, timeout=120)
        headers = {"Authorization": f"Token {token}"} | ({"If-None-Match": tag} if tag else {})
        connection.request("GET", address, headers=headers)
        reply = connection.getresponse()
        reply.read()
        connection.close()
        if reply.status not in (200, 304):
            raise RuntimeError(f"{address}: {reply.status}")
        return reply.status, reply.headers.get("ETag", "")

    try:
        _wait(port)
        yield ask
    finally:
        server.terminate()
        server.wait()


def _together(ask: Ask, addresses: Sequence[str], token: str, *, tag: str = "") -> Timed:
    """How long each reply took, all clients asking everything, each from another place on."""

    def client(number: int) -> list[float]:
        start = number * len(addresses) // CLIENTS
        taken = []
        for address in (*addresses[start:], *addresses[:start]):
            began = time.perf_counter()
            status, _ = ask(address, token, tag)
            taken.append(1000 * (time.perf_counter() - began))
            if tag and status != 304:
                raise RuntimeError(f"{address}: {status}, not 304")
        return taken

    ask(addresses[0], token, tag)
    with ThreadPoolExecutor(CLIENTS) as clients:
        return Timed([each for runs in clients.map(client, range(CLIENTS)) for each in runs])


def _of_counts() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The first question, as it is asked exactly and as it is published."""
    first = QUESTIONS[0]
    return first.params, first.published or {}


def _address(label: str, params: Mapping[str, str], measure: str = "counts") -> str:
    return f"/api/v1/statistics/{measure}/?{urlencode({**params, 'release': label})}"


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind((LOCAL, 0))
        return int(bound.getsockname()[1])


def _wait(port: int) -> None:
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until:
        try:
            socket.create_connection((LOCAL, port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("The server did not start.")
