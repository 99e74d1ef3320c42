"""Answers that were typed and left: kept for their person, offered again, never what identifies."""

import html
import re
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from registry.answers import unsaved
from registry.models import Event
from tests.factories import ComplicationFactory, EventFactory, ImplantFactory, UserFactory

ADD = "/admin/registry/event/add/"
KEEP = "/admin/registry/event/autosave/"


@pytest.fixture
def term(db):
    return ComplicationFactory()


@pytest.fixture
def implant(own_site):
    return ImplantFactory(patient__site=own_site, source_id="k-1", catheter=True)


def page(event):
    return reverse("admin:registry_event_change", args=[event.public_id])


def leave(client, at=ADD, keep=KEEP, **typed):
    return client.post(keep, {"_at": at, "site": "OWN-1", **typed})


def kept_in(client):
    """What is kept, of the session and of the person who has it."""
    records = [each.get_decoded() for each in Session.objects.all()]
    return str({key: one for each in records for key, one in each.get("unsaved", {}).items()})


def offered(client, at=ADD):
    """The signed answers that a form offers; None where it offers none."""
    shown = client.get(at).text
    found = re.search(r'id="unsaved".*?name="_kept" value="([^"]*)"', shown, re.DOTALL)
    return html.unescape(found[1]) if found else None


def taken_up(client, at=ADD):
    return client.post(at, {"_kept": offered(client, at)}).context["adminform"].form


def test_answers_that_were_left_are_offered_and_fill_in_the_form(
    term, implant, reporter, signed_in
):
    client = signed_in(reporter)
    assert offered(client) is None

    answer = leave(
        client,
        _form="t1",
        complication=term.code,
        implant=str(implant.public_id),
        year="2013",
        months_since_implant="40",
        severity="3",
        interventions=["catheter-revision", "imaging-diagnostic"],
    )

    assert answer.status_code == 204
    form = taken_up(client)
    assert {name: form[name].data for name in ("complication", "implant", "year", "severity")} == {
        "complication": term.code,
        "implant": str(implant.public_id),
        "year": "2013",
        "severity": "3",
    }
    assert form["interventions"].data == ["catheter-revision", "imaging-diagnostic"]
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("source_id", "Maria-Schmidt"),
        ("source_id", "MS-04-03-61"),
        ("year", "Maria Schmidt"),
        ("year", "04.03.1961"),
        ("months_since_implant", "123456789"),
        ("root_cause", "Maria Schmidt"),
        ("implant", "Maria Schmidt"),
        ("complication", "Maria Schmidt"),
        ("version", "Maria Schmidt"),
        ("surname", "Maria Schmidt"),
    ],
)
def test_what_is_no_answer_is_never_kept(field, typed, term, reporter, signed_in):
    client = signed_in(reporter)

    leave(client, **{"_form": "t1", "severity": "3", field: typed})

    assert "'severity', ['3']" in kept_in(client)
    assert typed not in kept_in(client)
    assert field not in kept_in(client).replace("_form", "")


@pytest.mark.parametrize(
    "sent",
    [
        {"source_id": ["Maria-Schmidt", "e-7"]},
        {"year": ["Maria-Schmidt", "2013"]},
        {"root_cause": ["Maria-Schmidt", ""]},
        {"_form": "Maria-Schmidt"},
        {"_form": "t1", "at": f"{ADD}?patient=Maria-Schmidt"},
        {"at": f"{ADD}?patient=Maria-Schmidt"},
    ],
)
def test_nothing_that_is_sent_beside_an_answer_is_kept(sent, term, reporter, signed_in):
    client = signed_in(reporter)

    assert leave(client, severity="3", **sent).status_code == 204

    assert "'severity', ['3']" in kept_in(client)
    assert "Maria" not in kept_in(client)
    assert taken_up(client, sent.get("at", ADD))["severity"].data == "3"


