"""By what limits of rates are judged: what is expected of their own registry."""

import pytest

from registry.synthetic import registry
from tests.disclosure.attack.registries import SITES, fill, sites_with_implants
from tests.disclosure.attack.yardstick import Hazards, Yardstick, complications_of, held

LABELS = ("complication", "catheter-kink", "catheter-months")


def hazards(kinks: float) -> Hazards:
    events = {"catheter-kink": kinks, "catheter-leak": 10.0}
    return Hazards(events, events, {"catheter-months": 1_000.0})


def test_the_rate_of_a_large_registry_is_moved_by_the_ratio_of_hazards():
    large = Yardstick({LABELS: (5_000, 0.02, 0.0199, 0.0201)}, hazards(20.0))

    assert large.rate(LABELS, hazards(20.0)) == pytest.approx(0.02)
    assert large.rate(LABELS, hazards(30.0)) == pytest.approx(0.03)
    assert large.rate(("complication", "catheter-leak", "catheter-months"), hazards(30.0)) is None


def test_refills_are_expected_of_the_sites_that_count_them():
    failures = {"refill-access-failure": 30.0}
    found = Hazards(failures, {"refill-access-failure": 10.0}, {"refills": 1_000.0})

    assert found.rate(["refill-access-failure"], "refills") == pytest.approx(0.01)


def test_rates_by_a_dimension_that_hazards_are_not_told_by_are_not_judged():
    by_class, by_sex = (
        (name, "complication", value, "catheter-kink", "catheter-months")
        for name, value in (("drug_class", "opioid"), ("sex", "male"))
    )
    large = Yardstick(dict.fromkeys((by_class, by_sex), (50, 0.02, 0.01, 0.03)), hazards(20.0))

    assert large.rate(by_class, hazards(30.0)) is None
    assert large.rate(by_sex, hazards(30.0)) == pytest.approx(0.03)


def test_hazards_are_those_that_the_generator_tells():
    found = Hazards.of(events=300, sites=12, seed=3)

    assert found == Hazards.of(events=300, sites=12, seed=3)
    assert found.rate(["catheter-kink"], "catheter-months") > 0
    assert found.rate(["catheter-kink"], "no-unit") == 0


def test_labels_name_complications():
    assert complications_of(LABELS) == ["catheter-kink"]
    of_catheters = complications_of(("category", "sex", "catheter", "male", "catheter-months"))
    assert "catheter-kink" in of_catheters
    assert "pump-flip" not in of_catheters
    assert {"catheter-kink", "pump-flip"} < set(complications_of(("pump-months",)))


def test_limits_hold_what_is_expected_of_their_own_registry_and_not_of_another():
    small, middle, many = held(25)

    assert min(band.rates for band in (small, middle, many)) >= 500
    assert min(small.own, middle.own, many.own) >= 0.93
    assert many.large < 0.85  # 71 % was measured against this


@pytest.mark.django_db
def test_exact_rates_are_asked_of_the_sites_that_protected_ones_are_of():
    fill(events=300, seed=3)
    made = registry(events=300, sites=SITES, seed=3)
    declared = set(made.truth["declared_exposure_only"])

    assert declared
    assert set(sites_with_implants().split(",")) == {s.code for s in made.sites} - declared
