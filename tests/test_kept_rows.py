"""Rows that a module's tests share stand until it ends, and in between no test's changes do."""

from types import SimpleNamespace

import pytest
from django.db import transaction

from registry.models import Site
from tests.conftest import pytest_collection_modifyitems
from tests.factories import SiteFactory
from tests.kept_rows import kept_rows


@pytest.mark.django_db
def test_kept_rows_outlast_a_test_and_not_their_end(django_db_blocker):
    with kept_rows(django_db_blocker):
        SiteFactory(code="KEPT")
        with transaction.atomic():
            Site.objects.filter(code="KEPT").update(code="CHANGED")
            SiteFactory(code="ADDED")
            transaction.set_rollback(True)
        assert [site.code for site in Site.objects.all()] == ["KEPT"]

    assert not Site.objects.exists()


def test_tests_of_fewer_kept_rows_come_first_in_their_module():
    def item(path, *fixturenames):
        return SimpleNamespace(path=path, fixturenames=fixturenames)

    rows, more, none = item("a", "kept_rows"), item("a", "kept_rows", "kept_more"), item("a", "db")
    other = item("b", "kept_rows")
    items = [more, rows, none, other]

    pytest_collection_modifyitems(items)

    assert items == [none, rows, more, other]
