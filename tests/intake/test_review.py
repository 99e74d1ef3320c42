"""Who moves an event from which state to which; every other move is refused."""

import pytest

from registry.intake import (
    accept_event,
    discard_event,
    mark_duplicate,
    open_steps,
    recode_event,
    record_event,
    reject_event,
    reopen_event,
    return_event,
    submit_event,
    take_back_event,
    withdraw_event,
)
from registry.models import Event, Seal
from registry.records import (
    NotPermitted,
    RowRuleBroken,
    StateConflict,
    UnknownRow,
    VersionConflict,
)
from registry.vocabulary import State
from tests.factories import EventFactory, MembershipFactory
from tests.intake.conftest import report

AT_THE_END = {"year": "2015", "months_since_implant": "60"}
ERROR = "entered-in-error"
MOVES = {
    "submit": (submit_event, {}),
    "accept": (accept_event, {}),
    "reject": (reject_event, {"reason": "not-an-event"}),
    "duplicate": (mark_duplicate, {}),
    "reopen": (reopen_event, {"reason": ERROR}),
    "withdraw": (withdraw_event, {"reason": ERROR}),
    "return": (return_event, {"column": "outcome", "ask": "missing"}),
    "take-back": (take_back_event, {}),
    "discard": (discard_event, {}),
    "recode": (recode_event, {"complication": "catheter-kink"}),
}
ALLOWED = {
    ("submit", "draft"): ({"reporter", "lead", "manager"}, "submitted"),
    ("accept", "submitted"): ({"reviewer", "manager"}, "accepted"),
    ("reject", "submitted"): ({"reviewer", "manager"}, "rejected"),
    ("duplicate", "submitted"): ({"reviewer", "manager"}, "duplicate"),
    ("recode", "submitted"): ({"reviewer", "manager"}, "submitted"),
    ("return", "submitted"): ({"reviewer", "manager"}, "draft"),
    ("take-back", "submitted"): ({"reporter", "lead", "manager"}, "draft"),
    ("discard", "draft"): ({"lead", "manager"}, "withdrawn"),
    ("reopen", "accepted"): ({"reviewer", "manager"}, "submitted"),
    ("reopen", "rejected"): ({"reviewer", "manager"}, "submitted"),
    ("reopen", "duplicate"): ({"reviewer", "manager"}, "submitted"),
    ("withdraw", "draft"): ({"lead", "manager"}, "withdrawn"),
    ("withdraw", "submitted"): ({"lead", "manager"}, "withdrawn"),
    ("withdraw", "accepted"): ({"manager"}, "withdrawn"),
    ("withdraw", "rejected"): ({"manager"}, "withdrawn"),
    ("withdraw", "duplicate"): ({"manager"}, "withdrawn"),
}
IN_SIGHT = {"reporter", "lead", "reviewer", "manager"}


def event_in(world, state):
    return EventFactory(
        implant=world.catheter,
        state=state,
        reason=ERROR if state == "withdrawn" else "",
    )


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("state", [state.value for state in State])
@pytest.mark.parametrize("who", ["reporter", "lead", "reviewer", "manager", "stranger", "auditor"])
def test_event_moves_as_its_state_and_the_movers_role_allow(world, move, state, who):
    event = event_in(world, state)
    call, options = MOVES[move]
    writers, ends = ALLOWED.get((move, state), (set(), None))

    if who in writers:
        moved = call(event.public_id, by=getattr(world, who), **options)
        assert (moved.state, moved.version) == (ends, 2)
    else:
        refusal = (NotPermitted, StateConflict) if who in IN_SIGHT else UnknownRow
        with pytest.raises(refusal):
            call(event.public_id, by=getattr(world, who), **options)
    event.refresh_from_db()
    assert event.state == (ends if who in writers else state)


@pytest.mark.parametrize("state", [state.value for state in State])
@pytest.mark.parametrize("who", sorted(IN_SIGHT))
def test_open_steps_are_those_that_would_be_taken(world, state, who):
    event = event_in(world, state)

    taken = {move for move in MOVES if who in ALLOWED.get((move, state), (set(),))[0]}

    assert open_steps(event, by=getattr(world, who)) == taken


@pytest.mark.parametrize(
    ("state", "left"), [("submitted", {"withdraw", "take-back"}), ("accepted", {"withdraw"})]
)
def test_open_steps_hold_no_review_of_an_own_site(world, state, left):
    event = event_in(world, state)
    MembershipFactory(user=world.manager, site=world.site)

    assert open_steps(event, by=world.manager) == left


@pytest.mark.parametrize("move", ["accept", "reject", "duplicate", "recode"])
@pytest.mark.parametrize("who", ["reviewer", "manager"])
def test_event_is_not_judged_by_a_member_of_its_site(world, move, who):
    event = event_in(world, "submitted")
    MembershipFactory(user=getattr(world, who), site=world.site)
    call, options = MOVES[move]

    with pytest.raises(NotPermitted, match="members of a site cannot review"):
        call(event.public_id, by=getattr(world, who), **options)


def test_event_is_not_reopened_by_a_member_of_its_site(world):
    event = event_in(world, "accepted")
    MembershipFactory(user=world.reviewer, site=world.site)

    with pytest.raises(NotPermitted):
        reopen_event(event.public_id, by=world.reviewer, reason=ERROR)


def test_event_is_judged_by_a_reviewer_who_is_a_member_elsewhere(world):
    event = event_in(world, "submitted")
    MembershipFactory(user=world.reviewer, site=world.other)

    assert accept_event(event.public_id, by=world.reviewer).state == "accepted"


@pytest.mark.parametrize("move", MOVES)
def test_event_is_not_moved_by_somebody_who_read_an_older_version(world, move):
    starts = next(state for name, state in ALLOWED if name == move)
    event = event_in(world, starts)
    call, options = MOVES[move]

    with pytest.raises(VersionConflict):
        call(event.public_id, by=world.manager, version=7, **options)


