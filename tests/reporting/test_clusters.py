"""Rates' limits are robust to sites, where there are ten or more that differ."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import stdtrit

from registry.records import EventQuery
from registry.reporting.answering import _exact
from registry.reporting.estimating.cells import rate_cells
from registry.reporting.estimating.clusters import clusters_of
from registry.reporting.estimating.curves import incidence_curves, survival_curves
from registry.statistics.rates import ClusterSums, quasi_poisson_interval, site_dispersion
from registry.statistics.survival import kaplan_meier
from registry.vocabulary import CountingRule, Measure
from tests.reporting.asking import Asker
from tests.reporting.protecting import frozen_rows
from tests.snapshot.rows import event, implant

SITES = 12
EVENTS, FIRST = CountingRule.EVENTS, CountingRule.FIRST_EVENT


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Asker:
    """Twelve sites of five pumps; in every third each pump flips at month 6, and once again."""
    implants, events = [], []
    for site in range(SITES):
        for place in range(5):
            name = f"{site}-{place}"
            implants.append(implant(name, site=f"S{site}", months_followed=20 + site))
            if site % 3 == 0:
                own = {"on": name, "site": f"S{site}"}
                events.append(event(f"e{name}", **own))
                events.append(event(f"f{name}", months_since_implant=9, **own))
    return Asker(tmp_path_factory.mktemp("sites"), implants=implants, events=events)


def asked(asker: Asker, counting: CountingRule, **query: object):
    question = asker.question(Measure.RATES, counting=counting, **query)
    return rate_cells(asker.store, question, per=100, by_site=True), question


@pytest.mark.parametrize("counting", [EVENTS, FIRST])
def test_limits_are_widened_by_what_plain_loops_find(asker: Asker, counting: CountingRule) -> None:
    first = counting is FIRST
    having = [site % 3 == 0 for site in range(SITES)]
    events = [(5 if first else 10) if each else 0 for each in having]
    time = [5.0 * (6 if first and each else 20 + site) for site, each in enumerate(having)]
    wide = site_dispersion(ClusterSums.of(events, time))
    assert wide is not None

    (row,), question = asked(asker, counting)

    lower, upper = quasi_poisson_interval(sum(events), sum(time), wide)
    assert (row.numbers["events"], row.numbers["exposure"]) == (sum(events), sum(time))
    assert row.numbers["dispersion_sites"] == pytest.approx(wide, rel=1e-12)
    assert row.numbers["ci_lower"] == pytest.approx(100 * (lower or 0), rel=1e-12)
    assert row.numbers["ci_upper"] == pytest.approx(100 * (upper or 0), rel=1e-12)
    (told,) = clusters_of([row], question)
    assert told["robust_to"] == "sites"


def test_rows_of_sites_and_of_few_sites_have_limits_of_their_own(asker: Asker) -> None:
    by_site, question = asked(asker, FIRST, group_by=("site",))
    few, _ = asked(asker, FIRST, where=(("site", tuple(f"S{site}" for site in range(9))),))

    assert {row.numbers["dispersion_sites"] for row in [*by_site, *few]} == {None}
    assert clusters_of(by_site, question) == []


def test_ten_sites_are_enough(asker: Asker) -> None:
    ten = tuple(f"S{site}" for site in range(10))

    (row,), _ = asked(asker, FIRST, where=(("site", ten),))

    assert row.numbers["dispersion_sites"] is not None


def test_each_row_has_the_dispersion_of_its_own_sites(asker: Asker) -> None:
    rows, question = asked(asker, EVENTS, group_by=("complication", "drug"))

    (told,) = clusters_of(rows, question)
    assert told["complication"] == "pump-flip"
    assert told["drug"] == "not-recorded"
    assert told["dispersion_patients"] is not None


def test_a_patient_of_two_sites_has_one_first_event(tmp_path: Path) -> None:
    """Twelve sites; one patient went from the first to the second, with an event at either."""
    implants = [implant(f"p{site}", site=f"S{site}") for site in range(2, SITES)]
    implants.append(implant("first", patient="moved", site="S0"))
    implants.append(implant("second", patient="moved", site="S1", implant_year=2018))
    events = [
        event(on, on=on, site=site, complication="respiratory-depression")
        for on, site in (("first", "S0"), ("second", "S1"))
    ]
    moved = Asker(tmp_path, implants=implants, events=events)

    (row,), _ = asked(moved, FIRST, where=(("complication", ("respiratory-depression",)),))

    assert row.numbers["events"] == 1


def test_rates_of_other_measures_are_not_widened(asker: Asker) -> None:
    question = asker.question(Measure.RATES, counting=FIRST)

    (row,) = rate_cells(asker.store, question, per=100)

    assert "dispersion_sites" not in row.numbers


@pytest.mark.parametrize("cluster", [None, "patient", "site"])
def test_limits_are_robust_to_what_is_asked_for(asker: Asker, cluster: str | None) -> None:
    (row,), question = asked(asker, EVENTS, cluster=cluster)

    events, time = float(row.numbers["events"] or 0), float(row.numbers["exposure"] or 0)
    patients, sites = row.numbers["dispersion"], row.numbers["dispersion_sites"]
    assert float(sites or 0) > float(patients or 0) > 1
    used, named = (patients, "patients") if cluster == "patient" else (sites, "sites")
    lower, upper = quasi_poisson_interval(events, time, float(used or 0))
    assert (row.numbers["ci_lower"], row.numbers["ci_upper"]) == pytest.approx(
        (100 * (lower or 0), 100 * (upper or 0))
    )
    (told,) = clusters_of([row], question)
    assert told["robust_to"] == named


def test_sites_alone_make_the_limits_where_they_are_asked_for_and_differ_less(
    tmp_path: Path,
) -> None:
    implants = [implant(f"{s}-{n}", site=f"S{s}") for s in range(12) for n in range(4)]
    events = [
        event(f"e{s}-{m}", on=f"{s}-0", site=f"S{s}", months_since_implant=m)
        for s in range(12)
        for m in (3, 6, 9)
    ]
    alike = Asker(tmp_path, implants=implants, events=events)

    (wider,), _ = asked(alike, EVENTS)
    (of_sites,), _ = asked(alike, EVENTS, cluster="site")

    assert wider.numbers["robust_to"] == "patients"
    assert of_sites.numbers["robust_to"] == "sites"
    assert float(of_sites.numbers["ci_lower"] or 0) > float(wider.numbers["ci_lower"] or 0)


def test_of_few_sites_limits_stay_those_of_patients(asker: Asker) -> None:
    few = (("site", ("S0", "S1", "S2")),)

    (plain,), _ = asked(asker, EVENTS, where=few)
    (of_sites,), _ = asked(asker, EVENTS, where=few, cluster="site")

    assert of_sites == plain
    assert of_sites.numbers["robust_to"] == "patients"


def test_dispersion_of_patients_is_told_without_sites(asker: Asker) -> None:
    rows, question = asked(asker, EVENTS, group_by=("site",))

    told = clusters_of(rows, question)

    assert len(told) == SITES
    assert {each["dispersion_sites"] for each in told} == {None}
    assert {each["robust_to"] for each in told} == {"patients"}


def exact(root: Path, patients: int, **query: object):
    implants = [implant(f"a{n}", drug=("baclofen", "morphine")[n % 2]) for n in range(patients)]
    events = [event(f"e{m}", on="a0", months_since_implant=m) for m in (3, 6)]
    frozen = frozen_rows(root, events=events, implants=implants)
    question = {"counting": EVENTS, **query}
    return _exact(EventQuery(**question), Measure.RATES, frozen)  # type: ignore[arg-type]


def test_one_patient_has_poisson_limits_that_are_not_called_quasi_poisson(tmp_path: Path) -> None:
    release = exact(tmp_path, 1)

    assert "Quasi" not in str(release.meta["method"])
    assert "exact Poisson" in str(release.meta["warnings"])


@pytest.mark.parametrize("counting", [CountingRule.FIRST_EVENT, CountingRule.FIRST_IN_ROW])
def test_first_events_of_several_patients_are_not_said_to_be_of_one(
    tmp_path: Path, counting: CountingRule
) -> None:
    release = exact(tmp_path, 3, counting=counting)

    assert "one patient" not in str(release.meta["warnings"])


def test_rows_of_one_patient_among_others_are_said(tmp_path: Path) -> None:
    rows = exact(tmp_path / "rows", 3, group_by=("drug",))
    all_together = exact(tmp_path / "all", 3)

    assert "Quasi" in str(rows.meta["method"])
    assert "Rows of one patient" in str(rows.meta["warnings"])
    assert "one patient" not in str(all_together.meta["warnings"])


@pytest.mark.parametrize("ordering", [(), ("-drug",), ("-events",)])
def test_clusters_are_told_in_the_order_of_their_rows(
    tmp_path: Path, ordering: tuple[str, ...]
) -> None:
    release = exact(tmp_path, 4, group_by=("drug",), ordering=ordering)

    told: Any = release.meta["clusters"]
    assert [each["drug"] for each in told] == [row["drug"] for row in release.rows]
    assert len(told) == 2


# Curves ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "curves"),
    [(Measure.SURVIVAL, survival_curves), (Measure.INCIDENCE, incidence_curves)],
)
def test_limits_of_curves_are_those_of_the_jackknife_over_sites(
    asker: Asker, measure: Measure, curves: Callable[..., Any]
) -> None:
    plain, about = curves(asker.store, asker.question(measure))
    robust, told = curves(asker.store, asker.question(measure, cluster="site"))

    at = robust[1].numbers  # all events are in month 6, before which nobody left
    assert (at["time_months"], at["at_risk"], at["events"]) == (6, 60, 20)
    assert [each.numbers["estimate"] for each in robust] == [
        each.numbers["estimate"] for each in plain
    ]
    without = np.array([1 - (20 - 5 * (site % 3 == 0)) / 55 for site in range(SITES)])
    se = np.sqrt(11 / 12 * ((without - without.mean()) ** 2).sum())
    own = 2 / 3 if measure is Measure.SURVIVAL else 1 / 3
    wide = -stdtrit(11, 0.025) * se / (own * -np.log(own))
    assert at["ci_lower"] == pytest.approx(own ** np.exp(wide), rel=1e-9)
    assert at["ci_upper"] == pytest.approx(own ** np.exp(-wide), rel=1e-9)
    alone = kaplan_meier([6] * 60, [1] * 20 + [0] * 40)
    assert told["curves"][0]["standard_errors"]["of_independent_devices"] == pytest.approx(
        alone.se[0], rel=1e-9
    )
    assert told["curves"][0]["robust_to"] == "sites"
    assert told["curves"][0]["standard_errors"]["robust_to_sites"] == pytest.approx(se, rel=1e-9)
    # the widest limits are the default, and here those of sites are
    assert (plain, about["curves"]) == (robust, told["curves"])


def test_restricted_mean_has_limits_of_the_sites_too(asker: Asker) -> None:
    few = {"where": (("site", tuple(f"S{n}" for n in range(9))),)}
    (independent,), (robust,) = (
        survival_curves(asker.store, asker.question(Measure.SURVIVAL, **asked))[1]["curves"]
        for asked in (few, {})
    )

    ours, theirs = (
        each["restricted_mean"]["ci_upper"] - each["restricted_mean"]["mean_months"]
        for each in (robust, independent)
    )
    assert ours > 1.1 * theirs  # though it is of a third more devices
    assert robust["landmarks"][0]["ci_lower"] < independent["landmarks"][0]["ci_lower"]


def test_curves_of_sites_or_of_few_have_their_own_limits(asker: Asker) -> None:
    few = (("site", tuple(f"S{n}" for n in range(9))),)
    for asked in ({"group_by": ("site",)}, {"where": few}):
        plain, _ = survival_curves(asker.store, asker.question(Measure.SURVIVAL, **asked))
        robust, told = survival_curves(
            asker.store, asker.question(Measure.SURVIVAL, cluster="site", **asked)
        )
        assert robust == plain, asked
        drawn = [each for each in told["curves"] if each["starts_at_months"] is not None]
        assert all(each["robust_to"] == "nothing" for each in drawn)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Asker:
    """Fifteen patients with three pumps each, one site; of five all three flip, of others none."""
    implants, events = [], []
    for patient in range(15):
        for place in range(3):
            name = f"{patient}-{place}"
            implants.append(implant(name, patient=f"p{patient}", implant_year=2012 + place))
            if patient % 3 == 0:
                events.append(event(f"e{name}", on=name, months_since_implant=6 + place))
    return Asker(tmp_path_factory.mktemp("shared"), implants=implants, events=events)


@pytest.mark.parametrize(
    ("measure", "curves"),
    [(Measure.SURVIVAL, survival_curves), (Measure.INCIDENCE, incidence_curves)],
)
@pytest.mark.parametrize("cluster", [None, "patient", "site"])
def test_limits_of_curves_are_robust_to_patients(
    shared: Asker, measure: Measure, curves: Callable[..., Any], cluster: str | None
) -> None:
    rows, told = curves(shared.store, shared.question(measure, cluster=cluster))

    at = rows[3].numbers  # month 8: all fifteen events are there, of five patients in fifteen
    assert (at["time_months"], at["events"]) == (8, 5)
    # nobody left before: a patient adds own events less the share of all, over all devices
    se = np.sqrt((5 * (3 - 1) ** 2 + 10 * 1) * 15 / 14) / 45
    own = 2 / 3 if measure is Measure.SURVIVAL else 1 / 3
    wide = 1.959963984540054 * se / (own * -np.log(own))
    assert at["ci_lower"] == pytest.approx(own ** np.exp(wide), rel=1e-9)
    assert at["ci_upper"] == pytest.approx(own ** np.exp(-wide), rel=1e-9)
    (about,) = told["curves"]
    assert about["robust_to"] == "patients"
    assert about["standard_errors"]["robust_to_patients"] == pytest.approx(se, rel=1e-9)
    assert about["standard_errors"]["of_independent_devices"] < 0.65 * se


def test_patients_alone_leave_sites_out(asker: Asker) -> None:
    rows, told = survival_curves(asker.store, asker.question(Measure.SURVIVAL, cluster="patient"))
    by_sites, _ = survival_curves(asker.store, asker.question(Measure.SURVIVAL, cluster="site"))

    (about,) = told["curves"]
    assert about["robust_to"] == "nothing"  # each patient has one pump
    assert about["standard_errors"]["robust_to_sites"] is None
    assert rows[1].numbers["ci_lower"] > by_sites[1].numbers["ci_lower"]
