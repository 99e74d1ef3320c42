"""Several new events in one Bundle: a transaction stores all or none, a batch each by itself."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from http import HTTPStatus
from typing import Any, cast

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from registry import intake
from registry.api.bulk import BulkJSONParser
from registry.api.fhir.adverse_events import address_of, weak_tag
from registry.api.fhir.creating import (
    read_resource,
    record,
    terms_of_catalogue,
    warnings_of,
)
from registry.api.fhir.replies import (
    MEDIA_TYPE,
    FhirReplies,
    base_of,
    outcome,
    outcome_of_problem,
    path_of,
    refuse_parameters,
)
from registry.api.idempotency import WrittenReply, prepared_once
from registry.api.parameters import flag_of
from registry.api.problems import refused
from registry.api.rows import RowView
from registry.interchange.fhir import FhirVersion, Json
from registry.interchange.fhir_import import ReadResource
from registry.models import Event, User
from registry.records import Fault, Refusal, RowRuleBroken

MOST_ENTRIES = 500
"""More are for files: `import_csv`, or `POST /api/v1/events/bulk/`."""


class FhirBulkParser(BulkJSONParser):
    """JSON as FHIR names it, with a limit for many events."""

    media_type = MEDIA_TYPE


@extend_schema(exclude=True)
class Bundles(FhirReplies, RowView):
    """The base of one version, which takes Bundles of new events."""

    parser_classes = [FhirBulkParser, BulkJSONParser]

    def post(self, request: Request) -> Response:
        """Store the events of a Bundle; with `dry_run=true` judge them and store nothing."""
        refuse_parameters(request, "dry_run")
        dry_run = flag_of(request, "dry_run")
        kind, resources = _opened(request.data)
        storing = _Storing(request, self.fhir_version, dry_run=dry_run)

        def read() -> list[ReadResource | Refusal]:
            return storing.read(resources)

        def write(read: list[ReadResource | Refusal]) -> WrittenReply:
            store = storing.all_or_none if kind == "transaction" else storing.each
            entries = store(read)
            return WrittenReply(
                200, {"resourceType": "Bundle", "type": f"{kind}-response", "entry": entries}
            )

        return prepared_once(request, read, write, dry_run=dry_run)


class _Storing:
    """Stores the entries of one Bundle, and says what became of each."""

    def __init__(self, request: Request, version: FhirVersion, *, dry_run: bool) -> None:
        self.request = request
        self.dry_run = dry_run
        self.version = version
        self.base = base_of(request)

    def read(self, resources: list[Any]) -> list[ReadResource | Refusal]:
        """Each resource as read, or the refusal of it."""
        terms = terms_of_catalogue(cast(User, self.request.user))
        read: list[ReadResource | Refusal] = []
        for resource in resources:
            try:
                read.append(read_resource(resource, self.version, terms))
            except Refusal as refusal:
                read.append(refusal)
        return read

    def all_or_none(self, read: list[ReadResource | Refusal]) -> list[Json]:
        """Raises ImportRefused with the faults of every entry; nothing is stored then."""
        faults: list[Fault] = []
        readable: dict[int, ReadResource] = {}
        for number, each in enumerate(read):
            if isinstance(each, Refusal):
                faults += self._placed(each, number)
            else:
                readable[number] = each
        ordered, circling = _causes_first(readable)
        for number in circling:
            fault = Fault("caused_by", "circle", "these events cause each other in a circle")
            faults += self._placed(RowRuleBroken(fault), number)
        stored: dict[int, Json] = {}
        with transaction.atomic():
            for number in ordered:
                try:
                    stored[number] = self._stored(readable[number], number)
                except Refusal as refusal:
                    faults += self._placed(refusal, number)
            if faults:
                raise intake.ImportRefused(faults[: intake.FAULTS_KEPT], total=len(faults))
            transaction.set_rollback(self.dry_run)
        return [stored[number] for number in sorted(stored)]

    def each(self, read: list[ReadResource | Refusal]) -> list[Json]:
        """Every entry by itself: a refused one has its OperationOutcome, others are stored.

        A dry run undoes all of them at its end, so that an entry meets those before it.
        """
        entries = []
        with transaction.atomic() if self.dry_run else nullcontext():
            for number, each in enumerate(read):
                try:
                    if isinstance(each, Refusal):
                        raise each
                    with transaction.atomic():
                        entries.append(self._stored(each, number))
                except Refusal as refusal:
                    refusal.faults = tuple(self._placed(refusal, number))
                    entries.append(self._refused(refusal))
            if self.dry_run:
                transaction.set_rollback(True)
        return entries

    def _stored(self, read: ReadResource, number: int) -> Json:
        event: Event = record(read, self.request)
        warned = warnings_of(read, _place(number))
        response: Json = {"status": _status(HTTPStatus.OK)}
        if not self.dry_run:
            address = address_of(str(event.public_id), self.version, self.base)
            response = {
                "status": _status(HTTPStatus.CREATED),
                "location": address,
                "etag": weak_tag(event),
            }
        return {"response": response | ({"outcome": outcome(warned)} if warned else {})}

    def _refused(self, refusal: Refusal) -> Json:
        problem = refused(refusal, self.request)
        body = outcome_of_problem(problem, self.version, self.base)
        return {"response": {"status": _status(refusal.status), "outcome": body}}

    def _placed(self, refusal: Refusal, number: int) -> list[Fault]:
        """The faults with their places in the Bundle."""
        placed = []
        for fault in refusal.faults:
            path = path_of(fault.column, self.version, self.base)
            path = path.replace("AdverseEvent", _place(number), 1)
            placed.append(replace(fault, column=path))
        return placed


def _place(number: int) -> str:
    return f"Bundle.entry[{number}].resource"


def _status(status: HTTPStatus) -> str:
    return f"{status.value} {status.phrase}"


def _opened(body: Any) -> tuple[str, list[Any]]:
    """The type and the resources of a Bundle. Raises RowRuleBroken with every fault of it."""
    kind = body.get("type") if isinstance(body, dict) else None
    if not isinstance(body, dict) or body.get("resourceType") != "Bundle":
        said = "send a Bundle: a JSON object with this resourceType"
        raise RowRuleBroken(Fault("Bundle", "not-a-bundle", said))
    if kind not in ("transaction", "batch"):  # which may be anything, and not hashable
        raise RowRuleBroken(Fault("Bundle.type", "unknown-code", "send transaction or batch"))
    entries = body.get("entry", [])
    if not isinstance(entries, list) or len(entries) > MOST_ENTRIES:
        said = f"send a list of at most {MOST_ENTRIES} entries"
        raise RowRuleBroken(Fault("Bundle.entry", "bad-type", said))
    faults = []
    for number, entry in enumerate(entries):
        request = entry.get("request") if isinstance(entry, dict) else None
        path = f"Bundle.entry[{number}].request"
        if not isinstance(request, dict):
            faults.append(Fault(path, "required", "say POST and AdverseEvent as method and url"))
        elif (request.get("method"), request.get("url")) != ("POST", "AdverseEvent"):
            said = "only new events can be sent: POST to AdverseEvent"
            faults.append(Fault(path, "not-supported", said))
        elif "ifNoneExist" in request:
            said = "leave it out: an event of a known source id is refused"
            faults.append(Fault(f"{path}.ifNoneExist", "not-supported", said))
    if faults:
        raise RowRuleBroken(faults)
    return kind, [entry.get("resource") for entry in entries]


def _causes_first(read: Mapping[int, ReadResource]) -> tuple[list[int], list[int]]:
    """The numbers of the entries, each behind the entry that it names as its cause.

    And those of entries that are, through others, their own cause.
    """
    texts = {number: each.report.values for number, each in read.items()}
    numbers = {values.get("source_id"): number for number, values in texts.items()}
    ordered: dict[int, None] = {}
    circling = []
    for number in texts:
        chain = [number]
        while (cause := texts[chain[-1]].get("caused_by")) is not None:
            found = numbers.get(cause)
            if found == number:
                circling.append(number)
            if found is None or found in chain:
                break
            chain.append(found)
        ordered |= dict.fromkeys(reversed(chain))
    return [number for number in ordered if number not in circling], circling
