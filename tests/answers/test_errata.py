"""What a release tells otherwise than the one before it, of periods that were over then."""

from dataclasses import replace

from registry.answers.asking import Panel, Refused
from registry.answers.errata import errata_of, sentences_of
from registry.records import EventQuery
from registry.vocabulary import Measure
from tests.dashboard.panels import rate, rates

ABOUT = {"per": 1000, "receipt": "r"}
GONE = Refused(410, "warning", "This release is closed", "Ask the newest.", ())


def row(value, period="2015-2019", category="infection", **how):
    how = {"unit": "procedures", "category_label": category.title(), **how}
    return rate(value, category=category, period=period, **how)


def told(*rows, as_of="2026-11-30T12:00:00+00:00"):
    made = rates(rows, **{**ABOUT, "data_as_of": as_of})
    return replace(made, release=replace(made.release, meta={**made.meta, "measure": "rates"}))


def test_a_rate_outside_its_earlier_limits_is_changed_and_one_within_is_not():
    before = told(row(4.0), row(10.0, category="pump"))  # 3.6 to 4.4, 9 to 11
    now = told(row(4.5), row(10.9, category="pump"))

    found = errata_of("2026Q3", before, now)

    [changed] = found.changed
    assert (changed.category, changed.period) == ("Infection", "2015-2019")
    assert changed.before == "4 (3.6 to 4.4) per 1,000 procedures"
    assert changed.now == "4.5 (4.05 to 4.95) per 1,000 procedures"
    assert found.compared == 2
    said = " ".join(sentences_of(found))
    assert "Of 2 rates of a category in five years" in said
    assert "1 lies outside the limits that were told then" in said


def test_a_period_that_was_not_over_is_not_compared():
    before = told(row(4.0, "2020-2024"), as_of="2024-06-30T12:00:00+00:00")
    now = told(row(9.0, "2020-2024"))

    found = errata_of("2024Q2", before, now)

    assert (found.compared, found.changed, found.hidden, found.shown) == (0, [], [], [])
    assert "is told by both releases" in next(sentences_of(found))


def test_what_one_of_the_two_hides_is_named_without_a_number():
    hidden = row(None, status="suppressed")
    before = told(row(4.0), row(None, category="pump", status="suppressed"))
    now = told(hidden, row(10.0, category="pump"))

    found = errata_of("2026Q3", before, now)

    assert (found.compared, found.hidden, found.shown) == (
        0,
        ["Infection 2015-2019"],
        ["Pump 2015-2019"],
    )
    said = " ".join(sentences_of(found))
    assert "Told then and hidden now: Infection 2015-2019. Hidden then and" in said
    assert "told now: Pump 2015-2019." in said


def test_another_denominator_is_no_changed_rate():
    before, now = told(row(4.0)), told(row(9.0, unit="pump-months"))

    assert errata_of("2026Q3", before, now).changed == []


def test_a_refused_release_says_why_and_nothing_else():
    closed = Panel(EventQuery(), Measure.RATES, refused=GONE)

    found = errata_of("2019Q4", closed, told(row(4.0)))

    assert found.refused is GONE
    assert list(sentences_of(found)) == []
