"""The steps of an event after it was entered: submission, review, withdrawal."""

from collections.abc import Callable, Collection
from dataclasses import replace
from uuid import UUID

from django.core.exceptions import ValidationError

from registry.deidentify import event_record
from registry.intake.deaths import COUNTED
from registry.intake.duplicates import note_alike
from registry.intake.queries import asked, judge_quality, settle_for
from registry.intake.relations import refuse, related
from registry.intake.stored import event_texts
from registry.intake.writers import (
    may_write,
    require,
    require_reviewer,
    require_version,
    row_in_sight,
)
from registry.models import Complication, Event, Sealing, User, sealed
from registry.models.queries import UNSETTLED
from registry.records import Fault, RawReport, RowKind, RowRuleBroken, StateConflict
from registry.vocabulary import QueryState, Right, State, WithdrawalReason

REVIEWED = frozenset({State.SUBMITTED})
"""States in which a reviewer judges an event."""

REOPENED = frozenset({State.ACCEPTED, State.REJECTED, State.DUPLICATE})
"""States from which a reviewer reopens an event."""

_MAY_BE_WITHDRAWN_BY_A_LEAD = frozenset({State.DRAFT, State.SUBMITTED})


def open_steps(event: Event, *, by: User) -> frozenset[str]:
    """The names of the steps that the caller may take with a visible event in its state.

    Names: submit, take-back, discard, accept, reject, duplicate, recode, return, reopen, withdraw.
    Five queries at most.
    """
    steps: set[str] = set()
    if event.state == State.DRAFT and may_write(event.site, by=by):
        steps.add("submit")
        if _may_discard(event, by=by):
            steps.add("discard")
    if event.state == State.SUBMITTED and may_write(event.site, by=by) and not was_judged(event):
        steps.add("take-back")
    if event.state in _withdrawable(by) and (by.may(Right.RUN_REGISTRY) or by.leads(event.site)):
        steps.add("withdraw")
    judged = {State.SUBMITTED: {"accept", "reject", "duplicate", "recode", "return"}}
    judged |= {state: {"reopen"} for state in REOPENED}
    judging = judged.get(State.of(event.state), set())
    if judging and by.may(Right.SEE_ALL_ROWS) and not by.sites().filter(pk=event.site_id).exists():
        steps |= judging
    return frozenset(steps)


def submit_event(public_id: UUID | str, *, by: User, version: int | None = None) -> Event:
    """Submits a draft for review: it must be complete, and break no rule.

    Raises UnknownRow, NotPermitted, StateConflict, VersionConflict, RowRuleBroken.
    """

    def check(event: Event) -> None:
        require(may_write(event.site, by=by), "submit events of this site")

    def complete(event: Event, _seal: Sealing) -> None:
        _refuse_what_breaks_a_rule(event)

    return _move(
        public_id,
        by=by,
        version=version,
        action="submit-event",
        starts={State.DRAFT},
        ends=State.SUBMITTED,
        check=check,
        also=complete,
    )


def take_back_event(public_id: UUID | str, *, by: User, version: int | None = None) -> Event:
    """Takes a submitted event back into a draft of its site, while nobody has judged it.

    Raises UnknownRow, NotPermitted, StateConflict (also once a reviewer judged or recoded it),
    VersionConflict.
    """

    def check(event: Event) -> None:
        require(may_write(event.site, by=by), "take back events of this site")

    def untouched(event: Event, _seal: Sealing) -> None:
        if was_judged(event):
            detail = "a reviewer has judged this event; ask a reviewer to return it"
            raise StateConflict(Fault("state", StateConflict.code, detail))

    return _move(
        public_id,
        by=by,
        version=version,
        action="take-back-event",
        starts=REVIEWED,
        ends=State.DRAFT,
        check=check,
        also=untouched,
    )


def return_event(
    public_id: UUID | str, *, by: User, column: str, ask: str, version: int | None = None
) -> Event:
    """Returns a submitted event to its site as a draft, with a query that says what is asked.

    column: the field that is asked about. ask: what about it, a code of the list query-ask.
    Raises as accept_event does, and RowRuleBroken for an unknown field or question.
    """

    def say_why(event: Event, seal: Sealing) -> None:
        asked(event, column, ask, seal)

    return _judge(public_id, by, version, "return-event", REVIEWED, State.DRAFT, None, also=say_why)


