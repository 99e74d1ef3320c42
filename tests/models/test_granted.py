"""Roles, permissions, passwords and code generators that were changed by SQL are found."""

import io

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django_otp.plugins.otp_totp.models import TOTPDevice

from registry.models import Seal, User, sealed
from registry.models.granted import NOT_COVERED, OWN_PERMISSION, altered_grants
from registry.models.sign_again import sign_trail
from registry.models.signing import signer
from registry.models.verification import verify_trail
from registry.vocabulary import Role
from tests.factories import UserFactory
from tests.models.tampering import chained_anew, tampered

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def person():
    """A reviewer with a code generator."""
    person = UserFactory(username="ann", roles=[Role.REVIEWER])
    device = TOTPDevice.objects.create(user=person, name="Code generator", confirmed=True)
    with sealed(by=person, action="add-one-time-code") as seal:
        seal.save(person, reason="one-time-code-added")
    assert device.key
    return person


def group(role):
    return Group.objects.get(name=role.value)


def test_untouched_grants_hold(person):
    UserFactory()

    assert list(altered_grants()) == []


def test_grants_are_read_in_as_many_queries_for_more_people(person, django_assert_max_num_queries):
    for _ in range(5):
        UserFactory(roles=[Role.RESEARCHER])

    with django_assert_max_num_queries(9 + len(Role)):
        list(altered_grants())


def test_role_given_by_sql_is_found_at_the_last_seal_of_the_person(person):
    tampered(
        "INSERT INTO registry_user_groups (user_id, group_id) VALUES (%s, %s)",
        person.pk,
        group(Role.DATA_MANAGER).pk,
    )

    last = person.history.latest("history_id").seal_number
    assert list(altered_grants()) == [
        (last, "The roles of a person were altered past their history.")
    ]


def test_role_taken_by_sql_is_found(person):
    tampered("DELETE FROM registry_user_groups")

    assert [what for _, what in altered_grants()] == [
        "The roles of a person were altered past their history."
    ]


def test_permission_of_one_s_own_is_found(person):
    tampered(
        "INSERT INTO registry_user_user_permissions (user_id, permission_id) VALUES (%s, %s)",
        person.pk,
        Permission.objects.first().pk,
    )

    assert list(altered_grants()) == [(None, OWN_PERMISSION)]


def test_permission_added_to_a_role_is_found():
    permission = Permission.objects.get(codename="add_user")
    tampered(
        "INSERT INTO auth_group_permissions (group_id, permission_id) VALUES (%s, %s)",
        group(Role.RESEARCHER).pk,
        permission.pk,
    )

    [(seal, what)] = altered_grants()
    assert seal is None
    assert what == "The role researcher has other permissions than the registry gives it."


def test_permission_taken_from_a_role_is_found():
    tampered("DELETE FROM auth_group_permissions WHERE group_id = %s", group(Role.AUDITOR).pk)

    [(_, what)] = altered_grants()
    assert what == "The role auditor has other permissions than the registry gives it."


def test_group_that_is_no_role_is_found():
    tampered("INSERT INTO auth_group (name) VALUES ('wheel')")

    assert (None, "There is a group that is no role.") in list(altered_grants())


def test_role_that_has_gone_is_found():
    tampered("DELETE FROM auth_group_permissions WHERE group_id = %s", group(Role.AUDITOR).pk)
    tampered("DELETE FROM auth_group WHERE name = 'auditor'")

    assert list(altered_grants()) == [(None, "The role auditor has gone.")]


def test_password_set_by_sql_is_found(person):
    other = UserFactory()
    tampered("UPDATE registry_user SET password = %s WHERE id = %s", other.password, person.pk)

    [(_, what)] = altered_grants()
    assert what == "The password of a person was altered past its history."


def test_generator_taken_away_by_sql_is_found(person):
    tampered("DELETE FROM otp_totp_totpdevice")

    [(_, what)] = altered_grants()
    assert what == "The code generator of a person was altered past its history."


def test_generator_replaced_by_sql_is_found(person):
    tampered("UPDATE otp_totp_totpdevice SET key = %s", "ab" * 20)

    [(_, what)] = altered_grants()
    assert what == "The code generator of a person was altered past its history."


def test_given_password_said_to_be_the_owner_s_own_is_found(person):
    with sealed(by=None, action="test") as seal:
        person.must_change_password = True
        seal.save(person)
    tampered("UPDATE registry_user SET must_change_password = false WHERE id = %s", person.pk)

    [(_, what)] = altered_grants()
    assert what == "The password of a person was altered past its history."


def test_digest_of_a_version_that_did_not_say_given_holds(person):
    tampered("UPDATE registry_user SET must_change_password = true WHERE id = %s", person.pk)

    assert list(altered_grants()) == []


def test_history_holds_no_password_and_no_key(person):
    [device] = TOTPDevice.objects.all()
    rows = str(list(person.history.values()))

    assert person.password not in rows
    assert device.key not in rows


def test_change_of_one_s_password_is_sealed(person):
    before = Seal.objects.count()
    person.set_password("another long one 7")

    person.save()

    seal = Seal.objects.latest("number")
    assert (seal.number, seal.action, seal.rows) == (before + 1, "change-password", 1)
    assert User.objects.get(pk=person.pk).check_password("another long one 7")
    assert verify_trail().breaks == ()


def test_change_of_password_names_who_was_signed_in(person, client):
    client.force_login(person)
    sent = {
        "old_password": "demo",
        "new_password1": "another long one 7",
        "new_password2": "another long one 7",
    }

    assert client.post("/password/", sent).status_code == 302

    seal = Seal.objects.latest("number")
    assert (seal.actor, seal.action) == (person, "change-password")


def test_password_of_a_command_is_sealed_by_nobody(person, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda prompt: "another long one 7")

    call_command("changepassword", "ann", stdout=io.StringIO())

    seal = Seal.objects.latest("number")
    assert (seal.actor, seal.action) == (None, "change-password")
    assert verify_trail().breaks == ()


def test_stronger_hash_of_the_same_password_is_sealed(person, settings):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]

    assert User.objects.get(pk=person.pk).check_password("demo")

    assert Seal.objects.latest("number").action == "renew-password-hash"
    assert User.objects.get(pk=person.pk).password.startswith("pbkdf2_sha256$")
    assert verify_trail().breaks == ()


def test_sign_in_seals_nothing(person, client):
    before = Seal.objects.count()

    client.force_login(person)

    assert Seal.objects.count() == before


def test_password_of_an_earlier_version_is_covered_by_signing(person, heads):
    earlier = UserFactory(username="before")
    tampered("UPDATE registry_historicaluser SET password_digest = '', generator_digest = ''")
    chained_anew(signer())
    assert (None, NOT_COVERED) in [(one.seal, one.what) for one in verify_trail().breaks]

    sign_trail()

    assert verify_trail().breaks == ()
    assert earlier.history.latest("history_id").history_change_reason == "begin-cover"
