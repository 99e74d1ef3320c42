"""A published cohort, imported once for each module and released for each test."""

import pytest
from django.core.cache import cache

from registry.reporting.asking import freshness
from tests.kept_rows import copy_snapshots
from tests.reporting.registry_rows import cohort_kept


@pytest.fixture(scope="module")
def kept_cohort(django_db_setup, django_db_blocker, tmp_path_factory):
    with cohort_kept(django_db_blocker, tmp_path_factory.mktemp("cohort")) as folder:
        yield folder


@pytest.fixture
def released(kept_cohort, db, tmp_path, settings):
    copy_snapshots(kept_cohort, tmp_path)
    settings.REGISTRY_VAR = tmp_path
    cache.clear()
    freshness.publish("2026Q4")
