"""The admin's start page: it greets by role and counts the reader's own work."""

import pytest
from django.utils import timezone

from registry.answers import waiting as answers_waiting
from registry.intake import record_event
from registry.records import RawReport, RowKind
from registry.vocabulary import Role
from tests.factories import (
    ComplicationFactory,
    EventFactory,
    ImplantFactory,
    PatientFactory,
    SiteFactory,
    UserFactory,
)

LIST = "/admin/registry/event/"
QUERIES = 23  # session, user, roles, places, sites, lead, ten counts, three of rounds, two devices


@pytest.fixture
def events(own_site):
    """Two drafts and one submitted event of the own site, and one of each elsewhere."""
    other = SiteFactory(code="OTHER-2")
    for state, site in [
        ("draft", own_site),
        ("draft", own_site),
        ("submitted", own_site),
        ("draft", other),
        ("submitted", other),
    ]:
        EventFactory(site=site, state=state)


def waiting(answer):
    return {one.words: one.number for one in answer.context["waiting"]}


def test_a_reporter_sees_the_drafts_of_the_own_site_only(events, reporter, signed_in):
    answer = signed_in(reporter).get("/admin/")

    assert waiting(answer) == {
        "drafts of yours": 0,
        "events returned with a question": 0,
        "events rejected, with the reason": 0,
        "events with an open query": 0,
        "implants with an open query": 0,
        "drafts of your site": 2,
        "event of your site under review": 1,
        "implants without follow-up for a year": 0,
        "implants behind in round 1 of OWN-1": 0,
    }
    assert "you are here as site staff" in answer.text
    assert f'href="{LIST}?state=draft"' in answer.text


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.DATA_MANAGER])
def test_whoever_judges_sees_what_is_to_review(role, events, signed_in):
    answer = signed_in(UserFactory(roles=[role])).get("/admin/")

    assert waiting(answer)["events to review"] == 2
    assert f'href="{LIST}?queue=to-review"' in answer.text
    assert f"you are here as {role.label.lower()}" in answer.text


@pytest.mark.parametrize(("most", "said"), [(2, "2"), (1, "more than 1")])
def test_a_long_queue_is_counted_so_far(most, said, events, signed_in, monkeypatch):
    monkeypatch.setattr(answers_waiting, "MOST_COUNTED", most)

    answer = signed_in(UserFactory(roles=[Role.REVIEWER])).get("/admin/")

    (told,) = (one for one in answer.context["waiting"] if "to-review" in one.address)
    assert told.counted == said
    assert f"<strong>{said}</strong> events to review" in answer.text


def test_a_draft_counts_as_mine_for_who_wrote_it(own_site, reporter, lead, signed_in):
    ComplicationFactory()
    values = {"site": "OWN-1", "complication": "catheter-migration"}
    record_event(RawReport(RowKind.EVENT, values), by=reporter)

    mine = waiting(signed_in(reporter).get("/admin/"))
    theirs = waiting(signed_in(lead).get("/admin/"))

    assert (mine["draft of yours"], mine["draft of your site"]) == (1, 1)
    assert (theirs["drafts of yours"], theirs["draft of your site"]) == (0, 1)


def test_follow_up_and_device_time_that_are_missing_wait_for_the_site(
    own_site, other_site, reporter, lead, manager, signed_in
):
    for site in (own_site, other_site):
        last = timezone.now().year - 1
        ImplantFactory(patient=PatientFactory(site=site), implant_year=last - 1, months_followed=1)

    of_reporter = waiting(signed_in(reporter).get("/admin/"))
    of_lead = waiting(signed_in(lead).get("/admin/"))
    of_manager = waiting(signed_in(manager).get("/admin/"))

    assert of_reporter["implant without follow-up for a year"] == 1
    assert not any("device time" in words for words in of_reporter)
    # last year's pumps, and two years of catheters
    assert of_lead["years of a component without device time"] == 3
    assert of_manager["implants without follow-up for a year"] == 2
    assert of_manager["years of a component without device time"] == 6


def test_what_is_missing_leads_to_where_it_is_given(own_site, lead, signed_in):
    client = signed_in(lead)

    for one in client.get("/admin/").context["waiting"]:
        assert client.get(one.address).status_code == 200


@pytest.mark.parametrize(
    ("who", "offered"),
    [
        ("reporter", "Enter an event"),
        ("reviewer", "Statistics"),
        ("auditor", "Read the history"),
    ],
)
def test_the_page_opens_with_what_the_role_does_first(who, offered, request, signed_in):
    answer = signed_in(request.getfixturevalue(who)).get("/admin/")

    assert answer.context["doors"][0].words == offered
    assert f">{offered}</a>" in answer.text


def test_an_auditor_is_led_to_no_statistics(auditor, signed_in):
    doors = signed_in(auditor).get("/admin/").context["doors"]

    assert "Statistics" not in [door.words for door in doors]


def test_a_lead_is_greeted_as_lead(lead, signed_in):
    assert "you are here as site staff (lead)" in signed_in(lead).get("/admin/").text


def test_a_reviewer_does_not_judge_the_own_site(events, own_site, signed_in):
    reviewer = UserFactory(roles=[Role.REVIEWER, Role.SITE_STAFF], sites=[own_site])

    assert waiting(signed_in(reviewer).get("/admin/"))["event to review"] == 1


def test_an_auditor_has_no_events_waiting(events, signed_in):
    answer = signed_in(UserFactory(roles=[Role.AUDITOR])).get("/admin/")

    assert waiting(answer) == {}
    assert "you are here as auditor" in answer.text


def test_the_first_superuser_is_greeted_as_data_manager(events, signed_in):
    answer = signed_in(UserFactory(is_superuser=True)).get("/admin/")

    assert "you are here as data manager" in answer.text


def test_strangers_are_led_to_sign_in(client, db):
    assert client.get("/admin/")["Location"] == "/admin/login/?next=/admin/"


def test_the_greeting_takes_as_many_queries_however_much_waits(
    events, reporter, own_site, signed_in, django_assert_num_queries
):
    client = signed_in(reporter)
    client.get("/admin/")
    with django_assert_num_queries(QUERIES):
        client.get("/admin/")

    EventFactory(site=own_site, state="draft")
    with django_assert_num_queries(QUERIES):
        assert waiting(client.get("/admin/"))["drafts of your site"] == 3
