"""A real Redis for tests, where one answers."""

import os
from typing import Any

import pytest
import redis

ADDRESS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
"""A database of its own: tests empty it."""


def redis_at(address: str) -> dict[str, Any]:
    """The cache that settings make of REDIS_URL."""
    return {
        "BACKEND": "registry.shared_cache.RedisOrMemory",
        "LOCATION": address,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }


def a_running_redis() -> str:
    """The address of an empty database of a Redis that answers; skips the test where none does."""
    server = redis.Redis.from_url(ADDRESS, socket_connect_timeout=1, socket_timeout=1)
    try:
        server.flushdb()
    except redis.RedisError:
        pytest.skip("No Redis answers on 127.0.0.1:6379; TEST_REDIS_URL names another.")
    finally:
        server.close()
    return ADDRESS
