"""Who asks unusually many different protected questions is listed, and nobody else."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from registry.models import AccessLog
from registry.reporting import NOTED_AS
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def asked(user, *questions, days_ago=0, action=NOTED_AS):
    at = timezone.now() - timedelta(days=days_ago)
    for question in questions:
        AccessLog.objects.create(user=user, action=action, what=question, at=at)


def told(*arguments):
    out = StringIO()
    call_command("crawlers", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_who_asked_many_different_questions_is_listed_with_days_and_number():
    crawler, usual = UserFactory(username="crawler"), UserFactory(username="usual")
    asked(crawler, "counts a", "counts b")
    asked(crawler, "counts b", "counts c", days_ago=2)
    asked(usual, *["counts a"] * 9)

    (line,) = told("--least", "3")

    assert line.startswith("crawler: different questions 3, on days 2, last on ")


def test_older_questions_and_exact_ones_do_not_count():
    user = UserFactory(username="someone")
    asked(user, "counts a", "counts b", days_ago=40)
    asked(user, "counts c", "counts d", action="exact-statistics")

    assert told("--least", "2") == [
        "Nobody asked 2 different protected questions or more in 30 days."
    ]
    assert len(told("--least", "2", "--days", "50")) == 1
    assert told("--least", "2", "--days", "50")[0].startswith("someone: different questions 2, ")
