"""The page of a site's device time year by year."""

from collections import Counter
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone

from registry.admin.site_rows import SiteRowsAdmin
from registry.intake.device_years import (
    MISSING,
    OVERLAPPING,
    TWICE,
    device_time,
    flat,
    implants_in,
)
from registry.models import Site
from registry.vocabulary import Component, Right


class DeclaringPages(SiteRowsAdmin):
    """Declared device time, with the page that shows what is missing and what is given twice."""

    def get_urls(self) -> list[Any]:
        """Adds the address of the page."""
        view = self.admin_site.admin_view(self.by_year)
        return [path("by-year/", view, name="registry_exposure_by_year"), *super().get_urls()]

    def by_year(self, request: HttpRequest) -> HttpResponse:
        """The device time of one site that the caller may see, a line for each year."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        user: Any = request.user
        sites = {site.code: site for site in Site.objects.visible_to(user).order_by("code")}
        only = next(iter(sites)) if len(sites) == 1 else ""
        code = request.GET.get("site") or only
        if code and code not in sites:
            raise Http404
        site = sites.get(code)
        years = device_time(site, present=timezone.now().year) if site else []
        if site:
            self.log_look(request, "by year", sum(len(cell.declared) for cell in flat(years)))
        states = Counter(cell.state for cell in flat(years))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Device time of {site.code} by year" if site else "Device time by year",
            "opts": self.opts,
            "codes": list(sites) if len(sites) > 1 else [],
            "site": site,
            "years": years,
            "components": [component.label for component in Component],
            "counted": {name: states[name] for name in (MISSING, TWICE, OVERLAPPING)},
            "may_declare": site is not None and site.active and self._declares(user, site),
        }
        return TemplateResponse(request, "admin/registry/exposure/by_year.html", context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Stores the declaration, and warns where implants on file are counted in its place."""
        super().save_model(request, obj, form, change)
        if number := implants_in(obj):
            message = (
                f"{number} of the site's implants have time of this component in {obj.year}: "
                "the implants are counted, and this declaration is not."
            )
            self.message_user(request, message, messages.WARNING)

    def _declares(self, user: Any, site: Site) -> bool:
        return bool(user.may(Right.RUN_REGISTRY) or user.leads(site))
