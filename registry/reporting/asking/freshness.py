"""Finds the snapshot that answers, and keeps the working one as new as the registry."""

import logging
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from registry.disclosure import record_keys
from registry.models import AccessLog, Snapshot
from registry.records import BadQuery, Fault, NoSnapshot
from registry.reporting.asking.keys import read_keys
from registry.snapshot import shelf
from registry.snapshot.manifest import Manifest
from registry.snapshot.schema import SCHEMA_VERSION
from registry.snapshot.shelf import Working
from registry.snapshot.source import Mark, freeze_database, newest_mark
from registry.snapshot.store import Store
from registry.vocabulary import SnapshotKind

logger = logging.getLogger(__name__)

SECONDS_TO_WAIT = 1.0
"""A freeze that took less is made while a reader waits for it; others in the background."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """An open snapshot, and what an answer says of it.

    is_behind: whether the registry has changed since; cannot_follow: whether, besides, the last
    attempt to freeze it again has failed.
    """

    store: Store
    kind: SnapshotKind
    label: str
    data_as_of: datetime | None
    is_behind: bool = False
    cannot_follow: bool = False

    @property
    def snapshot_id(self) -> str:
        """The snapshot's id."""
        return self.store.manifest.snapshot_id


def root() -> Path:
    """Where this deployment keeps its snapshots."""
    return Path(settings.REGISTRY_VAR) / "snapshots"


def refresh(*, whole: bool = False) -> Working:
    """Freeze the registry if it has changed since the working snapshot; waits for its turn.

    whole: read everything anew, and not only what has changed, even if nothing has.
    """
    with shelf.freezing(root()):
        return _refresh(whole=whole)


def _refresh(*, whole: bool = False) -> Working:
    """Freeze, by whoever has the right to."""
    keys = read_keys()
    working = Working.read(root())
    if (
        not whole
        and working is not None
        and newest_mark().is_of(working)
        and _is_there(working)
        and Manifest.read(root() / working.snapshot_id).keys == keys.mark
    ):
        shelf.end_attempt(root())
        return working
    with shelf.attempting(root()):
        began = monotonic()
        manifest, mark = freeze_database(
            root(), record_keys=partial(record_keys, keys.records), keys=keys.mark, whole=whole
        )
        return _put_to_work(manifest, mark, before=working, seconds=monotonic() - began)


def publish(label: str, *, early: bool = False) -> Snapshot:
    """Freeze the registry and publish it as a release; releases are never changed or deleted.

    early: publish although REGISTRY_RELEASE_DAYS have not gone by since the last release, which is
    written down. Raises BadQuery where that would be too early, and where the label, or a release
    of the very same data, exists already.
    """
    before = _newest()
    days = (timezone.now() - before.made_at).days if before else None
    is_early = days is not None and days < settings.REGISTRY_RELEASE_DAYS
    if before and is_early and not early:
        raise BadQuery(_too_early(before))
    working = refresh()
    manifest = Manifest.read(root() / working.snapshot_id)
    try:
        with transaction.atomic():
            if before and is_early:
                said = f"{label}, {days} days after {before.label}"
                AccessLog.objects.create(action="early-release", what=said, count=days)
            published, _ = Snapshot.objects.get_or_create(
                snapshot_id=working.snapshot_id,
                defaults=_described(manifest, working) | {"kind": SnapshotKind.WORKING},
            )
            if published.kind == SnapshotKind.RELEASE:
                raise BadQuery(
                    Fault("release", "already-released", "The same data are a release already.")
                )
            published.kind, published.label = SnapshotKind.RELEASE.value, label
            published.made_at = timezone.now()
            published.save()
    except IntegrityError as error:
        raise BadQuery(
            Fault("release", "label-taken", "A release of this label exists: choose another.")
        ) from error
    return published


def current() -> Frozen:
    """The working snapshot, which follows the registry by itself.

    Where the last freeze took less than a second, the registry is frozen again first if it has
    changed. A larger one is frozen in the background, one freeze at a time and at most every
    REGISTRY_FREEZE_SECONDS, and until then the last good snapshot answers: no reader waits. So it
    does where the registry cannot be frozen. One query, where nothing has changed.
    """
    working = Working.read(root())
    is_behind = False
    if working is None or not _is_there(working):
        working = refresh()
    elif not newest_mark().is_of(working):
        newer = None
        if working.seconds < SECONDS_TO_WAIT:
            newer = _refresh_now()
        else:
            _refresh_in_background()
        is_behind = newer is None
        working = newer or working
    return Frozen(
        store=shelf.open_store(root(), working.snapshot_id),
        kind=SnapshotKind.WORKING,
        label="",
        data_as_of=working.as_of,
        is_behind=is_behind,
        cannot_follow=is_behind and shelf.is_failing(root()),
    )


