"""Ask one address as everybody, and say in one word what each of them got."""

import json
import re
from typing import Any

from django.db import transaction

from registry import reporting
from registry.filters import parse_query
from registry.intake.citations import keep_citation
from registry.records import Viewer
from registry.vocabulary import Measure
from tests.access.addresses import Address
from tests.access.cast import TOKENS_ONLY, TRACE, World, single_rows

MODEL = re.compile(r"admin:(?:registry|otp_totp|otp_static)_([a-z]+)_")
NAMED = {
    "complications/<slug:code>/": "infection-pocket",
    "api/v1/complications/<str:code>/": "infection-pocket",
    "api/v1/codelists/<str:name>/": "severity",
    "api/v1/codelists/<str:name>.csv": "severity",
    "api/v1/snapshots/<str:name>/": "2026Q4",
    "api/v1/snapshots/<str:name>/dictionary.csv": "2026Q4",
    "admin/registry/event/steps/<slug:name>/": "accept",
    "fhir/r5/StructureDefinition/<str:name>": "severity",
    **{
        f"fhir/{version}/{kind}/<str:name>": "outcome"
        for version in ("r4", "r5")
        for kind in ("CodeSystem", "ValueSet")
    },
}
"""What stands for a capture that names no row, by route."""


class NoRowKnown(Exception):
    """The address captures something that the cast has nothing for: give it a row or a name."""


def targets(address: Address, world: World) -> dict[str, dict[str, Any]]:
    """The captures to try: own row and the other site's, or the one there is."""
    if not address.captures:
        return {"": {}}
    if address.route in NAMED:
        return {"": dict.fromkeys(address.captures, NAMED[address.route])}
    if address.name == "product":
        return {"": {"kind": "pump", "code": "synchromed-ii-20"}}
    if address.captures == ("receipt",):
        return {name: {"receipt": receipt} for name, receipt in receipts(world).items()}
    if address.name in {"citation", "citation-file"}:
        return {name: {"code": code, "ending": "csv"} for name, code in citations(world).items()}
    if address.captures == ("site", "kind"):
        sites = {"own": world.own, "other": world.other}
        return {
            name: {"site": of.rows["site"].code, "kind": "events"} for name, of in sites.items()
        }
    if "content_type_id" in address.captures:
        return {"": {"content_type_id": 1, "object_id": 1}}
    if address.captures in {("url",), ("app_label",)}:
        return {"": dict.fromkeys(address.captures, "registry")}
    if address.captures == ("code",) and "/sites/" in f"/{address.route}":
        return {name: {"code": rows.site.code} for name, rows in _both(world).items()}
    model = _model_of(address)
    if model in world.own.rows:
        rows = {"own": world.own.rows[model], "other": world.other.rows[model]}
    else:
        row = single_rows(world).get(model) or _first_of(model)
        rows = {"": row}
    return {name: _captured(address, row) for name, row in rows.items()}


def _both(world: World) -> dict[str, Any]:
    return {"own": world.own, "other": world.other}


def _model_of(address: Address) -> str:
    if "/AdverseEvent/" in address.route:
        return "event"
    found = MODEL.match(address.name) or re.search(r"/([a-z]+?)s?/<[^>]+>/", "/" + address.route)
    if found is None:
        raise NoRowKnown(address.route)
    named = {"totpdevice": "totpdevice", "staticdevice": "totpdevice", "querie": "query"}
    return named.get(found[1], found[1])


def receipts(world: World) -> dict[str, str]:
    """Receipts of exact answers about either site, and of a protected one."""
    made = {}
    for name, asker, params in (
        ("own", world.own.reporter, {"site": world.own.site.code}),
        ("other", world.other.reporter, {"site": world.other.site.code}),
        ("protected", world.own.reporter, {}),
    ):
        made[name] = reporting.answer(
            parse_query(params, measure=Measure.COUNTS),
            measure=Measure.COUNTS,
            viewer=reporting.viewer_of(asker),
        ).receipt
    return made


def citations(world: World) -> dict[str, str]:
    """The short codes of those receipts, and of the protected one cited as public."""
    of = {"sha256": "0" * 64, "code_version": "0", "by": world.own.reporter}
    made = {
        f"exact-{name}" if name != "protected" else name: keep_citation(
            receipt, is_public=False, **of
        ).code
        for name, receipt in receipts(world).items()
    }
    public = reporting.answer(
        parse_query({"category": "catheter"}, measure=Measure.COUNTS),
        measure=Measure.COUNTS,
        viewer=Viewer(),
    ).receipt
    return {**made, "public": keep_citation(public, is_public=True, **of).code}


def _first_of(model: str) -> Any:
    from django.apps import apps

    row = apps.get_model("registry", model).objects.order_by("pk").first()
    if row is None:
        raise NoRowKnown(model)
    return row


def _captured(address: Address, row: Any) -> dict[str, Any]:
    named = getattr(row, "public_id", row.pk)
    numbered = {"pk", "user_id"}
    if address.captures == ("query_id",):
        return {"query_id": row.queries.get().public_id}
    return {
        name: named if name == "object_id" else row.pk if name in numbered else getattr(row, name)
        for name in address.captures
    }


MEMBERS = frozenset({"reporter", "lead"})
"""Callers of one site, who never see a trace of another."""


def body_of(reply: Any) -> str:
    """All that a reply says, in lower case."""
    body: bytes = b"".join(reply) if reply.streaming else reply.content
    return body.decode(errors="replace").lower()


def outcomes(address: Address, method: str, path: str, world: World) -> dict[str, str]:
    """What each caller got; nothing that a request wrote stays."""
    found = {}
    for name, client_of in world.clients.items():
        if name in TOKENS_ONLY and not address.is_api:
            continue
        sid = transaction.savepoint()
        try:
            reply = _reply(client_of(), method, path, address)
            found[name] = outcome(reply, path)
            if name in MEMBERS and TRACE in body_of(reply):
                found[name] += " with another site's trace"
        finally:
            transaction.savepoint_rollback(sid)
    return found


def _reply(client: Any, method: str, path: str, address: Address) -> Any:
    if method in {"GET", "DELETE"}:
        return client.generic(method, path)
    if address.is_api:
        body = json.dumps({})
        return client.generic(
            method, path, body, content_type="application/json", HTTP_IF_MATCH="*"
        )
    return client.generic(method, path, "", content_type="application/x-www-form-urlencoded")


def outcome(reply: Any, path: str) -> str:
    """One word: in, login, forbidden, missing, no-method, onward, or the status of a failure.

    `in` is all that an address says to those whom it serves, complaints about an empty form
    included. `onward` is a redirect that looked at nothing: to the page for any id, or elsewhere.
    """
    status = reply.status_code
    if status >= 500:
        return str(status)
    if status in {301, 302}:
        to = reply.headers["Location"].split("?")[0]
        if to.endswith("/login/"):
            return "login"
        if to in {f"{path}change/", "/password/"}:
            return "onward"
    words = {401: "login", 403: "forbidden", 404: "missing", 405: "no-method"}
    return words.get(status, "in")
