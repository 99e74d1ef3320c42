"""The canonical question to the registry, and its dimensions."""

import json
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum

from registry.vocabulary import CountingRule, Denominator


class Side(StrEnum):
    """What a dimension is a property of; decides whether it restricts events, time or both."""

    EVENT = "event"
    DEVICE = "device"
    PATIENT = "patient"
    SITE = "site"
    TIME = "time"


class ValueKind(StrEnum):
    """The format of a dimension's values."""

    CODE = "code"
    CODES = "codes"
    YEAR = "year"
    PERIOD = "period"
    FLAG = "flag"
    WINDOW = "window"


@dataclass(frozen=True, slots=True)
class Dimension:
    """One property to filter or group by.

    codelist: name in vocabulary.CODELISTS, or "complication", "category", "site", "country".
    parent: the coarser dimension whose codes this one also accepts. relation: the attribute of its
    codes that names their group, where both are published lists.
    """

    name: str
    title: str
    side: Side
    kind: ValueKind = ValueKind.CODE
    codelist: str | None = None
    parent: str | None = None
    relation: str = ""
    groupable: bool = True

    @property
    def of_devices_alone(self) -> bool:
        """Whether it distinguishes devices within one clock and one site, as case mix does."""
        return self.side in {Side.DEVICE, Side.PATIENT} and self.name != "component"


def _dimensions() -> dict[str, Dimension]:
    event, device, patient, site, time = (
        Side.EVENT,
        Side.DEVICE,
        Side.PATIENT,
        Side.SITE,
        Side.TIME,
    )
    listed = (
        Dimension(
            "complication", "Complication", event, codelist="complication", parent="category"
        ),
        Dimension("category", "Complication category", event, codelist="category"),
        Dimension("severity", "Severity", event, codelist="severity"),
        Dimension("serious", "Serious", event, ValueKind.FLAG),
        Dimension(
            "seriousness",
            "Seriousness criterion",
            event,
            ValueKind.CODES,
            codelist="seriousness",
        ),
        Dimension("relatedness_device", "Related to device", event, codelist="relatedness"),
        Dimension("relatedness_procedure", "Related to procedure", event, codelist="relatedness"),
        Dimension("relatedness_drug", "Related to drug", event, codelist="relatedness"),
        Dimension(
            "relatedness_programming", "Related to programming", event, codelist="relatedness"
        ),
        Dimension("relatedness_disease", "Related to disease", event, codelist="relatedness"),
        Dimension("outcome", "Outcome", event, codelist="outcome"),
        Dimension("intervention", "Intervention", event, ValueKind.CODES, codelist="intervention"),
        Dimension("root_cause", "Root cause", event, codelist="root-cause"),
        Dimension("detection", "How it was found", event, codelist="detection"),
        Dimension("organism", "Organism", event, codelist="organism"),
        Dimension("actuality", "Actuality", event, codelist="actuality"),
        Dimension("state", "State", event, codelist="state"),
        Dimension("component", "Component", device, codelist="component"),
        Dimension(
            "pump_model",
            "Pump model",
            device,
            codelist="pump-model",
            parent="manufacturer",
            relation="manufacturer",
        ),
        Dimension("pump_family", "Pump family", device, codelist="pump-family"),
        Dimension("pump_site", "Pump site", device, codelist="pump-site"),
        Dimension("pump_plane", "Pump plane", device, codelist="pump-plane"),
        Dimension(
            "catheter_model",
            "Catheter model",
            device,
            codelist="catheter-model",
            parent="manufacturer",
            relation="manufacturer",
        ),
        Dimension("manufacturer", "Manufacturer", device, codelist="manufacturer"),
        Dimension(
            "drug", "Drug", device, codelist="drug", parent="drug_class", relation="drug_class"
        ),
        Dimension("drug_class", "Drug class", device, codelist="drug-class"),
        Dimension("label_status", "Label status", device, codelist="label-status"),
        Dimension("procedure", "Procedure that placed it", device, codelist="procedure"),
        Dimension(
            "age_band",
            "Age band at implant",
            device,
            codelist="pooled-age-band",
            parent="age_group",
            relation="group",
        ),
        Dimension("age_group", "Age group at implant", device, codelist="age-group"),
        Dimension("implant_year", "Year of implant", device, ValueKind.YEAR),
        Dimension(
            "indication",
            "Indication",
            patient,
            codelist="indication",
            parent="indication_group",
            relation="group",
        ),
        Dimension("indication_group", "Indication group", patient, codelist="indication-group"),
        Dimension("sex", "Sex", patient, codelist="sex"),
        Dimension("site", "Site", site, codelist="site"),
        Dimension("country", "Country", site, codelist="country"),
        Dimension("year", "Calendar year", time, ValueKind.YEAR, parent="period"),
        Dimension("period", "Five-year period", time, ValueKind.PERIOD),
        Dimension("window", "Months since implant", time, ValueKind.WINDOW),
    )
    return {dimension.name: dimension for dimension in listed}


DIMENSIONS: dict[str, Dimension] = _dimensions()
"""Every dimension by its parameter name, in the order of forms and documentation."""


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Months since implant, both ends included; end None is open."""

    start: int
    end: int | None = None

    def __str__(self) -> str:
        """The window as a parameter: `0-3`, `13-`."""
        return f"{self.start}-{'' if self.end is None else self.end}"


LATER_OPTIONS = ("ci", "standardise", "adjust", "reference", "cluster", "effect")
"""Options of a question that earlier versions did not have; empty by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """One canonical question: equal questions are equal values, however they were written.

    where: (dimension, values) sorted by dimension, values sorted and distinct; a group code
    (a category, a drug class ...) has already been resolved to its own dimension.
    years: inclusive (first, last), either may be None; a single year is (y, y).
    windows: a filter; with "window" in group_by each is a row.
    None for counting, unit, per, ci, reference, cluster: the measure's default, which the answer
    names.
    standardise: dimensions that rates, or a funnel's expected numbers, are adjusted for.
    adjust: dimensions that a comparison is adjusted for by regression; reference: the row that the
    others are compared with. cluster: what limits are robust to, patient or site.
    effect: the complications or categories that pairs of a cascade lead to; all where empty.
    release: a release's label or id; None is the viewer's default.
    """

    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    years: tuple[int | None, int | None] | None = None
    windows: tuple[Window, ...] = ()
    group_by: tuple[str, ...] = ()
    counting: CountingRule | None = None
    unit: Denominator | None = None
    per: int | None = None
    level: float = 0.95
    standardise: tuple[str, ...] = ()
    release: str | None = None
    labels: str = "code"
    ordering: tuple[str, ...] = field(default=())
    ci: str | None = None
    adjust: tuple[str, ...] = ()
    reference: str | None = None
    cluster: str | None = None
    effect: tuple[str, ...] = ()

    def values(self, dimension: str) -> tuple[str, ...]:
        """The values of a filter on a dimension; empty without a filter."""
        return dict(self.where).get(dimension, ())

    def canonical(self) -> str:
        """Canonical JSON: equal for equal questions, for cache keys and the access log.

        A later option is written only where it is given, so that older questions keep their text.
        """
        found: dict[str, object] = {name: getattr(self, name) for name in _FIELDS}
        found["windows"] = [asdict(window) for window in self.windows]
        for option in LATER_OPTIONS:
            if not found[option]:
                del found[option]
        return json.dumps(found, sort_keys=True, separators=(",", ":"))


_FIELDS = tuple(each.name for each in fields(EventQuery))
