"""The true hazards say what their published sources say."""

import numpy as np
import pytest

from registry.catalogue import read_catalogue
from registry.synthetic.hazards import (
    CONSEQUENCES,
    HAZARDS,
    NEAR_MISSES,
    Basis,
    Hazard,
    Stratum,
    accrued,
    delay_reached,
    draw_delay,
    next_time,
)
from registry.synthetic.patients import AGE_EDGES
from registry.vocabulary import AgeBand


def risk(complication: str, months: float, stratum: Stratum) -> float:
    """Chance of at least one event by so many months, without other factors."""
    due = sum(
        float(accrued(hazard, 0.0, np.array(months)))
        for hazard in HAZARDS
        if hazard.complication == complication
        and hazard.per is Basis.MONTH
        and stratum in hazard.among
    )
    return float(1 - np.exp(-due))


def test_every_hazard_names_a_complication_and_rates_of_the_catalogue() -> None:
    catalogue = read_catalogue()
    rates = {rate.rate_id for rate in catalogue.published_rates}

    for hazard in HAZARDS + NEAR_MISSES:
        assert hazard.complication in catalogue.by_code
        assert set(hazard.sources) <= rates
        assert 0 <= hazard.operated <= 1


def test_every_consequence_comes_after_all_that_causes_it() -> None:
    seen: set[str] = set()
    for consequence in CONSEQUENCES:
        seen |= consequence.causes
        assert consequence.complication not in consequence.causes
    for position, consequence in enumerate(CONSEQUENCES):
        later = {other.complication for other in CONSEQUENCES[position:]}
        assert not consequence.causes & later


def test_mortality_without_cancer_is_as_coffey_2009_found() -> None:
    # 0.39 % at one month and 3.89 % at one year (Coffey et al. 2009; R037, R038).
    assert risk("death", 1, Stratum.OPIOID_NONCANCER) == pytest.approx(0.0039, abs=1e-4)
    assert risk("death", 12, Stratum.OPIOID_NONCANCER) == pytest.approx(0.0389, abs=5e-4)


def test_catheter_faults_come_at_three_a_hundred_pump_years() -> None:
    categories = {code: one.category for code, one in read_catalogue().by_code.items()}
    steady = [h for h in HAZARDS if categories[h.complication] == "catheter"]

    # 0.030 per pump-year (Slovenia, R053), at a constant rate.
    assert 12 * sum(hazard.value for hazard in steady) == pytest.approx(0.030)
    assert {hazard.shape for hazard in steady} == {1.0}


def test_granuloma_is_late_and_reaches_three_in_a_hundred_at_five_years() -> None:
    # 3 % had a lesion on imaging (R039).
    assert risk("granuloma", 60, Stratum.OPIOID_NONCANCER) == pytest.approx(0.03, abs=0.002)
    assert risk("granuloma", 12, Stratum.OPIOID_NONCANCER) < 0.001
    assert risk("granuloma", 60, Stratum.BACLOFEN) == 0


def test_motor_stall_reaches_2_7_in_a_hundred_at_six_years() -> None:
    # 6-year survival from stall 97.3 % on label (R075).
    assert risk("pump-motor-stall", 72, Stratum.BACLOFEN) == pytest.approx(0.027, abs=0.002)


def test_a_procedures_events_have_all_come_after_three_months() -> None:
    infection = Hazard(complication="x", per=Basis.PROCEDURE, value=1.0, mean_delay=0.9)

    reached = delay_reached(infection, np.array([0.0, 0.9, 3.0, 50.0]))

    # (1 - exp(-t / 0.9)) / (1 - exp(-3 / 0.9)) at 0, 0.9, 3 months.
    assert reached == pytest.approx([0.0, 0.655505, 1.0, 1.0], abs=1e-6)


def test_delays_are_drawn_from_the_distribution_that_is_told() -> None:
    infection = Hazard(complication="x", per=Basis.PROCEDURE, value=1.0, mean_delay=0.9)
    drawn = draw_delay(np.random.default_rng(1), infection, (40_000,))

    assert (drawn <= 0.9).mean() == pytest.approx(0.6555, abs=0.008)
    assert drawn.max() <= 3.0


def test_the_next_time_of_a_rising_hazard_knows_how_long_it_was_awaited() -> None:
    rng = np.random.default_rng(2)

    drawn = next_time(rng, np.full(40_000, 0.001), 2.0, 10.0)

    # Survival from 10 to 20 months at H = 0.001 t^2: exp(-0.3).
    assert (drawn > 20).mean() == pytest.approx(0.740818, abs=0.007)
    assert drawn.min() > 10


def test_a_hazard_of_nothing_never_acts() -> None:
    assert np.isinf(next_time(np.random.default_rng(3), np.zeros(5), 1.4, 2.0)).all()


def test_ages_fall_into_the_bands_of_the_code_list() -> None:
    assert [
        AgeBand.codes()[int(np.searchsorted(AGE_EDGES, age, side="right"))]
        for age in (5.9, 6, 17.9, 18, 64.9, 79.9, 80, 90)
    ] == ["0-5", "6-11", "12-17", "18-39", "40-64", "65-79", "80-89", "90-plus"]
