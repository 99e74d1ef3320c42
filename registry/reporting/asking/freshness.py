"""Finds the snapshot that answers, and keeps the working snapshot up to date."""

import logging
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from time import monotonic

from django.conf import settings
from django.db import DatabaseError, IntegrityError
from django.utils import timezone

from registry.disclosure import hands, record_keys
from registry.keys import read_keys, read_snapshot_key
from registry.models import AccessLog, Snapshot, sealed
from registry.records import BadQuery, Fault, NoSnapshot, SnapshotGone, SnapshotUnusable
from registry.reporting.asking.growth import too_early
from registry.reporting.asking.opening import (
    open_snapshot,
    recorded,
    root,
    signing_key,
    unusable,
    why_not_frozen,
)
from registry.reporting.asking.releases import release_named
from registry.snapshot import shelf
from registry.snapshot.manifest import Manifest
from registry.snapshot.news import holds_all
from registry.snapshot.schema import FIRST_DESIGN, SCHEMA_VERSION
from registry.snapshot.shelf import BEFORE, WORKING, Working
from registry.snapshot.source import Mark, freeze_database, newest_mark
from registry.snapshot.store import Store
from registry.vocabulary import SnapshotKind

logger = logging.getLogger(__name__)

SECONDS_TO_WAIT = 1.0
"""Seconds: freezes that take less run while a reader waits, others in the background."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """An open snapshot, with its metadata for answers.

    is_behind: whether the registry has changed since; cannot_follow: whether the last attempt
    to freeze it again has also failed. is_early: of a release, whether it was published before
    its time.
    """

    store: Store
    kind: SnapshotKind
    label: str
    data_as_of: datetime | None
    is_behind: bool = False
    cannot_follow: bool = False
    is_early: bool = False

    @property
    def snapshot_id(self) -> str:
        """The snapshot's id."""
        return self.store.manifest.snapshot_id


def refresh(*, whole: bool = False) -> Working:
    """Freezes the registry if what it holds has changed since; waits for its turn.

    whole: reads everything again, not only changes, even if there are none.
    """
    with shelf.freezing(root()):
        return _refresh(whole=whole)


def _refresh(*, whole: bool = False) -> Working:
    """Freezes, by the process that holds the lock."""
    keys, signing = read_keys(), read_snapshot_key()
    before = _sound_working()
    if before is not None and not whole:
        working, store = before
        if _is_up_to_date(working, store) and store.manifest.keys == keys.mark:
            shelf.end_attempt(root())
            return working
    with shelf.attempting(root()):
        began = monotonic()
        manifest, mark = freeze_database(
            root(),
            record_keys=partial(record_keys, keys.records),
            keys=keys.mark,
            hands_of=hands,
            signing=signing,
            whole=whole,
        )
        return _put_to_work(
            manifest,
            mark,
            before=before[0] if before else None,
            seconds=monotonic() - began,
        )


def publish(label: str, *, early: bool = False) -> Snapshot:
    """Freezes the registry and publishes it as a release; releases are never changed or deleted.

    early: publish although REGISTRY_RELEASE_DAYS have not gone by since the last release, or less
    than REGISTRY_RELEASE_GROWTH per cent of the records, or REGISTRY_RELEASE_CHANGED of them, have
    changed, which is recorded and told to readers. Raises BadQuery where that would be too early,
    and where the label, or a release of the very same data, exists already.
    """
    before = _newest()
    faults, said = too_early(before) if before else ([], "")
    if faults and not early:
        raise BadQuery(faults)
    working = refresh()
    manifest = Manifest.read(root() / working.snapshot_id)
    try:
        with sealed(by=None, action="publish-release") as seal:
            if before and faults:
                days = (timezone.now() - before.made_at).days
                AccessLog.objects.create(
                    action="early-release", what=f"{label}, {said} {before.label}", count=days
                )
            published, _ = Snapshot.objects.get_or_create(
                snapshot_id=working.snapshot_id,
                defaults=_described(manifest, working) | {"kind": SnapshotKind.WORKING},
            )
            if published.kind == SnapshotKind.RELEASE:
                raise BadQuery(
                    Fault(
                        "release",
                        "already-released",
                        "These data are already published as a release.",
                    )
                )
            published.kind, published.label = SnapshotKind.RELEASE.value, label
            published.made_at, published.early = timezone.now(), bool(faults)
            seal.save(published)
    except IntegrityError as error:
        raise BadQuery(
            Fault(
                "release", "label-taken", "A release with this label exists: choose another label."
            )
        ) from error
    return published


