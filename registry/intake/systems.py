"""Writes systems: a patient with pump and catheter in one step, and replacements."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar
from uuid import UUID

from registry.deidentify import implant_record, patient_record
from registry.intake.devices import (
    store_implant,
    store_patient,
    stripped,
    update_implant,
    update_patient,
)
from registry.intake.keys import IMPLANT_KEYS, PATIENT_KEYS, with_keys
from registry.intake.queries import judge_patients
from registry.intake.writers import require_version, row_to_write, site_to_write
from registry.models import Implant, Patient, User, sealed
from registry.models.exposure import IN_FOLLOW_UP
from registry.records import (
    DuplicateSourceId,
    Fault,
    IdentifierFound,
    ImplantRecord,
    RawReport,
    Refusal,
    RowKind,
    RowRuleBroken,
    StateConflict,
    UnknownRow,
    VersionConflict,
    refusal_of,
)
from registry.vocabulary import ExitStatus

REPLACED = (
    ExitStatus.REPLACED_END_OF_SERVICE,
    ExitStatus.REPLACED_FOR_FAILURE,
    ExitStatus.EXPLANTED_FOR_COMPLICATION,
    ExitStatus.EXPLANT_ELECTIVE,
)
"""Ends of follow-up by replacement of the component."""

ENDED = "ended"
"""The prefix of the replaced component's columns in faults."""

_OF_THE_PATIENT = frozenset({"site", "patient"})

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ComponentReport:
    """The report of one component of a patient, new or stored.

    raw: the columns of an implant without its patient's. public_id, version: of the stored
    implant, and the version that was read.
    """

    raw: RawReport
    public_id: UUID | None = None
    version: int | None = None

    @property
    def name(self) -> str:
        """The prefix of its columns in faults: `pump` or `catheter`."""
        return self.raw.values["component"]


def record_system(
    values: Mapping[str, str], components: Iterable[ComponentReport], *, by: User
) -> Patient:
    """Stores a patient of the writer's own site with components, all or nothing.

    Makes a random key for each of them that has none.
    values: site, source_id, sex, indication. Faults of a component name its column after the
    component: `pump_implant_year`. All faults are raised at once.
    Raises IdentifierFound, RowRuleBroken, NotYourSite, DuplicateSourceId.
    """
    texts, gathered = stripped(with_keys(values, PATIENT_KEYS)), _Gathered()
    record = gathered.read("", patient_record, texts)
    of_patient = {"site": texts.get("site", ""), "patient": texts.get("source_id", "")}
    implants = [(each.name, gathered.read(each.name, _of, of_patient, each)) for each in components]
    if record is None:
        raise gathered.refusal()
    site = site_to_write(record.site, by=by)
    with sealed(by=by, action="record-system") as seal:
        patient = gathered.read("", store_patient, record, site, seal)
        for name, implant in implants if patient is not None else ():
            if implant is not None:
                gathered.read(name, store_implant, implant, site, seal)
        if patient is None or gathered.found:
            raise gathered.refusal()
        judge_patients({patient.pk}, seal)
    return patient


def change_system(
    public_id: UUID | str,
    values: Mapping[str, str],
    components: Iterable[ComponentReport],
    *,
    by: User,
    version: int | None = None,
) -> Patient:
    """Changes a patient and components, and stores new components, all or nothing.

    Faults as in record_system. Raises UnknownRow, NotPermitted, VersionConflict,
    IdentifierFound, RowRuleBroken, DuplicateSourceId.
    """
    gathered = _Gathered()
    with sealed(by=by, action="change-system") as seal:
        patient = update_patient(public_id, values, by=by, version=version, seal=seal)
        of_patient = {"site": patient.site.code, "patient": patient.source_id}
        for each in components:
            if each.public_id is not None:
                implant = _implant_of(patient, each.public_id, by=by)
                gathered.read(
                    each.name, update_implant, implant, each.raw, version=each.version, seal=seal
                )
            elif record := gathered.read(each.name, _of, of_patient, each):
                gathered.read(each.name, store_implant, record, patient.site, seal)
        if gathered.found:
            raise gathered.refusal()
        judge_patients({patient.pk}, seal)
    return patient


