"""The events of followed patients, drawn from the true hazards.

Surgical events and deaths come from the follow-up itself. The others are a Poisson process thinned
from the same hazards: together they occur at the full hazard at every time at risk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from registry.synthetic.follow import (
    CATHETER,
    DIED,
    EXPLANTED,
    NOT_OPERATED,
    PUMP,
    REPAIRED,
    REPLACED,
    Catalogued,
    Course,
    clock_of,
)
from registry.synthetic.hazards import (
    CONSEQUENCES,
    DEATH,
    DELIVERY_WITHDRAWAL,
    END_OF_SERVICE,
    EXPLANT,
    FATAL_CAUSE,
    HAZARDS,
    LATE_FRAGMENT_CHANCE,
    NEAR_MISSES,
    PERIOPERATIVE_MONTHS,
    RETAINED_FRAGMENT,
    REVISION,
    STRATA,
    Basis,
    Flags,
    Floats,
    Hazard,
    Ints,
    accrued,
    draw_delay,
)
from registry.synthetic.patients import Population, multiplier
from registry.vocabulary import ExitStatus

AT_RISK, NEAR_MISS, BEFORE_ENTRY, AFTER_EXIT = 0, 1, 2, 3

_PATIENT_STRIDE = 4096.0
"""Longer than any follow-up in months: patient * stride + months sorts by patient, then time."""

_TOLD_FROM_BEFORE_ENTRY = 0.25
"""Share of a late entrant's earlier events that the site knows of and reports."""


@dataclass(slots=True)
class Happenings:
    """Events as columns.

    complication: position in the catalogue. time: months since the patient's first implant.
    context: the time at which day bands are taken (that of the event that started the episode).
    action: what surgery it led to. kind: AT_RISK, NEAR_MISS, BEFORE_ENTRY or AFTER_EXIT.
    cause: row of the event that caused it, or -1; a cause precedes its effects.
    """

    patient: Ints
    device: Ints
    complication: Ints
    time: Floats
    context: Floats
    action: Ints
    kind: Ints
    cause: Ints

    def __len__(self) -> int:
        return len(self.patient)


@dataclass(frozen=True, slots=True)
class RefillCourse:
    """The refills of some pumps: how many at risk, months between them, phase at entry."""

    count: Ints
    interval: Floats
    phase: Floats
    entry: Floats


def happen(
    rng: np.random.Generator, population: Population, followed: Course, catalogued: Catalogued
) -> Happenings:
    """Draw all events of followed patients, sorted by patient and time, causes first."""
    codes = {code: number for number, code in enumerate(catalogued)}
    drawn = _Drawing(rng, population, followed, catalogued, codes)
    _surgical(drawn)
    for hazard in HAZARDS:
        if hazard.per is Basis.MONTH and hazard.operated < 1 and hazard.complication != DEATH:
            _monthly(drawn, hazard)
        elif hazard.per is Basis.PROCEDURE:
            _perioperative(drawn, hazard)
        elif hazard.per is Basis.REFILL:
            _at_refills(drawn, hazard, AT_RISK)
    for hazard in NEAR_MISSES:
        _at_refills(drawn, hazard, NEAR_MISS)
    _fatal_causes(drawn)
    for consequence in CONSEQUENCES:
        happened = drawn.all()
        causes = [codes[code] for code in consequence.causes]
        among = np.array([stratum in consequence.among for stratum in STRATA])
        follows = np.isin(happened.complication, causes) & (happened.kind == AT_RISK)
        follows &= among[population.stratum[happened.patient]]
        follows &= rng.random(len(happened)) < consequence.chance
        drawn.follow_up(np.flatnonzero(follows), consequence.complication)
    _operations(drawn)
    _fragments(drawn)
    return in_order(drawn.all())


def pump_in_place(followed: Course, patient: Ints, time: Floats) -> Ints:
    """The pump that each patient had, or last had, just before a time."""
    devices = followed.devices
    pumps = np.flatnonzero(devices.component == PUMP)
    key = devices.patient[pumps] * _PATIENT_STRIDE + devices.start[pumps]
    order = np.argsort(key)
    place = np.searchsorted(key[order], patient * _PATIENT_STRIDE + time, side="left") - 1
    found: Ints = pumps[order][place]
    return found


def months_since_procedure(followed: Course, patient: Ints, time: Floats) -> Floats:
    """Months since the last procedure strictly before a time, in follow-up or not."""
    devices = followed.devices
    patients = np.concatenate([devices.patient, followed.procedure_patient])
    times = np.concatenate([devices.start, followed.procedure_time])
    key = np.sort(patients * _PATIENT_STRIDE + times)
    wanted = patient * _PATIENT_STRIDE + time
    place = np.searchsorted(key, wanted, side="left") - 1
    since: Floats = wanted - key[np.maximum(place, 0)]
    return since