def current() -> Frozen:
    """The working snapshot, which is kept up to date automatically.

    Where the last freeze took less than a second, a changed registry is frozen again first. A
    larger one is frozen in the background, one freeze at a time and at most every
    REGISTRY_FREEZE_SECONDS; until then, or where a freeze fails, the last good snapshot answers,
    so no reader waits. What no snapshot holds, such as a token, is no change. A working snapshot
    that is damaged is frozen anew. One query, where nothing has changed. Raises SnapshotUnusable
    where nothing sound can answer.
    """
    found = _sound_working()
    if found is None:
        return _frozen_anew()
    working, store = found
    if _is_up_to_date(working, store):
        return _as_working(working, store)
    newer, is_failing = None, True
    try:
        if working.seconds < SECONDS_TO_WAIT:
            newer = _refresh_now()
        else:
            _refresh_in_background()
        is_failing = shelf.is_failing(root())
    except Exception:  # whatever it is, the reader has the last snapshot and the log has why
        logger.exception("The registry could not be frozen: the last snapshot answers.")
    if newer is not None:
        return _as_working(newer, open_snapshot(newer.snapshot_id))
    return _as_working(working, store, is_behind=True, cannot_follow=is_failing)


_HELD: dict[Working, Mark] = {}
"""The working snapshot, and the newest seal at which this process found that it holds all."""


def _is_up_to_date(working: Working, store: Store) -> bool:
    """Whether a freeze would read what the working snapshot holds; one query where nothing is new.

    Once for each new seal of a process it takes more.
    """
    mark = newest_mark()
    if mark.is_of(working) or _HELD.get(working) == mark:
        return True
    if not holds_all(working, store.manifest, hands_of=hands):
        return False
    _HELD.clear()
    _HELD[working] = mark
    return True


def _as_working(
    working: Working, store: Store, *, is_behind: bool = False, cannot_follow: bool = False
) -> Frozen:
    return Frozen(
        store=store,
        kind=SnapshotKind.WORKING,
        label="",
        data_as_of=working.as_of,
        is_behind=is_behind,
        cannot_follow=cannot_follow,
    )


def _sound_working(name: str = WORKING) -> tuple[Working, Store] | None:
    """The working snapshot, open; None where there is none, or none that can be answered from.

    name: BEFORE for the one that was before it. Raises SnapshotUnusable where there is no key to
    check it with.
    """
    signing_key()
    try:
        working = recorded(name)
        store = open_snapshot(working.snapshot_id) if working else None
    except SnapshotUnusable:  # the log has why
        return None
    if working is None or store is None or store.manifest.schema_version != SCHEMA_VERSION:
        return None
    return working, store


def _frozen_anew() -> Frozen:
    """Freezes where no sound working snapshot is there; where that fails, the last good one.

    Where a freeze takes long, the last good one answers meanwhile.
    """
    before = _last_good()
    try:
        if before is not None and before[1] >= SECONDS_TO_WAIT:
            _refresh_in_background()
            return before[0]
        working = refresh()
        return _as_working(working, open_snapshot(working.snapshot_id))
    except (SnapshotUnusable, DatabaseError):
        raise
    except Exception as error:
        logger.exception("The registry could not be frozen.")
        if before is not None:
            return before[0]
        raise unusable(why_not_frozen(error)) from error


def _last_good() -> tuple[Frozen, float] | None:
    """The last sound snapshot: the one before the working one, or the newest sound release.

    With the seconds that freezing took, 0 for a release.
    """
    before = _sound_working(BEFORE)
    if before is not None:
        return _as_working(*before, is_behind=True, cannot_follow=True), before[0].seconds
    for release in Snapshot.objects.filter(kind=SnapshotKind.RELEASE).order_by("-made_at"):
        try:
            return replace(_open(release), is_behind=True, cannot_follow=True), 0.0
        except (SnapshotUnusable, NoSnapshot, SnapshotGone):
            continue
    return None


def newest_release() -> Frozen:
    """The newest release; raises NoSnapshot where nothing has been published."""
    release = _newest()
    if release is None:
        raise NoSnapshot(
            Fault("release", "no-release", "Nothing has been released yet: ask a data manager.")
        )
    return _open(release)


def _newest() -> Snapshot | None:
    """The newest release of this design of protection; older ones are closed."""
    releases = Snapshot.objects.filter(kind=SnapshotKind.RELEASE).order_by("-made_at")
    return next((release for release in releases if not _is_of_first_design(release)), None)


def _is_of_first_design(release: Snapshot) -> bool:
    return int(release.schema_version) <= FIRST_DESIGN


def named_release(name: str) -> Frozen:
    """A release by its label or its id; raises BadQuery where there is none."""
    release = release_named(name)
    if release is None:
        raise BadQuery(Fault("release", "unknown-release", "There is no such release."))
    return _open(release)


