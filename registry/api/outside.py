"""Around the views of the API: addresses as they are read, and what fails before or after.

That is told as a problem or, of FHIR, an OperationOutcome.
"""

import json
import sys
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from registry.api.fhir.replies import MEDIA_TYPE, outcome_of_problem
from registry.api.problems import outage_problem, plain_problem
from registry.interchange.fhir import FhirVersion
from registry.records.outages import outage_of
from registry.records.waiting import RETRY_AFTER, waited_too_long

BUSY_AROUND = (
    "The registry is busy with another write. What you sent may be stored: "
    "send it again with the same Idempotency-Key, or look."
)
ROOMS = ("/api/", "/fhir/", "/health/")
"""Addresses whose refusals are for programs."""


def is_for_programs(request: HttpRequest) -> bool:
    """Whether an address is the API's, FHIR's or the balancer's."""
    return request.path_info.startswith(ROOMS)


class AddressesInUtf8:
    """Reads what programs ask for as UTF-8, whatever charset the body is said to have.

    Django reads the query in the charset of Content-Type: with utf-16 no parameter is known.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The reply of the view."""
        if is_for_programs(request):
            request.encoding = "utf-8"
        return self.get_response(request)


def bad_request(request: HttpRequest) -> HttpResponse:
    """What a request that reaches no view is told, such as one for a wrong host."""
    told = plain_problem(400, detail="Correct the request's address, host or headers.")
    return _as_its_room_says(request, told)


def server_error(request: HttpRequest) -> HttpResponse:
    """What is told of a failure around a view: 503 for a wait or an outage, else 500."""
    error = sys.exc_info()[1]
    if outage := outage_of(error):
        told = outage_problem(outage, error)
    elif waited_too_long(error):
        later = {"Retry-After": str(RETRY_AFTER)}
        told = plain_problem(503, detail=BUSY_AROUND, headers=later)
    else:
        told = plain_problem(500, detail="The failure was logged.")
    return _as_its_room_says(request, told)


def _as_its_room_says(request: HttpRequest, told: HttpResponse) -> HttpResponse:
    if not request.path_info.startswith("/fhir/"):
        return told
    r5 = request.path_info.startswith("/fhir/r5/")
    version = FhirVersion.R5 if r5 else FhirVersion.R4
    told.content = json.dumps(outcome_of_problem(told, version, base="")).encode()
    told["Content-Type"] = MEDIA_TYPE
    return told
