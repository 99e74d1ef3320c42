"""django-filter's FilterSets behind the lists of rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from registry.filters import RowFilterSet

BESIDE = ("limit", "cursor", "format")
"""Parameters of a list that are no filters."""


class RowFilterBackend(DjangoFilterBackend):
    """Filters a list by its view's `filterset_class`, which refuses unknown parameters."""

    def get_filterset_kwargs(
        self, request: Request, queryset: QuerySet[Any], view: Any
    ) -> Mapping[str, Any]:
        """The arguments of the filter set; paging is read elsewhere."""
        kwargs: Mapping[str, Any] = super().get_filterset_kwargs(request, queryset, view)
        return {**kwargs, "beside": BESIDE}


def row_parameters(filterset: type[RowFilterSet]) -> Sequence[OpenApiParameter]:
    """The filters of a list for the schema."""
    return [
        OpenApiParameter(name, str, description=f"{each.label}; several separated by commas.")
        for name, each in filterset.base_filters.items()
    ]