def refill_course(population: Population, followed: Course, pumps: Ints) -> RefillCourse:
    """The refills of pumps while they were followed."""
    devices = followed.devices
    patient = devices.patient[pumps]
    interval, phase = population.refill_interval[patient], population.refill_phase[patient]
    entry = devices.entry[pumps]
    months = devices.end[pumps] - devices.start[pumps] - entry
    count = np.floor(months / interval + phase).astype(np.int64)
    return RefillCourse(count, interval, phase, entry)


def months_settled(followed: Course, pumps: Ints) -> Floats:
    """Months that pumps were followed, without the three months after each procedure."""
    devices = followed.devices
    order = np.lexsort((followed.procedure_time, followed.procedure_pump))
    pump, time = followed.procedure_pump[order], followed.procedure_time[order]
    until = devices.end[pump]
    same = pump[1:] == pump[:-1]
    until[:-1] = np.where(same, time[1:], until[:-1])
    soon = np.bincount(pump, np.minimum(until - time, PERIOPERATIVE_MONTHS), minlength=len(devices))
    months = devices.end - devices.start - devices.entry
    settled: Floats = (months - soon)[pumps]
    return settled


class _Drawing:
    """The events drawn so far."""

    def __init__(
        self,
        rng: np.random.Generator,
        population: Population,
        followed: Course,
        catalogued: Catalogued,
        codes: dict[str, int],
    ) -> None:
        self.rng, self.population, self.followed = rng, population, followed
        self.catalogued, self.codes = catalogued, codes
        self.parts: list[Happenings] = []
        components = followed.devices.component
        self.on_clock = {
            PUMP: np.flatnonzero(components == PUMP),
            CATHETER: np.flatnonzero(components == CATHETER),
        }

    def add(
        self,
        device: Ints,
        complication: str | Ints,
        time: Floats,
        *,
        context: Floats | None = None,
        action: Ints | int = NOT_OPERATED,
        kind: int = AT_RISK,
        cause: Ints | int = -1,
    ) -> None:
        """Add events of some devices."""
        count = device.size
        number = self.codes[complication] if isinstance(complication, str) else complication
        self.parts.append(
            Happenings(
                patient=self.followed.devices.patient[device],
                device=device,
                complication=np.broadcast_to(number, count),
                time=time,
                context=time if context is None else context,
                action=np.broadcast_to(action, count),
                kind=np.full(count, kind),
                cause=np.broadcast_to(cause, count),
            )
        )

    def all(self) -> Happenings:
        """Everything drawn so far, in the order of drawing."""
        self.parts = [joined(self.parts)]
        return self.parts[0]

    def follow_up(self, causes: Ints, complication: str, mean_delay: float = 0.1) -> None:
        """Draw consequences of some events, on the pump, before its end."""
        happened = self.all()
        time = happened.time[causes]
        pump = pump_in_place(self.followed, happened.patient[causes], time)
        later = time + self.rng.exponential(mean_delay, causes.size)
        self.add(
            pump,
            complication,
            np.minimum(later, self.followed.devices.end[pump]),
            context=happened.context[causes],
            cause=causes,
        )


def _surgical(drawn: _Drawing) -> None:
    followed = drawn.followed
    numbers = np.array([drawn.codes[hazard.complication] for hazard in HAZARDS])
    drawn.add(
        followed.event_device,
        numbers[followed.event_hazard],
        followed.event_time,
        action=followed.event_action,
    )


def _monthly(drawn: _Drawing, hazard: Hazard) -> None:
    """Events without surgery, on the device's clock; some are known from before entry."""
    devices = drawn.followed.devices
    ids = drawn.on_clock[clock_of(hazard, drawn.catalogued)]
    entry = devices.entry[ids]
    end = devices.end[ids] - devices.start[ids]
    share = (1 - hazard.operated) * _factors(drawn, hazard, ids)
    for kind, since, until, part in (
        (AT_RISK, entry, end, 1.0),
        (BEFORE_ENTRY, np.zeros(ids.size), entry, _TOLD_FROM_BEFORE_ENTRY),
    ):
        mean = share * part * accrued(hazard, since, until)
        who = np.repeat(np.arange(ids.size), drawn.rng.poisson(mean))
        start, stop = since[who] ** hazard.shape, until[who] ** hazard.shape
        clock = (start + drawn.rng.random(who.size) * (stop - start)) ** (1 / hazard.shape)
        clock = np.clip(clock, since[who], until[who])
        device = ids[who]
        time = devices.start[device] + clock
        if hazard.settled:
            since_last = months_since_procedure(drawn.followed, devices.patient[device], time)
            settled = since_last >= PERIOPERATIVE_MONTHS
            device, time = device[settled], time[settled]
        drawn.add(device, hazard.complication, time, kind=kind)


