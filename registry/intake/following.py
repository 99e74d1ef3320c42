"""Follow-up of many implants in one step, as sites do yearly."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from registry.deidentify import implant_faults, implant_record
from registry.intake import deaths
from registry.intake.deaths import lives_of
from registry.intake.devices import ends_before_events
from registry.intake.queries import judge_patients
from registry.intake.relations import present_year
from registry.intake.stored import IMPLANT_COLUMNS, implant_record_of, texts_of
from registry.intake.writers import may_write, not_permitted
from registry.models import Implant, Site, User, sealed
from registry.models.exposure import IN_FOLLOW_UP
from registry.records import (
    Fault,
    ImplantRecord,
    RawReport,
    Refusal,
    RowKind,
    UnknownRow,
    VersionConflict,
)
from registry.vocabulary import ExitStatus


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The current follow-up of one implant, as text: whole months since implant, and why it ended.

    exit_status: `active` while it is followed. version: the one that was read.
    """

    public_id: UUID
    months_followed: str
    exit_status: str = ExitStatus.ACTIVE.value
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Followed:
    """The change to one implant: before and after."""

    public_id: UUID
    before: ImplantRecord
    after: ImplantRecord

    @property
    def months_added(self) -> int:
        """The added device time."""
        return self.after.months_followed - self.before.months_followed


class FollowUpRefused(Refusal):
    """Follow-up with faults: nothing was stored. `by_row` has them by implant."""

    code = "follow-up-refused"

    def __init__(self, by_row: Mapping[UUID, tuple[Fault, ...]]) -> None:
        super().__init__(fault for faults in by_row.values() for fault in faults)
        self.by_row = by_row


def follow_up(rows: Iterable[FollowUp], *, by: User, dry_run: bool = False) -> list[Followed]:
    """Stores the current follow-up of implants under one seal, all or nothing.

    Only for implants whose follow-up has not ended; months never decrease, and unchanged implants
    are neither written nor returned. dry_run: returns the changes without writing or locking.

    Raises FollowUpRefused with the faults of every row, also of rows that the writer may not see.
    Three queries and one a site, and those that write.
    """
    follow_ups = {row.public_id: row for row in rows}
    if dry_run:
        return _judged(follow_ups, by=by)[0]
    with sealed(by=by, action="follow-up") as seal:
        followed, changed = _judged(follow_ups, by=by)
        seal.bulk_update(Implant, changed, ["months_followed", "exit_status", "version"])
        pairs = zip(changed, followed, strict=True)
        ended = {
            row.patient_id for row, one in pairs if one.after.exit_status != one.before.exit_status
        }
        if ended:
            judge_patients(ended, seal)
    return followed


def _judged(
    follow_ups: Mapping[UUID, FollowUp], *, by: User
) -> tuple[list[Followed], list[Implant]]:
    """The change to each implant, and the rows to write. Raises FollowUpRefused."""
    by_row: dict[UUID, tuple[Fault, ...]] = {}
    followed: list[Followed] = []
    changed: list[Implant] = []
    row_of: dict[int, UUID] = {}
    seen = Implant.objects.visible_to(by).filter(public_id__in=follow_ups)
    stored = {row["public_id"]: row for row in seen.values(*_COLUMNS)}
    sites = Site.objects.in_bulk({row["site_id"] for row in stored.values()})
    written = {pk: may_write(site, by=by) for pk, site in sites.items()}
    for public_id, row in follow_ups.items():
        implant = stored.get(public_id)
        if implant is None:
            by_row[public_id] = (Fault("", UnknownRow.code, "there is no such implant"),)
            continue
        before = implant_record_of(implant)
        try:
            after = _after(before, row)
        except Refusal as refusal:
            by_row[public_id] = refusal.faults
            continue
        faults = _faults(before, after)
        if not written[implant["site_id"]]:
            faults += (not_permitted("enter rows of this site"),)
        if row.version not in (None, implant["version"]):
            detail = "this row changed since you read it; read it again"
            faults += (Fault("version", VersionConflict.code, detail),)
        if faults:
            by_row[public_id] = faults
        elif after != before:
            row_of[implant["pk"]] = public_id
            followed.append(Followed(public_id, before, after))
            changed.append(
                Implant(
                    pk=implant["pk"],
                    patient_id=implant["patient_id"],
                    implant_year=after.implant_year,
                    months_followed=after.months_followed,
                    exit_status=after.exit_status or "",
                    version=implant["version"] + 1,
                )
            )
    followed_by_key = {each.pk: one for each, one in zip(changed, followed, strict=True)}
    ends = {pk: one.after for pk, one in followed_by_key.items()}
    for pk, fault in ends_before_events(ends).items():
        by_row[followed_by_key[pk].public_id] = (fault,)
    if not by_row:
        by_row = _after_death(changed, row_of)
    if by_row:
        raise FollowUpRefused(by_row)
    return followed, changed


def _after_death(
    changed: list[Implant], row_of: Mapping[int, UUID]
) -> dict[UUID, tuple[Fault, ...]]:
    """The faults of changed follow-ups against deaths, each as all of them will be. Two queries."""
    lives = lives_of({one.patient_id for one in changed})
    devices = [
        (one, deaths.followed(one.pk, one.implant_year, one.months_followed, one.exit_status))
        for one in changed
    ]
    for one, device in devices:
        lives[one.patient_id].put(device)
    found = {row_of[one.pk]: lives[one.patient_id].device_faults(device) for one, device in devices}
    return {public_id: tuple(faults) for public_id, faults in found.items() if faults}


_COLUMNS = ("public_id", "site_id", *IMPLANT_COLUMNS)


def _after(before: ImplantRecord, row: FollowUp) -> ImplantRecord:
    """The implant with its current follow-up; reads the two texts as every door does."""
    current = {"months_followed": row.months_followed, "exit_status": row.exit_status}
    stored = texts_of(before)
    texts = stored | {name: text.strip() for name, text in current.items()}
    read = implant_record(RawReport(RowKind.IMPLANT, texts), stored=stored)
    return replace(before, months_followed=read.months_followed, exit_status=read.exit_status)


def _faults(before: ImplantRecord, after: ImplantRecord) -> tuple[Fault, ...]:
    faults = implant_faults(after, latest_year=present_year())
    if (before.exit_status or "") not in IN_FOLLOW_UP:
        detail = "its follow-up has ended already; correct its own page instead"
        faults += (Fault("exit_status", "ended-already", detail),)
    if after.exit_status is None:
        faults += (Fault("exit_status", "required", "give active, or why it ended"),)
    if after.months_followed < before.months_followed:
        detail = "fewer months than are on file; correct its own page where those are wrong"
        faults += (Fault("months_followed", "earlier-than-stored", detail),)
    return faults
