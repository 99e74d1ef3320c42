"""Made and changed people: what ends with a change, and what its owner is told."""

import pytest
from django.test import Client
from django.utils import timezone

from registry import intake
from registry.intake.people import note_told, unseen_by_owner
from registry.models import Token, User, sealed
from registry.records import NotPermitted, RowRuleBroken
from registry.vocabulary import Role
from tests.dashboard.conftest import BACKEND
from tests.factories import AgreementFactory, UserFactory
from tests.intake.test_role_proposals import changed

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
PHRASE = "a long unlikely phrase"


@pytest.fixture
def manager():
    return UserFactory(username="manager", roles=[Role.DATA_MANAGER])


@pytest.fixture
def person():
    person = UserFactory(username="person", roles=[Role.RESEARCHER])
    User.objects.filter(pk=person.pk).update(told_at=timezone.now())
    return User.objects.get(pk=person.pk)


class Access:
    """A session and a token that somebody has."""

    def __init__(self, user):
        self.client = Client()
        self.client.force_login(user, backend=BACKEND)
        _token, self.key = Token.objects.create(user=user)

    def is_open(self):
        token = {"Authorization": f"Token {self.key}"}
        return (
            self.client.get("/tokens/").status_code == 200,
            Client().get("/api/v1/tokens/", headers=token).status_code == 200,
        )


@pytest.mark.parametrize(
    "change",
    [
        {"password": PHRASE},
        {"username": "renamed"},
        {"email": "other@example.org"},
        {"roles": ["analyst"]},
        {"roles": []},
        {"is_active": False},
    ],
    ids=str,
)
def test_change_of_an_account_ends_its_sessions_and_tokens(change, person, manager):
    access = Access(person)
    assert access.is_open() == (True, True)

    changed(person, **change, by=manager)

    assert access.is_open() == (False, False)


def test_session_does_not_come_back_with_the_account(person, manager):
    access = Access(person)

    changed(person, is_active=False, by=manager)
    changed(person, is_active=True, by=manager)

    assert access.is_open() == (False, False)


def test_change_of_nothing_ends_nothing(person, manager):
    access = Access(person)

    changed(person, by=manager)

    assert access.is_open() == (True, True)


def test_change_of_one_account_leaves_others_alone(person, manager):
    access = Access(manager)

    changed(person, password=PHRASE, by=manager)

    assert access.is_open() == (True, True)


def test_role_that_comes_with_an_agreement_ends_what_was_begun_before(person, manager):
    access = Access(person)
    request = AgreementFactory(user=person, decision="", expires_on="2028-01-01")

    intake.grant_agreement(request.public_id, by=manager)

    assert access.is_open() == (False, False)


def test_confirmed_role_ends_what_was_begun_before(person, manager, settings):
    settings.REGISTRY_ROLE_SECOND_PERSON = True
    access = Access(person)
    [proposal] = changed(person, roles=["reviewer"], by=manager).proposed
    second = UserFactory(roles=[Role.DATA_MANAGER])
    access = Access(User.objects.get(pk=person.pk))

    intake.confirm_role(proposal.public_id, by=second)

    assert access.is_open() == (False, False)


@pytest.mark.parametrize("code", ["added", "reset"])
def test_code_ends_what_was_begun_without_it(code, person, manager):
    access = Access(person)

    if code == "reset":
        intake.remove_codes(person, by=manager)
    else:
        intake.add_generator(person.totpdevice_set.create(name="phone", confirmed=False))

    assert access.is_open() == (False, False)


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.AUDITOR, Role.SITE_STAFF])
def test_nobody_but_data_managers_makes_or_changes_people(role, person):
    other = UserFactory(roles=[role])

    with pytest.raises(NotPermitted):
        changed(person, password=PHRASE, by=other)
    with pytest.raises(NotPermitted):
        intake.make_person(username="new", password=PHRASE, by=other)
    with pytest.raises(NotPermitted):
        intake.remove_codes(person, by=other)


@pytest.mark.parametrize(
    ("given", "column", "code"),
    [
        ({"username": "manager"}, "username", "bad-account"),
        ({"username": "a b"}, "username", "bad-account"),
        ({"email": "nowhere"}, "email", "bad-account"),
        ({"password": "12345"}, "new_password", "weak-password"),
        ({"password": "person12"}, "new_password", "weak-password"),
        ({"roles": ["emperor"]}, "roles", "unknown-code"),
        ({"roles": ["auditor", "data manager"]}, "roles", "kept-apart"),
    ],
)
def test_bad_account_is_refused_at_its_field(given, column, code, person, manager):
    with pytest.raises(RowRuleBroken) as refused:
        changed(person, **given, by=manager)

    assert [(fault.column, fault.code) for fault in refused.value.faults] == [(column, code)]
    stored = User.objects.get(pk=person.pk)
    assert (stored.username, stored.email, stored.check_password("demo")) == ("person", "", True)


def told(person):
    stored = User.objects.get(pk=person.pk)
    return [(each.by, each.what) for each in unseen_by_owner(stored)]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"password": PHRASE}, "set your password"),
        ({"email": "other@example.org"}, "changed your user name or e-mail address"),
        ({"roles": ["analyst"]}, "changed your roles"),
    ],
)
def test_owner_is_told_what_others_changed_once(change, what, person, manager):
    changed(person, **change, by=manager)

    assert told(person) == [("manager", what)]
    note_told(person)
    assert told(person) == []


def test_owner_is_told_of_a_code_that_was_reset(person, manager):
    intake.remove_codes(person, by=manager)

    assert told(person) == [("manager", "removed your one-time code")]


def test_owner_is_told_of_what_the_registry_itself_changed(person):
    with sealed(by=None, action="test") as seal:
        person.set_roles(["analyst"], seal=seal)

    assert told(person) == [("the registry itself", "changed your roles")]


def test_owner_is_told_of_a_password_that_a_command_set(person):
    stored = User.objects.get(pk=person.pk)
    stored.set_password(PHRASE)
    stored.save()

    assert told(person) == [("the registry itself", "set your password")]


def test_owner_is_not_told_of_own_changes_nor_of_the_beginning(manager):
    new = intake.make_person(username="new", password=PHRASE, roles=["analyst"], by=manager).person
    User.objects.filter(pk=manager.pk).update(told_at=timezone.now())

    changed(manager, email="m@example.org", by=manager)

    assert told(new) == []
    assert told(manager) == []


def test_sign_in_tells_what_others_changed_once(person, manager):
    changed(person, email="other@example.org", by=manager)
    client = Client()
    sent = {"username": "person", "password": "demo"}

    page = client.post("/login/", sent, follow=True)

    assert "manager changed your user name or e-mail address on" in page.text
    assert "tell another data manager" in page.text
    client.post("/logout/")
    assert "manager changed" not in client.post("/login/", sent, follow=True).text


def test_token_of_a_script_does_not_take_the_notice_away(person, manager):
    changed(person, email="other@example.org", by=manager)
    person.refresh_from_db()
    sent = {"username": "person", "password": "demo"}

    made = Client().post("/api/v1/tokens/", sent, content_type="application/json")

    assert made.status_code == 201
    page = Client().post("/login/", sent, follow=True)
    assert "manager changed your user name or e-mail address on" in page.text


def test_given_password_stands_in_the_history_under_a_seal(person, manager):
    changed(person, password=PHRASE, by=manager)

    row = person.history.order_by("-history_id").first()
    assert (row.history_change_reason, row.history_user) == ("password-given", manager)
