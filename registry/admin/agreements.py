"""Data-use agreements in the admin: asked for by researchers, decided here by data managers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html

from registry import intake
from registry.admin.rows import IntakeForm, RegistryAdmin, address_of
from registry.answers.refusable import RefusableForm
from registry.models import Agreement, User
from registry.models.agreements import MOST_REASON
from registry.records import Refusal
from registry.vocabulary import AgreementDecision, Right


class DecisionForm(RefusableForm):
    """What a decision asks; to confirm asks nothing."""

    def __init__(self, *args: Any, agreement: Agreement, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""


class GrantForm(DecisionForm):
    """Ask for the last day: the one asked for, or an earlier one."""

    expires_on = forms.DateField(
        label="Last day",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="As asked for, or earlier.",
    )

    def __init__(self, *args: Any, agreement: Agreement, **kwargs: Any) -> None:
        super().__init__(*args, agreement=agreement, **kwargs)
        self.fields["expires_on"].initial = agreement.expires_on
        self.fields["expires_on"].widget.attrs["max"] = str(agreement.expires_on)


class DecisionReasonForm(DecisionForm):
    """Ask why, in a sentence that the researcher reads."""

    reason = forms.CharField(
        max_length=MOST_REASON,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        error_messages={"required": "Give the reason: the researcher reads it."},
        help_text="In a sentence. Name no patient.",
    )


@dataclass(frozen=True, slots=True)
class Decide:
    """One decision: its button, the page that asks, and what an agreement is afterwards."""

    name: str
    label: str
    done: str
    verb: Callable[..., Agreement]
    form: type[DecisionForm]
    note: str


DECISIONS: Mapping[str, Decide] = {
    each.name: each
    for each in (
        Decide(
            "grant",
            "Grant",
            "granted",
            intake.grant_agreement,
            GrantForm,
            "While it holds, this person reads exact numbers of all sites, and no rows.",
        ),
        Decide(
            "confirm",
            "Confirm",
            "confirmed, and holds",
            intake.confirm_agreement,
            DecisionForm,
            "Another data manager has granted it. Once confirmed, it holds.",
        ),
        Decide(
            "decline",
            "Decline",
            "declined",
            intake.decline_agreement,
            DecisionReasonForm,
            "A request that is declined is kept. The researcher may ask again.",
        ),
        Decide(
            "end",
            "End early",
            "ended",
            intake.end_agreement,
            DecisionReasonForm,
            "From now on this person's numbers are protected again. It cannot be taken back.",
        ),
    )
}
"""Every decision by name, in the order of their buttons."""


class StandingFilter(admin.SimpleListFilter):
    """Agreements by where they stand today."""

    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Those that wait for the reader first."""
        closed = ("declined", "withdrawn", "ended")
        return [
            ("waiting", "Waits for you"),
            ("undecided", "Not decided"),
            ("current", "Holds"),
            ("expired", "Expired"),
            *((code, AgreementDecision.of(code).label) for code in closed),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The agreements of the standing that was chosen."""
        today = timezone.now().date()
        chosen: dict[str, Callable[[], QuerySet[Any]]] = {
            "waiting": lambda: queryset.decidable_by(request.user),  # type: ignore[attr-defined]
            "undecided": queryset.undecided,  # type: ignore[attr-defined]
            "current": lambda: queryset.current(today),  # type: ignore[attr-defined]
            "expired": lambda: queryset.granted().filter(expires_on__lt=today),  # type: ignore[attr-defined]
        }
        value = self.value()
        if value is None:
            return queryset
        return chosen[value]() if value in chosen else queryset.filter(decision=value)


class RecordedRequestForm(IntakeForm):
    """A request that a data manager records for a researcher, such as one that came on paper."""

    class Meta:
        model = Agreement
        fields = ("user", "reference", "purpose", "answerable", "expires_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "answerable" in self.fields:
            self.fields["answerable"].required = True


@admin.register(Agreement)
class AgreementAdmin(RegistryAdmin):
    """Data-use agreements: read here, and changed by decisions alone."""

    form = RecordedRequestForm
    list_display = ("reference", "user", "expires_on", "standing")
    list_select_related = ("user",)
    list_filter = (StandingFilter,)
    search_fields = ("reference", "user__username")
    search_help_text = "Search by reference or user name."
    autocomplete_fields = ("user",)
    ordering = ("-expires_on",)
    of_request = ("user", "reference", "purpose", "answerable", "expires_on")
    of_decision = ("standing", "reason", "granted_by", "confirmed_by", "renews", "reminded_on")

    def get_urls(self) -> list[Any]:
        """Add the addresses at which decisions are asked about and taken."""
        own = [
            path(
                f"<uuid:public_id>/{name}/",
                self.admin_site.admin_view(partial(self.decide, decide=decide)),
                name=f"registry_agreement_{name}",
            )
            for name, decide in DECISIONS.items()
        ]
        return [*own, *super().get_urls()]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An agreement is changed by decisions alone."""
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What was asked, and of a stored one what became of it."""
        return (*self.of_request, *self.of_decision) if obj else self.of_request

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A stored one is only read."""
        return (*self.of_request, *self.of_decision) if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Record the request through intake."""
        given = {name: form.cleaned_data[name] for name in self.of_request if name != "user"}
        by: Any = request.user
        stored = intake.ask_for_agreement(**given, person=form.cleaned_data["user"], by=by)
        obj.pk, obj.public_id = stored.pk, stored.public_id

    def beside(self, request: HttpRequest, row: Agreement) -> dict[str, Any]:
        """The decisions that are open to the reader, as buttons above the agreement."""
        user: Any = request.user
        names = intake.open_decisions(row, by=user)
        return {
            "decisions": [decide for name, decide in DECISIONS.items() if name in names],
            "waits_for_another": row.is_undecided and user.pk in {row.user_id, row.granted_by_id},
        }

    @admin.display(description="Standing")
    def standing(self, agreement: Agreement) -> str:
        """Where it stands today."""
        return agreement.standing(timezone.now().date())

    def decide(self, request: HttpRequest, public_id: UUID, *, decide: Decide) -> HttpResponse:
        """Ask what a decision needs, or take it; intake says what it refuses."""
        user: User = request.user  # type: ignore[assignment]
        if not user.may(Right.RUN_REGISTRY):
            raise PermissionDenied
        agreement: Any = self.get_object(request, str(public_id))
        taking = request.method == "POST"
        form = decide.form(request.POST if taking else None, agreement=agreement)
        if taking and form.is_valid():
            try:
                stored = decide.verb(public_id, by=user, **form.cleaned_data)
            except Refusal as refusal:
                form.refuse(refusal)
            else:
                done = decide.done
                if stored.decision == AgreementDecision.FIRST_GRANT:
                    done = "granted once; another data manager confirms it"
                told = format_html(
                    'Agreement <a href="{}">{}</a> is {}.', address_of(stored), stored, done
                )
                self.message_user(request, told, messages.SUCCESS)
                return HttpResponseRedirect(address_of(stored))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{decide.label}: agreement {agreement.reference}",
            "decide": decide,
            "form": form,
            "agreement": agreement,
            "standing": self.standing(agreement),
            "back": address_of(agreement),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/registry/agreement/decide.html", context)
