"""Rows as they were sent, turned into records that can hold no identifier."""

from collections.abc import Mapping
from typing import Any

from registry.deidentify import cells
from registry.records import (
    EventRecord,
    ExposureRecord,
    Fault,
    IdentifierFound,
    ImplantRecord,
    PatientRecord,
    RawReport,
    Refusal,
    RowRuleBroken,
)
from registry.records.columns import COLUMNS, unknown_names
from registry.vocabulary import (
    Actuality,
    AgeBand,
    Component,
    DaysSinceProcedure,
    DaysSinceRefill,
    Detection,
    Drug,
    ExitStatus,
    Indication,
    Intervention,
    LabelStatus,
    Organism,
    Outcome,
    PlacingProcedure,
    PumpPlane,
    PumpSite,
    Relatedness,
    RootCause,
    Seriousness,
    Sex,
    VolumeDiscrepancy,
    YesNoUnknown,
)

LONGEST_FOLLOW_UP = 1_200
"""Months: a hundred years, longer than any component or patient is followed."""

_months = cells.whole("months", 0, LONGEST_FOLLOW_UP)
_count = cells.whole("a count", 0, 32_767)
_relatedness = cells.code(Relatedness, "relatedness")
_yes_no = cells.code(YesNoUnknown, "yes-no-unknown")
_patient_readers: Mapping[str, cells.Reader] = {
    "drug": cells.code(Drug, "drug"),
    "indication": cells.code(Indication, "indication"),
    "age_band": cells.code(AgeBand, "age-band"),
    "sex": cells.code(Sex, "sex"),
}
_component = cells.code(Component, "component")
_models = {
    None: cells.device_model(None),
    Component.PUMP: cells.device_model(Component.PUMP),
    Component.CATHETER: cells.device_model(Component.CATHETER),
}

_EVENT_READERS: Mapping[str, cells.Reader] = {
    "site": cells.site,
    "source_id": cells.source_id,
    "implant": cells.source_id,
    "complication": cells.complication,
    "year": cells.year,
    "month": cells.whole("the month", 1, 12),
    "months_since_implant": _months,
    "severity": cells.severity,
    "seriousness": cells.codes(Seriousness, "seriousness"),
    "relatedness_device": _relatedness,
    "relatedness_procedure": _relatedness,
    "relatedness_drug": _relatedness,
    "relatedness_programming": _relatedness,
    "relatedness_disease": _relatedness,
    "outcome": cells.code(Outcome, "outcome"),
    "interventions": cells.codes(Intervention, "intervention"),
    "root_cause": cells.code(RootCause, "root-cause"),
    "detection": cells.code(Detection, "detection"),
    "days_since_procedure": cells.code(DaysSinceProcedure, "days-since-procedure"),
    "days_since_refill": cells.code(DaysSinceRefill, "days-since-refill"),
    "caused_by": cells.source_id,
    "actuality": cells.code(Actuality, "actuality"),
    "mri_24h": _yes_no,
    "alarm": _yes_no,
    "volume_discrepancy": cells.code(VolumeDiscrepancy, "volume-discrepancy"),
    "organism": cells.code(Organism, "organism"),
    "component_model": _models[None],
    **_patient_readers,
}

_IMPLANT_READERS: Mapping[str, cells.Reader] = {
    "site": cells.site,
    "patient": cells.source_id,
    "implant": cells.source_id,
    "component": _component,
    "implant_year": cells.year,
    **_patient_readers,
    "adjuncts": cells.codes(Drug, "drug"),
    "label_status": cells.code(LabelStatus, "label-status"),
    "procedure": cells.code(PlacingProcedure, "procedure"),
    "pump_site": cells.code(PumpSite, "pump-site"),
    "pump_plane": cells.code(PumpPlane, "pump-plane"),
    "as_designed": _yes_no,
    "months_to_entry": _months,
    "months_followed": _months,
    "exit_status": cells.code(ExitStatus, "exit-status"),
    "refills": _count,
    "procedures": _count,
}

