"""Renders statistics from the reporting room; reads no rows itself."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from django.utils.cache import patch_vary_headers
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import reporting
from registry.answers.files import body_of, file_name
from registry.answers.pictures import FORMATS, headers_of, in_words, picture_of
from registry.api.answer_bodies import answer_of
from registry.api.conditions import names_tag
from registry.api.described import READING, UNKNOWN_CODE, listing, problems
from registry.api.options import option_parameters
from registry.api.parameters import filter_parameters, refuse_unknown
from registry.api.permissions import MayAskStatistics, viewer_in
from registry.api.renderers import CHARTS, CsvRenderer
from registry.filters import parse_query
from registry.records import Release, Side, ValueKind, Viewer
from registry.reporting import MeasureSpec
from registry.vocabulary import Measure

AGREEMENT_HEADER = "Registry-Agreement"
"""Carries the rule of a data-use agreement beside CSV, which has no place for it."""


PICTURES = {
    (200, FORMATS["svg"].media_type): OpenApiTypes.BINARY,
    (200, FORMATS["png"].media_type): OpenApiTypes.BINARY,
    (200, FORMATS["vega"].media_type): OpenApiTypes.OBJECT,
}
"""The formats of an answer's chart, for the schema."""


class AnswerView(APIView):
    """An answer, as JSON or CSV, or as its chart."""

    permission_classes = [MayAskStatistics]
    renderer_classes = [JSONRenderer, CsvRenderer, *CHARTS]


class Statistic(AnswerView):
    """One measure."""

    measure: Measure

    def get(self, request: Request) -> Response:
        """Answers the question in the address; checks permission before answering 304."""
        query = parse_query(request.query_params, measure=self.measure)
        if request.accepted_renderer.format in FORMATS:
            query = in_words(query)
        viewer = viewer_in(request)
        release = reporting.answer(query, measure=self.measure, viewer=viewer)
        return released(request, release, viewer=viewer)


def released(request: Request, release: Release, *, viewer: Viewer) -> Response:
    """Renders a release: its meta, columns and rows, with an ETag over all of them."""
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
        if agreement := release.meta.get("agreement"):
            headers[AGREEMENT_HEADER] = str(agreement)
    if names_tag(request.headers.get("If-None-Match", ""), etag):
        response = Response(status=304, headers=headers)
    elif format in FORMATS:
        response = Response(picture_of(release, format), headers=headers)
    else:
        response = Response(body_of(release), headers=headers)
    patch_vary_headers(response, ("Accept", "Authorization", "Cookie"))
    return response


def _etag(release: Release, request: Request) -> str:
    """The ETag of an answer in one format.

    Covers the receipt, which names question, snapshot and profile, and the rest of the reply,
    since a change that alters no number still changes the date of the data.
    """
    versions = [release.meta.get(name) for name in ("data_as_of", "code_version", "agreement")]
    known = json.dumps([release.receipt, request.accepted_renderer.format, *versions])
    return f'"{hashlib.sha256(known.encode()).hexdigest()[:32]}"'


def statistic_of(spec: MeasureSpec) -> type[Statistic]:
    """The view of one measure, documented from its spec."""
    described = extend_schema(
        operation_id=f"statistics_{spec.measure.value}",
        tags=["statistics"],
        summary=f"{spec.measure.label}: {spec.measure.definition}",
        description=spec.about,
        parameters=[*filter_parameters(spec.measure), *option_parameters(spec.measure)],
        responses={
            (200, "application/json"): answer_of(spec),
            (200, "text/csv"): str,
            **PICTURES,
            304: None,
            **problems(*READING, 409, 422, 503),
        },
        examples=[example_of(spec), UNKNOWN_CODE],
    )
    members = {"measure": spec.measure, "__doc__": spec.measure.definition}
    view: type[Statistic] = type(spec.measure.label, (Statistic,), members)
    return extend_schema_view(get=described)(view)


def example_of(spec: MeasureSpec) -> OpenApiExample:
    """An example answer of one row, with the measure's columns."""
    return OpenApiExample(
        spec.example.title,
        value={
            "meta": {
                "title": "",
                "profile": "exact",
                "warnings": [],
                "receipt": "eyJ...",
                **spec.example.meta,
            },
            "columns": [asdict(column) for column in reporting.example_columns(spec)],
            "rows": [spec.example.row],
            "next": None,
        },
        response_only=True,
        status_codes=["200"],
        media_type="application/json",
    )


STATISTICS = {measure: statistic_of(spec) for measure, spec in reporting.MEASURES.items()}
"""A view for each measure, at the address of its code."""


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
        help_text="How protected answers take it: levels, groups, several_values, "
        "of_the_event, combined_with, most_beside.",
    )
    values = serializers.ListField(child=serializers.DictField())


class Dimensions(APIView):
    """The filters and groupings that the caller may use, with their values."""

    permission_classes = [MayAskStatistics]

    @extend_schema(
        operation_id="statistics_dimensions",
        tags=["statistics"],
        responses={
            200: listing("DimensionList", DimensionSerializer),
            **problems(*READING, 409, 503),
        },
    )
    def get(self, request: Request) -> Response:
        """List the dimensions that the caller may filter and group by, with their values."""
        refuse_unknown(request)
        found = reporting.dimensions(viewer_in(request))
        response = Response({"results": found, "next": None})
        patch_vary_headers(response, ("Accept", "Authorization", "Cookie"))
        return response
