"""What can be asked instead of a question that is finer than is given out."""

import pytest
from django.http import QueryDict

from registry import reporting
from registry.answers.alternatives import alternatives
from registry.answers.answered import reply_to
from registry.answers.page_question import read_page_question
from registry.records import Viewer
from registry.reporting.asking import freshness
from tests.factories import EventFactory
from tests.reporting.registry_rows import import_cohort

pytestmark = pytest.mark.django_db

RESEARCHER = Viewer(label="researcher")
EXACT = Viewer(label="reviewer", exact_everywhere=True)


def instead_of(address):
    return alternatives(QueryDict(address), RESEARCHER)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("severity=3,4", "severity 3 alone"),
        ("severity=3,4", "without the filter severity"),
        ("year_min=2016&year_max=2018", "the years 2015-2019"),
        ("year_min=2016&year_max=2018", "of all years"),
        ("measure=counts&counting=events", "counted as usual"),
        ("measure=comparison&category=pump&group_by=sex&adjust=age_band", "without adjustment"),
        ("measure=rates&group_by=category&cluster=site", "with the usual limits"),
        ("group_by=category,sex,drug&outcome=fatal", "without drug and outcome"),
        ("group_by=category,sex,drug&outcome=fatal", "without sex and drug"),
        ("category=pump&group_by=sex&drug=morphine", "without drug"),
        ("group_by=site,complication", "by complication category instead of complication"),
        ("group_by=seriousness", "without the grouping by seriousness criterion"),
        ("measure=coverage", "rates of the same selection"),
        ("measure=incidence", "counts of the same selection"),
    ],
)
def test_the_nearest_questions_are_named(address, words, released):
    assert words in [each.words for each in instead_of(address)]


@pytest.mark.parametrize(
    "address",
    [
        "severity=3,4",
        "group_by=category,sex,drug&outcome=fatal",
        "group_by=site,drug&seriousness=death",
        "measure=coverage",
        "window=0-3&implant_year=2010&country=JP",
    ],
)
def test_whatever_is_offered_is_answered(address, released):
    found = instead_of(address)

    assert 1 <= len(found) <= 5
    assert len({each.params for each in found}) == len(found)
    for each in found:
        question = read_page_question(QueryDict(each.params), RESEARCHER)
        assert reporting.answer(question.query, measure=question.measure, viewer=RESEARCHER)


def test_what_is_offered_says_nothing_of_the_data(released):
    address = "group_by=site,drug&seriousness=death"
    before = instead_of(address)
    EventFactory()  # another site, and another complication
    freshness.publish("2027Q1")

    assert instead_of(address) == before


def test_where_nothing_is_published_nothing_is_offered(tmp_path, settings):
    settings.REGISTRY_VAR = tmp_path
    import_cohort()

    assert instead_of("severity=3,4") == []


def test_months_without_a_denominator_lead_to_the_same_per_device_month(released):
    # the cohort's one procedure a pump was its implantation
    params = QueryDict("measure=rates&category=infection&window=13-36")
    question = read_page_question(params, EXACT)

    reply = reply_to(question, viewer=EXACT, absolute=str, params=params)

    assert [each.words for each in reply.instead] == [
        "the same per pump-months",
        "the same per catheter-months",
    ]
    for instead in reply.instead:
        other = read_page_question(QueryDict(instead.params), EXACT)
        assert reply_to(other, viewer=EXACT, absolute=str).instead == ()


def test_an_answer_that_divides_by_something_stands_alone(released):
    question = read_page_question(QueryDict("category=infection"), RESEARCHER)

    assert reply_to(question, viewer=RESEARCHER, absolute=str).instead == ()
