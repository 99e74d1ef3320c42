"""A site's own rows in the format of its files, streamed; every export is logged."""

from collections.abc import Iterator, Mapping
from typing import Any

from registry.intake.stored import (
    EVENT_COLUMNS,
    EXPOSURE_COLUMNS,
    IMPLANT_COLUMNS,
    event_record_of,
    exposure_record_of,
    implant_record_of,
    texts_of,
)
from registry.models import AccessLog, Event, Exposure, Implant, Site, User
from registry.records import Fault, RowKind, UnknownRow
from registry.records.columns import DECLARED
from registry.vocabulary import State

__all__ = ["export_rows", "site_to_export"]

_AT_A_TIME = 2_000
_GONE = (State.WITHDRAWN.value,)
"""States of events that are no longer the site's report."""

_TABLES: Mapping[RowKind, tuple[Any, tuple[str, ...], Any]] = {
    RowKind.IMPLANT: (Implant, IMPLANT_COLUMNS, implant_record_of),
    RowKind.EXPOSURE: (Exposure, EXPOSURE_COLUMNS, exposure_record_of),
    RowKind.EVENT: (Event, EVENT_COLUMNS, event_record_of),
}


def site_to_export(code: str, *, by: User) -> Site:
    """The site of that code, if the reader sees its rows; UnknownRow otherwise."""
    site = Site.objects.visible_to(by).filter(code=code).first()
    if site is None:
        raise UnknownRow(Fault("site", "not-found", "you see no rows of a site with this code"))
    return site


def export_rows(site: Site, kind: RowKind, *, by: User) -> Iterator[list[str]]:
    """The header and the rows of one kind of a site, as texts, as `import_csv` takes them.

    Importing them again changes nothing. Left out are withdrawn events, and events without a key
    of the site, which no file could name. Memory: some thousand rows. One query, and one for the
    number of rows, which is logged before the first row is given.

    Raises UnknownRow where the reader does not see the site's rows.
    """
    site = site_to_export(site.code, by=by)
    model, names, record_of = _TABLES[kind]
    rows = model.objects.at(site).order_by("pk")
    if kind is RowKind.EVENT:
        rows = rows.exclude(state__in=_GONE).exclude(source_id="")
    what = f"{kind.value} of {site.code}"
    AccessLog.objects.create(user=by, action="export", what=what, count=rows.count())
    return _lines(kind, rows.values(*names).iterator(chunk_size=_AT_A_TIME), record_of)


def _lines(kind: RowKind, rows: Iterator[Mapping[str, Any]], record_of: Any) -> Iterator[list[str]]:
    columns = list(DECLARED[kind])
    yield columns
    for row in rows:
        texts = texts_of(record_of(row))
        yield [texts[name] for name in columns]