def _perioperative(drawn: _Drawing, hazard: Hazard) -> None:
    """Events without surgery soon after a procedure, while its pump stays in place."""
    followed = drawn.followed
    pump, procedure = followed.procedure_pump, followed.procedure_time
    chance = hazard.value * (1 - hazard.operated) * _factors(drawn, hazard, pump)
    comes = drawn.rng.random(pump.size) < chance
    time = procedure + draw_delay(drawn.rng, hazard, (pump.size,))
    seen = comes & (time <= followed.devices.end[pump])
    drawn.add(pump[seen], hazard.complication, time[seen])


def _at_refills(drawn: _Drawing, hazard: Hazard, kind: int) -> None:
    """Events at or just after a refill, equally likely for every refill."""
    devices = drawn.followed.devices
    pumps = drawn.on_clock[PUMP]
    course = refill_course(drawn.population, drawn.followed, pumps)
    mean = course.count * hazard.value * _factors(drawn, hazard, pumps)
    who = np.repeat(np.arange(pumps.size), drawn.rng.poisson(mean))
    refill = np.floor(drawn.rng.random(who.size) * course.count[who])
    clock = course.entry[who] + (refill + 1 - course.phase[who]) * course.interval[who]
    time = devices.start[pumps[who]] + clock + drawn.rng.exponential(0.05, who.size)
    time = np.minimum(time, devices.end[pumps[who]])
    drawn.add(pumps[who], hazard.complication, time, kind=kind)


def _factors(drawn: _Drawing, hazard: Hazard, devices: Ints) -> Floats:
    table = drawn.followed.devices
    entry = drawn.catalogued[hazard.complication]
    return multiplier(hazard, entry, drawn.population, table.patient[devices], table.model[devices])


def _fatal_causes(drawn: _Drawing) -> None:
    """A death that relates to the therapy follows from respiratory depression days before."""
    happened = drawn.all()
    devices = drawn.followed.devices
    related = devices.status[happened.device] == ExitStatus.DEATH_RELATED.bit
    deaths = np.flatnonzero(related & (happened.action == DIED))
    pump = happened.device[deaths]
    seen_from = devices.start[pump] + devices.entry[pump]
    before = np.maximum(happened.time[deaths] - drawn.rng.exponential(0.05, deaths.size), seen_from)
    cause = happened.cause.copy()
    cause[deaths] = len(happened) + np.arange(deaths.size)
    happened.cause = cause
    drawn.add(pump, FATAL_CAUSE, before)


def _operations(drawn: _Drawing) -> None:
    """Unplanned revision after a repair or exchange, unplanned explant after a removal."""
    happened = drawn.all()
    planned = happened.complication == drawn.codes[END_OF_SERVICE]
    operated = np.isin(happened.action, (REPLACED, REPAIRED)) & ~planned
    withdrawn = np.isin(happened.complication, [drawn.codes[code] for code in DELIVERY_WITHDRAWAL])
    withdrawal_of = np.full(len(happened), -1)
    rows = np.flatnonzero(withdrawn & (happened.cause >= 0))
    withdrawal_of[happened.cause[rows]] = rows
    faults = np.flatnonzero(operated)
    after = np.where(withdrawal_of[faults] >= 0, withdrawal_of[faults], faults)
    removed = np.flatnonzero(happened.action == EXPLANTED)
    drawn.follow_up(after, REVISION, mean_delay=0.03)
    drawn.follow_up(removed, EXPLANT, mean_delay=0.03)


def _fragments(drawn: _Drawing) -> None:
    """Pieces of catheter found months after an explant: events outside device time."""
    happened = drawn.all()
    removed = np.flatnonzero(happened.action == EXPLANTED)
    removed = removed[drawn.rng.random(removed.size) < LATE_FRAGMENT_CHANCE]
    found = happened.time[removed] + drawn.rng.uniform(1.0, 18.0, removed.size)
    known = found < drawn.followed.leaves[happened.patient[removed]]
    drawn.add(
        happened.device[removed][known],
        RETAINED_FRAGMENT,
        found[known],
        kind=AFTER_EXIT,
        cause=removed[known],
    )


def joined(parts: Sequence[Happenings]) -> Happenings:
    return Happenings(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Happenings)
        )
    )


def taken(happened: Happenings, rows: Ints | Flags) -> Happenings:
    """Some rows; causes still index the rows of the whole."""
    return Happenings(*(getattr(happened, field.name)[rows] for field in fields(Happenings)))


def in_order(happened: Happenings) -> Happenings:
    """Sort by patient and time; at equal times an effect follows its cause."""
    depth = np.zeros(len(happened), dtype=np.int64)
    above = happened.cause
    while (above >= 0).any():
        depth += above >= 0
        above = np.where(above >= 0, happened.cause[np.maximum(above, 0)], -1)
    order = np.lexsort((depth, happened.time, happened.patient))
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    ordered = taken(happened, order)
    ordered.cause = np.where(ordered.cause >= 0, place[np.maximum(ordered.cause, 0)], -1)
    return ordered
