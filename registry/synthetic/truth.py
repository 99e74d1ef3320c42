"""The truth of a synthetic registry: its hazards, and the expected counts.

The expected count of a complication is its compensator: the hazards integrated over the time that
each device was at risk, and over its procedures and refills. Observed less expected counts have
mean zero whatever ended the follow-up (Andersen, Borgan, Gill and Keiding, 1993, chapter II), so
expected / device time is the estimand of the registry's rate of all events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from registry.catalogue import ComplicationEntry
from registry.synthetic.follow import CATHETER, PUMP, Catalogued, Course, clock_of
from registry.synthetic.happen import months_settled, refill_course
from registry.synthetic.hazards import (
    CONSEQUENCES,
    DEATH,
    DEATH_RELATED,
    END_OF_SERVICE,
    EXPLANT,
    FATAL_CAUSE,
    HAZARDS,
    LEAVING,
    OPIOID,
    REVISION,
    STRATA,
    Basis,
    Flags,
    Floats,
    Hazard,
    Ints,
    accrued,
    delay_reached,
)
from registry.synthetic.months import DeviceMonths
from registry.synthetic.patients import (
    CHILD_FACTOR,
    FAULTY_FACTOR,
    FAULTY_MODEL,
    OFF_LABEL_STALL_FACTOR,
    REINFORCED_CATHETER_FACTOR,
    Population,
    multiplier,
)
from registry.synthetic.sites import SyntheticSite
from registry.vocabulary import Denominator

MONTHS = (
    "Hazards act in continuous time on the device's clock. A device is followed from entry to "
    "exit; both, and events, are rounded to the nearest whole month (0: less than half a month, "
    "0.25 month of time), so that device time is right on average. After a late entry an event "
    "is dated to a month after the entry's at the earliest, and a device has at least one month."
)


@dataclass(slots=True)
class Expectation:
    """Expected counts and exposures, added up batch by batch; arrays are (sites, strata).

    events: all expected events of a complication. at_procedures: those within 90 days of a
    procedure, which a rate per procedure counts. exposure: of each denominator.
    """

    sites: int
    events: dict[str, Floats] = field(default_factory=dict)
    at_procedures: dict[str, Floats] = field(default_factory=dict)
    exposure: dict[Denominator, Floats] = field(default_factory=dict)

    def add(
        self, population: Population, followed: Course, rounded: DeviceMonths, known: Catalogued
    ) -> None:
        """Add a batch of patients, followed to the end."""
        self._add_exposure(population, followed, rounded)
        operations = np.zeros((self.sites, len(STRATA)))
        removals = np.zeros_like(operations)
        events: dict[str, Floats] = {}
        near: dict[str, Floats] = {}
        for hazard in HAZARDS:
            due = self._due(population, followed, hazard, known)
            _increase(events, hazard.complication, due)
            if hazard.per is Basis.PROCEDURE:
                _increase(near, hazard.complication, due)
            if hazard.complication not in (DEATH, END_OF_SERVICE):
                operations += due * (hazard.replaced + hazard.repaired)
                removals += due * hazard.explanted
        opioid = np.array([stratum in OPIOID for stratum in STRATA])
        _increase(events, FATAL_CAUSE, events[DEATH] * DEATH_RELATED * opioid)
        for consequence in CONSEQUENCES:
            among = consequence.chance * np.array([name in consequence.among for name in STRATA])
            for counts in (events, near):
                due = sum(
                    (counts[cause] for cause in sorted(consequence.causes) if cause in counts),
                    np.zeros_like(operations),
                )
                _increase(counts, consequence.complication, due * among)
        _increase(events, REVISION, operations)
        _increase(events, EXPLANT, removals)
        for code, counts_ in events.items():
            _increase(self.events, code, counts_)
        for code, counts_ in near.items():
            _increase(self.at_procedures, code, counts_)

    def _due(
        self, population: Population, followed: Course, hazard: Hazard, known: Catalogued
    ) -> Floats:
        devices = followed.devices
        amount: Floats
        if hazard.complication == DEATH:
            # On the patient's clock, and only while a system is in place: other time has no rows.
            pump = np.flatnonzero(devices.component == PUMP)
            since = devices.start[pump] + devices.entry[pump]
            amount = accrued(hazard, since, devices.end[pump])
        elif hazard.per is Basis.PROCEDURE:
            pump = followed.procedure_pump
            left = devices.end[pump] - followed.procedure_time
            amount = hazard.value * delay_reached(hazard, left)
        else:
            component = clock_of(hazard, known)
            pump = np.flatnonzero(devices.component == component)
            if hazard.per is Basis.REFILL:
                refills = refill_course(population, followed, pump).count
                amount = refills.astype(np.float64) * hazard.value
            elif hazard.settled:
                amount = hazard.value * months_settled(followed, pump)
            else:
                until = devices.end[pump] - devices.start[pump]
                amount = accrued(hazard, devices.entry[pump], until)
        patient = devices.patient[pump]
        entry = known[hazard.complication]
        factor = multiplier(hazard, entry, population, patient, devices.model[pump])
        return self._sums(population, patient, amount * factor)

    def _add_exposure(
        self, population: Population, followed: Course, rounded: DeviceMonths
    ) -> None:
        devices = followed.devices
        for denominator, component in (
            (Denominator.PUMP_MONTHS, PUMP),
            (Denominator.CATHETER_MONTHS, CATHETER),
        ):
            ids = np.flatnonzero(devices.component == component)
            months = self._sums(population, devices.patient[ids], rounded.time()[ids])
            _increase(self.exposure, denominator, months)
        pumps = np.flatnonzero(devices.component == PUMP)
        refills = refill_course(population, followed, pumps).count
        refilled = self._sums(population, devices.patient[pumps], refills.astype(np.float64))
        _increase(self.exposure, Denominator.REFILLS, refilled)
        ones = np.ones(followed.procedure_patient.size)
        procedures = self._sums(population, followed.procedure_patient, ones)
        _increase(self.exposure, Denominator.PROCEDURES, procedures)

    def _sums(self, population: Population, patients: Ints, amounts: Floats) -> Floats:
        cell = population.site[patients] * len(STRATA) + population.stratum[patients]
        size = self.sites * len(STRATA)
        sums: Floats = np.bincount(cell, amounts, minlength=size).astype(np.float64)
        return sums.reshape(self.sites, len(STRATA))


def _increase(counts: dict[Any, Floats], key: Any, more: Floats) -> None:
    counts[key] = counts[key] + more if key in counts else more


def written(
    expected: Expectation,
    sites: Sequence[SyntheticSite],
    complications: Sequence[ComplicationEntry],
    *,
    seed: int,
    rows: dict[str, int],
) -> dict[str, Any]:
    """The truth as one JSON-ready dictionary."""
    declares = np.array([site.declares for site in sites])
    counts_refills = np.array([site.counts_refills for site in sites])
    outlying = next((site for site in sites if site.factor != 1.0), None)
    return {
        "seed": seed,
        "rows": rows,
        "months": MONTHS,
        "outlying_site": outlying and {"code": outlying.code, "factor": outlying.factor},
        "faulty_pump_model": {
            "model": FAULTY_MODEL.value,
            "factor": FAULTY_FACTOR,
            "category": "pump",
        },
        "declared_exposure_only": [site.code for site in sites if site.declares],
        "other_factors": {
            "pump-motor-stall, off-label admixture": OFF_LABEL_STALL_FACTOR,
            "category catheter, model ascenda": REINFORCED_CATHETER_FACTOR,
            "category infection and csf-leak, under 18 years": CHILD_FACTOR,
        },
        "hazards": [_hazard_written(hazard) for hazard in HAZARDS],
        "consequences": [
            {
                **asdict(consequence),
                "causes": sorted(consequence.causes),
                "among": sorted(consequence.among),
            }
            for consequence in CONSEQUENCES
        ],
        "exits_per_month": {way.exit_status.value: way.value for way in LEAVING},
        "expected": {
            "implants": _tier(expected, complications, ~declares, ~declares & counts_refills),
            "declared": _tier(expected, complications, declares, declares),
        },
    }


def _hazard_written(hazard: Hazard) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "complication": hazard.complication,
        "per": hazard.per.value,
        "value": hazard.value,
        "among": sorted(hazard.among),
        "leads_to_surgery": hazard.operated,
        "sources": list(hazard.sources),
    }
    if hazard.per is Basis.MONTH:
        entry["shape"] = hazard.shape
        entry["cumulative_hazard"] = "value * months ** shape"
        if hazard.settled:
            entry["from"] = "three months after the last procedure"
    elif hazard.per is Basis.PROCEDURE:
        entry["mean_delay_months"] = hazard.mean_delay
        entry["delay"] = "exponential, cut at three months"
    return entry


def _tier(
    expected: Expectation,
    complications: Sequence[ComplicationEntry],
    sites: Flags,
    counting_sites: Flags,
) -> dict[str, Any]:
    """Expected counts of one tier; per procedure or refill only of sites that count these.

    `rate` is expected events over exposure: the estimand of the rate of all events.
    """
    tier: dict[str, Any] = {}
    for entry in complications:
        if entry.code not in expected.events:
            continue
        unit = entry.natural_denominator
        counted = unit in (Denominator.PROCEDURES, Denominator.REFILLS)
        among = counting_sites if counted else sites
        exposure = float(expected.exposure[unit][among].sum())
        source = expected.at_procedures if unit is Denominator.PROCEDURES else expected.events
        counts = source.get(entry.code)
        in_rate = 0.0 if counts is None else float(counts[among].sum())
        tier[entry.code] = {
            "events": float(expected.events[entry.code][sites].sum()),
            "denominator": unit.value,
            "exposure": exposure,
            "events_in_rate": in_rate,
            "rate": in_rate / exposure if exposure else None,
        }
    return tier
