"""Slow and hostile clients against nginx and gunicorn as deploy/ sets them up.

The files are those that are delivered; only addresses, paths and waiting times are others.
"""

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.api.bulk import LARGEST_BULK

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
NGINX = shutil.which("nginx") or next(iter(Path("/usr/sbin").glob("nginx")), None)
OPENSSL = shutil.which("openssl")
MAIN = """
daemon off; pid {folder}/nginx.pid; worker_processes 2; {user}
error_log {folder}/main.log error;
events {{ worker_connections 1024; }}
http {{
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  include {folder}/registry.conf;
}}
"""
HEAD = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
THREADS = 4


@dataclass(frozen=True)
class Served:
    """Where nginx, and gunicorn without it, listen."""

    behind: int
    bare: int
    plain: int
    folder: Path


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _each in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def delivered(folder: Path, served: Served) -> str:
    """The delivered configuration, with this test's addresses and shorter waits."""
    text = (DEPLOY / "nginx.conf").read_text()
    lines = [line for line in text.splitlines() if "[::]" not in line]
    said = {
        "listen 80;": f"listen 127.0.0.1:{served.plain};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{served.behind} ssl http2;",
        "unix:/run/registry/gunicorn.sock": f"unix:{folder}/gunicorn.sock",
        "/etc/ssl/registry/fullchain.pem": f"{folder}/cert.pem",
        "/etc/ssl/registry/privkey.pem": f"{folder}/key.pem",
        "/var/log/nginx/": f"{folder}/",
        "client_header_timeout 10s;": "client_header_timeout 3s;",
        "client_body_timeout 10s;": "client_body_timeout 3s;",
        "server_name registry.example;": "server_name localhost;",
    }
    text = "\n".join(lines)
    for old, new in said.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


