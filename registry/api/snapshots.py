"""Snapshots and releases: the data of answers, which can be cited."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import reporting
from registry.answers.files import name_of
from registry.api.described import READING, listing, problems
from registry.api.parameters import refuse_unknown
from registry.api.permissions import MayAskStatistics, viewer_in
from registry.api.renderers import CsvFile, csv_file
from registry.records import Fault, UnknownRow
from registry.vocabulary import SnapshotKind


class SnapshotSerializer(serializers.Serializer[Any]):
    """One snapshot; a release has a label and never changes.

    The numbers of rows are shown to callers who may see all of them.
    """

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=SnapshotKind.choices())
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    schema_version = serializers.CharField()
    catalogue_version = serializers.CharField()
    data_as_of = serializers.DateTimeField(allow_null=True)
    events = serializers.IntegerField(required=False)
    implants = serializers.IntegerField(required=False)
    exposures = serializers.IntegerField(required=False)


class Snapshots(APIView):
    """The snapshots that the caller may ask."""

    permission_classes = [MayAskStatistics]

    @extend_schema(
        operation_id="snapshots_list",
        tags=["statistics"],
        responses={
            200: listing("SnapshotList", SnapshotSerializer),
            **problems(*READING),
        },
    )
    def get(self, request: Request) -> Response:
        """List the snapshots that the caller may ask, newest first."""
        refuse_unknown(request)
        found = reporting.snapshots(viewer_in(request))
        return Response({"results": found, "next": None})


class SnapshotDetail(APIView):
    """One snapshot, by its id or a release's label."""

    permission_classes = [MayAskStatistics]

    @extend_schema(
        operation_id="snapshots_retrieve",
        tags=["statistics"],
        parameters=[OpenApiParameter("name", OpenApiTypes.STR, OpenApiParameter.PATH)],
        responses={200: SnapshotSerializer, **problems(*READING, 404)},
    )
    def get(self, request: Request, name: str) -> Response:
        """Show one snapshot that the caller may ask."""
        refuse_unknown(request)
        return Response(_named(name, request))


class SnapshotDictionary(CsvFile):
    """The data dictionary of a snapshot."""

    permission_classes = [MayAskStatistics]

    @extend_schema(
        operation_id="snapshots_dictionary",
        tags=["statistics"],
        parameters=[OpenApiParameter("name", OpenApiTypes.STR, OpenApiParameter.PATH)],
        responses={
            (200, "text/csv"): str,
            **problems(*READING, 404),
        },
    )
    def get(self, request: Request, name: str) -> Response:
        """List the columns of a snapshot, table by table, with their types and meanings."""
        refuse_unknown(request)
        found = _named(name, request)
        saved_as = name_of("dictionary", str(found["label"] or name[:12]), extension="csv")
        return csv_file(saved_as, ("table", "column", "type", "meaning"), reporting.dictionary())


def _named(name: str, request: Request) -> dict[str, object]:
    """The snapshot of that id or label, among those that the caller may ask."""
    for found in reporting.snapshots(viewer_in(request)):
        if name and name in (found["id"], found["label"]):
            return found
    raise UnknownRow(Fault("", "not-found", "There is no such snapshot or release."))
