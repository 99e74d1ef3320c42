"""Curves drawn from a synthetic registry's records give back the hazards it was made from."""

import numpy as np
import pytest

from tests.synthetic.curve_study import (
    MONTHS,
    SCALES,
    SCENARIOS,
    Scenario,
    Spells,
    Tally,
    elapsed,
    made,
    protected,
    study,
)

SEEDS = range(1, 201)
LATE = next(each for each in SCENARIOS if each.name.startswith("three in ten"))


@pytest.fixture(scope="module")
def found() -> tuple[dict[int, Tally], dict[int, Tally]]:
    """Freedom and incidence in 200 registries of late entries, deaths and stopped therapy."""
    return study(LATE, SEEDS)


def allowed(tally: Tally) -> float:
    """Three standard errors of the mean, and what telling time in whole months may add.

    A device counts as at risk in all of the month in which it leaves: about half of those who
    leave in a month too many, 1.5 % of the hazard here.
    """
    return 3 * float(np.std(tally.estimates)) / len(tally.estimates) ** 0.5 + 0.003


@pytest.mark.parametrize("month", MONTHS)
def test_kaplan_meier_recovers_freedom_from_the_event(found, month: int) -> None:
    free, _ = found

    assert abs(free[month].error) < allowed(free[month]) < 0.01


@pytest.mark.parametrize("month", MONTHS)
def test_aalen_johansen_recovers_the_incidence(found, month: int) -> None:
    _, came = found

    assert abs(came[month].error) < allowed(came[month]) < 0.01


@pytest.mark.parametrize("month", MONTHS)
def test_limits_cover_the_truth_95_times_in_100(found, month: int) -> None:
    free, came = found

    # 200 registries: a coverage of 95 % is known to within 3 points
    for share in (*free[month].coverage, *came[month].coverage):
        assert 0.92 <= share <= 0.98


def test_one_minus_freedom_is_not_the_incidence_where_death_competes(found) -> None:
    free, came = found

    promised, found_ = 1 - np.mean(free[60].estimates), np.mean(came[60].estimates)
    assert promised - found_ > 0.05


def test_leaving_out_late_entry_would_show(found) -> None:
    # taken as seen from implantation on, late entrants make the curve too good
    free, _ = found
    naive = [freedom_from_implantation(made(LATE, seed)) for seed in SEEDS[:40]]

    assert np.mean(naive) - np.mean(free[60].estimates) > 0.02


def freedom_from_implantation(whole: Spells) -> float:
    """Kaplan-Meier at 60 months as if everybody had been followed from the start."""
    value = 1.0
    for month in range(61):
        at_risk = int((whole.ends >= month).sum())
        value *= 1 - int(((whole.ends == month) & (whole.causes == 1)).sum()) / at_risk
    return value


@pytest.mark.parametrize("month", MONTHS)
def test_protected_curve_recovers_freedom_and_its_limits_cover_it(month: int) -> None:
    early = Scenario("from implantation", 1500, 0.004, death=0.01, stopped=0.004)

    tally = protected(early, range(1, 151))[month]

    # with the noise of the counts; where nothing is shown nothing is judged
    assert len(tally.truths) > 120
    assert abs(tally.error) < 0.01
    assert 0.90 <= tally.coverage[0] <= 0.99


def test_elapsed_time_begins_half_a_month_before_the_curve_does() -> None:
    assert (elapsed(12, 0), elapsed(12, 3), elapsed(3, 3)) == (12.5, 10.0, 1.0)


def test_forms_of_limits_are_the_three_that_can_be_asked() -> None:
    assert SCALES == ("log-log", "log", "plain")
