"""People in the admin: made, changed and deactivated, and lost codes reset, by data managers."""

import pytest
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from registry.models import Seal, User
from registry.vocabulary import Role
from tests.dashboard.test_one_time_code import added
from tests.factories import UserFactory

USER = {
    "username": "newcomer",
    "email": "",
    "new_password": "a long unlikely phrase",
    "is_active": "on",
    "roles": ["researcher"],
}


@pytest.mark.parametrize("role", ["reporter", "lead", "reviewer", "auditor"])
@pytest.mark.parametrize("place", ["user", "agreement"])
def test_people_are_closed_to_all_but_data_managers(place, role, request, signed_in):
    client = signed_in(request.getfixturevalue(role))

    assert client.get(f"/admin/registry/{place}/").status_code == 403
    assert client.post(f"/admin/registry/{place}/add/", USER).status_code == 403


def test_a_data_manager_makes_a_person_with_roles(manager, signed_in):
    answer = signed_in(manager).post("/admin/registry/user/add/", USER)

    assert answer.status_code == 302
    person = User.objects.get(username="newcomer")
    assert person.check_password("a long unlikely phrase")
    assert person.roles == {Role.RESEARCHER}
    assert person.is_staff is False
    assert person.history.first().history_user == manager


def test_a_weak_password_is_refused(manager, signed_in):
    answer = signed_in(manager).post(
        "/admin/registry/user/add/", {**USER, "new_password": "12345678"}
    )

    assert "new_password" in answer.context["adminform"].form.errors
    assert not User.objects.filter(username="newcomer").exists()


def test_a_person_who_leaves_is_made_inactive(manager, signed_in):
    leaver = UserFactory(username="leaver", roles=[Role.REVIEWER])
    sent = {"username": "leaver", "email": "", "roles": ["reviewer"]}

    signed_in(manager).post(f"/admin/registry/user/{leaver.pk}/change/", sent)

    leaver.refresh_from_db()
    assert leaver.is_active is False
    assert leaver.check_password("demo")


def test_roles_are_taken_away(manager, signed_in):
    person = UserFactory(username="person", roles=[Role.REVIEWER, Role.ANALYST])
    sent = {"username": "person", "email": "", "is_active": "on", "roles": ["analyst"]}

    signed_in(manager).post(f"/admin/registry/user/{person.pk}/change/", sent)

    assert User.objects.get(pk=person.pk).roles == {Role.ANALYST}


def test_nobody_becomes_data_manager_and_auditor(manager, signed_in):
    person = UserFactory(username="person", roles=[Role.AUDITOR])
    sent = {
        "username": "person",
        "email": "",
        "is_active": "on",
        "roles": ["auditor", "data manager"],
    }

    page = signed_in(manager).post(f"/admin/registry/user/{person.pk}/change/", sent)

    assert page.status_code == 200
    assert "no auditor" in page.text
    assert User.objects.get(pk=person.pk).roles == {Role.AUDITOR}


def test_a_data_manager_resets_the_code_of_somebody_else(reporter, manager, signed_in):
    added(signed_in(reporter), reporter)
    client = signed_in(manager)
    page = reverse("admin:registry_user_change", args=[reporter.pk])
    assert "Reset one-time code" in client.get(page).text

    answer = client.post(reverse("reset_code", args=[reporter.pk]), follow=True)

    assert "signs in without a one-time code now" in answer.text
    assert not TOTPDevice.objects.exists()
    row = reporter.history.first()
    assert (row.history_change_reason, row.history_user) == ("one-time-code-removed", manager)
    seal = Seal.objects.latest("number")
    assert (seal.action, seal.actor) == ("remove-one-time-code", manager)
    assert "Reset one-time code" not in client.get(page).text


def test_a_data_manager_does_not_reset_the_own_code_past_the_password(manager, signed_in):
    client = signed_in(manager)
    added(client, manager)

    answer = client.post(reverse("reset_code", args=[manager.pk]), follow=True)

    assert "with your password" in answer.text
    assert TOTPDevice.objects.get().confirmed


@pytest.mark.parametrize("role", [Role.SITE_STAFF, Role.REVIEWER, Role.AUDITOR])
def test_nobody_else_resets_a_code(role, manager, signed_in):
    added(signed_in(manager), manager)

    answer = signed_in(UserFactory(roles=[role])).post(reverse("reset_code", args=[manager.pk]))

    assert answer.status_code == 403
    assert TOTPDevice.objects.get().confirmed


def test_a_reset_takes_a_post(reporter, manager, signed_in):
    added(signed_in(reporter), reporter)

    assert signed_in(manager).get(reverse("reset_code", args=[reporter.pk])).status_code == 405
    assert TOTPDevice.objects.exists()


def test_a_reset_of_nobody_is_not_found(manager, signed_in):
    assert signed_in(manager).post(reverse("reset_code", args=[0])).status_code == 404
