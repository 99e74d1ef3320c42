"""Sites, users and memberships in the admin, kept by data managers under seals."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.db.models import QuerySet
from django.http import HttpRequest
from django_otp import user_has_device
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from knox.models import AuthToken

from registry import intake
from registry.admin.rows import RegistryAdmin
from registry.models import Membership, Site, User, sealed
from registry.vocabulary import Right, Role
from registry.vocabulary.roles import KEPT_APART, joins_what_is_apart

for foreign in (Group, AuthToken, TOTPDevice, StaticDevice):
    if admin.site.is_registered(foreign):
        admin.site.unregister(foreign)


class SealedForm(forms.ModelForm):
    """A form of rows that data managers keep by hand, validated by the model."""

    refusal: Any = None
    user: Any = None


class SealedAdmin(RegistryAdmin):
    """Rows that are edited here, each change under a seal that names its author."""

    form = SealedForm

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """The row with the form's values, unsaved."""
        return form.save(commit=False)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Stores the row with its history; stores nothing where nothing changed."""
        if change and not form.has_changed():
            return
        action = f"{'change' if change else 'make'}-{self.opts.model_name}"
        by: Any = request.user
        with sealed(by=by, action=action) as seal:
            self.write(seal, obj, form)

    def write(self, seal: Any, obj: Any, form: Any) -> None:
        """Writes the row under the seal."""
        seal.save(obj)


@admin.register(Site)
class SiteAdmin(SealedAdmin):
    """The hospitals that report; other pages show their codes only."""

    list_display = ("code", "name", "country", "active")
    list_filter = ("active", "country")
    search_fields = ("code", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A site's code never changes: its rows refer to it."""
        return ("code",) if obj else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A new site is active."""
        return ("code", "name", "country", "active") if obj else ("code", "name", "country")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Creates or changes the site through intake."""
        by: Any = request.user
        values = {name: form.cleaned_data[name] for name in ("name", "country")}
        if change:
            site = Site.objects.get(pk=obj.pk)
            intake.change_site(site, **values, active=form.cleaned_data["active"], by=by)
        else:
            obj.pk = intake.make_site(code=form.cleaned_data["code"], **values, by=by).pk

    def beside(self, request: HttpRequest, row: Site) -> dict[str, Any]:
        """The members, for data managers and the site's own leads."""
        user: Any = request.user
        if not (user.may(Right.RUN_REGISTRY) or user.leads(row)):
            return {}
        return {"members": list(row.memberships.select_related("user"))}


@admin.register(Membership)
class MembershipAdmin(SealedAdmin):
    """Which users report for which site. To end a membership, make it inactive."""

    list_display = ("user", "site", "role", "active")
    list_select_related = ("user", "site")
    list_filter = ("role", "active", ("site", admin.RelatedOnlyFieldListFilter))
    search_fields = ("user__username", "site__code")
    search_help_text = "Search by user name or site code."
    autocomplete_fields = ("user", "site")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A new membership is active."""
        return ("user", "site", "role", "active") if obj else ("user", "site", "role")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """All memberships for data managers; for leads, those of the sites that they lead."""
        memberships = super().get_queryset(request)
        user: Any = request.user
        if user.may(Right.RUN_REGISTRY):
            return memberships
        led = user.memberships.filter(active=True, role="lead").values("site")
        return memberships.filter(site__in=led)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A membership never changes its user or site."""
        return ("user", "site") if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Creates or changes the membership through intake, which lets members into the admin."""
        by: Any = request.user
        values = {"active": True, **form.cleaned_data}
        if change:
            stored = Membership.objects.get(pk=obj.pk)
            intake.change_member(stored, role=values["role"], active=values["active"], by=by)
        else:
            stored = intake.add_member(
                values["site"], user=values["user"], role=values["role"], by=by
            )
            obj.pk = stored.pk


class UserForm(SealedForm):
    """A person who signs in: name, roles, and a first or a new password."""

    roles = forms.MultipleChoiceField(
        choices=[(role.value, f"{role.label}: {role.definition}") for role in Role],
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "options lines"}),
        help_text="Members of a site get the role Site staff with their membership.",
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

    def clean_new_password(self) -> str:
        """Validates the password by the same rules as users' own changes."""
        password: str = self.cleaned_data["new_password"]
        if password:
            validate_password(password, self.instance)
        return password


@admin.register(User)
class UserAdmin(SealedAdmin):
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
        """Whether the person has a code generator, which a data manager may remove."""
        return {"has_code": user_has_device(row), "is_self": row == request.user}

    def write(self, seal: Any, obj: Any, form: Any) -> None:
        """Stores the user, and the roles where they changed."""
        if form.cleaned_data["new_password"]:
            obj.set_password(form.cleaned_data["new_password"])
            obj.must_change_password = True
        seal.save(obj)
        if "roles" in form.changed_data:
            obj.set_roles(form.cleaned_data["roles"], seal=seal)

    @admin.display(description="Roles")
    def roles_words(self, user: User) -> str:
        """The roles that the person holds."""
        return ", ".join(sorted(group.name for group in user.groups.all())) or "no role"
