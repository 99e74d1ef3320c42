"""Releases by name, which a process remembers: they are never changed or deleted."""

from django.db import connection

from registry.models import Snapshot
from registry.vocabulary import SnapshotKind

_KNOWN: dict[tuple[str, str, str, str], Snapshot] = {}
"""By their database, and what they were asked for: their label, or their id."""


def release_named(name: str) -> Snapshot | None:
    """A release by its label or its id, None where there is none.

    Up to two queries, until the process knows it. What a transaction sees that may still be rolled
    back is not remembered.
    """
    asked_for = (*_database(), name)
    known = _KNOWN.get(asked_for)
    if known is not None:
        return known
    releases = Snapshot.objects.filter(kind=SnapshotKind.RELEASE)
    found = releases.filter(label=name).first() or releases.filter(snapshot_id=name).first()
    if found is not None and not connection.in_atomic_block:
        _KNOWN[asked_for] = found
    return found


def forget_releases() -> None:
    """Forget the releases that this process knows, as a new process would."""
    _KNOWN.clear()


def _database() -> tuple[str, str, str]:
    where = connection.settings_dict
    return str(where["HOST"]), str(where["PORT"]), str(where["NAME"])
