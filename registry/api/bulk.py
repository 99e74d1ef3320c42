"""Many rows of one kind in one request, as JSON or CSV, stored all or nothing."""

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import IO, Any, ClassVar, cast

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from registry import intake
from registry.api.bodies import FORMS, Fields
from registry.api.compression import bounded
from registry.api.described import WRITING, problems
from registry.api.device_bodies import (
    EXPOSURE,
    EXPOSURE_FIELDS,
    IMPLANT,
    IMPLANT_FIELDS,
    PATIENT,
    PATIENT_FIELDS,
)
from registry.api.event_bodies import EVENT_FIELDS, REPORT
from registry.api.idempotency import WrittenReply, prepared_once
from registry.api.parameters import choice_of, flag_of, refuse_unknown
from registry.api.parsers import StrictJSONParser
from registry.api.rows import IDEMPOTENCY_KEY, RowView
from registry.interchange.patient_rows import read_patients
from registry.models import User
from registry.records import Fault, RawReport, RowKind, RowRuleBroken
from registry.records.declared import Holds

LARGEST_BULK = 8 << 20
"""The most bytes of a body: some ten thousand events, a few seconds; use `import_csv` for more."""


class BulkJSONParser(StrictJSONParser):
    """JSON, with a limit for a list of rows."""

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
        return bounded(stream, LARGEST_BULK, parser_context)


