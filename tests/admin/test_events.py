"""Entering, changing, submitting and judging events in the admin."""

import re

import pytest
from django.urls import reverse

from registry.models import Event
from tests.factories import (
    CategoryFactory,
    ComplicationFactory,
    EventFactory,
    ImplantFactory,
    MembershipFactory,
    PatientFactory,
)

ADD = "/admin/registry/event/add/"
LIST = "/admin/registry/event/"


def page(event):
    return reverse("admin:registry_event_change", args=[event.public_id])


def act(client, action, *events):
    chosen = [str(event.public_id) for event in events]
    sent = {"action": action, "_selected_action": chosen, "index": 0}
    return client.post(LIST, sent, follow=True)


@pytest.fixture
def migration(db):
    return ComplicationFactory()


@pytest.fixture
def implant(own_site):
    return ImplantFactory(patient=PatientFactory(site=own_site), source_id="i-own", catheter=True)


@pytest.fixture
def draft(own_site, migration):
    return EventFactory(
        site=own_site, source_id="e-draft", state="draft", outcome="", severity=None, year=None
    )


def test_a_draft_needs_only_its_site_and_its_complication(reporter, migration, signed_in):
    answer = signed_in(reporter).post(ADD, {"site": "OWN-1", "complication": migration.code})

    assert answer.status_code == 302
    event = Event.objects.get()
    assert (event.site.code, event.complication_id, event.state) == (
        "OWN-1",
        "catheter-migration",
        "draft",
    )
    assert event.year is None
    assert event.seriousness is None


def test_the_form_has_nothing_clinical_filled_in(reporter, signed_in):
    html = signed_in(reporter).get(ADD).text

    chosen = re.findall(r'<input type="(?:radio|checkbox)"[^>]*value="([^"]*)"[^>]*checked', html)
    assert set(chosen) == {""}
    selected = re.findall(r'<option value="([^"]*)" selected', html)
    assert set(selected) <= {"", "OWN-1"}
    assert not re.findall(r'<input type="text"[^>]* value="[^"]+"', html)


@pytest.mark.parametrize("field", ["severity", "relatedness_device", "sex", "mri_24h", "alarm"])
def test_a_short_list_is_asked_with_radios(field, reporter, signed_in):
    assert f'<input type="radio" name="{field}"' in signed_in(reporter).get(ADD).text


def test_every_answer_of_the_form_is_stored(reporter, migration, implant, signed_in):
    sent = {
        "site": "OWN-1",
        "source_id": "e-fll",
        "complication": migration.code,
        "actuality": "actual",
        "implant": str(implant.public_id),
        "year": "2011",
        "months_since_implant": "13",
        "severity": "3",
        "seriousness": ["hospitalisation", "medically-important"],
        "outcome": "recovered",
        "relatedness_device": "causal",
        "interventions": ["catheter-revision", "imaging-diagnostic"],
        "root_cause": "surgical-technique",
        "mri_24h": "no",
        "_submit": "Save and submit",
    }

    answer = signed_in(reporter).post(ADD, sent)

    assert answer.status_code == 302
    event = Event.objects.get()
    assert event.state == "submitted"
    assert event.implant == implant
    assert (event.year, event.months_since_implant, event.severity) == (2011, 13, 3)
    assert event.seriousness == {"hospitalisation", "medically-important"}
    assert event.interventions == {"catheter-revision", "imaging-diagnostic"}
    assert (event.relatedness_device, event.root_cause) == ("causal", "surgical-technique")
    assert event.history.get().history_user == reporter


def test_what_intake_refuses_stands_at_its_field(reporter, migration, signed_in):
    sent = {"site": "OWN-1", "complication": migration.code, "_submit": "1"}

    answer = signed_in(reporter).post(ADD, sent)

    assert answer.status_code == 200
    assert "year" in answer.context["adminform"].form.errors
    assert not Event.objects.exists()


