"""The frozen dataclasses that travel between the rooms of the registry."""

from registry.records.faults import (
    BadQuery,
    DuplicateSourceId,
    Fault,
    IdentifierFound,
    NoSnapshot,
    NotAvailableAtThisDetail,
    NotPermitted,
    NotYourSite,
    Refusal,
    RowRuleBroken,
    StateConflict,
    UnknownRow,
    VersionConflict,
)
from registry.records.query import DIMENSIONS, Dimension, EventQuery, Side, ValueKind, Window
from registry.records.release import Cell, Column, Release, Viewer
from registry.records.rows import (
    EventRecord,
    ExposureRecord,
    ImplantRecord,
    PatientRecord,
    RawReport,
    RowKind,
)

__all__ = [
    "DIMENSIONS",
    "BadQuery",
    "Cell",
    "Column",
    "Dimension",
    "DuplicateSourceId",
    "EventQuery",
    "EventRecord",
    "ExposureRecord",
    "Fault",
    "IdentifierFound",
    "ImplantRecord",
    "NoSnapshot",
    "NotAvailableAtThisDetail",
    "NotPermitted",
    "NotYourSite",
    "PatientRecord",
    "RawReport",
    "Refusal",
    "Release",
    "RowKind",
    "RowRuleBroken",
    "Side",
    "StateConflict",
    "UnknownRow",
    "ValueKind",
    "VersionConflict",
    "Viewer",
    "Window",
]
