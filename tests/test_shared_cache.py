"""The cache of REDIS_URL: a real Redis, one that fails, and one without its client."""

import builtins
import logging
import os
import stat
import threading
import time

import pytest
import redis
from django.core.cache import caches
from django.core.checks import run_checks
from rest_framework.test import APIClient

from registry import shared_cache
from registry.checks import cache_answers, cache_client_is_installed
from registry.shared_cache import cache_fault
from tests.factories import UserFactory
from tests.redis_server import ADDRESS, a_running_redis, caches_at

NOWHERE = "redis://name:hidden-word@127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def _no_outage_before():
    shared_cache._OUTAGES.clear()
    yield
    shared_cache._OUTAGES.clear()


@pytest.fixture
def server(settings):
    with a_running_redis() as (connection, prefix):
        settings.CACHES = caches_at(ADDRESS, prefix)
        yield connection


@pytest.fixture
def no_server(settings):
    settings.CACHES = caches_at(NOWHERE)


def sign_in():
    user = UserFactory()
    user.set_password("a long word")
    user.save()
    sent = {"username": user.username, "password": "a long word"}
    return APIClient().post("/api/v1/tokens/", sent, format="json")


@pytest.mark.django_db
def test_api_and_pages_keep_their_limits_in_redis(server, client):
    made = sign_in()
    token = f"Token {made.json()['token']}"
    asked = APIClient().get("/api/v1/complications/", HTTP_AUTHORIZATION=token)

    assert (made.status_code, asked.status_code) == (201, 200)
    assert client.get("/").status_code == 200
    own = f"{caches['default'].key_prefix}:*throttle*"
    assert list(server.scan_iter(own))


def test_threads_share_what_they_keep(server):
    caches["default"].set("one", 1)

    told = []
    other = threading.Thread(target=lambda: told.append(caches["default"].get("one")))
    other.start()
    other.join()

    assert told == [1]
    assert caches["default"].incr("one") == 2


@pytest.mark.django_db
def test_no_request_fails_because_redis_does(no_server, client, caplog):
    with caplog.at_level(logging.WARNING, logger="registry.shared_cache"):
        replies = [sign_in() for _ in range(3)]

    assert [reply.status_code for reply in replies] == [201] * 3
    assert client.get("/").status_code == 200
    (line,) = [said for said in caplog.messages if "Redis" in said]
    assert "the memory of this process serves as the cache" in line
    assert "hidden-word" not in caplog.text


def test_memory_keeps_what_redis_cannot(no_server):
    caches["default"].set("one", 1)

    assert caches["default"].get("one") == 1
    assert caches["default"].get_many(["one", "two"]) == {"one": 1}


def test_redis_is_asked_again_after_an_outage(server, monkeypatch):
    monkeypatch.setattr(shared_cache, "SECONDS_UNTIL_RETRY", 0)
    cache = caches["default"]

    def fails(*_args, **_kwargs):
        raise redis.ConnectionError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(cache.redis, "get", fails)
        assert cache.get("after-an-outage") is None
    cache.set("after-an-outage", 1)

    assert server.exists(cache.redis.make_key("after-an-outage"))
    assert cache.outage.retry_at is None


def test_fault_of_the_caller_is_no_outage(server):
    with pytest.raises(ValueError, match="nothing"):
        caches["default"].incr("nothing")

    assert caches["default"].outage.retry_at is None


def test_check_passes_where_redis_answers(server):
    assert cache_fault() is None
    assert cache_client_is_installed(None) == cache_answers(None) == []


@pytest.mark.django_db
def test_check_before_a_deployment_tells_of_a_redis_that_does_not_answer(no_server):
    (error,) = cache_answers(None)

    assert error.id == "registry.E007"
    assert error in run_checks(include_deployment_checks=True)
    assert error not in run_checks()  # commands must run while Redis is down
    assert "REDIS_URL does not answer" in error.msg
    assert "correct host, port and database" in error.hint
    assert "hidden-word" not in error.msg + error.hint


def test_check_tells_of_a_client_that_is_not_installed(no_server, monkeypatch):
    real = builtins.__import__

    def without_redis(name, *args, **kwargs):
        if name.split(".")[0] == "redis":
            raise ImportError("No module named 'redis'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_redis)

    (error,) = cache_client_is_installed(None)

    assert error.id == "registry.E006"
    assert "pip install --require-hashes" in error.hint


def test_check_tells_of_a_name_that_redis_refuses(server, settings):
    where = server.connection_pool.connection_kwargs
    address = f"redis://nobody:wrong-word@{where['host']}:{where['port']}/{where['db']}"
    settings.CACHES = caches_at(address)

    (error,) = cache_answers(None)

    assert "refuses the registry's name or password" in error.msg
    assert "wrong-word" not in error.msg + error.hint


def test_comma_in_a_password_parts_no_servers():
    cache = shared_cache.RedisOrMemory("redis://:one,two@127.0.0.1:1/0", {})

    assert cache.redis._cache.get_client(None).get_connection_kwargs()["password"] == "one,two"


def test_memory_needs_no_client_and_no_server():
    assert cache_client_is_installed(None) == cache_answers(None) == []


@pytest.fixture
def counts(tmp_path):
    return shared_cache.CountsInFiles(str(tmp_path / "limits"), {})


def test_counts_in_files_are_those_of_every_process(counts, tmp_path):
    other = shared_cache.CountsInFiles(str(tmp_path / "limits"), {})

    counts.set("one", [2.5, 1.25], 60)

    assert other.get("one", []) == [2.5, 1.25]
    assert other.get("two", []) == []
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "limits").iterdir()}
    assert (modes, stat.S_IMODE((tmp_path / "limits").stat().st_mode)) == ({0o600}, 0o700)


def test_counts_in_files_get_shorter_and_end(counts):
    counts.set("one", [3.0, 2.0, 1.0], 60)
    counts.set("one", [3.0], 60)
    counts.set("over", [1.0], -1)

    assert counts.get("one") == [3.0]
    assert counts.get("over", "none") == "none"
    counts.clear()
    assert counts.get("one", "none") == "none"


def test_files_of_those_who_no_longer_ask_are_removed(counts, monkeypatch):
    monkeypatch.setattr(shared_cache, "WRITES_A_SWEEP", 3)
    counts.set("over", [1.0], -1)
    counts.set("one", [1.0], 60)
    assert len(list(counts.folder.glob("*.instants"))) == 2

    counts.set("two", [1.0], 60)

    assert len(list(counts.folder.glob("*.instants"))) == 2
    assert (counts.get("one"), counts.get("two")) == ([1.0], [1.0])


def test_memory_counts_where_the_folder_cannot_be_written(counts):
    counts.folder.write_text("a file in the folder's place")

    with counts.alone("one"):
        counts.set("one", [1.0], 60)

    assert counts.get("one") == [1.0]


def test_file_that_was_cut_fails_nothing(counts):
    counts.set("one", [2.0, 1.0], 60)
    (path,) = counts.folder.glob("*.instants")
    path.write_bytes(path.read_bytes()[:13])
    until = time.time() + 60
    os.utime(path, (until, until))

    assert counts.get("one") == [2.0]


def test_count_that_its_process_never_ended_is_waited_for_and_no_longer(server, monkeypatch):
    monkeypatch.setattr(shared_cache, "SECONDS_ALONE", 0.2)
    caches["limits"].add("alone-one", 1, 60)

    with caches["limits"].alone("one"):
        assert caches["limits"].get("alone-one") == 1

    assert caches["limits"].get("alone-one") == 1, "it ends what it did not begin"
