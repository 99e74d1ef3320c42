"""A snapshots' folder of each test's own, and the published cohort."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from pytest_django import DjangoDbBlocker, Settings

from tests.kept_rows import copy_snapshots
from tests.reporting.registry_rows import cohort_kept


@pytest.fixture(autouse=True)
def _own_snapshots(tmp_path: Path, settings: Settings, request: pytest.FixtureRequest) -> None:
    """Keep the snapshots of each test apart, and no answer of an earlier one."""
    if "kept_cohort" in request.fixturenames:
        copy_snapshots(request.getfixturevalue("kept_cohort"), tmp_path)
    settings.REGISTRY_VAR = tmp_path
    cache.clear()


@pytest.fixture(scope="module")
def kept_cohort(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Path]:
    """The imported cohort that a module's tests start from, and the folder where it is frozen."""
    with cohort_kept(django_db_blocker, tmp_path_factory.mktemp("cohort")) as folder:
        yield folder
