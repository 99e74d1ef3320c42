"""A cache in Redis that all processes share; while Redis fails, each process's memory serves."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

FAILURES: tuple[type[Exception], ...] = (ImportError, OSError)
"""What a Redis that cannot be used raises; a fault of the caller's own is none of them."""
try:
    from redis.exceptions import AuthenticationError, NoPermissionError, RedisError
except ImportError:  # told by the system check registry.E006
    REFUSALS: tuple[type[Exception], ...] = ()
else:
    FAILURES += (RedisError,)
    REFUSALS = (AuthenticationError, NoPermissionError)

SECONDS_UNTIL_RETRY = 5

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Outage:
    """Whether Redis failed, as all threads of this process know it."""

    retry_at: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def lets_ask(self) -> bool:
        """Whether to ask Redis now: always, or during an outage one thread every few seconds."""
        with self.lock:
            if self.retry_at is None:
                return True
            if time.monotonic() < self.retry_at:
                return False
            self.retry_at = time.monotonic() + SECONDS_UNTIL_RETRY
            return True

    def begin(self, failure: Exception) -> None:
        """Note a failure; its kind is logged once an outage, never its words or the address."""
        with self.lock:
            is_new = self.retry_at is None
            self.retry_at = time.monotonic() + SECONDS_UNTIL_RETRY
        if is_new:
            logger.warning(
                "Redis cannot be used (%s): the memory of this process serves as the cache, and "
                "limits on requests hold for each process only. Run check --deploy.",
                type(failure).__name__,
            )

    def end(self) -> None:
        """Note that Redis answered."""
        with self.lock:
            was_out, self.retry_at = self.retry_at is not None, None
        if was_out:
            logger.warning("Redis answers again: it is the cache of all processes.")


_OUTAGES: defaultdict[str, Outage] = defaultdict(Outage)
"""The outage of each Redis, by its address."""


def _asking_redis_first(act: str) -> Any:
    """The method of a cache that asks Redis, and memory where Redis fails."""

    def run(self: RedisOrMemory, *args: Any, **kwargs: Any) -> Any:
        if self.outage.lets_ask():
            try:
                answer = getattr(self.redis, act)(*args, **kwargs)
            except FAILURES as failure:
                self.outage.begin(failure)
            else:
                self.outage.end()
                return answer
        return getattr(self.memory, act)(*args, **kwargs)

    run.__name__ = act
    return run


class RedisOrMemory(BaseCache):
    """Redis, and the memory of this process while Redis fails.

    No request fails because Redis does. During an outage answers are worked out once a process,
    limits hold for each process, and one request every few seconds waits for Redis's time-out.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self.redis = RedisCache([server], params)  # a list: commas in an address part no servers
        self.memory = LocMemCache("while-redis-fails", params)
        self.outage = _OUTAGES[str(server)]

    add = _asking_redis_first("add")
    get = _asking_redis_first("get")
    set = _asking_redis_first("set")
    touch = _asking_redis_first("touch")
    delete = _asking_redis_first("delete")
    get_many = _asking_redis_first("get_many")
    set_many = _asking_redis_first("set_many")
    delete_many = _asking_redis_first("delete_many")
    has_key = _asking_redis_first("has_key")
    incr = _asking_redis_first("incr")
    clear = _asking_redis_first("clear")


@dataclass(frozen=True, slots=True)
class CacheFault:
    """Why the cache cannot be used, and how to correct it; holds no part of its address."""

    code: str
    message: str
    hint: str


def cache_fault() -> CacheFault | None:
    """What is wrong with the cache now, by writing one value and reading it back; else None.

    Redis itself is asked, in an outage too; waits no longer than its time-outs.
    """
    cache = caches["default"]
    backend = cache.redis if isinstance(cache, RedisOrMemory) else cache
    key = f"probe-{secrets.token_hex(8)}"
    try:
        backend.set(key, key, timeout=10)
        kept = backend.get(key) == key
        backend.delete(key)
    except ImportError:
        return CLIENT_MISSING
    except REFUSALS:
        return SIGN_IN_REFUSED
    except Exception as failure:  # whatever the backend of a deployment raises
        return _failed(type(failure).__name__)
    return None if kept else _failed("a value was not kept")


def _failed(why: str) -> CacheFault:
    said = f"The cache of REDIS_URL does not answer ({why})."
    hint = "Start Redis, correct host, port and database of REDIS_URL, or leave REDIS_URL out."
    return CacheFault("no-answer", said, hint)


CLIENT_MISSING = CacheFault(
    "client-missing",
    "REDIS_URL is given, and the client of Redis is not installed.",
    "Install the locked dependencies (`pip install --require-hashes -r requirements.txt`), or "
    "leave REDIS_URL out.",
)
SIGN_IN_REFUSED = CacheFault(
    "sign-in-refused",
    "The cache of REDIS_URL refuses the registry's name or password.",
    "Correct name and password in REDIS_URL (redis://name:password@host:6379/0, other characters "
    "percent-encoded); the registry reads, writes and deletes.",
)
