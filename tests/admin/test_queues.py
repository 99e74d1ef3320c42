"""Work queues: to review, oldest first by seals; my drafts; missing follow-up and device time."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from registry.intake import (
    accept_event,
    change_site,
    recode_event,
    record_event,
    reopen_event,
    submit_event,
)
from registry.intake.waiting import (
    count_without_exposure,
    count_without_follow_up,
    drafts_of,
    oldest_first,
    to_review,
)
from registry.models import Event
from registry.records import RawReport, RowKind
from registry.vocabulary import Right
from tests.factories import (
    ComplicationFactory,
    EventFactory,
    ExposureFactory,
    ImplantFactory,
    MembershipFactory,
    PatientFactory,
)

LIST = "/admin/registry/event/"


def drafted(key, *, by):
    """A complete draft of the own site."""
    ComplicationFactory()
    values = {"site": "OWN-1", "source_id": key, "complication": "catheter-migration"}
    values |= {"year": "2011", "component_model": "ascenda"}
    return record_event(RawReport(RowKind.EVENT, values), by=by)


def keys(events):
    return [event.source_id for event in events]


@pytest.fixture
def handed_in(reporter):
    """Three drafts, handed in in another order than they were written in."""
    drafts = {key: drafted(key, by=reporter) for key in ("a", "b", "c")}
    for key in ("b", "c", "a"):
        submit_event(drafts[key].public_id, by=reporter)
    return drafts


def test_what_is_to_review_is_ordered_by_the_seals_of_submission(handed_in, reviewer, signed_in):
    answer = signed_in(reviewer).get(LIST, {"queue": "to-review"})

    assert keys(answer.context["cl"].result_list) == ["b", "c", "a"]
    assert "Waiting since" in answer.text
    assert "<h1>To review</h1>" in answer.text


def test_a_recoded_event_keeps_its_place(handed_in, reviewer):
    ComplicationFactory(code="catheter-kink")

    recode_event(handed_in["b"].public_id, by=reviewer, complication="catheter-kink")

    assert keys(oldest_first(to_review(reviewer))) == ["b", "c", "a"]


def test_a_reopened_event_goes_back_to_its_place(handed_in, reviewer):
    accept_event(handed_in["b"].public_id, by=reviewer)
    assert keys(oldest_first(to_review(reviewer))) == ["c", "a"]

    reopen_event(handed_in["b"].public_id, by=reviewer, reason="other")

    assert keys(oldest_first(to_review(reviewer))) == ["b", "c", "a"]


def test_a_reviewers_own_site_is_not_to_review(handed_in, own_site, reviewer, signed_in):
    MembershipFactory(user=reviewer, site=own_site)

    answer = signed_in(reviewer).get(LIST, {"queue": "to-review"})

    assert keys(answer.context["cl"].result_list) == []


def test_who_has_judged_an_event_is_led_to_the_oldest(handed_in, reviewer, signed_in):
    sent = {"event": str(handed_in["c"].public_id), "confirmed": "1"}

    answer = signed_in(reviewer).post(
        reverse("admin:registry_event_step", args=["accept"]), sent, follow=True
    )

    [message] = answer.context["messages"]
    assert f'Next to review: <a href="{LIST}{handed_in["b"].public_id}/change/">b</a>' in str(
        message
    )


@pytest.mark.parametrize(
    ("who", "queue"), [("reporter", "to-review"), ("reviewer", "my-drafts"), ("manager", "none")]
)
def test_a_queue_of_other_roles_is_empty(who, queue, handed_in, reporter, request, signed_in):
    drafted("d", by=reporter)

    answer = signed_in(request.getfixturevalue(who)).get(LIST, {"queue": queue})

    assert keys(answer.context["cl"].result_list) == []
    assert "Waiting since" not in answer.text


def test_my_drafts_are_those_that_i_wrote(reporter, lead, own_site, signed_in):
    drafted("m-1", by=reporter)
    drafted("t-1", by=lead)
    submit_event(drafted("s-1", by=reporter).public_id, by=reporter)

    answer = signed_in(reporter).get(LIST, {"queue": "my-drafts"})

    assert keys(answer.context["cl"].result_list) == ["m-1"]


def test_my_drafts_end_with_my_membership(reporter):
    drafted("m-1", by=reporter)

    reporter.memberships.update(active=False)

    assert keys(drafts_of(reporter)) == []


@pytest.fixture
def in_november_2026(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: datetime(2026, 11, 20, tzinfo=UTC))


@pytest.mark.parametrize(
    ("months", "status", "missing"),
    [
        # by November 2025 an implant of 31 December 2020 has lived 58 full months
        (57, "active", True),
        (58, "active", False),
        (57, "", True),
        (57, "care-transferred", False),
    ],
)
def test_follow_up_is_missing_after_a_year_of_silence(
    months, status, missing, own_site, reporter, in_november_2026
):
    patient = PatientFactory(site=own_site)
    ImplantFactory(patient=patient, implant_year=2020, months_followed=months, exit_status=status)

    assert count_without_follow_up(reporter) == (1 if missing else 0)


def test_follow_up_of_other_sites_is_not_mine_to_miss(
    reporter, manager, other_site, in_november_2026
):
    ImplantFactory(patient=PatientFactory(site=other_site), months_followed=1)

    assert count_without_follow_up(reporter) == 0
    assert count_without_follow_up(manager) == 1


def test_device_time_is_missing_where_a_past_year_has_none(
    own_site, other_site, lead, manager, in_november_2026
):
    for component in ("pump", "catheter"):
        for year in (2022, 2024, 2025):
            ExposureFactory(site=own_site, year=year, component=component)
        ExposureFactory(site=other_site, year=2025, component=component)

    assert count_without_exposure(lead) == 2  # 2023, of either component
    assert count_without_exposure(manager) == 2


def test_a_year_with_implants_misses_no_device_time(own_site, lead, in_november_2026):
    patient = PatientFactory(site=own_site)
    ImplantFactory(patient=patient, implant_year=2024, months_followed=24)

    assert count_without_exposure(lead) == 2  # 2024 and 2025, of catheters


def test_what_a_closed_site_left_out_waits_for_nobody(own_site, manager):
    assert count_without_exposure(manager) > 0

    change_site(own_site, name="", country="", active=False, by=manager)

    assert count_without_exposure(manager) == 0


def test_missing_device_time_takes_as_many_queries_however_many_sites(
    own_site, other_site, manager, django_assert_num_queries
):
    ExposureFactory(site=own_site)
    ImplantFactory(patient=PatientFactory(site=other_site))
    assert manager.may(Right.RUN_REGISTRY)  # asked once a request

    with django_assert_num_queries(7):
        count_without_exposure(manager)


def test_missing_device_time_is_counted_once_between_two_writes(
    own_site, manager, in_november_2026, django_assert_num_queries
):
    assert count_without_exposure(manager) == 2
    with django_assert_num_queries(1):
        assert count_without_exposure(manager) == 2

    ExposureFactory(site=own_site, year=2025)

    assert count_without_exposure(manager) == 1


def test_the_list_to_review_takes_as_many_queries_however_many_wait(own_site, reviewer, signed_in):
    client = signed_in(reviewer)

    def queries():
        with CaptureQueriesContext(connection) as queries:
            client.get(LIST, {"queue": "to-review"})
        return len(queries)

    EventFactory(site=own_site, state="submitted")
    queries()
    few = queries()
    for _ in range(8):
        EventFactory(site=own_site, state="submitted")

    assert queries() == few
    assert Event.objects.count() == 9
