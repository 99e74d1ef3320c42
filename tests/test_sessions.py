"""The end of a run on PostgreSQL: no session is left that would keep its database in use."""

import psycopg
import pytest
from django.db import connection

from tests.conftest import end_other_sessions


@pytest.mark.postgresql
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no sessions")
@pytest.mark.django_db
def test_session_that_a_server_left_open_is_ended():
    other = psycopg.connect(**connection.get_connection_params() | {"context": None})

    end_other_sessions(connection)

    with pytest.raises(psycopg.OperationalError):
        other.execute("SELECT 1")
    other.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