_EXPOSURE_READERS: Mapping[str, cells.Reader] = {
    "site": cells.site,
    "year": cells.year,
    "component": _component,
    "devices": cells.whole("a count of devices", 1, 1_000_000),
    "component_months": cells.whole("component-months", 0, 12_000_000),
    "procedures": cells.whole("a count", 0, 10_000_000),
    "refills": cells.whole("a count", 0, 10_000_000),
}


_PATIENT_READERS: Mapping[str, cells.Reader] = {
    "site": cells.site,
    "source_id": cells.source_id,
    "sex": _patient_readers["sex"],
    "indication": _patient_readers["indication"],
}


def patient_record(values: Mapping[str, str]) -> PatientRecord:
    """Read one patient from texts named site, source_id, sex and indication.

    Raises as event_record does.
    """
    known = frozenset(_PATIENT_READERS)
    kept, faults = _read(values, _PATIENT_READERS, known=known, what="patients")
    _require(values, kept, faults, ("site", "source_id"))
    _refuse(faults)
    return PatientRecord(**kept)


def event_record(raw: RawReport) -> EventRecord:
    """Read one event as far as a draft needs it: its site and its complication are given.

    Raises IdentifierFound where a field is named like, or looks like, an identifier, otherwise
    RowRuleBroken; either carries every fault of the row.
    """
    kept, faults = _read_row(raw, _EVENT_READERS)
    _require(raw.values, kept, faults, ("site", "complication"))
    _refuse(faults)
    return EventRecord(**kept)


def implant_record(raw: RawReport) -> ImplantRecord:
    """Read one implanted component with its follow-up.

    Raises as event_record does. The model's list is that of the component.
    """
    kept, faults = _read_row(raw, _IMPLANT_READERS)
    _read_model(raw, kept, faults)
    _require(
        raw.values,
        kept,
        faults,
        ("site", "patient", "implant", "component", "implant_year", "months_followed"),
    )
    _refuse(faults)
    return ImplantRecord(**kept)


def exposure_record(raw: RawReport) -> ExposureRecord:
    """Read the device time that a site declares for one year and component.

    Raises as event_record does.
    """
    kept, faults = _read_row(raw, _EXPOSURE_READERS)
    _read_model(raw, kept, faults)
    _require(raw.values, kept, faults, ("site", "year", "component", "devices", "component_months"))
    _refuse(faults)
    return ExposureRecord(**kept)


def _read_row(
    raw: RawReport, readers: Mapping[str, cells.Reader]
) -> tuple[dict[str, Any], list[Fault]]:
    return _read(raw.values, readers, known=COLUMNS[raw.kind], what=raw.kind.value)


def _read(
    values: Mapping[str, str],
    readers: Mapping[str, cells.Reader],
    *,
    known: frozenset[str],
    what: str,
) -> tuple[dict[str, Any], list[Fault]]:
    kept: dict[str, Any] = {}
    faults: list[Fault] = []
    if not values.keys() <= known:
        faults += unknown_names(values, known=known, what=what)
    for column, text in values.items():
        if text and column in readers:
            try:
                kept[column] = readers[column](text)
            except cells.Unreadable as problem:
                faults.append(Fault(column, problem.code, problem.detail))
    return kept, faults


def _read_model(raw: RawReport, kept: dict[str, Any], faults: list[Fault]) -> None:
    text = raw.values.get("model")
    component = kept.get("component")
    if text:
        try:
            kept["model"] = _models[component](text)
        except cells.Unreadable as problem:
            faults.append(Fault("model", problem.code, problem.detail))


def _require(
    values: Mapping[str, str],
    kept: dict[str, Any],
    faults: list[Fault],
    columns: tuple[str, ...],
) -> None:
    for column in columns:
        if column not in kept and not values.get(column):
            faults.append(Fault(column, "required", "this may not be empty"))


def _refuse(faults: list[Fault]) -> None:
    if faults:
        found = any(fault.code == cells.IDENTIFIER for fault in faults)
        kind: type[Refusal] = IdentifierFound if found else RowRuleBroken
        raise kind(faults)
