"""Nothing chosen is lost beside the forms of rows: steps of events, follow-up, and bare buttons."""

import re

import pytest
from django.test import Client

from registry.models import Event, Implant
from tests.admin.conftest import BACKEND
from tests.factories import EventFactory, ImplantFactory

STEPS = "/admin/registry/event/steps/"
LIST = "/admin/registry/event/"
FOLLOW_UP = "/admin/registry/implant/follow-up/"
OWN = "http://testserver"
KEPT = "Your answers were kept, and nothing is stored yet"


@pytest.fixture
def event(own_site):
    return EventFactory(site=own_site, source_id="e-1", state="submitted")


def pick(event):
    return f"{event.public_id}:{event.version}"


def hidden(html, name):
    return re.search(rf'name="{name}" value="([^"]*)"', html)[1]


def sent_without_a_session(address, answers, user):
    """What its form shows to a person who signed in again and went on."""
    lost = Client().post(address, answers)
    assert lost.status_code == 403
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client, client.post(address, {"_kept": hidden(lost.text, "_kept")})


@pytest.mark.parametrize(
    ("step", "answers"),
    [("return", {"column": "severity", "ask": "missing"}), ("reject", {"reason": "not-an-event"})],
)
def test_a_step_that_asks_comes_back_with_its_answers(step, answers, event, reviewer):
    sent = {"event": pick(event), "confirmed": "1", **answers}

    client, form = sent_without_a_session(f"{STEPS}{step}/", sent, reviewer)

    assert KEPT in form.text
    assert {name: form.context["form"][name].data for name in answers} == answers
    assert Event.objects.get().state == "submitted"
    client.post(f"{STEPS}{step}/", sent)
    assert Event.objects.get().state != "submitted"


def test_a_button_that_judges_asks_once_more(event, reviewer):
    sent = {"event": pick(event), "confirmed": "1"}

    client, page = sent_without_a_session(f"{STEPS}accept/", sent, reviewer)

    assert KEPT in page.text
    assert page.context["events"][0][0] == event
    assert Event.objects.get().state == "submitted"
    client.post(f"{STEPS}accept/", sent)
    assert Event.objects.get().state == "accepted"


@pytest.mark.parametrize(("action", "who"), [("accept", "reviewer"), ("submit", "reporter")])
def test_events_that_were_ticked_in_the_list_stay_chosen(action, who, own_site, request):
    before = "submitted" if action == "accept" else "draft"
    events = [EventFactory(site=own_site, state=before) for _each in range(2)]
    sent = {
        "action": f"{action}_events",
        "_selected_action": [str(each.public_id) for each in events],
        "read": [pick(each) for each in events],
        "index": "0",
    }

    _client, page = sent_without_a_session(LIST, sent, request.getfixturevalue(who))

    assert KEPT in page.text
    assert {each for each, _pick in page.context["events"]} == set(events)
    assert {each.state for each in Event.objects.all()} == {before}


def test_a_follow_up_of_many_implants_comes_back_as_its_preview(own_site, reporter):
    implant = ImplantFactory(
        patient__site=own_site, implant_year=2015, months_followed=12, exit_status="active"
    )
    sent = {
        "row": [f"{implant.public_id}:{implant.version}"],
        f"months-{implant.public_id}": "40",
        "do": "save",
    }

    client, look = sent_without_a_session(FOLLOW_UP, sent, reporter)

    assert KEPT in look.text
    assert hidden(look.text, f"months-{implant.public_id}") == "40"
    assert Implant.objects.get().months_followed == 12
    client.post(FOLLOW_UP, sent)
    assert Implant.objects.get().months_followed == 40


def test_closing_a_round_is_not_done_by_going_on(own_site, lead):
    _client, page = sent_without_a_session(FOLLOW_UP, {"do": "close"}, lead)

    assert page.status_code == 200
    own_site.refresh_from_db()
    assert own_site.round_number is None


def test_a_replacement_comes_back_with_its_answers(own_site, reporter):
    implant = ImplantFactory(patient__site=own_site, exit_status="active")
    address = f"/admin/registry/implant/{implant.public_id}/replace/"
    sent = {"version": implant.version, "implant_year": "2014", "ended_months_followed": "12"}

    _client, form = sent_without_a_session(address, sent, reporter)

    assert KEPT in form.text
    assert form.context["form"]["implant_year"].data == "2014"
    assert Implant.objects.count() == 1


def test_a_redaction_is_not_done_by_going_on(event, manager):
    address = f"{LIST}{event.public_id}/redact/"

    _client, form = sent_without_a_session(address, {"version": event.version, "key": ""}, manager)

    assert KEPT in form.text
    assert Event.objects.get().source_id == "e-1"


@pytest.mark.parametrize("name", [f"{STEPS}accept/", LIST, FOLLOW_UP])
def test_answers_that_count_no_longer_lead_to_a_page_that_is_there(name, own_site, manager):
    client = Client()
    client.force_login(manager, backend=BACKEND)

    answer = client.post(name, {"_kept": "altered"}, follow=True)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "address", [f"{LIST}queries/1b4e28ba-2fa1-4d1e-9f3b-0c2f6f1f7a10/", "/admin/upload/"]
)
def test_a_button_without_a_session_leads_back_to_its_page_and_says_so(address, db):
    page = f"{LIST}1b4e28ba-2fa1-4d1e-9f3b-0c2f6f1f7a10/change/"

    answer = Client().post(address, {"answer": "confirmed"}, headers={"Referer": OWN + page})

    assert answer.status_code == 302
    sign_in = Client().get(answer["Location"])
    assert hidden(sign_in.text, "next") == page
    assert "nothing was done" in sign_in.text


@pytest.mark.parametrize("before", ["", "https://elsewhere.example/x", f"{OWN}//elsewhere.example"])
def test_a_button_from_elsewhere_leads_to_its_own_address(before, db):
    answer = Client().post("/admin/upload/", headers={"Referer": before})

    assert hidden(Client().get(answer["Location"]).text, "next") == "/admin/upload/"


def test_a_token_of_another_sign_in_leads_back_to_the_page_of_the_button(event, reviewer):
    client = Client(enforce_csrf_checks=True)
    client.force_login(reviewer, backend=BACKEND)
    page = f"{LIST}{event.public_id}/change/"
    address = f"{LIST}queries/{event.public_id}/"

    refused = client.post(address, {"answer": "close"}, headers={"Referer": OWN + page})

    assert refused.status_code == 403
    assert f'href="{page}"' in refused.text
