"""What a form greys before it is asked, and how many rows it says will be told."""

import json

import pytest
from django.http import QueryDict

from registry import reporting
from registry.answers.combining import Combining
from registry.answers.page_question import is_answered
from registry.answers.question_form import QuestionForm
from registry.answers.sides import is_protected
from registry.answers.told_before import told_before
from registry.records import Viewer
from registry.vocabulary import Measure

RESEARCHER = Viewer(label="researcher")
MEMBER = Viewer(label="site-staff", exact_sites=frozenset({"TAIRA-A"}))


@pytest.fixture
def combining(released):
    return Combining({each["name"]: each for each in reporting.dimensions(RESEARCHER)})


def form_of(address, *, protected=True):
    params = QueryDict(address)
    return QuestionForm(params, RESEARCHER, measure=Measure.RATES, protected=protected)


def test_a_dimension_that_stands_with_nothing_asked_has_its_reason(combining):
    assert combining.why_not("sex", ["drug"]) == "not together with drug in protected numbers"
    assert combining.why_not("sex", ["drug", "year_min"]) == (
        "not together with drug and calendar year in protected numbers"
    )
    assert combining.why_not("sex", ["category"]) == ""
    assert combining.why_not("category", ["site"]) == ""
    assert combining.why_not("drug_class", ["drug"]) == ""
    assert combining.why_not("state", ["drug"]) == ""  # not offered at all


def test_exactly_what_is_greyed_is_refused(combining):
    data, wrong = combining.as_data(), []
    for one in ("category", "drug", "site", "year"):
        for other in set(data) - {one, *data[one]["kin"]}:
            params = QueryDict(f"measure=counts&group_by={one},{other}")
            if is_answered(params, RESEARCHER) == bool(combining.why_not(other, [one])):
                wrong.append((one, other))

    assert wrong == []


def test_a_form_greys_what_cannot_stand_beside_what_is_asked(released):
    form = form_of("group_by=drug")

    [_first, second, _third] = form.groups
    reasons = {name: why for name, _title, _chosen, why in second[3]}
    assert reasons["sex"] == "not together with drug in protected numbers"
    assert reasons["category"] == ""
    boxes = {box.name: box for _title, of in form.further for box in of}
    assert boxes["sex"].field.widget.attrs["disabled"]
    assert boxes["sex"].help_text == "Not together with drug in protected numbers."
    assert json.loads(form.combining_data)["sex"]["beside"] == ["complication", "category"]


def test_an_exact_form_greys_nothing(released):
    form = form_of("group_by=drug", protected=False)

    assert form.combining_data == ""
    assert not any(why for box in form.groups for *_rest, why in box[3])


@pytest.mark.parametrize(
    ("viewer", "address", "beside", "protected"),
    [
        (RESEARCHER, "", False, True),
        (MEMBER, "", False, True),
        (MEMBER, "site=TAIRA-A", False, False),
        (MEMBER, "site=TAIRA-A,TAIRA-B", False, True),
        (MEMBER, "", True, False),
        (Viewer(exact_everywhere=True), "", False, False),
    ],
)
def test_only_pages_without_an_exact_answer_are_protected(viewer, address, beside, protected):
    assert is_protected(QueryDict(address), viewer, beside=beside) is protected


def test_how_many_rows_are_told_is_said_before_they_are_looked_at(released):
    assert told_before(QueryDict("measure=counts&group_by=sex"), RESEARCHER).endswith(
        "rows are told."
    )
    refused = told_before(QueryDict("measure=counts&group_by=sex,drug"), RESEARCHER)
    assert refused.startswith("This level of detail is not available.")
    assert told_before(QueryDict("measure=zzqzz"), RESEARCHER) == ""
