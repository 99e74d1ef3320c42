"""The steps of an event by button and by list action: taken, asked about, and refused in words."""

import re

import pytest
from django.urls import reverse

from registry.admin.review_forms import ReturnForm
from registry.models import Event, Query
from registry.vocabulary import Role
from tests.factories import (
    ComplicationFactory,
    EventFactory,
    ImplantFactory,
    MembershipFactory,
    PatientFactory,
    SiteFactory,
    UserFactory,
)

LIST = "/admin/registry/event/"
ERROR = "entered-in-error"


def page(event):
    return reverse("admin:registry_event_change", args=[event.public_id])


def step(name):
    return reverse("admin:registry_event_step", args=[name])


def read(event):
    return f"{event.public_id}:{event.version}"


def press(client, name, *events, **given):
    """Press the button of a step, as the event's page or the page that asks sends it."""
    sent = {"event": [read(event) for event in events], "confirmed": "1", **given}
    return client.post(step(name), sent, follow=True)


def act(client, name, *events, **more):
    chosen = [str(event.public_id) for event in events]
    shown = [read(event) for event in events]
    sent = {"action": f"{name}_events", "_selected_action": chosen, "read": shown, "index": 0}
    return client.post(LIST, sent | more, follow=True)


def told(answer):
    """What the page tells, without the links."""
    return [re.sub(r"<[^>]+>", "", str(message)) for message in answer.context["messages"]]


def buttons(answer):
    return [one.name for one in answer.context["steps"]]


@pytest.fixture
def submitted(own_site):
    patient = PatientFactory(site=own_site)
    implant = ImplantFactory(patient=patient, catheter=True)
    return EventFactory(implant=implant, source_id="e-snt", state="submitted")


@pytest.fixture
def draft(own_site):
    return EventFactory(site=own_site, source_id="e-draft", state="draft", year=None)


REVIEWS = ["accept", "return", "reject", "duplicate", "ask", "recode"]


def test_the_accept_button_accepts_the_event(submitted, reviewer, signed_in):
    client = signed_in(reviewer)
    html = client.get(page(submitted)).text
    assert f'action="{step("accept")}"' in html
    assert f'name="event" value="{read(submitted)}"' in html

    answer = press(client, "accept", submitted)

    submitted.refresh_from_db()
    assert (submitted.state, submitted.version) == ("accepted", 2)
    assert submitted.history.first().history_user == reviewer
    assert told(answer) == ["e-snt is accepted. No other event waits for your review."]
    assert answer.redirect_chain[-1][0] == page(submitted)


@pytest.mark.parametrize(
    ("who", "state", "offered"),
    [
        ("reporter", "draft", []),
        ("reporter", "submitted", ["take-back"]),
        ("reporter", "accepted", []),
        ("lead", "draft", ["withdraw", "discard"]),
        ("lead", "submitted", ["take-back", "withdraw"]),
        ("lead", "accepted", []),
        ("reviewer", "draft", []),
        ("reviewer", "submitted", REVIEWS),
        ("reviewer", "accepted", ["ask", "reopen"]),
        ("reviewer", "rejected", ["reopen"]),
        ("manager", "draft", ["withdraw", "discard"]),
        ("manager", "submitted", ["take-back", *REVIEWS, "withdraw"]),
        ("manager", "accepted", ["ask", "reopen", "withdraw"]),
        ("manager", "rejected", ["reopen", "withdraw"]),
        ("manager", "withdrawn", []),
    ],
)
def test_the_page_of_an_event_offers_the_steps_that_are_open(
    who, state, offered, own_site, request, signed_in
):
    reason = ERROR if state in {"rejected", "withdrawn"} else ""
    event = EventFactory(site=own_site, state=state, reason=reason)

    answer = signed_in(request.getfixturevalue(who)).get(page(event))

    assert buttons(answer) == offered


