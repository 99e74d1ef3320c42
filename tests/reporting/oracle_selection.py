"""What a question selects and what a device is, read from the rows as they were sent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from registry.records import EventRecord, ImplantRecord
from registry.vocabulary import (
    NOT_RECORDED,
    AgeBand,
    Component,
    CountingRule,
    Denominator,
    ExitEffect,
    ExitStatus,
    PumpModel,
)

Key = tuple[str, str]
"""A row by its site and the site's own key."""

EVENT_SIDE = frozenset(
    {
        "complication", "category", "severity", "serious", "seriousness", "relatedness_device",
        "relatedness_procedure", "relatedness_drug", "relatedness_programming",
        "relatedness_disease", "outcome", "intervention", "root_cause", "detection", "actuality",
        "organism",
    }
)  # fmt: skip
"""What is a property of the event alone."""

TIME = frozenset({"year", "period", "window"})


@dataclass(frozen=True, eq=False)
class OracleSelection:
    """One selection: what each dimension may be, the years, the months, and how to count.

    windows: months since implant, both ends included; no_month lets blanks through; neither is no
    restriction. named: dimensions that the question restricts, or breaks down, in so many words.
    """

    where: Mapping[str, frozenset[str]] = field(default_factory=dict)
    years: tuple[int | None, int | None] | None = None
    windows: tuple[tuple[int, int | None], ...] = ()
    no_month: bool = False
    counting: CountingRule | None = None
    unit: Denominator | None = None
    named: frozenset[str] = frozenset()

    def narrowed(self, cell: Mapping[str, str]) -> "OracleSelection":
        """The same question of one row of a breakdown."""
        where = dict(self.where)
        windows, no_month = self.windows, self.no_month
        for name, value in cell.items():
            if name != "window":
                where[name] = where.get(name, frozenset({value})) & {value}
            elif value == NOT_RECORDED:
                windows, no_month = (), True
            else:
                first, _, last = value.partition("-")
                windows, no_month = ((int(first), int(last) if last else None),), False
        return replace(self, where=where, windows=windows, no_month=no_month)

    def at_any_time(self) -> "OracleSelection":
        """The same question of all months and years."""
        where = {name: values for name, values in self.where.items() if name not in TIME}
        return replace(self, where=where, years=None, windows=(), no_month=False)

    @property
    def is_timed(self) -> bool:
        """Whether months since implant are restricted."""
        return bool(self.windows) or self.no_month

    def holds_month(self, month: int | None) -> bool:
        """Whether an event in this month, or without one, is of the selection."""
        if month is None:
            return self.no_month or not self.windows
        return not self.is_timed or any(
            first <= month and (last is None or month <= last) for first, last in self.windows
        )

    def stretches(self) -> list[tuple[float, float]]:
        """The asked windows as stretches of time, half a month wider at each end but 0."""
        if not self.is_timed:
            return [(0.0, float("inf"))]
        return [
            (0.0 if first == 0 else first - 0.5, float("inf") if last is None else last + 0.5)
            for first, last in self.windows
        ]

    @cached_property
    def calendar(self) -> set[str] | None:
        """The calendar years that the selection is about; None where it is about all time."""
        every = {str(year) for year in range(1980, 2101)}
        restrictions: list[set[str]] = []
        if self.years is not None:
            first, last = self.years
            restrictions.append({y for y in every if (first or 0) <= int(y) <= (last or 9999)})
        if "year" in self.where:
            restrictions.append(set(self.where["year"]))
        if "period" in self.where:
            periods = self.where["period"]
            blank = {NOT_RECORDED} & set(periods)
            restrictions.append({y for y in every if period_of(int(y)) in periods} | blank)
        return set.intersection(*restrictions) if restrictions else None


