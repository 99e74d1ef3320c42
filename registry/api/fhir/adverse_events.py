"""Events of one's own sites as AdverseEvent resources: read, search and create."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast
from uuid import UUID

from django.db import transaction
from django.http import QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from registry.api.compression import PlainForms
from registry.api.conditions import etag_of
from registry.api.event_bodies import EVENTS
from registry.api.fhir.creating import (
    FhirParser,
    outcome_of,
    preferred_return,
    read_resource,
    record,
    refuse_conditional,
    terms_of_catalogue,
)
from registry.api.fhir.replies import FhirReplies, base_of, refuse_parameters
from registry.api.fhir.searching import count_of, search
from registry.api.idempotency import WrittenReply, prepared_once
from registry.api.pagination import page_of
from registry.api.parameters import flag_of
from registry.api.parsers import StrictJSONParser
from registry.api.rows import RowView, log_look
from registry.filters.lists import MOST_COUNTED, bounded_count
from registry.interchange.fhir import FhirVersion, Json
from registry.interchange.fhir_export import BesideEvent, adverse_event
from registry.interchange.fhir_import import ReadResource
from registry.models import Event, User
from registry.vocabulary import State

FHIR_EVENTS = replace(EVENTS, beside=(*EVENTS.beside, "patient", "seal", "complication__category"))
"""Events as the API finds and shows them, with the rows that only a resource needs."""


def resources_of(request: Request, events: Sequence[Event], version: FhirVersion) -> list[Json]:
    """The resources of events: what the API's own body says, in FHIR's elements."""
    base = base_of(request)
    shown = FHIR_EVENTS.all_shown(request, events)
    return [
        adverse_event(body, beside_of(event), version=version, base=base)
        for event, body in zip(events, shown, strict=True)
    ]


def beside_of(event: Event) -> BesideEvent:
    """What the resource of an event says beyond its own columns."""
    complication = event.complication
    terms = {"E": complication.imdrf_annex_e, "A": complication.imdrf_annex_a}
    return BesideEvent(
        patient=event.patient.source_id if event.patient else None,
        complication=complication.name,
        category=complication.category.name,
        imdrf={annex: code for annex, code in terms.items() if code},
        changed_at=event.seal.at,
    )


def weak_tag(event: Event) -> str:
    """The ETag of an event's version, weak as FHIR has it."""
    return f"W/{etag_of(event)}"


def address_of(event_id: str, version: FhirVersion, base: str) -> str:
    """The address of one resource."""
    return f"{base}/fhir/{version.value}/AdverseEvent/{event_id}"


class Searched(FhirReplies, RowView):
    """Searches the events of one's own sites."""

    def searched(self, request: Request, params: QueryDict, address: str) -> Response:
        """A searchset of the events that match, oldest first; access is logged.

        address: where a GET gives the same.
        """
        found = search(FHIR_EVENTS.seen(request), params, self.fhir_version)
        count = count_of(params)
        bundle: Json = {"resourceType": "Bundle", "type": "searchset"}
        total = found.count() if not count else bounded_count(found)
        if not count or total <= MOST_COUNTED:  # `_count=0` asks for it; a page needs none
            bundle["total"] = total
        links = [{"relation": "self", "url": address}]
        entries: list[Json] = []
        if count:
            page = page_of(
                found,
                request,
                key="public_id",
                order_by="pk",
                read_key=UUID,
                limit=count,
                params=params,
                address=address,
            )
            if page.next:
                links.append({"relation": "next", "url": page.next})
            entries = self._entries(request, page.rows)
        by = ", ".join(name for name in params if name not in {"cursor", "_count", "_format"})
        log_look(request, "event list as FHIR" + (f" by {by}" if by else ""), len(entries))
        bundle["link"] = links
        if entries:
            bundle["entry"] = entries
        return Response(bundle)

    def _entries(self, request: Request, events: Sequence[Event]) -> list[Json]:
        base = base_of(request)
        return [
            {
                "fullUrl": address_of(resource["id"], self.fhir_version, base),
                "resource": resource,
                "search": {"mode": "match"},
            }
            for resource in resources_of(request, events, self.fhir_version)
        ]


@extend_schema(exclude=True)
class SearchByPost(Searched):
    """The same search by POST, with its parameters in a form, in the address or in both."""

    parser_classes = [PlainForms]
    only_reads = True

    def post(self, request: Request) -> Response:
        """Searches, and stores nothing; a token needs the scope to read rows."""
        params = request.query_params.copy()
        if isinstance(request.data, QueryDict):
            for name, values in request.data.lists():
                params.setlist(name, [*params.getlist(name), *values])
        here = f"{base_of(request)}/fhir/{self.fhir_version.value}/AdverseEvent"
        return self.searched(request, params, f"{here}?{params.urlencode()}" if params else here)


@extend_schema(exclude=True)
class AdverseEvents(Searched):
    """The events of one's own sites."""

    parser_classes = [FhirParser, StrictJSONParser]

    def get(self, request: Request) -> Response:
        """Searches by the parameters of the address."""
        return self.searched(request, request.query_params, request.build_absolute_uri())

    def post(self, request: Request) -> Response:
        """Store one new event of one's own site: a draft, or submitted as its state says."""
        refuse_parameters(request, "dry_run")
        refuse_conditional(request)
        dry_run = flag_of(request, "dry_run")

        def read() -> ReadResource:
            terms = terms_of_catalogue(cast(User, request.user))
            return read_resource(request.data, self.fhir_version, terms)

        def write(read: ReadResource) -> WrittenReply:
            if dry_run:
                with transaction.atomic():
                    record(read, request)
                    transaction.set_rollback(True)
                return WrittenReply(200, outcome_of(read, "It can be stored; nothing was."))
            return self._stored(request, record(read, request), read)

        return prepared_once(request, read, write, dry_run=dry_run)

    def _stored(self, request: Request, event: Event, read: ReadResource) -> WrittenReply:
        address = address_of(str(event.public_id), self.fhir_version, base_of(request))
        headers = {"ETag": weak_tag(event), "Location": address}
        wanted = preferred_return(request)
        body: Json = {}
        if wanted == "OperationOutcome":
            body = outcome_of(read, f"Stored as {State.of(event.state).label.lower()}.")
        elif wanted == "representation":
            stored = FHIR_EVENTS.one(request, event.public_id)
            (body,) = resources_of(request, [stored], self.fhir_version)
        return WrittenReply(201, body, headers)


@extend_schema(exclude=True)
class AdverseEventDetail(FhirReplies, RowView):
    """One event of one's own site."""

    def get(self, request: Request, public_id: UUID) -> Response:
        """The resource with its ETag; access is logged."""
        refuse_parameters(request)
        event = FHIR_EVENTS.one(request, public_id)
        log_look(request, f"event {public_id} as FHIR", 1)
        (resource,) = resources_of(request, [event], self.fhir_version)
        return Response(resource, headers={"ETag": weak_tag(event)})
