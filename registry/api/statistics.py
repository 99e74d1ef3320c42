"""Statistics as the door out releases them; nothing here reads a row."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.utils.cache import patch_vary_headers
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import reporting
from registry.answers.files import body_of, file_name
from registry.answers.pictures import FORMATS, headers_of, in_words, picture_of
from registry.api.described import UNKNOWN_CODE, listing, problems
from registry.api.options import option_parameters
from registry.api.parameters import filter_parameters, refuse_unknown
from registry.api.permissions import MayAskStatistics
from registry.api.renderers import CHARTS, CsvRenderer
from registry.filters import parse_query
from registry.records import Release, Side, ValueKind, Viewer
from registry.vocabulary import Measure


class ColumnSerializer(serializers.Serializer[Any]):
    """One column of an answer; role is dimension, measure, interval or status."""

    name = serializers.CharField()
    type = serializers.CharField()
    role = serializers.CharField()
    unit = serializers.CharField(allow_null=True)
    title = serializers.CharField(allow_blank=True)


class AnswerSerializer(serializers.Serializer[Any]):
    """An answer: what was counted and how, its columns, and flat rows. It is always whole."""

    meta = serializers.DictField()
    columns = ColumnSerializer(many=True)
    rows = serializers.ListField(child=serializers.DictField())
    next = serializers.URLField(allow_null=True)


def example_of(
    measure: str, row: Mapping[str, Any], columns: list[dict[str, Any]], **meta: Any
) -> OpenApiExample:
    """An answer of one row for the schema, with what its meta says besides."""
    return OpenApiExample(
        measure,
        value={
            "meta": {
                "title": "",
                "profile": "exact",
                "warnings": [],
                "receipt": "eyJ...",
                **meta,
            },
            "columns": columns,
            "rows": [row],
            "next": None,
        },
        response_only=True,
        status_codes=["200"],
        media_type="application/json",
    )


def column_of(name: str, type_: str, role: str, unit: str | None = None) -> dict[str, Any]:
    """One column of an example, as a reply describes it."""
    return {"name": name, "type": type_, "role": role, "unit": unit, "title": ""}


PICTURES = {
    (200, FORMATS["svg"].media_type): OpenApiTypes.BINARY,
    (200, FORMATS["png"].media_type): OpenApiTypes.BINARY,
    (200, FORMATS["vega"].media_type): OpenApiTypes.OBJECT,
}
"""The formats of an answer's chart, for the schema."""


def schema_of(measure: Measure, example: OpenApiExample) -> Any:
    """The schema of one measure's address."""
    return extend_schema(
        operation_id=f"statistics_{measure.value}",
        tags=["statistics"],
        summary=f"{measure.label}: {measure.definition}",
        parameters=[*filter_parameters(measure), *option_parameters(measure)],
        responses={
            (200, "application/json"): AnswerSerializer,
            (200, "text/csv"): str,
            **PICTURES,
            304: None,
            **problems(400, 401, 403, 406, 409, 422, 429),
        },
        examples=[example, UNKNOWN_CODE],
    )


STATUS = column_of("status", "string", "status")
LIMITS = [column_of("ci_lower", "number", "interval"), column_of("ci_upper", "number", "interval")]


class Statistic(APIView):
    """One measure, as JSON or CSV, or as its chart."""

    permission_classes = [MayAskStatistics]
    renderer_classes = [JSONRenderer, CsvRenderer, *CHARTS]
    measure: Measure

    def answer(self, request: Request) -> Response:
        """Ask, and answer; 304 only after the caller was found to be allowed the answer."""
        query = parse_query(request.query_params, measure=self.measure)
        if request.accepted_renderer.format in FORMATS:
            query = in_words(query)
        viewer = reporting.viewer_of(request.user)
        release = reporting.answer(query, measure=self.measure, viewer=viewer)
        return released(request, release, viewer=viewer)


def released(request: Request, release: Release, *, viewer: Viewer) -> Response:
    """Render a release: its meta, columns and rows, with an ETag that stands for all of them."""
    etag = _etag(release, request)
    headers = {
        "ETag": etag,
        "Cache-Control": "public, no-cache" if viewer.user_id is None else "private, no-cache",
    }
    format = request.accepted_renderer.format
    if format in FORMATS:
        headers |= headers_of(release, format)
    elif format == CsvRenderer.format:
        name = file_name(release, CsvRenderer.format)
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if _is_known(request, etag):
        response = Response(status=304, headers=headers)
    elif format in FORMATS:
        response = Response(picture_of(release, format), headers=headers)
    else:
        response = Response(body_of(release), headers=headers)
    patch_vary_headers(response, ("Accept", "Authorization", "Cookie"))
    return response