def kept_working(snapshot_id: str, *, data_as_of: datetime | None) -> Frozen | None:
    """A working snapshot by its id, as of the given instant.

    None where it was replaced, unless it was published as a release.
    """
    if not Snapshot.objects.filter(snapshot_id=snapshot_id).exists():
        return None
    store = open_snapshot(snapshot_id)
    if store.manifest.schema_version != SCHEMA_VERSION:
        return None
    return Frozen(store=store, kind=SnapshotKind.WORKING, label="", data_as_of=data_as_of)


def _open(release: Snapshot) -> Frozen:
    if _is_of_first_design(release):
        raise SnapshotGone(
            Fault(
                "release",
                "closed-release",
                "This release was protected by the first design, which has been replaced: its "
                "numbers are closed. Ask a newer release.",
            )
        )
    if int(release.schema_version) != SCHEMA_VERSION:
        raise NoSnapshot(
            Fault(
                "release",
                "other-schema",
                "This release was frozen by another version of the registry, which this one does "
                "not read: ask a newer one, or a data manager to freeze one.",
            )
        )
    return Frozen(
        store=open_snapshot(release.snapshot_id),
        kind=SnapshotKind.RELEASE,
        label=release.label,
        data_as_of=release.data_as_of,
        is_early=release.early,
    )


def _put_to_work(
    manifest: Manifest, mark: Mark, *, before: Working | None, seconds: float
) -> Working:
    working = Working(
        snapshot_id=manifest.snapshot_id,
        seal_number=mark.number,
        seal_hash=mark.hash,
        data_as_of=mark.at,
        seconds=seconds,
    )
    signing = read_snapshot_key()
    if before is not None and before.snapshot_id != working.snapshot_id:
        before.write(root(), key=signing, name=BEFORE)
        shelf.retire(root(), before.snapshot_id)
    working.write(root(), key=signing)
    Snapshot.objects.get_or_create(
        snapshot_id=working.snapshot_id,
        defaults=_described(manifest, working) | {"kind": SnapshotKind.WORKING},
    )
    Snapshot.objects.filter(kind=SnapshotKind.WORKING).exclude(
        snapshot_id=working.snapshot_id
    ).delete()
    _tidy(working)
    return working


def _tidy(working: Working) -> None:
    """Delete what nobody needs; say it where what must stay takes more than it may."""
    keep = {working.snapshot_id, *Snapshot.objects.values_list("snapshot_id", flat=True)}
    try:
        before = recorded(BEFORE)
        keep.add(before.snapshot_id if before else "")
    except SnapshotUnusable:  # cut, or of another key: nothing is named by it any more
        (root() / BEFORE).unlink()
    most_bytes = settings.REGISTRY_SNAPSHOTS_MB * 1_000_000
    shelf.tidy(
        root(),
        keep=frozenset(keep),
        most=settings.REGISTRY_SNAPSHOTS_KEPT,
        most_bytes=most_bytes,
    )
    if (size := shelf.bytes_of(root())) > most_bytes:
        logger.warning(
            "Snapshots take %d MB, more than REGISTRY_SNAPSHOTS_MB: releases, the working snapshot "
            "and the one before it are never deleted.",
            size // 1_000_000,
        )


def _described(manifest: Manifest, working: Working) -> dict[str, object]:
    return {
        "schema_version": str(manifest.schema_version),
        "catalogue_version": manifest.terms.version,
        "events": manifest.events,
        "implants": manifest.implants,
        "exposures": manifest.exposures,
        "data_as_of": working.as_of,
        "seal_number": working.seal_number,
    }


def _refresh_now() -> Working | None:
    """Freezes while a reader waits; None where another freeze takes long."""
    with shelf.freezing(root(), wait=SECONDS_TO_WAIT) as free:
        return _refresh() if free else None


def _refresh_in_background() -> None:
    """Starts `manage.py freeze`, unless one is running or was started recently."""
    if shelf.seconds_since_attempt(root()) < settings.REGISTRY_FREEZE_SECONDS:
        return
    with shelf.freezing(root(), wait=0) as free:
        if not free:
            return
        shelf.begin_attempt(root())
    logger.info("The working snapshot is older than the registry: freezing in the background.")
    subprocess.Popen(
        [sys.executable, "-m", "django", "freeze"],
        env=os.environ | {"REGISTRY_VAR": str(settings.REGISTRY_VAR)},
        cwd=settings.BASE_DIR,
        stdout=subprocess.DEVNULL,  # what goes wrong is told on the server's own stderr
        start_new_session=True,
    )
