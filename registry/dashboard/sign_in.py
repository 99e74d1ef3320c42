"""Signing in with a password and, where an account has one, a one-time code."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse, reverse_lazy
from django_otp import match_token, user_has_device

from registry.answers.by_provider import provider_is_usable, signed_in_by_provider
from registry.answers.kept import ENDED, KEPT, kept, page_with_answers
from registry.answers.unsaved import forget_all_unsaved
from registry.dashboard.work import first_place
from registry.intake.people import (
    AccountChange,
    note_told,
    password_giver,
    unseen_by_owner,
)


class SignInForm(AuthenticationForm):
    """Ask for user name and password, and for a one-time code where the account has a device."""

    error_messages = {
        "invalid_login": "User name and password do not match. Both are case-sensitive.",
        "inactive": "This account has been closed. Ask your registry's data manager.",
    }
    otp_token = forms.CharField(
        label="One-time code",
        required=False,
        max_length=12,
        strip=True,
        help_text="Only if your account has a code generator: the six digits it shows now, or a"
        " recovery code.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["username"].label = "User name"
        self.label_suffix = ""

    def clean(self) -> dict[str, Any]:
        """Checks the password, then the code; a wrong code delays the next attempt."""
        cleaned = super().clean()
        user: Any = self.get_user()
        if user is not None and user_has_device(user, confirmed=True):
            code = (cleaned.get("otp_token") or "").replace(" ", "")
            device = match_token(user, code) if code else None
            if device is None:
                if code:
                    count_as_failed(self.request, user)
                raise forms.ValidationError(
                    "This account needs its one-time code: enter the digits that your code"
                    " generator shows now. After a wrong code, wait for the next one.",
                    code="otp",
                )
            user.otp_device = device
        return cleaned


class SignIn(auth_views.LoginView):
    """Signs people in, for the pages and the admin."""

    form_class = SignInForm
    template_name = "registry/login.html"
    extra_context = {"room": "login"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The page, with the answers that wait for the sign-in, and the provider's name."""
        provider = settings.REGISTRY_OIDC_NAME if provider_is_usable() else ""
        told = {"kept": self.request.POST.get(KEPT, ""), "ended": ENDED in self.request.GET}
        return super().get_context_data(**told, provider=provider, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        """Signs in; leads back to a form whose answers were kept."""
        unseen = unseen_by_owner(form.get_user())
        answer = super().form_valid(form)
        tell_what_others_changed(self.request, unseen)
        text = self.request.POST.get(KEPT, "")
        return page_with_answers(self.request, text) if kept(text) else answer

    def get_default_redirect_url(self) -> str:
        """The page that the address names as next, else the first page for the person's role."""
        return first_place(self.request.user)


def tell_what_others_changed(request: HttpRequest, unseen: list[AccountChange]) -> None:
    """Says at sign-in what others changed in the account since the last one, once."""
    for one in unseen:
        told = f"{one.by} {one.what} on {one.at:%-d %B %Y at %H:%M} UTC."
        messages.warning(request, f"{told} If you did not expect it, tell another data manager.")
    user: Any = request.user
    note_told(user)


class SignOut(auth_views.LogoutView):
    """Signs out; by POST only, so that a link cannot do it."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Signs out, and forgets what was left unsaved; offers the provider's sign-out."""
        forget_all_unsaved(request)
        by_provider = signed_in_by_provider(request) and provider_is_usable()
        answer: HttpResponse = super().post(request, *args, **kwargs)
        if not by_provider:
            return answer
        from registry.dashboard.openid_client import provider_sign_out

        address = provider_sign_out(request.build_absolute_uri(reverse("home")))
        if not address:
            return answer
        context = {"address": address, "name": settings.REGISTRY_OIDC_NAME}
        return render(request, "registry/signed_out.html", context)


class OwnPasswordForm(PasswordChangeForm):
    """Asks for the current password and for another one."""

    def clean_new_password1(self) -> str:
        """Refuses the current password, which a data manager may know."""
        password: str = self.cleaned_data["new_password1"]
        if self.user.check_password(password):
            raise forms.ValidationError("Choose another password than the current one.", "same")
        return password

    def save(self, commit: bool = True) -> Any:
        """Stores the password, which is the person's own from now on."""
        self.user.must_change_password = False
        return super().save(commit=commit)


class ChangePassword(auth_views.PasswordChangeView):
    """Let people replace their own password."""

    form_class = OwnPasswordForm
    template_name = "registry/password.html"
    success_url = reverse_lazy("home")
    extra_context = {"room": "password"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The page; where the password was given, by whom and when."""
        context = super().get_context_data(**kwargs)
        user: Any = self.request.user
        if user.must_change_password:
            context["given"] = password_giver(user)
        return context

    def form_valid(self, form: Any) -> HttpResponse:
        """Confirms the change; ends the account's other sessions."""
        messages.success(
            self.request,
            "Your password was changed. Your other browsers are signed out, and your API tokens "
            "no longer work.",
        )
        return super().form_valid(form)


def count_as_failed(request: HttpRequest | None, user: Any) -> None:
    """Counts a wrong code towards the lock-out, as a wrong password is."""
    credentials = {"username": user.get_username()}
    user_login_failed.send(sender=__name__, credentials=credentials, request=request)


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: object = None
) -> HttpResponse:
    """Answers 429 with a page that says how long to wait; the API has its own reply."""
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