def replace_implant(
    public_id: UUID | str,
    ending: Mapping[str, str],
    successor: RawReport,
    *,
    by: User,
    version: int | None = None,
) -> Implant:
    """Ends the follow-up of one component and stores its replacement, in one step.

    ending: months_followed and exit_status of the old one, and refills and procedures if known;
    its faults name columns after `ended_`. successor: the columns of the new one without site,
    patient and component, which are the old one's. Does not change the patient's other component:
    its clock runs on. Returns the new one.

    Raises UnknownRow, NotPermitted, VersionConflict, StateConflict where the old one's follow-up
    has ended already, IdentifierFound, RowRuleBroken, DuplicateSourceId.
    """
    gathered = _Gathered()
    with sealed(by=by, action="replace-implant") as seal:
        old = row_to_write(Implant.objects.select_related("site", "patient"), public_id, by=by)
        require_version(old, version)
        if old.exit_status not in IN_FOLLOW_UP:
            detail = "its follow-up has ended already; enter the next one as a new implant"
            raise StateConflict(Fault("exit_status", StateConflict.code, detail))
        end = {"months_followed": "", "exit_status": ""} | stripped(ending)
        if end["exit_status"] not in REPLACED:
            detail = f"give why it was taken out: {', '.join(REPLACED)}"
            gathered.add(ENDED, Fault("exit_status", "not-a-replacement", detail))
        ended = RawReport(RowKind.IMPLANT, end)
        gathered.read(ENDED, update_implant, old, ended, version=None, seal=seal)
        values = {**successor.values, "component": str(old.component)}
        of_patient = {"site": old.site.code, "patient": old.patient.source_id}
        report = ComponentReport(RawReport(RowKind.IMPLANT, values))
        record = gathered.read("", _of, of_patient, report)
        if (
            record is not None
            and record.implant_year < old.implant_year + old.months_followed // 12
        ):
            detail = "the new one cannot be implanted before the follow-up of the old one ended"
            gathered.add("", Fault("implant_year", "before-the-end", detail))
        if record is None:
            raise gathered.refusal()
        new = gathered.read("", store_implant, record, old.site, seal)
        if new is None or gathered.found:
            raise gathered.refusal()
        judge_patients({old.patient_id}, seal)
    return new


def _of(patient: Mapping[str, str], report: ComponentReport) -> ImplantRecord:
    """The record of a component of that patient, ignoring site and patient in the report.

    Makes a random key for a component that has none. The patient's key was judged before.
    """
    values = with_keys({**stripped(report.raw.values), **patient}, IMPLANT_KEYS)
    return implant_record(RawReport(RowKind.IMPLANT, values), stored=patient)


def _implant_of(patient: Patient, public_id: UUID, *, by: User) -> Implant:
    implant = row_to_write(Implant.objects.select_related("site"), public_id, by=by)
    if implant.patient_id != patient.pk:
        raise UnknownRow(Fault("id", UnknownRow.code, "the patient has no such implant"))
    return implant


class _Gathered:
    """Collects the faults of the parts of one report."""

    def __init__(self) -> None:
        self.found: list[Fault] = []
        self.existing = ""

    def read(
        self, part: str, reader: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """The record of a part, or None where it was refused; keeps its faults by part."""
        try:
            return reader(*args, **kwargs)
        except (IdentifierFound, RowRuleBroken, VersionConflict) as refusal:
            self.add(part, *refusal.faults)
        except DuplicateSourceId as refusal:
            self.existing = refusal.existing
            self.add(part, *refusal.faults)
        return None

    def add(self, part: str, *faults: Fault) -> None:
        """Keeps faults; those of a component's patient columns are the patient's."""
        for fault in faults:
            if not part:
                self.found.append(fault)
            elif fault.column not in _OF_THE_PATIENT:
                self.found.append(replace(fault, column=f"{part}_{fault.column}"))

    def refusal(self) -> Refusal:
        """The refusal for all faults."""
        codes = {fault.code for fault in self.found}
        if codes == {DuplicateSourceId.code}:
            return DuplicateSourceId(self.found, existing=self.existing)
        if codes == {VersionConflict.code}:
            return VersionConflict(self.found)
        return refusal_of(self.found)
