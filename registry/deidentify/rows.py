"""Turns rows as sent into records that can hold no identifier."""

from collections.abc import Mapping
from typing import Any

from registry.deidentify import cells
from registry.deidentify.rules import EARLIEST_YEAR
from registry.records import (
    EventRecord,
    ExposureRecord,
    Fault,
    ImplantRecord,
    PatientRecord,
    RawReport,
    RowKind,
    refusal_of,
)
from registry.records.columns import COLUMNS, DECLARED, OF_PATIENTS, RECORDS, unknown_names
from registry.records.declared import Holds, RowColumn
from registry.vocabulary import Component

_MODELS = {
    None: cells.device_model(None),
    Component.PUMP: cells.device_model(Component.PUMP),
    Component.CATHETER: cells.device_model(Component.CATHETER),
}
_PLAIN: Mapping[Holds, cells.Reader] = {
    Holds.SITE: cells.site,
    Holds.KEY: cells.source_id,
    Holds.TERM: cells.complication,
    Holds.YEAR: cells.year,
    Holds.GRADE: cells.severity,
    Holds.MODEL: _MODELS[None],
}
"""Readers by type, for columns without a list or a range of their own."""


def _reader(column: RowColumn) -> cells.Reader:
    """The reader of a declared column."""
    if column.whole is not None:
        return cells.whole(column.whole.what, column.whole.least, column.whole.most)
    if column.holds in _PLAIN:
        return _PLAIN[column.holds]
    listed: Any = column.codes
    read = cells.codes if column.holds is Holds.CODES else cells.code
    return read(listed, column.codelist)


def _readers(columns: Mapping[str, RowColumn]) -> dict[str, cells.Reader]:
    """The reader of each column; a model's is chosen once the component is known."""
    return {
        name: _reader(column)
        for name, column in columns.items()
        if not (column.holds is Holds.MODEL and "component" in columns)
    }


_READERS: Mapping[RowKind, Mapping[str, cells.Reader]] = {
    kind: _readers(columns) for kind, columns in DECLARED.items()
}
_PATIENT_READERS = _readers(OF_PATIENTS)


def _needed(columns: Mapping[str, RowColumn]) -> Mapping[str, str]:
    """What to say of each required column where it is empty."""
    return {
        name: _KEY_NEEDED if column.holds is Holds.KEY else "this may not be empty"
        for name, column in columns.items()
        if column.required
    }


_KEY_NEEDED = (
    "give a random key of your own; on a form, and on a single POST with an Idempotency-Key, it "
    "may be left empty, and the registry makes one"
)
_NEEDED = {kind: _needed(columns) for kind, columns in DECLARED.items()}
_NEEDED_OF_PATIENTS = _needed(OF_PATIENTS)


_NOTHING: Mapping[str, str] = {}


def patient_record(
    values: Mapping[str, str], *, stored: Mapping[str, str] = _NOTHING
) -> PatientRecord:
    """Reads one patient from texts named site, source_id, sex and indication.

    stored: the texts of the stored row; a key that stays is taken, whatever today's rules say.

    Raises as event_record does.
    """
    known = frozenset(_PATIENT_READERS)
    kept, faults = _read(values, _PATIENT_READERS, known=known, what="patients", stored=stored)
    _require(values, kept, faults, _NEEDED_OF_PATIENTS)
    _refuse(faults)
    return PatientRecord(**kept)


def event_record(raw: RawReport, *, stored: Mapping[str, str] = _NOTHING) -> EventRecord:
    """Reads one event as a draft, which needs its site and its complication.

    stored: as in patient_record.

    Raises IdentifierFound where a field's name or value looks like an identifier, otherwise
    RowRuleBroken; both hold every fault of the row.
    """
    kept, faults = _read_row(raw, stored)
    _require(raw.values, kept, faults, _NEEDED[RowKind.EVENT])
    _refuse(faults)
    return EventRecord(**kept)


