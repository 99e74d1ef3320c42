"""The units in which complications of different kinds are ranked side by side."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from registry.records import EventQuery
from registry.vocabulary import Denominator, Measure

PARAMETER = "ranked_per"
"""The parameter of the overview that names the unit; no question has it."""

HUNDRED_YEARS = 1200
"""Months: rates are asked per so many, so that they are per 100 years."""

IN_MONTHS = frozenset({Denominator.PUMP_MONTHS.value, Denominator.CATHETER_MONTHS.value})


@dataclass(frozen=True, slots=True)
class CommonUnit:
    """One unit: its code in the address, its name, and what it means for a reader."""

    code: str
    label: str
    about: str
    measure: Measure
    unit: Denominator | None = None

    @property
    def shares(self) -> bool:
        """Whether it is a share of patients."""
        return self.measure is Measure.PROPORTIONS

    def asked(self, query: EventQuery) -> EventQuery:
        """The question by complication in this unit."""
        by = replace(query, group_by=("complication",), labels="both", unit=self.unit)
        return replace(by, per=None if self.shares else HUNDRED_YEARS)


PUMP_YEARS = CommonUnit(
    "pump-years",
    "Per 100 pump-years",
    "First events per 100 years of pumps in place, whatever they come from.",
    Measure.RATES,
    Denominator.PUMP_MONTHS,
)
DEVICE_YEARS = CommonUnit(
    "device-years",
    "Per 100 years of its device",
    "First events per 100 years of the pump or the catheter that they come from. A patient has both"
    " as a rule, so that the two kinds of years are about alike.",
    Measure.RATES,
)
PATIENTS = CommonUnit(
    "patients",
    "Per 100 patients",
    "Patients who had it at least once, of 100 with such a device, however long they were followed:"
    " a share is no risk over a stated time.",
    Measure.PROPORTIONS,
)
EVERY = {each.code: each for each in (PUMP_YEARS, DEVICE_YEARS, PATIENTS)}
ONE_EACH = (
    "Protected numbers have one denominator each, or two answers to one question would say more"
    " about people than either."
)
"""Why protected answers have no rates per pump-year of what comes from catheters or operations."""


def unit_of(code: str, *, exact: bool) -> CommonUnit:
    """The named unit, else the first that the reader may have: pump-years where exact."""
    named = EVERY.get(code)
    if named is None or (named is PUMP_YEARS and not exact):
        return PUMP_YEARS if exact else DEVICE_YEARS
    return named


def in_hundreds(unit: Any) -> float:
    """What turns a rate asked per 1,200 into one per 100 of what it is divided by, or 100 years."""
    return 1.0 if unit in IN_MONTHS else 100 / HUNDRED_YEARS


HUNDRED_OF: Mapping[str | None, str] = {
    Denominator.PUMP_MONTHS.value: "per 100 pump-years",
    Denominator.CATHETER_MONTHS.value: "per 100 catheter-years",
    Denominator.PROCEDURES.value: "per 100 procedures",
    Denominator.REFILLS.value: "per 100 refills",
}
"""A rate's unit in words, by what it is divided by."""
