"""What replies lead to, in the schema: their headers, and the operations of a new row."""

from collections.abc import Iterator
from typing import Any

from registry.api.throttling import LIMIT, REMAINING, RESET

Json = dict[str, Any]

_WHOLE = {"type": "integer", "minimum": 0}
_TEXT = {"type": "string"}
HEADERS: dict[str, tuple[Json, str]] = {
    LIMIT: (_WHOLE, "Requests that the tightest limit allows in its time."),
    REMAINING: (_WHOLE, "Requests that are left of it."),
    RESET: (_WHOLE, "Seconds until the oldest counted request is forgotten."),
    "Retry-After": (_WHOLE, "Seconds to wait before the request is repeated."),
    "ETag": (_TEXT, "The version of the row, or of the answer: for If-Match and If-None-Match."),
    "Location": ({"type": "string", "format": "uri"}, "The address of the new row."),
    "Link": (
        _TEXT,
        'The address of the next page, with rel="next", none on the last; or of the permanent page '
        'of an answer that was cited, with rel="cite-as".',
    ),
    "Content-Disposition": (_TEXT, "The name of a file: of CSV, and of pictures."),
    "Registry-Agreement": (
        _TEXT,
        "With CSV: the agreement under which exact numbers are read, its last day and its rule.",
    ),
    "WWW-Authenticate": (_TEXT, "The credentials that are taken."),
    "Idempotent-Replayed": (_TEXT, "`true` where this is the reply to an earlier request."),
}
"""The form and the meaning of each header."""


def describe_headers(result: Json, generator: Any, request: Any, public: bool) -> Json:
    """Names the headers of every reply; hook of the generator."""
    described = {
        name: {"schema": form, "description": said} for name, (form, said) in HEADERS.items()
    }
    result["components"]["headers"] = described
    for path, methods in result["paths"].items():
        for operation in methods.values():
            for status, reply in operation["responses"].items():
                names = _names(path, operation, status)
                reply["headers"] = {
                    name: {"$ref": f"#/components/headers/{name}"} for name in names
                }
    return result


def _names(path: str, operation: Json, status: str) -> Iterator[str]:
    if not path.endswith("/schema/"):
        yield from (LIMIT, REMAINING, RESET)
    if status in {"429", "503"}:
        yield "Retry-After"
    if status == "401":
        yield "WWW-Authenticate"
    content = operation["responses"][status].get("content", {})
    if status == "200" and any(not kind.endswith("/json") for kind in content):
        yield "Content-Disposition"
    if status == "200" and "/statistics/" in path and "text/csv" in content:
        yield "Registry-Agreement"
    sent = {each["name"] for each in operation.get("parameters", ())}
    is_row = "304" in operation["responses"] or "If-Match" in sent
    if status == "304" or (is_row and status == "200"):
        yield "ETag"
    if status == "201" and "Idempotency-Key" in sent:
        yield from ("Location", "ETag")
    if status in {"200", "201"} and "Idempotency-Key" in sent:
        yield "Idempotent-Replayed"
    if status == "200" and ("fields" in sent or path.endswith("/receipts/{receipt}/")):
        yield "Link"


def link_rows(result: Json, generator: Any, request: Any, public: bool) -> Json:
    """Links the reply of a new row to every operation of that row; hook of the generator."""
    for path, methods in result["paths"].items():
        made = methods.get("post", {}).get("responses", {}).get("201")
        if made is None or "Location" not in made["headers"]:
            continue
        of_row = f"{path}{{public_id}}/"
        made["links"] = {
            operation["operationId"]: {
                "operationId": operation["operationId"],
                "parameters": {"public_id": "$response.body#/id"},
            }
            for address, there in result["paths"].items()
            if address.startswith(of_row)
            for operation in there.values()
        }
    return result
