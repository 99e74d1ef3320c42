"""The page on which a researcher asks for a data-use agreement, and sees what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from registry import intake
from registry.answers.refusable import RefusableForm, sentence
from registry.records import Refusal, UnknownRow
from registry.vocabulary import Right

STORED = "Your request is with the data managers. You see here what they decide."
NAME_NOBODY = "About the study, never about a patient: no names, dates or case histories."
TONES = {"Asked for": "", "Granted once": "", "Granted": "good", "Expired": "retired"}


class AgreementRequestForm(RefusableForm):
    """What a researcher says of a study; intake holds the rules."""

    reference = forms.CharField(
        max_length=40, help_text="The number of its ethics approval or protocol, such as 2026-0412."
    )
    purpose = forms.CharField(
        label="What the study asks",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=f"In 300 characters. {NAME_NOBODY}",
    )
    answerable = forms.CharField(
        label="Who is answerable",
        max_length=120,
        help_text="Name and place of the person who answers for the study.",
    )
    expires_on = forms.DateField(
        label="Last day",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Within three years. A data manager may grant a shorter time.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.error_messages["required"] = "Fill this in."


@dataclass(frozen=True, slots=True)
class OwnRequest:
    """One request as its researcher sees it."""

    agreement: Any
    standing: str
    tone: str
    renewable: bool
    open: bool


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def agreement(request: HttpRequest) -> HttpResponse:
    """List the researcher's own requests and agreements; a POST asks for one."""
    _hold_to_researchers(request)
    form = AgreementRequestForm(_sent(request), label_suffix="")
    if request.method == "POST" and _is_stored(request, form):
        return redirect("agreement")
    return _page(request, form)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def renew(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Ask for the agreement that follows one that still holds; anybody else's is 404."""
    _hold_to_researchers(request)
    held = _own(request).filter(public_id=public_id).first()
    if held is None:
        raise Http404
    if not held.is_renewable(_today()):
        messages.error(request, "This agreement cannot be renewed: ask for a new one.")
        return redirect("agreement")
    said = {name: getattr(held, name) for name in ("reference", "purpose", "answerable")}
    form = AgreementRequestForm(_sent(request), initial=said, label_suffix="")
    if request.method == "POST" and _is_stored(request, form, renews=held.public_id):
        return redirect("agreement")
    return _page(request, form, renewed=held)


@login_required
@require_POST
def withdraw(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take back a request that nobody has granted yet; anybody else's is 404."""
    _hold_to_researchers(request)
    by: Any = request.user
    try:
        intake.withdraw_agreement(public_id, by=by)
    except UnknownRow:
        raise Http404 from None
    except Refusal as refusal:
        messages.error(request, sentence(refusal.faults[0].detail))
    else:
        messages.success(request, "Your request is withdrawn.")
    return redirect("agreement")


def standing(request: HttpRequest) -> Mapping[str, Any]:
    """For every page: whether its reader may ask for an agreement, has asked, and what ends soon.

    Asks the database only where a page shows it: three queries at most.
    """
    return {
        "agreement_waits": SimpleLazyObject(lambda: _waits(request)),
        "asks_for_agreements": SimpleLazyObject(lambda: _may_ask(request)),
        "agreements_ending": SimpleLazyObject(lambda: _ending(request)),
    }


def _may_ask(request: HttpRequest) -> bool:
    user: Any = getattr(request, "user", None)
    return user is not None and user.is_authenticated and user.may(Right.ASK_FOR_AGREEMENT)


def _waits(request: HttpRequest) -> bool:
    """Whether a request of the reader waits for a data manager."""
    return bool(_may_ask(request) and _own(request).undecided().exists())


def _ending(request: HttpRequest) -> list[tuple[Any, bool]]:
    """The reader's agreements that end soon, each with whether a renewal waits."""
    if not _may_ask(request):
        return []
    ending = _own(request).ending(_today()).prefetch_related("renewals").order_by("expires_on")
    return [(each, any(one.is_undecided for one in each.renewals.all())) for each in ending]


def _page(request: HttpRequest, form: AgreementRequestForm, *, renewed: Any = None) -> HttpResponse:
    today = _today()
    days = {"min": str(today + timedelta(days=1)), "max": str(intake.latest_last_day())}
    form.fields["expires_on"].widget.attrs |= days
    context = {
        "room": "dashboard",
        "page": "agreement",
        "form": form,
        "renewed": renewed,
        "requests": [
            OwnRequest(
                each,
                each.standing(today),
                TONES.get(each.standing(today), "retired"),
                each.is_renewable(today),
                each.is_undecided,
            )
            for each in _own(request).prefetch_related("renewals").order_by("-pk")
        ],
        "second_person": settings.REGISTRY_AGREEMENT_SECOND_PERSON,
    }
    return render(request, "registry/agreement.html", context)


def _is_stored(
    request: HttpRequest, form: AgreementRequestForm, *, renews: UUID | None = None
) -> bool:
    """Whether the request is stored; all that was wrong with it stands in the form, at once."""
    by: Any = request.user
    form.is_valid()
    given: dict[str, Any] = {name: form.cleaned_data.get(name) or "" for name in form.fields}
    given["expires_on"] = form.cleaned_data.get("expires_on")
    try:  # what the form could not read is missing, and so refused
        intake.ask_for_agreement(**given, by=by, renews=renews)
    except Refusal as refusal:
        form.refuse(refusal)
        return False
    messages.success(request, STORED)
    return True


def _sent(request: HttpRequest) -> Any:
    """What was sent, be it nothing at all; None where the page is only read."""
    return request.POST if request.method == "POST" else None


def _own(request: HttpRequest) -> Any:
    user: Any = request.user
    return user.agreements.all()


def _hold_to_researchers(request: HttpRequest) -> None:
    if not _may_ask(request):
        raise PermissionDenied


def _today() -> date:
    return timezone.now().date()
