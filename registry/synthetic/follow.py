"""Follow patients from surgery to surgery: their pumps, their catheters, and how each ended.

Everything here is in continuous months since the patient's first implant; rows are rounded to whole
months when written. Only deaths and events that lead to surgery are drawn here, as they change what
is implanted; the others are thinned from the same hazards later (see happen).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from registry.catalogue import ComplicationEntry
from registry.synthetic.hazards import (
    DEATH,
    DEATH_RELATED,
    DEATH_UNKNOWN,
    END_OF_SERVICE,
    HAZARDS,
    LEAVING,
    OPIOID,
    PERIOPERATIVE_MONTHS,
    STRATA,
    Basis,
    Flags,
    Floats,
    Hazard,
    Ints,
    draw_delay,
    next_time,
)
from registry.synthetic.patients import (
    DATA_END,
    Population,
    draw_catheter_models,
    draw_pump_models,
    multiplier,
)
from registry.vocabulary import Component, ExitStatus, PlacingProcedure

Catalogued = Mapping[str, ComplicationEntry]

PUMP, CATHETER = 0, 1
NOT_OPERATED, REPLACED, REPAIRED, EXPLANTED, DIED = 0, 1, 2, 3, 4

_REIMPLANTED = 0.3
"""Share of explants after which a new system follows."""

_EARLIER_PUMP_CHANGE = 0.3
"""Share of late entrants, long implanted, whose pump was replaced before they entered."""


@dataclass(slots=True)
class Devices:
    """Implanted components as columns, in the order of implantation.

    start, end: months since the patient's first implant. entry: months on the device's own clock
    at which it came under follow-up, 0 where that was at implantation. status, procedure: positions
    in ExitStatus and PlacingProcedure; status is -1 while the device is followed.
    """

    patient: Ints
    component: Ints
    model: Ints
    start: Floats
    entry: Floats
    end: Floats
    status: Ints
    procedure: Ints

    def __len__(self) -> int:
        return len(self.patient)


@dataclass(slots=True)
class Course:
    """The course of every patient.

    leaves: when each patient left, died or was last seen, with or without a system. Procedures in
    follow-up: patient, the pump in place afterwards, time. Surgical events: patient, device, index
    into HAZARDS, time, and what was done (REPLACED ... DIED).
    """

    devices: Devices
    leaves: Floats
    procedure_patient: Ints
    procedure_pump: Ints
    procedure_time: Floats
    event_patient: Ints
    event_device: Ints
    event_hazard: Ints
    event_time: Floats
    event_action: Ints


def clock_of(hazard: Hazard, catalogued: Catalogued) -> int:
    """Which component's clock a hazard runs on: PUMP or CATHETER."""
    return CATHETER if catalogued[hazard.complication].clock is Component.CATHETER else PUMP


