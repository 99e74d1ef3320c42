"""The question in an address, and what of it a measure has no place for."""

import pytest
from django.http import QueryDict

from registry.answers.page_question import api_address, read_page_question
from registry.answers.question_form import QuestionForm
from registry.records import BadQuery, Viewer
from registry.vocabulary import Measure
from tests.questions import CODES
from tests.questions import EXACT as QUESTIONS

pytestmark = pytest.mark.django_db

EXACT = Viewer(exact_everywhere=True, label="reviewer")
RESEARCHER = Viewer(label="researcher")
SEX = "the grouping by sex"


def read(address, viewer=EXACT):
    return read_page_question(QueryDict(address), viewer)


def test_nothing_asked_is_rates_by_category():
    found = read("")

    assert (found.measure, found.query.group_by) == (Measure.RATES, ("category",))


def test_the_api_is_asked_the_same_without_what_the_page_alone_reads():
    found = read("measure=counts&group_by=sex&group_by=&group_by=drug&drug=baclofen")

    assert api_address(found.measure, found.params) == (
        "/api/v1/statistics/counts/?drug=baclofen&group_by=sex,drug&labels=both"
    )
    assert found.query.group_by == ("sex", "drug")


def test_codes_that_are_asked_for_stay_codes():
    assert read("measure=counts&labels=code").query.labels == "code"


@pytest.mark.parametrize(
    ("address", "kept", "dropped"),
    [
        ("measure=rates&group_by=sex", ("sex",), []),
        ("measure=trend&group_by=sex", (), [SEX]),
        ("measure=funnel&group_by=drug,sex", (), ["the grouping by drug", SEX]),
        ("measure=signals&group_by=drug,category", ("drug", "category"), []),
        ("measure=signals&group_by=category,drug,sex", ("drug", "category"), [SEX]),
        ("measure=signals&group_by=drug,pump_model", ("drug",), ["the grouping by pump model"]),
        ("measure=cascades&group_by=sex,category", ("category",), [SEX]),
    ],
)
def test_groupings_of_another_measure_are_left_out_and_told(address, kept, dropped):
    found = read(address)

    assert found.query.group_by == kept
    assert found.dropped == dropped


def test_a_grouping_that_does_not_exist_is_refused_even_where_none_is_taken():
    with pytest.raises(BadQuery) as refused:
        read("measure=trend&group_by=sexx")

    assert refused.value.faults[0].column == "group_by"


@pytest.mark.parametrize("address", ["measure=zzqzz", "measure=counts&measure=rates"])
def test_an_unknown_measure_is_refused_with_those_that_one_may_ask(address):
    with pytest.raises(BadQuery) as exact:
        read(address)
    with pytest.raises(BadQuery) as protected:
        read(address, RESEARCHER)

    assert "coverage" in exact.value.faults[0].detail
    assert "coverage" not in protected.value.faults[0].detail
    assert "zzqzz" not in str(exact.value)


@pytest.mark.parametrize("label", QUESTIONS)
def test_what_was_asked_is_said_without_a_name_of_a_parameter(label):
    params = QueryDict(QUESTIONS[label])
    form = QuestionForm(params, EXACT, measure=Measure(CODES[label]), protected=False)

    said = " ".join(f"{title}: {words}" for title, words in form.in_words(params))

    assert said
    assert "_" not in said


def test_all_others_are_rows_of_every_grouping_to_compare_with():
    found = read("measure=comparison&group_by=sex&reference=others")

    assert (found.query.reference, found.dropped) == ("others", [])
    assert read("measure=comparison&group_by=sex&reference=isomed").dropped == [
        "the row to compare with"
    ]


def test_the_form_offers_all_others_to_compare_with():
    params = QueryDict("measure=comparison&group_by=sex&reference=others")

    form = QuestionForm(params, EXACT, measure=Measure.COMPARISON)

    (box,) = [each for each in form.options if each.name == "reference"]
    assert box.field.widget.choices[:2] == [
        ("", "The one with the most exposure"),
        ("others", "All others together, for each"),
    ]