class BulkSummarySerializer(serializers.Serializer[Any]):
    """The result of a bulk request, or with `dry_run` what it would be."""

    dry_run = serializers.BooleanField()
    new = serializers.IntegerField(help_text="Rows that were not stored before.")
    updated = serializers.IntegerField(help_text="Stored rows that were changed.")
    unchanged = serializers.IntegerField(help_text="Stored already, and the same.")
    skipped = serializers.IntegerField(help_text="Stored with other values, and left so.")
    alike = serializers.IntegerField(help_text="New events that may repeat another report.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The counts, and one entry for each row."""
        return super().get_fields() | {
            "rows": ToldRowSerializer(many=True, help_text="Every row, in the order sent.")
        }


class ToldRowSerializer(serializers.Serializer[Any]):
    """What became of one row."""

    done = serializers.ChoiceField(choices=[(done.name.lower(), done.name) for done in intake.Done])
    site = serializers.CharField()
    source_id = serializers.CharField(
        allow_null=True, help_text="The site's own key; declared device time has none."
    )
    id = serializers.UUIDField(allow_null=True, help_text="Null where a dry run stored no row.")
    version = serializers.IntegerField(allow_null=True)
    state = serializers.CharField(allow_null=True, help_text="Of an event.")
    possible_duplicates = serializers.ListField(
        child=serializers.UUIDField(),
        help_text="Ids of other events of the site that may be the same; a reviewer decides.",
    )


class BulkRows(RowView):
    """Many rows of one kind of one's own sites at once."""

    kind: ClassVar[RowKind]
    fields: ClassVar[Fields]
    parser_classes = [BulkJSONParser, CsvParser]
    flags: ClassVar[tuple[str, ...]] = ("dry_run", "on_conflict")

    def post(self, request: Request) -> Response:
        """Store a list or a file of rows: all or nothing, under one seal."""
        refuse_unknown(request, self.flags)
        dry_run = flag_of(request, "dry_run")
        submit = flag_of(request, "submit", default="true")
        on_conflict = choice_of(request, "on_conflict", intake.OnConflict)
        body, by = request.data, cast(User, request.user)

        def judge() -> Any:
            return self.judged(body, by=by, submit=submit, on_conflict=on_conflict)

        def write(judged: Any) -> WrittenReply:
            try:
                done, rows = self.stored(judged, dry_run=dry_run)
            except intake.ImportRefused as refusal:
                raise _located(refusal.every, of_list=not isinstance(body, bytes)) from refusal
            result = {
                "dry_run": dry_run,
                "new": done.new,
                "updated": done.updated,
                "unchanged": done.unchanged,
                "skipped": done.skipped,
                "alike": done.alike,
                "rows": [_told(row) for row in rows],
            }
            return WrittenReply(200, result)

        return prepared_once(request, judge, write, dry_run=dry_run)

    def stored(
        self, judged: Any, *, dry_run: bool
    ) -> tuple[intake.ImportCounts, Iterable[intake.ToldRow]]:
        """Stores judged rows, or with dry_run says what would be; how many, and each row."""
        summary = intake.store_judged(judged, dry_run=dry_run)
        return summary.counts[self.kind], intake.told_rows(judged, summary, self.kind)

    def judged(self, body: Any, *, by: User, submit: bool, on_conflict: intake.OnConflict) -> Any:
        """The rows without a fault; raises ImportRefused with every fault of every row."""
        faults: list[Fault] = []
        source: Any = io.BytesIO(body) if isinstance(body, bytes) else self.reports(body, faults)
        try:
            found = intake.judge_records(
                {self.kind: source}, by=by, submit=submit, on_conflict=on_conflict
            )
        except intake.ImportRefused as refusal:
            faults += refusal.every
            raise _located(faults, of_list=not isinstance(body, bytes)) from refusal
        if faults:
            raise _located(faults, of_list=True)
        return found

    def reports(self, body: Any, faults: list[Fault]) -> list[RawReport]:
        """The rows of a list as reports, numbered from 1; adds the faults of their shape.

        A row with such a fault is judged by its other fields. Raises RowRuleBroken for no list.
        """
        return [
            RawReport(self.kind, texts, number, unread=unread)
            for number, texts, unread in self.rows_of(body, faults)
        ]

    def rows_of(
        self, body: Any, faults: list[Fault]
    ) -> Iterator[tuple[int, dict[str, str], frozenset[str]]]:
        """The place of each row of a list, its texts, and its fields that could not be read."""
        if not isinstance(body, list):
            said = f"send a JSON list of {self.fields.what}, or a CSV file"
            raise RowRuleBroken(Fault("", "not-a-list", said))
        for number, row in enumerate(body, 1):
            try:
                texts, mistyped = self.fields.readable(row)
            except RowRuleBroken as refusal:
                faults += [replace(fault, line=number) for fault in refusal.faults]
                continue
            stray = [name for name in row if name not in self.fields.columns]
            unread = {fault.column for fault in mistyped} | set(stray)
            found = [*(self.fields.unknown(row) if stray else ()), *mistyped]
            faults += [replace(fault, line=number) for fault in found]
            known = {name: text for name, text in texts.items() if name not in unread}
            yield number, known, frozenset(unread)


def _told(row: intake.ToldRow) -> dict[str, Any]:
    return {
        "done": row.done.name.lower(),
        "site": row.site,
        "source_id": row.key,
        "id": row.public_id,
        "version": row.version,
        "state": row.state,
        "possible_duplicates": list(row.alike),
    }


def _located(faults: Iterable[Fault], *, of_list: bool) -> intake.ImportRefused:
    """The refusal of all these faults: pointers into a list, or lines of a file."""
    tally = intake.FaultTally()
    for fault in faults:
        tally.add(replace(fault, file=None))
    kinds = tally.kinds()
    singly = list(islice(tally, intake.FAULTS_KEPT))
    if of_list:
        kinds = tuple(replace(kind, lines=tuple(line - 1 for line in kind.lines)) for kind in kinds)
        singly = [_pointing(fault) for fault in singly]
    return intake.ImportRefused(singly, total=len(tally), kinds=kinds)


def _pointing(fault: Fault) -> Fault:
    """The same fault with a pointer into the list in place of a line number."""
    if fault.line is None:
        return fault
    return replace(fault, column=f"{fault.line - 1}/{fault.column}".rstrip("/"), line=None)


_DRY_RUN = OpenApiParameter(
    "dry_run", bool, description="Checks everything and stores nothing.", default=False
)
_ON_CONFLICT = OpenApiParameter(
    "on_conflict",
    {"type": "string", "enum": [each.value for each in intake.OnConflict], "default": "refuse"},
    description="What becomes of a row that differs from the stored one: a fault, left as it is "
    "(`skip`), or changed in the fields that are sent, by the rules and the rights of a change of "
    "that row (`update`).",
)
_SUBMIT = OpenApiParameter(
    "submit",
    bool,
    description="`false` stores drafts, which may be incomplete and are submitted one by one.",
    default=True,
)
_ALL_OR_NOTHING = (
    "All or nothing, under one seal. Every fault names its row and its field: a pointer such as "
    "`/3/severity` into the list (the first row is 0), or the line of the file (1 is the header). "
    "`errors` lists the first 200 faults, `kinds` all of them by kind, `total` counts them. "
    "Sending the same rows again stores none twice; `rows` gives the id of every row, also of "
    "those that were stored before. A dry run does not use up its Idempotency-Key: the real run "
    "may have the same."
)


def _described_bulk(
    *,
    says: str,
    example: Mapping[str, Any],
    options: Any = (),
    state: str | None = None,
) -> Any:
    """Describes a bulk address for the schema. says: what it does. state: of a row of its reply."""

    def described(view: type[BulkRows]) -> Any:
        fields = view.fields
        told = {
            "done": "new",
            "site": example["site"],
            "source_id": example.get("source_id") or example.get("implant"),
            "id": "6f1c2d3e-4a5b-4c6d-8e7f-0a1b2c3d4e5f",
            "version": 1,
            "state": state,
            "possible_duplicates": [],
        }
        counts = {
            "dry_run": False,
            "new": 1,
            "updated": 0,
            "unchanged": 0,
            "skipped": 0,
            "alike": 0,
        }
        header = ",".join([*list(fields.columns)[:6], "..."])
        post = extend_schema(
            operation_id=f"{fields.what}_bulk",
            tags=["rows"],
            description=f"{says} {_ALL_OR_NOTHING}",
            parameters=[_DRY_RUN, *options, IDEMPOTENCY_KEY],
            request={
                "application/json": _row_of(fields)(many=True),
                "text/csv": {"type": "string", "format": "binary"},
            },
            responses={200: BulkSummarySerializer, **problems(*WRITING)},
            examples=[
                OpenApiExample(
                    "A list of one row",
                    value=dict(example),  # the generator makes it a list
                    request_only=True,
                    media_type="application/json",
                ),
                OpenApiExample("A file", value=header, request_only=True, media_type="text/csv"),
                OpenApiExample(
                    "Stored",
                    value={**counts, "rows": [told]},
                    response_only=True,
                    status_codes=["200"],
                ),
            ],
        )
        return extend_schema_view(post=post)(view)

    return described


def _row_of(fields: Fields) -> Any:
    """The serializer of one row: its own keys are needed, since the registry makes none here."""
    needed = {
        name: serializers.RegexField(f"^{FORMS[Holds.KEY]}$", help_text=column.in_words)
        for name, column in fields.columns.items()
        if column.holds is Holds.KEY and (column.required or name == "source_id")
    }
    members = {**fields.described(), **needed, "__doc__": f"One of many {fields.what}."}
    name = fields.what.title().rstrip("s")
    return type(f"Bulk{name}RowSerializer", (serializers.Serializer,), members)


@_described_bulk(
    says="Report a list of events, or a CSV file of them; they are submitted at once.",
    example={name: value for name, value in REPORT.items() if name != "submit"},
    options=[_ON_CONFLICT, _SUBMIT],
    state="submitted",
)
class BulkEvents(BulkRows):
    """Many events of one's own sites at once."""

    kind, fields = RowKind.EVENT, EVENT_FIELDS
    flags = (*BulkRows.flags, "submit")


@_described_bulk(
    says="Store a list of implants, or a CSV file of them, with their new patients. An implant "
    "on file with a later follow-up, exit, refills or procedures is updated.",
    example=IMPLANT,
    options=[_ON_CONFLICT],
)
class BulkImplants(BulkRows):
    """Many implants of one's own sites at once."""

    kind, fields = RowKind.IMPLANT, IMPLANT_FIELDS


@_described_bulk(
    says="Declare the device time of several years or models, as a list or a CSV file; leads of "
    "the site and data managers do.",
    example=EXPOSURE,
    options=[_ON_CONFLICT],
)
class BulkExposures(BulkRows):
    """Declared device time of one's own sites, many rows at once."""

    kind, fields = RowKind.EXPOSURE, EXPOSURE_FIELDS


@_described_bulk(
    says="Store a list of patients, or a CSV file of them. Implants bring their new patients with "
    "them; this is for patients without one, or ahead of it.",
    example=PATIENT,
    options=[_ON_CONFLICT],
)
class BulkPatients(BulkRows):
    """Many patients of one's own sites at once."""

    fields = PATIENT_FIELDS

    def judged(self, body: Any, *, by: User, submit: bool, on_conflict: intake.OnConflict) -> Any:
        """The patients without a fault; raises ImportRefused with every fault of every row."""
        faults: list[Fault] = []
        rows: Iterable[intake.SentPatient]
        if isinstance(body, bytes):
            rows = read_patients(io.BytesIO(body), on_fault=faults.append)
        else:
            rows = [(number, texts) for number, texts, _ in self.rows_of(body, faults)]
        try:
            return intake.judge_patients(rows, by=by, earlier=faults, on_conflict=on_conflict)
        except intake.ImportRefused as refusal:
            raise _located(refusal.every, of_list=not isinstance(body, bytes)) from refusal

    def stored(
        self, judged: Any, *, dry_run: bool
    ) -> tuple[intake.ImportCounts, Iterable[intake.ToldRow]]:
        """Stores judged patients, or with dry_run says what would be."""
        done = judged if dry_run else intake.store_patients(judged)
        return done.counts, intake.told_patients(done)
