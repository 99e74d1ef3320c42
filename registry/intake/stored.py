"""Converts records to stored rows and back."""

from collections.abc import Mapping
from typing import Any

from registry.models import Event, Exposure, Implant
from registry.models.event_rules import CRITERIA
from registry.records import EventRecord, ExposureRecord, ImplantRecord, PatientRecord, RowKind
from registry.records.columns import DECLARED
from registry.records.declared import Holds
from registry.vocabulary import CatheterModel, Component, PumpModel, Seriousness

_ELSEWHERE: Mapping[RowKind, frozenset[str]] = {
    RowKind.IMPLANT: frozenset({"site", "patient", "implant", "sex", "indication"}),
    RowKind.EXPOSURE: frozenset({"site"}),
    RowKind.EVENT: frozenset(
        {"site", "source_id", "implant", "complication", "caused_by", "seriousness"}
    ),
}
"""Declared columns kept in another row or under another name; so are models."""


def _by_name(*, coded: bool) -> dict[RowKind, tuple[str, ...]]:
    """The declared columns kept in the row's own table under their own name."""
    return {
        kind: tuple(
            name
            for name, column in columns.items()
            if name not in _ELSEWHERE[kind]
            and column.holds is not Holds.MODEL
            and (column.holds is Holds.CODE) == coded
        )
        for kind, columns in DECLARED.items()
    }


_CODES = _by_name(coded=True)
"""Columns that hold one code: empty text is "not recorded"."""

_VALUES = _by_name(coded=False)
"""Columns that hold a number or a set: NULL is "not recorded"."""

_CRITERIA: dict[Seriousness, str] = {
    code: field for code, field in CRITERIA.items() if code is not Seriousness.NONE
}

EVENT_COLUMNS = (
    "pk",
    "public_id",
    "seal_id",
    "source_id",
    "site__code",
    "implant__source_id",
    "reported_complication_id",
    "caused_by__source_id",
    *_VALUES[RowKind.EVENT],
    *_CODES[RowKind.EVENT],
    *_CRITERIA.values(),
    "serious_none",
    "pump_model",
    "catheter_model",
)
"""What `event_record_of` needs of an event, as names for a queryset's `values`."""

IMPLANT_COLUMNS = (
    "pk",
    "seal_id",
    "source_id",
    "version",
    "site__code",
    "patient_id",
    "patient__source_id",
    "patient__sex",
    "patient__indication",
    *_VALUES[RowKind.IMPLANT],
    *_CODES[RowKind.IMPLANT],
    "pump_model",
    "catheter_model",
)
"""What `implant_record_of` needs of an implant, as names for a queryset's `values`."""

EXPOSURE_COLUMNS = (
    "pk",
    "seal_id",
    "site__code",
    *_VALUES[RowKind.EXPOSURE],
    *_CODES[RowKind.EXPOSURE],
    "pump_model",
    "catheter_model",
)
"""What `exposure_record_of` needs of a declared exposure, as names for a queryset's `values`."""


def event_columns(record: EventRecord, clock: Component) -> dict[str, Any]:
    """The columns of an event from its record; the caller sets relations and state.

    clock: the complication's, which decides whether an unknown model is a pump's or a catheter's.
    """
    columns = _own(RowKind.EVENT, record)
    criteria = record.seriousness or ()
    for code, field in _CRITERIA.items():
        columns[field] = code in criteria
    columns["serious_none"] = Seriousness.NONE in criteria
    columns["source_id"] = record.source_id or ""
    model = record.component_model
    if model is None:
        component = None
    elif model == PumpModel.UNKNOWN:
        component = clock
    else:
        component = Component.CATHETER if isinstance(model, CatheterModel) else Component.PUMP
    return columns | _model_columns(component, model)


def patient_columns(record: PatientRecord) -> dict[str, str]:
    """The columns of a patient from its record; the caller sets the site."""
    return {
        "source_id": record.source_id,
        "sex": record.sex or "",
        "indication": record.indication or "",
    }


