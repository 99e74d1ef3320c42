"""A question taken to another measure, and what of it stays behind."""

import pytest
from django.http import QueryDict

from registry import reporting
from registry.answers.fitting import NOUNS, OPTIONS, fitted_for, fitted_to
from registry.records import Viewer

EXACT = Viewer(exact_everywhere=True, label="reviewer")
RATES = "measure=rates&unit=refills&per=100&level=0.99&group_by=category,sex,year&ordering=-rate"


def fitted(address, measure, viewer=EXACT):
    [offer] = [each for each in reporting.offers(viewer) if each.measure.value == measure]
    return fitted_to(QueryDict(address), offer)


@pytest.mark.parametrize(
    ("measure", "kept", "left_out"),
    [
        ("rates", RATES, []),
        (
            "survival",
            "level=0.99&measure=survival&group_by=sex",
            [
                *(
                    "the denominator",
                    "the multiple of the denominator",
                    "the grouping by complication category",
                ),
                *("the grouping by calendar year", "the order"),
            ],
        ),
        (
            "counts",
            "measure=counts&group_by=category,sex,year",
            [
                "the denominator",
                "the multiple of the denominator",
                "the confidence level",
                "the order",
            ],
        ),
        (
            "trend",
            "unit=refills&per=100&level=0.99&measure=trend&group_by=year&ordering=-rate",
            ["the grouping by complication category", "the grouping by sex"],
        ),
    ],
)
def test_what_a_measure_does_not_take_is_left_out_and_named(measure, kept, left_out):
    found = fitted(RATES, measure)

    assert dict(found.params.lists()) == dict(QueryDict(kept).lists())
    assert sorted(found.left_out) == sorted(left_out)


def test_a_curve_has_no_calendar_and_no_window():
    found = fitted("year_min=2015&period=2015-2019&window=0-3&sex=female", "survival")

    assert dict(found.params.items()) == {"sex": "female", "measure": "survival"}
    assert found.left_out == [
        "the filter from year",
        "the filter five-year period",
        "the filter months since implant",
    ]


def test_counting_stays_where_the_viewer_may_have_it():
    researcher = Viewer(label="researcher")

    assert fitted("counting=devices", "signals", researcher).params["counting"] == "devices"
    assert "counting" not in fitted("counting=devices", "rates", researcher).params


def test_a_name_that_is_no_dimension_stays_to_be_refused():
    assert fitted("group_by=sexx,sex", "survival").params["group_by"] == "sexx,sex"


def test_what_its_asker_is_not_told_is_left_out_as_well():
    [offer] = [each for each in reporting.offers(EXACT) if each.measure.value == "signals"]

    found = fitted_for(
        QueryDict("counting=devices&group_by=drug"),
        offer,
        is_answered=lambda params: "category" in params.get("group_by", ""),
    )

    assert dict(found.params.items()) == {
        "measure": "signals",
        "counting": "devices",
        "group_by": "drug,category",
    }
    assert found.left_out == ["the detail by complication"]


def test_a_denominator_that_its_asker_is_not_given_is_left_out():
    [offer] = [each for each in reporting.offers(EXACT) if each.measure.value == "funnel"]

    found = fitted_for(
        QueryDict("unit=refills&per=100"), offer, is_answered=lambda params: "unit" not in params
    )

    assert dict(found.params.items()) == {"measure": "funnel", "per": "100"}
    assert found.left_out == ["the denominator"]


def test_every_option_is_a_noun_of_a_sentence():
    assert set(NOUNS) >= set(OPTIONS)
    assert not [said for said in NOUNS.values() if not said.startswith("the ")]
