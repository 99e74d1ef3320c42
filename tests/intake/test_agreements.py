"""Data-use agreements: who asks, who decides, and every reason to refuse."""

from datetime import timedelta

import pytest
from django.utils import timezone

from registry.intake import (
    ask_for_agreement,
    confirm_agreement,
    decline_agreement,
    end_agreement,
    grant_agreement,
    open_decisions,
    remind_of_agreement,
    withdraw_agreement,
)
from registry.models import Agreement, Seal, User
from registry.models.verification import verify_trail
from registry.records import NotPermitted, Refusal, RowRuleBroken, StateConflict, UnknownRow
from registry.reporting import viewer_of
from registry.vocabulary import Role
from tests.factories import AgreementFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
NOT_MANAGERS = (Role.SITE_STAFF, Role.REVIEWER, Role.AUDITOR, Role.RESEARCHER, Role.ANALYST)


def today():
    return timezone.now().date()


def in_days(days):
    return today() + timedelta(days=days)


@pytest.fixture
def researcher():
    return UserFactory(username="researcher", roles=[Role.RESEARCHER])


@pytest.fixture
def manager():
    return UserFactory(username="manager", roles=[Role.DATA_MANAGER])


@pytest.fixture
def second():
    return UserFactory(username="second", roles=[Role.DATA_MANAGER])


@pytest.fixture
def two_persons(settings):
    settings.REGISTRY_AGREEMENT_SECOND_PERSON = True


def asked(by, **given):
    said = {
        "reference": "2026-0412",
        "purpose": "Catheter survival by model.",
        "answerable": "Dr Meier, Bern",
        "expires_on": in_days(100),
    }
    return ask_for_agreement(**said | given, by=by)


def faults_of(refusal, call, *args, **options):
    with pytest.raises(refusal) as raised:
        call(*args, **options)
    return [(fault.column, fault.code) for fault in raised.value.faults]


def anew(user):
    return User.objects.get(pk=user.pk)


def test_request_is_stored_under_a_seal_and_opens_nothing(researcher):
    request = asked(researcher, purpose="Catheter  survival\nby model.")

    assert (request.decision, request.user) == ("", researcher)
    assert request.purpose == "Catheter survival by model."
    assert request.history.get().history_user == researcher
    assert Seal.objects.latest("number").action == "ask-for-agreement"
    assert viewer_of(anew(researcher)).exact_everywhere is False


@pytest.mark.parametrize("role", [Role.RESEARCHER, Role.ANALYST])
def test_researchers_and_analysts_ask(role):
    assert asked(UserFactory(roles=[role])).pk


@pytest.mark.parametrize(
    "roles", [[], [Role.SITE_STAFF], [Role.REVIEWER], [Role.AUDITOR], [Role.DATA_MANAGER]]
)
def test_nobody_else_asks(roles):
    assert faults_of(NotPermitted, asked, UserFactory(roles=roles)) == [("", "not-permitted")]
    assert not Agreement.objects.exists()


@pytest.mark.parametrize(
    ("column", "good", "bad"),
    [
        ("reference", "2026", "2"),
        ("reference", "A" * 40, "A" * 41),
        ("reference", "BASEC 2026-00412 (v1.2)", "2026\x07"),
        ("reference", "2026/12", " -12"),
        ("purpose", "x" * 10, "x" * 9),
        ("purpose", "x" * 300, "x" * 301),
        ("answerable", "Me", "M"),
        ("answerable", "x" * 120, "x" * 121),
    ],
)
def test_texts_are_short_and_there(researcher, column, good, bad):
    ((named, _code),) = faults_of(RowRuleBroken, asked, researcher, **{column: bad})

    assert named == column
    assert asked(researcher, **{column: good}).pk


@pytest.mark.parametrize(("days", "allowed"), [(0, False), (1, True), (1098, True), (1099, False)])
def test_last_day_comes_after_today_and_within_three_years(researcher, days, allowed):
    if allowed:
        assert asked(researcher, expires_on=in_days(days)).expires_on == in_days(days)
    else:
        faults = faults_of(RowRuleBroken, asked, researcher, expires_on=in_days(days))
        assert faults == [("expires_on", "bad-last-day")]


