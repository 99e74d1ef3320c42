"""A second reading of the counting rules, in plain loops over the rows as they were sent.

It shares nothing with the snapshot, the store or the reporting: where the two agree on many
questions, each would have had to make the same mistake. It answers one selection at a time; a
breakdown is the answers to the question narrowed to each of its rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import floor

from registry.records import EventRecord, ExposureRecord
from registry.vocabulary import (
    NOT_RECORDED,
    Component,
    CountingRule,
    DaysSinceProcedure,
    Denominator,
    ExitStatus,
    PumpModel,
)
from tests.reporting.oracle_rows import Rows
from tests.reporting.oracle_selection import EVENT_SIDE, TIME, Device, OracleSelection

WITHIN_90_DAYS = {
    DaysSinceProcedure.DAYS_0_7,
    DaysSinceProcedure.DAYS_8_30,
    DaysSinceProcedure.DAYS_31_60,
    DaysSinceProcedure.DAYS_61_90,
}
MONTHS_OF = {
    Denominator.PUMP_MONTHS: Component.PUMP,
    Denominator.CATHETER_MONTHS: Component.CATHETER,
}


def starts_with_a_procedure(device: Device) -> bool:
    """Whether the procedure that placed it is among those counted of it."""
    return device.record.months_to_entry == 0 and bool(device.record.procedures)


Place = tuple[EventRecord, Device, int]
"""An event with the device that it counts on, and the month on that device's clock."""


@dataclass(frozen=True)
class RateParts:
    """What a rate is made of; clusters hold events and exposure by patient, or site and year."""

    unit: Denominator
    clusters: Mapping[object, tuple[int, float]]

    @property
    def events(self) -> int:
        """How many events, episodes or first events."""
        return sum(events for events, _ in self.clusters.values())

    @property
    def exposure(self) -> float:
        """Months, procedures or refills."""
        return sum(exposure for _, exposure in self.clusters.values())

    def of(self, *, declared: bool) -> "RateParts":
        """What sites declared, whose clusters are years of theirs; or what implants give."""
        of_years = {cluster: isinstance(cluster[1], int) for cluster in self.clusters}  # type: ignore[index]
        chosen = {
            each: self.clusters[each] for each, is_year in of_years.items() if is_year is declared
        }
        return RateParts(self.unit, chosen)