def discard_event(public_id: UUID | str, *, by: User, version: int | None = None) -> Event:
    """Discards a draft: its author, a lead or a data manager does; it leaves the lists.

    Raises UnknownRow, NotPermitted, StateConflict, VersionConflict.
    """

    def check(event: Event) -> None:
        require(_may_discard(event, by=by), "discard a draft of somebody else")

    return _move(
        public_id,
        by=by,
        version=version,
        action="discard-event",
        starts={State.DRAFT},
        ends=State.WITHDRAWN,
        check=check,
        reason=WithdrawalReason.DISCARDED,
    )


def was_judged(event: Event) -> bool:
    """Whether a reviewer has judged or recoded the event since it was entered. One query."""
    verdicts = event.history.filter(state__in=[State.ACCEPTED, State.REJECTED, State.DUPLICATE])
    return event.complication_id != event.reported_complication_id or verdicts.exists()


def _may_discard(event: Event, *, by: User) -> bool:
    """Whether the caller wrote the draft first, leads its site, or is a data manager."""
    if not may_write(event.site, by=by):
        return False
    first = event.history.order_by("history_id").values_list("history_user", flat=True).first()
    return first == by.pk or by.leads(event.site) or by.may(Right.RUN_REGISTRY)


def accept_event(public_id: UUID | str, *, by: User, version: int | None = None) -> Event:
    """Accepts a submitted event, which then counts in statistics.

    Raises UnknownRow, NotPermitted (also at an own site), StateConflict, VersionConflict.
    """
    return _judge(public_id, by, version, "accept-event", REVIEWED, State.ACCEPTED, None)


def reject_event(
    public_id: UUID | str, *, by: User, reason: str, version: int | None = None
) -> Event:
    """Rejects a submitted event, with a reason code.

    Raises as accept_event does, and RowRuleBroken for an unknown reason.
    """
    why = _reason(reason)
    return _judge(public_id, by, version, "reject-event", REVIEWED, State.REJECTED, why)


def mark_duplicate(
    public_id: UUID | str,
    *,
    by: User,
    of: UUID | str | None = None,
    version: int | None = None,
) -> Event:
    """Marks a submitted event as a duplicate of another report.

    of: the public id of that report, submitted or accepted, if it is of the same site; a report
    of another site is not named, since sites do not see each other's rows.

    Raises as accept_event does, and RowRuleBroken where `of` is no such report.
    """

    def name_the_other(event: Event, _seal: Sealing) -> None:
        if of is not None:
            event.duplicate_of = _standing(of, beside=event)

    return _judge(
        public_id,
        by,
        version,
        "mark-duplicate",
        REVIEWED,
        State.DUPLICATE,
        WithdrawalReason.DUPLICATE_OF_OTHER,
        also=name_the_other,
    )


def reopen_event(
    public_id: UUID | str, *, by: User, reason: str, version: int | None = None
) -> Event:
    """Reopens an accepted, rejected or duplicate event for review, with a reason code.

    Raises as reject_event does, and RowRuleBroken where it no longer fits what was entered since,
    such as another death of the patient.
    """
    why = _reason(reason)

    def fits(event: Event, _seal: Sealing) -> None:
        if event.state != State.ACCEPTED:
            _refuse_what_breaks_a_rule(event, complication=event.complication_id)

    return _judge(public_id, by, version, "reopen-event", REOPENED, State.SUBMITTED, why, also=fits)


def withdraw_event(
    public_id: UUID | str, *, by: User, reason: str, version: int | None = None
) -> Event:
    """Withdraws a report, with a reason code; it is kept, and no longer counted.

    Leads withdraw reports that are not yet judged, data managers any.
    Raises UnknownRow, NotPermitted, StateConflict, VersionConflict, RowRuleBroken.
    """
    why = _reason(reason)

    def check(event: Event) -> None:
        require(by.may(Right.RUN_REGISTRY) or by.leads(event.site), "withdraw events of this site")

    return _move(
        public_id,
        by=by,
        version=version,
        action="withdraw-event",
        starts=_withdrawable(by),
        ends=State.WITHDRAWN,
        check=check,
        reason=why,
    )


