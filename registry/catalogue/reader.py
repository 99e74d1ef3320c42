"""Reads the catalogue files as typed entries that agree with each other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType

from registry.catalogue.table import CatalogueFault, CatalogueRow, read_rows
from registry.vocabulary import (
    Component,
    Denominator,
    Evidence,
    ImdrfRelation,
    ImdrfRole,
    Origin,
    PublishedMeasure,
    StudiedAges,
    TermLanguage,
    Therapy,
)

__all__ = [
    "Catalogue",
    "CatalogueFault",
    "CategoryEntry",
    "ComplicationEntry",
    "ImdrfCodeEntry",
    "PublishedRateEntry",
    "SynonymEntry",
    "read_catalogue",
]

SHIPPED = Path(__file__).parent
CATEGORIES = "categories.csv"
COMPLICATIONS = "complications.csv"
PUBLISHED_RATES = "published_rates.csv"
SYNONYMS = "synonyms.csv"
IMDRF_CODES = "imdrf_codes.csv"
VERSION = "VERSION"

CATEGORY_COLUMNS = ("code", "name", "definition", "natural_denominator", "sort_order")
COMPLICATION_COLUMNS = (
    "code",
    "name",
    "category",
    "definition",
    "synonyms",
    "origin",
    "clock",
    "natural_denominator",
    "in_totals",
    "imdrf_annex_a",
    "imdrf_annex_e",
    "citations",
    "evidence",
    "core_group",
)
RETIREMENT_COLUMNS = ("retired", "replaced_by")
PUBLISHED_RATE_COLUMNS = (
    "rate_id",
    "complication_code",
    "category_code",
    "metric",
    "measure_type",
    "numerator",
    "denominator",
    "unit",
    "reported_rate",
    "ci95",
    "population",
    "age_group",
    "therapy",
    "source",
    "confidence",
    "shown",
    "note",
)
SYNONYM_COLUMNS = ("complication", "language", "term")
IMDRF_CODE_COLUMNS = ("complication", "annex", "imdrf_code", "imdrf_term", "relation", "role")


@dataclass(frozen=True, slots=True)
class CategoryEntry:
    """One category: what its complications share, and what their joint rate divides by."""

    code: str
    name: str
    definition: str
    natural_denominator: Denominator
    sort_order: int


@dataclass(frozen=True, slots=True)
class ComplicationEntry:
    """One complication: its definition, its clock, and its sources.

    A retired complication keeps its events and takes no new ones; `replaced_by` is its successor.
    Empty IMDRF codes and core group are empty strings.
    """

    code: str
    name: str
    category: str
    definition: str
    synonyms: tuple[str, ...]
    origin: Origin
    clock: Component
    natural_denominator: Denominator
    in_totals: bool
    imdrf_annex_a: str
    imdrf_annex_e: str
    citations: tuple[str, ...]
    evidence: Evidence
    core_group: str
    retired: bool
    replaced_by: str | None


@dataclass(frozen=True, slots=True)
class PublishedRateEntry:
    """One number from the literature, as printed: about a complication, a category, or all.

    numerator, denominator: in `unit`s, None where the source does not give them. `shown` is False
    for numbers not comparable with a rate of this registry; the note says why.
    """

    rate_id: str
    complication_code: str | None
    category_code: str | None
    metric: str
    measure_type: PublishedMeasure
    numerator: int | float | None
    denominator: int | float | None
    unit: str
    reported_rate: str
    ci95: str
    population: str
    age_group: StudiedAges
    therapy: Therapy
    source: str
    confidence: str
    shown: bool
    note: str


@dataclass(frozen=True, slots=True)
class SynonymEntry:
    """Another name of a complication, in one language; search reads it."""

    complication: str
    language: TermLanguage
    term: str


@dataclass(frozen=True, slots=True)
class ImdrfCodeEntry:
    """A term of the IMDRF terminologies (N43) and how it relates to a complication.

    annex: A, a medical device problem; E, a clinical sign, symptom or condition.
    """

    complication: str
    annex: str
    code: str
    term: str
    relation: ImdrfRelation
    role: ImdrfRole


@dataclass(frozen=True)
class Catalogue:
    """A whole catalogue, in the order of its files; equal versions hold equal content."""

    version: str
    categories: tuple[CategoryEntry, ...]
    complications: tuple[ComplicationEntry, ...]
    published_rates: tuple[PublishedRateEntry, ...]
    synonyms: tuple[SynonymEntry, ...]
    imdrf_codes: tuple[ImdrfCodeEntry, ...]

    @cached_property
    def by_code(self) -> Mapping[str, ComplicationEntry]:
        """The complications by their codes, retired ones included."""
        return MappingProxyType({entry.code: entry for entry in self.complications})


def read_catalogue(folder: Path | None = None) -> Catalogue:
    """Read the shipped catalogue, once a process, or the one in a folder; check its consistency.

    The version is the number in VERSION and the first 12 hex digits of the SHA-256 of categories,
    complications, published rates, synonyms and IMDRF codes, one after the other. Raises
    CatalogueFault on the first fault, OSError where a file cannot be read.
    """
    return _shipped() if folder is None else _read(folder)


@cache
def _shipped() -> Catalogue:
    return _read(SHIPPED)


def _read(folder: Path) -> Catalogue:
    files = (CATEGORIES, COMPLICATIONS, PUBLISHED_RATES, SYNONYMS, IMDRF_CODES)
    contents = {file: (folder / file).read_bytes() for file in files}
    number = (folder / VERSION).read_text(encoding="utf-8").strip()
    if not number:
        raise CatalogueFault(VERSION, 1, "", "is empty; give the catalogue a number.")
    digest = hashlib.sha256(b"".join(contents.values())).hexdigest()
    categories = read_categories(contents[CATEGORIES])
    complications = read_complications(contents[COMPLICATIONS], categories=categories)
    return Catalogue(
        version=f"{number}-{digest[:12]}",
        categories=categories,
        complications=complications,
        published_rates=read_published_rates(
            contents[PUBLISHED_RATES], categories=categories, complications=complications
        ),
        synonyms=read_synonyms(contents[SYNONYMS], complications=complications),
        imdrf_codes=read_imdrf_codes(contents[IMDRF_CODES], complications=complications),
    )


def read_categories(content: bytes) -> tuple[CategoryEntry, ...]:
    """The categories; codes are unique."""
    rows = list(read_rows(CATEGORIES, content, required=CATEGORY_COLUMNS))
    check_unique(rows, "code")
    return tuple(
        CategoryEntry(
            code=row.code("code"),
            name=row.required("name"),
            definition=row.required("definition"),
            natural_denominator=row.member("natural_denominator", Denominator),
            sort_order=row.whole_number("sort_order"),
        )
        for row in rows
    )


def read_complications(
    content: bytes, *, categories: Iterable[CategoryEntry]
) -> tuple[ComplicationEntry, ...]:
    """The complications; codes are unique, categories and replacements exist."""
    rows = list(
        read_rows(
            COMPLICATIONS, content, required=COMPLICATION_COLUMNS, optional=RETIREMENT_COLUMNS
        )
    )
    check_unique(rows, "code")
    known = {category.code for category in categories}
    for row in rows:
        if row.code("category") not in known:
            raise row.fault("category", f"is no category of {CATEGORIES}.")
    entries = tuple(complication_entry(row) for row in rows)
    check_replacements(rows, entries)
    return entries


def complication_entry(row: CatalogueRow) -> ComplicationEntry:
    """One complication from its line; without retirement columns it is not retired."""
    return ComplicationEntry(
        code=row.code("code"),
        name=row.required("name"),
        category=row.code("category"),
        definition=row.required("definition"),
        synonyms=row.several("synonyms", ";"),
        origin=row.member("origin", Origin),
        clock=row.member("clock", Component),
        natural_denominator=row.member("natural_denominator", Denominator),
        in_totals=row.yes("in_totals"),
        imdrf_annex_a=row.text("imdrf_annex_a"),
        imdrf_annex_e=row.text("imdrf_annex_e"),
        citations=row.several("citations", " | "),
        evidence=row.member("evidence", Evidence),
        core_group=row.text("core_group"),
        retired=row.yes("retired") if row.text("retired") else False,
        replaced_by=row.optional_code("replaced_by"),
    )


def check_replacements(rows: list[CatalogueRow], entries: tuple[ComplicationEntry, ...]) -> None:
    """Check that only retired complications are replaced, by existing ones, without circles."""
    by_code = {entry.code: entry for entry in entries}
    for row, entry in zip(rows, entries, strict=True):
        if entry.replaced_by is None:
            continue
        if not entry.retired:
            raise row.fault("replaced_by", "is given but the complication is not retired.")
        if entry.replaced_by not in by_code:
            raise row.fault("replaced_by", f"is no complication of {COMPLICATIONS}.")
        seen = {entry.code}
        step: str | None = entry.replaced_by
        while step is not None:
            if step in seen:
                raise row.fault("replaced_by", "leads round in a circle; end it at one in use.")
            seen.add(step)
            step = by_code[step].replaced_by if step in by_code else None


def read_published_rates(
    content: bytes,
    *,
    categories: Iterable[CategoryEntry],
    complications: Iterable[ComplicationEntry],
) -> tuple[PublishedRateEntry, ...]:
    """The published numbers; ids are unique and refer to entries of the catalogue."""
    rows = list(read_rows(PUBLISHED_RATES, content, required=PUBLISHED_RATE_COLUMNS))
    check_unique(rows, "rate_id")
    known_complications = {entry.code for entry in complications}
    known_categories = {entry.code for entry in categories}
    for row in rows:
        complication, category = row.text("complication_code"), row.text("category_code")
        if complication and complication not in known_complications:
            raise row.fault("complication_code", f"is no complication of {COMPLICATIONS}.")
        if category and category not in known_categories:
            raise row.fault("category_code", f"is no category of {CATEGORIES}.")
        if complication and category:
            raise row.fault("category_code", "is given beside a complication; keep one of them.")
    return tuple(published_rate_entry(row) for row in rows)


def published_rate_entry(row: CatalogueRow) -> PublishedRateEntry:
    """One published number from its line."""
    return PublishedRateEntry(
        rate_id=row.required("rate_id"),
        complication_code=row.optional_code("complication_code"),
        category_code=row.optional_code("category_code"),
        metric=row.required("metric"),
        measure_type=row.member("measure_type", PublishedMeasure),
        numerator=row.number("numerator"),
        denominator=row.number("denominator"),
        unit=row.required("unit"),
        reported_rate=row.required("reported_rate"),
        ci95=row.text("ci95"),
        population=row.required("population"),
        age_group=row.member("age_group", StudiedAges),
        therapy=row.member("therapy", Therapy),
        source=row.required("source"),
        confidence=row.required("confidence"),
        shown=row.yes("shown"),
        note=row.text("note"),
    )


def read_synonyms(
    content: bytes, *, complications: Iterable[ComplicationEntry]
) -> tuple[SynonymEntry, ...]:
    """The names in every language; unique within complication and language."""
    rows = list(read_rows(SYNONYMS, content, required=SYNONYM_COLUMNS))
    check_complications(rows, complications)
    check_unique(rows, *SYNONYM_COLUMNS)
    return tuple(
        SynonymEntry(
            complication=row.code("complication"),
            language=row.member("language", TermLanguage),
            term=row.required("term"),
        )
        for row in rows
    )


def read_imdrf_codes(
    content: bytes, *, complications: Iterable[ComplicationEntry]
) -> tuple[ImdrfCodeEntry, ...]:
    """The IMDRF terms; unique within a complication, which has one primary term per annex."""
    rows = list(read_rows(IMDRF_CODES, content, required=IMDRF_CODE_COLUMNS))
    check_complications(rows, complications)
    for row in rows:
        if row.required("annex") not in {"A", "E"}:
            raise row.fault("annex", "is neither A nor E.")
    check_unique(rows, "complication", "imdrf_code")
    check_unique(
        [row for row in rows if row.text("role") == ImdrfRole.PRIMARY], "complication", "annex"
    )
    return tuple(
        ImdrfCodeEntry(
            complication=row.code("complication"),
            annex=row.required("annex"),
            code=row.required("imdrf_code"),
            term=row.required("imdrf_term"),
            relation=row.member("relation", ImdrfRelation),
            role=row.member("role", ImdrfRole),
        )
        for row in rows
    )


def check_complications(
    rows: Iterable[CatalogueRow], complications: Iterable[ComplicationEntry]
) -> None:
    """Refuse a line about a complication that the catalogue does not have."""
    known = {entry.code for entry in complications}
    for row in rows:
        if row.code("complication") not in known:
            raise row.fault("complication", f"is no complication of {COMPLICATIONS}.")


def check_unique(rows: Iterable[CatalogueRow], *columns: str) -> None:
    """Refuse the second line with the same key; the fault names the last key column."""
    first: dict[tuple[str, ...], int] = {}
    for row in rows:
        key = tuple(row.required(column) for column in columns)
        line = first.setdefault(key, row.line)
        if line != row.line:
            raise row.fault(columns[-1], f"stands on line {line} already; give each its own.")
