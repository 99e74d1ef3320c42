"""No state is a dead end: taken back, returned, reopened, discarded."""

import pytest

from registry import intake
from registry.models import Event, Query
from registry.records import NotPermitted, RawReport, RowKind, RowRuleBroken, StateConflict
from registry.vocabulary import WithdrawalReason
from tests.factories import EventFactory, MembershipFactory, UserFactory
from tests.intake.conftest import report
from tests.intake.test_deaths import fatal

pytestmark = pytest.mark.django_db

ASKED = {"column": "organism", "ask": "missing"}


def event_in(world, state, **values):
    return EventFactory(implant=world.catheter, state=state, **values)


def submitted(world):
    return intake.record_event(report(), by=world.reporter, submit=True)


def steps(event, person):
    return intake.open_steps(Event.objects.get(pk=event.pk), by=person)


@pytest.mark.parametrize("person", ["reporter", "lead"])
def test_submitted_event_is_taken_back_by_its_site(world, person):
    event = submitted(world)
    who = getattr(world, person)
    assert "take-back" in steps(event, who)

    taken = intake.take_back_event(event.public_id, by=who, version=event.version)

    assert taken.state == "draft"
    assert "take-back" not in steps(event, who)


@pytest.mark.parametrize("verdict", ["accepted and reopened", "recoded"])
def test_judged_event_is_not_taken_back(world, verdict):
    event = submitted(world)
    if verdict == "recoded":
        intake.recode_event(event.public_id, by=world.reviewer, complication="catheter-kink")
    else:
        intake.accept_event(event.public_id, by=world.reviewer)
        intake.reopen_event(event.public_id, by=world.reviewer, reason="judged-in-error")

    assert "take-back" not in steps(event, world.reporter)
    with pytest.raises(StateConflict, match="ask a reviewer to return it"):
        intake.take_back_event(event.public_id, by=world.reporter)


def test_event_is_not_taken_back_by_others(world):
    event = submitted(world)

    with pytest.raises(NotPermitted):
        intake.take_back_event(event.public_id, by=world.reviewer)
    accepted = event_in(world, "accepted")
    with pytest.raises(StateConflict):
        intake.take_back_event(accepted.public_id, by=world.reporter)


def test_event_is_returned_with_a_question_and_comes_back_answered(world):
    event = submitted(world)
    assert "return" in steps(event, world.reviewer)

    returned = intake.return_event(event.public_id, by=world.reviewer, **ASKED)

    [query] = Query.objects.filter(rule="")
    assert (returned.state, query.state, query.event_id) == ("draft", "open", event.pk)
    intake.change_event(
        event.public_id,
        RawReport(RowKind.EVENT, {"organism": "not-cultured"}),
        by=world.reporter,
    )
    intake.submit_event(event.public_id, by=world.reporter)
    query.refresh_from_db()
    assert (query.state, query.answer) == ("answered", "corrected")
    intake.accept_event(event.public_id, by=world.reviewer)
    query.refresh_from_db()
    assert query.state == "closed"


def test_only_a_reviewer_of_elsewhere_returns(world):
    event = submitted(world)
    MembershipFactory(user=world.reviewer, site=world.site)

    for person in (world.reporter, world.lead, world.reviewer):
        with pytest.raises(NotPermitted):
            intake.return_event(event.public_id, by=person, **ASKED)


@pytest.mark.parametrize(
    "asked", [{"column": "name", "ask": "missing"}, {"column": "organism", "ask": "why?"}]
)
def test_return_asks_in_codes(world, asked):
    event = submitted(world)

    with pytest.raises(RowRuleBroken):
        intake.return_event(event.public_id, by=world.manager, **asked)

    assert Event.objects.get().state == "submitted"


@pytest.mark.parametrize("state", ["accepted", "rejected", "duplicate"])
def test_judged_event_is_reopened(world, state):
    event = event_in(world, state)
    assert "reopen" in steps(event, world.reviewer)

    reopened = intake.reopen_event(event.public_id, by=world.reviewer, reason="new-information")

    assert (reopened.state, reopened.reason) == ("submitted", "new-information")


def test_rejected_death_is_not_reopened_beside_another(world):
    first = intake.record_event(fatal("d1"), by=world.reporter, submit=True)
    intake.reject_event(first.public_id, by=world.reviewer, reason="not-confirmed")
    intake.record_event(fatal("d2"), by=world.reporter, submit=True)

    with pytest.raises(RowRuleBroken) as refused:
        intake.reopen_event(first.public_id, by=world.reviewer, reason="judged-in-error")
    assert [fault.code for fault in refused.value.faults] == ["second-death"]


def test_draft_is_discarded_by_its_author_lead_or_data_manager(world):
    for person in (world.reporter, world.lead, world.manager):
        draft = intake.record_event(report(source_id=f"x-{person.pk}"), by=world.reporter)
        assert "discard" in steps(draft, person)
        gone = intake.discard_event(draft.public_id, by=person)
        assert (gone.state, gone.reason) == ("withdrawn", "discarded")


def test_draft_of_a_colleague_is_not_discarded(world):
    colleague = UserFactory(sites=[world.site])
    draft = intake.record_event(report(), by=world.reporter)

    assert "discard" not in steps(draft, colleague)
    with pytest.raises(NotPermitted):
        intake.discard_event(draft.public_id, by=colleague)


def test_submitted_event_is_not_discarded(world):
    with pytest.raises(StateConflict):
        intake.discard_event(submitted(world).public_id, by=world.reporter)


def test_every_reason_is_offered_somewhere_and_each_step_has_some():
    offered = {step: WithdrawalReason.of_step(step) for step in ("reject", "reopen", "withdraw")}

    assert all(len(reasons) > 1 for reasons in offered.values())
    everywhere = {reason for reasons in offered.values() for reason in reasons}
    assert set(WithdrawalReason) - everywhere == {WithdrawalReason.DISCARDED}
