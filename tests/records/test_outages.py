"""Outages of a database are told from its other failures, by the errors of its own drivers."""

import sqlite3

import psycopg
import pytest
from django.db import InterfaceError, OperationalError

from registry.records.outages import CANNOT_STORE, UNREACHABLE, outage_of


def raised_by(act):
    with pytest.raises((sqlite3.Error, psycopg.Error)) as failure:
        act()
    return failure.value


def test_file_that_cannot_be_opened(tmp_path):
    error = raised_by(lambda: sqlite3.connect(tmp_path / "nowhere" / "a.sqlite3"))

    assert outage_of(error) == UNREACHABLE


def test_file_that_may_only_be_read(tmp_path):
    database = sqlite3.connect(tmp_path / "a.sqlite3")
    database.execute("PRAGMA query_only = ON")

    error = raised_by(lambda: database.execute("CREATE TABLE a (b)"))
    database.close()

    assert outage_of(error) == CANNOT_STORE


def test_disk_that_is_full(tmp_path):
    database = sqlite3.connect(tmp_path / "a.sqlite3")
    database.execute("PRAGMA max_page_count = 2")

    def fill():
        database.execute("CREATE TABLE a (b)")
        database.execute("INSERT INTO a VALUES (zeroblob(100000))")

    error = raised_by(fill)
    database.close()

    assert outage_of(error) == CANNOT_STORE


def test_server_that_nobody_runs():
    error = raised_by(lambda: psycopg.connect("postgres://127.0.0.1:1/none", connect_timeout=5))

    assert outage_of(error) == UNREACHABLE


@pytest.mark.parametrize(
    ("state", "outage"),
    [
        ("08006", UNREACHABLE),
        ("53300", UNREACHABLE),
        ("57P01", UNREACHABLE),
        ("57P03", UNREACHABLE),
        ("53100", CANNOT_STORE),
        ("25006", CANNOT_STORE),
        ("55P03", None),
        ("23505", None),
        ("42601", None),
    ],
)
def test_server_that_says_what_is_wrong(state, outage):
    wrapped = OperationalError("wrapped")
    wrapped.__cause__ = psycopg.errors.lookup(state)("refused")

    assert outage_of(wrapped) == outage


def test_connection_that_was_closed_under_its_user():
    assert outage_of(InterfaceError("connection already closed")) == UNREACHABLE


def test_other_failures_are_no_outage(tmp_path):
    database = sqlite3.connect(tmp_path / "a.sqlite3")
    error = raised_by(lambda: database.execute("SELECT * FROM nowhere"))
    database.close()

    for other in (error, OperationalError("of nobody"), ValueError(), None):
        assert outage_of(other) is None
