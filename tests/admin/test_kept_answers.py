"""Nothing typed is lost: a session that ended, a sign-in elsewhere, and two who change one row."""

import re

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core import signing
from django.test import Client
from django.urls import reverse

from registry.answers import kept as kept_answers
from registry.answers import sessions
from registry.models import Event
from registry.vocabulary import Severity
from tests.admin.conftest import BACKEND
from tests.factories import ComplicationFactory, EventFactory, ImplantFactory

ADD = "/admin/registry/event/add/"
OWN = "http://testserver"


def page(row):
    return reverse(f"admin:registry_{row._meta.model_name}_change", args=[row.public_id])


@pytest.fixture
def answers(own_site):
    implant = ImplantFactory(patient__site=own_site, source_id="k-1", catheter=True)
    ComplicationFactory()
    return {
        "site": "OWN-1",
        "complication": "catheter-migration",
        "implant": str(implant.public_id),
        "year": "2011",
        "severity": "3",
        "interventions": ["catheter-revision", "imaging-diagnostic"],
        "_save": "1",
    }


def hidden(html, name):
    return re.search(rf'name="{name}" value="([^"]*)"', html)[1]


def test_a_form_sent_without_a_session_comes_back_after_signing_in(answers, reporter):
    reporter.set_password("a long password 7")
    reporter.save()
    client = Client()

    lost = client.post(ADD, answers)
    assert lost.status_code == 403
    assert "Your answers are kept" in lost.text
    assert not Event.objects.exists()
    back = client.post(
        "/login/",
        {
            "username": "reporter",
            "password": "a long password 7",
            "next": hidden(lost.text, "next"),
            "_kept": hidden(lost.text, "_kept"),
        },
    )
    assert "Go on with my answers" in back.text
    form = client.post(ADD, {"_kept": hidden(back.text, "_kept")})

    assert "Your answers were kept, and nothing is stored yet" in form.text
    filled = form.context["adminform"].form
    assert {name: filled[name].data for name in ("year", "severity", "interventions")} == {
        "year": "2011",
        "severity": "3",
        "interventions": ["catheter-revision", "imaging-diagnostic"],
    }
    assert not Event.objects.exists()
    client.post(ADD, answers)
    assert Event.objects.count() == 1


def test_the_back_button_and_a_sign_in_of_its_own_bring_the_answers_back(answers, reporter):
    reporter.set_password("a long password 7")
    reporter.save()
    client = Client()
    client.post(ADD, {**answers, "_form": "t1", "source_id": "Maria-Schmidt", "months": "Schmidt"})
    assert "Schmidt" not in str(dict(client.session))

    assert client.get(ADD)["Location"].startswith("/admin/login/")
    signed = {"username": "reporter", "password": "a long password 7", "next": ADD}
    assert client.post("/login/", signed)["Location"] == ADD
    offer = re.search(r'id="unsaved".*?name="_kept" value="([^"]*)"', client.get(ADD).text, re.S)
    form = client.post(ADD, {"_kept": offer[1]}).context["adminform"].form

    kept = {name: form[name].data for name in answers if name != "_save"}
    assert kept == {name: value for name, value in answers.items() if name != "_save"}
    client.post(ADD, {**answers, "_form": "t1"})
    assert Event.objects.count() == 1
    assert 'id="unsaved"' not in client.get(ADD).text


def test_a_stranger_keeps_no_more_than_answers(answers):
    client = Client()
    client.post(ADD, {"site": "NONE-9", "implant": "Schmidt", "year": "born 1961", "alarm": "x"})

    assert "unsaved" not in client.session


def test_a_wrong_password_loses_nothing(answers, reporter):
    client = Client()
    lost = client.post(ADD, answers)

    again = client.post(
        "/login/", {"username": "reporter", "password": "x", "_kept": hidden(lost.text, "_kept")}
    )

    assert hidden(again.text, "_kept") == hidden(lost.text, "_kept")


def test_answers_are_carried_on_where_the_session_ends_again(answers):
    lost = Client().post(ADD, answers)

    again = Client().post(ADD, {"_kept": hidden(lost.text, "_kept")})

    assert again.status_code == 403
    assert hidden(again.text, "_kept") == hidden(lost.text, "_kept")


def test_answers_are_carried_on_past_a_token_of_another_sign_in(answers, reporter):
    lost = Client().post(ADD, answers)

    refused = checked_client(reporter).post(
        ADD, {"_kept": hidden(lost.text, "_kept")}, headers={"Origin": OWN}
    )

    assert hidden(refused.text, "_kept") == hidden(lost.text, "_kept")


def checked_client(user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user, backend=BACKEND)
    return client


@pytest.mark.parametrize("header", ["Origin", "Referer"])
def test_a_token_of_another_sign_in_keeps_the_answers(header, answers, reporter):
    client = checked_client(reporter)
    sent_from = OWN if header == "Origin" else f"{OWN}{ADD}"

    refused = client.post(ADD, answers, headers={header: sent_from})

    assert refused.status_code == 403
    assert "Go on with my answers" in refused.text
    token = hidden(refused.text, "csrfmiddlewaretoken")
    form = client.post(
        ADD,
        {"_kept": hidden(refused.text, "_kept"), "csrfmiddlewaretoken": token},
        headers={"Origin": OWN},
    )
    assert form.context["adminform"].form["year"].data == "2011"


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://elsewhere.example"}, {"Referer": "https://e.example/"}, {}]
)
def test_what_another_site_sends_is_given_back_to_nobody(headers, answers, reporter):
    refused = checked_client(reporter).post(ADD, answers, headers=headers)

    assert refused.status_code == 403
    assert "_kept" not in refused.text
    assert "Open the page again" in refused.text


