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
from registry.records.columns import DECLARED
from registry.records.declared import Holds
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
        written = raw
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
        if self._cells is not None and _is_no_row(written, faults):
            self.run.refuse(raw, (_NO_ROW,), key=_key(raw), whole=True)
            return None
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


_NO_ROW = Fault(
    "row",
    "no-row-of-data",
    "no cell of this line can be read, and no number stands in it: leave out lines that name or "
    "explain the columns, totals and notes",
)
_LEAST_UNREAD = 3
_NUMBERS = (Holds.YEAR, Holds.NUMBER)
_OF_ANY_TEXT = (Holds.SITE, Holds.KEY, Holds.TERM)


def _is_no_row(written: RawReport, faults: Iterable[Fault]) -> bool:
    """Whether a line of a file, such as one of units or titles, has no cell that can be read.

    A site, a key and a complication may be any text, and are not looked at.
    """
    columns = DECLARED[written.kind]
    filled = [
        (column, text)
        for column, text in written.values.items()
        if text and column in columns and columns[column].holds not in _OF_ANY_TEXT
    ]
    if len(filled) < _LEAST_UNREAD or not {each.column for each in faults}.issuperset(
        column for column, _text in filled
    ):
        return False
    numbers = [text for column, text in filled if columns[column].holds in _NUMBERS]
    return bool(numbers) and not any(map(str.isdigit, "".join(numbers)))


def _key(raw: RawReport) -> tuple[RowKind, str, str]:
    """The key by which other rows may name this one, even where the row was refused."""
    named = "source_id" if raw.kind is RowKind.EVENT else "implant"
    return raw.kind, raw.values.get("site", ""), raw.values.get(named, "")


def catalogue_names() -> CatalogueNames:
    """The complications by code and name, and their synonyms. Two queries."""
    rows = list(Complication.objects.order_by("code"))
    elsewhere = Synonym.objects.order_by("complication").values_list("complication", "term")
    codes = {folded(f"{row.code} {row.name}"): row.code for row in rows}
    codes |= {folded(f"{row.name} {row.code}"): row.code for row in rows}
    codes |= {folded(row.name): row.code for row in rows}
    codes = with_american(codes | {folded(row.code): row.code for row in rows})
    synonyms: dict[str, tuple[str, ...]] = {}
    named = [(row.code, name) for row in rows for name in row.synonym_list]
    for code, name in (*named, *elsewhere):
        known = synonyms.get(folded(name), ())
        if code not in known:
            synonyms[folded(name)] = (*known, code)
    return CatalogueNames(codes, synonyms)
