"""Feeds the freeze from the database, in one consistent transaction."""

import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import reduce
from itertools import islice
from operator import add
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.models import Case, F, IntegerField, Min, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from numpy.typing import NDArray

from registry.models import Event, Exposure, Implant, Patient, Seal
from registry.models.consistent_reading import consistent_view
from registry.snapshot.changes import (
    KEPT,
    Kept,
    MustFreezeWhole,
    freeze_changes,
    seal_staged,
)
from registry.snapshot.context import HandsOf, hands_now, rounds_closed_on, terms_now
from registry.snapshot.derive import CRITERIA
from registry.snapshot.freeze import STAGING, Freeze, building, freeze_feed
from registry.snapshot.manifest import Manifest
from registry.snapshot.replica import database_to_read, told_why
from registry.snapshot.schema import ENTERED_SINCE
from registry.snapshot.shelf import Working
from registry.snapshot.staging import STAGED, RecordKeys, Row, open_staging, write_rows
from registry.vocabulary import State

logger = logging.getLogger(__name__)

_CHUNK = 5_000
_ACCEPTED_AT = "accepted_at"
"""When an event was first accepted, by its seal; the database's own text of it, in UTC."""

_COLUMNS: dict[str, dict[str, Combinable]] = {
    "implants": {
        "public_id": F("pk"),
        "patient": F("patient_id"),
        "site": F("site__code"),
        "sex": F("patient__sex"),
        "indication": F("patient__indication"),
        "round_number": Case(
            When(round_number=None, site__round_number__isnull=False, then=Value(ENTERED_SINCE)),
            default=F("round_number"),
            output_field=IntegerField(),
        ),
    },
    "events": {
        "public_id": F("pk"),
        "implant": F("implant_id"),
        "caused_by": F("caused_by_id"),
        "site": F("site__code"),
        "complication": F("complication_id"),
        "seriousness": reduce(
            add,
            [
                Cast(F(name), IntegerField()) * Value(1 << criterion.bit)
                for criterion, name in CRITERIA.items()
            ],
        ),
    },
    "exposures": {"public_id": F("pk"), "site": F("site__code")},
}
"""Where a fed column is not one of the row's own by that name; rows go by their primary keys."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest seal: what was in the registry when a snapshot was frozen."""

    number: int
    hash: str
    at: str | None

    def is_of(self, working: Working) -> bool:
        """Whether the working snapshot was frozen at this very seal."""
        return (working.seal_number, working.seal_hash) == (self.number, self.hash)


def newest_mark(*, using: str = DEFAULT_DB_ALIAS) -> Mark:
    """Read the newest seal; one query. Number 0 where nothing was ever sealed."""
    seal = Seal.objects.using(using).order_by("-number").first()
    if seal is None:
        return Mark(0, "", None)
    return Mark(seal.number, seal.hash, seal.at.isoformat())


def freeze_database(
    root: Path,
    *,
    record_keys: RecordKeys,
    keys: str,
    hands_of: HandsOf,
    signing: bytes,
    whole: bool = False,
) -> tuple[Manifest, Mark]:
    """Freeze what the database holds, and say at which seal; writes nothing to the database.

    Only what was written since the last freeze is read, where its staged rows can be built on;
    from the replica, where there is one that has caught up, and otherwise from the primary.
    record_keys: from public ids to two numbers each; keys: the mark of the secret behind it.
    hands_of: numbers the hand of each site, from all sites and those that each person belongs to.
    signing: the key that signs the manifest. whole: read everything all the same.
    """

    def freeze(using: str) -> tuple[Manifest, Mark]:
        asks: dict[str, Any] = {"record_keys": record_keys, "keys": keys, "hands_of": hands_of}
        kept = None if whole else Kept.read(root, key=signing)
        if kept is not None:
            try:
                return _freeze_changes(root, kept, **asks, signing=signing, using=using)
            except (MustFreezeWhole, duckdb.Error) as error:
                logger.info("A whole freeze is made: %s", error)
        return _freeze_whole(root, **asks, signing=signing, using=using)

    using = database_to_read()
    if using == DEFAULT_DB_ALIAS:
        return freeze(using)
    try:
        return freeze(using)
    except DatabaseError as error:
        told_why("It failed while it was read", error)
        return freeze(DEFAULT_DB_ALIAS)