class _Course:
    """The running state of a follow-up; one entry per patient unless noted."""

    def __init__(
        self, rng: np.random.Generator, population: Population, catalogued: Catalogued
    ) -> None:
        count = len(population)
        self.rng, self.population, self.catalogued = rng, population, catalogued
        operated = [
            (number, hazard)
            for number, hazard in enumerate(HAZARDS)
            if hazard.operated and hazard.complication != DEATH
        ]
        self.monthly = [
            [
                (number, hazard)
                for number, hazard in operated
                if hazard.per is Basis.MONTH and clock_of(hazard, catalogued) == component
            ]
            for component in (PUMP, CATHETER)
        ]
        self.perioperative = [pair for pair in operated if pair[1].per is Basis.PROCEDURE]
        self.device = np.full((2, count), -1)
        self.model_of = np.zeros((2, count), dtype=np.int64)
        self.start_of = np.zeros((2, count))
        self.due = np.full((2, count), np.inf)
        self.due_hazard = np.zeros((2, count), dtype=np.int64)
        self.pending = np.full((count, len(self.perioperative)), np.inf)
        self.last_procedure = np.full(count, -np.inf)
        self.leaves, self.leave_status, self.death_hazard = self._draw_leaving()
        self.placed: list[Devices] = []
        self.device_count = 0
        self.ended: list[tuple[Ints, Floats, Ints]] = []
        self.procedures: list[tuple[Ints, Ints, Floats]] = []
        self.events: list[tuple[Ints, Ints, Ints, Floats, Ints]] = []

    def _draw_leaving(self) -> tuple[Floats, Ints, Ints]:
        """When and how each patient leaves, and which hazard of death it was (or -1)."""
        population, rng = self.population, self.rng
        count = len(population)
        everyone = np.arange(count)
        leaves = DATA_END - population.implanted
        status = np.full(count, ExitStatus.ACTIVE.bit)
        for way in LEAVING:
            at = population.entry + rng.exponential(1 / way.value, count)
            status = np.where(at < leaves, way.exit_status.bit, status)
            leaves = np.minimum(leaves, at)
        hazard_of_death = np.full(count, -1)
        for number, hazard in enumerate(HAZARDS):
            if hazard.complication == DEATH:
                entry = self.catalogued[DEATH]
                value = hazard.value * multiplier(hazard, entry, population, everyone, everyone)
                at = next_time(rng, value, hazard.shape, population.entry)
                died = at < leaves
                status = np.where(died, self._death_status(count), status)
                hazard_of_death = np.where(died, number, hazard_of_death)
                leaves = np.minimum(leaves, at)
        return leaves, status, hazard_of_death

    def _death_status(self, count: int) -> Ints:
        opioid = np.array([stratum in OPIOID for stratum in STRATA])[self.population.stratum]
        chosen = self.rng.random(count)
        return np.select(
            [opioid & (chosen < DEATH_RELATED), chosen > 1 - DEATH_UNKNOWN],
            [ExitStatus.DEATH_RELATED.bit, ExitStatus.DEATH_UNKNOWN.bit],
            ExitStatus.DEATH_UNRELATED.bit,
        )

    def place(
        self, component: int, patients: Ints, start: Floats, entry: Floats, procedure: Ints
    ) -> None:
        """Put a component into each of some patients, and draw when it will need surgery."""
        placed_at = self.population.implanted[patients] + start
        if component == PUMP:
            models = draw_pump_models(self.rng, placed_at, self.population.programmable[patients])
        else:
            models = draw_catheter_models(self.rng, placed_at)
        count = patients.size
        self.device[component, patients] = self.device_count + np.arange(count)
        self.device_count += count
        blank = np.full(count, -1)
        self.placed.append(
            Devices(
                patients,
                np.full(count, component),
                models,
                start,
                entry,
                np.full(count, np.nan),
                blank,
                procedure,
            )
        )
        self.model_of[component, patients] = models
        self.start_of[component, patients] = start
        self.redraw(component, patients, start + entry)

    def redraw(self, component: int, patients: Ints, now: Floats) -> None:
        """Draw when a component's own hazards next lead to surgery, from now on."""
        hazards = self.monthly[component]
        values = np.empty((patients.size, len(hazards)))
        models = self.model_of[component, patients]
        for column, (_, hazard) in enumerate(hazards):
            entry = self.catalogued[hazard.complication]
            factor = multiplier(hazard, entry, self.population, patients, models)
            values[:, column] = hazard.value * hazard.operated * factor
        shapes = np.array([hazard.shape for _, hazard in hazards])
        start = self.start_of[component, patients]
        times = next_time(self.rng, values, shapes, np.maximum(now - start, 0)[:, None])
        first = times.argmin(axis=1)
        self.due[component, patients] = start + times[np.arange(patients.size), first]
        self.due_hazard[component, patients] = np.array([n for n, _ in hazards])[first]

    def operate(self, patients: Ints, now: Floats) -> None:
        """Record a procedure, and draw its complications that lead to further surgery."""
        self.procedures.append((patients, self.device[PUMP, patients], now))
        self.last_procedure[patients] = now
        models = self.model_of[PUMP, patients]
        for column, (_, hazard) in enumerate(self.perioperative):
            entry = self.catalogued[hazard.complication]
            factor = multiplier(hazard, entry, self.population, patients, models)
            comes = self.rng.random(patients.size) < hazard.value * hazard.operated * factor
            at = now + draw_delay(self.rng, hazard, (patients.size,))
            at = np.where(comes, at, np.inf)
            self.pending[patients, column] = np.minimum(self.pending[patients, column], at)

    def end(self, component: int, patients: Ints, now: Floats, status: Ints) -> None:
        """End the follow-up of a component of each of some patients."""
        self.ended.append((self.device[component, patients], now, status))
        self.due[component, patients] = np.inf

    def note(self, patients: Ints, device: Ints, hazard: Ints, now: Floats, action: Ints) -> None:
        """Record surgical events or deaths."""
        self.events.append((patients, device, hazard, now, action))


def follow(rng: np.random.Generator, population: Population, catalogued: Catalogued) -> Course:
    """Follow every patient from entry to leaving, death or permanent explant.

    Vectorised over patients: each round takes every patient to the next surgery or the end.
    """
    course = _Course(rng, population, catalogued)
    _implant_first(course)
    active = np.arange(len(population))
    while active.size:
        active = _next_round(course, active)
    return _gather(course)


def _implant_first(course: _Course) -> None:
    population, rng = course.population, course.rng
    everyone = np.arange(len(population))
    entry = population.entry
    changed = (entry > 24) & (rng.random(everyone.size) < _EARLIER_PUMP_CHANGE)
    pump_start = np.where(changed, rng.uniform(0.3, 0.9, everyone.size) * entry, 0.0)
    primary, replaced = PlacingProcedure.PRIMARY_IMPLANT.bit, PlacingProcedure.REPLACEMENT.bit
    course.place(
        PUMP, everyone, pump_start, entry - pump_start, np.where(changed, replaced, primary)
    )
    course.place(
        CATHETER, everyone, np.zeros(everyone.size), entry, np.full(everyone.size, primary)
    )
    seen = np.flatnonzero(entry == 0)
    course.operate(seen, np.zeros(seen.size))


