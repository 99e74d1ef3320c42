"""A cohort with one complication at a constant hazard: the simplest registry with known truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from registry.records import EventRecord, ImplantRecord
from registry.synthetic.columns import Coded, KeyColumn, Numbers, Table
from registry.synthetic.hazards import Floats, Ints
from registry.synthetic.months import nearest
from registry.vocabulary import Component, ExitStatus, Outcome

COMPLICATION = "catheter-occlusion"
_SITE = "COHORT"
_FIRST_YEAR = 2000


@dataclass(frozen=True, slots=True)
class Cohort:
    """Catheters of as many patients, and their occlusions.

    hazard: the true occlusions per catheter-month, the same at all times for all catheters.
    """

    hazard: float
    implant_table: Table
    event_table: Table

    def implants(self) -> list[ImplantRecord]:
        """The catheters."""
        return list(self.implant_table.records(ImplantRecord))

    def events(self) -> list[EventRecord]:
        """The occlusions, by catheter and time."""
        return list(self.event_table.records(EventRecord))


def cohort(
    *,
    catheters: int,
    hazard: float,
    seed: int,
    late_share: float = 0.3,
    death_hazard: float = 0.01,
    discontinued_hazard: float = 0.004,
    longest: float = 120.0,
) -> Cohort:
    """Make a cohort in which a catheter occludes again and again, at one hazard per month.

    late_share of the catheters enter 1 to 60 months after implantation: catheters whose patient
    died or stopped before entry are not in it (left truncation). Death and the end of therapy
    compete; follow-up stops at up to `longest` months after entry. Time is continuous and recorded
    in whole months, as in the full registry (see truth.MONTHS). Raises ValueError on a hazard below
    0 or a share outside 0 to 1.
    """
    if min(hazard, death_hazard, discontinued_hazard) < 0 or not 0 <= late_share <= 1:
        raise ValueError("hazards are 0 or more, and late_share is 0 to 1")
    rng = np.random.default_rng(seed)
    late = rng.random(catheters) < late_share
    entry = np.where(late, rng.uniform(1.0, 60.0, catheters), 0.0)
    # A constant hazard has no memory: the course after entry does not depend on time before it.
    left = [
        rng.uniform(0.0, longest, catheters),
        _exponential(rng, death_hazard, catheters),
        _exponential(rng, discontinued_hazard, catheters),
    ]
    seen = np.min(left, axis=0)
    exits = (ExitStatus.ACTIVE, ExitStatus.DEATH_UNRELATED, ExitStatus.THERAPY_DISCONTINUED)
    status = np.array([code.bit for code in exits])[np.argmin(left, axis=0)]
    first, last = nearest(entry), nearest(entry + seen)
    last = np.where(first > 0, np.maximum(last, first + 1), last)
    who = np.repeat(np.arange(catheters), rng.poisson(hazard * seen))
    time = entry[who] + rng.random(who.size) * seen[who]
    order = np.lexsort((time, who))
    who, time = who[order], time[order]
    months = np.clip(nearest(time), np.where(first[who] > 0, first[who] + 1, 0), last[who])
    return Cohort(hazard, _implants(first, last, status), _events(who, months))


def _exponential(rng: np.random.Generator, hazard: float, count: int) -> Floats:
    return rng.exponential(1 / hazard, count) if hazard else np.full(count, np.inf)


def _implants(first: Ints, last: Ints, status: Ints) -> Table:
    count = first.size
    numbers = np.arange(count)
    same = np.zeros(count, dtype=np.int64)
    return Table(
        count,
        {
            "site": Coded(same, (_SITE,)),
            "patient": KeyColumn(numbers, "-p"),
            "implant": KeyColumn(numbers, "-d"),
            "component": Coded(same, (Component.CATHETER,)),
            "implant_year": Numbers(same + _FIRST_YEAR),
            "months_to_entry": Numbers(first),
            "months_followed": Numbers(last),
            "exit_status": Coded(status, tuple(ExitStatus)),
        },
    )


def _events(who: Ints, months: Ints) -> Table:
    count = who.size
    same = np.zeros(count, dtype=np.int64)
    return Table(
        count,
        {
            "site": Coded(same, (_SITE,)),
            "complication": Coded(same, (COMPLICATION,)),
            "source_id": KeyColumn(np.arange(count), "-e"),
            "implant": KeyColumn(who, "-d"),
            "year": Numbers(_FIRST_YEAR + months // 12),
            "months_since_implant": Numbers(months),
            "outcome": Coded(same, (Outcome.RECOVERED,)),
        },
    )
