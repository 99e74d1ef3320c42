"""Rows that the tests of a module start from, written once and not once for each test.

A test's own changes are undone to where these rows stand. Tests that start from fewer rows come
before those that start from more: see `tests/conftest.py`.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import override_settings
from pytest_django import DjangoDbBlocker

PREFIX = "kept_"
"""Begins the name of every fixture that keeps rows: by it the tests are put in order."""


@contextmanager
def kept_rows(blocker: DjangoDbBlocker) -> Iterator[None]:
    """Keep what is written inside until the fixture that writes it ends."""
    with blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def snapshots_in(folder: Path) -> Iterator[None]:
    """Freeze into this folder while the rows are written."""
    with override_settings(REGISTRY_VAR=folder):
        cache.clear()
        yield
        cache.clear()


def copy_snapshots(folder: Path, into: Path) -> None:
    """Give a test its own copy of the snapshots that were frozen with the kept rows."""
    shutil.copytree(folder, into, dirs_exist_ok=True)


def rows_kept_for(item: pytest.Item) -> int:
    """How many fixtures that keep rows a test starts from."""
    return sum(name.startswith(PREFIX) for name in getattr(item, "fixturenames", ()))
