"""Every write of the schema has an example that is taken, and a reply that it describes."""

from typing import Any

import pytest
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator

from registry import intake
from registry.models import Implant, Token
from registry.vocabulary import MembershipRole, TokenScope
from tests.api.conftest import PASSWORD, client_of, make_user, stored
from tests.api.test_schema import validator


@pytest.fixture(scope="module")
def schema():
    return SchemaGenerator().get_schema(request=None, public=True)


PUMP = {
    **{"site": "HERE-1", "patient": "pt-w1", "implant": "im-w1", "component": "pump"},
    **{"model": "synchromed-ii-40", "implant_year": 2015, "sex": "female", "drug": "baclofen"},
    **{"indication": "multiple-sclerosis", "months_followed": 24, "exit_status": "active"},
}
TIME = {"site": "HERE-1", "year": 2020, "component": "pump", "devices": 4, "component_months": 40}
EVENT = {
    **{"site": "HERE-1", "source_id": "ev-w1", "complication": "infection-pocket", "year": 2020},
    **{"severity": 2, "seriousness": ["none"], "outcome": "recovered"},
}
PATIENT = {"site": "HERE-1", "source_id": "pt-w2"}
ASKED = {"field": "organism", "ask": "missing"}


def writes(registry: Any, rows: dict[str, str]) -> dict[tuple[str, str], tuple[Any, str, Any]]:
    """For each write of the schema: who may do it, the row it is of, and a body that is taken."""
    lead = make_user("lead")
    intake.add_member(registry.here, user=lead, role=MembershipRole.LEAD, by=None)
    reporter, reviewer, site = registry.reporter, registry.reviewer, registry.here
    ready = {"submit": True, "outcome": "recovered", "seriousness": "none"}
    submitted = str(stored(reporter, **ready).public_id)
    judged = stored(reporter, **ready)
    intake.reject_event(judged.public_id, by=reviewer, reason="not-an-event", version=None)
    token, _key = Token.objects.create(user=reporter, scopes=frozenset(TokenScope))
    of_row = {
        "/patients/": (reporter, PATIENT, {"indication": "stroke"}),
        "/implants/": (reporter, PUMP, {"refills": 3}),
        "/exposures/": (lead, TIME, {"procedures": 2}),
        "/events/": (reporter, EVENT, {"severity": 3}),
    }
    found: dict[tuple[str, str], tuple[Any, str, Any]] = {}
    for noun, (user, body, change) in of_row.items():
        found["post", noun] = user, "", body
        found["patch", f"{noun}{{public_id}}/"] = user, rows[noun.strip("/")], change
        found["post", f"{noun}bulk/"] = user, "", [body]
    for step, (user, event, body) in {
        "submit": (reporter, str(stored(reporter, **ready | {"submit": False}).public_id), None),
        "take-back": (reporter, submitted, None),
        "return": (reviewer, submitted, ASKED),
        "accept": (reviewer, submitted, None),
        "reject": (reviewer, submitted, {"reason": "not-an-event"}),
        "duplicate": (reviewer, submitted, None),
        "withdraw": (lead, submitted, {"reason": "entered-in-error"}),
        "reopen": (reviewer, str(judged.public_id), {"reason": "new-information"}),
    }.items():
        found["post", f"/events/{{public_id}}/{step}/"] = user, event, body
    return found | {
        ("post", "/queries/"): (reviewer, "", {"event": submitted, **ASKED}),
        ("post", "/queries/{public_id}/answer/"): (
            reporter,
            rows["queries"],
            {"answer": "confirmed"},
        ),
        ("post", "/queries/{public_id}/close/"): (reviewer, rows["queries"], None),
        ("post", "/sites/{code}/close-round/"): (lead, site.code, None),
        ("post", "/sites/{code}/implants-from/"): (
            lead,
            site.code,
            {"component": "pump", "year": 2016},
        ),
        ("post", "/sites/{code}/key-pattern/"): (
            lead,
            site.code,
            {"key_prefix": "KSG-", "key_digits": 4},
        ),
        ("post", "/tokens/"): (None, "", {"username": "reporter", "password": PASSWORD}),
        ("delete", "/tokens/{public_id}/"): (reporter, str(token.public_id), None),
    }


def test_every_write_has_an_example_that_is_taken(schema, registry, row_ids):
    tried = writes(registry, row_ids)
    changing = {
        (method, path.removeprefix("/api/v1")): operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if method != "get"
    }

    assert set(tried) == set(changing)
    for (method, path), (user, row, body) in tried.items():
        address = path.replace("{public_id}", row).replace("{code}", row)
        if "close-round" in path:
            Implant.objects.update(exit_status="explant-elective")
        sid = transaction.savepoint()
        reply = getattr(client_of(user), method)(
            f"/api/v1{address}", body, format="json", headers={"If-Match": "*"}
        )
        transaction.savepoint_rollback(sid)
        assert reply.status_code in {200, 201, 204}, (method, path, reply.content)
        described = changing[method, path]
        if body is not None:
            sent = described["requestBody"]["content"]["application/json"]["schema"]
            name = sent.get("items", sent)["$ref"].rpartition("/")[2]
            for each in body if isinstance(body, list) else [body]:
                assert validator(schema, name).is_valid(each), (method, path)
        if reply.content:
            replied = described["responses"][str(reply.status_code)]["content"]
            name = replied["application/json"]["schema"]["$ref"].rpartition("/")[2]
            assert validator(schema, name).is_valid(reply.json()), (method, path)
