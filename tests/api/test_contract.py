"""Schemathesis holds every operation to the schema, as reporter, researcher and anonymous caller.

No failure of the server, no reply that the schema does not know, nothing taken that it forbids,
and nothing that it allows refused but by the rules of RULES, which no schema can say. All phases:
examples, coverage, fuzzing, and the stateful one, which asks with what earlier replies told. A few
examples an operation here; `make fuzz` asks a hundred, and every case of the coverage phase.
"""

import os
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation.drivers import CoverageGenerator
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.generation.modes import GenerationMode
from schemathesis.generation.overrides import Override
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from registry.models import Token, User
from registry.vocabulary import TokenScope

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    ignored_auth,
    unsupported_method,
    allow_header_conformance,
]
EXAMPLES = int(os.environ.get("REGISTRY_FUZZ_EXAMPLES", "3"))
COVERED = None if "REGISTRY_FUZZ_EXAMPLES" in os.environ else 5
"""How many cases of the coverage phase are tried for an operation: all by `make fuzz`."""

FEW = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)

RULES = {
    *(("statistics", code) for code in ("bad-query", "bad-range", "unknown-code")),
    *(("statistics", code) for code in ("death-competes", "unknown-column")),
    *(("statistics", code) for code in ("immortal-time", "not-of-a-curve")),
    *(("statistics", code) for code in ("unknown-dimension", "unknown-release")),
    *(("lists", code) for code in ("bad-query", "bad-range", "unknown-code")),
    *(("lists", code) for code in ("bad-cursor", "bad-value")),
    *(("rows", code) for code in ("row-rule-broken", "identifier-found", "version-conflict")),
    *(("bulk", code) for code in ("import-refused", "row-rule-broken", "refused")),
}
"""What refuses a request that the schema allows: rules that it cannot say, by kind of operation."""

SHAPES = {
    *("bad-type", "not-an-object", "unknown-field", "unknown-parameter", "bad-key"),
    *("bad-site", "bad-source-id", "not-a-year", "out-of-range", "null", "blank"),
    *("invalid", "invalid_choice", "max_length"),
}
"""Codes of faults of shape: the schema says these, so that nothing it allows has one."""


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
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_CLASSES": []}
    found = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", get_wsgi_application())
    # A precondition is judged before the body (RFC 9110, 13.2.1): 412 takes nothing either.
    refusing = found.config.checks.negative_data_rejection
    refusing.expected_statuses = [*refusing.expected_statuses, "412"]
    return found


def captures_of(path: str, rows: dict[str, str]) -> dict[str, str]:
    """What a path captures, of what there is."""
    noun = path.removeprefix("/api/v1/").split("/")[0]
    known = {"public_id": rows.get(noun), "code": "HERE-1", "name": "severity"}
    if noun == "complications":
        known["code"] = "infection-pocket"
    return {name: value for name, value in known.items() if value and f"{{{name}}}" in path}


def kind_of(operation: Any) -> str:
    """The kind of operation that a rule is about."""
    noun = operation.path.removeprefix("/api/v1/").split("/")[0].removesuffix(".csv")
    if noun in {"statistics", "snapshots"}:
        return "statistics"
    if operation.method.upper() == "GET":
        return "lists"
    return "bulk" if operation.path.endswith("/bulk/") else "rows"


def headers_of(user: User | None) -> dict[str, str]:
    """A token with every scope, none for anybody; replies as they are, since none is unpacked."""
    plain = {"Accept-Encoding": "identity"}
    if user is None:
        return plain
    _token, key = Token.objects.create(user=user, scopes=frozenset(TokenScope))
    return {"Authorization": f"Token {key}", **plain}


def cases_of(operation: Any, captures: dict[str, str]) -> Iterator[Any]:
    """Cases of every phase: examples, coverage, and fuzzing by what is allowed and forbidden."""
    headers = {"If-Match": "*"} if operation.method.upper() == "PATCH" else None
    fixed = {"path_parameters": captures or None, "headers": headers}
    strategies = [operation.as_strategy(generation_mode=mode, **fixed) for mode in GenerationMode]
    yield from drawn(st.one_of(strategies), FEW)
    for strategy in operation.get_strategies_from_examples(feedback=NO_FEEDBACK):
        yield from drawn(strategy, settings(FEW, max_examples=1))
    config = operation.schema.config
    covering = CoverageGenerator(
        operation=operation,
        generation_modes=list(GenerationMode),
        generation_config=config.generation_for(operation=operation, phase="coverage"),
        auth_storage=None,
        override=Override(query={}, headers=headers or {}, cookies={}, path_parameters=captures),
        feedback=NO_FEEDBACK,
    )
    yield from islice(covering, COVERED)


