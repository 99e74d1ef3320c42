"""Rows on their way in: as they were sent, and as the registry can keep them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

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


class RowKind(StrEnum):
    """The three kinds of row that a site sends, in the order in which they are stored."""

    IMPLANT = "implants"
    EXPOSURE = "exposures"
    EVENT = "events"


@dataclass(frozen=True, slots=True, repr=False)
class RawReport:
    """What somebody sent, as text by column: may hold identifiers, is never saved or logged.

    values: column -> text, lists separated by semicolons, an empty text is "not recorded".
    """

    kind: RowKind
    values: Mapping[str, str]
    line: int | None = None
    file: str | None = None

    def __repr__(self) -> str:
        """Name the row and how many columns it has, never a value."""
        return f"<RawReport {self.kind.value} line={self.line} columns={len(self.values)}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """One de-identified event; no field can hold an identifier. None is "not recorded".

    implant, caused_by: source ids within the same site. months_since_implant: whole months.
    seriousness: frozenset({NONE}) is "none"; None is "not recorded".
    """

    site: str
    complication: str
    source_id: str | None = None
    implant: str | None = None
    year: int | None = None
    month: int | None = None
    months_since_implant: int | None = None
    severity: Severity | None = None
    seriousness: frozenset[Seriousness] | None = None
    relatedness_device: Relatedness | None = None
    relatedness_procedure: Relatedness | None = None
    relatedness_drug: Relatedness | None = None
    relatedness_programming: Relatedness | None = None
    relatedness_disease: Relatedness | None = None
    outcome: Outcome | None = None
    interventions: frozenset[Intervention] | None = None
    root_cause: RootCause | None = None
    detection: Detection | None = None
    days_since_procedure: DaysSinceProcedure | None = None
    days_since_refill: DaysSinceRefill | None = None
    caused_by: str | None = None
    actuality: Actuality | None = None
    mri_24h: YesNoUnknown | None = None
    alarm: YesNoUnknown | None = None
    volume_discrepancy: VolumeDiscrepancy | None = None
    organism: Organism | None = None
    component_model: PumpModel | CatheterModel | None = None
    drug: Drug | None = None
    indication: Indication | None = None
    age_band: AgeBand | None = None
    sex: Sex | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRecord:
    """One patient: the site's random key and what all the patient's implants share."""

    site: str
    source_id: str
    sex: Sex | None = None
    indication: Indication | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImplantRecord:
    """One implanted component and its follow-up, in whole months since its implantation."""

    site: str
    patient: str
    implant: str
    component: Component
    model: PumpModel | CatheterModel | None = None
    implant_year: int
    age_band: AgeBand | None = None
    sex: Sex | None = None
    indication: Indication | None = None
    drug: Drug | None = None
    adjuncts: frozenset[Drug] | None = None
    label_status: LabelStatus | None = None
    procedure: PlacingProcedure | None = None
    pump_site: PumpSite | None = None
    pump_plane: PumpPlane | None = None
    as_designed: YesNoUnknown | None = None
    months_to_entry: int = 0
    months_followed: int
    exit_status: ExitStatus | None = None
    refills: int | None = None
    procedures: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureRecord:
    """Device time that a site declares for a year because it cannot send implants."""

    site: str
    year: int
    component: Component
    model: PumpModel | CatheterModel | None = None
    devices: int
    component_months: int
    procedures: int | None = None
    refills: int | None = None