def _etag(release: Release, request: Request) -> str:
    """One tag for each answer and format.

    The receipt names question, snapshot and profile; what else the reply says is added, since a
    change that alters no number still moves the data's date.
    """
    said = [release.meta.get("data_as_of"), release.meta.get("code_version")]
    known = json.dumps([release.receipt, request.accepted_renderer.format, *said])
    return f'"{hashlib.sha256(known.encode()).hexdigest()[:32]}"'


def _is_known(request: Request, etag: str) -> bool:
    asked = request.headers.get("If-None-Match", "")
    tags = [tag.strip().removeprefix("W/") for tag in asked.split(",")]
    return etag in tags or "*" in tags


class Counts(Statistic):
    """How many events, devices or patients."""

    measure = Measure.COUNTS

    @schema_of(
        Measure.COUNTS,
        example_of(
            "Patients by category",
            {"category": "catheter", "n": 33, "status": "ok"},
            [
                column_of("category", "string", "dimension"),
                column_of("n", "integer", "measure"),
                STATUS,
            ],
            counting="patients",
        ),
    )
    def get(self, request: Request) -> Response:
        """Count events, episodes, devices or patients."""
        return self.answer(request)


class Rates(Statistic):
    """Events per unit of device time, procedures or refills."""

    measure = Measure.RATES

    @schema_of(
        Measure.RATES,
        example_of(
            "First migrations per 100 catheter-months",
            {
                "events": 24,
                "exposure": 15230.5,
                "rate": 0.1576,
                "ci_lower": 0.101,
                "ci_upper": 0.2345,
                "status": "ok",
            },
            [
                column_of("events", "integer", "measure"),
                column_of("exposure", "number", "measure", "catheter-months"),
                column_of("rate", "number", "measure"),
                *LIMITS,
                STATUS,
            ],
            per=100,
            denominator="catheter-months",
        ),
    )
    def get(self, request: Request) -> Response:
        """Divide events by the exposure that they come from."""
        return self.answer(request)


class Proportions(Statistic):
    """The share of patients with at least one event."""

    measure = Measure.PROPORTIONS

    @schema_of(
        Measure.PROPORTIONS,
        example_of(
            "Patients with a catheter problem",
            {
                "numerator": 34,
                "denominator": 400,
                "proportion": 0.085,
                "ci_lower": 0.0615,
                "ci_upper": 0.1165,
                "status": "ok",
            },
            [
                column_of("numerator", "integer", "measure"),
                column_of("denominator", "integer", "measure"),
                column_of("proportion", "number", "measure"),
                *LIMITS,
                STATUS,
            ],
            counting="patients",
        ),
    )
    def get(self, request: Request) -> Response:
        """Share of the patients with a device who had at least one event."""
        return self.answer(request)


class Coverage(Statistic):
    """How much of the registry a rate rests on."""

    measure = Measure.COVERAGE

    @schema_of(
        Measure.COVERAGE,
        example_of(
            "Events with device time",
            {"n": 62, "status": "ok"},
            [column_of("n", "integer", "measure"), STATUS],
        ),
    )
    def get(self, request: Request) -> Response:
        """Say how many events have a denominator, by tier, and why the others have none."""
        return self.answer(request)


class DimensionSerializer(serializers.Serializer[Any]):
    """One dimension, and whether the caller may filter and group by it."""

    name = serializers.CharField()
    title = serializers.CharField()
    side = serializers.ChoiceField(choices=[(side.value, side.name) for side in Side])
    kind = serializers.ChoiceField(choices=[(kind.value, kind.name) for kind in ValueKind])
    parent = serializers.CharField(  # type: ignore[assignment]
        allow_null=True, help_text="The coarser dimension whose codes it takes too."
    )
    filter = serializers.BooleanField()
    group_by = serializers.BooleanField()
    only_with_own_site = serializers.BooleanField()
    protected = serializers.DictField(
        allow_null=True,
        help_text="What protected answers offer of it: levels, groups, several_values, with_site, "
        "most_dimensions.",
    )
    values = serializers.ListField(child=serializers.DictField())


class Dimensions(APIView):
    """Which filters and groupings exist, for whom, with their values."""

    permission_classes = [MayAskStatistics]

    @extend_schema(
        operation_id="statistics_dimensions",
        tags=["statistics"],
        responses={
            200: listing("DimensionList", DimensionSerializer),
            **problems(400, 401, 403, 406, 409, 429),
        },
    )
    def get(self, request: Request) -> Response:
        """List the dimensions that the caller may filter and group by, with their values."""
        refuse_unknown(request)
        found = reporting.dimensions(reporting.viewer_of(request.user))
        response = Response({"results": found, "next": None})
        patch_vary_headers(response, ("Accept", "Authorization", "Cookie"))
        return response