@contextmanager
def running(command: list[str], **environment: str) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if not NGINX or not OPENSSL:
        pytest.skip("needs nginx and openssl (Debian: apt-get install nginx openssl)")
    folder = tmp_path_factory.mktemp("served")
    served = Served(*free_ports(3), folder)
    subprocess.run(
        f"{OPENSSL} req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
        f"-keyout {folder}/key.pem -out {folder}/cert.pem".split(),
        check=True,
        capture_output=True,
    )
    (folder / "registry.conf").write_text(delivered(folder, served))
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", str(DEPLOY / "gunicorn.conf.py")]
    gunicorn += ["-b", f"unix:{folder}/gunicorn.sock", "-b", f"127.0.0.1:{served.bare}"]
    environment = {
        "DEBUG": "1",
        "WEB_CONCURRENCY": "1",
        "REGISTRY_VAR": str(folder),
        "DJANGO_SETTINGS_MODULE": "registry_project.settings",
        "BEHIND_PROXY": "1",
    }
    with running([str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")]):
        wait_for(lambda: asked(served.behind, LIVE).startswith(b"HTTP/1.1 503"), folder)
        with running(gunicorn, **environment):
            wait_for(lambda: answers(served.behind), folder)
            yield served


def wait_for(holds: Callable[[], bool], folder: Path) -> None:
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until, (folder / "main.log").read_text()
        time.sleep(0.2)


def connected(port: int, *, tls: bool, of: int = 1) -> socket.socket:
    """A connection from one of the addresses of this machine, which the proxy tells apart."""
    plain = socket.create_connection(("127.0.0.1", port), 10, source_address=(f"127.0.0.{of}", 0))
    if not tls:
        return plain
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname="localhost")


def asked(port: int, request: bytes, *, tls: bool = True, seconds: float = 10) -> bytes:
    """What is replied, as far as it came; empty where nothing did."""
    said = b""
    with suppress(OSError), connected(port, tls=tls) as connection:
        connection.settimeout(seconds)
        connection.sendall(request)
        while part := connection.recv(65536):
            said += part
    return said


LIVE = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def answers(port: int, *, tls: bool = True, seconds: float = 10) -> bool:
    return asked(port, LIVE, tls=tls, seconds=seconds).startswith(b"HTTP/1.1 200")


@contextmanager
def dribbling(port: int, count: int, *, tls: bool) -> Iterator[list[socket.socket]]:
    """Connections that have begun a request, half of them its body, and do not end it."""
    with ExitStack() as held:
        slow = []
        for number in range(count):
            connection = held.enter_context(connected(port, tls=tls, of=2 + number % 4))
            connection.sendall(BODY if number % 2 else HEAD)
            slow.append(connection)
        yield slow


def test_a_few_slow_clients_stop_a_server_without_a_proxy(served: Served) -> None:
    """What the proxy is for: each of them holds a thread."""
    with dribbling(served.bare, 2 * THREADS, tls=False):
        time.sleep(0.5)
        assert not answers(served.bare, tls=False, seconds=2)


def test_two_hundred_slow_clients_stop_nobody(served: Served) -> None:
    with dribbling(served.behind, 200, tls=True) as slow:
        times = []
        for _each in range(20):
            for connection in slow:
                with suppress(OSError):  # the proxy has ended it
                    connection.sendall(b"a")
            began = time.monotonic()
            assert answers(served.behind)
            times.append(time.monotonic() - began)
        assert max(times) < 5

        time.sleep(4)
        ended = [connection for connection in slow if has_ended(connection)]

    assert len(ended) == 200


def has_ended(connection: socket.socket) -> bool:
    """Whether the other side has closed, after a word why."""
    connection.settimeout(2)
    try:
        while connection.recv(4096):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


@pytest.mark.parametrize(
    ("request_of", "status"),
    [
        (b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 21000000\r\n\r\n", b"413"),
        (b"GET /?q=" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 9000 + b"\r\n\r\n", b"400"),
    ],
    ids=["body", "address", "header"],
)
def test_what_is_too_large_is_refused_before_it_is_read(
    served: Served, request_of: bytes, status: bytes
) -> None:
    with connected(served.behind, tls=True) as connection:
        connection.sendall(request_of)

        assert connection.recv(4096).split(b" ")[1] == status


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"POST /api/v1/events/ HTTP/1.1\r\nContent-Length: 21000000", "body-too-large"),
        (b"GET /api/v1/statistics/counts/?q=" + b"a" * 9000 + b" HTTP/1.1", "address-too-long"),
    ],
    ids=["body", "address"],
)
def test_a_script_is_refused_by_the_proxy_as_by_the_registry(
    served: Served, head: bytes, code: str
) -> None:
    request = head + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    answer, _, body = asked(served.behind, request).partition(b"\r\n\r\n")

    told = json.loads(body)
    assert b"Content-Type: application/problem+json" in answer
    assert told["type"].endswith(f":{code}")
    assert told["code"] == code
    assert f" {told['status']} ".encode() in answer.splitlines()[0]


def test_the_proxy_names_the_largest_body_that_the_registry_takes() -> None:
    assert f"Send at most {LARGEST_BULK} bytes:" in (DEPLOY / "nginx.conf").read_text()


def test_a_person_is_refused_by_the_proxy_in_a_page(served: Served) -> None:
    request = (
        b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n"
        b"Content-Length: 21000000\r\nConnection: close\r\n\r\n"
    )

    answer = asked(served.behind, request)

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"Content-Type: text/html" in answer


def test_plain_http_is_sent_on_and_the_version_is_not_told(served: Served) -> None:
    said = asked(served.plain, LIVE, tls=False)

    assert said.startswith(b"HTTP/1.1 301")
    assert b"Location: https://localhost/" in said
    assert b"nginx/" not in said


def test_readiness_is_the_machines_own(served: Served) -> None:
    with connected(served.behind, tls=True, of=9) as stranger:
        stranger.sendall(LIVE.replace(b"live", b"ready"))

        assert stranger.recv(4096).startswith(b"HTTP/1.1 403")


def test_logs_of_the_proxy_hold_no_address(served: Served) -> None:
    """Nor does that of errors, which has had some: the proxy was there before the server."""
    assert answers(served.behind)

    requests = (served.folder / "registry.log").read_text()
    errors = (served.folder / "registry.error.log").read_text()
    assert " GET 503 " in requests
    assert " GET 200 " in requests
    assert "/health" not in requests + errors
