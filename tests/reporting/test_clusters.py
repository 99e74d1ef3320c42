"""Rates' limits are robust to sites, where there are ten or more that differ."""

import pytest

from registry.reporting.estimating.cells import rate_cells
from registry.reporting.estimating.clusters import clusters_of
from registry.statistics.rates import ClusterSums, quasi_poisson_interval, site_dispersion
from registry.vocabulary import CountingRule, Measure
from tests.reporting.asking import Asker
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


def test_rates_of_other_measures_are_not_widened(asker: Asker) -> None:
    question = asker.question(Measure.RATES, counting=FIRST)

    (row,) = rate_cells(asker.store, question, per=100)

    assert "dispersion_sites" not in row.numbers