def _freeze_whole(
    root: Path,
    *,
    record_keys: RecordKeys,
    keys: str,
    hands_of: HandsOf,
    signing: bytes,
    using: str,
) -> tuple[Manifest, Mark]:
    """Freeze everything, and keep the staged rows for the next freeze."""
    with ExitStack() as view, building(root) as workspace:
        view.enter_context(consistent_view(using))
        mark = newest_mark(using=using)
        with open_staging(workspace / STAGING) as staging:
            freeze = freeze_feed(
                root,
                workspace,
                DatabaseFeed(using=using),
                staging,
                terms=terms_now(using=using),
                record_keys=record_keys,
                keys=keys,
                hands=hands_now(hands_of, using=using),
                closed_on=rounds_closed_on(using=using),
                signing=signing,
                when_read=view.close,  # an old view keeps SQLite from tidying its log
            )
            _kept(freeze, mark).write(staging)
        seal_staged(workspace / STAGING, key=signing)
        shutil.rmtree(root / KEPT, ignore_errors=True)
        (workspace / STAGING).rename(root / KEPT)
    return freeze.manifest, mark


def _freeze_changes(
    root: Path,
    kept: Kept,
    *,
    record_keys: RecordKeys,
    keys: str,
    hands_of: HandsOf,
    signing: bytes,
    using: str,
) -> tuple[Manifest, Mark]:
    """Freeze what was written since the last freeze.

    Raises MustFreezeWhole, or an error of DuckDB's, where that cannot be built on.
    """
    with (
        ExitStack() as view,
        building(root) as workspace,
        open_staging(root / KEPT) as staging,
    ):
        view.enter_context(consistent_view(using))
        mark = newest_mark(using=using)
        if not goes_on_from(kept, using=using):
            raise MustFreezeWhole("The database is another than the one that was frozen.")
        freeze, changed = freeze_changes(
            root,
            workspace,
            DatabaseFeed(since=kept.seal_number, using=using),
            staging,
            kept,
            terms=terms_now(using=using),
            record_keys=record_keys,
            keys=keys,
            hands=hands_now(hands_of, using=using),
            closed_on=rounds_closed_on(using=using),
            signing=signing,
            when_read=view.close,
        )
        replace(_kept(freeze, mark), changed=changed).write(staging)
    seal_staged(root / KEPT, key=signing)
    return freeze.manifest, mark


def _kept(freeze: Freeze, mark: Mark) -> Kept:
    return Kept(
        seal_number=mark.number,
        seal_hash=mark.hash,
        snapshot_id=freeze.manifest.snapshot_id,
        digests=freeze.digests,
    )


def goes_on_from(frozen: Working | Kept, *, using: str = DEFAULT_DB_ALIAS) -> bool:
    """Whether the database is the one that was frozen, and has only gone on since. One query."""
    seal = Seal.objects.using(using).filter(number=frozen.seal_number, hash=frozen.seal_hash)
    return frozen.seal_number == 0 or seal.exists()