def drawn(strategy: Any, how: settings) -> list[Any]:
    """What a strategy gives."""
    made: list[Any] = []

    @how
    @given(case=strategy)
    def collect(case: Any) -> None:
        made.append(case)

    collect()
    return made


def hold(operation: Any, headers: dict[str, str], rows: dict[str, str], told: Counter) -> int:
    """Asks the cases of an operation, and holds each reply to the schema; how many.

    told: counts how often each rule refused what the schema allows. What a case writes is undone.
    """
    asked = 0
    for case in cases_of(operation, captures_of(operation.path, rows)):
        at_own_site(case)
        with transaction.atomic():
            response = case.call(headers=headers)
            transaction.set_rollback(True)
        case.validate_response(response, checks=CHECKS, headers=headers)
        note_refusal(case, response, told)
        asked += 1
    return asked


def note_refusal(case: Any, response: Any, told: Counter) -> None:
    """Counts the rule that refused what the schema allows; a fault of shape fails the test."""
    is_positive = case.meta is None or case.meta.generation.mode is GenerationMode.POSITIVE
    if is_positive and response.status_code in {400, 406, 412, 413, 415, 422, 428}:
        problem = response.json()
        told[kind_of(case.operation), problem["code"]] += 1
        shapes = SHAPES & {each["code"] for each in problem["errors"]}
        assert not shapes, (case.operation.label, problem["errors"], case.as_curl_command())


def at_own_site(case: Any) -> None:
    """Names a site and a complication that there are, where the schema gives their form alone."""
    is_positive = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
    bodies = case.body if isinstance(case.body, list) else [case.body]
    for body in bodies if is_positive else ():
        if isinstance(body, dict) and "site" in body:
            body["site"] = "HERE-1"
        if isinstance(body, dict) and "complication" in body:
            body["complication"] = "infection-pocket"


@pytest.mark.parametrize("name", ["reporter", "researcher", "anonymous"])
def test_every_operation_is_held_to_the_schema(name, schema, registry, row_ids):
    headers = headers_of(getattr(registry, name, None))
    told: Counter[tuple[str, str]] = Counter()

    asked = {
        operation.label: hold(operation, headers, row_ids, told)
        for operation in (result.ok() for result in schema.get_all_operations())
        if "tokens" not in operation.path or operation.method.upper() == "GET"
    }

    assert len(asked) >= 60
    assert min(asked.values()) >= 1
    assert set(told) <= RULES, told
    assert len(RULES) <= 20


def test_what_replies_tell_is_held_to_the_schema(schema, registry, row_ids):
    headers = headers_of(registry.reporter)
    told: Counter[tuple[str, str]] = Counter()
    followed: Counter[str] = Counter()

    class Asking(schema.include(tag_regex="rows").as_state_machine()):
        """Asks with ids and addresses of earlier replies; what a scenario writes is undone."""

        def setup(self) -> None:
            cache.clear()
            self.undone = transaction.atomic()
            self.undone.__enter__()

        def teardown(self) -> None:
            transaction.set_rollback(True)
            self.undone.__exit__(None, None, None)

        def before_call(self, case: Any) -> None:
            at_own_site(case)
            if case.method.upper() == "PATCH":
                case.headers["If-Match"] = "*"

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": headers}

        def validate_response(self, response: Any, case: Any, **options: Any) -> None:
            case.validate_response(response, checks=CHECKS, headers=headers)
            note_refusal(case, response, told)
            if case.path_parameters and response.status_code != 404:
                followed[case.operation.label] += 1

    Asking.run(settings=settings(FEW, max_examples=4 * EXAMPLES, stateful_step_count=6))

    assert set(told) <= RULES, told
    assert len(followed) >= 4, followed
