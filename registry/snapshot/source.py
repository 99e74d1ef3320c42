"""Feeds the freeze from the database: one consistent transaction, row by row."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet

from registry.models import (
    CatalogueVersion,
    Category,
    Complication,
    Event,
    Exposure,
    Implant,
    PublishedRate,
    Seal,
    Site,
)
from registry.snapshot.freeze import RecordKey, Row, freeze_rows
from registry.snapshot.manifest import Manifest
from registry.snapshot.schema import EVENT_SOURCE, EXPOSURE_SOURCE, IMPLANT_SOURCE
from registry.snapshot.shelf import Working
from registry.snapshot.terms import Published, Term, TermGroup, Terms

_CHUNK = 5_000
_PATHS = {
    "site": "site__code",
    "implant": "implant__public_id",
    "patient": "patient__public_id",
    "caused_by": "caused_by__public_id",
    "complication": "complication_id",
}
_OF_PATIENT = {"sex": "patient__sex", "indication": "patient__indication"}


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest seal: what was in the registry when a snapshot was frozen."""

    number: int
    hash: str
    at: str | None

    def is_of(self, working: Working) -> bool:
        """Whether the working snapshot was frozen at this very seal."""
        return (working.seal_number, working.seal_hash) == (self.number, self.hash)


def newest_mark() -> Mark:
    """Read the newest seal; one query. Number 0 where nothing was ever sealed."""
    seal = Seal.objects.order_by("-number").first()
    if seal is None:
        return Mark(0, "", None)
    return Mark(seal.number, seal.hash, seal.at.isoformat())


def rows_held() -> int:
    """How many rows a freeze would read; three queries."""
    return sum(model.objects.count() for model in (Event, Implant, Exposure))


def freeze_database(root: Path, *, record_key: RecordKey, keys: str) -> tuple[Manifest, Mark]:
    """Freeze what the database holds, and say at which seal; writes nothing to the database.

    record_key, keys: as `freeze_rows` takes them.
    """
    with ExitStack() as view:
        view.enter_context(_consistent())
        mark = newest_mark()
        manifest = freeze_rows(
            root,
            events=_rows(Event.objects.all(), EVENT_SOURCE, {}),
            implants=_rows(Implant.objects.all(), IMPLANT_SOURCE, _OF_PATIENT),
            exposures=_rows(Exposure.objects.all(), EXPOSURE_SOURCE, {}),
            terms=_terms(),
            record_key=record_key,
            keys=keys,
            when_read=view.close,  # an old view keeps SQLite from tidying its log
        )
    return manifest, mark


@contextmanager
def _consistent() -> Iterator[None]:
    """One view of the whole database, however long the reading takes; nobody waits for it.

    SQLite gives the view to any transaction; this one is not begun as those that write are, and
    refuses to write. PostgreSQL is asked for both. Inside a transaction that is open already,
    its view stands.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
    else:
        with _deferred(connection), transaction.atomic():
            yield


@contextmanager
def _deferred(database: Any) -> Iterator[None]:
    """Let SQLite's transactions begin without the write lock, and read only."""
    database.ensure_connection()  # which sets the mode
    mode, database.transaction_mode = database.transaction_mode, "DEFERRED"
    try:
        with database.cursor() as cursor:
            cursor.execute("PRAGMA query_only = ON")
        yield
    finally:
        database.transaction_mode = mode
        with database.cursor() as cursor:
            cursor.execute("PRAGMA query_only = OFF")


def _rows(rows: QuerySet[Any], names: tuple[str, ...], paths: dict[str, str]) -> Iterator[Row]:
    """Only the columns that freezing needs, through a server-side cursor where there is one.

    Bit sets come as numbers: the plain column, not the set of codes it stands for.
    """
    known = _PATHS | paths
    columns = [F(known.get(name, name)) for name in names]
    statement, parameters = rows.order_by().values_list(*columns).query.sql_with_params()
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, parameters)
        while chunk := cursor.fetchmany(_CHUNK):
            yield from chunk


def _terms() -> Terms:
    version = CatalogueVersion.objects.order_by("-pk").first()
    return Terms(
        version=version.version if version else "",
        complications=tuple(
            Term(
                code=each.code,
                name=each.name,
                category=each.category_id,
                clock=each.clock,
                natural_denominator=each.natural_denominator,
                in_totals=each.in_totals,
                retired=each.retired,
                replaced_by=each.replaced_by_id or "",
            )
            for each in Complication.objects.order_by("category__sort_order", "code")
        ),
        categories=tuple(
            TermGroup(each.code, each.name, each.natural_denominator)
            for each in Category.objects.order_by("sort_order")
        ),
        sites=dict(Site.objects.values_list("code", "country")),
        published=tuple(map(_published, PublishedRate.objects.filter(shown=True))),
    )


def _published(rate: PublishedRate) -> Published:
    return Published(
        rate_id=rate.rate_id,
        complication=rate.complication_id or "",
        category=rate.category_id or "",
        metric=rate.metric,
        measure_type=rate.measure_type,
        numerator=None if rate.numerator is None else float(rate.numerator),
        denominator=None if rate.denominator is None else float(rate.denominator),
        unit=rate.unit,
        population=rate.population,
        source=rate.source,
        confidence=rate.confidence,
        note=rate.note,
    )