def test_a_member_of_the_site_is_told_that_somebody_else_reviews(
    submitted, own_site, reviewer, signed_in
):
    MembershipFactory(user=reviewer, site=own_site)
    client = signed_in(reviewer)

    shown = client.get(page(submitted))
    answer = press(client, "accept", submitted)

    assert buttons(shown) == ["take-back"]
    assert "others review its events" in shown.text
    assert Event.objects.get().state == "submitted"
    assert told(answer) == ["e-snt: Members of a site cannot review its events."]


@pytest.mark.parametrize("name", ["accept", "reject", "duplicate", "recode", "reopen"])
def test_a_reporter_is_refused_what_reviewers_do(name, submitted, reporter, signed_in):
    client = signed_in(reporter)

    assert client.get(step(name), {"event": read(submitted)}).status_code == 403
    assert press(client, name, submitted, reason=ERROR).status_code == 403
    assert Event.objects.get().version == 1


def test_a_step_of_an_event_of_another_site_is_not_found(other_site, lead, signed_in):
    theirs = EventFactory(site=other_site, state="submitted")
    client = signed_in(lead)

    assert client.get(step("withdraw"), {"event": read(theirs)}).status_code == 404
    assert press(client, "withdraw", theirs, reason=ERROR).status_code == 404
    assert Event.objects.get().state == "submitted"


@pytest.mark.parametrize("pick", ["", "x", "1", "1:1", f"{'0' * 32}:1"])
def test_a_step_of_no_event_is_not_found(pick, submitted, reviewer, signed_in):
    assert signed_in(reviewer).get(step("accept"), {"event": pick}).status_code == 404


def test_an_unknown_step_is_not_found(submitted, reviewer, signed_in):
    address = step("delete")

    assert signed_in(reviewer).get(address, {"event": read(submitted)}).status_code == 404


def test_a_step_is_not_taken_by_following_a_link(submitted, reviewer, signed_in):
    sent = {"event": read(submitted), "confirmed": "1"}

    answer = signed_in(reviewer).get(step("accept"), sent)

    assert answer.status_code == 200
    assert Event.objects.get().state == "submitted"


@pytest.mark.parametrize(
    ("name", "state", "ends", "reason"),
    [
        ("reject", "submitted", "rejected", "not-an-event"),
        ("reopen", "accepted", "submitted", "judged-in-error"),
        ("withdraw", "accepted", "withdrawn", "not-an-event"),
    ],
)
def test_a_step_with_a_reason_asks_for_it_and_keeps_it(
    name, state, ends, reason, own_site, manager, signed_in
):
    event = EventFactory(site=own_site, state=state)
    client = signed_in(manager)

    reply = client.get(step(name), {"event": read(event)})
    without = press(client, name, event)
    assert 'type="radio" name="reason"' in reply.text
    assert "checked" not in reply.text
    assert "Choose a reason." in without.text
    assert Event.objects.get().state == state
    press(client, name, event, reason=reason)

    event.refresh_from_db()
    assert (event.state, event.reason) == (ends, reason)


def test_the_first_wrong_answer_has_the_focus(submitted, reviewer, signed_in):
    client = signed_in(reviewer)

    assert "autofocus" not in client.get(step("reject"), {"event": read(submitted)}).text
    answer = press(client, "reject", submitted)

    assert answer.context["form"].fields["reason"].widget.attrs["autofocus"]
    assert re.search(r'<input type="radio" name="reason"[^>]* autofocus', answer.text)


def test_a_reason_that_is_not_listed_is_refused_and_not_echoed(submitted, reviewer, signed_in):
    answer = press(signed_in(reviewer), "reject", submitted, reason="because of Mrs Smith")

    assert Event.objects.get().state == "submitted"
    assert "reason" in answer.context["form"].errors


def test_recoding_shows_what_was_reported_beside_what_it_is(submitted, reviewer, signed_in):
    ComplicationFactory(code="catheter-kink", name="Catheter kink")
    client = signed_in(reviewer)

    press(client, "recode", submitted, complication="catheter-kink")

    submitted.refresh_from_db()
    assert submitted.complication_id == "catheter-kink"
    assert submitted.reported_complication_id == "catheter-migration"
    html = client.get(page(submitted)).text
    assert "Complication as reported" in html
    assert "catheter migration" in html
    assert "Catheter kink" in html


