"""Reads the cells of a site's file as what they mean, or says what stands in the way.

Codes by any spelling, label or name; a site's own words; codes turned into dates; lists by any
separator; words for "nothing recorded". What is left is for de-identification to read or refuse.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from registry.interchange.site_words import SiteWords, codes_of, plain_word
from registry.interchange.turned_dates import looks_turned, ranges_of, turned_back
from registry.records import Fault, RawReport, RowKind
from registry.records.columns import DECLARED, OF_PATIENTS
from registry.records.declared import Holds, RowColumn
from registry.records.numerals import whole_number, without_point_zero
from registry.records.readings import FileReading, ReadAs
from registry.records.spelling import SITE_CODE, folded

_EMPTY_WORDS = """
    #N/A;NA;n/a;#N/V;NaN;NaT;null;none;nil;missing;unknown;unk;not known;not available;
    not applicable;not recorded;not reported;not done;no data;no value;empty;blank;N.D.;N.R.;
    k.A.;keine Angabe;nicht bekannt;nicht erhoben;nicht vorhanden;unbekannt;entfällt;leer;
    inconnu;non renseigné;non disponible;s/o;onbekend;n.v.t.;niet bekend;desconocido;sin dato;
    sconosciuto;non noto;desconhecido;#NV;NVT;<NA>;ukjent;ukendt;okänd;nieznane;brak danych;brak
"""
MISSING_DATA_CODES = (
    *("NI", "NA", "UNK", "NASK", "ASKU", "NAV", "NAVU", "MSK", "-9", "-99", "-999", "-9999"),
    *("-8", "-88", "-888", "-7", "-77", "-777"),
)
"""Codes for "nothing recorded" of projects in REDCap and files of SPSS: HL7's, and numbers."""

EMPTY_WORDS: Mapping[str, str] = {
    folded(word): word.strip()
    for word in (*_EMPTY_WORDS.split(";"), *MISSING_DATA_CODES)
    if word.strip() and not word.startswith("-")
}
"""Words by which systems say that nothing is recorded, by their folded form. A code comes first."""

_SPREADSHEET_ERROR = re.compile(
    r"#(REF|VALUE|DIV/0|NAME|NUM|NULL|BEZUG|WERT|ZAHL|NOM|VALEUR|NOMBRE|RIF|VALORE|¡REF|¡VALOR)[!?]",
    re.IGNORECASE,
)
"""As spreadsheets write them in English, German, French, Italian and Spanish."""

_TOO_NARROW = re.compile("#{2,}")
"""What stands for a value in a column that is too narrow: it is there, and not empty."""

_AROUND = re.compile(
    "^[\\s\\u200b-\\u200f\\u202a-\\u202e\\u2060\\ufeff]+"
    "|[\\s\\u200b-\\u200f\\u202a-\\u202e\\u2060\\ufeff]+$"
)
"""Blanks and marks of no width or of direction, as they come with text that was copied."""

_APOSTROPHES = ("'", "\N{LEFT SINGLE QUOTATION MARK}", "\N{RIGHT SINGLE QUOTATION MARK}")
"""By which spreadsheets say that a cell is text, and databases quote it; exports keep them."""

_ANOTHER_THING = re.compile(r"^-\s*[0-9]|[?<~\u00ac\u00b1\u2248\u2260\u2264\u2265]")
"""What makes of a code that it is not sure, not it, or a number of its own."""

_ONLY_SIGNS = re.compile("[-\\s_'?.!/\\\\*:,()\\[\\]\u00b7\u2010-\u2015\u2018\u2019\u2026\u2212]+")
"""Marks that say nothing. Others say something: a plus, a tick or a cross, a ditto mark."""

_SEPARATORS = re.compile(r"[;,|\n\r\t\uff0c\uff1b\u3001]+")
_DIGIT = re.compile(r"[0-9]")
_DASH = "\N{EN DASH}"
"""What spreadsheets and word processors make of the hyphen of a range."""

_FOUR_DIGITS = (1_000, 9_999)
"""What a year may be as a number; later rules know more."""

_MOST_REMEMBERED = 4_096


