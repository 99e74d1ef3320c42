"""Writes patients, implants and declared device time, one at a time."""

from collections.abc import Mapping
from uuid import UUID

from django.db.models import Max

from registry.deidentify import (
    exposure_faults,
    exposure_record,
    faults_against,
    implant_faults,
    implant_record,
    patient_record,
)
from registry.deidentify.rules import NO_DEVICE_TIME_AFTER_EXIT
from registry.intake.deaths import followed, lives_of
from registry.intake.keys import IMPLANT_KEYS, PATIENT_KEYS, report_with_keys, with_keys
from registry.intake.queries import judge_declared, judge_patients
from registry.intake.relations import present_year, refuse
from registry.intake.stored import (
    exposure_columns,
    exposure_texts,
    implant_columns,
    implant_texts,
    patient_columns,
    patient_of,
)
from registry.intake.writers import (
    require,
    require_version,
    row_to_write,
    site_to_write,
)
from registry.models import Event, Exposure, Implant, Patient, Sealing, Site, User, sealed
from registry.models.duplicates import STANDING
from registry.records import (
    DuplicateSourceId,
    ExposureRecord,
    Fault,
    ImplantRecord,
    PatientRecord,
    RawReport,
    RowKind,
    RowRuleBroken,
)
from registry.vocabulary import ExitStatus, Right

_ACTIVE = ExitStatus.ACTIVE
_STAYS = ("site", "patient", "component", "sex", "indication")


def record_patient(values: Mapping[str, str], *, by: User, make_keys: bool = False) -> Patient:
    """Stores one patient of the writer's own site: site, source_id, sex, indication.

    make_keys: makes a random key where none is given.
    Raises IdentifierFound, RowRuleBroken, NotYourSite, DuplicateSourceId.
    """
    texts = with_keys(values, PATIENT_KEYS) if make_keys else values
    record = patient_record(stripped(texts))
    site = site_to_write(record.site, by=by)
    with sealed(by=by, action="record-patient") as seal:
        return store_patient(record, site, seal)


def store_patient(record: PatientRecord, site: Site, seal: Sealing) -> Patient:
    """Stores a patient whose key is new to the site, under an open seal."""
    _refuse_used_patient(record.source_id, site)
    refuse(faults_against(site.key_pattern, record.source_id, "source_id"))
    patient = Patient(site=site, **patient_columns(record))
    seal.save(patient)
    return patient


def change_patient(
    public_id: UUID | str, values: Mapping[str, str], *, by: User, version: int | None = None
) -> Patient:
    """Changes the given fields of a patient: source id, sex or indication.

    Raises UnknownRow, NotPermitted, VersionConflict, IdentifierFound, RowRuleBroken,
    DuplicateSourceId.
    """
    with sealed(by=by, action="change-patient") as seal:
        return update_patient(public_id, values, by=by, version=version, seal=seal)


def update_patient(
    public_id: UUID | str,
    values: Mapping[str, str],
    *,
    by: User,
    version: int | None,
    seal: Sealing,
) -> Patient:
    """Changes a patient under an open seal."""
    patient = row_to_write(Patient.objects.select_related("site"), public_id, by=by)
    require_version(patient, version)
    before = {
        "site": patient.site.code,
        "source_id": patient.source_id,
        "sex": patient.sex,
        "indication": patient.indication,
    }
    after = before | stripped(values)
    record = patient_record(after, stored=before)
    if after == before:
        return patient
    if record.site != patient.site.code:
        raise RowRuleBroken(_stays("site"))
    if record.source_id != patient.source_id:
        _refuse_used_patient(record.source_id, patient.site)
        refuse(faults_against(patient.site.key_pattern, record.source_id, "source_id"))
    for name, value in patient_columns(record).items():
        setattr(patient, name, value)
    patient.version += 1
    seal.save(patient)
    return patient


def record_implant(raw: RawReport, *, by: User, make_keys: bool = False) -> Implant:
    """Stores one implanted component, with its patient if the key is new.

    make_keys: makes random keys where none are given; without a patient's key the patient is new.
    Sex and indication may be empty for a known patient, and otherwise must agree with it.
    Raises IdentifierFound, RowRuleBroken, NotYourSite, DuplicateSourceId.
    """
    record = implant_record(report_with_keys(raw, IMPLANT_KEYS) if make_keys else raw)
    site = site_to_write(record.site, by=by)
    with sealed(by=by, action="record-implant") as seal:
        implant = store_implant(record, site, seal)
        judge_patients({implant.patient_id}, seal)
    return implant


