"""Opens snapshots whose files are what was frozen; what is wrong otherwise is told in words."""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from registry.keys import Keys, read_keys, read_snapshot_key
from registry.records import Fault, SnapshotUnusable
from registry.snapshot import shelf
from registry.snapshot.integrity import Damage
from registry.snapshot.shelf import WORKING, Working
from registry.snapshot.store import Store

logger = logging.getLogger(__name__)

TELL = "Nothing is answered from it: tell the registry's data manager."
SAID = {
    "missing": f"Files of this snapshot are missing on the server. {TELL}",
    "altered": f"Files of this snapshot are damaged or were altered since it was frozen. {TELL}",
    "unreadable": f"The server may not read the files of this snapshot. {TELL}",
    "unsigned": f"This snapshot is not signed. {TELL}",
    "other-key": f"This snapshot was signed with another key than the server's. {TELL}",
    "key-missing": (
        "A key that answers need is missing on the server, or cannot be used: tell the registry's "
        "data manager."
    ),
    "disk-full": (
        "There is no snapshot to answer from, and the server's disk is too full for one: tell the "
        "registry's data manager."
    ),
    "cannot-freeze": (
        "There is no snapshot to answer from, and the server could not make one: tell the "
        "registry's data manager."
    ),
}
"""What a reader is told, by the code of the fault; where files lie is for the log alone."""


def root() -> Path:
    """Where this deployment keeps its snapshots."""
    return Path(settings.REGISTRY_VAR) / "snapshots"


def open_snapshot(snapshot_id: str) -> Store:
    """A snapshot whose files are what was frozen; raises SnapshotUnusable for any other."""
    with damage_told(snapshot_id):
        return shelf.open_store(root(), snapshot_id, key=signing_key())


@contextmanager
def damage_told(snapshot_id: str) -> Iterator[None]:
    """Raises SnapshotUnusable for what is found wrong with a snapshot's files; the log has why."""
    try:
        yield
    except FileNotFoundError as error:
        raise unusable("missing", f"snapshot {snapshot_id}: its folder is gone.") from error
    except Damage as damage:
        raise unusable(damage.code, f"snapshot {snapshot_id}: {damage}") from damage


def recorded(name: str = WORKING) -> Working | None:
    """The record of the working snapshot, or the one before it; None where there is none.

    Raises SnapshotUnusable where it is not what was written.
    """
    try:
        return Working.read(root(), key=signing_key(), name=name)
    except Damage as damage:
        raise unusable(damage.code, str(damage)) from damage
    except OSError as error:
        raise unusable("unreadable", f"{name}: {error.strerror}.") from error


def signing_key() -> bytes:
    """The key that signs snapshots; raises SnapshotUnusable where it cannot be used."""
    try:
        return read_snapshot_key()
    except ImproperlyConfigured as error:
        raise unusable("key-missing", str(error)) from error


def disclosure_keys() -> Keys:
    """The keys of disclosure control; raises SnapshotUnusable where they cannot be used."""
    try:
        return read_keys()
    except ImproperlyConfigured as error:
        raise unusable("key-missing", str(error)) from error


def unusable(code: str, said: str = "") -> SnapshotUnusable:
    """The refusal of a reader; said: what the log is told, once for as long as it is the same."""
    if said:
        _log_once(said)
    return SnapshotUnusable(Fault("", code, SAID[code]))


@lru_cache(maxsize=64)
def _log_once(said: str) -> None:
    logger.error("Not answered from: %s See docs/operations.md.", said)


def why_not_frozen(error: Exception) -> str:
    """The code of the fault that kept a snapshot from being made."""
    if isinstance(error, ImproperlyConfigured):
        return "key-missing"
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    is_full = full or any(words in str(error) for words in FULL)
    return "disk-full" if is_full else "cannot-freeze"


FULL = ("No space left", "Disk quota exceeded", "File too large")
"""What the engine's errors say of a disk that is full."""
