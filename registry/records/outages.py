"""Whether a failure is the database's own: it does not answer, or it cannot store anything."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DatabaseOutage:
    """What is wrong with the database, and what whoever asked is told."""

    code: str
    title: str
    detail: str


UNREACHABLE = DatabaseOutage(
    "database-unreachable",
    "The database does not answer",
    "The registry's database does not answer. If you sent something, it may have been stored: "
    "look, or send it again with the same Idempotency-Key.",
)
CANNOT_STORE = DatabaseOutage(
    "cannot-store",
    "The database can store nothing",
    "The registry's database can store nothing, such as on a full disk, and nothing of yours was "
    "stored. Tell the registry's data manager.",
)

_SQLITE = {8: CANNOT_STORE, 13: CANNOT_STORE, 10: UNREACHABLE, 14: UNREACHABLE}
"""SQLite's primary result codes: read-only, full; an error of the disk, a file that won't open."""

_POSTGRESQL = {
    "25006": CANNOT_STORE,  # a server that only reads, such as a standby
    "53100": CANNOT_STORE,  # its disk is full
    "53300": UNREACHABLE,  # no connection is left
    "57P01": UNREACHABLE,  # it is being shut down
    "57P02": UNREACHABLE,
    "57P03": UNREACHABLE,  # it is starting up
    "58030": UNREACHABLE,  # an error of its disk
}
_CONNECTION_LOST = ("OperationalError", "InterfaceError")


def outage_of(error: BaseException | None) -> DatabaseOutage | None:
    """The outage that an exception is, or wraps; None for any other failure."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if found := _known(error):
            return found
        error = error.__cause__
    return None


def _known(error: BaseException) -> DatabaseOutage | None:
    number = getattr(error, "sqlite_errorcode", None)
    if number is not None:
        return _SQLITE.get(number & 0xFF)
    module, name = type(error).__module__, type(error).__name__
    if module.startswith("psycopg"):
        state = getattr(error, "sqlstate", None)
        if state is None or state.startswith("08"):
            return UNREACHABLE if name in _CONNECTION_LOST or state else None
        return _POSTGRESQL.get(state)
    # Django's own word for a connection that is closed under it wraps nothing.
    is_closed = module == "django.db.utils" and name == "InterfaceError"
    return UNREACHABLE if is_closed and error.__cause__ is None else None
