"""Proposed roles in the admin: what waits for a second data manager, and its decisions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from registry import intake
from registry.admin.rows import ReadOnlyAdmin, address_of
from registry.answers.refusable import RefusableForm
from registry.models import RoleProposal, User
from registry.records import Refusal
from registry.vocabulary import ProposalDecision, Right, Role


@dataclass(frozen=True, slots=True)
class DecideRole:
    """One decision: its button, and what it means."""

    name: str
    label: str
    done: str
    verb: Callable[..., RoleProposal]
    note: str


ROLE_DECISIONS: Mapping[str, DecideRole] = {
    each.name: each
    for each in (
        DecideRole(
            "confirm",
            "Confirm",
            "is in force",
            intake.confirm_role,
            "Once confirmed, the role is in force, and the person signs in anew. Ask the person or "
            "who proposed it where you did not expect it.",
        ),
        DecideRole(
            "decline",
            "Decline",
            "is declined",
            intake.decline_role,
            "The person does not get the role. It can be proposed again.",
        ),
        DecideRole(
            "withdraw",
            "Withdraw",
            "is withdrawn",
            intake.withdraw_role,
            "You proposed it, and take it back. The person does not get the role.",
        ),
    )
}
"""Every decision by name, in the order of their buttons."""


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
    waiting = RoleProposal.objects.waiting(_today()).filter(user=person)
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


class ProposalFilter(admin.SimpleListFilter):
    """Proposals by where they stand today."""

    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Those that wait for the reader first."""
        decided = [(code.value, code.label) for code in ProposalDecision]
        return [("mine", "Waits for you"), ("waiting", "Waits"), *decided]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The proposals of the standing that was chosen."""
        value, proposals = self.value(), RoleProposal.objects
        if value == "mine":
            user: Any = request.user
            return queryset.filter(pk__in=proposals.confirmable_by(user, _today()).values("pk"))
        if value == "waiting":
            return queryset.filter(pk__in=proposals.waiting(_today()).values("pk"))
        return queryset if value is None else queryset.filter(decision=value)


@admin.register(RoleProposal)
class RoleProposalAdmin(ReadOnlyAdmin):
    """Roles that see all sites: proposed on a person's page, and decided here."""

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

    def get_urls(self) -> list[Any]:
        """Add the addresses at which decisions are asked about and taken."""
        own = [
            path(
                f"<uuid:public_id>/{name}/",
                self.admin_site.admin_view(partial(self.decide, decide=decide)),
                name=f"registry_roleproposal_{name}",
            )
            for name, decide in ROLE_DECISIONS.items()
        ]
        return [*own, *super().get_urls()]

    def beside(self, request: HttpRequest, row: RoleProposal) -> dict[str, Any]:
        """The decisions that are open to the reader, as buttons above the proposal."""
        user: Any = request.user
        names = intake.open_to_role(row, by=user)
        return {
            "decisions": [decide for name, decide in ROLE_DECISIONS.items() if name in names],
            "is_waiting": row.is_waiting(_today()),
            "waits_for_another": row.is_waiting(_today()) and "confirm" not in names,
        }

    @admin.display(description="Standing")
    def standing(self, proposal: RoleProposal) -> str:
        """Where it stands today."""
        return proposal.standing(_today())

    def decide(self, request: HttpRequest, public_id: UUID, *, decide: DecideRole) -> HttpResponse:
        """Ask whether to decide so, or do it; intake says what it refuses."""
        user: User = request.user  # type: ignore[assignment]
        if not user.may(Right.RUN_REGISTRY):
            raise PermissionDenied
        proposal: Any = self.get_object(request, str(public_id))
        taking = request.method == "POST"
        form = RefusableForm(request.POST if taking else None)
        if taking and form.is_valid():
            try:
                stored = decide.verb(public_id, by=user)
            except Refusal as refusal:
                form.refuse(refusal)
            else:
                self.message_user(request, f"{stored} {decide.done}.", messages.SUCCESS)
                return HttpResponseRedirect(address_of(stored))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{decide.label}: {proposal}",
            "decide": decide,
            "form": form,
            "proposal": proposal,
            "role": Role.of(proposal.role),
            "standing": self.standing(proposal),
            "back": address_of(proposal),
            "person": reverse("admin:registry_user_change", args=[proposal.user_id]),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/registry/roleproposal/decide.html", context)


def _today() -> Any:
    return timezone.now().date()
