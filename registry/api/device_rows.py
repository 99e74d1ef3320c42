"""Base views of patients, implants and declared device time."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from drf_spectacular.utils import extend_schema_view as schema_of
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from registry.api.bodies import Fields
from registry.api.described import READING, WRITING, problems
from registry.api.filtering import row_parameters
from registry.api.lists import fields_parameter, listed
from registry.api.parameters import PAGING, refuse_unknown
from registry.api.rows import (
    IDEMPOTENCY_KEY,
    IF_MATCH_NEEDED,
    PUBLIC_ID,
    RowList,
    RowView,
    SiteRows,
    makes_keys,
)
from registry.filters import RowFilterSet
from registry.models import User
from registry.records import RawReport, RowKind


class DeviceRows(RowList):
    """Lists rows and stores new ones. fields: of the body; kind: how rows are found and shown."""

    kind: ClassVar[SiteRows[Any]]
    fields: ClassVar[Fields]
    record: ClassVar[Callable[..., Any]]

    def rows(self, request: Request) -> QuerySet[Any]:
        """The rows of the list, before filters."""
        return self.kind.seen(request)

    def key_options(self, request: Request) -> dict[str, bool]:
        """Whether intake makes the keys that a new row lacks, as an argument of `record`."""
        return {"make_keys": makes_keys(request)}

    def get(self, request: Request) -> Response:
        """One page of the rows of one's own sites."""
        found = self.filtered(request, self.rows(request))
        rows, by = found.qs, found.in_words()
        what = f"{self.kind.noun} list" + (f" by {by}" if by else "")
        return self.kind.page(request, rows, what=what)

    def post(self, request: Request) -> Response:
        """Store one row of one's own site."""
        refuse_unknown(request)
        record = type(self).record
        return self.kind.recorded(
            request,
            lambda: record(
                self.fields.texts(request.data), by=request.user, **self.key_options(request)
            ),
        )


class DeviceRow(RowView):
    """One row, read or changed."""

    shows_a_row_on_file = True
    kind: ClassVar[SiteRows[Any]]
    fields: ClassVar[Fields]
    change: ClassVar[Callable[..., Any]]

    def get(self, request: Request, public_id: UUID) -> Response:
        """One row with its ETag."""
        refuse_unknown(request)
        return self.kind.read(request, public_id)

    def patch(self, request: Request, public_id: UUID) -> Response:
        """Change the fields that are sent."""
        refuse_unknown(request)
        change = type(self).change

        def run(version: int | None) -> None:
            texts = self.fields.texts(request.data)
            change(public_id, texts, by=request.user, version=version)

        return self.kind.changed(request, public_id, run, needs_version=True)


def recording(kind: RowKind, verb: Callable[..., Any]) -> Any:
    """Intake's verb for a new row, called with a body's texts as a report of that kind."""

    def record(texts: Mapping[str, str], *, by: User, **options: bool) -> Any:
        return verb(RawReport(kind, texts), by=by, **options)

    return staticmethod(record)


def changing(kind: RowKind, verb: Callable[..., Any]) -> Any:
    """Intake's verb for a change, called with a body's texts as a report of that kind."""

    def change(public_id: UUID, texts: Mapping[str, str], *, by: User, version: int | None) -> Any:
        return verb(public_id, RawReport(kind, texts), by=by, version=version)

    return staticmethod(change)


def sent(name: str, fields: Fields, *, changing: bool = False) -> Any:
    """The serializer that describes a body, under its name in the schema."""
    described = fields.described(changing=changing)
    return type(name, (serializers.Serializer,), {**described, "__doc__": _SENT[changing]})


_SENT = {
    False: 'A new row; a field that is left out, null or empty is "not recorded".',
    True: "A change: only the fields that are sent; null empties one.",
}


def described_list(
    plural: str,
    kind: SiteRows[Any],
    fields: Fields,
    *,
    filterset: type[RowFilterSet],
    example: Mapping[str, Any],
    shown: Mapping[str, Any],
    says: str,
) -> Any:
    """Describes the address of a list for the schema. says: the description of storing a row."""
    name = plural.title().rstrip("s")
    return schema_of(
        get=extend_schema(
            operation_id=f"{plural}_list",
            tags=["rows"],
            description=f"List the {plural} of one's own sites, oldest first; access is logged.",
            parameters=[*row_parameters(filterset), fields_parameter(kind.serializer), *PAGING],
            responses={
                **listed(f"{name}List", kind.serializer),
                **problems(*READING),
            },
        ),
        post=extend_schema(
            operation_id=f"{plural}_create",
            tags=["rows"],
            description=says,
            parameters=[IDEMPOTENCY_KEY],
            request=sent(f"{name}Report", fields),
            responses={201: kind.serializer, **problems(*WRITING)},
            examples=[
                OpenApiExample("As sent", value=dict(example), request_only=True),
                OpenApiExample(
                    "Stored", value=dict(shown), response_only=True, status_codes=["201"]
                ),
            ],
        ),
    )


def described_row(
    plural: str,
    kind: SiteRows[Any],
    fields: Fields,
    *,
    change: Mapping[str, Any],
    shown: Mapping[str, Any],
    says: str,
) -> Any:
    """Describes the address of one row for the schema. says: the description of a change."""
    name = plural.title().rstrip("s")
    return schema_of(
        get=extend_schema(
            operation_id=f"{plural}_retrieve",
            tags=["rows"],
            description="Show one row with its ETag; access is logged.",
            parameters=[PUBLIC_ID],
            responses={200: kind.serializer, 304: None, **problems(*READING, 404)},
            examples=[OpenApiExample("As shown", value=dict(shown), response_only=True)],
        ),
        patch=extend_schema(
            operation_id=f"{plural}_partial_update",
            tags=["rows"],
            description=says,
            parameters=[PUBLIC_ID, IF_MATCH_NEEDED, IDEMPOTENCY_KEY],
            request=sent(f"{name}Change", fields, changing=True),
            responses={200: kind.serializer, **problems(*WRITING, 404, 412, 428)},
            examples=[
                OpenApiExample("A change", value=dict(change), request_only=True),
                OpenApiExample(
                    "Changed", value={**shown, **change, "version": 2}, response_only=True
                ),
            ],
        ),
    )
