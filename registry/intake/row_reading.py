"""From the rows of a file to records: what can be read of each, and every fault of its cells."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from registry.deidentify import (
    event_record,
    exposure_record,
    implant_record,
    record_in_part,
)
from registry.intake.importing import Import
from registry.interchange.cell_reading import CatalogueNames, CellReading
from registry.interchange.site_files import read_rows
from registry.interchange.site_words import SiteWords, with_american
from registry.models import Complication, Synonym
from registry.records import Fault, RawReport, Refusal, RowKind
from registry.records.readings import FileReading
from registry.records.spelling import folded


@dataclass(frozen=True, slots=True)
class WrittenRows:
    """Rows of a file of another form, whose cells are read as those of any file."""

    rows: Iterable[RawReport]


Source = str | Path | BinaryIO | WrittenRows | Iterable[RawReport]


@dataclass(frozen=True, slots=True)
class Wording:
    """How a sender words a file: a mapping of headings and words, and words taken as empty."""

    words: SiteWords = field(default_factory=SiteWords)
    blank: tuple[str, ...] = ()


AS_DOCUMENTED = Wording()
"""No mapping, and no word taken as empty."""

_READERS: Mapping[RowKind, Callable[[RawReport], Any]] = {
    RowKind.IMPLANT: implant_record,
    RowKind.EXPOSURE: exposure_record,
    RowKind.EVENT: event_record,
}


class RowReading:
    """Reads the rows of one source. Rows that were parsed elsewhere are taken as they are."""

    def __init__(self, kind: RowKind, source: Source, run: Import, wording: Wording) -> None:
        self.kind = kind
        self.run = run
        self.found = FileReading()
        self._cells: CellReading | None = None
        if isinstance(source, str | Path | WrittenRows) or hasattr(source, "read"):
            self._cells = CellReading(
                kind,
                terms=catalogue_names() if kind is RowKind.EVENT else CatalogueNames(),
                words=wording.words,
                blank=wording.blank,
                reading=self.found,
            )
        if isinstance(source, WrittenRows):
            self._raws = iter(source.rows)
        elif self._cells is not None:
            self._raws = self._of_file(source, wording.words.headings)
        else:
            self._raws = iter(cast(Iterable[RawReport], source))

    def __iter__(self) -> Iterator[RawReport]:
        return self._raws

    def record(self, raw: RawReport) -> tuple[RawReport, Any] | None:
        """A row and its record. Of a row with faults, what can be judged all the same.

        The faults go to the import, and the row says which columns are unread. None where its site
        or too much else is unread.
        """
        faults: list[Fault] = []
        if self._cells is not None:
            raw, unmeant = self._cells.read(raw)
            faults += unmeant
        try:
            record = _READERS[self.kind](raw)
        except Refusal as refusal:
            faults += [fault for fault in refusal.faults if fault.column not in raw.unread]
        else:
            if not faults:
                return raw, record
        part, unread = record_in_part(raw)
        self.run.refuse(raw, faults, key=_key(raw) if part is None else None, whole=True)
        return None if part is None else (replace(raw, unread=unread), part)

    def _of_file(self, source: Any, headings: Mapping[str, str]) -> Iterator[RawReport]:
        name = None
        if not isinstance(source, str | Path):
            source = cast(BinaryIO, source)
            name = Path(getattr(source, "name", "") or self.kind.value).name
        return read_rows(
            source,
            self.kind,
            name=name,
            on_fault=self.run.note,
            headings=headings,
            reading=self.found,
        )


def _key(raw: RawReport) -> tuple[RowKind, str, str]:
    """The key by which other rows may name this one, even where the row was refused."""
    named = "source_id" if raw.kind is RowKind.EVENT else "implant"
    return raw.kind, raw.values.get("site", ""), raw.values.get(named, "")


def catalogue_names() -> CatalogueNames:
    """The complications by code and name, and their synonyms. Two queries."""
    rows = list(Complication.objects.order_by("code"))
    elsewhere = Synonym.objects.order_by("complication").values_list("complication", "term")
    codes = {folded(row.name): row.code for row in rows}
    codes = with_american(codes | {folded(row.code): row.code for row in rows})
    synonyms: dict[str, tuple[str, ...]] = {}
    named = [(row.code, name) for row in rows for name in row.synonym_list]
    for code, name in (*named, *elsewhere):
        known = synonyms.get(folded(name), ())
        if code not in known:
            synonyms[folded(name)] = (*known, code)
    return CatalogueNames(codes, synonyms)
