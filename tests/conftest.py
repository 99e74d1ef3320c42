"""Fixtures that every room's tests share."""

from collections.abc import Iterator

import pytest
from django.db import connection
from hypothesis import settings

settings.register_profile("registry", deadline=None, max_examples=60)  # machines may be busy
settings.load_profile("registry")


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
