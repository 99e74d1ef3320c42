"""A real Redis for tests, where one answers."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis

ADDRESS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0")


def caches_at(address: str, prefix: str = "") -> dict[str, Any]:
    """The caches that settings make of REDIS_URL, with keys of one test alone."""
    cache = {
        "BACKEND": "registry.shared_cache.RedisOrMemory",
        "LOCATION": address,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
        "KEY_PREFIX": prefix,
    }
    return {"default": cache, "limits": cache}


@contextmanager
def a_running_redis() -> Iterator[tuple[redis.Redis, str]]:
    """A Redis that answers, and a prefix for keys that are deleted afterwards.

    Tests run side by side and in somebody's own Redis: nothing else is touched. Skips the test
    where none answers.
    """
    server = redis.Redis.from_url(ADDRESS, socket_connect_timeout=1, socket_timeout=1)
    prefix = f"test-{secrets.token_hex(6)}"
    try:
        server.ping()
    except redis.RedisError:
        server.close()
        pytest.skip("No Redis answers on 127.0.0.1:6379; TEST_REDIS_URL names another.")
    try:
        yield server, prefix
    finally:
        for key in server.scan_iter(f"{prefix}:*"):
            server.delete(key)
        server.close()
