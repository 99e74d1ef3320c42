"""Finds the snapshot that answers, and keeps the working snapshot up to date."""

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

from registry.disclosure import hands, record_keys
from registry.models import AccessLog, Snapshot
from registry.records import BadQuery, Fault, NoSnapshot, SnapshotGone
from registry.reporting.asking.growth import growth_since
from registry.reporting.asking.keys import read_keys
from registry.snapshot import shelf
from registry.snapshot.manifest import Manifest
from registry.snapshot.schema import FIRST_DESIGN, SCHEMA_VERSION
from registry.snapshot.shelf import Working
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


def root() -> Path:
    """Where this deployment keeps its snapshots."""
    return Path(settings.REGISTRY_VAR) / "snapshots"


def refresh(*, whole: bool = False) -> Working:
    """Freezes the registry if it has changed since the working snapshot; waits for its turn.

    whole: reads everything again, not only changes, even if there are none.
    """
    with shelf.freezing(root()):
        return _refresh(whole=whole)


def _refresh(*, whole: bool = False) -> Working:
    """Freezes, by the process that holds the lock."""
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
            root(),
            record_keys=partial(record_keys, keys.records),
            keys=keys.mark,
            hands_of=hands,
            whole=whole,
        )
        return _put_to_work(manifest, mark, before=working, seconds=monotonic() - began)


def publish(label: str, *, early: bool = False) -> Snapshot:
    """Freezes the registry and publishes it as a release; releases are never changed or deleted.

    early: publish although REGISTRY_RELEASE_DAYS have not gone by since the last release, or less
    than REGISTRY_RELEASE_GROWTH per cent of the records, or REGISTRY_RELEASE_CHANGED of them, have
    changed, which is recorded and told to readers. Raises BadQuery where that would be too early,
    and where the label, or a release of the very same data, exists already.
    """
    before = _newest()
    faults, said = _too_early(before) if before else ([], "")
    if faults and not early:
        raise BadQuery(faults)
    working = refresh()
    manifest = Manifest.read(root() / working.snapshot_id)
    try:
        with transaction.atomic():
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
            published.save()
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
    so no reader waits. One query, where nothing has changed.
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
    """The newest release of this design of protection; older ones are closed."""
    releases = Snapshot.objects.filter(kind=SnapshotKind.RELEASE).order_by("-made_at")
    return next((release for release in releases if not _is_of_first_design(release)), None)


def _is_of_first_design(release: Snapshot) -> bool:
    return int(release.schema_version) <= FIRST_DESIGN


def _too_early(before: Snapshot) -> tuple[list[Fault], str]:
    """Why a release would come too early after the last, and by how much, for the log.

    Every release is another draw of whatever has changed, so that there must not be many; and in
    one that differs by little, what is new stands out.
    """
    faults, said = [], []
    wait = settings.REGISTRY_RELEASE_DAYS
    days = (timezone.now() - before.made_at).days
    if days < wait:
        next_one = timezone.localdate(before.made_at + timedelta(days=wait))
        said.append(f"{days} days after")
        faults.append(
            Fault(
                "release",
                "too-early",
                f"Release {before.label} is less than {wait} days old (REGISTRY_RELEASE_DAYS): "
                f"publish from {next_one.isoformat()} on, or use --early, which is recorded "
                "and told to readers.",
            )
        )
    growth = growth_since(before.seal_number or 0)
    percent, least = settings.REGISTRY_RELEASE_GROWTH, settings.REGISTRY_RELEASE_CHANGED
    if missing := growth.missing(percent, least):
        said.append(f"{growth.moved} of {growth.records} records changed since")
        faults.append(
            Fault(
                "release",
                "too-little-new",
                f"Of {growth.records} accepted events {growth.moved} are new, changed or gone "
                f"since release {before.label}; {percent} % (REGISTRY_RELEASE_GROWTH) and "
                f"{least} or more (REGISTRY_RELEASE_CHANGED) are asked for: wait for {missing} "
                "more, or use --early, which is written down and told to readers.",
            )
        )
    return faults, " and ".join(said)


def named_release(name: str) -> Frozen:
    """A release by its label or its id; raises BadQuery where there is none."""
    releases = Snapshot.objects.filter(kind=SnapshotKind.RELEASE)
    release = releases.filter(label=name).first() or releases.filter(snapshot_id=name).first()
    if release is None:
        raise BadQuery(Fault("release", "unknown-release", "There is no such release."))
    return _open(release)


def kept_working(snapshot_id: str, *, data_as_of: datetime | None) -> Frozen | None:
    """A working snapshot by its id, as of the given instant.

    None where it was replaced, unless it was published as a release.
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
    if _is_of_first_design(release):
        raise SnapshotGone(
            Fault(
                "release",
                "closed-release",
                "This release was protected by the first design, which has been replaced: its "
                "numbers are closed. Ask a newer release.",
            )
        )
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
        is_early=release.early,
    )


def _is_there(working: Working) -> bool:
    """Whether the snapshot's files exist in this version's format."""
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
    """Freezes while a reader waits; None where another freeze takes long, or it fails."""
    with shelf.freezing(root(), wait=SECONDS_TO_WAIT) as free:
        if not free:
            return None
        try:
            return _refresh()
        except Exception:  # whatever it is, the reader has the last snapshot and the log has why
            logger.exception("The registry could not be frozen: the last snapshot answers.")
            return None


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
        env=os.environ | {"DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"]},
        cwd=settings.BASE_DIR,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
