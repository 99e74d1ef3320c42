"""Which database a freeze reads: a streaming replica that has caught up, or the primary.

A freeze reads everything at once, and is all that reads from a replica: what somebody has just
written must be on the next page, and statistics read no database. A replica holds what the primary
held a moment ago, so that it is asked first how far it is: a freeze from it is never behind what
the primary held when it began, nor behind an earlier freeze.
"""

import logging
import time

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from registry.models import Seal

REPLICA = "replica"
_TURN = 0.02

logger = logging.getLogger(__name__)


def database_to_read() -> str:
    """The alias of the replica, where it holds all that the primary does; else of the primary.

    Waits up to REPLICA_SECONDS for the replica to catch up. Inside a transaction of the primary
    its own view stands.
    """
    primary = connections[DEFAULT_DB_ALIAS]
    if REPLICA not in connections.databases or primary.in_atomic_block:
        return DEFAULT_DB_ALIAS
    with primary.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn()::text")
        (written,) = cursor.fetchone()
    newest = _newest(DEFAULT_DB_ALIAS)
    try:
        why = _why_not(written, newest)
    except DatabaseError as error:
        told_why("It does not answer", error)
        return DEFAULT_DB_ALIAS
    if why:
        told_why(why)
        return DEFAULT_DB_ALIAS
    logger.info("Freezing from the replica.")
    return REPLICA


def told_why(why: str, error: Exception | None = None) -> None:
    """Log why the replica is not read, and let go of it."""
    logger.warning(
        "Freezing from the primary, not from the replica. %s%s.",
        why,
        f": {str(error).strip()}".replace("\n", " ").rstrip(".") if error else "",
    )
    connections[REPLICA].close()


def is_missing() -> bool:
    """Whether REPLICA_URL names a server that does not answer, or is no replica; one query."""
    try:
        return REPLICA in connections.databases and not _is_one()
    except DatabaseError:
        return True


def _is_one() -> bool:
    """Whether it replays what another server writes."""
    with connections[REPLICA].cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery()")
        return bool(cursor.fetchone()[0])


def _why_not(written: str, newest: tuple[int, str] | None) -> str:
    """Why the replica cannot be read; nothing where it holds all up to a place in the log."""
    if not _is_one():
        return "It is no replica any more: it takes writes of its own"
    until = time.monotonic() + settings.REPLICA_SECONDS
    with connections[REPLICA].cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [written])
            if cursor.fetchone()[0]:
                break
            if time.monotonic() >= until:
                return f"It is more than {settings.REPLICA_SECONDS} s behind"
            time.sleep(_TURN)
    if newest is not None and not Seal.objects.using(REPLICA).filter(
        number=newest[0], hash=newest[1]
    ):
        return "It is a replica of another registry: it lacks the newest seal"
    return ""


def _newest(alias: str) -> tuple[int, str] | None:
    return Seal.objects.using(alias).order_by("-number").values_list("number", "hash").first()
