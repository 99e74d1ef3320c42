"""The list filters of the admin: the same names and meanings as the API's parameters."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, QueryDict

from registry.filters import EventFilterSet, codes_of
from registry.filters.codes import with_not_recorded
from registry.models import Site
from registry.models.statements import distinct_values
from registry.records import DIMENSIONS, BadQuery, ValueKind


class DimensionListFilter(admin.SimpleListFilter):
    """One dimension of the registry as a filter beside the list of events."""

    template = "admin/registry/filter.html"
    dimension: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices; sites and years only those that the caller may see rows of."""
        if self.dimension == "site":
            return sites_to_choose(request)
        if DIMENSIONS[self.dimension].kind is ValueKind.YEAR:
            return years_to_choose(request, model_admin.get_queryset(request))
        return with_not_recorded(codes_of(self.dimension))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The events with the chosen value, as the API lists them."""
        value = self.value()
        if not value:
            return queryset
        params = QueryDict(mutable=True)
        params[self.dimension] = value
        try:
            return EventFilterSet(params, queryset).qs
        except BadQuery as refusal:
            raise IncorrectLookupParameters(str(refusal)) from refusal


class OwnSitesFilter(admin.SimpleListFilter):
    """Filters rows by a site that the caller may see."""

    title = "site"
    parameter_name = "site"
    template = "admin/registry/filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The sites that the caller may see."""
        return sites_to_choose(request)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """The rows of the chosen site."""
        return queryset.at(self.value()) if self.value() else queryset


class ActionFilter(admin.SimpleListFilter):
    """Filters the entries of a log by their action."""

    title = "action"
    parameter_name = "action"
    template = "admin/registry/filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The actions that were logged."""
        return [(action, action) for action in distinct_values(model_admin.model, "action")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The entries of the chosen action."""
        return queryset.filter(action=self.value()) if self.value() else queryset


def sites_to_choose(request: HttpRequest) -> list[tuple[str, str]]:
    """The sites that the caller may see, by code; whether they have such rows is not looked up."""
    codes = Site.objects.visible_to(request.user).order_by("code").values_list("code", flat=True)
    return [(code, code) for code in codes]


def years_to_choose(request: HttpRequest, rows: QuerySet[Any]) -> list[tuple[str, str]]:
    """The years from the first to the last of some rows, the last first.

    Two looks into an index for each site that the caller may see, in one query: to tell which
    years have rows, all rows would be read.
    """
    dated = rows.filter(site=OuterRef("pk")).exclude(year=None)
    first, last = (Subquery(dated.order_by(by).values("year")[:1]) for by in ("year", "-year"))
    spans = Site.objects.visible_to(request.user).annotate(first=first, last=last)
    found = list(spans.exclude(first=None).order_by().values_list("first", "last"))
    if not found:
        return []
    earliest, latest = min(one for one, _ in found), max(two for _, two in found)
    return [(str(year), str(year)) for year in range(latest, earliest - 1, -1)]


def filter_by(dimension: str) -> type[DimensionListFilter]:
    """The list filter of one dimension."""
    known = DIMENSIONS[dimension]
    named = {
        "dimension": dimension,
        "parameter_name": dimension,
        "title": known.title.lower(),
        "__doc__": f"Events by {known.title.lower()}.",
    }
    return type(f"{dimension.title().replace('_', '')}ListFilter", (DimensionListFilter,), named)
