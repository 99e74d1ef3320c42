"""The admin's start page: it greets by role and counts the reader's own work."""

import pytest

from registry.models import Role
from tests.factories import EventFactory, SiteFactory, UserFactory

LIST = "/admin/registry/event/"


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
    return {words: number for number, words, _address in answer.context["waiting"]}


def test_a_reporter_sees_the_drafts_of_the_own_site_only(events, reporter, signed_in):
    answer = signed_in(reporter).get("/admin/")

    assert waiting(answer) == {"drafts of your site": 2, "event of your site under review": 1}
    assert "you are here as site staff" in answer.text
    assert f'href="{LIST}?state=draft"' in answer.text


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.DATA_MANAGER])
def test_whoever_judges_sees_what_is_to_review(role, events, signed_in):
    answer = signed_in(UserFactory(roles=[role])).get("/admin/")

    assert waiting(answer) == {"events to review": 2}
    assert f"you are here as {role.label.lower()}" in answer.text


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
    with django_assert_num_queries(9):
        client.get("/admin/")

    EventFactory(site=own_site, state="draft")
    with django_assert_num_queries(9):
        assert waiting(client.get("/admin/"))["drafts of your site"] == 3
