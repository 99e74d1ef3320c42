"""Every refusal of the API as `application/problem+json` (RFC 9457), without echoing a value."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.core.signals import got_request_exception
from django.http import Http404, HttpResponse, JsonResponse
from django.urls import reverse
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.views import APIView, set_rollback

from registry.answers.refusable import sentence
from registry.intake import FaultKind, ImportRefused
from registry.records import (
    BadQuery,
    DuplicateSourceId,
    Fault,
    NotAvailableAtThisDetail,
    Refusal,
)
from registry.records.outages import DatabaseOutage, outage_of
from registry.records.waiting import RETRY_AFTER, WAITED_TOO_LONG, waited_too_long

MEDIA_TYPE = "application/problem+json"
HEADERS = frozenset({"If-Match", "Idempotency-Key"})

TOO_LARGE = RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent
"""What Django raises for a body beyond its limits."""

logger = logging.getLogger(__name__)

SAID_OF = {
    "required": "Give this field.",
    "null": "Give this field a value.",
    "blank": "Give this field a value.",
    "invalid": "This value is not valid for this field.",
    "max_length": "This is too long.",
}
"""The registry's own messages for refused fields: the framework's echo the value."""

WORDED = frozenset({"min_value", "max_value", "invalid_choice"})
"""Faults whose message a serializer words with the range or the codes that it takes."""

TITLE_OF: Mapping[int, tuple[str, str]] = {
    400: ("bad-request", "The request is not understood"),
    401: ("not-authenticated", "Sign in first"),
    403: ("not-permitted", "Not permitted"),
    404: ("not-found", "Not found"),
    405: ("method-not-allowed", "Method not allowed"),
    406: ("not-acceptable", "Not available in this format"),
    413: ("body-too-large", "The body is too large"),
    415: ("unsupported-media-type", "This media type is not supported"),
    429: ("throttled", "Too many requests"),
    500: ("internal-error", "The registry failed"),
    503: ("busy", "The registry is busy"),
}
DETAIL_OF: Mapping[int, str] = {
    401: "Send the header Authorization: Token and your token; make one at /tokens/ when "
    "signed in, or by POST to /api/v1/tokens/ with user name and password.",
    404: "There is nothing here, or nothing that you may see.",
    405: "This address does not take that method; the Allow header names those it takes.",
    403: "This is not open to you.",
    406: "None of the requested formats is available here: use application/json.",
    413: "Send a smaller body.",
    415: "Send the body as application/json; many rows also as text/csv.",
    500: "The failure was logged; nothing was stored.",
    503: WAITED_TOO_LONG,
}


def problem(
    status: int,
    *,
    code: str,
    title: str,
    detail: str,
    errors: list[dict[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> HttpResponse:
    """One problem document, in any requested format."""
    body = {
        "type": f"urn:pump-registry:problem:{code}",
        "title": title,
        "status": int(status),
        "code": code,
        "detail": detail,
        "errors": errors or [],
        **members,
    }
    response = JsonResponse(body, status=int(status), content_type=MEDIA_TYPE)
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def problem_response(exc: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """Turns any exception of a view into a problem document; the REST framework's handler.

    A write that waited too long for others, and a database that does not answer, are 503 with
    Retry-After. An unexpected exception is
    logged and is 500 without its message; under DEBUG Django's own page shows it.
    """
    request = context.get("request")
    if isinstance(exc, Refusal):
        response = refused(exc, request)
    elif isinstance(exc, Http404 | PermissionDenied | TOO_LARGE):
        status = {Http404: 404, PermissionDenied: 403}.get(type(exc), 413)
        response = plain_problem(status, detail=DETAIL_OF[status])
    elif isinstance(exc, exceptions.APIException):
        response = _told_by_framework(exc)
    elif waited_too_long(exc):
        later = {"Retry-After": str(RETRY_AFTER)}
        response = plain_problem(503, detail=DETAIL_OF[503], headers=later)
    elif outage := outage_of(exc):
        response = outage_problem(outage, exc)
    elif settings.DEBUG:
        return None
    else:
        logger.error("An API view failed", exc_info=exc)
        django_request = request._request if isinstance(request, Request) else None
        got_request_exception.send(sender=APIView, request=django_request)
        response = plain_problem(500, detail=DETAIL_OF[500])
    set_rollback()
    return response


def outage_problem(outage: DatabaseOutage, error: BaseException | None) -> HttpResponse:
    """The problem of a database that does not answer, or stores nothing; a line in the log."""
    logger.error("%s: %s", outage.title, str(error).partition("\n")[0])
    return problem(
        503,
        code=outage.code,
        title=outage.title,
        detail=outage.detail,
        headers={"Retry-After": str(RETRY_AFTER)},
    )


def plain_problem(
    status: int, *, detail: str, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """The problem of a status, without faults."""
    code, title = TITLE_OF[status]
    return problem(status, code=code, title=title, detail=detail, headers=headers)


def refused(exc: Refusal, request: Request | None) -> HttpResponse:
    """A refusal as a problem document."""
    reading = request is None or request.method in {"GET", "HEAD", "OPTIONS"}
    reading = reading or isinstance(exc, BadQuery)
    codes = {fault.code for fault in exc.faults}
    code = exc.code
    if isinstance(exc, BadQuery) and len(codes) == 1:
        code = codes.pop()
    members: dict[str, Any] = {}
    if isinstance(exc, DuplicateSourceId):
        members["existing"] = exc.existing
    if isinstance(exc, ImportRefused):
        members["total"] = exc.total
        members["kinds"] = [_kind(kind) for kind in exc.kinds]
    if isinstance(exc, NotAvailableAtThisDetail):
        members["agreement"] = reverse("agreement")
    return problem(
        exc.status,
        code=code,
        title=exc.title,
        detail=" ".join(_sentence(fault) for fault in exc.faults[:3])
        + (f" And {len(exc.faults) - 3} more." if len(exc.faults) > 3 else ""),
        errors=[_entry(fault, reading=reading) for fault in exc.faults],
        headers={"Retry-After": str(RETRY_AFTER)} if exc.status == 503 else None,
        **members,
    )


def _sentence(fault: Fault) -> str:
    text = sentence(fault.detail)
    column = f"/{fault.column}" if "/" in fault.column else fault.column
    line = "" if fault.line is None else f"line {fault.line}"
    place = ", ".join(filter(None, (line, column)))
    return f"{place}: {text}" if place else text


def _entry(fault: Fault, *, reading: bool) -> dict[str, Any]:
    """One fault as a member of `errors`: a parameter or a header, or a pointer into the body."""
    entry: dict[str, Any] = {}
    if fault.column:
        is_parameter = reading or fault.column in HEADERS
        entry = {"parameter": fault.column} if is_parameter else {"pointer": f"/{fault.column}"}
    entry |= {"code": fault.code, "detail": sentence(fault.detail)}
    if fault.line is not None:
        entry["line"] = fault.line
    return entry


def _kind(kind: FaultKind) -> dict[str, Any]:
    """Equal faults of many rows as a member of `kinds`."""
    return {
        "field": kind.column,
        "code": kind.code,
        "detail": sentence(kind.detail),
        "rows": kind.rows,
        "first": list(kind.lines),
    }


def _told_by_framework(exc: exceptions.APIException) -> HttpResponse:
    headers: dict[str, str] = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if isinstance(exc, exceptions.Throttled):
        headers["Retry-After"] = str(int(getattr(exc, "wait", None) or 60))
        return plain_problem(429, detail="Wait for the seconds in Retry-After.", headers=headers)
    if isinstance(exc, exceptions.ValidationError):
        errors = list(_field_errors(exc.get_full_details(), ""))
        title = TITLE_OF[400][1]
        return problem(
            400, code="bad-request", title=title, detail="Correct the fields named.", errors=errors
        )
    status = exc.status_code if exc.status_code in TITLE_OF else 500
    own_words = isinstance(
        exc,
        exceptions.AuthenticationFailed | exceptions.PermissionDenied | exceptions.ParseError,
    )
    detail = str(exc.detail) if own_words else DETAIL_OF.get(status, TITLE_OF[status][1] + ".")
    return plain_problem(status, detail=detail, headers=headers)


def _field_errors(found: Any, pointer: str) -> Iterator[dict[str, Any]]:
    """The errors of a serializer as faults, field by field, in the registry's own words.

    found: as the framework details them: a code and a message at each leaf.
    """
    if isinstance(found, list):
        for inner in found:
            yield from _field_errors(inner, pointer)
    elif isinstance(found.get("message"), str):
        code = str(found["code"])
        own_words = found["message"] if code in WORDED else SAID_OF["invalid"]
        detail = SAID_OF.get(code, own_words)
        yield {"pointer": pointer or "/", "code": code, "detail": detail}
    else:
        for name, inner in found.items():
            yield from _field_errors(inner, f"{pointer}/{name}")