def test_refusals_echo_no_value(researcher):
    with pytest.raises(RowRuleBroken) as raised:
        asked(researcher, reference="zebulon\x07", purpose="zebulon", answerable="z" * 121)

    assert len(raised.value.faults) == 3
    assert "zebulon" not in str(raised.value)


@pytest.mark.parametrize("last_day", [None, "yesterday"])
def test_all_faults_are_told_at_once(researcher, last_day):
    day = in_days(-1) if last_day else None

    faults = faults_of(
        RowRuleBroken, asked, researcher, reference="x", purpose="Short", expires_on=day
    )

    assert [name for name, _code in faults] == ["reference", "purpose", "expires_on"]


def test_same_reference_waits_once(researcher):
    first = asked(researcher)
    assert faults_of(RowRuleBroken, asked, researcher) == [("reference", "asked-already")]
    assert asked(UserFactory(roles=[Role.RESEARCHER])).pk

    withdraw_agreement(first.public_id, by=researcher)

    assert asked(researcher).pk


def test_data_manager_records_the_request_of_a_researcher(researcher, manager):
    request = asked(manager, person=researcher)

    assert (request.user, request.decision) == (researcher, "")
    assert faults_of(RowRuleBroken, asked, manager, person=UserFactory()) == [
        ("user", "not-a-researcher")
    ]


def test_researchers_record_no_requests_of_others(researcher):
    other = UserFactory(roles=[Role.RESEARCHER])

    assert faults_of(NotPermitted, asked, researcher, person=other) == [("", "not-permitted")]


def test_granted_request_makes_an_analyst_who_sees_exactly(researcher, manager):
    request = grant_agreement(asked(researcher).public_id, by=manager, expires_on=in_days(50))

    assert (request.decision, request.granted_by, request.confirmed_by) == (
        "granted",
        manager,
        None,
    )
    assert request.expires_on == in_days(50)
    assert anew(researcher).roles == {"researcher", "analyst"}
    viewer = viewer_of(anew(researcher))
    assert viewer.exact_everywhere
    assert (viewer.agreement.reference, viewer.agreement.until) == ("2026-0412", in_days(50))
    assert Seal.objects.latest("number").action == "grant-agreement"
    assert verify_trail().breaks == ()


def test_last_day_may_be_shortened_and_not_put_off(researcher, manager):
    request = asked(researcher)

    for days, code in ((101, "later-than-asked"), (0, "bad-last-day")):
        faults = faults_of(
            RowRuleBroken, grant_agreement, request.public_id, by=manager, expires_on=in_days(days)
        )
        assert faults == [("expires_on", code)]


def test_request_whose_last_day_has_come_is_not_granted(researcher, manager):
    late = AgreementFactory(user=researcher, decision="", expires_on=today())

    faults = faults_of(RowRuleBroken, grant_agreement, late.public_id, by=manager)

    assert faults == [("expires_on", "bad-last-day")]


def test_request_of_before_without_who_is_answerable_is_not_granted(researcher, manager):
    old = AgreementFactory(user=researcher, decision="", answerable="", expires_on=in_days(9))

    faults = faults_of(RowRuleBroken, grant_agreement, old.public_id, by=manager)

    assert faults == [("answerable", "bad-length")]


def test_request_of_somebody_who_has_left_is_not_granted(manager):
    gone = UserFactory(roles=[Role.RESEARCHER], is_active=False)
    request = AgreementFactory(user=gone, decision="", expires_on=in_days(9))

    faults = faults_of(RowRuleBroken, grant_agreement, request.public_id, by=manager)

    assert faults == [("user", "not-a-researcher")]


@pytest.mark.parametrize("role", NOT_MANAGERS)
def test_only_data_managers_decide(researcher, manager, role):
    by = UserFactory(roles=[role])
    request, held = asked(researcher), AgreementFactory(expires_on=in_days(9))

    for call in (
        lambda: grant_agreement(request.public_id, by=by),
        lambda: confirm_agreement(request.public_id, by=by),
        lambda: decline_agreement(request.public_id, by=by, reason="No protocol"),
        lambda: end_agreement(held.public_id, by=by, reason="Over"),
    ):
        assert faults_of(NotPermitted, call) == [("", "not-permitted")]
    assert open_decisions(request, by=by) == ()