def test_recoding_to_what_does_not_fit_says_so_at_its_field(submitted, reviewer, signed_in):
    ComplicationFactory(code="pump-failure", name="Pump failure", clock="pump")

    answer = press(signed_in(reviewer), "recode", submitted, complication="pump-failure")

    assert answer.context["form"].errors
    assert Event.objects.get().complication_id == "catheter-migration"


def test_who_read_an_older_version_is_told_and_loses_nothing(submitted, reviewer, signed_in):
    ComplicationFactory(code="catheter-kink")
    client = signed_in(reviewer)
    press(client, "recode", submitted, complication="catheter-kink")

    answer = press(client, "reject", submitted, reason="not-an-event")

    assert Event.objects.get().state == "submitted"
    assert "This row changed since you read it" in answer.text
    assert re.search(r'value="not-an-event"[^>]*checked', answer.text)
    current = Event.objects.get()
    assert f'value="{read(current)}"' in answer.text
    press(client, "reject", current, reason="not-an-event")
    assert Event.objects.get().state == "rejected"


def test_who_accepts_an_older_version_is_told(submitted, reviewer, signed_in):
    ComplicationFactory(code="catheter-kink")
    client = signed_in(reviewer)
    press(client, "recode", submitted, complication="catheter-kink")

    answer = press(client, "accept", submitted)

    assert Event.objects.get().state == "submitted"
    [message] = told(answer)
    assert message.endswith("read it again. Nothing was done.")


def test_who_comes_second_is_told_where_the_event_stands(submitted, reviewer, signed_in):
    client = signed_in(reviewer)
    press(client, "accept", submitted)
    submitted.refresh_from_db()

    answer = press(client, "accept", submitted)

    assert told(answer) == ["e-snt: This event is accepted; it must be submitted."]


def test_an_action_moves_what_it_can_and_reports_each_that_it_cannot(
    submitted, draft, own_site, reviewer, signed_in
):
    also = EventFactory(site=own_site, source_id="e-too", state="submitted")

    client = signed_in(reviewer)

    asked = act(client, "accept", submitted, draft, also)
    assert Event.objects.filter(state="accepted").count() == 0
    assert len(asked.context["events"]) == 3
    answer = press(client, "accept", submitted, draft, also)

    states = dict(Event.objects.values_list("source_id", "state"))
    assert states == {"e-snt": "accepted", "e-draft": "draft", "e-too": "accepted"}
    assert told(answer) == [
        "e-draft: This event is draft; it must be submitted.",
        "2 events are accepted.",
    ]


def test_an_action_that_needs_a_reason_asks_once_for_all(submitted, own_site, reviewer, signed_in):
    also = EventFactory(site=own_site, source_id="e-too", state="submitted")
    client = signed_in(reviewer)

    reply = act(client, "reject", submitted, also)
    assert 'type="radio" name="reason"' in reply.text
    assert {event for event, _pick in reply.context["events"]} == {submitted, also}
    answer = press(client, "reject", submitted, also, reason="not-an-event")

    assert set(Event.objects.values_list("state", "reason")) == {("rejected", "not-an-event")}
    assert told(answer) == ["2 events are rejected."]


def test_an_action_does_not_move_what_changed_since_the_list_was_read(
    submitted, reviewer, signed_in
):
    ComplicationFactory(code="catheter-kink")
    client = signed_in(reviewer)
    assert f'name="read" value="{read(submitted)}"' in client.get(LIST).text
    press(client, "recode", submitted, complication="catheter-kink")

    press(client, "accept", submitted)

    assert Event.objects.get().state == "submitted"


def test_an_action_takes_no_more_events_than_one_can_wait_for(
    submitted, own_site, reviewer, signed_in, monkeypatch
):
    monkeypatch.setattr("registry.admin.review.MOST_AT_ONCE", 1)
    also = EventFactory(site=own_site, state="submitted")

    answer = act(signed_in(reviewer), "accept", submitted, also)

    assert told(answer) == ["Choose at most 1 events at a time. Nothing was done."]
    assert not Event.objects.filter(state="accepted").exists()


