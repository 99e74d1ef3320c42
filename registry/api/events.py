"""Events of one's own sites: list, read, report, submit."""

import json
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from registry import intake
from registry.api.described import UNKNOWN_CODE, listing, problems
from registry.api.event_bodies import EventSerializer, ReportSerializer, read_report
from registry.api.idempotency import Reply, answered_once
from registry.api.pagination import page_of
from registry.api.parameters import PAGING, filter_parameters, refuse_unknown
from registry.api.permissions import WorksWithRows
from registry.filters import filter_events, parse_query
from registry.models import AccessLog, Event
from registry.records import Fault, UnknownRow, VersionConflict

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="A random key: the same key gives the same reply and writes once.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of the version that was read; 412 where somebody changed it since.",
)
EVENT_ID = OpenApiParameter("public_id", OpenApiTypes.UUID, OpenApiParameter.PATH)

REPORT = {
    "site": "CLINIC-A",
    "source_id": "ev-7f3k",
    "complication": "catheter-migration",
    "year": 2024,
    "severity": 3,
    "seriousness": ["hospitalisation", "intervention-to-prevent"],
    "outcome": "recovered",
    "interventions": ["catheter-revision"],
    "submit": True,
}
SHOWN = {
    "id": "6f1c2d3e-4a5b-4c6d-8e7f-0a1b2c3d4e5f",
    "state": "submitted",
    "reason": None,
    "version": 1,
    "seal": 812,
    "site": "CLINIC-A",
    "source_id": "ev-7f3k",
    "implant": None,
    "complication": "catheter-migration",
    "reported_complication": "catheter-migration",
    "category": "catheter",
    "year": 2024,
    "month": None,
    "months_since_implant": None,
    "severity": 3,
    "serious": True,
    "seriousness": ["hospitalisation", "intervention-to-prevent"],
    "interventions": ["catheter-revision"],
    "caused_by": None,
    "caused_by_id": None,
    "component_model": None,
    "outcome": "recovered",
    **dict.fromkeys(
        (
            "root_cause",
            "detection",
            "days_since_procedure",
            "days_since_refill",
            "actuality",
            "mri_24h",
            "alarm",
            "volume_discrepancy",
            "organism",
            "drug",
            "indication",
            "age_band",
            "sex",
            "relatedness_device",
            "relatedness_procedure",
            "relatedness_drug",
            "relatedness_programming",
            "relatedness_disease",
        )
    ),
}


def _visible(request: Request) -> QuerySet[Event]:
    """The events that the caller may see, with what showing them needs; one query."""
    user: Any = request.user
    seen: QuerySet[Event] = Event.objects.visible_to(user)
    return seen.select_related("site", "implant", "complication", "caused_by")


def _event(request: Request, public_id: UUID | str) -> Event:
    """One event that the caller may see; another site's is as unknown as none."""
    found = _visible(request).filter(public_id=public_id).first()
    if found is None:
        raise UnknownRow(Fault("", "not-found", "There is no such event at your sites."))
    return found


def _etag(event: Event) -> str:
    return f'"{event.version}"'


def _matched(request: Request, event: Event) -> int | None:
    """The version that If-Match asks for; None without one. Raises VersionConflict."""
    asked = request.headers.get("If-Match")
    if asked is None or asked.strip() == "*":
        return None
    if _etag(event) in [tag.strip() for tag in asked.split(",")]:
        return event.version
    said = "Somebody changed the event since it was read: read it again, then repeat the change."
    raise VersionConflict(Fault("If-Match", "version-conflict", said))


def _shown(event: Event) -> dict[str, Any]:
    """The event as plain JSON values, ready to be kept as a reply."""
    shown: dict[str, Any] = json.loads(JSONRenderer().render(EventSerializer(event).data))
    return shown


def _log(request: Request, what: str, count: int) -> None:
    user: Any = request.user
    AccessLog.objects.create(user=user, action="row-read", what=what, count=count)


class Events(APIView):
    """The events of one's own sites."""

    permission_classes = [WorksWithRows]

    @extend_schema(
        operation_id="events_list",
        tags=["rows"],
        parameters=[*filter_parameters(), *PAGING],
        responses={
            200: listing("EventList", EventSerializer),
            **problems(400, 401, 403, 406, 429),
        },
        examples=[UNKNOWN_CODE],
    )
    def get(self, request: Request) -> Response:
        """List the events of one's own sites in any state, oldest first; the look is logged."""
        query = parse_query(request.query_params, measure=None, also=("limit", "cursor"))
        found = filter_events(_visible(request), query)
        page = page_of(found, request, key="public_id", order_by="pk", read_key=UUID)
        _log(request, query.canonical(), len(page.rows))
        return Response(page.body(EventSerializer))

    @extend_schema(
        operation_id="events_create",
        tags=["rows"],
        parameters=[IDEMPOTENCY_KEY],
        request=ReportSerializer,
        responses={
            201: EventSerializer,
            **problems(400, 401, 403, 406, 409, 413, 415, 429),
        },
        examples=[
            OpenApiExample("A submitted event", value=REPORT, request_only=True),
            OpenApiExample("Stored", value=SHOWN, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Report one event of one's own site: a draft, or with `"submit": true` for review."""
        refuse_unknown(request)
        user: Any = request.user

        def write() -> Reply:
            raw, submit = read_report(request.data)
            event = intake.record_event(raw, by=user, submit=submit)
            address = reverse("api:event", [event.public_id], request=request)
            headers = {"ETag": _etag(event), "Location": address}
            return Reply(201, _shown(event), headers)

        reply = answered_once(request, write)
        return Response(reply.body, status=reply.status, headers=dict(reply.headers))


class EventDetail(APIView):
    """One event of one's own site."""

    permission_classes = [WorksWithRows]

    @extend_schema(
        operation_id="events_retrieve",
        tags=["rows"],
        parameters=[EVENT_ID],
        responses={200: EventSerializer, **problems(400, 401, 403, 404, 406, 429)},
        examples=[OpenApiExample("An event", value=SHOWN, response_only=True)],
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        """Show one event with its ETag; the look is logged."""
        refuse_unknown(request)
        event = _event(request, public_id)
        _log(request, f"event {event.public_id}", 1)
        return Response(_shown(event), headers={"ETag": _etag(event)})


class SubmitEvent(APIView):
    """Hand a draft in for review."""

    permission_classes = [WorksWithRows]

    @extend_schema(
        operation_id="events_submit",
        tags=["rows"],
        parameters=[EVENT_ID, IF_MATCH],
        request=None,
        responses={
            200: EventSerializer,
            **problems(400, 401, 403, 404, 406, 409, 412, 429),
        },
        examples=[OpenApiExample("Submitted", value=SHOWN, response_only=True)],
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Submit a draft of one's own site; the rules for what is required hold from here on."""
        refuse_unknown(request)
        user: Any = request.user
        version = _matched(request, _event(request, public_id))
        intake.submit_event(public_id, by=user, version=version)
        event = _event(request, public_id)
        return Response(_shown(event), headers={"ETag": _etag(event)})