def store_implant(record: ImplantRecord, site: Site, seal: Sealing) -> Implant:
    """Stores an implant, and its patient if new, under an open seal."""
    _refuse_used_implant(record.implant, site)
    patient = Patient.objects.filter(site=site, source_id=record.patient).first()
    faults = implant_faults(record, latest_year=present_year())
    faults += faults_against(site.key_pattern, record.implant, "implant")
    if patient is None:
        faults += faults_against(site.key_pattern, record.patient, "patient")
    else:
        faults += _disagreements(record, patient) + _after_death(record, patient)
    refuse(faults)
    if patient is None:
        patient = store_patient(patient_of(record), site, seal)
    implant = Implant(site=site, patient=patient, **implant_columns(record))
    seal.save(implant)
    return implant


def change_implant(
    public_id: UUID | str, raw: RawReport, *, by: User, version: int | None = None
) -> Implant:
    """Changes the columns of an implant that the report names, such as a later follow-up.

    Site, patient and component cannot change; sex and indication are the patient's. Its events
    must still fit.

    Raises UnknownRow, NotPermitted, VersionConflict, DuplicateSourceId, IdentifierFound,
    RowRuleBroken.
    """
    with sealed(by=by, action="change-implant") as seal:
        implant = row_to_write(Implant.objects.select_related("site"), public_id, by=by)
        before = implant.version
        changed = update_implant(implant, raw, version=version, seal=seal)
        if changed.version != before:
            judge_patients({changed.patient_id}, seal)
    return changed


def update_implant(
    implant: Implant, raw: RawReport, *, version: int | None, seal: Sealing
) -> Implant:
    """Changes an implant that the writer may write, under an open seal."""
    require_version(implant, version)
    before = implant_texts(implant)
    after = before | stripped(raw.values)
    record = implant_record(RawReport(RowKind.IMPLANT, after, raw.line, raw.file), stored=before)
    changed = {name for name, text in after.items() if text != before[name]}
    if not changed:
        return implant
    if "implant" in changed:
        _refuse_used_implant(record.implant, implant.site)
    faults = tuple(_stays(name) for name in _STAYS if name in changed)
    if "implant" in changed:
        faults += faults_against(implant.site.key_pattern, record.implant, "implant")
    faults += implant_faults(record, latest_year=present_year())
    faults += _contradicted_by_events(record, implant)
    refuse(faults + _after_death(record, implant.patient, implant))
    for name, value in implant_columns(record).items():
        setattr(implant, name, value)
    implant.version += 1
    seal.save(implant)
    return implant


def declare_exposure(raw: RawReport, *, by: User) -> Exposure:
    """Stores a site's declared device time of one year; for leads and data managers.

    Raises IdentifierFound, RowRuleBroken, NotYourSite, NotPermitted.
    """
    record = exposure_record(raw)
    site = site_to_write(record.site, by=by)
    require(by.may(Right.RUN_REGISTRY) or by.leads(site), "declare the device time of this site")
    with sealed(by=by, action="declare-exposure") as seal:
        refuse(exposure_faults(record, latest_year=present_year()) + _declared(record, site))
        exposure = Exposure(site=site, **exposure_columns(record))
        seal.save(exposure)
        judge_declared(exposure, seal)
    return exposure


def change_exposure(
    public_id: UUID | str, raw: RawReport, *, by: User, version: int | None = None
) -> Exposure:
    """Corrects the columns of declared device time that the report names.

    Raises UnknownRow, NotPermitted, VersionConflict, IdentifierFound, RowRuleBroken.
    """
    with sealed(by=by, action="change-exposure") as seal:
        exposure = row_to_write(Exposure.objects.select_related("site"), public_id, by=by)
        lead = by.may(Right.RUN_REGISTRY) or by.leads(exposure.site)
        require(lead, "declare the device time of this site")
        return update_exposure(exposure, raw, version=version, seal=seal)


def update_exposure(
    exposure: Exposure, raw: RawReport, *, version: int | None, seal: Sealing
) -> Exposure:
    """Corrects declared device time that the writer may declare, under an open seal."""
    require_version(exposure, version)
    before = exposure_texts(exposure)
    after = before | stripped(raw.values)
    record = exposure_record(RawReport(RowKind.EXPOSURE, after, raw.line, raw.file))
    if after == before:
        return exposure
    faults = exposure_faults(record, latest_year=present_year())
    if after["site"] != before["site"]:
        faults += (_stays("site"),)
    refuse(faults + _declared(record, exposure.site, but=exposure))
    for name, value in exposure_columns(record).items():
        setattr(exposure, name, value)
    exposure.version += 1
    seal.save(exposure)
    judge_declared(exposure, seal)
    return exposure