@pytest.mark.parametrize("path", ["/login/", "/admin/upload/", "/admin/registry/event/"])
def test_no_page_shows_djangos_own_refusal_of_a_token(path, reporter):
    refused = checked_client(reporter).post(path, {"a": "b"}, headers={"Origin": OWN})

    assert refused.status_code == 403
    assert "Open the page again" in refused.text


def carried(address, **sent):
    content = {"address": address, "sent": [(name, [value]) for name, value in sent.items()]}
    return signing.dumps(content, salt="registry.answers.kept", compress=True)


def test_answers_go_back_to_their_own_form_only(answers, reporter, signed_in):
    client = signed_in(reporter)

    answer = client.post(ADD, {"_kept": carried("/admin/registry/patient/add/", year="2011")})

    assert (answer.status_code, answer["Location"]) == (302, ADD)


def test_answers_that_were_altered_are_not_taken(answers, reporter, signed_in):
    assert signed_in(reporter).post(ADD, {"_kept": carried(ADD) + "x"}).status_code == 302


def test_answers_are_kept_for_a_day(reporter, answers, signed_in, monkeypatch):
    monkeypatch.setattr(kept_answers, "KEPT_FOR", -1)

    assert signed_in(reporter).post(ADD, {"_kept": carried(ADD)}).status_code == 302


def test_no_password_or_token_is_carried(answers):
    lost = Client().post(ADD, {**answers, "csrfmiddlewaretoken": "secret"})

    names = [name for name, _values in kept_answers.kept(hidden(lost.text, "_kept"))["sent"]]
    assert "csrfmiddlewaretoken" not in names
    assert "year" in names


def test_a_session_in_use_is_prolonged_and_not_at_every_request(reporter, signed_in, monkeypatch):
    client = signed_in(reporter)
    client.get("/admin/")
    first = Session.objects.get().expire_date
    client.get("/admin/")
    assert Session.objects.get().expire_date == first

    monkeypatch.setattr(sessions, "SLIDES_AFTER", 0)
    client.get("/admin/")
    assert Session.objects.get().expire_date > first


def test_prolonging_saves_a_session_once_and_sends_its_cookie(reporter, signed_in, monkeypatch):
    client = signed_in(reporter)
    saved = []
    save = SessionStore.save
    monkeypatch.setattr(
        SessionStore, "save", lambda session, **more: (saved.append(1), save(session, **more))
    )

    due = client.get("/admin/")
    again = client.get("/admin/")

    assert saved == [1]
    assert due.cookies["sessionid"]["max-age"] == 2 * 3600
    assert "sessionid" not in again.cookies


def test_a_changed_session_that_cannot_be_stored_is_told(reporter, signed_in, monkeypatch):
    client = signed_in(reporter)

    def locked(session, **_options):
        raise UpdateError

    monkeypatch.setattr(SessionStore, "save", locked)

    answer = client.post("/admin/registry/event/", {"search": "1", "q": "e-1"})
    assert answer.status_code == 400


def test_a_page_is_read_while_no_session_can_be_written(reporter, signed_in, monkeypatch):
    client = signed_in(reporter)
    tried = []

    def locked(session, **_options):
        tried.append(session.session_key)
        raise UpdateError

    monkeypatch.setattr(SessionStore, "save", locked)

    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/").status_code == 200
    assert len(tried) == 1  # the second page does not wait for the database again


@pytest.fixture
def draft(own_site):
    return EventFactory(site=own_site, source_id="d-1", state="draft", severity=2, year=2011)


def sent(draft, **more):
    return {
        "site": "OWN-1",
        "source_id": draft.source_id,
        "complication": draft.complication_id,
        "year": "2011",
        "severity": "2",
        "seriousness": ["none"],
        "outcome": "recovered",
        "actuality": "actual",
        "version": str(draft.version),
        "_save": "1",
        **more,
    }


def test_who_changed_an_older_version_sees_both_and_goes_on(draft, reporter, lead, signed_in):
    one, other = signed_in(reporter), signed_in(lead)
    one.post(page(draft), sent(draft, severity="3", outcome="recovering"))

    answer = other.post(page(draft), sent(draft, severity="4", seriousness=["hospitalisation"]))

    assert answer.context["both"] == [
        ("Severity", "3 Severe: " + grade(3), "4 Life-threatening: " + grade(4)),
        ("Seriousness", "None of these: not serious", "Hospitalisation"),
        ("Outcome", "Recovering", "Recovered"),
    ]
    assert "Somebody changed this since you opened it" in answer.text
    stored = Event.objects.get()
    assert (stored.severity, stored.version) == (3, 2)
    assert hidden(answer.text, "version") == "2"
    other.post(
        page(draft), sent(stored, severity="4", seriousness=["hospitalisation"], version="2")
    )
    assert Event.objects.get().severity == 4


def grade(number):
    return Severity(number).definition


def test_a_conflict_that_says_the_same_has_nothing_to_show(draft, reporter, lead, signed_in):
    signed_in(reporter).post(page(draft), sent(draft, severity="3"))

    answer = signed_in(lead).post(page(draft), sent(draft, severity="3"))

    assert answer.context["both"] == []
