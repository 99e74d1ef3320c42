"""Two servers over one database and one cache: what one has counted holds in the other."""

import http.client
import json
import os
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from django.db import connection

from tests.chaos.__main__ import ROOT
from tests.chaos.databases import a_database
from tests.chaos.servers import free_port, redis_on, wait_for

pytestmark = pytest.mark.postgresql

PASSWORD = "a long enough word"
PEOPLE = f"""
from registry.models import User
for name in ("nurse", "doctor", "clerk"):
    User.objects.create_user(name, password={PASSWORD!r})
"""
RIGHT = {"username": "nurse", "password": PASSWORD}
WRONG = RIGHT | {"password": "another word"}
FAILURES = 8
"""After so many wrong passwords a name is paused (AXES_FAILURE_LIMIT)."""
STRANGERS, TOKENS = 12, 30
"""Requests a day of an address, and for tokens; eight of these are wrong passwords."""


@dataclass(frozen=True)
class Servers:
    """The ports of two servers, which are two processes."""

    one: int
    other: int

    def asked(self, port, path, sent=None, **headers):
        """The reply to a GET, or to a POST of JSON; its body is in `said`."""
        connected = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        body = None if sent is None else json.dumps(sent)
        headers = {"Content-Type": "application/json"} | headers
        connected.request("GET" if sent is None else "POST", path, body, headers)
        reply = connected.getresponse()
        reply.said = reply.read().decode()
        connected.close()
        return reply

    def token(self, port, sent):
        """The status of asking for a token."""
        return self.asked(port, "/api/v1/tokens/", sent).status

    def sign_in(self, port, sent):
        """The status of the sign-in page's form."""
        page = self.asked(port, "/login/")
        cookie = page.headers["Set-Cookie"].partition(";")[0]
        word = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.said)[1]
        connected = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        form = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
        body = urlencode(sent | {"csrfmiddlewaretoken": word})
        connected.request("POST", "/login/", body, form)
        reply = connected.getresponse()
        reply.read()
        connected.close()
        return reply.status


@pytest.fixture(scope="module", params=["with Redis", "without Redis"])
def servers(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("across")
    with ExitStack() as stack:
        environment = os.environ | {
            "DEBUG": "1",
            "DJANGO_SETTINGS_MODULE": "registry_project.settings",
            "DATABASE_URL": stack.enter_context(a_database(connection.vendor, folder)),
            "REGISTRY_VAR": str(folder / "var"),
            "REDIS_URL": "",
            "THROTTLE_ANON": f"{STRANGERS}/day",
            "THROTTLE_TOKEN": f"{TOKENS}/day",
            "BEHIND_PROXY": "1",
            "LOG_LEVEL": "CRITICAL",
        }
        if request.param == "with Redis":
            port = free_port()
            stack.enter_context(redis_on(port))
            environment["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
        for words in (["migrate", "-v", "0"], ["shell", "--no-imports", "-c", PEOPLE]):
            manage = [sys.executable, "manage.py", *words]
            subprocess.run(manage, cwd=ROOT, env=environment, check=True)
        ports = [free_port(), free_port()]
        for port in ports:
            stack.enter_context(served(environment, port))
        yield Servers(*ports)


def served(environment, port):
    """A gunicorn of one process, with threads."""
    stack = ExitStack()
    words = ["registry_project.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "4"]
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *words, "--no-control-socket"],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    stack.callback(process.wait, 30)
    stack.callback(process.terminate)
    wait_for(port)
    return stack


def test_lock_out_by_one_process_holds_in_the_other(servers):
    wrong = WRONG | {"username": "doctor"}
    right = RIGHT | {"username": "doctor"}

    guessed = [servers.token(servers.one, wrong) for _ in range(FAILURES)]

    assert guessed == [401] * (FAILURES - 1) + [429]
    assert servers.token(servers.other, right) == 429
    assert servers.sign_in(servers.other, right) == 429
    assert servers.token(servers.other, RIGHT) == 201


def test_wrong_passwords_of_all_processes_are_counted_together(servers):
    wrong = WRONG | {"username": "clerk"}

    ports = [servers.one, servers.other] * (FAILURES // 2)
    guessed = [servers.sign_in(port, wrong) for port in ports]

    assert guessed == [200] * (FAILURES - 1) + [429]
    assert servers.sign_in(servers.one, RIGHT | {"username": "clerk"}) == 429


def test_limit_of_an_address_holds_over_all_processes(servers):
    """The address is the one that the proxy adds, whatever stands before it."""

    def asked(port, forged=""):
        forwarded = {"X-Forwarded-For": f"{forged}198.51.100.7"}
        return servers.asked(port, "/api/v1/categories/", **forwarded).status

    found = [asked(port) for port in [servers.one, servers.other] * (STRANGERS // 2)]

    assert found == [200] * STRANGERS
    assert {asked(servers.one), asked(servers.other, "192.0.2.1, ")} == {429}


def test_requests_at_the_same_time_are_counted_one_by_one(servers):
    def asked(number):
        port = (servers.one, servers.other)[number % 2]
        forwarded = {"X-Forwarded-For": "198.51.100.8"}
        return servers.asked(port, "/api/v1/categories/", **forwarded).status

    with ThreadPoolExecutor(16) as at_once:
        found = Counter(at_once.map(asked, range(4 * STRANGERS)))

    assert found == {200: STRANGERS, 429: 3 * STRANGERS}