def implant_record(raw: RawReport, *, stored: Mapping[str, str] = _NOTHING) -> ImplantRecord:
    """Reads one implanted component with its follow-up.

    stored: as in patient_record.

    Raises as event_record does. The model's list is that of the component.
    """
    kept, faults = _read_row(raw, stored)
    _read_model(raw, kept, faults)
    _require(raw.values, kept, faults, _NEEDED[RowKind.IMPLANT])
    _refuse(faults)
    return ImplantRecord(**kept)


def exposure_record(raw: RawReport) -> ExposureRecord:
    """Reads the device time that a site declares for one year and component.

    Raises as event_record does.
    """
    kept, faults = _read_row(raw)
    _read_model(raw, kept, faults)
    _require(raw.values, kept, faults, _NEEDED[RowKind.EXPOSURE])
    _refuse(faults)
    return ExposureRecord(**kept)


def readable_columns(raw: RawReport) -> frozenset[str]:
    """The columns of a row whose text is an answer of their kind; blank ones are none."""
    kept, _faults = _read_row(raw)
    _read_model(raw, kept, [])
    return frozenset(kept)


def record_in_part(
    raw: RawReport,
) -> tuple[EventRecord | ImplantRecord | ExposureRecord | None, frozenset[str]]:
    """What can be read of a row with faults, so that rules on its other cells are still checked.

    Gives the record, with the columns that are unread: "not recorded", or where a row must have
    them a value that breaks no rule. The record is never stored. None where the site is unread, or
    an exposure lacks what it is known by.
    """
    kept, _faults = _read_row(raw)
    if raw.kind is not RowKind.EVENT:
        _read_model(raw, kept, [])
    needed = frozenset(_NEEDED[raw.kind])
    filled = {column for column, text in raw.values.items() if text}
    unread = raw.unread | ((filled | needed) - kept.keys())
    known = {name: value for name, value in kept.items() if name in COLUMNS[raw.kind]}
    if "site" in unread or (raw.kind is RowKind.EXPOSURE and needed & unread):
        return None, unread
    harmless = {name: _HARMLESS.get(name, "") for name in needed & unread}
    return RECORDS[raw.kind](**(harmless | known)), unread


_HARMLESS: Mapping[str, Any] = {
    "component": Component.PUMP,
    "implant_year": EARLIEST_YEAR,
    "months_followed": 1_200,
}
"""Values of required columns that break no rule on other columns."""


def _read_row(
    raw: RawReport, stored: Mapping[str, str] = _NOTHING
) -> tuple[dict[str, Any], list[Fault]]:
    kind = raw.kind
    return _read(raw.values, _READERS[kind], known=COLUMNS[kind], what=kind.value, stored=stored)


def _read(
    values: Mapping[str, str],
    readers: Mapping[str, cells.Reader],
    *,
    known: frozenset[str],
    what: str,
    stored: Mapping[str, str],
) -> tuple[dict[str, Any], list[Fault]]:
    kept: dict[str, Any] = {}
    faults: list[Fault] = []
    if not values.keys() <= known:
        faults += unknown_names(values, known=known, what=what)
    site = values.get("site", "")
    for column, text in values.items():
        if text and column in readers:
            read = readers[column]
            try:
                if read is not cells.source_id:
                    kept[column] = read(text)
                elif text == stored.get(column):
                    kept[column] = text
                else:
                    kept[column] = cells.source_id(text, site)
            except cells.Unreadable as problem:
                faults.append(Fault(column, problem.code, problem.detail))
    return kept, faults


def _read_model(raw: RawReport, kept: dict[str, Any], faults: list[Fault]) -> None:
    text = raw.values.get("model")
    component = kept.get("component")
    if text:
        try:
            kept["model"] = _MODELS[component](text)
        except cells.Unreadable as problem:
            faults.append(Fault("model", problem.code, problem.detail))


def _require(
    values: Mapping[str, str],
    kept: dict[str, Any],
    faults: list[Fault],
    needed: Mapping[str, str],
) -> None:
    for column, detail in needed.items():
        if column not in kept and not values.get(column):
            faults.append(Fault(column, "required", detail))


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise refusal_of(faults)
