"""Every version of one event: when, by whom, the action, and the fields that changed."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from registry.api.described import READING, listing, problems
from registry.api.event_bodies import EVENTS
from registry.api.parameters import refuse_unknown
from registry.api.permissions import ReadsHistory
from registry.api.rows import PUBLIC_ID, RowView, log_look
from registry.models import Complication, Event, Implant, Seal
from registry.vocabulary import Right

UNTOLD = frozenset({"id", "version", "seal"})
"""Fields of versions that are no changes."""


class VersionSerializer(serializers.Serializer[Any]):
    """One version of an event; `changes` has each changed field, before and after."""

    version = serializers.IntegerField()
    at = serializers.DateTimeField()
    by = serializers.CharField(allow_null=True, help_text="Null: the registry itself.")
    action = serializers.CharField(help_text="The action, such as submit-event or import.")
    seal = serializers.IntegerField(
        allow_null=True, help_text="Null for site staff, since it shows how much others enter."
    )
    changes = serializers.DictField(
        child=serializers.ListField(min_length=2, max_length=2),
        help_text="Field -> value before and after; null is not recorded.",
    )


class EventHistory(RowView):
    """The versions of one event."""

    permission_classes = [ReadsHistory]

    @extend_schema(
        operation_id="events_history",
        tags=["rows"],
        parameters=[PUBLIC_ID],
        responses={
            200: listing("VersionList", VersionSerializer),
            **problems(*READING, 404),
        },
        examples=[
            OpenApiExample(
                "Submitted",
                value={
                    "results": [
                        {
                            "version": 2,
                            "at": "2026-03-02T09:30:00Z",
                            "by": "reporter",
                            "action": "submit-event",
                            "seal": None,
                            "changes": {"state": ["draft", "submitted"]},
                        }
                    ],
                    "next": None,
                },
                response_only=True,
                status_codes=["200"],
            )
        ],
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        """List the versions of one event, oldest first; auditors read those of every site."""
        refuse_unknown(request)
        user: Any = request.user
        seen = Event.objects.all() if user.may(Right.READ_AUDIT) else EVENTS.seen(request)
        event = seen.filter(public_id=public_id).first()
        if event is None:
            raise EVENTS.unknown()
        log_look(request, f"history of event {event.public_id}", 1)
        return Response({"results": list(_versions(request, event)), "next": None})


def _versions(request: Request, event: Event) -> Iterator[dict[str, Any]]:
    """The versions of an event, oldest first. Six queries for any number of versions."""
    user: Any = request.user
    sees_seals = user.may(Right.SEE_ALL_ROWS) or user.may(Right.READ_AUDIT)
    records: list[Any] = list(event.history.select_related("history_user").order_by("history_id"))
    actions = dict(
        Seal.objects.filter(number__in={record.seal_number for record in records}).values_list(
            "number", "action"
        )
    )
    before: dict[str, Any] = {}
    for record, instance in zip(records, _instances(event, records), strict=True):
        after = EVENTS.shown(request, instance)
        yield {
            "version": record.version,
            "at": record.history_date,
            "by": record.history_user.get_username() if record.history_user else None,
            "action": actions[record.seal_number],
            "seal": record.seal_number if sees_seals else None,
            "changes": {
                name: [before.get(name), value]
                for name, value in after.items()
                if name not in UNTOLD and before.get(name) != value
            },
        }
        before = after


def _instances(event: Event, records: Iterable[Any]) -> list[Event]:
    """The event's values in each version, with the rows that it names."""
    instances: list[Event] = [record.instance for record in records]
    implants = Implant.objects.in_bulk({one.implant_id for one in instances} - {None})
    causes = Event.objects.in_bulk({one.caused_by_id for one in instances} - {None})
    complications = Complication.objects.in_bulk({one.complication_id for one in instances})
    for one in instances:
        one.site = event.site
        one.implant = implants.get(one.implant_id) if one.implant_id else None
        one.caused_by = causes.get(one.caused_by_id) if one.caused_by_id else None
        one.complication = complications[one.complication_id]
    return instances