def _next_round(course: _Course, active: Ints) -> Ints:
    """Advance each active patient to the next surgery or end; returns those still followed."""
    pending = course.pending[active]
    times = np.stack(
        [
            course.due[PUMP, active],
            course.due[CATHETER, active],
            pending.min(axis=1),
            course.leaves[active],
        ]
    )
    which = times.argmin(axis=0)
    now = times.min(axis=0)
    gone = which == 3
    _leave(course, active[gone], now[gone])
    stays = ~gone
    patients, which, now = active[stays], which[stays], now[stays]
    perioperative = np.array([number for number, _ in course.perioperative])
    column = course.pending[patients].argmin(axis=1)
    hazard = np.where(
        which == 2,
        perioperative[column],
        course.due_hazard[np.minimum(which, CATHETER), patients],
    )
    course.pending[patients[which == 2], column[which == 2]] = np.inf
    settled = np.array([entry.settled for entry in HAZARDS])[hazard]
    early = settled & (now - course.last_procedure[patients] < PERIOPERATIVE_MONTHS)
    course.redraw(PUMP, patients[early], now[early])
    late = ~early
    removed = _operate(course, patients[late], which[late], hazard[late], now[late])
    going: Flags = np.ones(patients.size, dtype=bool)
    going[np.flatnonzero(late)] = ~removed
    remaining: Ints = patients[going]
    return remaining


def _leave(course: _Course, patients: Ints, now: Floats) -> None:
    status = course.leave_status[patients]
    for component in (PUMP, CATHETER):
        course.end(component, patients, now, status)
    died = course.death_hazard[patients] >= 0
    dead = patients[died]
    course.note(
        dead,
        course.device[PUMP, dead],
        course.death_hazard[dead],
        now[died],
        np.full(dead.size, DIED),
    )


def _operate(course: _Course, patients: Ints, which: Ints, hazard: Ints, now: Floats) -> Flags:
    """Do the surgery that each event leads to; returns whose system is explanted permanently."""
    shares = np.array([[h.replaced, h.repaired, h.explanted] for h in HAZARDS])[hazard]
    reached = shares.cumsum(axis=1)
    chosen = course.rng.random(patients.size) * reached[:, -1]
    action = np.array([REPLACED, REPAIRED, EXPLANTED])[(chosen[:, None] > reached).sum(axis=1)]
    on = np.where(which == CATHETER, CATHETER, PUMP)
    course.note(patients, course.device[on, patients], hazard, now, action)
    for component in (PUMP, CATHETER):
        repaired = (action == REPAIRED) & (which == component)
        course.redraw(component, patients[repaired], now[repaired])
        exchanged = (action == REPLACED) & (on == component)
        _replace(course, component, patients[exchanged], hazard[exchanged], now[exchanged])
    kept = action != EXPLANTED
    course.operate(patients[kept], now[kept])
    removed: Flags = ~kept
    returned = _explant(course, patients[removed], now[removed])
    removed[np.flatnonzero(removed)[returned]] = False
    return removed


def _replace(course: _Course, component: int, patients: Ints, hazard: Ints, now: Floats) -> None:
    expected = np.array([h.complication == END_OF_SERVICE for h in HAZARDS])[hazard]
    status = np.where(
        expected, ExitStatus.REPLACED_END_OF_SERVICE.bit, ExitStatus.REPLACED_FOR_FAILURE.bit
    )
    course.end(component, patients, now, status)
    if component == PUMP:
        course.pending[patients] = np.inf
    placed_by = PlacingProcedure.REPLACEMENT if component == PUMP else PlacingProcedure.REVISION
    procedure = np.full(patients.size, placed_by.bit)
    course.place(component, patients, now, np.zeros(patients.size), procedure)


def _explant(course: _Course, patients: Ints, now: Floats) -> Flags:
    """Explant the system; returns who gets another one after three to six months."""
    status = np.full(patients.size, ExitStatus.EXPLANTED_FOR_COMPLICATION.bit)
    for component in (PUMP, CATHETER):
        course.end(component, patients, now, status)
    course.pending[patients] = np.inf
    again = now + course.rng.uniform(3.0, 6.0, patients.size)
    returned: Flags = (course.rng.random(patients.size) < _REIMPLANTED) & (
        again < course.leaves[patients]
    )
    back, at = patients[returned], again[returned]
    procedure = np.full(back.size, PlacingProcedure.REIMPLANT.bit)
    for component in (PUMP, CATHETER):
        course.place(component, back, at, np.zeros(back.size), procedure)
    course.operate(back, at)
    return returned


def _gather(course: _Course) -> Course:
    placed = course.placed
    devices = Devices(
        *(
            np.concatenate([getattr(part, name) for part in placed])
            for name in Devices.__dataclass_fields__
        )
    )
    for device, now, status in course.ended:
        devices.end[device] = now
        devices.status[device] = status
    procedures = [np.concatenate(part) for part in zip(*course.procedures, strict=True)]
    events = [np.concatenate(part) for part in zip(*course.events, strict=True)]
    return Course(devices, course.leaves, *procedures, *events)
