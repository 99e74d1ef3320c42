"""Every code list, for drop-downs, also with Grafana's `__value` and `__text`."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from registry.api.described import OPEN, listing, problems
from registry.api.parameters import refuse_unknown
from registry.models import Category, Complication
from registry.records import Fault, UnknownRow
from registry.vocabulary import CODELISTS

NAMES = sorted([*CODELISTS, "category", "complication"])
"""Every list: those of the vocabulary, and those that the registry keeps in tables."""


class CodelistSerializer(serializers.Serializer[Any]):
    """One list and its address."""

    name = serializers.CharField()
    url = serializers.URLField()


class CodeSerializer(serializers.Serializer[Any]):
    """One code: `id` for data and queries, `label` for display; `verified`: its source was read."""

    id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    definition = serializers.CharField()
    verified = serializers.BooleanField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The id and label again, under Grafana's names."""
        return super().get_fields() | {
            "__value": serializers.CharField(),
            "__text": serializers.CharField(),
        }


def _entry(code: object, label: str, definition: str, *, verified: bool) -> dict[str, Any]:
    name = str(code)
    return {
        "id": name,
        "label": label,
        "definition": definition,
        "verified": verified,
        "__value": name,
        "__text": label,
    }


def entries(name: str) -> list[dict[str, Any]]:
    """The codes of a list in its own order; raises UnknownRow for an unknown list."""
    if name in CODELISTS:
        return [
            _entry(member.value, member.label, member.definition, verified=member.verified)
            for member in CODELISTS[name]
        ]
    rows: Iterable[Category | Complication]
    if name == "category":
        rows = Category.objects.order_by("sort_order")
        return [_entry(row.code, row.name, row.definition, verified=True) for row in rows]
    if name == "complication":
        current = Complication.objects.current().order_by("category__sort_order", "name")
        return [
            _entry(row.code, row.name, row.definition, verified=row.evidence != "unverified")
            for row in current
        ]
    raise UnknownRow(Fault("", "not-found", "There is no such code list."))


class Codelists(APIView):
    """The names of all code lists."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="codelists_list",
        tags=["catalogue"],
        responses={
            200: listing("CodelistList", CodelistSerializer),
            **problems(*OPEN),
        },
    )
    def get(self, request: Request) -> Response:
        """List the code lists by name; open to all."""
        refuse_unknown(request)
        return Response(
            {
                "results": [
                    {"name": name, "url": reverse("api:codelist", [name], request=request)}
                    for name in NAMES
                ],
                "next": None,
            }
        )


class CodelistDetail(APIView):
    """One code list."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="codelists_retrieve",
        tags=["catalogue"],
        parameters=[OpenApiParameter("name", OpenApiTypes.STR, OpenApiParameter.PATH)],
        responses={200: listing("CodeList", CodeSerializer), **problems(*OPEN, 404)},
        examples=[
            OpenApiExample(
                "component",
                value={
                    "results": [
                        {
                            "id": "pump",
                            "label": "Pump",
                            "definition": "The implanted pump with its reservoir.",
                            "verified": True,
                            "__value": "pump",
                            "__text": "Pump",
                        }
                    ],
                    "next": None,
                },
                response_only=True,
                status_codes=["200"],
            )
        ],
    )
    def get(self, request: Request, name: str) -> Response:
        """List the codes of one list in its own order; open to all."""
        refuse_unknown(request)
        return Response({"results": entries(name), "next": None})
