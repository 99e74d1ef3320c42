"""Rates standardised directly: from rows written by hand."""

import pytest

from registry.records import BadQuery
from registry.reporting.estimating.standardised import standardised_cells
from registry.statistics.standardised import directly_standardised
from registry.vocabulary import CountingRule, Measure
from tests.reporting.asking import Asker
from tests.snapshot.rows import event, exposure, implant

EVENTS = CountingRule.EVENTS
OLD, YOUNG = "65-79", "18-39"


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Asker:
    """Site A has three young pumps and one old one, site B one and two; and one without sex."""
    mix = [("A", YOUNG), ("A", YOUNG), ("A", YOUNG), ("A", OLD), ("B", YOUNG), ("B", OLD)]
    mix.append(("B", OLD))
    implants = [
        implant(f"i{place}", site=site, age_band=band, sex="male" if place else "")
        for place, (site, band) in enumerate(mix)
    ]
    events = [
        event("e0", on="i0", site="A"),
        event("e1", on="i3", site="A"),
        event("e2", on="i5", site="B"),
        event("e3", on="i5", site="B", months_since_implant=9),
    ]
    declared = [exposure("x1", year=2010)]
    root = tmp_path_factory.mktemp("mix")
    return Asker(root, implants=implants, events=events, exposures=declared)


def asked(asker: Asker, **query: object):
    question = asker.question(Measure.RATES, **{"counting": EVENTS} | query)
    return {row.key: row.numbers for row in standardised_cells(asker.store, question, per=100)}


def test_rates_have_the_mix_of_the_whole_answer(asker: Asker) -> None:
    found = asked(asker, group_by=("site",), standardise=("age_band",))

    # 24 months a pump: four young and three old in all
    for site, (young, old) in {"A": ((1, 72), (1, 24)), "B": ((0, 24), (2, 48))}.items():
        events, time = zip(young, old, strict=True)
        dispersion = [1.0, 2.0 if site == "B" else 1.0]  # both of B's old events are one pump's
        expected = directly_standardised(events, time, (96, 72), per=100, dispersion=dispersion)
        row = found[site,]
        assert row["events"] == sum(events)
        assert row["exposure"] == sum(time)
        assert row["rate"] == pytest.approx(expected.rate)
        assert row["crude_rate"] == pytest.approx(100 * sum(events) / sum(time))
        assert (row["ci_lower"], row["ci_upper"]) == pytest.approx((expected.lower, expected.upper))


def test_first_events_end_the_time_of_their_strata(asker: Asker) -> None:
    found = asked(
        asker,
        counting=CountingRule.FIRST_EVENT,
        group_by=("site",),
        standardise=("age_band",),
    )

    assert (found["A",]["events"], found["A",]["exposure"]) == (2, 96 - 18 - 18)
    standard = 6 + 24 + 24 + 24, 6 + 6 + 24  # young and old, of both sites
    weights = [each / sum(standard) for each in standard]
    assert found["A",]["rate"] == pytest.approx(100 * (weights[0] / 54 + weights[1] / 6))


def test_answer_of_one_row_is_its_crude_rate(asker: Asker) -> None:
    (row,) = asked(asker, standardise=("age_band", "sex")).values()

    assert row["rate"] == pytest.approx(row["crude_rate"])


def test_row_without_time_in_a_stratum_is_refused(asker: Asker) -> None:
    with pytest.raises(BadQuery) as refusal:
        asked(asker, group_by=("site",), standardise=("sex",))

    (fault,) = refusal.value.faults
    assert (fault.column, fault.code) == ("standardise", "empty-stratum")


@pytest.mark.parametrize(
    "query",
    [
        {"group_by": ("age_band",), "standardise": ("age_band",)},
        {"standardise": ("severity",)},
        {"standardise": ("site",)},
    ],
)
def test_what_cannot_be_adjusted_for_is_refused(asker: Asker, query: dict) -> None:
    with pytest.raises(BadQuery) as refusal:
        asked(asker, **query)

    assert refusal.value.faults[0].code == "bad-standard"
