"""Proposed roles in the admin: what waits for a second data manager, and its decisions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from registry import intake
from registry.admin.deciding import Decide, DecidedRows, StandingFilter, by_name, today
from registry.admin.rows import ReadOnlyAdmin, address_of
from registry.models import RoleProposal, User
from registry.vocabulary import ProposalDecision, Role

ROLE_DECISIONS = by_name(
    Decide(
        "confirm",
        "Confirm",
        "is in force",
        intake.confirm_role,
        "Once confirmed, the role is in force, and the person signs in anew. Ask the person or "
        "who proposed it where you did not expect it.",
    ),
    Decide(
        "decline",
        "Decline",
        "is declined",
        intake.decline_role,
        "The person does not get the role. It can be proposed again.",
    ),
    Decide(
        "withdraw",
        "Withdraw",
        "is withdrawn",
        intake.withdraw_role,
        "You proposed it, and take it back. The person does not get the role.",
    ),
)


@dataclass(frozen=True, slots=True)
class WaitingRole:
    """A role that is not in force yet, in words, and the page of its proposal."""

    role: str
    by: str
    until: Any
    address: str
    waits_for_reader: bool


def proposals_of(person: User, *, by: Any) -> list[WaitingRole]:
    """The roles that wait to be confirmed for one person. One query."""
    waiting = RoleProposal.objects.waiting(today()).filter(user=person)
    return [
        WaitingRole(
            Role.of(each.role).label,
            str(each.proposed_by),
            each.expires_on,
            address_of(each),
            "confirm" in intake.open_to_role(each, by=by),
        )
        for each in waiting.select_related("proposed_by")
    ]


class ProposalFilter(StandingFilter):
    """Proposals by where they stand today."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Those that wait for the reader first."""
        decided = [(code.value, code.label) for code in ProposalDecision]
        return [("mine", "Waits for you"), ("waiting", "Waits"), *decided]

    def of_today(self, rows: Any, *, by: Any) -> Mapping[str, Callable[[], QuerySet[Any]]]:
        """What waits: for the reader, or for anybody."""
        proposals = RoleProposal.objects
        return {
            "mine": lambda: rows.filter(pk__in=proposals.confirmable_by(by, today()).values("pk")),
            "waiting": lambda: rows.filter(pk__in=proposals.waiting(today()).values("pk")),
        }


@admin.register(RoleProposal)
class RoleProposalAdmin(DecidedRows, ReadOnlyAdmin):
    """Roles that see all sites: proposed on a person's page, and decided here."""

    decisions = ROLE_DECISIONS
    noun = "proposal"
    list_display = ("__str__", "proposed_by", "expires_on", "standing")
    list_select_related = ("user", "proposed_by")
    list_filter = (ProposalFilter,)
    search_fields = ("user__username", "proposed_by__username")
    search_help_text = "Search by user name."
    ordering = ("-pk",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What was proposed, and of a decided one by whom."""
        asked = ("user", "role", "proposed_by", "expires_on", "standing")
        return (*asked, "decided_by") if obj and obj.decision else asked

    def open_to(self, row: Any, *, by: Any) -> Any:
        """The decisions that are open to a person."""
        return intake.open_to_role(row, by=by)

    def beside(self, request: HttpRequest, row: RoleProposal) -> dict[str, Any]:
        """The decisions that are open to the reader, as buttons above the proposal."""
        offered = self.offered(row, by=request.user)
        waits = row.is_waiting(today())
        can_confirm = any(decide.name == "confirm" for decide in offered)
        return {
            "decisions": offered,
            "is_waiting": waits,
            "waits_for_another": waits and not can_confirm,
        }

    def told(self, stored: Any, decide: Decide) -> str:
        """What became of the proposal."""
        return f"{stored} {decide.done}."

    def asked_about(self, row: Any) -> Mapping[str, Any]:
        """The role, and the person's page."""
        return {
            "role": Role.of(row.role),
            "person": reverse("admin:registry_user_change", args=[row.user_id]),
        }
