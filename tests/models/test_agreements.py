"""Data-use agreements: their rules in the database, and which hold, wait or end soon."""

from datetime import date

import pytest

from registry.models import Agreement, NeverDeleted
from registry.vocabulary import Role
from tests.factories import AgreementFactory, UserFactory
from tests.models.rule_checks import assert_refused, store

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
TODAY = date(2026, 5, 1)


@pytest.fixture
def people():
    """A researcher and two data managers, none of them the other."""
    return UserFactory.create_batch(3)


def agreement(**given):
    return AgreementFactory.build(**{"expires_on": TODAY, **given})


@pytest.mark.parametrize("decision", ["", "first-grant", "granted", "declined", "withdrawn"])
def test_decision_is_coded_or_not_taken_yet(people, decision):
    reason = "No protocol yet" if decision == "declined" else ""

    store(agreement(user=people[0], decision=decision, reason=reason))
    assert_refused(agreement(user=people[0], decision="perhaps"), "decision_is_coded")


@pytest.mark.parametrize(
    ("decision", "reason", "allowed"),
    [
        ("declined", "No protocol yet", True),
        ("declined", "", False),
        ("ended", "The study is over", True),
        ("ended", "", False),
        ("granted", "", True),
        ("granted", "Because", False),
        ("", "Because", False),
    ],
)
def test_reason_stands_where_it_was_turned_down_or_ended(people, decision, reason, allowed):
    row = agreement(user=people[0], decision=decision, reason=reason)

    if allowed:
        store(row)
    else:
        assert_refused(row, "reason_where_turned_down")


def test_nobody_grants_their_own(people):
    researcher, first, _ = people

    store(agreement(user=researcher, granted_by=first))
    assert_refused(agreement(user=researcher, granted_by=researcher), "nobody_grants_their_own")


def test_second_is_neither_the_first_nor_the_researcher(people):
    researcher, first, second = people
    rule = "second_is_another_person"

    store(agreement(user=researcher, granted_by=first, confirmed_by=second))
    assert_refused(agreement(user=researcher, granted_by=first, confirmed_by=first), rule)
    assert_refused(agreement(user=researcher, granted_by=first, confirmed_by=researcher), rule)
    assert_refused(agreement(user=researcher, confirmed_by=second), rule)


@pytest.mark.parametrize(
    ("decision", "expires_on", "current", "standing"),
    [
        ("granted", date(2026, 5, 1), True, "Granted"),
        ("granted", date(2026, 4, 30), False, "Expired"),
        ("", date(2027, 1, 1), False, "Asked for"),
        ("first-grant", date(2027, 1, 1), False, "Granted once"),
        ("declined", date(2027, 1, 1), False, "Declined"),
        ("withdrawn", date(2027, 1, 1), False, "Withdrawn"),
        ("ended", date(2027, 1, 1), False, "Ended early"),
    ],
)
def test_agreement_holds_once_granted_and_to_its_last_day(decision, expires_on, current, standing):
    reason = "Told elsewhere" if decision in {"declined", "ended"} else ""
    row = AgreementFactory(decision=decision, expires_on=expires_on, reason=reason)

    assert row.is_current(TODAY) is current
    assert Agreement.objects.current(TODAY).exists() is current
    assert row.standing(TODAY) == standing


@pytest.mark.parametrize(
    ("expires_on", "ending"),
    [
        (date(2026, 4, 30), False),
        (date(2026, 5, 1), True),
        (date(2026, 5, 11), True),
        (date(2026, 5, 12), False),
    ],
)
def test_agreement_ends_soon_within_the_days_of_the_setting(settings, expires_on, ending):
    settings.REGISTRY_AGREEMENT_REMINDER_DAYS = 10
    AgreementFactory(expires_on=expires_on)
    AgreementFactory(expires_on=TODAY, decision="")

    assert Agreement.objects.ending(TODAY).count() == ending


@pytest.mark.parametrize(
    ("decision", "renewable", "ending"),
    [("granted", False, False), ("", False, True), ("withdrawn", True, True)],
)
def test_renewal_takes_the_place_of_what_it_renews(decision, renewable, ending):
    held = AgreementFactory(expires_on=TODAY)
    AgreementFactory(user=held.user, renews=held, decision=decision, expires_on=date(2028, 1, 1))

    assert held.is_renewable(TODAY) is renewable
    assert Agreement.objects.ending(TODAY).filter(pk=held.pk).exists() is ending


def test_requests_wait_for_data_managers_who_may_still_decide():
    first, second = UserFactory.create_batch(2, roles=[Role.DATA_MANAGER])
    fresh = AgreementFactory(decision="", expires_on=TODAY)
    once = AgreementFactory(decision="first-grant", granted_by=first, expires_on=TODAY)
    own = AgreementFactory(decision="", user=second, expires_on=TODAY)
    AgreementFactory(expires_on=TODAY)

    assert set(Agreement.objects.decidable_by(first)) == {fresh, own}
    assert set(Agreement.objects.decidable_by(second)) == {fresh, once}


def test_agreements_are_seen_by_their_researcher_and_data_managers():
    own, other = AgreementFactory.create_batch(2, expires_on=TODAY)
    manager = UserFactory(roles=[Role.DATA_MANAGER])

    assert set(Agreement.objects.visible_to(own.user)) == {own}
    assert set(Agreement.objects.visible_to(manager)) == {own, other}
    assert not Agreement.objects.visible_to(UserFactory(roles=[Role.REVIEWER])).exists()


def test_agreement_is_never_deleted():
    with pytest.raises(NeverDeleted):
        AgreementFactory(expires_on=TODAY).delete()


def test_agreement_rows_are_kept_in_history():
    agreement = AgreementFactory(expires_on=date(2026, 5, 1))

    agreement.reference = "DUA-2"
    store(agreement)

    assert [row.history_type for row in agreement.history.order_by("history_id")] == ["+", "~"]