def test_an_identifier_is_refused_at_its_field_and_not_echoed(reporter, migration, signed_in):
    sent = {"site": "OWN-1", "complication": migration.code, "source_id": "1234567"}

    answer = signed_in(reporter).post(ADD, sent)

    [fault] = answer.context["adminform"].form.errors["source_id"]
    assert "rule: long-number" in fault
    assert "1234567" not in fault
    assert not Event.objects.exists()


def test_a_full_date_is_refused_at_the_year(reporter, migration, signed_in):
    sent = {"site": "OWN-1", "complication": migration.code, "year": "2011-05-12"}

    answer = signed_in(reporter).post(ADD, sent)

    assert "year" in answer.context["adminform"].form.errors
    assert not Event.objects.exists()


def test_an_event_cannot_be_entered_for_another_site(reporter, other_site, migration, signed_in):
    answer = signed_in(reporter).post(ADD, {"site": "OTHER-2", "complication": migration.code})

    assert "site" in answer.context["adminform"].form.errors
    assert not Event.objects.exists()


def test_an_implant_of_another_site_cannot_be_named(reporter, other_site, migration, signed_in):
    theirs = ImplantFactory(patient=PatientFactory(site=other_site), source_id="i-thrs")
    sent = {"site": "OWN-1", "complication": migration.code, "implant": str(theirs.public_id)}

    answer = signed_in(reporter).post(ADD, sent)

    assert "implant" in answer.context["adminform"].form.errors
    assert "i-thrs" not in answer.text
    assert not Event.objects.exists()


def answers_on(client, event):
    """What the form of an event would send back untouched."""
    form = client.get(page(event)).context["adminform"].form
    return {name: form[name].value() for name in form.fields if form[name].value() is not None}


def test_a_draft_is_changed_where_the_form_was_changed(draft, reporter, signed_in):
    client = signed_in(reporter)
    sent = {**answers_on(client, draft), "year": "2012"}

    answer = client.post(page(draft), sent)

    assert answer.status_code == 302
    draft.refresh_from_db()
    assert (draft.year, draft.version) == (2012, 2)
    assert draft.seriousness == {"none"}


def test_a_form_sent_back_untouched_changes_nothing(draft, reporter, signed_in):
    client = signed_in(reporter)

    answer = client.post(page(draft), answers_on(client, draft))

    assert answer.status_code == 302
    assert draft.history.count() == 1


def test_a_later_change_of_somebody_else_is_not_overwritten(draft, reporter, signed_in):
    client = signed_in(reporter)
    sent = answers_on(client, draft)
    client.post(page(draft), {**sent, "year": "2012"})

    answer = client.post(page(draft), {**sent, "year": "2013"})

    assert "save again to go on from there" in answer.text
    draft.refresh_from_db()
    assert draft.year == 2012


@pytest.mark.parametrize("state", ["submitted", "accepted", "rejected", "withdrawn"])
def test_an_event_beyond_a_draft_is_only_read(state, own_site, reporter, signed_in):
    reason = "not-an-event" if state in {"rejected", "withdrawn"} else ""
    event = EventFactory(site=own_site, state=state, reason=reason)
    client = signed_in(reporter)

    assert client.get(page(event)).status_code == 200
    assert client.post(page(event), {"year": "2012"}).status_code == 403


def test_a_page_to_read_shows_codes_in_words(own_site, reporter, signed_in):
    event = EventFactory(
        site=own_site,
        state="submitted",
        seriousness={"hospitalisation"},
        severity=3,
        interventions=frozenset({"catheter-revision"}),
    )

    html = signed_in(reporter).get(page(event)).text

    for words in ("3 Severe", "Hospitalisation", "Catheter revision", "Recovered", "Submitted"):
        assert words in html


