"""Fixtures that every room's tests share."""

import gc
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from hypothesis import settings
from pytest_django import DjangoDbBlocker

from tests.kept_rows import rows_kept_for

settings.register_profile("registry", deadline=None, max_examples=60)  # machines may be busy
settings.load_profile("registry")

POSTGRESQL = "postgresql"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the collector of garbage leave alone what imports made, and run seldom.

    It took a fifth of the suite's processor time. Also refuses marks that a file does not name.
    """
    marked = {item.path for item in session.items if item.get_closest_marker(POSTGRESQL)}
    if unnamed := [str(file) for file in marked if not _names_postgresql(file)]:
        raise pytest.UsageError(f"mark tests of PostgreSQL in their own file: {unnamed}")
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def pytest_unconfigure() -> None:
    """Let modules be collected at exit, where libraries look for what they leaked."""
    gc.unfreeze()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import only the files that name the marker where it alone is chosen: `-m postgresql`."""
    chosen = config.option.markexpr
    if chosen == POSTGRESQL or chosen.endswith(f" and {POSTGRESQL}"):
        is_test = collection_path.name.startswith("test_") and collection_path.suffix == ".py"
        return True if is_test and not _names_postgresql(collection_path) else None
    return None


def _names_postgresql(file: Path) -> bool:
    return f"mark.{POSTGRESQL}" in file.read_text(encoding="utf-8")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Within each module put the tests first that start from the fewest kept rows."""
    modules = groupby(list(items), key=lambda item: item.path)
    items[:] = [item for _, found in modules for item in sorted(found, key=rows_kept_for)]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database, which nobody uses any more when it is dropped.

    A server's thread closes its connection only when the browser has closed its own.
    """
    yield
    with django_db_blocker.unblock():
        end_other_sessions(connection)


@pytest.fixture(scope="session", autouse=True)
def _readers_wait_for_small_registries() -> Iterator[None]:
    """Freeze a test's few rows while their reader waits, however busy the machine is.

    A freeze that takes over a second goes on in a process of its own, which knows no test database.
    """
    from registry.reporting.asking import freshness

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(freshness, "SECONDS_TO_WAIT", 60.0)
        yield


PUBLIC_IDS = Random()
"""Whence the rows of tests have their public ids, and protected answers so their noise."""


@pytest.fixture(scope="session")
def _repeatable_public_ids() -> Iterator[None]:
    """Draw public ids from `PUBLIC_IDS`; with ids of the day protected tests fail now and then."""
    from django.apps import apps
    from django.db.models import NOT_PROVIDED, UUIDField

    fields = [
        field
        for model in apps.get_app_config("registry").get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, UUIDField) and field.default is not NOT_PROVIDED
    ]
    with pytest.MonkeyPatch.context() as patch:
        for field in fields:
            patch.setitem(vars(field), "_get_default", _next_public_id)
        yield


def _next_public_id() -> UUID:
    return UUID(int=PUBLIC_IDS.getrandbits(128), version=4)


@pytest.fixture(scope="module", autouse=True)
def _public_ids_of_a_module(_repeatable_public_ids: None, request: pytest.FixtureRequest) -> None:
    """The rows that a module's tests start from have the same ids in every run."""
    PUBLIC_IDS.seed(request.node.nodeid)


@pytest.fixture(autouse=True)
def _public_ids_of_a_test(request: pytest.FixtureRequest) -> None:
    """So have the rows of a test, alone or after others."""
    PUBLIC_IDS.seed(request.node.nodeid)


@pytest.fixture
def heads(settings: Any, tmp_path: Path) -> Path:
    """A file of heads of the test's own: others' seals are in the registry's."""
    settings.REGISTRY_HEADS_FILE = str(tmp_path / "heads.txt")
    return tmp_path / "heads.txt"


def end_other_sessions(connection: BaseDatabaseWrapper) -> None:
    """End every other session of this connection's database; nothing to do on SQLite."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(autouse=True)
def _append_only_triggers_lifted_for_flush(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the flush after a transactional or live-server test empty the audit trail.

    The flush itself ends with the signal after which the registry puts the triggers back, and
    forgets the releases that are gone.
    """
    marker = request.node.get_closest_marker("django_db")
    fixtures = {"transactional_db", "live_server"} & set(request.fixturenames)
    if not fixtures and not (marker and marker.kwargs.get("transaction")):
        yield
        return
    request.getfixturevalue("transactional_db")  # so that it is torn down after this fixture
    yield
    from registry.models.append_only import lift_append_only_triggers

    lift_append_only_triggers(connection)
