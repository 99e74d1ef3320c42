"""What all processes share: a cache in Redis, and without Redis counts of requests in files.

While Redis fails, or the folder of the files does, each process's memory serves.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import secrets
import threading
import time
from array import array
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
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


SECONDS_ALONE, SECONDS_A_TRY = 2, 0.002


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

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Let nobody else count under a key meanwhile: no two count as one.

        Whoever waits for longer than SECONDS_ALONE goes on: its holder was killed.
        """
        held, until = f"alone-{key}", time.monotonic() + SECONDS_ALONE
        while not (is_ours := self.add(held, 1, SECONDS_ALONE)) and time.monotonic() < until:
            time.sleep(SECONDS_A_TRY)
        try:
            yield
        finally:
            if is_ours:
                self.delete(held)

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


class CountsInFiles(BaseCache):
    """When each client asked, in a file for each, which all processes of this machine share.

    Holds lists of instants (seconds since 1970) and nothing else; a name is the hash of its key.
    No request fails because the folder does: then the memory of this process serves.
    """

    def __init__(self, folder: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self.folder = Path(folder)
        self.memory = LocMemCache("while-files-fail", params)
        self._written = count(1)

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Let nobody else read or write what is under a key: no two count as one."""
        try:
            handle = self._open(self.folder / f"{self._name(key)[:2]}.lock")
        except OSError:
            yield
            return
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """The instants under a key, newest first, in a list of the caller's own."""
        try:
            with self._path(key).open("rb") as file:
                is_over = os.fstat(file.fileno()).st_mtime <= time.time()
                kept = file.read()
        except OSError:
            return self.memory.get(key, default)
        instants = array("d")
        instants.frombytes(kept[: len(kept) // instants.itemsize * instants.itemsize])
        return default if is_over else instants.tolist()

    def set(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        """Keep instants for so many seconds."""
        until = self.get_backend_timeout(timeout) or time.time()
        path = self._path(key)
        try:
            with os.fdopen(self._open(path), "r+b") as file:
                file.write(array("d", value).tobytes())
                file.truncate()
            os.utime(path, (until, until))
        except OSError:
            with suppress(OSError):
                path.unlink()
            self.memory.set(key, value, timeout)
            return
        if next(self._written) % WRITES_A_SWEEP == 0:
            self._sweep()

    def clear(self) -> None:
        """Forget all."""
        self.memory.clear()
        for path in self.folder.glob("*.instants"):
            path.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove the files of those who have not asked for as long as their limit lasts."""
        for path in self.folder.glob("*.instants"):
            with suppress(OSError):
                if path.stat().st_mtime <= time.time():
                    path.unlink()

    def _open(self, path: Path) -> int:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def _path(self, key: str) -> Path:
        return self.folder / f"{self._name(key)}.instants"

    def _name(self, key: str) -> str:
        return hashlib.sha256(key.encode()).hexdigest()


WRITES_A_SWEEP = 1000
"""After so many writes a process removes the files that no longer count."""


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
