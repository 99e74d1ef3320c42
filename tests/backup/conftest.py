"""A registry with a row in every table, and a backup of it."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoDbBlocker

from tests.backup import every_table
from tests.backup.places import Place, everything, on_postgresql, on_sqlite

IS_POSTGRESQL = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
QUESTIONS = (
    "counts/?group_by=category,severity",
    f"rates/?unit=pump-months&release={every_table.RELEASE}",
    "survival/?group_by=drug",
)


@dataclass(frozen=True)
class Kept:
    """A registry, what it holds and answers to a token, a backup of it, and what was said."""

    place: Place
    rows: dict
    token: str
    answers: list
    file: Path
    said: str


@pytest.fixture(scope="module")
def unblocked(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Lets a module use registries of its own."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="session")
def kept(
    django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kept]:
    """A registry on the kind of database of this run, and its backup; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("backup")
    with ExitStack() as stack:
        with django_db_blocker.unblock():
            if IS_POSTGRESQL:
                place = stack.enter_context(on_postgresql(folder / "first"))
            else:
                place = on_sqlite(folder / "first")
            with place.used():
                token = every_table.fill()
                answers = answered(token)
                rows = everything()
                said = command("backup", folder / "one.zip")
        yield Kept(place, rows, token, answers, folder / "one.zip", said)


def command(name: str, *arguments: object, **options: object) -> str:
    """Runs a command for what it says."""
    said = StringIO()
    call_command(name, *map(str, arguments), stdout=said, **options)
    return said.getvalue()


def answered(token: str) -> list[object]:
    """What the registry answers to questions, with its numbers, data-as-of and receipts."""
    caller = Client(headers={"authorization": f"Token {token}"})
    replies = [caller.get(f"/api/v1/statistics/{question}").json() for question in QUESTIONS]
    assert [reply.get("detail", "") for reply in replies] == [""] * len(QUESTIONS)
    return replies