def recode_event(
    public_id: UUID | str, *, by: User, complication: str, version: int | None = None
) -> Event:
    """Recodes the complication of a submitted event, keeping the reported one.

    Raises as accept_event does, and RowRuleBroken where the complication is unknown, retired or
    does not fit the event.
    """
    with sealed(by=by, action="recode-event") as seal:
        event = row_in_sight(Event.objects.select_related("site"), public_id, by=by)
        require_reviewer(event, by=by)
        _require_state(event, REVIEWED)
        require_version(event, version)
        return recode(event, complication, seal=seal)


def recode(event: Event, complication: str, *, seal: Sealing) -> Event:
    """Writes another complication into an event, under an open seal."""
    if complication == event.complication_id:
        return event
    _refuse_what_breaks_a_rule(event, complication=complication)
    event.complication = Complication.objects.get(code=complication)
    event.version += 1
    seal.save(event, reason="recode-event")
    note_alike(event, seal=seal)
    judge_quality(event, seal)
    return event


def _judge(
    public_id: UUID | str,
    by: User,
    version: int | None,
    action: str,
    starts: Collection[State],
    ends: State,
    reason: WithdrawalReason | None,
    *,
    also: Callable[[Event, Sealing], None] | None = None,
) -> Event:
    def check(event: Event) -> None:
        require_reviewer(event, by=by)

    return _move(
        public_id,
        by=by,
        version=version,
        action=action,
        starts=starts,
        ends=ends,
        check=check,
        also=also,
        reason=reason,
    )


def _move(
    public_id: UUID | str,
    *,
    by: User,
    version: int | None,
    action: str,
    starts: Collection[State],
    ends: State,
    check: Callable[[Event], None],
    also: Callable[[Event, Sealing], None] | None = None,
    reason: WithdrawalReason | None = None,
) -> Event:
    """Moves an event to another state under one seal; checks right, state, then version."""
    with sealed(by=by, action=action) as seal:
        event = row_in_sight(Event.objects.select_related("site"), public_id, by=by)
        check(event)
        _require_state(event, starts)
        require_version(event, version)
        event.duplicate_of = None
        if also is not None:
            also(event, seal)
        event.state = ends
        event.reason = reason or ""
        event.version += 1
        seal.save(event, reason=action)
        _settle_queries(event, seal)
        judge_quality(event, seal)
    return event


def _settle_queries(event: Event, seal: Sealing) -> None:
    """Answers a reviewer's queries on submission, and closes them with a verdict."""
    if event.state == State.SUBMITTED:
        settle_for(event, seal, states=[QueryState.OPEN], ends=QueryState.ANSWERED)
    elif event.state != State.DRAFT:
        settle_for(event, seal, states=UNSETTLED, ends=QueryState.CLOSED)


def _withdrawable(by: User) -> frozenset[State]:
    """The states from which the caller may withdraw reports."""
    if by.may(Right.RUN_REGISTRY):
        return frozenset(State) - {State.WITHDRAWN}
    return _MAY_BE_WITHDRAWN_BY_A_LEAD


def _require_state(event: Event, starts: Collection[State]) -> None:
    if event.state not in starts:
        allowed = " or ".join(sorted(starts))
        detail = f"this event is {event.state}; it must be {allowed}"
        raise StateConflict(Fault("state", StateConflict.code, detail))


def _standing(public_id: UUID | str, *, beside: Event) -> Event:
    """The other report of the site of the same event. One query."""
    try:
        others = Event.objects.filter(public_id=public_id, site=beside.site, state__in=COUNTED)
        other = others.exclude(pk=beside.pk).first()
    except (ValidationError, ValueError):
        other = None
    if other is None:
        detail = "name another report of this site that is submitted or accepted"
        raise RowRuleBroken(Fault("of", "unknown-event", detail))
    return other


def _refuse_what_breaks_a_rule(event: Event, *, complication: str | None = None) -> None:
    """Judges a stored report as one that is submitted.

    complication: in place of the reported one.
    """
    texts = event_texts(event)
    record = event_record(RawReport(RowKind.EVENT, texts), stored=texts)
    if complication is not None:
        record = replace(record, complication=complication)
    refuse(related(record, site=event.site, submitted=True, event=event).faults)


def _reason(text: str) -> WithdrawalReason:
    if not text:
        raise RowRuleBroken(Fault("reason", "required", "give a reason"))
    try:
        return WithdrawalReason.of(text)
    except ValueError:
        detail = "use a code of the list withdrawal-reason"
        raise RowRuleBroken(Fault("reason", "unknown-code", detail)) from None
