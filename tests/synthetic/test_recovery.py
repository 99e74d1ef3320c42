"""Rates computed from a synthetic registry's records give back the hazards it was made from."""

from collections.abc import Mapping

import numpy as np
import pytest
from scipy.stats import poisson

from registry.records import EventRecord, ImplantRecord
from registry.statistics.intervals import poisson_interval
from registry.statistics.rates import incidence_rate
from registry.synthetic import Cohort, cohort

COHORTS = 200
HAZARD = 0.004
EXPECTED = 427.0
"""About the events of one cohort: 2,900 catheters, 37 months each."""


@pytest.fixture(scope="module")
def cohorts() -> list[tuple[list[ImplantRecord], list[EventRecord]]]:
    made = [cohort(catheters=2900, hazard=HAZARD, seed=seed) for seed in range(1, 1 + COHORTS)]
    return [(each.implants(), each.events()) for each in made]


def device_time(implants: list[ImplantRecord]) -> dict[str, float]:
    """Months at risk by implant, worked out apart from the registry's own code."""
    return {
        row.implant: 0.25
        if row.months_to_entry == row.months_followed == 0
        else row.months_followed - row.months_to_entry
        for row in implants
    }


def counted(implants: list[ImplantRecord], events: list[EventRecord]) -> list[EventRecord]:
    """The events after entry and not after the end of follow-up."""
    followed = {row.implant: (row.months_to_entry, row.months_followed) for row in implants}
    kept = []
    for event in events:
        entry, last = followed[event.implant or ""]
        months = event.months_since_implant or 0
        if (entry == 0 or months > entry) and months <= last:
            kept.append(event)
    return kept


def first_events(implants: list[ImplantRecord], events: list[EventRecord]) -> tuple[int, float]:
    """Catheters with an event, and device time that ends at the first."""
    entry = {row.implant: row.months_to_entry for row in implants}
    time = device_time(implants)
    first: dict[str, int] = {}
    for event in counted(implants, events):
        name, months = event.implant or "", event.months_since_implant or 0
        first[name] = min(months, first.get(name, months))
    for name, months in first.items():
        time[name] = 0.25 if months == entry[name] == 0 else months - entry[name]
    return len(first), sum(time.values())


def attained_coverage(expected: float) -> float:
    """How often Garwood's 95 % interval holds the mean of a Poisson count: above 95 %."""
    counts = np.arange(0, 2000)
    lower, upper = poisson_interval(counts, np.ones(counts.size))
    held = (np.asarray(lower) <= expected) & (expected <= np.asarray(upper))
    return float(poisson.pmf(counts, expected)[held].sum())


def test_the_event_rate_recovers_the_hazard(cohorts) -> None:
    events = sum(len(counted(implants, told)) for implants, told in cohorts)
    time = sum(sum(device_time(implants).values()) for implants, _ in cohorts)

    # 85,000 events: a standard error of 0.34 %; three of them.
    assert events / time == pytest.approx(HAZARD, rel=0.0103)


def test_the_event_rates_intervals_cover_the_hazard_95_times_in_100(cohorts) -> None:
    covered = 0
    for implants, told in cohorts:
        rate = incidence_rate(len(counted(implants, told)), sum(device_time(implants).values()))
        covered += rate.lower <= HAZARD <= rate.upper

    assert 0.95 <= attained_coverage(EXPECTED) <= 0.955  # exact intervals are conservative
    assert 0.93 <= covered / COHORTS <= 0.97


def test_the_first_event_rate_recovers_the_hazard(cohorts) -> None:
    firsts = [first_events(implants, told) for implants, told in cohorts]

    events, time = (sum(part) for part in zip(*firsts, strict=True))

    assert events / time == pytest.approx(HAZARD, rel=0.0108)


def test_the_first_event_rates_intervals_cover_the_hazard_95_times_in_100(cohorts) -> None:
    covered = 0
    for implants, told in cohorts:
        rate = incidence_rate(*first_events(implants, told))
        covered += rate.lower <= HAZARD <= rate.upper

    assert 0.93 <= covered / COHORTS <= 0.97


def test_late_entrants_alone_recover_the_hazard() -> None:
    late = cohort(catheters=60_000, hazard=0.01, seed=3, late_share=1.0)

    rate = rate_of(late)

    # About 26,000 events: three standard errors are 1.9 %. Time from implantation on in place of
    # entry would halve the rate.
    assert rate == pytest.approx(0.01, rel=0.019)


def test_short_follow_up_recovers_the_hazard() -> None:
    brief = cohort(catheters=200_000, hazard=0.05, seed=5, late_share=0.0, longest=3.0)

    rate = rate_of(brief)

    # Most catheters are followed for less than three months, one in six for less than half of
    # one, which counts as a quarter. About 15,000 events: three standard errors are 2.5 %.
    assert rate == pytest.approx(0.05, rel=0.025)


def test_a_cohort_without_hazard_has_no_events() -> None:
    assert cohort(catheters=50, hazard=0.0, seed=1).events() == []


@pytest.mark.parametrize("wrong", [{"hazard": -0.1}, {"late_share": 1.5}, {"death_hazard": -1.0}])
def test_a_cohort_refuses_impossible_hazards(wrong: Mapping[str, float]) -> None:
    with pytest.raises(ValueError, match="late_share is 0 to 1"):
        cohort(**{"catheters": 5, "hazard": 0.1, "seed": 1, **wrong})


def rate_of(made: Cohort) -> float:
    implants, told = made.implants(), made.events()
    return len(counted(implants, told)) / sum(device_time(implants).values())
