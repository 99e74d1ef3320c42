"""Stores batches of implants and of declared device time."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q

from registry.deidentify import exposure_faults, faults_against, implant_faults
from registry.intake.deaths import DeviceLife, Life, followed
from registry.intake.devices import disagreement, ends_before_events
from registry.intake.drafts import DECLARED_ONCE, Drafts, SourceKey
from registry.intake.importing import Done, Import, differing, differs, repeated
from registry.intake.stored import (
    EXPOSURE_COLUMNS,
    IMPLANT_COLUMNS,
    exposure_columns,
    exposure_record_of,
    implant_columns,
    implant_record_of,
    patient_columns,
    patient_of,
)
from registry.intake.writers import not_the_lead
from registry.models import Exposure, Implant, Patient, Site
from registry.models.insertion import unsaved
from registry.records import ExposureRecord, Fault, ImplantRecord, RawReport, RowKind
from registry.vocabulary import ExitStatus

_OF_THE_PATIENT = ("sex", "indication")
_FOLLOW_UP = ("months_followed", "exit_status", "refills", "procedures")


def take_implants(rows: Iterable[tuple[RawReport, ImplantRecord]], run: Import) -> None:
    """Stores a batch of implants with their new patients.

    Three queries to read, and those that write.
    """
    placed = run.place(rows)
    patients = _patients(placed, run)
    known = frozenset(patients)
    new_patients: list[Patient] = []
    stored = run.stored(
        Implant,
        ((site.pk, record.implant) for _, record, site in placed),
        *IMPLANT_COLUMNS,
    )
    lives = _lives(patients, run)
    begun: list[tuple[Life, DeviceLife, Implant]] = []
    seen: set[SourceKey] = set()
    fresh: list[Implant] = []
    owners: list[Patient | None] = []
    updated: list[Implant] = []
    later: dict[int, tuple[RawReport, ImplantRecord]] = {}
    for raw, record, site in placed:
        key = site.pk, record.implant
        row = stored.get(key)
        patient = patients.get((site.pk, record.patient))
        if patient is None and row is None and not raw.unread:
            columns = patient_columns(patient_of(record))
            patient = unsaved(Patient, {"site_id": site.pk, **columns})
            patients[site.pk, record.patient] = patient
            new_patients.append(patient)
        name = RowKind.IMPLANT, record.site, record.implant
        before = run.met_before(name)
        before |= row is not None and row["seal_id"] == run.seal.number
        on_file: ImplantRecord | None = None
        conflict: Done | None = None
        faults: tuple[Fault, ...] = ()
        if not run.judged:
            faults = implant_faults(record, latest_year=run.latest_year)
        if row is None:
            faults += faults_against(site.key_pattern, record.implant, "implant")
            if (site.pk, record.patient) not in known:
                faults += faults_against(site.key_pattern, record.patient, "patient")
        if key in seen or before or run.was_refused(name):
            faults = (repeated("implant"), *faults)
        else:
            if patient is not None:
                faults += _disagreements(record, patient)
            if row is not None:
                on_file = implant_record_of(row)
                not_later = _not_later(record, on_file)
                if not_later and not raw.unread:
                    conflict = run.conflict(name, row["pk"], raw, record, on_file)
                faults += not_later if conflict is None else ()
        life = lives.setdefault((site.pk, record.patient), Life())
        device = _followed(record, row, run)
        changed = not (faults or raw.unread or conflict) and record != on_file
        if changed:
            faults = tuple(life.device_faults(device))
        seen.add(key)
        if faults or raw.unread:
            run.refuse(raw, faults, key=name if record.implant else None)
        elif conflict is not None:
            run.done[RowKind.IMPLANT].append(conflict)
        elif row is None:
            run.done[RowKind.IMPLANT].append(Done.NEW)
            fresh.append(unsaved(Implant, {"site_id": site.pk, **implant_columns(record)}))
            owners.append(patient)
            begun.append((life, device, fresh[-1]))
            life.put(device)
        elif changed:
            run.done[RowKind.IMPLANT].append(Done.UPDATED)
            updated.append(_update(record, row))
            later[row["pk"]] = (raw, record)
            life.put(device)
        else:
            run.done[RowKind.IMPLANT].append(Done.UNCHANGED)
    for pk, fault in ends_before_events({pk: record for pk, (_, record) in later.items()}).items():
        run.refuse(later[pk][0], (fault,), key=None)
    run.seal.bulk_create(Patient, new_patients)
    for implant, owner in zip(fresh, owners, strict=True):
        implant.patient_id = owner.pk  # type: ignore[union-attr]  # a new implant has a patient
    run.seal.bulk_create(Implant, fresh)
    run.seal.bulk_update(Implant, updated, [*_FOLLOW_UP, "version"])
    for life, device, implant in begun:
        life.devices.remove(device)
        life.put(device._replace(pk=implant.pk))
    run.keep_lives({patients[key].pk: lives[key] for key in lives.keys() & patients.keys()})


def _patients(
    placed: Iterable[tuple[RawReport, ImplantRecord, Site]], run: Import
) -> dict[SourceKey, Patient]:
    keys = ((site.pk, record.patient) for _, record, site in placed)
    rows = run.stored(Patient, keys, "pk", *_OF_THE_PATIENT)
    return {key: Patient(**row) for key, row in rows.items()}


def _lives(patients: Mapping[SourceKey, Patient], run: Import) -> dict[SourceKey, Life]:
    """What is known of the patients that are stored, or earlier in the file."""
    lives = run.lives(patient.pk for patient in patients.values())
    return {key: lives[patient.pk] for key, patient in patients.items()}


def _followed(record: ImplantRecord, row: Mapping[str, Any] | None, run: Import) -> DeviceLife:
    pk = row["pk"] if row is not None else next(run.not_yet_stored)
    return followed(pk, record.implant_year, record.months_followed, record.exit_status)


def _disagreements(record: ImplantRecord, patient: Patient) -> tuple[Fault, ...]:
    return tuple(
        disagreement(column)
        for column in _OF_THE_PATIENT
        if (getattr(record, column) or "") != getattr(patient, column)
    )


def _not_later(record: ImplantRecord, stored: ImplantRecord) -> tuple[Fault, ...]:
    """Lists the columns of a known implant that are neither as stored nor a later state."""
    faults: list[Fault] = []
    for column in differing(record, stored):
        if column in _OF_THE_PATIENT:
            continue
        now, before = getattr(record, column), getattr(stored, column)
        if column not in _FOLLOW_UP:
            faults.append(differs(column))
        elif column == "exit_status":
            resumed = now == ExitStatus.ACTIVE and before is not None
            if now is None or (resumed and record.months_followed <= stored.months_followed):
                faults.append(_earlier(column))
        elif now is None or (before is not None and now < before):
            faults.append(_earlier(column))
    return tuple(faults)


def _earlier(column: str) -> Fault:
    detail = "this is earlier than what is stored for this implant; correct the stored row instead"
    return Fault(column, "earlier-than-stored", detail)


def _update(record: ImplantRecord, row: Mapping[str, Any]) -> Implant:
    return Implant(
        pk=row["pk"],
        months_followed=record.months_followed,
        exit_status=record.exit_status or "",
        refills=record.refills,
        procedures=record.procedures,
        version=row["version"] + 1,
    )


def take_exposures(rows: Iterable[tuple[RawReport, ExposureRecord]], run: Import) -> None:
    """Stores a batch of declared device time; repeated declarations must be equal."""
    placed = run.place(rows)
    stored = _declared(placed)
    fresh: dict[tuple[Any, ...], Exposure] = {}
    for raw, record, site in placed:
        conflict: Done | None = None
        columns = exposure_columns(record)
        key = _exposure_key(site.pk, columns)
        row = stored.get(key)
        name = RowKind.EXPOSURE, site.code, "/".join(map(str, key[1:]))
        before = run.met_before(name) or _declared_before(key, row, run)
        if not run.may_declare(site):
            faults: tuple[Fault, ...] = (not_the_lead(),)
        elif key in fresh or before:
            faults = (repeated("year"),)
            if not run.judged:
                faults += exposure_faults(record, latest_year=run.latest_year)
        elif row is not None:
            on_file = exposure_record_of(row)
            faults = tuple(differs(name) for name in differing(record, on_file))
            if faults and not raw.unread:
                conflict = run.conflict(name, row["pk"], raw, record, on_file)
                faults = faults if conflict is None else ()
            if conflict is Done.UPDATED and not run.judged:
                faults = exposure_faults(record, latest_year=run.latest_year)
        else:
            faults = () if run.judged else exposure_faults(record, latest_year=run.latest_year)
        if faults or raw.unread:
            run.refuse(raw, faults, key=None)
        elif conflict is not None:
            run.done[RowKind.EXPOSURE].append(conflict)
        elif row is None:
            run.done[RowKind.EXPOSURE].append(Done.NEW)
            fresh[key] = Exposure(site=site, **columns)
        else:
            run.done[RowKind.EXPOSURE].append(Done.UNCHANGED)
    run.seal.bulk_create(Exposure, fresh.values())


def _declared_before(key: tuple[Any, ...], row: Mapping[str, Any] | None, run: Import) -> bool:
    """Whether an earlier batch of the same import declared this."""
    if isinstance(run.seal, Drafts):
        return key in run.seal.declared
    return row is not None and row["seal_id"] == run.seal.number


def _declared(
    placed: Iterable[tuple[RawReport, ExposureRecord, Site]],
) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    """The stored declarations of these sites and years, by their keys. One query."""
    years: dict[int, set[int]] = {}
    for _, record, site in placed:
        years.setdefault(record.year, set()).add(site.pk)
    wanted = Q(pk__in=[])
    for year, sites in years.items():
        wanted |= Q(year=year, site__in=sites)
    rows = Exposure.objects.filter(wanted).values("site_id", *EXPOSURE_COLUMNS)
    return {_exposure_key(row["site_id"], row): row for row in rows}


def _exposure_key(site_id: int, columns: Mapping[str, Any]) -> tuple[Any, ...]:
    return (site_id, *(columns[name] for name in DECLARED_ONCE))
