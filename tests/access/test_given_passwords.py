"""A password that a data manager gave is changed before anything else is done."""

import re

import pytest
from django.test import Client

from registry.models import Event, User
from registry.vocabulary import Role
from tests.factories import ComplicationFactory, SiteFactory, UserFactory

GIVEN, OWN = "given by a manager 7", "known to nobody else 8"


@pytest.fixture
def nurse(db):
    """A member of a site whose password a data manager has set on the admin's page."""
    nurse = UserFactory(username="nurse", roles=[Role.SITE_STAFF], sites=[SiteFactory(code="A-1")])
    manager = UserFactory(username="manager", roles=[Role.DATA_MANAGER])
    client = Client()
    client.force_login(manager, backend="django.contrib.auth.backends.ModelBackend")
    sent = {
        "username": "nurse",
        "email": "",
        "is_active": "on",
        "is_staff": "on",
        "roles": ["site staff"],
        "new_password": GIVEN,
    }
    assert client.post(f"/admin/registry/user/{nurse.pk}/change/", sent).status_code == 302
    return User.objects.get(pk=nurse.pk)


def sign_in(password):
    client = Client()
    client.post("/login/", {"username": "nurse", "password": password})
    return client


def change(client, new, old=GIVEN):
    sent = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post("/password/", sent)


@pytest.mark.parametrize("address", ["/admin/", "/dashboard/", "/tokens/", "/api/v1/events/", "/"])
def test_a_given_password_opens_nothing_but_the_page_that_changes_it(address, nurse):
    client = sign_in(GIVEN)

    answer = client.get(address)

    assert (answer.status_code, answer["Location"]) == (302, "/password/")
    page = " ".join(client.get("/password/").text.split())
    assert re.search(r"given to you by manager on \d+ \w+ \d{4} at \d\d:\d\d UTC, who knows", page)


def test_an_own_password_opens_what_the_roles_open(nurse):
    client = sign_in(GIVEN)

    assert change(client, OWN).status_code == 302

    assert client.get("/admin/").status_code == 200
    assert "was given to you" not in client.get("/password/").text
    assert sign_in(OWN).get("/admin/").status_code == 200
    assert not User.objects.get(username="nurse").must_change_password


def test_the_given_password_is_no_other_password(nurse):
    client = sign_in(GIVEN)

    answer = change(client, GIVEN)

    assert "Choose another password than the current one." in answer.text
    assert User.objects.get(username="nurse").must_change_password


def test_a_saved_page_of_a_person_leaves_the_password_as_it_is(nurse):
    User.objects.filter(pk=nurse.pk).update(must_change_password=False)
    client = Client()
    client.force_login(
        User.objects.get(username="manager"), backend="django.contrib.auth.backends.ModelBackend"
    )
    sent = {"username": "nurse", "email": "n@example.org", "is_active": "on", "new_password": ""}

    client.post(f"/admin/registry/user/{nurse.pk}/change/", sent)

    assert User.objects.get(pk=nurse.pk).email == "n@example.org"
    assert not User.objects.get(pk=nurse.pk).must_change_password


def test_no_token_is_made_with_a_given_password(nurse):
    sent = {"username": "nurse", "password": GIVEN}

    refused = Client().post("/api/v1/tokens/", sent, content_type="application/json")

    assert (refused.status_code, refused.json()["code"]) == (401, "not-authenticated")
    assert "changed at /login/ first" in refused.json()["detail"]
    assert nurse.auth_token_set.count() == 0
    change(sign_in(GIVEN), OWN)
    sent = {"username": "nurse", "password": OWN}
    made = Client().post("/api/v1/tokens/", sent, content_type="application/json")
    assert made.status_code == 201


def test_answers_that_were_sent_meanwhile_are_kept(nurse):
    ComplicationFactory()
    client = sign_in(GIVEN)
    address = "/admin/registry/event/add/"

    lost = client.post(address, {"complication": "catheter-migration", "year": "2011"})

    assert lost.status_code == 403
    assert "Change the password that you were given" in lost.text
    kept = re.search(r'name="_kept" value="([^"]*)"', lost.text)[1]
    again = client.post(address, {"_kept": kept})
    assert re.search(r'name="_kept" value="([^"]*)"', again.text)[1] == kept
    change(client, OWN)
    form = client.post(address, {"_kept": kept}).context["adminform"].form
    assert form["year"].data == "2011"
    assert not Event.objects.exists()


def test_the_servers_health_asks_no_database_who_is_signed_in(nurse, django_assert_num_queries):
    client = sign_in(GIVEN)

    with django_assert_num_queries(0):
        assert client.get("/health/live").status_code == 200


def test_signing_out_is_open(nurse):
    client = sign_in(GIVEN)

    client.post("/logout/")

    assert "_auth_user_id" not in client.session