def test_nobody_decides_on_their_own(second):
    both = UserFactory(roles=[Role.DATA_MANAGER, Role.RESEARCHER])
    request = asked(both)
    held = AgreementFactory(user=both, expires_on=in_days(9))

    for call in (
        lambda: grant_agreement(request.public_id, by=both),
        lambda: decline_agreement(request.public_id, by=both, reason="No protocol"),
        lambda: end_agreement(held.public_id, by=both, reason="Over"),
    ):
        assert faults_of(NotPermitted, call) == [("", "not-permitted")]
    assert open_decisions(request, by=both) == ()
    assert grant_agreement(request.public_id, by=second).decision == "granted"


@pytest.mark.usefixtures("two_persons")
def test_second_data_manager_confirms_before_it_holds(researcher, manager, second):
    request = grant_agreement(asked(researcher).public_id, by=manager)
    assert request.decision == "first-grant"
    assert anew(researcher).roles == {"researcher"}
    assert viewer_of(anew(researcher)).exact_everywhere is False

    held = confirm_agreement(request.public_id, by=second)

    assert (held.decision, held.granted_by, held.confirmed_by) == ("granted", manager, second)
    assert viewer_of(anew(researcher)).exact_everywhere


@pytest.mark.usefixtures("two_persons")
def test_first_data_manager_does_not_confirm(researcher, manager):
    request = grant_agreement(asked(researcher).public_id, by=manager)

    faults = faults_of(NotPermitted, confirm_agreement, request.public_id, by=manager)
    assert faults == [("", "not-permitted")]
    again = faults_of(StateConflict, grant_agreement, request.public_id, by=manager)
    assert again == [("", "state-conflict")]


@pytest.mark.usefixtures("two_persons")
def test_second_data_manager_does_not_grant_what_is_to_be_confirmed(researcher, manager, second):
    request = grant_agreement(asked(researcher).public_id, by=manager)

    faults = faults_of(StateConflict, grant_agreement, request.public_id, by=second)

    assert faults == [("", "state-conflict")]


@pytest.mark.usefixtures("two_persons")
def test_researcher_who_is_data_manager_does_not_confirm(manager):
    both = UserFactory(roles=[Role.DATA_MANAGER, Role.RESEARCHER])
    request = grant_agreement(asked(both).public_id, by=manager)

    faults = faults_of(NotPermitted, confirm_agreement, request.public_id, by=both)

    assert faults == [("", "not-permitted")]


def test_nothing_is_confirmed_that_nobody_granted(researcher, manager):
    request = asked(researcher)

    faults = faults_of(StateConflict, confirm_agreement, request.public_id, by=manager)

    assert faults == [("", "state-conflict")]


@pytest.mark.usefixtures("two_persons")
@pytest.mark.parametrize("who", ["first", "second"])
def test_what_was_granted_once_can_be_declined(researcher, manager, second, who):
    request = grant_agreement(asked(researcher).public_id, by=manager)
    by = manager if who == "first" else second

    declined = decline_agreement(request.public_id, by=by, reason="The protocol has lapsed")

    assert (declined.decision, declined.reason) == ("declined", "The protocol has lapsed")


@pytest.mark.parametrize("reason", ["", "x", " x ", "x" * 201])
def test_declining_and_ending_take_a_short_reason(researcher, manager, reason):
    request, held = asked(researcher), AgreementFactory(expires_on=in_days(9))

    for call, row in ((decline_agreement, request), (end_agreement, held)):
        faults = faults_of(RowRuleBroken, call, row.public_id, by=manager, reason=reason)
        assert faults == [("reason", "bad-length")]


def test_researcher_withdraws_what_is_not_decided(researcher):
    request = withdraw_agreement(asked(researcher).public_id, by=researcher)

    assert request.decision == "withdrawn"
    assert faults_of(StateConflict, withdraw_agreement, request.public_id, by=researcher) == [
        ("", "state-conflict")
    ]


