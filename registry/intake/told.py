"""What became of each row of an import: its id, and reports that may be of the same event."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import Q

from registry.intake.drafts import DECLARED_ONCE
from registry.intake.files import ImportSummary, JudgedRecords
from registry.intake.importing import Done
from registry.intake.stored import exposure_columns
from registry.models import DuplicateCandidate, Event, Exposure, Implant
from registry.records import RowKind

AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class ToldRow:
    """One row of an import, in the order sent.

    key: the site's own key, None for declared device time. public_id, version, state: as stored;
    None for a row of a check that is not stored yet (state: events only). alike: the ids of other
    reports of its site that may be of the same event and that nobody has decided on.
    """

    done: Done
    site: str
    key: str | None
    public_id: str | None = None
    version: int | None = None
    state: str | None = None
    alike: tuple[str, ...] = ()


def told_rows(judged: JudgedRecords, summary: ImportSummary, kind: RowKind) -> Iterator[ToldRow]:
    """What became of each row of one kind, in the order sent.

    summary: of the check, or of storing. One query for five hundred rows; two for events.
    """
    done = iter(summary.done[kind])
    records = (record for rows in judged.records[kind].batches(kind) for _raw, record in rows)
    find = {RowKind.EVENT: _events, RowKind.IMPLANT: _implants, RowKind.EXPOSURE: _exposures}[kind]
    while batch := list(islice(records, AT_A_TIME)):
        for one, row in zip(batch, find(batch), strict=True):
            yield ToldRow(Done(next(done)), one.site, **row)


def _events(records: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    """The stored events of these records."""
    found = by_key(Event.objects, records, "source_id", "state")
    alike = _alike([row["pk"] for row in found.values()])
    for record in records:
        row = found.get((record.site, record.source_id))
        beside: dict[str, Any] = {}
        if row is not None:
            beside = {"state": row["state"], "alike": alike.get(row["pk"], ())}
        yield {"key": record.source_id, **as_stored(row), **beside}


def _implants(records: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    """The stored implants of these records."""
    found = by_key(Implant.objects, records, "implant")
    for record in records:
        yield {"key": record.implant, **as_stored(found.get((record.site, record.implant)))}


def _exposures(records: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    """The stored declarations of these records."""
    years: dict[str, set[int]] = {}
    for record in records:
        years.setdefault(record.site, set()).add(record.year)
    wanted = Q(pk__in=[])
    for site, some in years.items():
        wanted |= Q(site__code=site, year__in=some)
    rows = Exposure.objects.filter(wanted).values(
        "site__code", "public_id", "version", *DECLARED_ONCE
    )
    found = {(row["site__code"], *(row[name] for name in DECLARED_ONCE)): row for row in rows}
    for record in records:
        columns = exposure_columns(record)
        key = record.site, *(columns[name] for name in DECLARED_ONCE)
        yield {"key": None, **as_stored(found.get(key))}


def by_key(
    rows: Any, records: Sequence[Any], named: str, *columns: str
) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The stored ones of records by site and key, which is named so in a record. One query."""
    keys: dict[str, set[str]] = {}
    for record in records:
        keys.setdefault(record.site, set()).add(getattr(record, named))
    wanted = Q(pk__in=[])
    for site, some in keys.items():
        wanted |= Q(site__code=site, source_id__in=some)
    names = ("pk", "site__code", "source_id", "public_id", "version", *columns)
    found = rows.filter(wanted).values(*names)
    return {(row["site__code"], row["source_id"]): row for row in found}


def as_stored(row: Mapping[str, Any] | None) -> dict[str, Any]:
    """The id and the version of a stored row; nothing where there is none."""
    if row is None:
        return {}
    return {"public_id": str(row["public_id"]), "version": row["version"]}


def _alike(pks: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """The ids of the open pairs' other reports, by event."""
    found: dict[int, list[str]] = {}
    pairs = DuplicateCandidate.objects.open().filter(Q(first__in=pks) | Q(second__in=pks))
    names = ("first_id", "first__public_id", "second_id", "second__public_id")
    for first, first_id, second, second_id in pairs.order_by("pk").values_list(*names):
        found.setdefault(first, []).append(str(second_id))
        found.setdefault(second, []).append(str(first_id))
    return {pk: tuple(ids) for pk, ids in found.items()}
