"""A snapshots' folder of each test's own."""

from pathlib import Path

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def _own_snapshots(tmp_path: Path, settings: object) -> None:
    """Keep the snapshots of each test apart, and no answer of an earlier one."""
    settings.REGISTRY_VAR = tmp_path  # type: ignore[attr-defined]
    cache.clear()
