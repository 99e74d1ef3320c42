"""Raw reports, and the de-identified records made from them.

The fields of the records are the one declaration of the registry's columns (`declared.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from registry.records.declared import Heading, Holds, Whole
from registry.vocabulary import (
    Actuality,
    AgeBand,
    CatheterModel,
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
    PumpModel,
    PumpPlane,
    PumpSite,
    Relatedness,
    RootCause,
    Seriousness,
    Severity,
    Sex,
    VolumeDiscrepancy,
    YesNoUnknown,
)

SiteCode = Annotated[str, Holds.SITE]
Key = Annotated[str, Holds.KEY]
Term = Annotated[str, Holds.TERM]
Year = Annotated[int, Holds.YEAR]
Month = Annotated[int, Whole("the month", 1, 12)]
Months = Annotated[int, Whole("months", 0, 1_200)]
"""A hundred years, longer than any component or patient is followed."""
Count = Annotated[int, Whole("a count", 0, 32_767)]
Devices = Annotated[int, Whole("a count of devices", 1, 1_000_000)]
DeviceMonths = Annotated[int, Whole("component-months", 0, 12_000_000)]
CountOfYear = Annotated[int, Whole("a count", 0, 10_000_000)]

_OWN_KEY = "Your own random key. Never a record number, name or date."
_OF_THE_PATIENT = "May be empty for a stored patient."


class RowKind(StrEnum):
    """The kinds of row that a site sends, in the order in which they are stored."""

    IMPLANT = "implants"
    EXPOSURE = "exposures"
    EVENT = "events"


@dataclass(frozen=True, slots=True, repr=False)
class RawReport:
    """A row as sent, as text by column: may hold identifiers, is never saved or logged.

    values: column -> text, lists separated by semicolons, an empty text is "not recorded".
    unread: columns that were filled or required and could not be read: rules on them say nothing.
    """

    kind: RowKind
    values: Mapping[str, str]
    line: int | None = None
    file: str | None = None
    unread: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """The row's kind, line and number of columns, never a value."""
        return f"<RawReport {self.kind.value} line={self.line} columns={len(self.values)}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """One de-identified event; no field can hold an identifier. None is "not recorded".

    implant, caused_by: source ids within the same site. months_since_implant: whole months.
    seriousness: frozenset({NONE}) is "none"; None is "not recorded".
    """

    site: Annotated[SiteCode, Heading("Site", in_header=True)]
    source_id: Annotated[
        Key | None,
        Heading(
            "Source id",
            "Your own random key for this event, never a record number, name or date.",
            in_header=True,
        ),
    ] = None
    implant: Annotated[
        Key | None, Heading("Implant", "The component it happened to.", in_header=True)
    ] = None
    complication: Annotated[Term, Heading("Complication", in_header=True)]
    year: Annotated[
        Year | None,
        Heading(
            "Year",
            "Four digits. No date is kept.",
            in_header=True,
            frozen="Calendar year of the event",
        ),
    ] = None
    month: Annotated[Month | None, Heading("Month", "1 to 12.")] = None
    months_since_implant: Annotated[
        Months | None,
        Heading(
            "Months since implant",
            "Whole months since this component was implanted. What is later than the site's "
            "last closed follow-up round counts once the next is closed.",
            in_header=True,
            frozen="Whole months since implant, as reported",
        ),
    ] = None
    severity: Annotated[
        Severity | None,
        Heading("Severity", "Worst grade reached.", in_header=True, frozen="Worst grade, 1 to 5"),
    ] = None
    seriousness: Annotated[
        frozenset[Seriousness] | None,
        Heading(
            "Seriousness",
            "Every criterion that was met, or none of these alone. Grades 4 and 5 always meet one.",
            in_header=True,
            frozen="Criteria met, a bit each in the order of the list",
        ),
    ] = None
    relatedness_device: Annotated[
        Relatedness | None, Heading("Related to the device", frozen="Relation to the device")
    ] = None
    relatedness_procedure: Annotated[
        Relatedness | None, Heading("Related to the procedure", frozen="Relation to a procedure")
    ] = None
    relatedness_drug: Annotated[
        Relatedness | None, Heading("Related to the drug", frozen="Relation to the drug")
    ] = None
    relatedness_programming: Annotated[
        Relatedness | None, Heading("Related to programming", frozen="Relation to programming")
    ] = None
    relatedness_disease: Annotated[
        Relatedness | None, Heading("Related to the disease", frozen="Relation to the disease")
    ] = None
    outcome: Annotated[Outcome | None, Heading("Outcome", in_header=True, frozen="Outcome")] = None
    interventions: Annotated[
        frozenset[Intervention] | None,
        Heading("What was done", frozen="Interventions, a bit each in the order of the list"),
    ] = None
    root_cause: Annotated[RootCause | None, Heading("Root cause", frozen="Root cause")] = None
    detection: Annotated[
        Detection | None, Heading("How it was found", frozen="How it was found")
    ] = None
    days_since_procedure: Annotated[
        DaysSinceProcedure | None,
        Heading("Days since the last procedure", frozen="Days since the last procedure, as a band"),
    ] = None
    days_since_refill: Annotated[DaysSinceRefill | None, Heading("Days since the last refill")] = (
        None
    )
    caused_by: Annotated[
        Key | None,
        Heading("Caused by", "An earlier event of the same patient that led to this one."),
    ] = None
    actuality: Annotated[
        Actuality | None,
        Heading(
            "Did it reach a patient?",
            "A near miss has the outcome not applicable, and no grade or criterion.",
            frozen="Actual event or near miss",
        ),
    ] = None
    mri_24h: Annotated[YesNoUnknown | None, Heading("MRI in the 24 hours before")] = None
    alarm: Annotated[YesNoUnknown | None, Heading("Pump alarm")] = None
    volume_discrepancy: Annotated[VolumeDiscrepancy | None, Heading("Refill volume")] = None
    organism: Annotated[Organism | None, Heading("Organism", frozen="Organism")] = None
    component_model: Annotated[PumpModel | CatheterModel | None, Heading("Model")] = None
    drug: Annotated[Drug | None, Heading("Drug")] = None
    indication: Annotated[Indication | None, Heading("Indication")] = None
    age_band: Annotated[AgeBand | None, Heading("Age at implant")] = None
    sex: Annotated[Sex | None, Heading("Sex")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRecord:
    """One patient: the site's random key and what all the patient's implants share."""

    site: Annotated[SiteCode, Heading("Site")]
    source_id: Annotated[Key, Heading("Patient's key", _OWN_KEY)]
    sex: Annotated[Sex | None, Heading("Sex")] = None
    indication: Annotated[Indication | None, Heading("Indication")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImplantRecord:
    """One implanted component and its follow-up, in whole months since its implantation."""

    site: Annotated[SiteCode, Heading("Site", in_header=True)]
    patient: Annotated[
        Key, Heading("Patient's key", f"{_OWN_KEY} A new key makes a new patient.", in_header=True)
    ]
    implant: Annotated[Key, Heading("Implant's key", _OWN_KEY, in_header=True)]
    component: Annotated[Component, Heading("Component", in_header=True)]
    model: Annotated[PumpModel | CatheterModel | None, Heading("Model", in_header=True)] = None
    implant_year: Annotated[Year, Heading("Year of implant", "Four digits.", in_header=True)]
    age_band: Annotated[AgeBand | None, Heading("Age at implant", in_header=True)] = None
    sex: Annotated[Sex | None, Heading("Sex", _OF_THE_PATIENT, in_header=True)] = None
    indication: Annotated[
        Indication | None, Heading("Indication", _OF_THE_PATIENT, in_header=True)
    ] = None
    drug: Annotated[Drug | None, Heading("Main drug at entry", in_header=True)] = None
    adjuncts: Annotated[
        frozenset[Drug] | None, Heading("Other drugs in the reservoir at entry")
    ] = None
    label_status: Annotated[LabelStatus | None, Heading("Label status")] = None
    procedure: Annotated[PlacingProcedure | None, Heading("Procedure that placed it")] = None
    pump_site: Annotated[PumpSite | None, Heading("Pump site")] = None
    pump_plane: Annotated[PumpPlane | None, Heading("Pump plane")] = None
    as_designed: Annotated[
        YesNoUnknown | None,
        Heading("As designed", "No where brands or pieces were joined at revision."),
    ] = None
    months_to_entry: Annotated[
        Months,
        Heading(
            "Months to entry",
            "Whole months between implant and the start of follow-up; empty is none.",
        ),
    ] = 0
    months_followed: Annotated[
        Months, Heading("Months followed", "Whole months since implant.", in_header=True)
    ]
    exit_status: Annotated[
        ExitStatus | None,
        Heading("Why follow-up ended", in_header=True, frozen="Why follow-up ended"),
    ] = None
    refills: Annotated[
        Count | None, Heading("Refills", "Since entry.", frozen="Refills since entry")
    ] = None
    procedures: Annotated[
        Count | None, Heading("Procedures", "Since entry.", frozen="Procedures since entry")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureRecord:
    """Device time that a site declares for a year because it cannot send implants."""

    site: Annotated[SiteCode, Heading("Site", in_header=True)]
    year: Annotated[Year, Heading("Year", "Four digits.", in_header=True)]
    component: Annotated[Component, Heading("Component", in_header=True)]
    model: Annotated[PumpModel | CatheterModel | None, Heading("Model")] = None
    devices: Annotated[
        Devices,
        Heading(
            "Devices",
            "In follow-up in that year.",
            in_header=True,
            frozen="Devices followed in the year",
        ),
    ]
    component_months: Annotated[
        DeviceMonths,
        Heading(
            "Device months",
            "Months that they were followed in that year.",
            in_header=True,
            frozen="Months that they were followed",
        ),
    ]
    procedures: Annotated[
        CountOfYear | None, Heading("Procedures", frozen="Procedures in the year")
    ] = None
    refills: Annotated[CountOfYear | None, Heading("Refills", frozen="Refills in the year")] = None
