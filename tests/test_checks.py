"""The system check that the audit trail is append-only."""

import pytest
from django.core.checks import Tags, registry
from django.db import connection

from registry.checks import audit_trail_is_append_only

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def test_check_passes_while_every_trigger_is_there():
    assert audit_trail_is_append_only(None, databases=["default"]) == []


def test_check_runs_with_the_database_checks():
    assert audit_trail_is_append_only in registry.registry.registered_checks
    assert audit_trail_is_append_only.tags == (Tags.database,)


def test_check_names_the_missing_triggers_and_the_mend():
    suffix = " ON registry_seal" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER registry_seal_no_update{suffix}")

    (error,) = audit_trail_is_append_only(None, databases=["default"])

    assert error.id == "registry.E001"
    assert "1 triggers are missing, the first is registry_seal_no_update" in error.msg
    assert "migrate --skip-checks" in error.hint


def test_check_asks_no_database_where_none_is_named():
    assert audit_trail_is_append_only(None) == []
