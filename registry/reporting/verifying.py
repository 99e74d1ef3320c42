"""Checks what answers stand on: keys, snapshots and freezing, at a glance or to the last row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from registry.keys import key_faults
from registry.models import Snapshot
from registry.records import SnapshotUnusable
from registry.reporting.asking.opening import (
    damage_told,
    open_snapshot,
    recorded,
    root,
    signing_key,
)
from registry.snapshot import engines, replica, shelf
from registry.snapshot.engines import engine_fault
from registry.snapshot.integrity import Damage
from registry.snapshot.manifest import Manifest
from registry.snapshot.recomputing import UNSIGNED, hold_to_rows, sign_again
from registry.snapshot.schema import SCHEMA_VERSION
from registry.snapshot.shelf import BEFORE, WORKING
from registry.vocabulary import SnapshotKind

__all__ = [
    "SnapshotVerdict",
    "at_a_glance",
    "engine_fault",
    "hold_rows",
    "replica_is_missing",
    "verdicts",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotVerdict:
    """One kept snapshot: what it is called, and what is wrong with it; empty where it is sound.

    was_signed: whether it was signed just now, since its rows are those of its id.
    """

    name: str
    wrong: str = ""
    was_signed: bool = False


def replica_is_missing() -> bool:
    """Whether freezes are to be read from a replica that cannot be read; one query."""
    return replica.is_missing()


def at_a_glance() -> Mapping[str, bool]:
    """Whether keys, snapshots, freezing and the engine are as they should be.

    Reads changed files only, and asks a cluster's master to accept a connection.
    """
    return {
        "keys": not key_faults(),
        "snapshots": _all_hold(),
        "freezing": not _is_failing(),
        "engine": not engines.is_failing(),
    }


def _all_hold() -> bool:
    """Whether the files of all are what was frozen; opens none, which would close those in use."""
    try:
        key, working = signing_key(), recorded()
        for snapshot_id in [*([working.snapshot_id] if working else []), *_releases().values()]:
            with damage_told(snapshot_id):
                Manifest.sound(root() / snapshot_id, key=key)
    except SnapshotUnusable:
        return False
    return True


def _is_failing() -> bool:
    try:
        return root().exists() and shelf.is_failing(root())
    except OSError:
        return True


def _releases() -> Mapping[str, str]:
    """The ids of all releases that this version reads, by label; one query."""
    releases = Snapshot.objects.filter(
        kind=SnapshotKind.RELEASE, schema_version=str(SCHEMA_VERSION)
    )
    return dict(releases.order_by("made_at").values_list("label", "snapshot_id"))


def verdicts(*, sign: bool = False) -> Iterator[SnapshotVerdict]:
    """Check every kept snapshot: its files, their digests, the signature, and all rows.

    sign: sign those that are not signed under the server's key, if their rows are those of their
    id. Raises SnapshotUnusable where the key itself cannot be used.
    """
    key = signing_key()
    names = {snapshot_id: f"release {label}" for label, snapshot_id in _releases().items()}
    for record, name in ((WORKING, "working snapshot"), (BEFORE, "snapshot before it")):
        try:
            found = recorded(record)
        except SnapshotUnusable as refusal:
            if not sign or refusal.faults[0].code not in UNSIGNED:  # written by each freeze
                yield SnapshotVerdict(
                    name=record, wrong=" ".join(each.detail for each in refusal.faults)
                )
            continue
        if found is not None:
            names.setdefault(found.snapshot_id, name)
    for folder in shelf.folders(root()):
        names.setdefault(folder.name, "earlier snapshot")
    for snapshot_id, name in names.items():
        yield _verdict(snapshot_id, f"{name} {snapshot_id[:12]}", key=key, sign=sign)


def _verdict(snapshot_id: str, name: str, *, key: bytes, sign: bool) -> SnapshotVerdict:
    folder = root() / snapshot_id
    was_signed = False
    try:
        try:
            manifest = Manifest.sound(folder, key=key)
        except Damage as damage:
            if not sign or damage.code not in UNSIGNED:
                raise
            sign_again(folder, key=key)
            was_signed = True
            manifest = Manifest.sound(folder, key=key)
        if manifest.schema_version != SCHEMA_VERSION:
            return SnapshotVerdict(
                name=name, wrong="It was frozen by another version of the registry."
            )
        hold_to_rows(folder, manifest)
    except FileNotFoundError:
        return SnapshotVerdict(name=name, wrong="Its folder is missing.")
    except Damage as damage:
        return SnapshotVerdict(name=name, wrong=str(damage))
    return SnapshotVerdict(name=name, was_signed=was_signed)


def hold_rows(snapshot_id: str) -> None:
    """Raise SnapshotUnusable unless a snapshot is sound to the last row."""
    with damage_told(snapshot_id):
        hold_to_rows(root() / snapshot_id, open_snapshot(snapshot_id).manifest)
