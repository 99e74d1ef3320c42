"""Events of one's own sites: list, read, report, change."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from registry import intake
from registry.api.described import READING, UNKNOWN_CODE, WRITING, problems
from registry.api.event_bodies import (
    EVENTS,
    REPORT,
    SHOWN,
    ChangeSerializer,
    EventSerializer,
    ReportSerializer,
    read_report,
)
from registry.api.filtering import row_parameters
from registry.api.lists import fields_parameter, listed
from registry.api.parameters import PAGING, filter_parameters, refuse_unknown
from registry.api.rows import (
    IDEMPOTENCY_KEY,
    IF_MATCH_NEEDED,
    PUBLIC_ID,
    RowList,
    RowView,
    makes_keys,
)
from registry.filters import EventListFilterSet
from registry.filters.event_lists import OF_ROWS
from registry.models import Event


class Events(RowList):
    """The events of one's own sites."""

    filterset_class = EventListFilterSet

    @extend_schema(
        operation_id="events_list",
        tags=["rows"],
        parameters=[
            *filter_parameters(),
            *row_parameters(EventListFilterSet, OF_ROWS),
            fields_parameter(EventSerializer),
            *PAGING,
        ],
        responses={
            **listed("EventList", EventSerializer),
            **problems(*READING),
        },
        examples=[UNKNOWN_CODE],
    )
    def get(self, request: Request) -> Response:
        """List the events of one's own sites in any state, oldest first; access is logged."""
        found = self.filtered(request, EVENTS.seen(request))
        return EVENTS.page(request, found.qs, what=found.in_words())

    @extend_schema(
        operation_id="events_create",
        tags=["rows"],
        parameters=[IDEMPOTENCY_KEY],
        request=ReportSerializer,
        responses={
            201: EventSerializer,
            **problems(*WRITING),
        },
        examples=[
            OpenApiExample("A submitted event", value=REPORT, request_only=True),
            OpenApiExample("Stored", value=SHOWN, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Report one event of one's own site: a draft, or with `"submit": true` for review.

        Without a `source_id` and with an `Idempotency-Key` the registry makes a random one.
        """
        refuse_unknown(request)
        user: Any = request.user

        def record() -> Event:
            raw, submit = read_report(request.data)
            return intake.record_event(raw, by=user, submit=submit, make_keys=makes_keys(request))

        return EVENTS.recorded(request, record)


class EventDetail(RowView):
    """One event of one's own site."""

    shows_a_row_on_file = True

    @extend_schema(
        operation_id="events_retrieve",
        tags=["rows"],
        parameters=[PUBLIC_ID],
        responses={200: EventSerializer, 304: None, **problems(*READING, 404)},
        examples=[OpenApiExample("An event", value=SHOWN, response_only=True)],
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        """Show one event with its ETag; access is logged."""
        refuse_unknown(request)
        return EVENTS.read(request, public_id)

    @extend_schema(
        operation_id="events_partial_update",
        tags=["rows"],
        parameters=[PUBLIC_ID, IF_MATCH_NEEDED, IDEMPOTENCY_KEY],
        request=ChangeSerializer,
        responses={
            200: EventSerializer,
            **problems(*WRITING, 404, 412, 428),
        },
        examples=[
            OpenApiExample("A grade", value={"severity": 3}, request_only=True),
            OpenApiExample("Changed", value={**SHOWN, "version": 2}, response_only=True),
        ],
    )
    def patch(self, request: Request, public_id: UUID) -> Response:
        """Change the fields that are sent: of a draft any, of a submitted event its complication.

        A draft is changed by its site; the complication of a submitted event by a reviewer.
        """
        refuse_unknown(request)
        by: Any = request.user

        def change(version: int | None) -> None:
            raw, _submit = read_report(request.data, takes_submit=False)
            intake.change_event(public_id, raw, by=by, version=version)

        return EVENTS.changed(request, public_id, change, needs_version=True)
