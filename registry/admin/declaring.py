"""A site's device time year by year: declared, given by implants, given twice, or missing."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, IntegerField, QuerySet
from django.db.models.functions import Cast
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone

from registry.admin.site_rows import SiteRowsAdmin
from registry.models import Exposure, Implant, Site
from registry.vocabulary import Component, ExitStatus, Right

MISSING, OPEN, DECLARED, IMPLANTS, TWICE, OVERLAPPING = (
    "missing",
    "open",
    "declared",
    "implants",
    "twice",
    "overlapping",
)


@dataclass(frozen=True, slots=True)
class DeviceTime:
    """A site's device time of one component in one year.

    implants: how many have device time in it, each taken as implanted in the middle of its year.
    """

    year: int
    component: Component
    declared: tuple[Exposure, ...]
    implants: int
    is_over: bool

    @property
    def state(self) -> str:
        """The state of the year: the first that applies."""
        if self.declared and self.implants:
            return TWICE
        if len({bool(row.model) for row in self.declared}) > 1:
            return OVERLAPPING
        if self.declared:
            return DECLARED
        if self.implants:
            return IMPLANTS
        return MISSING if self.is_over else OPEN

    @property
    def devices(self) -> int:
        """The devices that were declared."""
        return sum(row.devices for row in self.declared)

    @property
    def months(self) -> int:
        """The component-months that were declared."""
        return sum(row.component_months for row in self.declared)


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


def flat(years: list[list[DeviceTime]]) -> list[DeviceTime]:
    """Every cell of the table."""
    return [cell for line in years for cell in line]


def device_time(site: Site, *, present: int) -> list[list[DeviceTime]]:
    """A site's years, newest first, each with its components. Three queries.

    From the first year with anything on file to the current one, which is not over yet; last year
    and this for a site without anything.
    """
    return device_times(Site.objects.filter(pk=site.pk), present=present)[site.code]


def device_times(sites: QuerySet[Site], *, present: int) -> dict[str, list[list[DeviceTime]]]:
    """The years of each site by its code, as `device_time` gives them. Three queries in all."""
    declared: dict[tuple[str, int, str], list[Exposure]] = defaultdict(list)
    rows = Exposure.objects.filter(site__in=sites).select_related("site")
    for row in rows.order_by("pump_model", "catheter_model", "pk"):
        declared[row.site.code, row.year, row.component].append(row)
    implants: Counter[tuple[str, int, str]] = Counter()
    for code, component, first, last, number in spans(Implant.objects.filter(site__in=sites)):
        for year in range(first, min(last, present) + 1):
            implants[code, year, component] += number
    began: dict[str, int] = {}
    for code, year, _component in (*declared, *implants):
        began[code] = min(year, began.get(code, present - 1))
    return {
        code: [
            [
                DeviceTime(
                    year,
                    component,
                    tuple(declared.get((code, year, component.value), ())),
                    implants[code, year, component.value],
                    is_over=year < present,
                )
                for component in Component
            ]
            for year in range(present, began.get(code, present - 1) - 1, -1)
        ]
        for code in sites.order_by("code").values_list("code", flat=True)
    }


def implants_in(exposure: Exposure) -> int:
    """How many implants have time in the year and component of a declaration. One query."""
    rows = Implant.objects.filter(site=exposure.site_id, component=exposure.component)
    return sum(n for _, _, first, last, n in spans(rows) if first <= exposure.year <= last)


def spans(rows: QuerySet[Implant]) -> QuerySet[Any, tuple[str, str, int, int, int]]:
    """The first and the last year in which implants of each site have device time, and how many.

    As in statistics: the year of implant counts from its middle, follow-up from entry to its end,
    and implants excluded as ineligible have no time.
    """
    year = Cast("implant_year", IntegerField())
    return (
        rows.exclude(exit_status=ExitStatus.ELIGIBILITY_NOT_MET)
        .annotate(
            first=year + (Cast("months_to_entry", IntegerField()) + 6) / 12,
            last=year + (Cast("months_followed", IntegerField()) + 5) / 12,
        )
        .order_by()
        .values_list("site__code", "component", "first", "last")
        .annotate(number=Count("pk"))
    )