class Oracle(Rows):
    """Counts, rates, proportions and coverage of one selection at a time."""

    # Counts.

    def count(self, selection: OracleSelection) -> int:
        """How many of a selection, by the counting rule (events unless another is asked)."""
        events, counting = self.reported(selection), selection.counting
        if counting is CountingRule.FIRST_EVENT:
            return self.first_ever(selection)
        if counting in (None, CountingRule.EVENTS):
            return len(events)
        if counting is CountingRule.EPISODES:
            return len({self.episodes[id(event)] for event in events})
        devices = [device for event in events if (device := self.device_of(event)) is not None]
        by_patient = counting is CountingRule.PATIENTS or (
            counting is CountingRule.FIRST_IN_ROW and self.is_by_patient(selection)
        )
        return len({device.patient if by_patient else device for device in devices})

    def first_ever(self, selection: OracleSelection) -> int:
        """How many devices, or patients, had their first reported event ever in the selection."""
        kinds = self.kinds(selection)
        first: dict[object, tuple[object, EventRecord]] = {}
        for event in self.reported(selection.at_any_time()):
            device = self.device_of(event)
            if device is None:
                continue
            owner = device.patient if self.is_by_patient(selection) else device
            month = 9999 if event.months_since_implant is None else event.months_since_implant
            when = (device.order, month, event.year or 9999)
            if owner not in first or when < first[owner][0]:  # type: ignore[operator]
                first[owner] = when, event
        return sum(
            self.is_of_kind(event, selection, kinds)
            and selection.holds_month(event.months_since_implant)
            for _, event in first.values()
        )

    # Rates.

    def unit(self, selection: OracleSelection) -> Denominator:
        """What the rate divides by: as asked, or the complication's, or the category's."""
        if selection.unit is not None:
            return selection.unit
        entries = [self.complications[code] for code in self.kinds(selection)]
        categories = {entry.category for entry in entries}
        if len(categories) != 1:
            catheters = selection.where.get("component") == {Component.CATHETER.value}
            return Denominator.CATHETER_MONTHS if catheters else Denominator.PUMP_MONTHS
        category = categories.pop()
        whole = {
            entry.code
            for entry in self.complications.values()
            if entry.category == category and entry.in_totals
        }
        units = {entry.natural_denominator for entry in entries}
        if len(entries) == 1 or (len(units) == 1 and not whole <= {e.code for e in entries}):
            return units.pop()
        return self.categories[category].natural_denominator

    def rate(self, selection: OracleSelection) -> RateParts:
        """Events and exposure of one selection that match each other."""
        unit = self.unit(selection)
        component = MONTHS_OF.get(unit, Component.PUMP)
        counting = selection.counting or CountingRule.FIRST_EVENT
        devices = [
            device
            for device in self.devices.values()
            if device.record.component is component
            and device.counts
            and device.fits(selection, self.countries)
        ]
        if unit not in MONTHS_OF:
            devices = [each for each in devices if getattr(each.record, unit.value) is not None]
        firsts = counting in (CountingRule.FIRST_EVENT, CountingRule.FIRST_IN_ROW)
        if counting is CountingRule.FIRST_EVENT:
            dated = [each for each in devices if each.year or selection.calendar is None]
            places = self.matched(selection.at_any_time(), unit, set(dated))
        else:
            places = self.matched(selection, unit, set(devices))
        clusters: dict[object, list[float]] = {}
        until: dict[Device, int] = {}
        gone: set[Device] = set()
        if firsts:
            by_patient = component is Component.PUMP and self.is_by_patient(selection)
            places = self.first_events(places, by_patient=by_patient)
            for _, device, month in places:
                until[device] = month
                if by_patient:
                    pumps = self.row(device, own=True)
                    gone |= set(pumps[pumps.index(device) + 1 :])
            kinds = self.kinds(selection)
            places = [
                (event, device, month)
                for event, device, month in places
                if self.is_of_kind(event, selection, kinds) and selection.holds_month(month)
            ]
        for device in devices:
            if unit not in MONTHS_OF:
                amount = self.given(device, unit, selection)
            else:
                amount = (
                    0.0 if device in gone else device.months(selection, until=until.get(device))
                )
            clusters.setdefault(device.patient, [0, 0.0])[1] += amount
        ones: set[int] = set()
        for event, device, _ in places:
            one = self.episodes[id(event)] if counting is CountingRule.EPISODES else id(event)
            clusters[device.patient][0] += one not in ones
            ones.add(one)
        self.add_declared(selection, unit, clusters)
        return RateParts(unit, {key: (int(n), time) for key, (n, time) in clusters.items()})

    def matched(
        self, selection: OracleSelection, unit: Denominator, devices: set[Device]
    ) -> list[Place]:
        """The events of a selection that fall in the time of its devices."""
        component = MONTHS_OF.get(unit, Component.PUMP)
        kinds, wanted = self.kinds(selection), selection.where.get("component")
        found = []
        for event in self.events:
            by_band = unit is Denominator.PROCEDURES
            place = self.operated(event) if by_band else self.place_of(event, component)
            if place is None or not self.is_of_kind(event, selection, kinds):
                continue
            device, month = place
            if wanted is not None and self.device_value(event, "component") not in wanted:
                continue
            undated = device.year is None and selection.calendar is not None
            if device in devices and selection.holds_month(month) and not undated:
                found.append((event, device, month))
        return found

    def operated(self, event: EventRecord) -> tuple[Device, int] | None:
        """The pump of the procedure that an event follows by its day band, and the month on it.

        On a catheter without a pump at that time it is the last that ended up to 90 days before.
        """
        device, month = self.device_of(event), event.months_since_implant
        if event.days_since_procedure not in WITHIN_90_DAYS:
            return None
        if device is None or month is None:
            return None
        if device.record.component is Component.PUMP:
            uncounted = device.was_declared(month) or device.is_before_entry(month)
            return None if uncounted else (device, month)
        if device.is_before_entry(month) and not device.was_declared(month):
            return None
        if self.followed_on(event, Component.PUMP) is not None:
            return self.place_of(event, Component.PUMP)
        found = None
        for pump in self.row(device, own=False):
            there = 12 * (device.record.implant_year - pump.record.implant_year) + month
            ended = pump.record.months_followed
            if pump.ended_before:
                continue
            if there >= 0 and not pump.is_before_entry(there) and ended < there <= ended + 3:
                found = pump, there
        return found

    def given(self, device: Device, unit: Denominator, selection: OracleSelection) -> float:
        """The procedures or refills of a device in the asked months and years, in 128ths.

        The placing procedure is at its start, an explant or a replacement at its end, all others
        and the refills evenly between.
        """
        count = getattr(device.record, unit.value)
        own, start, end = device.record.months_to_entry, device.entry, device.record.months_followed
        at_start = at_end = 0
        if unit is Denominator.PROCEDURES:
            at_start = int(starts_with_a_procedure(device))
            at_end = int(count > at_start and self.ends_with_a_procedure(device))
        between = count - at_start - at_end
        if start > own:
            between, at_start = floor(between * (end - start) / (end - own) + 0.5), 0
        if not selection.is_timed and selection.calendar is None:
            return float(at_start + between + at_end)
        end = 0.25 if end == 0 else end
        if start == end:
            return 0.0
        spread = 128 * between
        total = 0
        for low, high in selection.stretches():
            for first, last in device.years_of(selection):
                since, until = max(low, first), min(high, last)
                if since >= until:
                    continue
                upto = [
                    floor(spread * (min(max(at, start), end) - start) / (end - start) + 0.5)
                    for at in (since, until)
                ]
                total += upto[1] - upto[0]
                total += 128 * at_start * (since <= 0 < until)
                total += 128 * at_end * (since < end <= until)
        return total / 128

    def ends_with_a_procedure(self, device: Device) -> bool:
        """Whether surgery ended it that is not told as the start of the patient's next device."""
        status = device.record.exit_status
        if status in (ExitStatus.EXPLANT_ELECTIVE, ExitStatus.EXPLANTED_FOR_COMPLICATION):
            return True
        if status not in (ExitStatus.REPLACED_END_OF_SERVICE, ExitStatus.REPLACED_FOR_FAILURE):
            return False
        own = self.row(device, own=True)
        after = own[own.index(device) + 1 :][:1]
        return not any(each.is_eligible and starts_with_a_procedure(each) for each in after)

    def first_events(self, places: Iterable[Place], *, by_patient: bool) -> list[Place]:
        """Each device's, or each patient's, first."""
        first: dict[object, Place] = {}
        in_order = sorted(
            places, key=lambda place: (place[1].order, place[2], place[0].year or 9999)
        )
        for place in in_order:
            first.setdefault(place[1].patient if by_patient else place[1], place)
        return list(first.values())

    def add_declared(
        self, selection: OracleSelection, unit: Denominator, clusters: dict[object, list[float]]
    ) -> None:
        """Add the device time that sites declared, and the events that fall in its years."""
        if selection.is_timed:
            return
        rows = [row for row in self.exposures if self.is_declared(row, unit, selection)]
        for row in rows:
            amount = row.component_months if unit in MONTHS_OF else getattr(row, unit.value)
            clusters.setdefault((row.site, row.year), [0, 0.0])[1] += amount
        declared = {(row.site, row.year) for row in rows}
        ones: set[int] = set()
        for event in sorted(self.reported(selection), key=lambda event: event.year or 0):
            if (event.site, event.year) not in declared or not self.is_of_declared(event, unit):
                continue
            if unit is Denominator.PROCEDURES and event.days_since_procedure not in WITHIN_90_DAYS:
                continue
            episodes = selection.counting is CountingRule.EPISODES
            one = self.episodes[id(event)] if episodes else id(event)
            clusters[event.site, event.year][0] += one not in ones
            ones.add(one)

    def is_of_declared(self, event: EventRecord, unit: Denominator) -> bool:
        """Whether an event names no implant, or one whose time was declared then."""
        if event.implant is None:
            return True
        place = self.followed_on(event, MONTHS_OF.get(unit, Component.PUMP))
        return place is not None and place[0].is_eligible and place[0].was_declared(place[1])

    def is_declared(
        self, row: ExposureRecord, unit: Denominator, selection: OracleSelection
    ) -> bool:
        """Whether declared device time is of the selection, and not that of implants as well."""
        component = MONTHS_OF.get(unit, Component.PUMP)
        values = {
            "site": row.site,
            "country": self.countries.get(row.site) or NOT_RECORDED,
            "component": row.component.value,
            "manufacturer": row.model.manufacturer.value if row.model else NOT_RECORDED,
            "pump_model": NOT_RECORDED,
            "pump_family": NOT_RECORDED,
            "catheter_model": NOT_RECORDED,
        }
        if row.model and row.component is Component.PUMP:
            values["pump_family"] = PumpModel(row.model.value).family.value
        if row.model:
            values[f"{component.value}_model"] = row.model.value
        years = selection.calendar
        return (
            row.component is component
            and row not in self.sent_instead
            and (years is None or str(row.year) in years)
            and (unit in MONTHS_OF or getattr(row, unit.value) is not None)
            and all(
                values.get(name) in wanted
                for name, wanted in selection.where.items()
                if name not in EVENT_SIDE | TIME
            )
        )

    # Proportions.

    def proportion(self, selection: OracleSelection) -> tuple[int, int]:
        """Patients (or devices) with at least one event, and those with time in the selection.

        An event after the end of follow-up counts as well, one before entry does not.
        """
        kinds = self.kinds(selection)
        clocks = {self.complications[code].clock for code in kinds}
        devices = {
            device
            for device in self.devices.values()
            if (len(clocks) != 1 or device.record.component in clocks)
            and device.counts
            and device.fits(selection, self.countries)
            and device.months(selection) > 0
        }
        having = set()
        for event in self.events:
            device, month = self.device_of(event), event.months_since_implant
            if (
                device in devices
                and month is not None
                and not device.is_before_entry(month)
                and selection.holds_month(month)
                and self.is_of_kind(event, selection, kinds)
            ):
                having.add(device)
        if selection.counting is CountingRule.DEVICES:
            return len(having), len(devices)
        return len({each.patient for each in having}), len({each.patient for each in devices})

    # Coverage.

    def coverage(self, selection: OracleSelection) -> dict[str, int]:
        """What became of each reported event in a rate of every event.

        Meant for questions that name nothing in which a patient's devices differ: the event is
        then of the selection on whichever of them it counts.
        """
        unit = self.unit(selection)
        names = ("excluded_before_entry", "after_follow_up", "after_last_round", "over_90_days")
        found = {
            "n": 0,
            "counted": self.rate(replace(selection, counting=CountingRule.EVENTS)).events,
            **dict.fromkeys(names, 0),
        }
        for event in self.reported(selection):
            found["n"] += 1
            device, month = self.device_of(event), event.months_since_implant
            if device is None or month is None:
                continue
            declared = device.was_declared(month)
            if device.is_before_entry(month) and not declared:
                found["excluded_before_entry"] += 1
            elif not device.is_at_risk(month) and not declared:
                near = event.days_since_procedure in WITHIN_90_DAYS
                found["after_follow_up"] += not (near and unit is Denominator.PROCEDURES)
            elif (
                unit is Denominator.PROCEDURES
                and event.days_since_procedure not in WITHIN_90_DAYS
                and (place := self.followed_on(event, Component.PUMP)) is not None
                and (place[0].is_at_risk(place[1]) or not place[0].is_eligible)
            ):
                found["over_90_days"] += 1
        rest = found["n"] - sum(found[name] for name in ("counted", *names))
        return {**found, "without_denominator": rest}
