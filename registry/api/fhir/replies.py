"""FHIR's replies: JSON under its own media type, and every refusal as an OperationOutcome."""

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import get_script_prefix
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from registry.api.negotiation import QualityNegotiation
from registry.api.problems import problem_response
from registry.api.refusals import FormatNotAvailable
from registry.filters.lists import stray_parameters
from registry.interchange.fhir import OURS, FhirVersion, Json, expression_of
from registry.records import BadQuery, Fault

MEDIA_TYPE = "application/fhir+json"
NAMES_OF_JSON = frozenset({"json", "application/json", MEDIA_TYPE, MEDIA_TYPE.replace("+", " ")})
"""Values of `_format`; a plus sign that was not encoded arrives as a space."""

ISSUE_OF_STATUS: Mapping[int, str] = {
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    412: "conflict",
    413: "too-long",
    415: "not-supported",
    422: "business-rule",
    429: "throttled",
    500: "exception",
    503: "transient",
}
ISSUE_OF_CODE: Mapping[str, str] = {
    "bad-range": "value",
    "bad-type": "structure",
    "bad-value": "value",
    "contradictory": "invariant",
    "contradicts-extension": "invariant",
    "not-understood": "extension",
    "row-rule-broken": "business-rule",
    "several-codes": "code-invalid",
    "too-early": "value",
    "in-the-future": "value",
    "unknown-element": "structure",
    "duplicate-source-id": "duplicate",
    "identifier-found": "security",
    "out-of-range": "value",
    "required": "required",
    "unknown-code": "code-invalid",
    "unknown-parameter": "not-supported",
}
"""HL7's issue types, by the problem's code where it has one, else by the status."""


class FhirRenderer(JSONRenderer):
    """JSON as FHIR names it."""

    media_type = MEDIA_TYPE


class PlainRenderer(JSONRenderer):
    """The same, for clients that ask for plain JSON."""


class FhirNegotiation(QualityNegotiation):
    """The format by `_format`, then by Accept; only JSON is to be had."""

    def filter_renderers(
        self, renderers: Iterable[BaseRenderer], format: str | None
    ) -> list[BaseRenderer]:
        """All of them: `format` is no parameter of FHIR."""
        return list(renderers)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> Any:
        """The renderer and its media type. Raises FormatNotAvailable."""
        formats = set(request.query_params.getlist("_format"))
        if not formats:
            return super().select_renderer(request, renderers, format_suffix)
        if not formats <= NAMES_OF_JSON:
            said = "Only JSON is available: ask for json."
            raise FormatNotAvailable(Fault("_format", "format-not-available", said))
        first, *_others = renderers
        return first, first.media_type


class FhirReplies(APIView):
    """A view whose replies are FHIR resources. fhir_version: the version that it answers in."""

    fhir_version: ClassVar[FhirVersion] = FhirVersion.R4
    renderer_classes = [FhirRenderer, PlainRenderer]
    content_negotiation_class = FhirNegotiation

    def get_exception_handler(self) -> Any:
        """Refusals are OperationOutcomes."""
        return outcome_response


def base_of(request: Request) -> str:
    """The deployment's address, without a final slash."""
    return request.build_absolute_uri(get_script_prefix()).rstrip("/")


def refuse_parameters(request: Request, *known: str) -> None:
    """Refuses every parameter but the known and `_format`. Raises BadQuery."""
    if faults := stray_parameters(request.query_params, (*known, "_format")):
        raise BadQuery(faults)


def outcome_response(exc: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """Any exception of a view as an OperationOutcome, with the problem's status and headers."""
    response = problem_response(exc, context)
    if response is None:
        return None
    version = getattr(context.get("view"), "fhir_version", FhirVersion.R4)
    request = context.get("request")
    base = base_of(request) if request is not None else ""
    resource = outcome_of_problem(response, version, base)
    made = HttpResponse(json.dumps(resource), status=response.status_code, content_type=MEDIA_TYPE)
    for name, value in response.headers.items():
        if name not in {"Content-Type", "Content-Length"}:
            made[name] = value
    return made


def outcome_of_problem(response: HttpResponse, version: FhirVersion, base: str) -> Json:
    """A problem document as an OperationOutcome, an issue for every fault."""
    body = json.loads(response.content)
    if response.status_code == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        body["detail"] = f"Send the body as {MEDIA_TYPE}."
    return outcome([_issue(each, body, version, base) for each in body["errors"] or [{}]])


def outcome(issues: list[Json]) -> Json:
    """An OperationOutcome of these issues."""
    return {"resourceType": "OperationOutcome", "issue": issues}


def _issue(
    error: Mapping[str, Any], problem: Mapping[str, Any], version: FhirVersion, base: str
) -> Json:
    """One fault of a problem document as an issue: what, how to correct it, and where."""
    code = error.get("code", problem["code"])
    kind = ISSUE_OF_CODE.get(code, ISSUE_OF_STATUS.get(problem["status"], "invalid"))
    coding = {"system": f"{OURS}:problem", "code": code}
    issue: Json = {
        "severity": "error",
        "code": kind,
        "details": {"coding": [coding], "text": problem["title"]},
        "diagnostics": error.get("detail") or problem["detail"],
    }
    if "parameter" in error:
        issue["location"] = [f"http.{error['parameter']}"]
    elif "pointer" in error:
        issue["expression"] = [path_of(error["pointer"].strip("/"), version, base)]
    return issue


def path_of(place: str, version: FhirVersion, base: str) -> str:
    """The FHIR path of a fault's place: a path already, or the column of an event."""
    if place.startswith(("AdverseEvent", "Bundle")):
        return place
    return expression_of(place, version, base)
