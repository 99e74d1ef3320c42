"""Signing in through a hospital's OpenID provider, for people whom the registry has already."""

import logging
import time
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model, login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe
from django_otp import match_token, user_has_device

from registry.answers.by_provider import BY_PROVIDER, PROVIDER_SAW_FACTOR, provider_is_usable
from registry.dashboard.sign_in import count_as_failed, locked_out, tell_what_others_changed
from registry.dashboard.work import first_place
from registry.intake.people import unseen_by_owner

WAITS = "provider_waits_for_code"
"""In a session: whom the provider named, while the one-time code is asked for."""

WAITS_FOR = 300
"""Seconds for which it is."""

BACKEND = "django.contrib.auth.backends.ModelBackend"
"""Answers for the session: it ends with the account, as every other."""

logger = logging.getLogger(__name__)


def _hold_configured() -> None:
    if not provider_is_usable():
        raise Http404


@never_cache
@require_safe
def to_provider(request: HttpRequest) -> HttpResponse:
    """Sends the person to the provider; 404 where none is configured."""
    _hold_configured()
    from registry.dashboard.openid_client import ProviderRefused, ToProvider

    try:
        answer: HttpResponse = ToProvider.as_view()(request)
    except ProviderRefused as refused:
        return _refused(request, str(refused))
    return answer


@never_cache
@sensitive_variables("known", "claims")
@require_safe
def callback(request: HttpRequest) -> HttpResponse:
    """Takes the person back from the provider; signs in whom the registry has and lets in."""
    _hold_configured()
    from registry.dashboard.openid_client import ProviderClient, ProviderRefused

    states = request.session.get("oidc_states") or {}
    known = states.pop(request.GET.get("state", ""), None)
    request.session.modified = True
    if known is None:
        return _refused(request, "The reply belongs to no sign-in that was begun here.")
    if "code" not in request.GET:
        return _refused(request, "The provider replied with an error.")
    address = request.build_absolute_uri(reverse("provider-callback"))
    try:
        claims = ProviderClient().claims_of(request, address=address, known=known)
    except ProviderRefused as refused:
        return _refused(request, str(refused))
    person = person_of(claims)
    if person is None:
        name = settings.REGISTRY_OIDC_NAME
        said = f"{name} knows you, and this registry has no account for you. Ask its data manager."
        return _refused(request, "Nobody here is whom the provider names.", said)
    if not person.is_active:
        said = "This account has been closed. Ask your registry's data manager."
        return _refused(request, "The account is closed.", said)
    if AxesProxyHandler.is_locked(request, {"username": person.get_username()}):
        return locked_out(request)
    onward = request.session.pop("oidc_login_next", None) or ""
    if saw_factor(claims):
        return _signed_in(request, person, onward, saw=True)
    if user_has_device(person):
        request.session.cycle_key()
        request.session[WAITS] = {"who": person.pk, "since": time.time(), "next": onward}
        return redirect("provider-code")
    return _signed_in(request, person, onward)


def person_of(claims: dict[str, Any]) -> Any:
    """The one person whom the claims name, or None: by REGISTRY_OIDC_CLAIM, and never made.

    An e-mail address counts where the provider has verified it and one person has it; any other
    claim is the user name to the letter.
    """
    name = settings.REGISTRY_OIDC_CLAIM
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        return None
    people = get_user_model().objects
    if name != "email":
        return people.filter(username=value).first()
    if claims.get("email_verified") is not True:
        return None
    found = list(people.filter(email__iexact=value)[:2])
    return found[0] if len(found) == 1 else None


def saw_factor(claims: dict[str, Any]) -> bool:
    """Whether the provider says that it asked for a second factor that the registry trusts."""
    methods = claims.get("amr")
    said = [*(methods if isinstance(methods, list) else ()), claims.get("acr")]
    return any(str(each) in settings.REGISTRY_OIDC_TRUSTED_FACTORS for each in said)


class ProviderCodeForm(forms.Form):
    """The one-time code of an account whose password was not asked for."""

    otp_token = forms.CharField(
        label="One-time code",
        max_length=12,
        help_text="The six digits that your code generator shows now, or a recovery code.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        error_messages={"required": "Enter the code."},
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def provider_code(request: HttpRequest) -> HttpResponse:
    """Asks whom the provider named for the account's one-time code; wrong ones are counted."""
    waits = request.session.get(WAITS)
    person = _waiting_person(waits)
    if waits is None or person is None:
        return redirect("login")
    credentials = {"username": person.get_username()}
    if AxesProxyHandler.is_locked(request, credentials):
        return locked_out(request)
    form = ProviderCodeForm(request.POST if request.method == "POST" else None, label_suffix="")
    if request.method == "POST" and form.is_valid():
        device = match_token(person, form.cleaned_data["otp_token"].replace(" ", ""))
        if device is not None:
            del request.session[WAITS]
            person.otp_device = device
            return _signed_in(request, person, waits["next"])
        count_as_failed(request, person)
        if AxesProxyHandler.is_locked(request, credentials):
            return locked_out(request)
        form.add_error("otp_token", "This code is wrong. Wait for the next one, and enter that.")
    context = {"room": "login", "form": form, "name": settings.REGISTRY_OIDC_NAME}
    return render(request, "registry/provider_code.html", context)


def _waiting_person(waits: Any) -> Any:
    if not waits or not 0 <= time.time() - waits["since"] < WAITS_FOR:
        return None
    return get_user_model().objects.filter(pk=waits["who"], is_active=True).first()


def _signed_in(
    request: HttpRequest, person: Any, onward: str, *, saw: bool = False
) -> HttpResponse:
    unseen = unseen_by_owner(person)
    login(request, person, backend=BACKEND)
    request.session[BY_PROVIDER] = time.time()
    if saw:
        request.session[PROVIDER_SAW_FACTOR] = True
    tell_what_others_changed(request, unseen)
    return HttpResponseRedirect(onward or first_place(person))


def _refused(request: HttpRequest, reason: str, said: str = "") -> HttpResponse:
    """Leads to the sign-in page, which says it to the person; the log has the reason, no name."""
    logger.warning("Nobody was signed in through the provider: %s", reason)
    name = settings.REGISTRY_OIDC_NAME
    messages.error(request, said or f"Signing in through {name} did not succeed. Try it again.")
    return redirect("login")
