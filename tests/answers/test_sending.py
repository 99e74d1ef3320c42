"""A form that was sent, as the address of its question."""

import pytest
from django.test import RequestFactory

from registry.answers.sending import address_of_form
from registry.records import Viewer

EXACT = Viewer(exact_everywhere=True, label="reviewer")


def address_of(sent):
    return address_of_form(RequestFactory().get(f"/explore/?{sent}"), EXACT)


@pytest.mark.parametrize("sent", ["", "measure=rates&drug=", "per=100&measure=survival"])
def test_an_address_that_no_form_sent_is_left_as_it_is(sent):
    assert address_of(sent) is None


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        ("form_of=rates", "/explore/"),
        (
            "form_of=rates&measure=rates&group_by=sex&group_by=&group_by=drug&drug=&per=100",
            "/explore/?measure=rates&group_by=sex,drug&per=100",
        ),
        (
            "form_of=rates&measure=counts&drug=morphine&drug=baclofen,morphine&per=100",
            "/explore/?drug=morphine,baclofen&measure=counts",
        ),
        ("form_of=overview&level=0.99&sex=", "/explore/?level=0.99"),
        ("form_of=rates&measure=zzqzz&per=100", "/explore/?measure=zzqzz&per=100"),
    ],
)
def test_a_form_leads_to_its_question_without_what_is_empty(sent, address):
    assert address_of(sent) == address


def test_boxes_of_the_same_measure_are_kept_to_be_refused_by_name():
    assert address_of("form_of=survival&measure=survival&per=100") == (
        "/explore/?measure=survival&per=100"
    )