def newest_release() -> Frozen:
    """The newest release; raises NoSnapshot where nothing has been published."""
    release = _newest()
    if release is None:
        raise NoSnapshot(
            Fault("release", "no-release", "Nothing has been released yet: ask a data manager.")
        )
    return _open(release)


def _newest() -> Snapshot | None:
    return Snapshot.objects.filter(kind=SnapshotKind.RELEASE).order_by("-made_at").first()


def _too_early(before: Snapshot) -> Fault:
    """Every release is another draw of whatever has changed, so that there must not be many."""
    wait = settings.REGISTRY_RELEASE_DAYS
    next_one = timezone.localdate(before.made_at + timedelta(days=wait))
    return Fault(
        "release",
        "too-early",
        f"Release {before.label} is less than {wait} days old (REGISTRY_RELEASE_DAYS): publish "
        f"from {next_one.isoformat()} on, or say --early, which is written down.",
    )


def named_release(name: str) -> Frozen:
    """A release by its label or its id; raises BadQuery where there is none."""
    releases = Snapshot.objects.filter(kind=SnapshotKind.RELEASE)
    release = releases.filter(label=name).first() or releases.filter(snapshot_id=name).first()
    if release is None:
        raise BadQuery(Fault("release", "unknown-release", "There is no such release."))
    return _open(release)


def kept_working(snapshot_id: str, *, data_as_of: datetime | None) -> Frozen | None:
    """The snapshot that was the working one, as of the instant that it then had.

    None where another has taken its place, unless it was published: what was counted on it then
    can be counted again.
    """
    if not Snapshot.objects.filter(snapshot_id=snapshot_id).exists():
        return None
    try:
        store = shelf.open_store(root(), snapshot_id)
    except FileNotFoundError:
        return None
    if store.manifest.schema_version != SCHEMA_VERSION:
        return None
    return Frozen(store=store, kind=SnapshotKind.WORKING, label="", data_as_of=data_as_of)


def _open(release: Snapshot) -> Frozen:
    try:
        store = shelf.open_store(root(), release.snapshot_id)
    except FileNotFoundError as error:
        raise NoSnapshot(
            Fault("release", "release-missing", "The files of this release are not on the server.")
        ) from error
    if store.manifest.schema_version != SCHEMA_VERSION:
        raise NoSnapshot(
            Fault(
                "release",
                "other-schema",
                "This release was frozen by another version of the registry, which this one does "
                "not read: ask a newer one, or a data manager to freeze one.",
            )
        )
    return Frozen(
        store=store,
        kind=SnapshotKind.RELEASE,
        label=release.label,
        data_as_of=release.data_as_of,
    )


def _is_there(working: Working) -> bool:
    """Whether the snapshot's files are there, as this version of the code writes them."""
    try:
        return Manifest.read(root() / working.snapshot_id).schema_version == SCHEMA_VERSION
    except FileNotFoundError:
        return False


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
    working.write(root())
    if before is not None and before.snapshot_id != working.snapshot_id:
        shelf.retire(root(), before.snapshot_id)
    Snapshot.objects.get_or_create(
        snapshot_id=working.snapshot_id,
        defaults=_described(manifest, working) | {"kind": SnapshotKind.WORKING},
    )
    Snapshot.objects.filter(kind=SnapshotKind.WORKING).exclude(
        snapshot_id=working.snapshot_id
    ).delete()
    released = Snapshot.objects.values_list("snapshot_id", flat=True)
    shelf.tidy(root(), keep=frozenset(released) | {working.snapshot_id})
    return working


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
    """Freeze while a reader waits; None where others are long at it, or it cannot be done."""
    with shelf.freezing(root(), wait=SECONDS_TO_WAIT) as free:
        if not free:
            return None
        try:
            return _refresh()
        except Exception:
            logger.exception("The registry could not be frozen: the last snapshot answers.")
            return None


def _refresh_in_background() -> None:
    """Start `manage.py freeze`, unless one is under way or was started a short while ago."""
    if shelf.seconds_since_attempt(root()) < settings.REGISTRY_FREEZE_SECONDS:
        return
    with shelf.freezing(root(), wait=0) as free:
        if not free:
            return
        shelf.begin_attempt(root())
    logger.info("The working snapshot is older than the registry: freezing in the background.")
    subprocess.Popen(
        [sys.executable, "-m", "django", "freeze"],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"]},
        cwd=settings.BASE_DIR,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
