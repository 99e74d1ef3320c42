"""Fixtures that every room's tests share."""

from collections.abc import Iterator
from itertools import groupby

import pytest
from django.db import connection
from hypothesis import settings

from tests.kept_rows import rows_kept_for

settings.register_profile("registry", deadline=None, max_examples=60)  # machines may be busy
settings.load_profile("registry")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Within each module put the tests first that start from the fewest kept rows."""
    modules = groupby(list(items), key=lambda item: item.path)
    items[:] = [item for _, found in modules for item in sorted(found, key=rows_kept_for)]


@pytest.fixture(autouse=True)
def _append_only_triggers_lifted_for_flush(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the flush after a transactional or live-server test empty the audit trail.

    The flush itself ends with the signal after which the registry puts the triggers back.
    """
    marker = request.node.get_closest_marker("django_db")
    asked = {"transactional_db", "live_server"} & set(request.fixturenames)
    if not asked and not (marker and marker.kwargs.get("transaction")):
        yield
        return
    request.getfixturevalue("transactional_db")  # so that it is torn down after this fixture
    yield
    from registry.models.append_only import lift_append_only_triggers

    lift_append_only_triggers(connection)