def test_event_move_leaves_its_reason_in_row_history_and_seal(world):
    event = event_in(world, "submitted")

    event = reject_event(event.public_id, by=world.reviewer, reason="not-an-event")

    last = event.history.latest("history_id")
    assert (event.reason, last.reason, last.state) == ("not-an-event", "not-an-event", "rejected")
    assert last.history_change_reason == "reject-event"
    seal = Seal.objects.get(pk=event.seal_id)
    assert (seal.action, seal.actor) == ("reject-event", world.reviewer)


@pytest.mark.parametrize("move", ["reject", "reopen", "withdraw"])
@pytest.mark.parametrize(
    ("reason", "code"), [("", "required"), ("because of Mrs Smith", "unknown-code")]
)
def test_event_move_needs_a_reason_of_the_list(world, move, reason, code):
    event = event_in(world, "submitted")

    with pytest.raises(RowRuleBroken) as refusal:
        MOVES[move][0](event.public_id, by=world.manager, reason=reason)

    assert [(fault.column, fault.code) for fault in refusal.value.faults] == [("reason", code)]
    assert "Smith" not in str(refusal.value)


def test_draft_is_submitted_once_it_is_complete(world):
    draft = record_event(report(year=""), by=world.reporter)

    with pytest.raises(RowRuleBroken) as refusal:
        submit_event(draft.public_id, by=world.reporter)

    assert [(f.column, f.code) for f in refusal.value.faults] == [("year", "required")]
    assert Event.objects.get(pk=draft.pk).state == "draft"


def test_draft_of_a_death_is_submitted_with_grade_outcome_and_criterion(world):
    death = report(
        complication="death",
        implant="p1-pump",
        severity="5",
        outcome="fatal",
        seriousness="death",
        **AT_THE_END,
    )
    draft = record_event(death, by=world.reporter)

    assert submit_event(draft.public_id, by=world.reporter).state == "submitted"


def test_withdrawal_of_an_incomplete_draft_is_possible(world):
    draft = record_event(report(year=""), by=world.reporter)

    assert withdraw_event(draft.public_id, by=world.lead, reason=ERROR).state == "withdrawn"


def test_withdrawal_makes_room_for_the_patients_death(world):
    fatal = {"severity": "5", "outcome": "fatal", "seriousness": "death", **AT_THE_END}
    death = report(complication="death", implant="p1-pump", **fatal)
    first = record_event(death, by=world.reporter, submit=True)
    withdraw_event(first.public_id, by=world.lead, reason=ERROR)

    again = report(**{**death.values, "source_id": "e2"})

    assert record_event(again, by=world.reporter, submit=True).state == "submitted"


def test_recoding_keeps_what_was_reported(world):
    event = event_in(world, "submitted")

    recoded = recode_event(event.public_id, by=world.reviewer, complication="catheter-kink")

    recoded = Event.objects.get(pk=recoded.pk)
    assert recoded.complication_id == "catheter-kink"
    assert recoded.reported_complication_id == "catheter-migration"


def test_recoding_to_the_same_changes_nothing(world):
    event = event_in(world, "submitted")

    same = recode_event(event.public_id, by=world.reviewer, complication="catheter-migration")

    assert same.version == 1


@pytest.mark.parametrize(
    ("complication", "fault"),
    [
        ("came-loose", ("complication", "unknown-code")),
        ("catheter-break", ("complication", "retired-code")),
        ("csf-leak", ("implant", "other-component")),
    ],
)
def test_recoding_keeps_to_the_rules(world, complication, fault):
    event = event_in(world, "submitted")

    with pytest.raises(RowRuleBroken) as refusal:
        recode_event(event.public_id, by=world.reviewer, complication=complication)

    assert fault in [(f.column, f.code) for f in refusal.value.faults]


def test_duplicate_names_the_report_of_the_site_that_it_repeats(world):
    first, again = event_in(world, "accepted"), event_in(world, "submitted")

    marked = mark_duplicate(again.public_id, of=first.public_id, by=world.reviewer)

    stored = Event.objects.get(pk=marked.pk)
    assert (stored.state, stored.duplicate_of) == ("duplicate", first)
    assert stored.history.first().duplicate_of_id == first.pk


@pytest.mark.parametrize("state", ["draft", "rejected", "duplicate", "withdrawn"])
def test_duplicate_does_not_name_a_report_that_stands_no_longer(world, state):
    other, event = event_in(world, state), event_in(world, "submitted")

    with pytest.raises(RowRuleBroken) as refusal:
        mark_duplicate(event.public_id, of=other.public_id, by=world.reviewer)

    assert [(f.column, f.code) for f in refusal.value.faults] == [("of", "unknown-event")]
    assert Event.objects.get(pk=event.pk).state == "submitted"


@pytest.mark.parametrize("which", ["itself", "of-another-site", "no-id"])
def test_duplicate_names_another_report_of_its_own_site(world, which):
    event = event_in(world, "submitted")
    named = {
        "itself": event.public_id,
        "of-another-site": EventFactory(site=world.other).public_id,
        "no-id": "e1",
    }

    with pytest.raises(RowRuleBroken, match="another report of this site"):
        mark_duplicate(event.public_id, of=named[which], by=world.reviewer)


def test_duplicate_that_is_withdrawn_names_no_other_any_more(world):
    first, again = event_in(world, "accepted"), event_in(world, "submitted")
    mark_duplicate(again.public_id, of=first.public_id, by=world.manager)

    withdrawn = withdraw_event(again.public_id, by=world.manager, reason=ERROR)

    assert Event.objects.get(pk=withdrawn.pk).duplicate_of is None