def test_request_of_another_is_unknown(researcher, manager):
    request = asked(researcher)

    for by in (manager, UserFactory(roles=[Role.RESEARCHER])):
        faults = faults_of(UnknownRow, withdraw_agreement, request.public_id, by=by)
        assert faults == [("id", "not-found")]
    assert faults_of(UnknownRow, grant_agreement, "no-id", by=manager) == [("id", "not-found")]


@pytest.mark.parametrize("decision", ["granted", "declined", "withdrawn", "ended"])
def test_what_is_decided_is_decided(researcher, manager, decision):
    reason = "Told" if decision in {"declined", "ended"} else ""
    row = AgreementFactory(user=researcher, decision=decision, reason=reason, expires_on=in_days(9))

    for call in (
        lambda: grant_agreement(row.public_id, by=manager),
        lambda: confirm_agreement(row.public_id, by=manager),
        lambda: decline_agreement(row.public_id, by=manager, reason="No protocol"),
        lambda: withdraw_agreement(row.public_id, by=researcher),
    ):
        assert faults_of(StateConflict, call) == [("", "state-conflict")]


def test_agreement_ended_early_opens_nothing_more(researcher, manager):
    request = grant_agreement(asked(researcher).public_id, by=manager)

    ended = end_agreement(request.public_id, by=manager, reason="The study is over")

    assert ended.decision == "ended"
    assert viewer_of(anew(researcher)).exact_everywhere is False
    faults = faults_of(StateConflict, end_agreement, ended.public_id, by=manager, reason="Again")
    assert faults == [("", "state-conflict")]


@pytest.mark.parametrize(
    ("decision", "days", "names"),
    [
        ("", 9, ("grant", "decline")),
        ("granted", 9, ("end",)),
        ("granted", -1, ()),
        ("withdrawn", 9, ()),
    ],
)
def test_open_decisions_follow_from_where_it_stands(manager, decision, days, names):
    row = AgreementFactory(decision=decision, expires_on=in_days(days))

    assert open_decisions(row, by=manager) == names


def test_open_decisions_of_the_first_and_the_second_person(manager, second):
    row = AgreementFactory(decision="first-grant", granted_by=manager, expires_on=in_days(9))

    assert open_decisions(row, by=manager) == ("decline",)
    assert open_decisions(row, by=second) == ("confirm", "decline")


def test_renewal_follows_while_it_holds(researcher, manager):
    held = AgreementFactory(user=researcher, expires_on=in_days(9))

    renewal = asked(researcher, renews=held.public_id)
    grant_agreement(renewal.public_id, by=manager)

    assert renewal.renews == held
    assert viewer_of(anew(researcher)).agreement.until == in_days(100)


@pytest.mark.parametrize("what", ["expired", "asked already", "another's", "unknown"])
def test_renewal_is_refused(researcher, what):
    user = UserFactory() if what == "another's" else researcher
    held = AgreementFactory(user=user, expires_on=in_days(-1 if what == "expired" else 9))
    if what == "asked already":
        asked(researcher, reference="2026-01", renews=held.public_id)
    renews = "no-id" if what == "unknown" else held.public_id
    stored = Agreement.objects.count()

    with pytest.raises(Refusal) as raised:
        asked(researcher, renews=renews)

    expected = UnknownRow if what in {"another's", "unknown"} else StateConflict
    assert type(raised.value) is expected
    assert Agreement.objects.count() == stored


def test_reminder_is_sent_once(researcher):
    held = AgreementFactory(user=researcher, expires_on=in_days(30))
    sent = []

    assert [remind_of_agreement(held, send=sent.append) for _ in range(2)] == [True, False]
    assert sent == [held]
    assert held.history.count() == 2


def test_reminder_that_fails_is_due_again(researcher):
    held = AgreementFactory(user=researcher, expires_on=in_days(30))

    def fail(_):
        raise OSError("no route")

    with pytest.raises(OSError, match="no route"):
        remind_of_agreement(held, send=fail)

    assert Agreement.objects.get().reminded_on is None
    assert remind_of_agreement(held, send=lambda _: None)


def test_nobody_is_reminded_too_early(researcher):
    held = AgreementFactory(user=researcher, expires_on=in_days(31))

    assert remind_of_agreement(held, send=lambda _: pytest.fail("sent")) is False