@dataclass(frozen=True, slots=True)
class CatalogueNames:
    """The complications by folded code and name, and the codes that have a synonym.

    A synonym is not read: several coders mean several things by it. Its codes are told.
    """

    codes: Mapping[str, str] = field(default_factory=dict)
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class _Refused(Exception):
    """A cell that cannot be read: the fault's code and how to mend it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


Meaning = tuple[str, ReadAs | None]
"""What a cell means, as text, and the way in which it was read where that differs."""


class CellReading:
    """Reads rows of one kind, and counts what it read differently from how it was written.

    kind: None for patients. terms: the names of complications. words: the site's mapping. blank:
    words that the sender takes as empty.
    """

    def __init__(
        self,
        kind: RowKind | None,
        *,
        terms: CatalogueNames,
        words: SiteWords,
        blank: Iterable[str],
        reading: FileReading,
    ) -> None:
        self.reading = reading
        empty = {each.strip().casefold() for each in blank}
        self._columns: dict[str, _ColumnReading] = {
            name: _ColumnReading(
                column,
                terms=terms,
                words=words.words.get(name, {}),
                blank=empty,
                met=reading.words_for_empty,
            )
            for name, column in (OF_PATIENTS if kind is None else DECLARED[kind]).items()
        }

    def read(self, raw: RawReport) -> tuple[RawReport, tuple[Fault, ...]]:
        """A row with its cells as they are meant, and the faults of those that cannot be told.

        The columns of the faults are `unread` in the row, and empty.
        """
        changed, faults = self.changed(raw.values)
        if not changed:
            return raw, ()
        unread = frozenset(fault.column for fault in faults)
        return replace(raw, values={**raw.values, **changed}, unread=unread), tuple(faults)

    def changed(self, values: Mapping[str, str]) -> tuple[dict[str, str], list[Fault]]:
        """The cells that mean another text than theirs, and the faults of those without one."""
        changed: dict[str, str] = {}
        faults: list[Fault] = []
        for name, text in values.items():
            column = self._columns.get(name)
            if not text or column is None:
                continue
            meaning = column.seen.get(text)
            try:
                meant, way = meaning or column.meaning(text)
            except _Refused as refused:
                faults.append(Fault(name, refused.code, refused.detail))
                changed[name] = ""
                continue
            if way is not None:
                changed[name] = meant
                self.reading.counts[way] += 1
        return changed, faults


class _ColumnReading:
    """Reads the cells of one column, each text once."""

    def __init__(
        self,
        column: RowColumn,
        *,
        terms: CatalogueNames,
        words: Mapping[str, str],
        blank: set[str],
        met: set[str],
    ) -> None:
        self.column = column
        self.blank = blank
        self.met = met
        self.synonyms = terms.synonyms
        self.codes = terms.codes if column.holds is Holds.TERM else codes_of(column)
        self.exact = set(self.codes.values())
        self.words = {
            plain_word(word): self.codes.get(folded(code), code) for word, code in words.items()
        }
        self.range = (column.whole.least, column.whole.most) if column.whole else _FOUR_DIGITS
        self.ranges = ranges_of(sorted(self.exact)) if column.holds is Holds.CODE else {}
        self._read = _READERS.get(column.holds, _ColumnReading._code)
        self.seen: dict[str, Meaning] = {}

    def meaning(self, text: str) -> Meaning:
        """What a cell means; remembered in `seen`, but for keys. Raises _Refused."""
        bare = _bare(text)
        if bare != text:
            meant, way = self.meaning(bare)
            return meant, way or ReadAs.BARE
        is_key = self.column.holds is Holds.KEY and not self.blank
        if is_key and _DIGIT.search(text) and text not in MISSING_DATA_CODES:
            return text, None  # no other word for "nothing recorded" has a digit
        found = self._meaning(text)
        if len(self.seen) < _MOST_REMEMBERED:
            self.seen[text] = found
        return found

    def _meaning(self, text: str) -> Meaning:
        plain = plain_word(text)
        if plain in self.words:
            return self.words[plain], ReadAs.TRANSLATED
        if text in self.exact:
            return text, None
        if folded(text) not in self.codes and not self._is_part(text):
            if _SPREADSHEET_ERROR.fullmatch(text.strip()):
                raise _Refused(
                    "spreadsheet-error",
                    "this is an error that a spreadsheet shows in place of a value; mend its "
                    "formula there, or empty the cell",
                )
            if _TOO_NARROW.fullmatch(text.strip()):
                raise _Refused(
                    "spreadsheet-error",
                    "a spreadsheet shows these marks where a column is too narrow for its value; "
                    "widen the column there, and save the file again",
                )
            if plain in self.blank:
                return "", ReadAs.EMPTY
            word = _empty_word(text)
            if word:
                if folded(word) and folded(word) in map(folded, self.blank):
                    return "", ReadAs.EMPTY
                self.met.add(word)
                raise _Refused(
                    "word-for-empty",
                    f"the word {word} is no answer of this column: leave the cell empty where "
                    "nothing is recorded, or have this word taken as empty",
                )
        return self._read(self, text)

    def _is_part(self, text: str) -> bool:
        return self.column.holds is Holds.CODES and any(
            folded(part) in self.codes for part in _SEPARATORS.split(text)
        )

    def _spelled(self, text: str) -> str | None:
        """The code that a text spells; none where a sign makes another thing of it: `<3`, `3?`."""
        return None if _ANOTHER_THING.search(text) else self.codes.get(folded(text))

    def _code(self, text: str) -> Meaning:
        code = self._spelled(text)
        if code is not None:
            dashed = _DASH in text and code in self.ranges.values()
            return code, ReadAs.DATED if dashed else ReadAs.SPELLED
        if self.ranges and looks_turned(text):
            turned = turned_back(text, self.ranges)
            if turned is None:
                raise _Refused(
                    "turned-into-a-date",
                    "this is a date; where a spreadsheet made it of a code such as "
                    f"{_like_a_date(self.ranges)}, format the column as text and enter "
                    "the code again",
                )
            return turned, ReadAs.DATED
        return text, None

    def _several(self, text: str) -> Meaning:
        code = self._spelled(text)
        if code is not None:
            return code, ReadAs.SPELLED
        parts = [part.strip() for part in _SEPARATORS.split(text) if part.strip()]
        codes = [self.words.get(plain_word(part)) or self._spelled(part) or part for part in parts]
        joined = ";".join(codes)
        if codes != parts:
            return joined, ReadAs.SPELLED
        return (joined, ReadAs.SPLIT) if joined != text else (text, None)

    def _term(self, text: str) -> Meaning:
        name = folded(text)
        if code := self._spelled(text):
            return code, ReadAs.SPELLED
        if name in self.synonyms:
            meant = " or ".join(self.synonyms[name])
            raise _Refused(
                "unknown-code", f"this is another name of {meant} in the catalogue; use the code"
            )
        return text, None

    def _number(self, text: str) -> Meaning:
        whole = whole_number(text, *self.range)
        if whole != text:
            return whole, ReadAs.WHOLE if whole == without_point_zero(text) else ReadAs.GROUPED
        if self.column.holds is Holds.GRADE:
            return self._code(text)
        return text, None

    def _site(self, text: str) -> Meaning:
        code = re.sub(r"[\s_\u2010-\u2015\u2212]+", "-", text).upper()
        if code != text and SITE_CODE.fullmatch(code) is not None:
            return code, ReadAs.SPELLED
        return text, None

    def _key(self, text: str) -> Meaning:
        return text, None


_READERS: Mapping[Holds, Callable[[_ColumnReading, str], Meaning]] = {
    Holds.SITE: _ColumnReading._site,
    Holds.KEY: _ColumnReading._key,
    Holds.TERM: _ColumnReading._term,
    Holds.YEAR: _ColumnReading._number,
    Holds.NUMBER: _ColumnReading._number,
    Holds.GRADE: _ColumnReading._number,
    Holds.CODES: _ColumnReading._several,
}


def _bare(text: str) -> str:
    """A cell without invisible marks around it, and without the apostrophes of plain text."""
    if text[0].isalnum() and text[-1].isalnum():
        return text
    bare = _AROUND.sub("", text)
    if bare[:1] in _APOSTROPHES and len(bare) > 1:
        bare = bare[1:-1] if bare[-1] in _APOSTROPHES else bare[1:]
    return bare.strip() if any(map(str.isalnum, bare)) else text


def _like_a_date(ranges: Mapping[tuple[int, int], str]) -> str:
    """A code of the list that spreadsheets take for a day of a month."""
    return next(code for (month, day), code in ranges.items() if 0 < month <= 12 and day <= 31)


def _empty_word(text: str) -> str:
    """The word for "nothing recorded" that a cell holds, as it stands in our list."""
    if text in MISSING_DATA_CODES or (len(text) <= 5 and _ONLY_SIGNS.fullmatch(text)):
        return text
    return EMPTY_WORDS.get(folded(text), "")