def _disagreements(record: ImplantRecord, patient: Patient) -> tuple[Fault, ...]:
    return tuple(
        disagreement(name)
        for name in ("sex", "indication")
        if getattr(record, name) not in (None, getattr(patient, name))
    )


def disagreement(column: str) -> Fault:
    """The fault of an implant whose row contradicts its patient."""
    detail = f"the {column} of a patient must agree in all rows; correct this row or the others"
    return Fault(column, "patient-disagrees", detail)


def _after_death(
    record: ImplantRecord, patient: Patient, implant: Implant | None = None
) -> tuple[Fault, ...]:
    """The faults of an implant's follow-up against the patient's death. Two queries."""
    pk = implant.pk if implant else 0
    device = followed(pk, record.implant_year, record.months_followed, record.exit_status)
    return tuple(lives_of([patient.pk])[patient.pk].device_faults(device))


def _contradicted_by_events(record: ImplantRecord, implant: Implant) -> tuple[Fault, ...]:
    """Lists the changes of an implant that contradict its events. Up to two queries."""
    standing = implant.events.filter(state__in=STANDING, months_since_implant__isnull=False)
    faults: list[Fault] = []
    before = (implant.months_followed, implant.exit_status)
    if (record.months_followed, record.exit_status or "") != before:
        faults += ends_before_events({implant.pk: record}).values()
    if record.implant_year != implant.implant_year:
        times = standing.values_list("year", "months_since_implant")
        if any(
            year is not None
            and months is not None
            and not 0 <= year - record.implant_year - months // 12 <= 1
            for year, months in times
        ):
            detail = "the year of an event does not fit this year; correct the event first"
            faults.append(Fault("implant_year", "event-does-not-fit", detail))
    return tuple(faults)


def ends_before_events(ended: Mapping[int, ImplantRecord]) -> dict[int, Fault]:
    """The fault of each implant whose follow-up would end before an event of its own component.

    ended: implants by primary key. Drafts count as well. One query, none without an end.
    """
    ends = {pk: each for pk, each in ended.items() if each.exit_status not in (None, _ACTIVE)}
    if not ends:
        return {}
    events = Event.objects.filter(
        implant__in=ends,
        state__in=STANDING,
        complication__category__in=NO_DEVICE_TIME_AFTER_EXIT,
    )
    latest = events.values("implant").annotate(month=Max("months_since_implant"))
    detail = "an event of this component is later than that; correct the event first"
    return {
        row["implant"]: Fault("months_followed", "event-after-exit", detail)
        for row in latest
        if row["month"] is not None and row["month"] > ends[row["implant"]].months_followed
    }


def _declared(record: ExposureRecord, site: Site, but: Exposure | None = None) -> tuple[Fault, ...]:
    columns = exposure_columns(record)
    key = {name: columns[name] for name in ("year", "component", "pump_model", "catheter_model")}
    same = Exposure.objects.filter(site=site, **key)
    if but is not None:
        same = same.exclude(pk=but.pk)
    return (declared_already(),) if same.exists() else ()


def declared_already() -> Fault:
    """The fault of device time that the site has already declared."""
    detail = "the site has declared this year, component and model already; correct that row"
    return Fault("year", "declared-already", detail)


def _refuse_used_implant(source_id: str, site: Site) -> None:
    used = Implant.objects.filter(site=site, source_id=source_id).first()
    if used is not None:
        detail = "the site has an implant of this source id already"
        fault = Fault("implant", DuplicateSourceId.code, detail)
        raise DuplicateSourceId(fault, existing=str(used.public_id))


def _refuse_used_patient(source_id: str, site: Site) -> None:
    used = Patient.objects.filter(site=site, source_id=source_id).first()
    if used is not None:
        detail = "the site has a patient of this source id already"
        fault = Fault("source_id", DuplicateSourceId.code, detail)
        raise DuplicateSourceId(fault, existing=str(used.public_id))


def _stays(column: str) -> Fault:
    details = {
        "site": "a row cannot change its site",
        "sex": "sex is the patient's; change it there",
        "indication": "the indication is the patient's; change it there",
    }
    detail = details.get(column, f"the {column} of an implant cannot change")
    return Fault(column, "cannot-change", detail)


def stripped(values: Mapping[str, str]) -> dict[str, str]:
    """Texts without surrounding blanks."""
    return {name: text.strip() for name, text in values.items()}