@pytest.mark.parametrize(
    ("who", "offered"),
    [
        ("reporter", {"submit", "discard", "take-back"}),
        ("lead", {"submit", "discard", "take-back", "withdraw"}),
        ("reviewer", {"accept", "reject", "recode", "reopen"}),
        (
            "manager",
            {"submit", "take-back", "accept", "reject", "recode", "reopen", "withdraw", "discard"},
        ),
    ],
)
def test_the_list_offers_what_the_role_may_do(who, offered, submitted, request, signed_in):
    html = signed_in(request.getfixturevalue(who)).get(LIST).text

    assert set(re.findall(r'<option value="([\w-]+)_events"', html)) == offered


@pytest.fixture
def alike(submitted):
    """An accepted report of the same patient and complication."""
    return EventFactory(implant=submitted.implant, source_id="e-first", year=2011)


def test_a_duplicate_is_offered_the_reports_that_look_alike(
    submitted, alike, own_site, other_site, reviewer, signed_in
):
    granuloma = ComplicationFactory(code="granuloma")
    same_kind = EventFactory(site=own_site, source_id="e-knd", state="submitted")
    EventFactory(site=own_site, source_id="e-ulk", complication=granuloma)
    EventFactory(site=own_site, source_id="e-gne", state="rejected", reason="other")
    EventFactory(site=other_site, source_id="e-thrs")

    answer = signed_in(reviewer).get(step("duplicate"), {"event": read(submitted)})

    offered = [value for value, _words in answer.context["form"].fields["of"].choices]
    assert offered == [str(alike.public_id), str(same_kind.public_id), "key", "elsewhere"]
    assert "checked" not in answer.text


def test_a_duplicate_names_the_report_that_was_chosen(submitted, alike, reviewer, signed_in):
    client = signed_in(reviewer)

    press(client, "duplicate", submitted, of=str(alike.public_id))

    submitted.refresh_from_db()
    assert (submitted.state, submitted.duplicate_of) == ("duplicate", alike)
    assert re.search(
        r"This report repeats\s+<a [^>]+>e-first</a>", client.get(page(submitted)).text
    )
    assert re.search(r"Reported again as\s+<a [^>]+>e-snt</a>", client.get(page(alike)).text)


def test_a_duplicate_names_a_report_by_its_source_id(submitted, own_site, reviewer, signed_in):
    unlike = EventFactory(
        site=own_site, source_id="e-9", complication=ComplicationFactory(code="granuloma")
    )

    press(signed_in(reviewer), "duplicate", submitted, of="key", key="e-9")

    submitted.refresh_from_db()
    assert submitted.duplicate_of == unlike


@pytest.mark.parametrize("key", ["", "e-none", "e-thrs", "e-snt"])
def test_a_duplicate_does_not_name_what_the_site_has_not(
    key, submitted, other_site, reviewer, signed_in
):
    EventFactory(site=other_site, source_id="e-thrs")

    answer = press(signed_in(reviewer), "duplicate", submitted, of="key", key=key)

    assert answer.context["form"].errors
    submitted.refresh_from_db()
    assert submitted.state == "submitted"


def test_a_duplicate_of_another_sites_report_names_none(submitted, reviewer, signed_in):
    press(signed_in(reviewer), "duplicate", submitted, of="elsewhere")

    submitted.refresh_from_db()
    assert (submitted.state, submitted.duplicate_of) == ("duplicate", None)


def test_a_duplicate_is_not_marked_before_the_other_is_chosen(submitted, reviewer, signed_in):
    answer = press(signed_in(reviewer), "duplicate", submitted)

    assert "Choose the report of the same event." in answer.text
    assert Event.objects.get().state == "submitted"


def test_duplicates_are_marked_one_by_one(submitted, alike, reviewer, signed_in):
    answer = press(signed_in(reviewer), "duplicate", submitted, alike, of="elsewhere")

    assert answer.status_code == 404
    assert not Event.objects.filter(state="duplicate").exists()


