"""The access matrix: every address and method, as everybody, at own and at other sites' rows.

matrix.csv says what each gets. A new address fails until it has its row: run

    WRITE_ACCESS_MATRIX=1 python -m pytest tests/access/test_matrix.py -n0

read what it wrote as a reviewer would, and commit it.
"""

import csv
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings
from django.urls import reverse

from tests.access.addresses import Address, every_address
from tests.access.cast import TRACE, world
from tests.access.outcomes import body_of, outcomes, targets

pytestmark = pytest.mark.django_db
MATRIX = Path(__file__).parent / "matrix.csv"
WRITING = bool(os.environ.get("WRITE_ACCESS_MATRIX"))
KEY = ("route", "name", "method", "row")
ADDRESSES = [address for address in every_address() if address.name != "admin:jsi18n"]

MatrixKey = tuple[str, str, str, str]


def kept() -> dict[MatrixKey, dict[str, str]]:
    """The matrix as it is agreed."""
    if not MATRIX.exists():
        return {}
    with MATRIX.open(newline="") as file:
        return {
            tuple(row[name] for name in KEY): {
                caller: said for caller, said in row.items() if caller not in KEY and said
            }
            for row in csv.DictReader(file)
        }


@pytest.fixture(scope="module")
def cast(django_db_setup, django_db_blocker, tmp_path_factory):
    """One world for all tests: what a request writes is undone after it."""
    quiet = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_CLASSES": []}
    folder = tmp_path_factory.mktemp("access")
    with (
        override_settings(REGISTRY_VAR=folder, REST_FRAMEWORK=quiet),
        django_db_blocker.unblock(),
        transaction.atomic(),
    ):
        cache.clear()
        made = world()
        call_command("freeze", release="2026Q4", verbosity=0)
        yield made
        transaction.set_rollback(True)


def observed(address: Address, cast) -> dict[MatrixKey, dict[str, str]]:
    found = {}
    for row, captures in targets(address, cast).items():
        path = address.filled(captures)
        for method in address.methods:
            key = (address.route, address.name, method, row)
            found[key] = outcomes(address, method, path, cast)
    return found


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda each: f"{each.name} {each.route}")
def test_address_serves_whom_the_matrix_says(address, cast):
    found = observed(address, cast)

    if WRITING:
        _write(found)
    agreed = kept()
    assert {key: agreed.get(key) for key in found} == found


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("caller", ["nobody", "manager"])
def test_method_that_no_form_sends_fails_nowhere(caller, method, cast):
    ask = cast.clients[caller]().generic
    failed = []
    for address in ADDRESSES:
        captures = next(iter(targets(address, cast).values()))
        status = ask(method, address.filled(captures)).status_code
        failed += [(address.route, status)] * (status >= 500)

    assert failed == []


def test_matrix_has_no_row_of_an_address_that_is_gone():
    routes = {(address.route, address.name) for address in ADDRESSES}

    assert {key[:2] for key in kept()} - routes == set()


def test_nothing_fails_for_anybody():
    failures = {key for key, said in kept().items() if {"500", "503"} & set(said.values())}

    assert failures == {("health/ready", "health:ready", "GET", "")} & failures


OPEN = (
    "complications/<slug:code>/",
    "products/",
    "login/",
    "password/",
    "health/",
    "api/v1/complications",
    "api/v1/categories/",
    "api/v1/codelists",
    "api/v1/schema/",
    "api/v1/docs/",
    "fhir/r4/metadata",
    "fhir/r5/metadata",
    "fhir/r5/StructureDefinition/",
    *(f"fhir/{version}/{kind}" for version in ("r4", "r5") for kind in ("CodeSystem", "ValueSet")),
)


def test_strangers_get_the_catalogue_and_the_way_in_and_no_more():
    shown = {key for key, said in kept().items() if said["nobody"] == "in"}
    cited = {key for key in shown if key[0].startswith("c/")}
    served = {key[0] for key in shown - cited}

    assert {key[3] for key in cited} == {"public"}
    beyond = {route for route in served if route and not route.startswith(OPEN)}
    assert beyond == {"logout/", "admin/logout/", "api/v1/tokens/"}


def test_another_sites_row_is_missing_to_members_everywhere():
    shown = {
        key: said
        for key, said in kept().items()
        if key[3] == "other"
        for caller in ("reporter", "lead")
        if said[caller] not in {"missing", "forbidden", "no-method", "onward"}
    }

    assert shown == {}


OWN = ("event", "patient", "implant", "exposure")


def test_members_reach_their_own_rows():
    """Were the ids of the cast wrong, all would be missing and the test below prove nothing."""
    reached = {
        key[1]
        for key, said in kept().items()
        if key[2:] == ("GET", "own") and said["reporter"] == "in"
    }

    assert reached >= {f"api:{row}" for row in OWN}
    assert reached >= {
        f"admin:registry_{row}_{page}" for row in OWN for page in ("change", "history")
    }


def test_people_without_rows_reach_none():
    shown = {
        key: said
        for key, said in kept().items()
        if key[3] in {"own", "other"} and "receipts" not in key[0] and "totp" not in key[0]
        for caller in ("researcher", "analyst", "lapsed-analyst")
        if said[caller] == "in"
    }

    assert shown == {}


def test_gone_people_and_expired_tokens_are_strangers():
    for key, said in kept().items():
        for caller in {"gone", "expired-token"} & set(said):
            if said[caller] == "in":
                assert said["nobody"] == "in", key


def test_a_trace_of_another_site_would_be_told(cast):
    """Every test above looks for it in all that members get; here a page has one."""
    (address,) = (each for each in ADDRESSES if each.name == "api:event")
    path = address.filled({"public_id": cast.other.rows["event"].public_id})
    seen = cast.clients["manager"]().get(path)

    assert TRACE in body_of(seen)
    own, other = targets(address, cast).values()
    mixed = replace(cast, clients={"reporter": cast.clients["manager"]})
    assert outcomes(address, "GET", address.filled(own), mixed) == {"reporter": "in"}
    said = outcomes(address, "GET", address.filled(other), mixed)
    assert said == {"reporter": "in with another site's trace"}


SEARCHED = [
    *((row, f"admin:registry_{row}_changelist", "q") for row in OWN),
    *((row, f"admin:registry_{row}_choices", "term") for row in ("event", "implant")),
    *((row, f"api:{row}s", name) for row in OWN for name in ("q", "source_id", "cursor")),
]
NOTHING = "nn-elsewhere"
NOISE = re.compile(rb'(name="csrfmiddlewaretoken" value|nonce|data-csrf)="[^"]*"')


@pytest.mark.parametrize(("row", "name", "parameter"), SEARCHED)
def test_search_for_another_sites_row_is_like_one_for_nothing(cast, row, name, parameter):
    path = reverse(name)
    key = getattr(cast.other.rows[row], "source_id", TRACE)
    client = cast.clients["reporter"]()

    there, nowhere = (
        client.get(path, {parameter: sought}) for sought in (key, key.replace(TRACE, NOTHING))
    )

    assert there.status_code == nowhere.status_code
    like = NOISE.sub(b"", there.content).replace(TRACE.encode(), NOTHING.encode())
    assert like == NOISE.sub(b"", nowhere.content)


def _write(found: dict[MatrixKey, dict[str, str]]) -> None:
    rows = kept() | found
    callers = list(dict.fromkeys(caller for said in rows.values() for caller in said))
    with MATRIX.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*KEY, *callers])
        writer.writerows(
            [*key, *(rows[key].get(caller, "") for caller in callers)] for key in sorted(rows)
        )
