"""People, sites and a client, as the API's tests share them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import Settings
from rest_framework.test import APIClient

from registry import intake
from registry.models import Event, Site, Token, TokenScope, User, sealed
from registry.records import RawReport, RowKind

SAMPLES = Path(__file__).parent.parent / "samples"
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _no_throttle_carried_over() -> Iterator[None]:
    """Start every test with no request counted."""
    cache.clear()
    yield
    cache.clear()


@dataclass(frozen=True)
class Registry:
    """Two sites of one reporter each, and everybody who belongs to none."""

    here: Site
    there: Site
    reporter: User
    stranger: User
    reviewer: User
    manager: User
    researcher: User
    auditor: User


def make_user(name: str, *roles: str) -> User:
    """A user with a password and roles."""
    user: User = User.objects.create_user(name, password=PASSWORD)
    with sealed(by=None, action="test") as seal:
        user.set_roles(roles, seal=seal)
    return user


@pytest.fixture
def registry(db: None) -> Registry:
    """The shipped catalogue, two sites, and one user for every role."""
    intake.load_catalogue()
    here = intake.make_site(code="HERE-1", name="Here", country="PT", by=None)
    there = intake.make_site(code="THERE-2", name="There", country="ES", by=None)
    people = Registry(
        here=here,
        there=there,
        reporter=make_user("reporter"),
        stranger=make_user("stranger"),
        reviewer=make_user("reviewer", "reviewer"),
        manager=make_user("manager", "data manager"),
        researcher=make_user("researcher", "researcher"),
        auditor=make_user("auditor", "auditor"),
    )
    intake.add_member(here, user=people.reporter, by=None)
    intake.add_member(there, user=people.stranger, by=None)
    return people


def client_of(user: User | None, *, scopes: tuple[str, ...] = ()) -> APIClient:
    """A client with a token of the user; without scopes the token may do all that he or she may."""
    client = APIClient()
    if user is not None:
        named = scopes or TokenScope.codes()
        _token, key = Token.objects.create(user=user, scopes=frozenset(map(TokenScope, named)))
        client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
    return client


@pytest.fixture
def as_reporter(registry: Registry) -> APIClient:
    """The reporter of the first site."""
    return client_of(registry.reporter)


@pytest.fixture
def report() -> Callable[..., dict[str, Any]]:
    """A complete event of the first site, as JSON."""

    def make(**fields: Any) -> dict[str, Any]:
        return {
            "site": "HERE-1",
            "source_id": "ev-a",
            "complication": "infection-pocket",
            "year": 2020,
            "severity": 3,
            "seriousness": ["hospitalisation"],
            "outcome": "recovered",
            "interventions": ["antibiotics", "system-explant-no-replacement"],
            "component_model": "synchromed-ii-40",
            "drug": "baclofen",
            "sex": "female",
            **fields,
        }

    return make


def stored(user: User, *, submit: bool = False, **columns: str) -> Event:
    """An event that intake stored."""
    values = {
        "site": "HERE-1",
        "complication": "infection-pocket",
        "year": "2020",
        "severity": "2",
        "drug": "baclofen",
        **columns,
    }
    return intake.record_event(RawReport(RowKind.EVENT, values), by=user, submit=submit)


@pytest.fixture
def own_folder(tmp_path: Path, settings: Settings) -> None:
    """Freeze into a folder of this test alone."""
    settings.REGISTRY_VAR = tmp_path


@pytest.fixture
def cohort(registry: Registry) -> Registry:
    """The published cohort: 814 devices of 400 patients with 62 events, all accepted."""
    intake.import_records(
        {
            RowKind.IMPLANT: SAMPLES / "taira-2013-implants.csv",
            RowKind.EVENT: SAMPLES / "taira-2013-events.csv",
        },
        by=registry.manager,
        accept=True,
    )
    return registry


@pytest.fixture
def reviewer(cohort: Registry) -> APIClient:
    """A reviewer's client, over the cohort."""
    return client_of(cohort.reviewer)
