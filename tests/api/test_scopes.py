"""A token does no more than its scopes name, and a page says which operation needs which."""

import re
from pathlib import Path

import pytest
from drf_spectacular.generators import SchemaGenerator

from registry.vocabulary import TokenScope
from tests.access.addresses import every_address
from tests.api.conftest import client_of, stored

PAGE = Path(__file__).parents[2] / "docs" / "tokens.md"
NAMED = {"name": "severity", "code": "HERE-1", "receipt": "none"}
EVERY = frozenset(TokenScope.codes())


@pytest.fixture(scope="module")
def operations():
    """The scopes of every operation, by method and path below the API."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return {
        (method.upper(), path.removeprefix("/api/v1")): [
            frozenset(way["token"]) for way in operation.get("security", []) if "token" in way
        ]
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }


def test_page_says_which_scopes_each_operation_needs(operations):
    table = PAGE.read_text().split("| operation | scopes |")[1].split("\n\n")[0]
    page = {}
    for line in table.splitlines()[2:]:
        _, left, right, _ = line.split("|")
        for method, path in re.findall(r"`([A-Z]+) ([^`]+)`", left):
            page[method, path] = frozenset(re.findall(r"`([a-z-]+)`", right))
    used = set()

    for (method, path), ways in operations.items():
        found = [(method, path)] if (method, path) in page else []
        found += [
            (verb, begins)
            for verb, begins in page
            if verb == method and begins.endswith("…") and path.startswith(begins[:-1])
        ]
        assert found, f"{method} {path} is not on the page"
        assert page[found[0]] == (ways[0] if ways else frozenset()), (method, path)
        used.add(found[0])

    assert used == set(page)


def reply_to(client, method, path, event):
    """What an empty request with these credentials gets."""
    filled = re.sub(r"{(\w+)}", lambda name: NAMED.get(name[1], str(event.public_id)), path)
    body = {} if method in {"POST", "PATCH"} else None
    return client.generic(
        method,
        f"/api/v1{filled}",
        *([b"{}"] if body is not None else []),
        content_type="application/json",
        HTTP_IF_MATCH="*",
    )


@pytest.mark.parametrize("without", sorted(EVERY))
def test_token_without_a_scope_does_nothing_that_needs_it(without, operations, registry):
    event = stored(registry.reporter)
    client = client_of(registry.manager, scopes=tuple(EVERY - {without}))
    asked = 0

    for (method, path), ways in operations.items():
        if ways and without in ways[0]:
            reply = reply_to(client, method, path, event)
            assert reply.status_code == 403, (method, path)
            assert without in reply.json()["detail"]
            asked += 1

    assert asked >= 10


def test_token_with_the_scopes_of_an_operation_is_let_in(operations, registry):
    event = stored(registry.reporter)
    asked = 0

    for (method, path), ways in operations.items():
        if ways and ways[0]:
            client = client_of(registry.manager, scopes=tuple(ways[0]))
            reply = reply_to(client, method, path, event)
            assert reply.status_code not in {401, 403} or "scope" not in str(reply.content), path
            asked += 1

    assert asked >= 40


def test_every_address_of_fhir_asks_for_a_scope_or_is_open_to_all(registry):
    event = stored(registry.reporter)
    client = client_of(registry.manager, scopes=("read-statistics",))
    open_to_all = set()

    for address in every_address():
        if address.route.startswith("fhir/") and "StructureDefinition" not in address.route:
            path = address.filled(dict.fromkeys(address.captures, event.public_id))
            for method in ("GET", "POST"):
                status = client.generic(method, path).status_code
                assert status in {200, 403, 404, 405}, (method, path)
                if status == 200:
                    open_to_all.add(path)

    shared = ("metadata", "CodeSystem", "ValueSet")
    assert open_to_all == {f"/fhir/{version}/{name}" for version in ("r4", "r5") for name in shared}