class DatabaseFeed:
    """The rows of the database, known by their primary keys.

    since: only what was written under a later seal, and all declared exposure. using: the
    database to read.
    """

    key_type = "BIGINT"

    def __init__(self, *, since: int | None = None, using: str = DEFAULT_DB_ALIAS) -> None:
        self._connection = connections[using]
        self._since = since
        self._rows: dict[str, QuerySet[Any]] = {
            "implants": Implant.objects.using(using),
            "events": Event.objects.using(using),
            "exposures": Exposure.objects.using(using),
        }
        self._all = dict(self._rows)
        self._patients: QuerySet[Any] = Patient.objects.using(using)
        if since is not None:
            changed = Patient.history.using(using).filter(seal_number__gt=since).values("id")
            implants = self._rows["implants"].filter(Q(seal__gt=since) | Q(patient__in=changed))
            self._rows["implants"] = implants
            self._rows["events"] = self._rows["events"].filter(seal__gt=since)
            self._patients = self._patients.filter(pk__in=implants.values("patient"))

    def write(self, table: str, path: Path) -> None:
        """Write a table's rows as CSV without a header, in the columns that are fed.

        PostgreSQL writes them itself (COPY). Bit sets come as numbers: the plain column, not the
        set of codes that it stands for.
        """
        named = [name for name in STAGED[table].fed if name != _ACCEPTED_AT]
        columns = [_COLUMNS[table].get(name, F(name)) for name in named]
        statement, parameters = _sql(self._rows[table], columns)
        if table == "events":
            statement, parameters = self._with_acceptances(statement, parameters, named)
        if self._connection.vendor == "postgresql":
            with path.open("wb") as file:
                for block in self._copied(statement, parameters, "csv"):
                    file.write(block)
        else:
            write_rows(self._fetched(statement, parameters), path)

    def _with_acceptances(
        self, statement: str, parameters: Sequence[Any], named: Sequence[str]
    ) -> tuple[str, Sequence[Any]]:
        """A statement of events, with when each was first accepted: history is read once.

        Looked up event by event it takes five times as long. Seals never run backwards in time.
        """
        history = Event.history.using(self._connection.alias).filter(state=State.ACCEPTED)
        if self._since is not None:
            history = history.filter(id__in=self._rows["events"].values("pk"))
        firsts, chosen = _sql(history.values("id").annotate(at=Min("seal__at")), ["id", "at"])
        told = ", ".join(
            "a.at" if name == _ACCEPTED_AT else f"e.{name}" for name in STAGED["events"].fed
        )
        events = f"e({', '.join(named)}) AS ({statement}), a(id, at) AS ({firsts})"
        # Names of this project alone; values go as parameters.
        joined = f"WITH {events} SELECT {told} FROM e LEFT JOIN a ON a.id = e.public_id"  # noqa: S608  # nosec B608
        return joined, [*parameters, *chosen]

    def count(self, table: str) -> int:
        """How many rows the database holds, changed or not; one query."""
        return self._all[table].count()

    def public_ids(
        self, column: str, staging: duckdb.DuckDBPyConnection
    ) -> Iterator[tuple[NDArray[np.int64], bytes]]:
        """The primary keys of all implants, or patients, and their public ids; in chunks."""
        rows = self._patients if column == "patient" else self._rows["implants"]
        statement, parameters = _sql(rows, [F("pk"), F("public_id")])
        if self._connection.vendor == "postgresql":
            yield from _binary_pairs(self._copied(statement, parameters, "binary"))
            return
        fetched = self._fetched(statement, parameters)
        while chunk := list(islice(fetched, _IDS_AT_ONCE)):
            keys, texts = zip(*chunk, strict=True)
            yield np.array(keys, dtype=np.int64), bytes.fromhex("".join(texts))

    def _copied(self, statement: str, parameters: Sequence[Any], form: str) -> Iterator[bytes]:
        with (
            self._connection.cursor() as cursor,
            cursor.cursor.copy(  # Django's own, under DEBUG, takes no parameters
                f"COPY ({statement}) TO STDOUT (FORMAT {form})", parameters
            ) as copy,
        ):
            yield from map(bytes, copy)

    def _fetched(self, statement: str, parameters: Sequence[Any]) -> Iterator[Row]:
        with self._connection.chunked_cursor() as cursor:
            cursor.execute(statement, parameters)
            while chunk := cursor.fetchmany(_CHUNK):
                yield from chunk


_IDS_AT_ONCE = 100_000
_BINARY_PAIR = np.dtype(
    [("fields", ">i2"), ("size", ">i4"), ("key", ">i8"), ("length", ">i4"), ("public_id", "V16")]
)
_HEADER = 19
"""COPY BINARY writes so many bytes, then rows of a primary key and a UUID, then two bytes more."""


def _binary_pairs(blocks: Iterator[bytes]) -> Iterator[tuple[NDArray[np.int64], bytes]]:
    held, skipped = bytearray(), False
    for block in blocks:
        held += block
        if not skipped and len(held) >= _HEADER:
            del held[:_HEADER]
            skipped = True
        if len(held) >= _IDS_AT_ONCE * _BINARY_PAIR.itemsize:
            yield _split_pairs(held)
    if len(held) >= _BINARY_PAIR.itemsize:
        yield _split_pairs(held)


def _split_pairs(held: bytearray) -> tuple[NDArray[np.int64], bytes]:
    """Take all whole rows off the front."""
    size = len(held) // _BINARY_PAIR.itemsize * _BINARY_PAIR.itemsize
    rows = np.frombuffer(bytes(held[:size]), _BINARY_PAIR)
    del held[:size]
    return rows["key"].astype(np.int64), rows["public_id"].tobytes()


def _sql(rows: QuerySet[Any], columns: Sequence[Combinable | str]) -> tuple[str, Sequence[Any]]:
    query = rows.order_by().values_list(*columns).query
    statement: tuple[str, Sequence[Any]] = query.get_compiler(using=rows.db).as_sql()
    return statement
