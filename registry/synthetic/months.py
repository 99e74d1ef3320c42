"""From continuous time to the registry's whole months and years."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from registry.synthetic.follow import PUMP, Course
from registry.synthetic.happen import (
    AFTER_EXIT,
    BEFORE_ENTRY,
    Happenings,
    months_since_procedure,
    pump_in_place,
)
from registry.synthetic.hazards import DAYS_PER_MONTH, Floats, Ints
from registry.synthetic.patients import EPOCH, Population


@dataclass(frozen=True, slots=True)
class DeviceMonths:
    """Whole months to entry and followed, and the year of implant, of each device."""

    entry: Ints
    followed: Ints
    year: Ints

    def time(self) -> Floats:
        """Device time as the registry counts it, at least 0.25 month."""
        unseen = (self.entry == 0) & (self.followed == 0)
        months: Floats = np.where(unseen, 0.25, self.followed - self.entry)
        return months


@dataclass(frozen=True, slots=True)
class EventTimes:
    """When events happened: months since implant, year, and positions of the two day bands.

    refill_band is -1 where refills are not known.
    """

    months: Ints
    year: Ints
    procedure_band: Ints
    refill_band: Ints


def nearest(months: Floats) -> Ints:
    """Rounds to whole months; halves go up."""
    return np.floor(months + 0.5).astype(np.int64)


def device_months(population: Population, followed: Course) -> DeviceMonths:
    """Round each device's clock; late entrants have at least one month."""
    devices = followed.devices
    entry = nearest(devices.entry)
    last = nearest(devices.end - devices.start)
    last = np.where(entry > 0, np.maximum(last, entry + 1), last)
    placed = population.implanted[devices.patient] + devices.start
    return DeviceMonths(entry, last, _year(placed))


def event_times(
    population: Population, followed: Course, happened: Happenings, rounded: DeviceMonths
) -> EventTimes:
    """Round each event's time on its device's clock, keeping events at risk in its device time.

    An event at risk in the half month after a late entry is dated to the month after the entry, as
    the registry drops those of the entry's own month.
    """
    devices = followed.devices
    device = happened.device
    clock = happened.time - devices.start[device]
    entry, last = rounded.entry[device], rounded.followed[device]
    months = nearest(clock)
    at_risk = np.clip(months, np.where(entry > 0, entry + 1, 0), last)
    months = np.select(
        [happened.kind == BEFORE_ENTRY, happened.kind == AFTER_EXIT],
        [np.minimum(months, entry), np.maximum(months, last + 1)],
        at_risk,
    )
    least = rounded.year[device] + months // 12
    year = np.clip(_year(population.implanted[happened.patient] + happened.time), least, least + 1)
    own_clock = happened.context - devices.start[device]
    # Implantation is a procedure too, even for an event at the same instant.
    since = np.minimum(
        months_since_procedure(followed, happened.patient, happened.context), own_clock
    )
    return EventTimes(
        months,
        year,
        _band(since, (7, 30, 60, 90, 365)),
        _refill_band(population, followed, happened, own_clock),
    )


def cut(
    population: Population, followed: Course, happened: Happenings, count: int
) -> tuple[Population, Course, Happenings]:
    """Keep the first patients with all their rows."""
    devices = followed.devices
    kept = devices.patient < count
    place = np.cumsum(kept) - 1
    for field in fields(devices):
        setattr(devices, field.name, getattr(devices, field.name)[kept])
    followed.leaves = followed.leaves[:count]
    seen = followed.procedure_patient < count
    for name in ("procedure_patient", "procedure_pump", "procedure_time"):
        setattr(followed, name, getattr(followed, name)[seen])
    noted = followed.event_patient < count
    for name in (
        "event_patient",
        "event_device",
        "event_hazard",
        "event_time",
        "event_action",
    ):
        setattr(followed, name, getattr(followed, name)[noted])
    followed.procedure_pump = place[followed.procedure_pump]
    followed.event_device = place[followed.event_device]
    rows = int(np.searchsorted(happened.patient, count))
    for field in fields(happened):
        setattr(happened, field.name, getattr(happened, field.name)[:rows])
    happened.device = place[happened.device]
    return population.first(count), followed, happened


def _year(calendar_months: Floats) -> Ints:
    return EPOCH + np.floor(calendar_months / 12).astype(np.int64)


def _band(months: Floats, last_days: tuple[int, ...]) -> Ints:
    days = np.floor(months * DAYS_PER_MONTH)
    return np.searchsorted(np.array(last_days), days, side="left")


def _refill_band(
    population: Population, followed: Course, happened: Happenings, own_clock: Floats
) -> npt.NDArray[np.int64]:
    """The band of days since the last refill; the first fill is at implant."""
    devices = followed.devices
    own = devices.component[happened.device] == PUMP
    pump = np.where(
        own, happened.device, pump_in_place(followed, happened.patient, happened.context)
    )
    clock = happened.context - devices.start[pump]
    interval = population.refill_interval[happened.patient]
    entry = devices.entry[pump]
    refills = (clock - entry) / interval + population.refill_phase[happened.patient]
    since = np.mod(refills, 1.0) * interval
    since = np.where((refills < 1) & (entry == 0), clock, since)
    since = np.minimum(since, own_clock)
    band = _band(since, (1, 7, 30, 90))
    unknown = (clock < entry) | (happened.kind == BEFORE_ENTRY) | (happened.kind == AFTER_EXIT)
    return np.where(unknown, -1, band)
