"""django-filter's FilterSets behind the lists of rows."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from registry.filters import EventFilterSet, RowFilterSet

BESIDE = ("limit", "cursor", "format", "fields")
"""Parameters of a list that are no filters."""


class RowFilterBackend(DjangoFilterBackend):
    """Filters a list by its view's `filterset_class`, which refuses unknown parameters."""

    def get_filterset_kwargs(
        self, request: Request, queryset: QuerySet[Any], view: Any
    ) -> Mapping[str, Any]:
        """The arguments of the filter set; paging is read elsewhere."""
        kwargs: Mapping[str, Any] = super().get_filterset_kwargs(request, queryset, view)
        return {**kwargs, "beside": BESIDE}


CHANGED_SINCE = OpenApiParameter(
    "changed_since",
    str,
    description="Rows stored or changed at this instant or later, such as "
    "2026-11-30T09:00:00Z. Ask again from a few minutes before your last call: what was being "
    "written then carries an earlier instant; `id` and `version` tell a row that you have. "
    "Reviewers and data managers may give the number of a seal, for rows of later seals.",
)


def row_parameters(
    filterset: type[RowFilterSet | EventFilterSet], names: Collection[str] = ()
) -> Sequence[OpenApiParameter]:
    """The filters of a list for the schema. names: those to describe, if not all."""
    return [
        CHANGED_SINCE
        if name == CHANGED_SINCE.name
        else OpenApiParameter(name, str, description=f"{each.label}; several separated by commas.")
        for name, each in filterset.base_filters.items()
        if not names or name in names
    ]