@dataclass(eq=False)
class Device:
    """One implanted component; other is the patient's other component at that time.

    implants_from: the year from which on its site's implants of the component count, if not all.
    """

    record: ImplantRecord
    implants_from: int | None = None
    other: "Device | None" = None

    @property
    def entry(self) -> int:
        """The month in which its counted follow-up starts."""
        own = self.record.months_to_entry
        return own if self.ended_before else max(own, self._cut)

    @property
    def _cut(self) -> int:
        """The month on its clock in which its site's implants begin to count."""
        if self.implants_from is None:
            return 0
        return max(0, 12 * (self.implants_from - self.record.implant_year) - 6)

    @property
    def ended_before(self) -> bool:
        """Whether all of its follow-up lies before its site's implants count."""
        return self._cut > self.record.months_to_entry and self._cut >= self.record.months_followed

    @property
    def counts(self) -> bool:
        """Whether any of its follow-up can be counted."""
        return self.is_eligible and not self.ended_before

    def was_declared(self, month: int) -> bool:
        """Whether a month of its follow-up is in what its site declared."""
        own, followed = self.record.months_to_entry, self.record.months_followed
        begun = month > own or own == 0
        return begun and month <= followed and month <= self._cut > own

    @property
    def pump(self) -> ImplantRecord | None:
        """The pump: its own record, or that of the patient's pump at that time."""
        if self.record.component is Component.PUMP:
            return self.record
        return self.other.record if self.other else None

    @property
    def patient(self) -> Key:
        """The patient, by site and the site's key."""
        return self.record.site, self.record.patient

    @property
    def is_eligible(self) -> bool:
        """Whether it should have been followed at all."""
        status: ExitStatus | None = self.record.exit_status
        return status is None or status.effect is not ExitEffect.EXCLUDED

    @property
    def may_be_ninety(self) -> bool:
        """Whether the patient may be over 89: 80-89 at implant and followed for ten years."""
        return self.record.age_band == AgeBand.AGE_80_89 and self.record.months_followed >= 120

    @property
    def year(self) -> int | None:
        """The year of implant, dropped where it would tell an age over 89."""
        return None if self.may_be_ninety else self.record.implant_year

    @property
    def span(self) -> tuple[int, int]:
        """When it was followed, in months of the calendar, made in the middle of its year."""
        made = 12 * self.record.implant_year + 6
        return made + self.entry, made + self.record.months_followed

    @property
    def order(self) -> tuple[int, bool, int]:
        """Its place in the patient's row of pumps or catheters; of a year, the ended ones first."""
        in_place = self.record.exit_status in (None, ExitStatus.ACTIVE)
        return self.record.implant_year, in_place, self.record.months_followed

    def is_at_risk(self, month: int) -> bool:
        """Whether an event in this month after implant falls in its device time."""
        if self.ended_before:
            return False
        return not self.is_before_entry(month) and month <= self.record.months_followed

    def is_before_entry(self, month: int) -> bool:
        """Whether an event came before it was followed."""
        return self.entry > 0 and month <= self.entry

    def months(self, selection: OracleSelection, *, until: int | None = None) -> float:
        """Its time in the asked months and years, up to its first event where that ends it."""
        if self.ended_before:
            return 0.0
        start, end = float(self.entry), float(self.record.months_followed)
        if until is not None:
            end = min(end, float(until))
        if start == 0 and end == 0:
            end = 0.25
        total = 0.0
        for low, high in selection.stretches():
            for first, last in self.years_of(selection):
                total += max(0.0, min(end, high, last) - max(start, low, first))
        return total

    def years_of(self, selection: OracleSelection) -> Iterator[tuple[float, float]]:
        """The asked calendar years as stretches of months since its implant."""
        years = selection.calendar
        if years is None:
            yield 0.0, float("inf")
        elif self.year is not None:
            for year in years - {NOT_RECORDED}:
                begins = 12 * (int(year) - self.year) - 6
                yield float(begins), float(begins + 12)

    def value(self, dimension: str, countries: Mapping[str, str]) -> str:
        """What it is in one dimension of device, patient or site."""
        record = self.record
        if dimension == "component":
            return record.component.value
        if dimension in ("pump_model", "catheter_model"):
            mine = dimension == f"{record.component.value}_model"
            device = self if mine else self.other
            model = device.record.model if device else None
            return model.value if model else NOT_RECORDED
        if dimension == "pump_family":
            pump = self.pump
            model = pump.model if pump else None
            return PumpModel(model.value).family.value if model else NOT_RECORDED
        if dimension in ("pump_site", "pump_plane"):
            where = getattr(self.pump, dimension) if self.pump else None
            return NOT_RECORDED if where is None else where.value
        if dimension == "manufacturer":
            return record.model.manufacturer.value if record.model else NOT_RECORDED
        if dimension == "implant_year":
            return NOT_RECORDED if self.year is None else str(self.year)
        if dimension in ("age_band", "age_group"):
            return age_value(record.age_band, dimension)
        if dimension in ("label_status", "procedure"):
            said = getattr(record, dimension)
            return NOT_RECORDED if said is None else said.value
        return shared_value(record, dimension, countries)

    def fits(self, selection: OracleSelection, countries: Mapping[str, str]) -> bool:
        """Whether it is of the selection."""
        return all(
            self.value(name, countries) in wanted
            for name, wanted in selection.where.items()
            if name not in EVENT_SIDE | TIME
        )


def shared_value(
    record: ImplantRecord | EventRecord, dimension: str, countries: Mapping[str, str]
) -> str:
    """What an implant says of patient and site, or an event without an implant."""
    if dimension == "site":
        return record.site
    if dimension == "country":
        return countries.get(record.site) or NOT_RECORDED
    value = {
        "drug": record.drug,
        "drug_class": record.drug.drug_class if record.drug else None,
        "indication": record.indication,
        "indication_group": record.indication.group if record.indication else None,
        "sex": record.sex,
    }[dimension]
    return NOT_RECORDED if value is None else value.value


def age_value(band: AgeBand | None, dimension: str) -> str:
    """An age as statistics tell it: everybody of 80 and over is in one band."""
    if band is None:
        return NOT_RECORDED
    if dimension == "age_group":
        return band.group.value
    return "80-plus" if band.value in ("80-89", "90-plus") else band.value


def period_of(year: int) -> str:
    """The five calendar years that hold a year."""
    first = year - year % 5
    return f"{first}-{first + 4}"
