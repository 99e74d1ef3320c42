"""Statements that are put together once say and store what the ORM would."""

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils import timezone

from registry.models import AccessLog, User
from registry.models.statements import first_column, insert_row
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def test_entry_of_the_log_reads_back_as_it_was_set():
    user, at = UserFactory(), timezone.now()
    given = {"at": at, "user": user, "action": "row-read", "what": "events: 1 % 2", "count": 3}

    before, after = (AccessLog.objects.create(**given) for _ in "ab")

    stored = AccessLog.objects.get(pk=after.pk)
    assert {name: getattr(stored, name) for name in given} == given
    assert stored.signature == after.signature != before.signature
    assert before.pk < after.pk
    assert not after._state.adding


def test_inserted_and_saved_rows_share_one_sequence_of_keys():
    first = AccessLog.objects.create(action="row-read")
    second = AccessLog(action="row-read")
    second.save()
    third = AccessLog.objects.create(action="row-read")

    assert first.pk < second.pk < third.pk


def test_entry_is_one_statement(django_assert_num_queries):
    with django_assert_num_queries(1):
        AccessLog.objects.create(action="row-read")


def test_row_that_is_refused_ends_the_transaction_it_is_in():
    with transaction.atomic():
        with pytest.raises(IntegrityError):
            insert_row(AccessLog(action="No Code"), using="default")

        assert transaction.get_rollback()
        transaction.set_rollback(True)

    assert not AccessLog.objects.exists()


def test_row_of_somebody_who_is_not_stored_is_refused():
    with pytest.raises(ValueError, match="unsaved"):
        insert_row(AccessLog(action="row-read", user=User(username="new")), using="default")


def test_query_by_a_key_is_put_together_once(django_assert_num_queries):
    made = []

    def name_of(key):
        made.append(key)
        return User.objects.filter(pk=key).order_by().values_list("username")

    one, other = UserFactory(), UserFactory()

    with django_assert_num_queries(2):
        assert first_column(name_of, one.pk) == [one.username]
        assert first_column(name_of, other.pk) == [other.username]
    assert first_column(name_of, -1) == []
    assert len(made) == 1


def test_query_with_more_to_it_than_its_key_is_refused():
    with pytest.raises(ValueError, match="other parameters"):
        first_column(lambda key: Group.objects.filter(user=key, name="auditor"), 1)
