"""A replica that fails while a freeze reads it; the others are tried on a real one, in deploy."""

import pytest
from django.db import OperationalError, connections

from registry.snapshot import source
from registry.snapshot.replica import REPLICA
from tests.factories import EventFactory
from tests.snapshot.test_changes import freeze


@pytest.mark.django_db
def test_freeze_begins_anew_from_the_primary_where_the_replica_fails(tmp_path, monkeypatch, caplog):
    EventFactory()
    whole, read = source._freeze_whole, []

    def failing(root, *, using, **options):
        read.append(using)
        if using == REPLICA:
            raise OperationalError("canceling statement due to conflict with recovery")
        return whole(root, using=using, **options)

    monkeypatch.setitem(connections.databases, REPLICA, connections["default"].settings_dict)
    monkeypatch.setattr(source, "database_to_read", lambda: REPLICA)
    monkeypatch.setattr(source, "_freeze_whole", failing)

    assert freeze(tmp_path).events == 1
    assert read == [REPLICA, "default"]
    assert "It failed while it was read: canceling statement due to" in caplog.text
