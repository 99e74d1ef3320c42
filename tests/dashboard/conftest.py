"""A snapshots' folder of each test's own, and no answer or failed sign-in of an earlier one."""

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def _own_snapshots(tmp_path, settings):
    settings.REGISTRY_VAR = tmp_path
    cache.clear()
