"""Published figures beside ours: only where measure and unit are the same."""

from types import SimpleNamespace

import pytest

from registry.answers.asking import Panel
from registry.dashboard.literature import beside, comparison_of, short_source
from registry.records import EventQuery, Release
from registry.reporting.estimating.literature import BESIDE_RATES
from registry.vocabulary import Measure


def published(**columns):
    return SimpleNamespace(
        **{
            "measure_type": "proportion",
            "unit": "patients",
            "numerator": 34,
            "denominator": 400,
            "source": "Taira et al, Neuromodulation 2013;16:266, doi:10.1111/ner.12010",
            "population": "severe spasticity, Japan",
            "metric": "any catheter problem",
            "note": "",
            "confidence": "source-seen",
            "therapy": "baclofen",
            "age_group": "not-stated",
            **columns,
        }
    )


@pytest.mark.parametrize(
    ("measure_type", "unit"),
    [
        ("proportion", "procedures"),
        ("proportion", "implants"),
        ("proportion", "patients imaged"),
        ("prevalence", "patients"),
        ("share", "complications"),
        ("rate", "patient-months"),
        ("survival", "pumps"),
    ],
)
def test_unlike_numbers_do_not_stand_beside_our_proportion(measure_type, unit):
    rates = [published(measure_type=measure_type, unit=unit)]

    assert beside(rates, measure=Measure.PROPORTIONS) == []


def test_a_proportion_of_patients_stands_beside_ours_with_wilsons_limits():
    [figure] = beside([published()], measure=Measure.PROPORTIONS)

    # 34 of 400: Wilson 6.15 to 11.64 %
    assert (figure.value_words, figure.limits_words) == ("8.5 %", "6.15 to 11.64 %")
    assert figure.counts == "34 of 400 patients"
    assert figure.label == "Taira et al 2013"


@pytest.mark.parametrize("missing", [{"numerator": None}, {"denominator": None}])
def test_a_number_without_its_counts_has_no_limits_and_is_left_out(missing):
    assert beside([published(**missing)], measure=Measure.PROPORTIONS) == []


@pytest.mark.parametrize(
    ("published_unit", "ours", "times"),
    [
        ("pump-months", "pump-months", 1),
        ("pump-years", "pump-months", 12),
        ("catheter-months", "catheter-months", 1),
        ("pump-years", "catheter-months", None),
        ("patient-months", "catheter-months", None),
        ("therapy-years", "pump-months", None),
        ("pump-months", None, None),
    ],
)
def test_rates_compare_by_the_same_devices_time_alone(published_unit, ours, times):
    assert BESIDE_RATES.like("rate", published_unit, ours) == times


def test_a_rate_per_year_is_brought_to_our_months():
    rate = published(measure_type="rate", unit="pump-years", numerator=24, denominator=100)

    [figure] = beside([rate], measure=Measure.RATES, unit="pump-months")

    assert figure.value == pytest.approx(20.0)  # 24 in 1,200 pump-months, per 1,000
    assert figure.counts == "24 of 100 pump-years"


@pytest.mark.parametrize(
    ("source", "short"),
    [
        ("Taira et al, Neuromodulation 2013;16:266", "Taira et al 2013"),
        ("J Child Orthop 2019;13:529, doi:10.1302/1863", "J Child Orthop 2019"),
        ("Roberts et al 2001", "Roberts et al 2001"),
        ("Lioresal Intrathecal US PI", "Lioresal Intrathecal US…"),
        ("A very long title of a surveillance study", "A very long title of a…"),
    ],
)
def test_a_source_is_named_in_a_few_letters(source, short):
    assert short_source(source) == short


def answered(measure, **row):
    release = Release(meta={"profile": "exact"}, columns=(), rows=(row,))
    return Panel(EventQuery(), measure, release=release)


def test_ours_stands_beside_theirs_in_words_and_in_a_picture():
    panel = answered(
        Measure.PROPORTIONS,
        numerator=20,
        denominator=400,
        proportion=0.05,
        ci_lower=0.0326,
        ci_upper=0.0759,
        status="ok",
    )

    made = comparison_of(panel, panel.rows[0], [published()])

    assert (made.ours_counts, made.ours_value) == ("20 of 400", "5 %")
    assert made.described == "This registry 5 %; Taira et al 2013 8.5 %"
    assert [mark.label for mark in made.picture.marks] == ["This registry", "Taira et al 2013"]
    assert made.remark == ""


def test_our_figure_that_is_hidden_for_another_reason_is_not_called_few():
    hidden = dict.fromkeys(["events", "exposure", "rate", "ci_lower", "ci_upper"])
    why = {"status": "hidden", "reason": "exposure"}
    panel = answered(Measure.RATES, **hidden, unit="pump-months", **why)

    made = comparison_of(panel, panel.rows[0], [])

    assert (made.ours_counts, made.ours_value) == ("hidden in hidden", "hidden")
    assert made.remark == "hidden: too little to divide by"


def test_our_hidden_figure_is_never_a_number():
    hidden = dict.fromkeys(["events", "exposure", "rate", "ci_lower", "ci_upper"])
    panel = answered(Measure.RATES, **hidden, unit="pump-months", status="suppressed")

    made = comparison_of(panel, panel.rows[0], [])

    assert (made.ours_counts, made.ours_value, made.ours_limits) == ("<11 in hidden", "hidden", "")
    assert (made.remark, made.picture) == ("suppressed", None)


def test_a_cohort_of_another_therapy_does_not_stand_beside_ours():
    rates = [published(), published(therapy="opioid", age_group="adult")]

    about = EventQuery(where=(("drug", ("baclofen",)),))
    (fitting,) = beside(rates, measure=Measure.PROPORTIONS, query=about)
    assert fitting.of == "baclofen"
    every = beside(rates, measure=Measure.PROPORTIONS, query=EventQuery())
    assert [each.of for each in every] == ["baclofen", "opioid, adult"]