def test_sites_and_rows_that_the_form_does_not_offer_are_not_kept(
    term, other_site, reporter, signed_in
):
    """Only of somebody whose session has ended may they be: the form cannot know."""
    other = ImplantFactory(patient__site=other_site)
    client = signed_in(reporter)

    leave(client, _form="t1", site=other_site.code, implant=str(other.public_id), year="2013")

    assert "2013" in kept_in(client)
    assert other_site.code not in kept_in(client)
    assert str(other.public_id) not in kept_in(client)


def test_a_key_that_intake_takes_is_kept(term, reporter, signed_in):
    client = signed_in(reporter)

    leave(client, _form="t1", source_id="e-7")

    assert taken_up(client)["source_id"].data == "e-7"


def test_a_saved_form_is_offered_no_more(term, reporter, signed_in):
    client = signed_in(reporter)
    leave(client, _form="t1", year="2013")
    sent = {"site": "OWN-1", "complication": term.code, "_save": "1"}

    client.post(ADD, {**sent, "_form": "t2"})
    assert offered(client) is not None
    client.post(ADD, {**sent, "year": "2013", "_form": "t1"})

    assert offered(client) is None
    leave(client, _form="t1", year="2014")  # a late message of the page that was saved
    assert offered(client) is None


def test_answers_that_were_taken_up_are_saved_under_their_own_token(term, reporter, signed_in):
    client = signed_in(reporter)
    leave(client, _form="t1", complication=term.code)

    shown = client.post(ADD, {"_kept": offered(client)}).text

    assert 'name="_form" value="t1"' in shown


def test_refused_answers_stay_offered(term, reporter, signed_in):
    client = signed_in(reporter)
    leave(client, _form="t1", year="2013")

    client.post(ADD, {"site": "OWN-1", "year": "2013", "_form": "t1", "_save": "1"})

    assert offered(client) is not None


def test_a_draft_keeps_its_own_answers(own_site, reporter, signed_in):
    draft = EventFactory(site=own_site, state="draft", year=2011, severity=2)
    client = signed_in(reporter)

    leave(client, at=page(draft), version=str(draft.version), year="2012", severity="2")

    assert offered(client) is None
    from_a_list = f"{page(draft)}?_changelist_filters=state%3Ddraft"
    assert taken_up(client, from_a_list)["year"].data == "2012"
    assert taken_up(client, page(draft))["year"].data == "2012"
    stored = {"site": "OWN-1", "complication": draft.complication_id, "year": "2012"}
    client.post(page(draft), {**stored, "version": "1", "_save": "1"})
    assert offered(client, page(draft)) is None


def test_discarded_answers_are_gone(term, reporter, signed_in):
    client = signed_in(reporter)
    leave(client, _form="t1", year="2013")

    client.post(KEEP, {"_discard": "t1"})

    assert kept_in(client) == "{}"


def test_the_latest_of_a_few_forms_is_offered(term, reporter, signed_in):
    client = signed_in(reporter)

    for number in range(7):
        leave(client, _form=f"t{number}", year=str(2010 + number))

    assert taken_up(client)["year"].data == "2016"
    assert kept_in(client).count("'at'") == 5
    assert "2011" not in kept_in(client)


def test_answers_are_kept_for_a_day(term, reporter, signed_in, monkeypatch):
    client = signed_in(reporter)
    leave(client, _form="t1", year="2013")
    monkeypatch.setattr(unsaved, "KEPT_FOR", -1)

    assert offered(client) is None


def test_answers_that_are_too_old_are_not_stored_again(term, reporter, signed_in, monkeypatch):
    client = signed_in(reporter)
    leave(client, _form="t1", year="2013")
    tomorrow = time.time() + 25 * 3600
    monkeypatch.setattr(unsaved, "time", SimpleNamespace(time=lambda: tomorrow))

    leave(client, _form="t2", year="2014")

    assert "2013" not in kept_in(client)
    assert "2014" in kept_in(client)


