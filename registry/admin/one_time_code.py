"""One-time codes at sign-in: a person's own code generator, recovery codes, and their reset."""

import secrets
from base64 import b32encode
from typing import Any

import django_otp
import segno
from django import forms
from django.contrib import admin, messages
from django.contrib.auth import authenticate
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from registry.models import User, sealed
from registry.vocabulary import Right

GENERATOR = "Code generator"
RECOVERY = "Recovery codes"
HOW_MANY = 10
DIGITS = 10
"""Digits of a recovery code: the sign-in field opens a phone's number pad."""


class PasswordForm(forms.Form):
    """The user's own password, so that an unattended browser cannot be misused."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "current-password", "class": "vTextField"}
        ),
        error_messages={"required": "Enter your password."},
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.request = request

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
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "vTextField"}
        ),
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
        return _page(request, user, form=PasswordForm(request=request), codes=renew_codes(user))
    if "remove" in sent:
        remove_codes(user, by=user)
        messages.success(request, "Your account no longer asks for a one-time code.")
    return HttpResponseRedirect(reverse("one_time_code"))


def _confirm(request: HttpRequest, user: Any) -> HttpResponse:
    device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    if device is None:
        return HttpResponseRedirect(reverse("one_time_code"))
    form = CodeForm(request.POST, device=device)
    if not form.is_valid():
        return _page(request, user, device=device, form=form)
    codes = add_generator(device)
    django_otp.login(request, device)
    messages.success(request, "From now on your account asks for a one-time code at sign-in.")
    return _page(request, user, form=PasswordForm(request=request), codes=codes)


def add_generator(device: TOTPDevice) -> list[str]:
    """Replaces any other device by one that showed a correct code, under a seal.

    Returns new recovery codes.
    """
    user = device.user
    with sealed(by=user, action="add-one-time-code") as seal:
        TOTPDevice.objects.filter(user=user).exclude(pk=device.pk).delete()
        device.confirmed = True
        device.save()
        seal.save(User.objects.get(pk=user.pk), reason="one-time-code-added")
        return _new_codes(user)


def renew_codes(user: User) -> list[str]:
    """Replaces the recovery codes by ten new ones, each for one sign-in, under a seal."""
    with sealed(by=user, action="renew-recovery-codes") as seal:
        seal.save(User.objects.get(pk=user.pk), reason="recovery-codes-renewed")
        return _new_codes(user)


def remove_codes(user: User, *, by: User) -> None:
    """Removes a user's code generator and recovery codes; the seal names who did."""
    with sealed(by=by, action="remove-one-time-code") as seal:
        TOTPDevice.objects.filter(user=user).delete()
        StaticDevice.objects.filter(user=user).delete()
        seal.save(User.objects.get(pk=user.pk), reason="one-time-code-removed")


def _new_codes(user: User) -> list[str]:
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name=RECOVERY)
    codes = [str(secrets.randbelow(10**DIGITS)).zfill(DIGITS) for _ in range(HOW_MANY)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return codes


def _generator(user: User) -> TOTPDevice | None:
    device: TOTPDevice | None = TOTPDevice.objects.filter(user=user, confirmed=True).first()
    return device


def _page(
    request: HttpRequest,
    user: User,
    *,
    form: forms.Form,
    device: TOTPDevice | None = None,
    codes: list[str] | None = None,
) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": "One-time code",
        "form": form,
        "device": device,
        "secret": _in_fours(device) if device else "",
        "picture": qr_picture(device.config_url) if device else "",
        "codes": [f"{code[:5]} {code[5:]}" for code in codes or ()],
        "has_generator": _generator(user) is not None,
        "left": StaticToken.objects.filter(device__user=user).count(),
    }
    return TemplateResponse(request, "admin/registry/one_time_code.html", context)


def qr_picture(address: str) -> SafeString:
    """The QR code of an address as SVG: dark on light in any colour scheme, without a script."""
    code = segno.make(address, error="m", micro=False)
    picture = code.svg_inline(scale=4, omitsize=True, light="#fff", title="QR code of the secret")
    return SafeString(picture)  # nosec B703 - drawn here, and holds nothing but modules


def _in_fours(device: TOTPDevice) -> str:
    """The secret as typed into an app."""
    secret = b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


@require_POST
def reset_code(request: HttpRequest, user_id: int) -> HttpResponse:
    """Lets a data manager remove a lost code generator from another user's account."""
    by: Any = request.user
    if not by.may(Right.RUN_REGISTRY):
        raise PermissionDenied
    person = User.objects.filter(pk=user_id).first()
    if person is None:
        raise Http404
    back = HttpResponseRedirect(reverse("admin:registry_user_change", args=[user_id]))
    if person == by:
        messages.error(request, "Change your own under One-time code, with your password.")
        return back
    remove_codes(person, by=by)
    message = f"{person} signs in without a one-time code now, and should add a new one."
    messages.success(request, message)
    return back