def patient_of(record: ImplantRecord) -> PatientRecord:
    """The patient that an implant's record names."""
    return PatientRecord(
        site=record.site, source_id=record.patient, sex=record.sex, indication=record.indication
    )


def implant_columns(record: ImplantRecord) -> dict[str, Any]:
    """The columns of an implant from its record; the caller sets site and patient."""
    columns = _own(RowKind.IMPLANT, record)
    columns["source_id"] = record.implant
    return columns | _model_columns(record.component, record.model)


def exposure_columns(record: ExposureRecord) -> dict[str, Any]:
    """The columns of a declared exposure from its record; the caller sets the site."""
    return _own(RowKind.EXPOSURE, record) | _model_columns(record.component, record.model)


def _own(kind: RowKind, record: EventRecord | ImplantRecord | ExposureRecord) -> dict[str, Any]:
    """The columns of a row's own table, from the fields of its record of the same name."""
    values = {name: getattr(record, name) for name in _VALUES[kind]}
    return values | {name: getattr(record, name) or "" for name in _CODES[kind]}


def _said(kind: RowKind, row: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a row's own columns, by field of its record."""
    values = {name: row[name] for name in _VALUES[kind]}
    return values | {name: row[name] or None for name in _CODES[kind]}


def _model_columns(component: Component | None, model: str | None) -> dict[str, str]:
    return {
        "pump_model": (model or "") if component == Component.PUMP else "",
        "catheter_model": (model or "") if component == Component.CATHETER else "",
    }


def event_record_of(row: Mapping[str, Any]) -> EventRecord:
    """The record of a stored event, as its site reported it.

    Codes are plain text: compare it with a record that was read, but do not apply rules to it.
    """
    criteria: frozenset[Seriousness] = frozenset(
        code for code, field in _CRITERIA.items() if row[field]
    )
    if row["serious_none"]:
        criteria = frozenset({Seriousness.NONE})
    return EventRecord(
        site=row["site__code"],
        complication=row["reported_complication_id"],
        source_id=row["source_id"] or None,
        implant=row["implant__source_id"],
        caused_by=row["caused_by__source_id"],
        seriousness=criteria or None,
        component_model=row["pump_model"] or row["catheter_model"] or None,
        **_said(RowKind.EVENT, row),
    )


def implant_record_of(row: Mapping[str, Any]) -> ImplantRecord:
    """The record of a stored implant and its patient; codes are plain text."""
    return ImplantRecord(
        site=row["site__code"],
        patient=row["patient__source_id"],
        implant=row["source_id"],
        sex=row["patient__sex"] or None,
        indication=row["patient__indication"] or None,
        model=row["pump_model"] or row["catheter_model"] or None,
        **_said(RowKind.IMPLANT, row),
    )


def exposure_record_of(row: Mapping[str, Any]) -> ExposureRecord:
    """The record of a stored declaration; codes are plain text."""
    return ExposureRecord(
        site=row["site__code"],
        model=row["pump_model"] or row["catheter_model"] or None,
        **_said(RowKind.EXPOSURE, row),
    )


def event_texts(event: Event) -> dict[str, str]:
    """A stored event as text by column of a report."""
    row = Event.objects.values(*EVENT_COLUMNS).get(pk=event.pk)
    return texts_of(event_record_of(row))


def implant_texts(implant: Implant) -> dict[str, str]:
    """A stored implant and its patient as text by column of a report."""
    row = Implant.objects.values(*IMPLANT_COLUMNS).get(pk=implant.pk)
    return texts_of(implant_record_of(row))


def exposure_texts(exposure: Exposure) -> dict[str, str]:
    """A stored declaration as text by column of a report."""
    row = Exposure.objects.values(*EXPOSURE_COLUMNS).get(pk=exposure.pk)
    return texts_of(exposure_record_of(row))


def texts_of(record: EventRecord | ImplantRecord | ExposureRecord) -> dict[str, str]:
    """A record as text by column of a report."""
    return {name: _text(getattr(record, name)) for name in type(record).__dataclass_fields__}


def _text(value: object) -> str:
    if value is None:
        return ""
    return ";".join(sorted(value)) if isinstance(value, frozenset) else str(value)
