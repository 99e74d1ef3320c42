"""Schemathesis asks what the schema promises, and finds no reply that the schema does not know.

A few examples an operation here; `make fuzz` asks a hundred.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from registry.models import Token, User
from registry.vocabulary import TokenScope
from tests.api.conftest import stored
from tests.factories import ExposureFactory, ImplantFactory

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = int(os.environ.get("REGISTRY_FUZZ_EXAMPLES", "6"))
FEW = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def _connection_kept() -> Iterator[None]:
    """Keep the test's connection open between requests, as Django's own test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def schema(_connection_kept, registry, settings, tmp_path) -> Any:
    """The schema of a registry with two events and a row of every other kind."""
    settings.REGISTRY_VAR = tmp_path
    stored(registry.reporter)
    stored(registry.reporter, submit=True)
    ImplantFactory(patient__site=registry.here, adjuncts=frozenset({"clonidine"}))
    ExposureFactory(site=registry.here)
    return schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", get_wsgi_application())


def operations_of(schema: Any, user: User | None) -> list[tuple[Any, dict[str, str]]]:
    """The operations of a part of the schema, asked with a full token, or by anybody."""
    if user is None:
        return [(result.ok(), {}) for result in schema.get_all_operations()]
    _token, key = Token.objects.create(
        user=user, scopes=frozenset(map(TokenScope, TokenScope.codes()))
    )
    headers = {"Authorization": f"Token {key}"}
    return [(result.ok(), headers) for result in schema.get_all_operations()]


@pytest.fixture
def operations(schema, registry) -> list[tuple[Any, dict[str, str]]]:
    """Every address that is read, asked by a reviewer."""
    return operations_of(schema.include(method="GET"), registry.reviewer)


def ask(operation: Any, headers: dict[str, str]) -> int:
    """Ask one address a few questions made from the schema; gives back how many."""
    cases = []

    @FEW
    @given(case=operation.as_strategy())
    def one(case: Any) -> None:
        cases.append(case)
        case.call_and_validate(headers=headers, checks=CHECKS)

    one()
    return len(cases)


def test_every_reply_is_one_that_the_schema_describes(operations):
    counts = [ask(operation, headers) for operation, headers in operations]

    assert len(counts) >= 17
    assert min(counts) >= 1


@pytest.mark.parametrize("name", ["reporter", "researcher", "anonymous"])
def test_replies_to_others_are_described_too(name, schema, registry):
    caller = getattr(registry, name, None)

    counts = [ask(*each) for each in operations_of(schema.include(method="GET"), caller)]

    assert len(counts) >= 17
    assert min(counts) >= 1


@pytest.mark.parametrize("name", ["reporter", "researcher", "anonymous"])
def test_writes_of_others_are_taken_or_refused_as_described(name, schema, registry):
    caller = getattr(registry, name, None)
    written = schema.exclude(method="GET").exclude(path_regex="^/api/v1/tokens/")

    counts = [ask(*each) for each in operations_of(written, caller)]

    assert len(counts) >= 20
    assert min(counts) >= 1


@pytest.mark.parametrize(
    ("path", "writes"), [("patients", 3), ("implants", 3), ("exposures", 3), ("events/bulk", 1)]
)
def test_every_body_is_taken_or_refused_as_described(path, writes, schema, registry):
    written = schema.include(path_regex=f"^/api/v1/{path}/").exclude(method="GET")

    counts = [ask(*each) for each in operations_of(written, registry.manager)]

    assert len(counts) == writes
    assert min(counts) >= 1


def test_plain_questions_are_answered_as_described(operations):
    answered = 0

    for operation, headers in operations:
        if "{" not in operation.path:
            response = operation.Case(headers=headers).call_and_validate(checks=CHECKS)
            assert response.status_code == 200, operation.path
            answered += 1

    assert answered >= 12
