"""Data-use agreements: asked for by researchers, decided by data managers, never by oneself."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from registry.intake.relations import refuse
from registry.intake.writers import require
from registry.models import Agreement, Sealing, User, sealed
from registry.models.agreements import MOST_ANSWERABLE, MOST_PURPOSE, MOST_REASON
from registry.records import Fault, NotPermitted, StateConflict, UnknownRow
from registry.vocabulary import AgreementDecision, Right, Role

__all__ = [
    "ask_for_agreement",
    "confirm_agreement",
    "decline_agreement",
    "end_agreement",
    "grant_agreement",
    "latest_last_day",
    "open_decisions",
    "remind_of_agreement",
    "withdraw_agreement",
]

REFERENCE = r"\A[A-Za-z0-9][A-Za-z0-9 ./_:()#-]{1,39}\Z"
LEAST_PURPOSE = 10
MOST_DAYS = 3 * 366
"""An agreement lasts three years at most; it can be renewed."""


def ask_for_agreement(
    *,
    reference: str,
    purpose: str,
    answerable: str,
    expires_on: date | None,
    by: User,
    person: User | None = None,
    renews: UUID | str | None = None,
) -> Agreement:
    """Ask for an agreement of one's own; a data manager may record the request of another person.

    renews: the public id of a current agreement of the same person, which this one follows. All
    faults are told at once. Raises NotPermitted, RowRuleBroken, UnknownRow, StateConflict.
    """
    person = person or by
    if person != by:
        require(by.may(Right.RUN_REGISTRY), "record requests of others")
    with sealed(by=by, action="ask-for-agreement") as seal:
        if person == by:
            require(by.may(Right.ASK_FOR_AGREEMENT), "ask for an agreement")
        request = Agreement(
            user=person,
            reference=" ".join(reference.split()),
            purpose=" ".join(purpose.split()),
            answerable=" ".join(answerable.split()),
        )
        if expires_on is not None:
            request.expires_on = expires_on
        refuse(
            (
                *_text_faults(request),
                *_person_faults(person),
                *_repeated(request),
                *_last_day_faults(expires_on),
            )
        )
        if renews is not None:
            request.renews = _renewable(renews, person=person)
        seal.save(request)
    return request


def withdraw_agreement(public_id: UUID | str, *, by: User) -> Agreement:
    """Take back a request of one's own that nobody has granted yet.

    Raises UnknownRow for anybody else's, StateConflict.
    """
    with sealed(by=by, action="withdraw-agreement") as seal:
        request = _found(public_id)
        if request.user_id != by.pk:
            raise _unknown()
        _hold_undecided(request)
        return _decide(request, AgreementDecision.WITHDRAWN, seal=seal)


def grant_agreement(
    public_id: UUID | str, *, by: User, expires_on: date | None = None
) -> Agreement:
    """Grant a request, to an earlier last day where one is given.

    The researcher becomes an analyst. With REGISTRY_AGREEMENT_SECOND_PERSON it holds once another
    data manager has confirmed it. Raises UnknownRow, NotPermitted, RowRuleBroken, StateConflict.
    """
    with sealed(by=by, action="grant-agreement") as seal:
        request = _to_decide(public_id, by=by)
        if request.decision:
            raise _state("it was granted once already: another data manager confirms it")
        refuse((*_person_faults(request.user), *_text_faults(request)))
        if expires_on is not None and expires_on > request.expires_on:
            detail = "the last day can be earlier than was asked for, not later"
            refuse((Fault("expires_on", "later-than-asked", detail),))
        request.expires_on = expires_on or request.expires_on
        refuse(_last_day_faults(request.expires_on))
        request.granted_by = by
        if settings.REGISTRY_AGREEMENT_SECOND_PERSON:
            return _decide(request, AgreementDecision.FIRST_GRANT, seal=seal)
        return _let_hold(request, seal=seal)


def confirm_agreement(public_id: UUID | str, *, by: User) -> Agreement:
    """Confirm what another data manager granted; from now on it holds.

    Raises UnknownRow, NotPermitted, RowRuleBroken, StateConflict.
    """
    with sealed(by=by, action="confirm-agreement") as seal:
        request = _to_decide(public_id, by=by)
        if request.decision != AgreementDecision.FIRST_GRANT:
            raise _state("nobody has granted it yet: grant it first")
        if request.granted_by_id == by.pk:
            raise NotPermitted(
                Fault("", NotPermitted.code, "somebody else than who granted it confirms it")
            )
        refuse((*_person_faults(request.user), *_last_day_faults(request.expires_on)))
        request.confirmed_by = by
        return _let_hold(request, seal=seal)


def decline_agreement(public_id: UUID | str, *, by: User, reason: str) -> Agreement:
    """Turn a request down, with a reason that the researcher reads; also one granted once.

    Raises UnknownRow, NotPermitted, RowRuleBroken, StateConflict.
    """
    with sealed(by=by, action="decline-agreement") as seal:
        request = _to_decide(public_id, by=by)
        request.reason = _reason(reason)
        return _decide(request, AgreementDecision.DECLINED, seal=seal)


def end_agreement(public_id: UUID | str, *, by: User, reason: str) -> Agreement:
    """End an agreement before its last day, with a reason that the researcher reads.

    Raises UnknownRow, NotPermitted, RowRuleBroken, StateConflict.
    """
    with sealed(by=by, action="end-agreement") as seal:
        held = _in_reach(public_id, by=by)
        if not held.is_current(_today()):
            raise _state("only an agreement that holds can be ended")
        held.reason = _reason(reason)
        return _decide(held, AgreementDecision.ENDED, seal=seal)


def latest_last_day() -> date:
    """The latest day that an agreement asked for today can end on."""
    return _today() + timedelta(days=MOST_DAYS)


def open_decisions(agreement: Agreement, *, by: User) -> tuple[str, ...]:
    """What this data manager may decide of it now: grant, confirm, decline, end."""
    if not by.may(Right.RUN_REGISTRY) or agreement.user_id == by.pk:
        return ()
    if agreement.is_current(_today()):
        return ("end",)
    if not agreement.is_undecided:
        return ()
    if not agreement.decision:
        return ("grant", "decline")
    return ("decline",) if agreement.granted_by_id == by.pk else ("confirm", "decline")


def remind_of_agreement(agreement: Agreement, *, send: Callable[[Agreement], None]) -> bool:
    """Send the one reminder that an agreement ends soon; False where it was sent or is not due.

    It is noted in the same transaction: a reminder that cannot be sent is not noted, and due again.
    """
    with sealed(by=None, action="remind-of-agreement") as seal:
        today = _today()
        due = Agreement.objects.ending(today).filter(pk=agreement.pk, reminded_on=None).first()
        if due is None:
            return False
        due.reminded_on = today
        seal.save(due)
        send(due)
        return True


def _decide(agreement: Agreement, decision: AgreementDecision, *, seal: Sealing) -> Agreement:
    agreement.decision = decision
    seal.save(agreement, reason=str(decision))
    return agreement


def _let_hold(request: Agreement, *, seal: Sealing) -> Agreement:
    """Write the last grant, and give the researcher the role that reads exact statistics."""
    person = request.user
    if Role.ANALYST.value not in person.roles:
        person.set_roles({*person.roles, Role.ANALYST.value}, seal=seal)
    return _decide(request, AgreementDecision.GRANTED, seal=seal)


def _to_decide(public_id: UUID | str, *, by: User) -> Agreement:
    request = _in_reach(public_id, by=by)
    _hold_undecided(request)
    return request


def _in_reach(public_id: UUID | str, *, by: User) -> Agreement:
    """The agreement, for a data manager who is not the researcher."""
    require(by.may(Right.RUN_REGISTRY), "decide on agreements")
    found = _found(public_id)
    if found.user_id == by.pk:
        detail = "nobody decides on an agreement of their own; another data manager does"
        raise NotPermitted(Fault("", NotPermitted.code, detail))
    return found


def _found(public_id: UUID | str) -> Agreement:
    try:
        found = Agreement.objects.select_related("user").filter(public_id=public_id).first()
    except (ValidationError, ValueError):
        found = None
    if found is None:
        raise _unknown()
    return found


def _renewable(public_id: UUID | str, *, person: User) -> Agreement:
    held = _found(public_id)
    if held.user_id != person.pk:
        raise _unknown()
    if not held.is_renewable(_today()):
        detail = "only an agreement that holds, and was not renewed yet, can be renewed"
        raise _state(f"{detail}: ask for a new one")
    return held


def _hold_undecided(request: Agreement) -> None:
    if not request.is_undecided:
        raise _state("it is decided already")


def _text_faults(request: Agreement) -> tuple[Fault, ...]:
    faults: list[Fault] = []
    if re.match(REFERENCE, request.reference) is None:
        detail = "give the protocol or ethics number: 2 to 40 letters, digits, blanks and ./_:()#-"
        faults.append(Fault("reference", "bad-reference", detail))
    if not LEAST_PURPOSE <= len(request.purpose) <= MOST_PURPOSE:
        detail = f"say what the study asks, in {LEAST_PURPOSE} to {MOST_PURPOSE} characters"
        faults.append(Fault("purpose", "bad-length", detail))
    if not 2 <= len(request.answerable) <= MOST_ANSWERABLE:
        detail = f"name who answers for the study, in 2 to {MOST_ANSWERABLE} characters"
        faults.append(Fault("answerable", "bad-length", detail))
    return tuple(faults)


def _person_faults(person: User) -> tuple[Fault, ...]:
    if person.may(Right.ASK_FOR_AGREEMENT):
        return ()
    detail = "this person is not an active researcher: give the role first"
    return (Fault("user", "not-a-researcher", detail),)


def _repeated(request: Agreement) -> tuple[Fault, ...]:
    waiting = Agreement.objects.undecided().filter(user=request.user, reference=request.reference)
    if not waiting.exists():
        return ()
    detail = "a request of this reference waits already: withdraw it first"
    return (Fault("reference", "asked-already", detail),)


def _last_day_faults(last_day: date | None) -> tuple[Fault, ...]:
    today = _today()
    if last_day is not None and today < last_day <= today + timedelta(days=MOST_DAYS):
        return ()
    detail = "the last day comes after today, and within three years"
    return (Fault("expires_on", "bad-last-day", detail),)


def _reason(reason: str) -> str:
    given = " ".join(reason.split())
    if not 2 <= len(given) <= MOST_REASON:
        detail = f"give the reason in 2 to {MOST_REASON} characters; the researcher reads it"
        refuse((Fault("reason", "bad-length", detail),))
    return given


def _today() -> date:
    return timezone.now().date()


def _unknown() -> UnknownRow:
    return UnknownRow(Fault("id", UnknownRow.code, "there is no such agreement of yours"))


def _state(detail: str) -> StateConflict:
    return StateConflict(Fault("", StateConflict.code, detail))
