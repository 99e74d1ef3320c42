"""Registries of a test's own: a database of either kind and a folder, in the test's process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connections
from django.db.utils import load_backend
from django.test import override_settings

from registry.backup.tables import KEPT_OUT
from registry.snapshot import shelf

_NUMBERS = count(1)


@dataclass(frozen=True)
class Place:
    """Where a registry is: its database's settings, and its folder."""

    database: dict[str, Any]
    folder: Path

    @contextmanager
    def used(self) -> Iterator[None]:
        """Make this the registry that the code of this process works on."""
        own = load_backend(self.database["ENGINE"]).DatabaseWrapper(self.database, "default")
        others = connections["default"]
        connections["default"] = own
        _forget()
        try:
            with override_settings(REGISTRY_VAR=self.folder):
                yield
        finally:
            own.close()
            connections["default"] = others
            _forget()


def _forget() -> None:
    cache.clear()
    shelf.forget_open()
    ContentType.objects.clear_cache()


def on_sqlite(folder: Path) -> Place:
    """A registry whose database is a file of its folder that is not there yet."""
    folder.mkdir(mode=0o700, parents=True)
    given = {**settings.DATABASES["default"], "TEST": {}}
    if given["ENGINE"].endswith("postgresql"):
        given |= {
            "ENGINE": "django.db.backends.sqlite3",
            "OPTIONS": OPTIONS,
            "HOST": "",
            "PORT": "",
        }
    return Place(given | {"NAME": str(folder / "registry.sqlite3")}, folder)


OPTIONS = {"transaction_mode": "IMMEDIATE", "timeout": 20}


@contextmanager
def on_postgresql(folder: Path) -> Iterator[Place]:
    """A registry in an empty database of the server of this run, which is dropped afterwards."""
    import psycopg

    folder.mkdir(mode=0o700, parents=True)
    given = settings.DATABASES["default"]
    name = f"registry_backup_test_{os.getpid()}_{next(_NUMBERS)}"
    server = psycopg.connect(
        host=given["HOST"],
        port=given["PORT"] or 5432,
        user=given["USER"],
        password=given["PASSWORD"] or None,
        dbname="postgres",
        autocommit=True,
    )
    server.execute(f'CREATE DATABASE "{name}"')
    try:
        yield Place({**given, "NAME": name, "TEST": {}}, folder)
    finally:
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        server.close()


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of today's models, as Python has it, but of those kept out."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        table = model._meta.db_table
        if table not in KEPT_OUT and not model._meta.swapped:
            rows = list(model._base_manager.values())
            found[table] = sorted(rows, key=lambda row: str(row[model._meta.pk.attname]))
    return found
