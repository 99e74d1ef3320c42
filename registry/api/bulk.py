"""Many events in one request, as JSON or CSV, stored all or nothing."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, Any, cast

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from registry import intake
from registry.api.described import problems
from registry.api.event_bodies import EVENT_FIELDS, REPORT
from registry.api.idempotency import WrittenReply, answered_once
from registry.api.parameters import refuse_unknown
from registry.api.parsers import StrictJSONParser, bounded
from registry.api.rows import IDEMPOTENCY_KEY, RowView
from registry.models import User
from registry.records import (
    BadQuery,
    Fault,
    IdentifierFound,
    RawReport,
    Refusal,
    RowKind,
    RowRuleBroken,
)

LARGEST_BULK = 8 << 20
"""The most bytes of a body: some ten thousand events, a few seconds; use `import_csv` for more."""

FLAGS = {"true": True, "false": False}

BULK_REPORT = [{name: value for name, value in REPORT.items() if name != "submit"}]
CSV_HEADER = "site,source_id,implant,complication,year,months_since_implant,severity,..."


class BulkJSONParser(StrictJSONParser):
    """JSON, with a limit for a list of events."""

    largest = LARGEST_BULK


class CsvParser(BaseParser):
    """A CSV file as bytes: intake reads its encoding and its columns."""

    media_type = "text/csv"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The bytes of the file. Raises TooLarge."""
        return bounded(stream, LARGEST_BULK)


class BulkRowSerializer(serializers.Serializer[Any]):
    """An event in a bulk request; it is submitted at once, so it must be complete."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The columns of a file; the site's own key distinguishes repeated events from new ones."""
        fields = EVENT_FIELDS.described()
        fields["source_id"] = serializers.CharField(max_length=40)
        return fields


class BulkSummarySerializer(serializers.Serializer[Any]):
    """The result of a bulk request, or with `dry_run` what it would be."""

    dry_run = serializers.BooleanField()
    new = serializers.IntegerField(help_text="Stored, and submitted for review.")
    unchanged = serializers.IntegerField(help_text="Stored already, and the same.")


class BulkEvents(RowView):
    """Many events of one's own sites at once."""

    parser_classes = [BulkJSONParser, CsvParser]

    @extend_schema(
        operation_id="events_bulk",
        tags=["rows"],
        parameters=[
            OpenApiParameter(
                "dry_run", bool, description="Checks everything and stores nothing.", default=False
            ),
            IDEMPOTENCY_KEY,
        ],
        request={
            "application/json": BulkRowSerializer(many=True),
            "text/csv": {"type": "string", "format": "binary"},
        },
        responses={
            200: BulkSummarySerializer,
            **problems(400, 401, 403, 406, 409, 413, 415, 429, 503),
        },
        examples=[
            OpenApiExample(
                "A list of one event",
                value=BULK_REPORT,
                request_only=True,
                media_type="application/json",
            ),
            OpenApiExample("A file", value=CSV_HEADER, request_only=True, media_type="text/csv"),
            OpenApiExample(
                "Stored",
                value={"dry_run": False, "new": 1, "unchanged": 0},
                response_only=True,
                status_codes=["200"],
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Store a list of events, or a CSV file of them: all or nothing, under one seal.

        They are submitted at once. Every fault names its row and its field: a pointer such as
        `/3/severity` into the list (the first row is 0), or the line of the file (1 is the
        header). `errors` lists the first 200 faults, `total` counts all. Sending the same events
        again stores none twice. A dry run does not use up its Idempotency-Key: the real run may
        have the same.
        """
        refuse_unknown(request, ("dry_run",))
        dry_run = _flag(request, "dry_run")
        body, by = request.data, cast(User, request.user)

        judged: list[intake.JudgedRecords] = []

        def judge() -> None:
            with _pointing_into(body):
                source: Any = io.BytesIO(body) if isinstance(body, bytes) else _reports(body)
                judged.append(intake.judge_records({RowKind.EVENT: source}, by=by))

        def write() -> WrittenReply:
            with _pointing_into(body):
                summary = judged[0].summary if dry_run else intake.store_judged(judged[0])
            done = summary.counts[RowKind.EVENT]
            result = {"dry_run": dry_run, "new": done.new, "unchanged": done.unchanged}
            return WrittenReply(200, result)

        reply = answered_once(request, write, prepare=judge, dry_run=dry_run)
        return Response(reply.body, status=reply.status, headers=dict(reply.headers))


def _flag(request: Request, name: str) -> bool:
    """A parameter that is true or false in any case; raises BadQuery for anything else."""
    value = request.query_params.get(name, "false").lower()
    if value not in FLAGS:
        raise BadQuery(Fault(name, "bad-value", "Say true or false."))
    return FLAGS[value]


def _reports(body: Any) -> list[RawReport]:
    """The rows of a list as reports, numbered from 1; raises ImportRefused with every fault."""
    if not isinstance(body, list):
        raise RowRuleBroken(Fault("", "not-a-list", "send a JSON list of events, or a CSV file"))
    reports: list[RawReport] = []
    faults: list[Fault] = []
    for number, row in enumerate(body, 1):
        try:
            reports.append(RawReport(RowKind.EVENT, EVENT_FIELDS.texts(row), number))
        except (IdentifierFound, RowRuleBroken) as refusal:
            faults += [replace(fault, line=number) for fault in refusal.faults]
    if faults:
        raise intake.ImportRefused(faults[: intake.FAULTS_KEPT], total=len(faults))
    return reports


@contextmanager
def _pointing_into(body: Any) -> Iterator[None]:
    """Makes faults of a list point into it; faults of a file name its lines."""
    try:
        yield
    except intake.ImportRefused as refusal:
        raise refusal if isinstance(body, bytes) else _pointing(refusal) from refusal


def _pointing(refusal: intake.ImportRefused) -> Refusal:
    """The same refusal with pointers into the list in place of line numbers."""
    faults = [
        replace(
            fault,
            column=f"{fault.line - 1}/{fault.column}".rstrip("/") if fault.line else fault.column,
            line=None,
        )
        for fault in refusal.faults
    ]
    return intake.ImportRefused(faults, total=refusal.total)