def test_purge_deletes_answers_of_yesterday(term, reporter, signed_in):
    leave(signed_in(reporter), _form="t1", year="2013")
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    call_command("purge", verbosity=0)

    assert not Session.objects.exists()


def test_answers_outlive_the_session_in_which_they_were_typed(term, reporter, signed_in):
    client = signed_in(reporter)
    leave(client, _form="t1", complication=term.code, year="2013")
    Session.objects.get(session_key=client.session.session_key).delete()

    again = signed_in(reporter)

    assert taken_up(again)["year"].data == "2013"
    again.post(ADD, {"site": "OWN-1", "complication": term.code, "_form": "t1", "_save": "1"})
    assert Event.objects.count() == 1
    assert kept_in(again) == "{}"


def test_answers_are_offered_to_their_person_alone(term, reporter, lead, signed_in):
    leave(signed_in(reporter), _form="t1", year="2013")
    other = signed_in(lead)

    assert offered(other) is None
    leave(other, _form="t2", year="2014")

    assert taken_up(signed_in(reporter))["year"].data == "2013"
    assert taken_up(other)["year"].data == "2014"


def test_the_record_of_answers_signs_nobody_in(term, reporter, signed_in):
    client = signed_in(reporter)
    leave(client, _form="t1", year="2013")
    record = Session.objects.exclude(session_key=client.session.session_key).get()

    stranger = Client()
    stranger.cookies["sessionid"] = record.session_key

    assert stranger.get(ADD).status_code == 302
    assert set(record.get_decoded()) == {"unsaved"}


def test_signing_out_forgets_them(term, reporter, lead, signed_in):
    client = signed_in(reporter)
    leave(client, _form="t1", year="2013")
    leave(signed_in(lead), _form="t2", year="2014")

    client.post("/logout/")

    assert offered(signed_in(reporter)) is None
    assert taken_up(signed_in(lead))["year"].data == "2014"


@pytest.mark.parametrize(
    "at", ["", "/admin/registry/implant/add/", "/admin/registry/event/", "/nowhere/"]
)
def test_other_addresses_keep_nothing(at, term, reporter, signed_in):
    client = signed_in(reporter)

    assert leave(client, at=at, _form="t1", year="2013").status_code == 404
    assert client.get(KEEP).status_code == 404
    assert kept_in(client) == "{}"


def test_rows_that_one_may_not_change_keep_nothing(own_site, other_site, reporter, signed_in):
    own = EventFactory(site=own_site, state="submitted")
    other = EventFactory(site=other_site, state="draft")
    client = signed_in(reporter)

    for event in (own, other):
        assert leave(client, at=page(event), year="2012").status_code == 404
    visitor = signed_in(UserFactory(is_staff=True))
    assert leave(visitor, _form="t1", year="2012").status_code in (302, 403, 404)


def test_a_page_to_read_keeps_nothing(own_site, reporter, reviewer, signed_in):
    event = EventFactory(site=own_site, state="submitted")

    assert "data-autosave" in signed_in(reporter).get(ADD).text
    assert "data-autosave" not in signed_in(reviewer).get(page(event)).text


def test_a_patients_form_keeps_the_answers_of_both_components(own_site, reporter, signed_in):
    client = signed_in(reporter)
    at, keep = "/admin/registry/patient/add/", "/admin/registry/patient/autosave/"

    leave(
        client,
        at=at,
        keep=keep,
        source_id="Maria-Schmidt",
        pump_implant="x-7",
        catheter_implant="SN-NGV123456H",
        implant_year="2015",
        pump_months_followed="12",
        sex="female",
    )

    form = taken_up(client, at)
    assert form["pump_implant"].data == "x-7"
    assert form["implant_year"].data == "2015"
    assert form["pump_months_followed"].data == "12"
    assert form["sex"].data == "female"
    assert "Schmidt" not in kept_in(client)
    assert "NGV" not in kept_in(client)
