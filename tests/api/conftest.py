"""People, sites and a client, as the API's tests share them."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import DjangoDbBlocker, Settings
from rest_framework.test import APIClient

from registry import intake
from registry.models import Event, Site, Token, User, sealed
from registry.records import RawReport, RowKind
from registry.reporting.asking import freshness
from registry.vocabulary import TokenScope
from tests.factories import ExposureFactory, ImplantFactory
from tests.kept_rows import copy_snapshots, kept_rows, snapshots_in

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


def made_registry() -> Registry:
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


@pytest.fixture(scope="module")
def kept_registry(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Registry]:
    """The registry that a module's tests start from."""
    with kept_rows(django_db_blocker):
        yield made_registry()


@pytest.fixture
def registry(kept_registry: Registry, db: None) -> Registry:
    """The shipped catalogue, two sites, and one user for every role."""
    return deepcopy(kept_registry)


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
def row_ids(registry: Registry) -> dict[str, str]:
    """The id of a row of each kind, by the noun of its address."""
    draft = stored(registry.reporter)
    submitted = stored(registry.reporter, submit=True, outcome="recovered", seriousness="none")
    implant = ImplantFactory(patient__site=registry.here, adjuncts=frozenset({"clonidine"}))
    query = intake.raise_query(
        submitted.public_id, by=registry.reviewer, column="organism", ask="missing"
    )
    return {
        "events": str(draft.public_id),
        "patients": str(implant.patient.public_id),
        "implants": str(implant.public_id),
        "exposures": str(ExposureFactory(site=registry.here).public_id),
        "queries": str(query.public_id),
    }


@pytest.fixture
def own_folder(tmp_path: Path, settings: Settings, request: pytest.FixtureRequest) -> None:
    """Freeze into a folder of this test alone; the cohort is frozen there already."""
    if "kept_cohort" in request.fixturenames:
        copy_snapshots(request.getfixturevalue("kept_cohort"), tmp_path)
    settings.REGISTRY_VAR = tmp_path


def import_cohort(*, by: User) -> None:
    """Import and accept the published cohort."""
    intake.import_records(
        {
            RowKind.IMPLANT: SAMPLES / "taira-2013-implants.csv",
            RowKind.EVENT: SAMPLES / "taira-2013-events.csv",
        },
        by=by,
        accept=True,
    )


@pytest.fixture(scope="module")
def kept_cohort(
    kept_registry: Registry,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Path]:
    """The cohort that a module's tests start from, and the folder where it is frozen."""
    folder = tmp_path_factory.mktemp("cohort")
    with kept_rows(django_db_blocker):
        import_cohort(by=kept_registry.manager)
        with snapshots_in(folder):
            freshness.refresh()
        yield folder


@pytest.fixture
def cohort(kept_cohort: Path, registry: Registry) -> Registry:
    """The published cohort: 814 devices of 400 patients with 62 events, all accepted."""
    return registry


@pytest.fixture
def reviewer(cohort: Registry) -> APIClient:
    """A reviewer's client, over the cohort."""
    return client_of(cohort.reviewer)