def test_bulk_acceptance_names_deaths_and_possible_duplicates_apart(
    submitted, own_site, reviewer, signed_in
):
    criteria = frozenset({"death"})
    death = EventFactory(
        site=own_site,
        source_id="e-d",
        state="submitted",
        severity=5,
        outcome="fatal",
        seriousness=criteria,
    )

    asked = act(signed_in(reviewer), "accept", submitted, death)

    [(title, rows)] = asked.context["apart"]
    assert title == "Deaths"
    assert len(rows) == 1
    assert "e-d" in rows[0]


@pytest.mark.parametrize(("precision", "offered"), [("year", False), ("month", True)])
def test_the_month_is_asked_about_where_it_is_kept(settings, precision, offered):
    settings.REGISTRY_DATE_PRECISION = precision
    names = [name for name, _title in ReturnForm(events=[]).fields["column"].choices]

    assert ("month" in names) is offered
    assert "year" in names


def test_a_returned_event_shows_what_is_asked_and_takes_the_answer(
    submitted, reviewer, reporter, signed_in
):
    client = signed_in(reviewer)
    without = press(client, "return", submitted)
    assert set(without.context["form"].errors) == {"column", "ask"}
    press(client, "return", submitted, column="organism", ask="missing")
    query = Query.objects.get()

    site = signed_in(reporter)
    start = site.get("/admin/").text
    assert "was returned" in start
    assert "Organism: Please complete it" in start
    shown = site.get(page(submitted))
    assert "Organism: Please complete it" in shown.text
    address = reverse("admin:registry_event_query", args=[query.public_id])
    site.post(address, {"answer": "not-known"})
    query.refresh_from_db()
    assert (query.state, query.answer) == ("answered", "not-known")
    client.post(address, {"answer": "close"})
    query.refresh_from_db()
    assert query.state == "closed"


def test_an_answer_that_is_none_is_told_and_a_query_elsewhere_is_not_found(
    submitted, reviewer, reporter, signed_in
):
    press(signed_in(reviewer), "ask", submitted, column="organism", ask="missing")
    query = Query.objects.get()
    address = reverse("admin:registry_event_query", args=[query.public_id])

    answer = signed_in(reporter).post(address, {"answer": "because"}, follow=True)
    assert "Use a code of the list query-answer" in answer.text
    stranger = UserFactory(roles=[Role.SITE_STAFF], sites=[SiteFactory(code="FAR-9")])
    assert signed_in(stranger).post(address, {"answer": "confirmed"}).status_code == 404
    assert signed_in(reporter).get(address).status_code == 404


def test_a_rejected_event_tells_its_site_why(submitted, reviewer, reporter, signed_in):
    press(signed_in(reviewer), "reject", submitted, reason="not-confirmed")

    start = signed_in(reporter).get("/admin/").text
    assert "was rejected" in start
    assert "Suspected, not confirmed" in start
    assert "Ask for it to be reopened once" in signed_in(reporter).get(page(submitted)).text


def test_a_discarded_draft_leaves_the_list(own_site, lead, signed_in):
    draft = EventFactory(site=own_site, source_id="e-draft", state="draft")
    client = signed_in(lead)
    assert "e-draft" in client.get(LIST).text

    press(client, "discard", draft)

    assert "e-draft" not in client.get(LIST).text
    assert "e-draft" in client.get(LIST, {"state": "withdrawn"}).text


def test_a_draft_shows_what_a_reviewer_will_ask_for(own_site, reporter, signed_in):
    draft = EventFactory(site=own_site, state="draft", severity=None, pump_model="prometra")
    client = signed_in(reporter)

    answer = client.get(page(draft))
    assert answer.context["foreseen"] == ["No severity. The worst grade is not recorded."]
    assert "17 of 18 checks" in answer.text
    submitted = EventFactory(site=own_site, state="submitted", pump_model="prometra")
    assert "What a reviewer will ask for" not in client.get(page(submitted)).text
