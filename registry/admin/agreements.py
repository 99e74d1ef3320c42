"""Data-use agreements in the admin: asked for by researchers, decided here by data managers."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from registry import intake
from registry.admin.deciding import (
    Decide,
    DecidedRows,
    DecisionForm,
    StandingFilter,
    by_name,
    today,
)
from registry.admin.rows import IntakeForm, RegistryAdmin, address_of
from registry.models import Agreement
from registry.models.agreements import MOST_REASON
from registry.vocabulary import AgreementDecision


class GrantForm(DecisionForm):
    """Ask for the last day: the one asked for, or an earlier one."""

    expires_on = forms.DateField(
        label="Last day",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="As asked for, or earlier.",
    )

    def __init__(self, *args: Any, row: Agreement, **kwargs: Any) -> None:
        super().__init__(*args, row=row, **kwargs)
        self.fields["expires_on"].initial = row.expires_on
        self.fields["expires_on"].widget.attrs["max"] = str(row.expires_on)


class DecisionReasonForm(DecisionForm):
    """Ask why, in a sentence that the researcher reads."""

    reason = forms.CharField(
        max_length=MOST_REASON,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        error_messages={"required": "Give the reason: the researcher reads it."},
        help_text="In a sentence. Name no patient.",
    )


DECISIONS = by_name(
    Decide(
        "grant",
        "Grant",
        "granted",
        intake.grant_agreement,
        "While it holds, this person reads exact numbers of all sites, and no rows.",
        GrantForm,
    ),
    Decide(
        "confirm",
        "Confirm",
        "confirmed, and holds",
        intake.confirm_agreement,
        "Another data manager has granted it. Once confirmed, it holds.",
    ),
    Decide(
        "decline",
        "Decline",
        "declined",
        intake.decline_agreement,
        "A request that is declined is kept. The researcher may ask again.",
        DecisionReasonForm,
    ),
    Decide(
        "end",
        "End early",
        "ended",
        intake.end_agreement,
        "From now on this person's numbers are protected again. It cannot be taken back.",
        DecisionReasonForm,
    ),
)


class AgreementFilter(StandingFilter):
    """Agreements by where they stand today."""

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

    def of_today(self, rows: Any, *, by: Any) -> Mapping[str, Callable[[], QuerySet[Any]]]:
        """What waits for the reader or for anybody, what holds, and what has run out."""
        return {
            "waiting": lambda: rows.decidable_by(by),
            "undecided": rows.undecided,
            "current": lambda: rows.current(today()),
            "expired": lambda: rows.granted().filter(expires_on__lt=today()),
        }


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
class AgreementAdmin(DecidedRows, RegistryAdmin):
    """Data-use agreements: read here, and changed by decisions alone."""

    decisions = DECISIONS
    noun = "agreement"
    form = RecordedRequestForm
    list_display = ("reference", "user", "expires_on", "standing")
    list_select_related = ("user",)
    list_filter = (AgreementFilter,)
    search_fields = ("reference", "user__username")
    search_help_text = "Search by reference or user name."
    autocomplete_fields = ("user",)
    ordering = ("-expires_on",)
    of_request = ("user", "reference", "purpose", "answerable", "expires_on")
    of_decision = ("standing", "reason", "granted_by", "confirmed_by", "renews", "reminded_on")

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

    def open_to(self, row: Any, *, by: Any) -> Any:
        """The decisions that are open to a person."""
        return intake.open_decisions(row, by=by)

    def beside(self, request: HttpRequest, row: Agreement) -> dict[str, Any]:
        """The decisions that are open to the reader, as buttons above the agreement."""
        user: Any = request.user
        return {
            "decisions": self.offered(row, by=user),
            "waits_for_another": row.is_undecided and user.pk in {row.user_id, row.granted_by_id},
        }

    def title_of(self, row: Any) -> str:
        """An agreement by its reference."""
        return f"agreement {row.reference}"

    def told(self, stored: Any, decide: Decide) -> str:
        """What became of the agreement, with a link to it."""
        done = decide.done
        if stored.decision == AgreementDecision.FIRST_GRANT:
            done = "granted once; another data manager confirms it"
        link = 'Agreement <a href="{}">{}</a> is {}.'
        return format_html(link, address_of(stored), stored, done)
