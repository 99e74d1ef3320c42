"""The rows as they were sent, and which of them a question is about."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from registry.catalogue import Catalogue
from registry.records import EventRecord, ExposureRecord, ImplantRecord
from registry.vocabulary import NOT_RECORDED, Actuality, Component, PumpModel, Seriousness
from tests.reporting.oracle_selection import (
    EVENT_SIDE,
    TIME,
    Device,
    Key,
    OracleSelection,
    age_value,
    period_of,
    shared_value,
)

PATIENTS_OWN_CATEGORIES = {"drug-effect", "withdrawal"}
PATIENTS_OWN_COMPLICATIONS = {"death"}


class Rows:
    """A registry held as the records that were sent, and which of them a question is about."""

    def __init__(
        self,
        *,
        events: Iterable[EventRecord],
        implants: Iterable[ImplantRecord],
        exposures: Iterable[ExposureRecord] = (),
        catalogue: Catalogue,
        countries: Mapping[str, str] | None = None,
        words: Mapping[tuple[str, Component], int] | None = None,
    ) -> None:
        self.events = list(events)
        self.exposures = list(exposures)
        self.countries = dict(countries or {})
        self.complications = catalogue.by_code
        self.categories = {category.code: category for category in catalogue.categories}
        self.implants_from: dict[tuple[str, Component], int] = {}
        for row in self.exposures:
            of = row.site, row.component
            self.implants_from[of] = max(row.year + 1, self.implants_from.get(of, 0))
        self.implants_from |= words or {}
        self.devices = {
            (row.site, row.implant): Device(row, self.implants_from.get((row.site, row.component)))
            for row in implants
        }
        self.of_patient: dict[Key, list[Device]] = {}
        for device in self.devices.values():
            self.of_patient.setdefault(device.patient, []).append(device)
        for device in self.devices.values():
            start, end = device.span
            others = self.row(device, own=False)
            there = [other for other in others if other.span[0] <= start <= other.span[1]]
            later = [other for other in others if start < other.span[0] <= end]
            for other in there[-1:] or later[:1]:
                device.other = other

    def row(self, device: Device, *, own: bool) -> list[Device]:
        """The patient's devices of the same component, or of the other one, oldest first."""
        return sorted(
            (
                each
                for each in self.of_patient[device.patient]
                if (each.record.component is device.record.component) is own
            ),
            key=lambda each: each.order,
        )

    # What one event is.

    def device_of(self, event: EventRecord) -> Device | None:
        """The implant that the event names."""
        return None if event.implant is None else self.devices[event.site, event.implant]

    def place_of(self, event: EventRecord, component: Component) -> tuple[Device, int] | None:
        """The patient's device of a component that an event counts on, and the month on it.

        The event counts at all if it lies in the follow-up of the device it happened with; on
        the other component it is that of the time, by clocks that both start in mid-year.
        """
        place = self.followed_on(event, component)
        return place if place and place[0].is_at_risk(place[1]) else None

    def followed_on(self, event: EventRecord, component: Component) -> tuple[Device, int] | None:
        """The same, also where the time of either device is in what its site declared."""
        device, month = self.device_of(event), event.months_since_implant
        if device is None or month is None:
            return None
        if not (device.is_at_risk(month) or device.was_declared(month)):
            return None
        if device.record.component is component:
            return device, month
        for other in self.row(device, own=False):
            there = 12 * (device.record.implant_year - other.record.implant_year) + month
            if there >= 0 and (other.is_at_risk(there) or other.was_declared(there)):
                return other, there
        return None

    def kinds(self, selection: OracleSelection) -> list[str]:
        """The complications of a selection; consequences where they are named."""
        codes = selection.where.get("complication")
        categories = selection.where.get("category")
        chosen = [
            entry
            for entry in self.complications.values()
            if (codes is None or entry.code in codes)
            and (categories is None or entry.category in categories)
        ]
        if "complication" in selection.named:
            return [entry.code for entry in chosen]
        named = set(categories or ()) if "category" in selection.named else set()
        named -= {entry.category for entry in self.complications.values() if entry.in_totals}
        return [entry.code for entry in chosen if entry.in_totals or entry.category in named]

    def values(self, event: EventRecord, dimension: str) -> set[str]:
        """What an event is in any dimension but months; several where it may be several."""
        if dimension not in EVENT_SIDE | TIME:
            return {self.device_value(event, dimension)}
        if dimension == "category":
            return {self.complications[event.complication].category}
        if dimension == "period":
            return {NOT_RECORDED if event.year is None else period_of(event.year)}
        if dimension == "serious":
            if event.seriousness is None:
                return {NOT_RECORDED}
            return {"no" if event.seriousness == {Seriousness.NONE} else "yes"}
        if dimension in ("seriousness", "intervention"):
            ticked = event.seriousness if dimension == "seriousness" else event.interventions
            return {code.value for code in ticked} if ticked else {NOT_RECORDED}
        value = getattr(event, dimension)
        return {NOT_RECORDED if value is None else str(getattr(value, "value", value))}

    def device_value(self, event: EventRecord, dimension: str) -> str:
        """What an event's device is; without an implant, as it was reported with the event."""
        device = self.device_of(event)
        if device is not None:
            return device.value(dimension, self.countries)
        clock, model = self.complications[event.complication].clock, event.component_model
        if dimension == "component":
            return clock.value
        if dimension in ("pump_model", "catheter_model"):
            own = dimension == f"{clock.value}_model"
            return model.value if own and model is not None else NOT_RECORDED
        if dimension == "manufacturer":
            return NOT_RECORDED if model is None else model.manufacturer.value
        if dimension == "pump_family":
            pump = clock.value == "pump" and model is not None
            return PumpModel(model.value).family.value if pump else NOT_RECORDED
        if dimension in ("implant_year", "label_status", "procedure", "pump_site", "pump_plane"):
            return NOT_RECORDED
        if dimension in ("age_band", "age_group"):
            return age_value(event.age_band, dimension)
        return shared_value(event, dimension, self.countries)

    def is_of_kind(
        self, event: EventRecord, selection: OracleSelection, kinds: Sequence[str]
    ) -> bool:
        """Whether the event's own side of the selection holds, its calendar year included."""
        if event.complication not in kinds:
            return False
        if event.actuality is Actuality.NEAR_MISS and "actuality" not in selection.named:
            return False
        years = selection.calendar
        return (years is None or bool(self.values(event, "year") & years)) and all(
            self.values(event, name) & wanted
            for name, wanted in selection.where.items()
            if name in EVENT_SIDE
        )

    def reported(self, selection: OracleSelection) -> list[EventRecord]:
        """The events of a selection, whether or not a device was followed at the time."""
        kinds = self.kinds(selection)
        return [
            event
            for event in self.events
            if self.is_of_kind(event, selection, kinds)
            and selection.holds_month(event.months_since_implant)
            and all(
                self.device_value(event, name) in wanted
                for name, wanted in selection.where.items()
                if name not in EVENT_SIDE | TIME
            )
        ]

    def is_by_patient(self, selection: OracleSelection) -> bool:
        """Whether all that a selection can hold is the patient's, so that the first is, too."""
        entries = [self.complications[code] for code in self.kinds(selection)]
        return bool(entries) and all(
            entry.clock is Component.PUMP
            and (
                entry.category in PATIENTS_OWN_CATEGORIES
                or entry.code in PATIENTS_OWN_COMPLICATIONS
            )
            for entry in entries
        )

    @cached_property
    def episodes(self) -> dict[int, int]:
        """One number for all events that caused one another, by event."""
        by_source = {(event.site, event.source_id): event for event in self.events}
        joined: dict[int, set[int]] = {id(event): {id(event)} for event in self.events}
        for event in self.events:
            if event.caused_by is None:
                continue
            cause = by_source[event.site, event.caused_by]
            together = joined[id(event)] | joined[id(cause)]
            for one in together:
                joined[one] = together
        return {one: min(together) for one, together in joined.items()}

    @cached_property
    def sent_instead(self) -> set[ExposureRecord]:
        """Declared device time of years that the site's implants give the time of."""
        return {
            row for row in self.exposures if row.year >= self.implants_from[row.site, row.component]
        }
