"""Signing in with a password and, where an account has one, a one-time code."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django_otp import match_token, user_has_device

from registry.dashboard.work import first_place


class SignInForm(AuthenticationForm):
    """Ask for user name and password, and for a one-time code where the account has a device."""

    error_messages = {
        "invalid_login": "User name and password do not fit together. Both mind capital letters.",
        "inactive": "This account has been closed. Ask your registry's data manager.",
    }
    otp_token = forms.CharField(
        label="One-time code",
        required=False,
        max_length=12,
        strip=True,
        help_text="Only where your account has a code generator: the six digits it shows now, or a"
        " recovery code.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["username"].label = "User name"
        self.label_suffix = ""

    def clean(self) -> dict[str, Any]:
        """Check the password first, then the code; a wrong code slows the next one down."""
        cleaned = super().clean()
        user: Any = self.get_user()
        if user is not None and user_has_device(user, confirmed=True):
            device = match_token(user, (cleaned.get("otp_token") or "").replace(" ", ""))
            if device is None:
                raise forms.ValidationError(
                    "This account needs its one-time code: enter the digits that your code"
                    " generator shows now. After a wrong code, wait for the next one.",
                    code="otp",
                )
            user.otp_device = device
        return cleaned


class SignIn(auth_views.LoginView):
    """The one way in for people, for the pages and the admin alike."""

    form_class = SignInForm
    template_name = "registry/login.html"
    extra_context = {"room": "login"}

    def get_default_redirect_url(self) -> str:
        """Lead people to where they work, unless the address says where they were going."""
        return first_place(self.request.user)


class SignOut(auth_views.LogoutView):
    """Sign out; by POST only, so that no link elsewhere can do it."""

    http_method_names = ["post", "options"]


class ChangePassword(auth_views.PasswordChangeView):
    """Let people replace their own password."""

    template_name = "registry/password.html"
    success_url = reverse_lazy("home")
    extra_context = {"room": "password"}

    def form_valid(self, form: Any) -> HttpResponse:
        """Say that it worked; other sessions of the account end here."""
        messages.success(
            self.request, "Your password is changed. Other browsers of yours are signed out."
        )
        return super().form_valid(form)


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: object = None
) -> HttpResponse:
    """Answer 429 with a page that says how long to wait; the API keeps its own reply."""
    if response is not None and request.path.startswith("/api/"):
        return response
    wait = timedelta(hours=settings.AXES_COOLOFF_TIME)
    context = {
        "failure_limit": settings.AXES_FAILURE_LIMIT,
        "minutes": round(wait.total_seconds() / 60),
    }
    page = render(request, "registry/locked.html", context, status=429)
    page["Retry-After"] = str(int(wait.total_seconds()))
    return page
