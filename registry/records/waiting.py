"""The message for a write that waited too long for others."""

RETRY_AFTER = 5
"""Seconds after which to try again."""

WAITED_TOO_LONG = (
    "The registry is busy with another write, and nothing of yours was stored. "
    "Try again in a moment."
)

_SQLITE_BUSY, _SQLITE_LOCKED = 5, 6
_LOCK_NOT_AVAILABLE = "55P03"


def waited_too_long(error: BaseException | None) -> bool:
    """Whether an exception is, or wraps, a lock timeout: SQLite's busy timeout or PostgreSQL's lock
    timeout.
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
