"""The page of a site's device time year by year, where the site says which of it counts."""

from collections import Counter
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone

from registry import intake
from registry.admin.site_rows import SiteRowsAdmin
from registry.intake.device_years import (
    MISSING,
    OVERLAPPING,
    TWICE,
    UNCOUNTED,
    DeviceTime,
    device_time,
    flat,
    implants_until,
)
from registry.models import Site
from registry.models.access import IMPLANTS_FROM
from registry.models.rules import FIRST_YEAR, LAST_YEAR
from registry.vocabulary import Component, Right


class ImplantsFromForm(forms.Form):
    """The site's word, for each component: from which year on its implants count."""

    pump, catheter = (
        forms.IntegerField(
            required=False,
            min_value=FIRST_YEAR,
            max_value=LAST_YEAR,
            label=f"{component.label}s count from",
        )
        for component in Component
    )


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
        may_say = site is not None and site.active and self._declares(user, site)
        form = ImplantsFromForm(request.POST or None, initial=_words(site))
        if request.method == "POST":
            if not may_say:
                raise PermissionDenied
            if form.is_valid():
                return self._said(request, code, form)
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
            "counted": {name: states[name] for name in (MISSING, TWICE, OVERLAPPING, UNCOUNTED)},
            "counts_from": _counts_from(site, years),
            "form": form,
            "may_declare": may_say,
        }
        return TemplateResponse(request, "admin/registry/exposure/by_year.html", context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Stores the declaration, and says which device time does not count beside it."""
        super().save_model(request, obj, form, change)
        word = obj.site.implants_from(obj.component)
        parts = obj.get_component_display().lower() + "s"
        if word is not None and obj.year >= word:
            message = (
                f"The site's {parts} count from {word} on by its word: this declaration of "
                f"{obj.year} is not counted. By year changes it."
            )
            self.message_user(request, message, messages.WARNING)
        elif word is None and (number := implants_until(obj)):
            message = (
                f"{number} of the site's {parts} have time in {obj.year} or before: it is not "
                "counted up to the last declared year. If these implants are all that the site "
                "had, say under By year from when on they count."
            )
            self.message_user(request, message, messages.WARNING)

    def _said(self, request: HttpRequest, code: str, form: ImplantsFromForm) -> HttpResponse:
        by: Any = request.user
        for component in Component:
            year = form.cleaned_data[component.value]
            intake.say_implants_from(code, component=component.value, year=year, by=by)
        self.message_user(request, "Stored: it counts from the next snapshot on.", messages.SUCCESS)
        return HttpResponseRedirect(f"?site={code}")

    def _declares(self, user: Any, site: Site) -> bool:
        return bool(user.may(Right.RUN_REGISTRY) or user.leads(site))


def _words(site: Site | None) -> dict[str, int | None]:
    return {each.value: site.implants_from(each) if site else None for each in IMPLANTS_FROM}


def _counts_from(site: Site | None, years: list[list[DeviceTime]]) -> list[dict[str, Any]]:
    """For each component whose implants have a limit: the year, and whether by the site's word."""
    sent = {cell.component for cell in flat(years) if cell.implants}
    return [
        {"parts": f"{cell.component.label}s", "year": cell.implants_from, "word": said is not None}
        for cell in (years[0] if years else ())
        if cell.implants_from is not None
        for said in [site.implants_from(cell.component) if site else None]
        if said is not None or cell.component in sent
    ]
