"""Sites and memberships in the admin, kept by data managers."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from registry import intake
from registry.admin.rows import IntakeForm, RegistryAdmin
from registry.admin.site_keys import KeyPatternPages
from registry.models import Membership, Site
from registry.vocabulary import Right


@admin.register(Site)
class SiteAdmin(KeyPatternPages):
    """The hospitals that report; other pages show their codes only."""

    form = IntakeForm
    list_display = ("code", "name", "country", "active")
    list_filter = ("active", "country")
    search_fields = ("code", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A site's code never changes: its rows refer to it."""
        return ("code", "keys") if obj else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A new site is active, and without a pattern of keys."""
        of_all = ("code", "name", "country")
        return (*of_all, "active", "keys") if obj else of_all

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
        beside = super().beside(request, row)
        if not (user.may(Right.RUN_REGISTRY) or user.leads(row)):
            return beside
        return {**beside, "members": list(row.memberships.select_related("user"))}


@admin.register(Membership)
class MembershipAdmin(RegistryAdmin):
    """Which users report for which site. To end a membership, make it inactive."""

    form = IntakeForm
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
            obj.pk, obj.user, obj.site = stored.pk, stored.user, stored.site
