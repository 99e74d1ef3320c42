"""Records events, and changes drafts."""

from uuid import UUID

from registry.deidentify import event_record, faults_against, missing_for_submission
from registry.intake.duplicates import note_alike
from registry.intake.keys import EVENT_KEYS, report_with_keys, with_keys
from registry.intake.queries import judge_quality
from registry.intake.relations import Related, fill, refuse, related
from registry.intake.review import recode
from registry.intake.stored import event_texts
from registry.intake.writers import (
    may_write,
    require,
    require_data_manager,
    require_reviewer,
    require_version,
    row_in_sight,
    site_to_write,
)
from registry.models import Event, Sealing, Site, User, sealed
from registry.records import (
    DuplicateSourceId,
    EventRecord,
    Fault,
    IdentifierFound,
    RawReport,
    RowKind,
    RowRuleBroken,
    StateConflict,
)
from registry.vocabulary import State


def record_event(
    raw: RawReport,
    *,
    by: User,
    submit: bool = False,
    accept: bool = False,
    make_keys: bool = False,
) -> Event:
    """Stores one report as a draft event of the reporter's own site; the only way a report gets in.

    make_keys: makes a random key where none is given. submit: submit it at once. accept: accept it
    at once (data managers, not at their own sites).

    Raises IdentifierFound (names the fields, never their values), RowRuleBroken, NotYourSite,
    DuplicateSourceId, NotPermitted.
    """
    if make_keys:
        raw = report_with_keys(raw, EVENT_KEYS)
    record = _read(raw, submitted=submit or accept)
    site = site_to_write(record.site, by=by)
    event = Event(
        site=site,
        state=landing_state(submit=submit, accept=accept),
        round_number=site.round_number,
    )
    if accept:
        require_data_manager(by, "accept events on arrival")
        require_reviewer(event, by=by)
    with sealed(by=by, action="record-event") as seal:
        _refuse_used_source_id(record, site)
        found = related(record, site=site, submitted=submit or accept)
        refuse(_key_faults(record, site) + found.faults)
        fill(event, record, found)
        seal.save(event)
        note_alike(event, seal=seal)
        if event.state != State.DRAFT:
            judge_quality(event, seal)
    return event


def landing_state(*, submit: bool, accept: bool) -> State:
    """The first state of a new report."""
    if accept:
        return State.ACCEPTED
    return State.SUBMITTED if submit else State.DRAFT


def change_event(
    public_id: UUID | str,
    raw: RawReport,
    *,
    by: User,
    version: int | None = None,
    make_keys: bool = False,
) -> Event:
    """Changes the columns of an event that the report names.

    Those who enter rows of its site change a draft. A submitted event can only be recoded: a
    reviewer changes its complication. Stored values sent again are no change. make_keys: makes a
    random key for a draft that has none.

    Raises UnknownRow, NotPermitted, StateConflict, VersionConflict, and what record_event does.
    """
    with sealed(by=by, action="change-event") as seal:
        event = row_in_sight(Event.objects.select_related("site"), public_id, by=by)
        return update_event(event, raw, by=by, version=version, seal=seal, make_keys=make_keys)


def update_event(
    event: Event,
    raw: RawReport,
    *,
    by: User,
    version: int | None,
    seal: Sealing,
    make_keys: bool = False,
) -> Event:
    """Changes an event in the writer's sight under an open seal, as `change_event` does."""
    require_version(event, version)
    before = event_texts(event)
    after = before | {name: text.strip() for name, text in raw.values.items()}
    if make_keys and event.state == State.DRAFT:
        after = with_keys(after, EVENT_KEYS)
    record = event_record(RawReport(RowKind.EVENT, after, raw.line, raw.file), stored=before)
    changed = {name for name, text in after.items() if text != before[name]}
    if event.state == State.SUBMITTED and changed <= {"complication"}:
        require_reviewer(event, by=by)
        return recode(event, record.complication, seal=seal)
    require(may_write(event.site, by=by), "enter rows of this site")
    if event.state != State.DRAFT:
        detail = "only a draft can be changed; a reviewer recodes, rejects or reopens"
        raise StateConflict(Fault("state", StateConflict.code, detail))
    if "site" in changed:
        detail = "a report cannot change its site; withdraw it and enter it at the other"
        raise RowRuleBroken(Fault("site", "site-stays", detail))
    if not changed:
        return event
    if "source_id" in changed:
        _refuse_used_source_id(record, event.site)
    found = related(record, site=event.site, submitted=False, event=event)
    new_key = _key_faults(record, event.site) if "source_id" in changed else ()
    refuse(new_key + found.faults + _contradicted_by_consequences(event, record, found))
    fill(event, record, found)
    event.version += 1
    seal.save(event)
    note_alike(event, seal=seal)
    return event


def _contradicted_by_consequences(
    event: Event, record: EventRecord, found: Related
) -> tuple[Fault, ...]:
    """Lists the changes of an event that contradict events caused by it. One query."""
    patients = set(event.consequences.values_list("patient_id", flat=True))
    faults: list[Fault] = []
    if patients and record.source_id is None:
        detail = "another event names this one as its cause by this key; keep one"
        faults.append(Fault("source_id", "needed-by-consequence", detail))
    if patients - {found.implant.patient_id if found.implant else None}:
        detail = "another event of the patient names this one as its cause; change that one first"
        faults.append(Fault("implant", "other-patient", detail))
    return tuple(faults)


def _read(raw: RawReport, *, submitted: bool) -> EventRecord:
    """Reads a report; a refusal also lists what is missing for submission."""
    try:
        return event_record(raw)
    except (IdentifierFound, RowRuleBroken) as refusal:
        if not submitted:
            raise
        filled = {name for name, text in raw.values.items() if text.strip()}
        refused = {fault.column for fault in refusal.faults}
        missing = [each for each in missing_for_submission(filled) if each.column not in refused]
        raise type(refusal)((*refusal.faults, *missing)) from None


def _key_faults(record: EventRecord, site: Site) -> tuple[Fault, ...]:
    """The faults of an event's new key by the pattern of its site."""
    return faults_against(site.key_pattern, record.source_id or "", "source_id")


def _refuse_used_source_id(record: EventRecord, site: Site) -> None:
    if record.source_id is None:
        return
    used = Event.objects.filter(site=site, source_id=record.source_id).first()
    if used is not None:
        detail = "the site has an event of this source id already"
        fault = Fault("source_id", DuplicateSourceId.code, detail)
        raise DuplicateSourceId(fault, existing=str(used.public_id))
