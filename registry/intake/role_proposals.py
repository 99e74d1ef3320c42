"""Roles that see all sites are given by two data managers: one proposes, another confirms."""

from datetime import date, timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from registry.intake.writers import require
from registry.models import RoleProposal, Sealing, User, sealed
from registry.models.roles import held_apart
from registry.records import Fault, NotPermitted, RowRuleBroken, StateConflict, UnknownRow
from registry.vocabulary import ProposalDecision, Right, Role
from registry.vocabulary.roles import sees_all_sites

__all__ = ["confirm_role", "decline_role", "needs_a_second", "open_to_role", "withdraw_role"]

TAKES_OVER = ("password-given", "one-time-code-removed", "name-changed")
"""Reasons in an account's history by which somebody else may have come into it."""


def needs_a_second(roles: set[str], *, by: User | None) -> set[str]:
    """Those of the roles that this person only proposes; a command gives all.

    by: None for a command: whoever runs one has the database itself.
    """
    if by is None or not settings.REGISTRY_ROLE_SECOND_PERSON:
        return set()
    return {role for role in roles if sees_all_sites(Role.of(role))}


def propose(person: User, role: Role, *, by: User, seal: Sealing) -> RoleProposal:
    """Propose a role under an open seal; what waited too long gives way.

    Raises RowRuleBroken where it is proposed already.
    """
    before = RoleProposal.objects.undecided().filter(user=person, role=role).first()
    if before is not None and before.is_waiting(_today()):
        detail = f"{role.label} is proposed for this person already, and waits to be confirmed"
        raise RowRuleBroken(Fault("roles", "proposed-already", detail))
    if before is not None:
        _decide(before, ProposalDecision.EXPIRED, seal=seal)
    last = _today() + timedelta(days=settings.REGISTRY_ROLE_PROPOSAL_DAYS)
    made = RoleProposal(user=person, role=role, proposed_by=by, expires_on=last)
    seal.save(made, reason="role-proposed")
    return made


def confirm_role(public_id: UUID | str, *, by: User) -> RoleProposal:
    """Confirm a role that another data manager proposed; from now on the person holds it.

    Refused to who proposed it, to the person, and to whoever might be the proposer under another
    name: the proposer gave them a password, removed their code or renamed them in as many days as
    a proposal lasts. Raises UnknownRow, NotPermitted, RowRuleBroken, StateConflict.
    """
    with sealed(by=by, action="confirm-role") as seal:
        proposal = _waiting(public_id, by=by)
        if by.pk == proposal.proposed_by_id:
            raise _refused("somebody else than who proposed it confirms it")
        if by.pk == proposal.user_id:
            raise _refused("nobody confirms a role of their own; another data manager does")
        if _came_into(by, through=proposal.proposed_by):
            detail = "who proposed it has changed your password, code or name of late"
            raise _refused(f"{detail}: a third data manager confirms it")
        if not proposal.proposed_by.may(Right.RUN_REGISTRY):
            raise _state("who proposed it is no data manager any more: propose it anew")
        person = proposal.user
        if not person.is_active:
            raise _state("this person's account is closed: open it first")
        held = set(person.groups.values_list("name", flat=True))
        person.set_roles(held_apart({*held, str(proposal.role)}, of=person), seal=seal)
        return _decide(proposal, ProposalDecision.CONFIRMED, seal=seal)


def decline_role(public_id: UUID | str, *, by: User) -> RoleProposal:
    """Turn a proposed role down; who proposed it withdraws it instead.

    Raises UnknownRow, NotPermitted, StateConflict.
    """
    with sealed(by=by, action="decline-role") as seal:
        proposal = _waiting(public_id, by=by)
        if by.pk == proposal.proposed_by_id:
            raise _refused("you proposed it: withdraw it")
        return _decide(proposal, ProposalDecision.DECLINED, seal=seal)


def withdraw_role(public_id: UUID | str, *, by: User) -> RoleProposal:
    """Take back a role that one proposed oneself.

    Raises UnknownRow, NotPermitted, StateConflict.
    """
    with sealed(by=by, action="withdraw-role") as seal:
        proposal = _waiting(public_id, by=by)
        if by.pk != proposal.proposed_by_id:
            raise _refused("somebody else proposed it: decline it")
        return _decide(proposal, ProposalDecision.WITHDRAWN, seal=seal)


def open_to_role(proposal: RoleProposal, *, by: User) -> tuple[str, ...]:
    """What this data manager may decide of it now: confirm, decline, withdraw."""
    if not by.may(Right.RUN_REGISTRY) or not proposal.is_waiting(_today()):
        return ()
    if by.pk == proposal.proposed_by_id:
        return ("withdraw",)
    return ("decline",) if by.pk == proposal.user_id else ("confirm", "decline")


def _waiting(public_id: UUID | str, *, by: User) -> RoleProposal:
    require(by.may(Right.RUN_REGISTRY), "decide on roles")
    proposals = RoleProposal.objects.select_related("user", "proposed_by")
    try:
        found = proposals.filter(public_id=public_id).first()
    except (ValidationError, ValueError):
        found = None
    if found is None:
        raise UnknownRow(Fault("id", UnknownRow.code, "there is no such proposal"))
    if found.decision:
        raise _state("it is decided already")
    if not found.is_waiting(_today()):
        raise _state("its last day has passed: propose it anew")
    return found


def _came_into(account: User, *, through: User) -> bool:
    """Whether one person may have come into another's account of late."""
    since = timezone.now() - timedelta(days=settings.REGISTRY_ROLE_PROPOSAL_DAYS)
    changes = account.history.filter(history_user=through.pk, history_date__gte=since)
    return bool(changes.filter(history_change_reason__in=TAKES_OVER).exists())


def _decide(proposal: RoleProposal, decision: ProposalDecision, *, seal: Sealing) -> RoleProposal:
    proposal.decision = decision
    if decision != ProposalDecision.EXPIRED:
        proposal.decided_by_id = seal.by.pk if seal.by else None
    seal.save(proposal, reason=f"role-{decision}")
    return proposal


def _today() -> date:
    return timezone.now().date()


def _refused(detail: str) -> NotPermitted:
    return NotPermitted(Fault("", NotPermitted.code, detail))


def _state(detail: str) -> StateConflict:
    return StateConflict(Fault("", StateConflict.code, detail))
