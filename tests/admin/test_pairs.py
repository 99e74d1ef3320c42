"""Possible duplicates: warned of, flagged, compared, decided; one form is one event."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from registry.models import DuplicateCandidate, Event, IdempotencyKey, sealed
from tests.factories import ComplicationFactory, EventFactory, ImplantFactory

ADD = "/admin/registry/event/add/"
LIST = "/admin/registry/event/"


def page(event):
    return reverse("admin:registry_event_change", args=[event.public_id])


def pair_page(pair):
    return reverse("admin:registry_pair_page", args=[pair.public_id])


@pytest.fixture
def catheter(own_site):
    return ImplantFactory(patient__site=own_site, source_id="k-1", catheter=True)


@pytest.fixture
def stored(catheter):
    return EventFactory(implant=catheter, source_id="first", state="submitted")


@pytest.fixture
def pair(catheter, stored):
    second = EventFactory(implant=catheter, source_id="second", state="submitted", severity=3)
    with sealed(by=None, action="test") as seal:
        made = DuplicateCandidate(
            site=catheter.site, first=stored, second=second, reasons=["same-complication"]
        )
        seal.save(made)
    return made


def answers(catheter, **more):
    return {
        "site": "OWN-1",
        "complication": "catheter-migration",
        "implant": str(catheter.public_id),
        "year": "2011",
        "months_since_implant": "12",
        "_save": "1",
        **more,
    }


def test_a_report_that_may_repeat_another_is_warned_of_and_kept(
    stored, catheter, reporter, signed_in
):
    client = signed_in(reporter)

    warned = client.post(ADD, answers(catheter))
    assert "This may be an event that was reported already" in warned.text
    assert page(stored) in warned.text
    assert 'value="12"' in warned.text  # nothing typed is lost
    assert Event.objects.count() == 1

    client.post(ADD, answers(catheter, _told_alike=f"{stored.public_id} "))
    assert Event.objects.count() == 2
    assert DuplicateCandidate.objects.open().get().first == stored


def test_being_told_of_one_report_is_not_being_told_of_another(
    stored, catheter, reporter, signed_in
):
    client = signed_in(reporter)
    EventFactory(implant=catheter, source_id="other", state="submitted")

    client.post(ADD, answers(catheter, _told_alike=f"{stored.public_id} "))

    assert Event.objects.count() == 2


def test_an_event_like_no_other_is_stored_at_once(stored, catheter, reporter, signed_in):
    signed_in(reporter).post(ADD, answers(catheter, months_since_implant="20"))

    assert Event.objects.count() == 2
    assert not DuplicateCandidate.objects.exists()


def test_the_reviewers_list_flags_and_filters_possible_duplicates(
    pair, catheter, reviewer, signed_in
):
    EventFactory(implant=catheter, source_id="alone", state="submitted", year=2015)
    client = signed_in(reviewer)

    text = client.get(LIST).text
    assert text.count("may repeat another") == 2
    flags = re.findall(r'<td class="field-may_repeat">(.*?)</td>', text)
    assert sorted(flags) == ["may repeat another", "may repeat another", "no"]
    listed = client.get(LIST, {"alike": "yes"}).context["cl"].result_list
    assert {event.source_id for event in listed} == {"first", "second"}


@pytest.mark.parametrize("who", ["reporter", "reviewer"])
def test_the_page_of_an_event_links_the_comparison(who, pair, request, signed_in):
    html = signed_in(request.getfixturevalue(who)).get(page(pair.second)).text

    assert f'href="{pair_page(pair)}"' in html
    assert "Compare with first" in html


def test_two_reports_stand_side_by_side_with_what_differs(pair, reviewer, signed_in):
    answer = signed_in(reviewer).get(pair_page(pair))

    rows = {row.title: row for row in answer.context["rows"]}
    assert (rows["Severity"].first, rows["Severity"].second) == ("2 Moderate", "3 Severe")
    assert rows["Severity"].differs
    assert not rows["Year"].differs
    assert "Root cause" not in rows  # both blank
    assert "Source id" not in rows  # differs always
    assert "Same patient, same complication, at most a month apart" in answer.text


def test_a_reviewer_says_that_they_are_two_events(pair, reviewer, signed_in):
    answer = signed_in(reviewer).post(pair_page(pair), follow=True)

    assert "These are kept as two events" in answer.text
    assert DuplicateCandidate.objects.get().decision == "different"
    again = signed_in(reviewer).post(pair_page(pair), follow=True)
    assert "This pair is decided already" in again.text


def test_a_reviewer_says_that_they_are_one_event(pair, reviewer, signed_in):
    client = signed_in(reviewer)
    html = client.get(pair_page(pair)).text
    assert "One event: second repeats first" in html
    assert "One event: first repeats second" in html

    client.post(
        reverse("admin:registry_event_step", args=["duplicate"]),
        {
            "event": f"{pair.second.public_id}:{pair.second.version}",
            "of": str(pair.first.public_id),
            "confirmed": "1",
        },
    )

    pair.second.refresh_from_db()
    assert (pair.second.state, pair.second.duplicate_of) == ("duplicate", pair.first)
    assert not DuplicateCandidate.objects.open().exists()


def test_the_site_sees_the_pair_and_decides_nothing(pair, reporter, signed_in):
    client = signed_in(reporter)

    html = client.get(pair_page(pair)).text
    assert "A reviewer from elsewhere decides" in html
    assert '<button class="button">Two different events' not in html
    client.post(pair_page(pair))
    assert DuplicateCandidate.objects.get().decision == ""


def test_another_sites_pair_is_not_found(pair, other_site, reporter, signed_in):
    ComplicationFactory(code="catheter-kink")
    theirs = EventFactory(site=other_site), EventFactory(site=other_site)
    with sealed(by=None, action="test") as seal:
        made = DuplicateCandidate(
            site=other_site, first=theirs[0], second=theirs[1], reasons=["same-details"]
        )
        seal.save(made)

    client = signed_in(reporter)
    assert client.get(pair_page(made)).status_code == 404
    assert client.post(pair_page(made)).status_code == 404


def test_the_empty_form_has_a_token_of_its_own(catheter, reporter, signed_in):
    client = signed_in(reporter)

    tokens = {client.get(ADD).context["form_token"] for _ in range(2)}

    assert len(tokens) == 2


def test_two_posts_of_one_form_are_one_event(catheter, reporter, signed_in):
    ComplicationFactory()
    client = signed_in(reporter)
    sent = answers(catheter, _form="token-of-this-form")

    first, second = client.post(ADD, sent), client.post(ADD, sent)

    assert (first.status_code, second.status_code) == (302, 302)
    assert Event.objects.count() == 1


def test_one_form_with_other_answers_is_refused_and_keeps_them(catheter, reporter, signed_in):
    ComplicationFactory()
    client = signed_in(reporter)
    client.post(ADD, answers(catheter, _form="token"))

    again = client.post(ADD, answers(catheter, months_since_implant="20", _form="token"))

    assert "This form was stored already" in again.text
    assert 'value="20"' in again.text
    assert Event.objects.count() == 1


def test_a_token_is_good_for_a_day(catheter, reporter, signed_in):
    ComplicationFactory()
    client = signed_in(reporter)
    client.post(ADD, answers(catheter, _form="token"))
    long_ago = timezone.now() - timedelta(hours=25)
    IdempotencyKey.objects.update(created_at=long_ago)

    client.post(ADD, answers(catheter, months_since_implant="20", _form="token"))

    assert Event.objects.count() == 2


def test_two_forms_are_two_events(catheter, reporter, signed_in):
    ComplicationFactory()
    client = signed_in(reporter)

    client.post(ADD, answers(catheter, _form="one"))
    client.post(ADD, answers(catheter, months_since_implant="20", _form="two"))

    assert Event.objects.count() == 2
