"""The list filters of the admin: the same names and meanings as the API's parameters."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from registry.filters import EventFilterSet, codes_of
from registry.filters.codes import with_not_recorded
from registry.records import DIMENSIONS, BadQuery, ValueKind


class DimensionListFilter(admin.SimpleListFilter):
    """One dimension of the registry as a filter beside the list of events."""

    template = "admin/registry/filter.html"
    dimension: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices; years and sites only those of rows that the caller may see."""
        if self.dimension == "site":
            codes = model_admin.get_queryset(request).order_by("site__code")
            return [(code, code) for code in codes.values_list("site__code", flat=True).distinct()]
        if DIMENSIONS[self.dimension].kind is ValueKind.YEAR:
            years = model_admin.get_queryset(request).exclude(year=None).order_by("-year")
            return [(str(y), str(y)) for y in years.values_list("year", flat=True).distinct()]
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
