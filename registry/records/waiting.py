"""A write that was not let in within the time it may wait for others, told in words."""

RETRY_AFTER = 5
"""Seconds after which it is worth to try again."""

WAITED_TOO_LONG = (
    "The registry is busy storing something else, and nothing of yours was stored. "
    "Try again in a moment."
)

_SQLITE_BUSY, _SQLITE_LOCKED = 5, 6
_LOCK_NOT_AVAILABLE = "55P03"


def waited_too_long(error: BaseException | None) -> bool:
    """Whether a database gave up waiting for a lock: SQLite's busy timeout, PostgreSQL's lock
    timeout. What wraps the database's own error is looked through.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None and code & 0xFF in (_SQLITE_BUSY, _SQLITE_LOCKED):
            return True
        if getattr(error, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            return True
        error = error.__cause__
    return False
