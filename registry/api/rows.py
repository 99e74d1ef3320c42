"""What every address of a site's own rows shares: reach, version, log, and no cache of others."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.cache import patch_vary_headers
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry.api.event_bodies import EventSerializer
from registry.api.idempotency import Reply, answered_once
from registry.api.permissions import WorksWithRows
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


class RowView(APIView):
    """Rows of the caller's own sites, which no shared cache keeps for somebody else."""

    permission_classes = [WorksWithRows]

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        """Mark the reply, a refusal too, as the caller's own."""
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Cache-Control"] = "private, no-cache"
        patch_vary_headers(final, ("Accept", "Authorization", "Cookie"))
        return final


def visible_events(request: Request) -> QuerySet[Event]:
    """The events that the caller may see, with what showing them needs; one query."""
    user: Any = request.user
    seen: QuerySet[Event] = Event.objects.visible_to(user)
    return seen.select_related("site", "implant", "complication", "caused_by")


def event_of(request: Request, public_id: UUID | str) -> Event:
    """One event that the caller may see; another site's is as unknown as none."""
    found = visible_events(request).filter(public_id=public_id).first()
    if found is None:
        raise unknown_event()
    return found


def unknown_event() -> UnknownRow:
    """The refusal of an event that the caller does not see, or that never was."""
    return UnknownRow(Fault("", "not-found", "There is no such event at your sites."))


def etag_of(event: Event) -> str:
    """The tag that stands for this version of the event."""
    return f'"{event.version}"'


def matched_version(request: Request, event: Event) -> int | None:
    """The version that If-Match asks for; None without one. Raises VersionConflict."""
    asked = request.headers.get("If-Match")
    if asked is None or asked.strip() == "*":
        return None
    if etag_of(event) in [tag.strip() for tag in asked.split(",")]:
        return event.version
    said = "Somebody changed the event since it was read: read it again, then repeat the change."
    raise VersionConflict(Fault("If-Match", "version-conflict", said))


def shown(request: Request, event: Event) -> dict[str, Any]:
    """The event as plain JSON values, ready to be kept as a reply."""
    said = EventSerializer(event, context={"request": request}).data
    plain: dict[str, Any] = json.loads(JSONRenderer().render(said))
    return plain


def changed(request: Request, public_id: UUID, change: Callable[[int | None], object]) -> Response:
    """Run a change of one event, and show the event as it is afterwards.

    change: takes the version that has to be the present one, or None. Raises UnknownRow first,
    so that another site's event cannot be told from none by any other refusal.
    """

    def write() -> Reply:
        change(matched_version(request, event_of(request, public_id)))
        event = event_of(request, public_id)
        return Reply(200, shown(request, event), {"ETag": etag_of(event)})

    reply = answered_once(request, write)
    return Response(reply.body, status=reply.status, headers=dict(reply.headers))


def log_look(request: Request, what: str, count: int) -> None:
    """Write into the access log that the caller looked at rows."""
    user: Any = request.user
    AccessLog.objects.create(user=user, action="row-read", what=what, count=count)
