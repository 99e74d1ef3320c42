"""A person's own tokens for scripts: create, list and revoke them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST
from knox.models import get_token_model

LASTS = {1: "One day", 30: "30 days", 90: "90 days", 365: "One year"}
"""Days that a token may last, as they are offered."""


def lasts_choices() -> list[tuple[str, str]]:
    """The times that are within the deployment's limit, and the limit where it is another."""
    most = settings.REGISTRY_TOKEN_DAYS
    within = {days: said for days, said in LASTS.items() if days <= most}
    if most < max(LASTS):
        within.setdefault(most, f"{most} days")
    return [(str(days), said) for days, said in within.items()]


def scope_choices() -> list[tuple[str, str]]:
    """The scopes of a token, with their definitions."""
    scopes = get_token_model()._meta.get_field("scopes").codes
    return [(scope.value, f"{scope.label}: {scope.definition}") for scope in scopes]


class TokenForm(forms.Form):
    """What a new token is for, what it may do, and how long it lasts."""

    label = forms.CharField(
        max_length=60, help_text="Where you will use it, such as: notebook, Grafana."
    )
    scopes = forms.MultipleChoiceField(
        choices=scope_choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Nothing ticked: statistics only.",
    )
    lasts = forms.ChoiceField(
        label="Lasts",
        choices=lasts_choices,
        initial=lambda: str(min(90, settings.REGISTRY_TOKEN_DAYS)),
    )


@never_cache
@login_required
@sensitive_variables("secret")
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """Lists the caller's own tokens; a POST creates one and shows it once."""
    own: Any = request.user.auth_token_set  # type: ignore[union-attr]
    secret = ""
    form = TokenForm(request.POST if request.method == "POST" else None, label_suffix="")
    if request.method == "POST" and form.is_valid():
        _, secret = own.create(
            label=form.cleaned_data["label"],
            scopes=form.cleaned_data["scopes"] or None,
            expiry=timedelta(days=int(form.cleaned_data["lasts"])),
        )
        form = TokenForm(label_suffix="")
    context = {
        "room": "tokens",
        "secret": secret,
        "form": form,
        "tokens": [(one, may_words(one), is_over(one)) for one in own.order_by("-created")],
    }
    return render(request, "registry/tokens.html", context)


@login_required
@require_POST
def revoke(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Revokes one of the caller's own tokens; another user's is 404."""
    gone, _ = request.user.auth_token_set.filter(public_id=public_id).delete()  # type: ignore[union-attr]
    if not gone:
        raise Http404
    messages.success(request, "The token is revoked and no longer works.")
    return redirect("tokens")


def may_words(token: Any) -> str:
    """What a token may do, in words."""
    return ", ".join(sorted(scope.label for scope in token.scopes or ())) or "Read statistics"


def is_over(token: Any) -> bool:
    """Whether a token has expired."""
    return token.expiry is not None and token.expiry <= timezone.now()
