"""People who sign in, in the admin: made and changed by data managers through intake."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_otp import user_has_device
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from knox.models import AuthToken

from registry import intake
from registry.admin.role_proposals import proposals_of
from registry.admin.rows import IntakeForm, RegistryAdmin
from registry.models import User
from registry.vocabulary import Right, Role
from registry.vocabulary.roles import KEPT_APART, joins_what_is_apart

for foreign in (Group, AuthToken, TOTPDevice, StaticDevice):
    if admin.site.is_registered(foreign):
        admin.site.unregister(foreign)


class UserForm(IntakeForm):
    """A person who signs in: name, roles, and a first or a new password."""

    roles = forms.MultipleChoiceField(
        choices=[(role.value, f"{role.label}: {role.definition}") for role in Role],
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "options lines"}),
    )
    new_password = forms.CharField(
        label="Password",
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"}),
    )

    class Meta:
        model = User
        fields = ("username", "email", "is_active", "is_staff")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self.instance.pk is not None
        if "roles" in self.fields:
            self.fields["roles"].initial = sorted(self.instance.roles) if stored else []
            self.fields["roles"].help_text = roles_help()
            self.fields["new_password"].required = not stored
            self.fields["new_password"].help_text = (
                "Leave it empty to keep the current one. A new one is changed at the next sign-in."
                if stored
                else "Give it to the person, who changes it at the first sign-in."
            )

    def clean_roles(self) -> list[str]:
        """Refuses roles that nobody has together."""
        roles: list[str] = self.cleaned_data["roles"]
        if joins_what_is_apart(roles, superuser=self.instance.is_superuser):
            raise forms.ValidationError(KEPT_APART, code="kept-apart")
        return roles


def roles_help() -> str:
    """What is to be known of roles before one is ticked."""
    told = "Members of a site get the role Site staff with their membership."
    if intake.needs_a_second(set(Role.codes()), by=User()):
        told += (
            " Data manager, reviewer and auditor see all sites: you propose them, and they are in "
            "force once a second data manager has confirmed them."
        )
    return told


@admin.register(User)
class UserAdmin(RegistryAdmin):
    """People who sign in. Make those who leave inactive: what they wrote keeps its author."""

    form = UserForm
    list_display = ("username", "email", "roles_words", "is_staff", "is_active")
    list_filter = ("is_active", "is_staff", "groups")
    search_fields = ("username", "email")
    search_help_text = "Search by user name or e-mail address."
    ordering = ("username",)
    fieldsets = (
        (None, {"fields": ("username", "email", "new_password")}),
        ("Roles and status", {"fields": ("is_active", "is_staff", "roles")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """People with their roles. Two queries a list."""
        return super().get_queryset(request).prefetch_related("groups")

    def beside(self, request: HttpRequest, row: User) -> dict[str, Any]:
        """The roles that wait to be confirmed; and a code generator, which may be removed."""
        return {
            "has_code": user_has_device(row),
            "is_self": row == request.user,
            "proposals": proposals_of(row, by=request.user),
        }

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Makes or changes the person through intake, and says which roles wait."""
        by: Any = request.user
        given = dict(form.cleaned_data)
        password = given.pop("new_password")
        if change and not form.has_changed():
            return
        if change:
            stored = intake.change_person(obj, **given, password=password, by=by)
        else:
            stored = intake.make_person(**given, password=password, by=by)
            obj.pk = stored.person.pk
        obj.username = stored.person.username
        for proposal in stored.proposed:
            role, person = Role.of(proposal.role).label, stored.person
            told = f"{role} is proposed for {person}. It is not in force before a second data"
            messages.warning(request, f"{told} manager confirms it.")

    @admin.display(description="Roles")
    def roles_words(self, user: User) -> str:
        """The roles that the person holds."""
        return ", ".join(sorted(group.name for group in user.groups.all())) or "no role"


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
    intake.remove_codes(person, by=by)
    message = (
        f"{person} signs in without a one-time code now, and should add a new one. Open sessions "
        "and tokens of the account have ended."
    )
    messages.success(request, message)
    return back
