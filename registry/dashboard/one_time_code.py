"""One-time codes at sign-in, for everybody: a person's own code generator and recovery codes."""

from base64 import b32encode
from typing import Any

import django_otp
import segno
from django import forms
from django.contrib import messages
from django.contrib.auth import authenticate, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from registry import intake
from registry.answers.by_provider import signed_in_by_provider_just_now

GENERATOR = "Code generator"


class PasswordForm(forms.Form):
    """The user's own password, so that an unattended browser cannot be misused."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": "Enter your password."},
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.request = request
        if signed_in_by_provider_just_now(request):
            del self.fields["password"]

    def clean_password(self) -> str:
        """Checks the password; wrong ones count towards the lock-out."""
        password: str = self.cleaned_data["password"]
        user: Any = self.request.user
        if authenticate(self.request, username=user.get_username(), password=password) != user:
            raise forms.ValidationError("This is not your password.", code="wrong-password")
        return password


class CodeForm(forms.Form):
    """The code that the new code generator shows."""

    code = forms.CharField(
        label="The six digits that it shows now",
        max_length=12,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        error_messages={"required": "Enter the six digits."},
    )

    def __init__(self, *args: Any, device: TOTPDevice, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.device = device

    def clean_code(self) -> str:
        """Checks the code; after a wrong one, refuses the next for a moment."""
        code: str = self.cleaned_data["code"].replace(" ", "")
        if not self.device.verify_token(code):
            raise forms.ValidationError(
                "This code is wrong. Check the device's clock, wait for the next code, and enter"
                " that one.",
                code="wrong-code",
            )
        return code


@never_cache
@login_required
@sensitive_variables("codes")
@require_http_methods(["GET", "HEAD", "POST"])
def one_time_code_page(request: HttpRequest) -> HttpResponse:
    """Lets users add or replace a code generator, renew recovery codes, or remove them all.

    The secret and the recovery codes are shown once, in the reply to the form that made them.
    """
    user: Any = request.user
    if request.method == "POST" and "confirm" in request.POST:
        return _confirm(request, user)
    sent = request.POST if request.method == "POST" else None
    form = PasswordForm(sent, request=request)
    if sent is None or not form.is_valid():
        return _page(request, user, form=form)
    if "begin" in sent:
        TOTPDevice.objects.filter(user=user, confirmed=False).delete()
        device = TOTPDevice.objects.create(user=user, name=GENERATOR, confirmed=False)
        return _page(request, user, device=device, form=CodeForm(device=device))
    if "renew" in sent and _generator(user) is not None:
        codes = intake.renew_codes(user)
        return _page(request, user, form=PasswordForm(request=request), codes=codes)
    if "remove" in sent and not user.must_use_code:
        intake.remove_codes(user, by=user)
        messages.success(request, "Your account no longer asks for a one-time code.")
    return HttpResponseRedirect(reverse("one_time_code"))


def _confirm(request: HttpRequest, user: Any) -> HttpResponse:
    device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    if device is None:
        return HttpResponseRedirect(reverse("one_time_code"))
    form = CodeForm(request.POST, device=device)
    if not form.is_valid():
        return _page(request, user, device=device, form=form)
    codes = intake.add_generator(device)
    user.refresh_from_db()
    update_session_auth_hash(request, user)
    django_otp.login(request, device)
    messages.success(
        request,
        "From now on your account asks for a one-time code at sign-in. Your other browsers are "
        "signed out, and your API tokens no longer work.",
    )
    return _page(request, user, form=PasswordForm(request=request), codes=codes)


def _generator(user: Any) -> TOTPDevice | None:
    device: TOTPDevice | None = TOTPDevice.objects.filter(user=user, confirmed=True).first()
    return device


def _page(
    request: HttpRequest,
    user: Any,
    *,
    form: forms.Form,
    device: TOTPDevice | None = None,
    codes: list[str] | None = None,
) -> HttpResponse:
    context = {
        "room": "one-time-code",
        "form": form,
        "device": device,
        "secret": _in_fours(device) if device else "",
        "picture": qr_picture(device.config_url) if device else "",
        "codes": [f"{code[:5]} {code[5:]}" for code in codes or ()],
        "has_generator": _generator(user) is not None,
        "is_required": user.must_use_code,
        "left": StaticToken.objects.filter(device__user=user).count(),
    }
    return render(request, "registry/one_time_code.html", context)


def qr_picture(address: str) -> SafeString:
    """The QR code of an address as SVG: dark on light in any colour scheme, without a script."""
    code = segno.make(address, error="m", micro=False)
    picture = code.svg_inline(scale=4, omitsize=True, light="#fff", title="QR code of the secret")
    # Drawn here, and holds nothing but modules.
    return SafeString(picture)  # nosec B703


def _in_fours(device: TOTPDevice) -> str:
    """The secret as typed into an app."""
    secret = b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