def test_the_submit_action_submits_a_complete_draft(own_site, migration, reporter, signed_in):
    ready = EventFactory(site=own_site, state="draft")

    act(signed_in(reporter), "submit_events", ready)

    ready.refresh_from_db()
    assert ready.state == "submitted"


def test_the_submit_action_says_what_an_incomplete_draft_lacks(draft, reporter, signed_in):
    answer = act(signed_in(reporter), "submit_events", draft)

    draft.refresh_from_db()
    assert draft.state == "draft"
    [message] = answer.context["messages"]
    assert ">e-draft</a>: " in str(message)
    assert "year" in str(message).lower()


def test_the_accept_action_accepts_a_submitted_event(own_site, reviewer, signed_in):
    event = EventFactory(site=own_site, state="submitted")

    client = signed_in(reviewer)
    asked = act(client, "accept_events", event)
    [(_event, pick)] = asked.context["events"]
    address = reverse("admin:registry_event_step", args=["accept"])
    client.post(address, {"event": pick, "confirmed": "1"})

    event.refresh_from_db()
    assert event.state == "accepted"
    assert event.history.first().history_user == reviewer


def test_nobody_accepts_an_event_of_an_own_site(own_site, reviewer, signed_in):
    MembershipFactory(user=reviewer, site=own_site)
    event = EventFactory(site=own_site, state="submitted")

    act(signed_in(reviewer), "accept_events", event)

    event.refresh_from_db()
    assert event.state == "submitted"


def test_a_reporter_is_not_offered_to_accept(own_site, reporter, signed_in):
    event = EventFactory(site=own_site, state="submitted")
    client = signed_in(reporter)

    assert "accept_events" not in client.get(LIST).text
    act(client, "accept_events", event)

    event.refresh_from_db()
    assert event.state == "submitted"


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("complication", "granuloma"),
        ("category", "neurological"),
        ("severity", "4"),
        ("serious", "yes"),
        ("outcome", "not-recovered"),
        ("state", "submitted"),
        ("year", "2015"),
        ("drug", "morphine"),
        ("actuality", "not-recorded"),
    ],
)
def test_a_list_filter_has_the_name_and_meaning_of_the_parameter(
    parameter, value, own_site, reporter, signed_in
):
    EventFactory(site=own_site, source_id="e-pln", drug="baclofen")
    neurological = CategoryFactory(code="neurological")
    wanted = EventFactory(
        site=own_site,
        source_id="e-wtd",
        complication=ComplicationFactory(code="granuloma", category=neurological),
        severity=4,
        seriousness={"life-threatening"},
        outcome="not-recovered",
        state="submitted",
        year=2015,
        drug="morphine",
        actuality="",
    )

    answer = signed_in(reporter).get(LIST, {parameter: value})

    assert list(answer.context["cl"].queryset) == [wanted]


def test_the_list_filters_by_site_for_who_sees_several(own_site, other_site, manager, signed_in):
    mine = EventFactory(site=own_site)
    EventFactory(site=other_site)

    answer = signed_in(manager).get(LIST, {"site": "OWN-1"})

    assert list(answer.context["cl"].queryset) == [mine]


def test_a_filter_with_an_unknown_code_is_not_applied_silently(own_site, reporter, signed_in):
    EventFactory(site=own_site)

    answer = signed_in(reporter).get(LIST, {"severity": "9"})

    assert answer.status_code == 302
    assert answer["Location"].endswith("?e=1")


def test_the_complication_list_offers_current_terms_with_their_category(reporter, signed_in):
    ComplicationFactory(name="Catheter migration")
    ComplicationFactory(code="old-migration", name="Old migration", retired=True)

    answer = signed_in(reporter).get("/admin/registry/complication/choices/", {"term": "migr"})

    assert answer.json()["results"] == [
        {
            "id": "catheter-migration",
            "text": "Catheter migration (Catheter)",
            "category": "catheter",
            "clock": "catheter",
            "definition": "The tip has left the place where it was put.",
            "examples": "",
        }
    ]
