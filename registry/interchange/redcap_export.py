"""REDCap's raw CSV export as rows of ours.

Codes as they are stored, a column for each box of a checkbox field
(`seriousness___hospitalisation`, 0 or 1), one more for each missing data code of the project,
repeating instruments as lines of their own.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from registry.interchange.cell_reading import MISSING_DATA_CODES
from registry.interchange.csv_rows import CsvTable, wrong_number_of_cells
from registry.interchange.decoding import open_file
from registry.interchange.headers import refused_names
from registry.interchange.redcap import FORMS, RECORD_ID, field_name
from registry.records import (
    Fault,
    IdentifierFound,
    RawReport,
    Refusal,
    RowKind,
    RowRuleBroken,
    refusal_of,
)
from registry.records.columns import DECLARED, unknown_names
from registry.records.declared import Holds

_OF_THE_RECORD = frozenset(
    {
        *(RECORD_ID, "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"),
        *("redcap_data_access_group", "redcap_survey_identifier"),
        *(f"{form}_timestamp" for form in FORMS.values()),
    }
)
_TELLING: Mapping[RowKind, frozenset[str]] = {
    RowKind.IMPLANT: frozenset({"patient", "implant_year", "months_followed"}),
    RowKind.EXPOSURE: frozenset({"devices", "component_months"}),
    RowKind.EVENT: frozenset({"source_id", "complication"}),
}
"""Columns of one kind alone, by which a line without an instrument's name is known."""

_BOXES: Mapping[str, bool] = {
    **dict.fromkeys(("1", "1.0", "checked", "true"), True),
    **dict.fromkeys(("", "0", "0.0", "unchecked", "false"), False),
}
"""What stands in the column of a box: raw, from pandas, as a label, and from R."""

_MOST_TOLD = 200

Field = tuple[str, str]
"""A column, and the code of its box where it is one of a checkbox field."""


class RedcapExport:
    """A raw export: the kinds of rows that its fields are of, and the rows of each.

    Raises Refusal for a file that cannot be read, has fields that are neither ours nor REDCap's
    own, or lines of which something would be lost; IdentifierFound where a field names a person or
    a device.
    """

    def __init__(self, path: str | Path) -> None:
        self.name = str(path)
        with open_file(path) as stream:
            table = CsvTable(stream, self.name)
            splits = [line for line in table.candidates() if line.line == 1]
            table.detach()
        if not splits:
            detail = "this file is empty; its first line names the fields"
            raise Refusal(Fault("header", "empty-file", detail, 1, self.name))
        best = max(splits, key=lambda line: len(line.cells))
        self.delimiter = best.delimiter
        self.headings = [heading.strip().lower() for heading in best.cells]
        self._fields = {kind: _fields(kind, self.headings) for kind in RowKind}
        self._all_fields = {
            heading: field for fields in self._fields.values() for heading, field in fields.items()
        }
        self._refuse_unknown()
        if lost := tuple(islice(self._lost(), _MOST_TOLD)):
            raise refusal_of(lost, otherwise=Refusal)

    @property
    def kinds(self) -> tuple[RowKind, ...]:
        """The kinds that have a row in this export."""
        return tuple(kind for kind in RowKind if next(self.reports(kind), None) is not None)

    def reports(self, kind: RowKind) -> Iterator[RawReport]:
        """The rows of one kind, with their lines. Memory: one row.

        Raises RowRuleBroken for a line with a wrong number of cells or an open quotation mark.
        """
        for line, row in self._lines():
            values = self._values(kind, row)
            if values is not None:
                yield RawReport(kind, values, line, self.name)

    def _lines(self) -> Iterator[tuple[int, dict[str, str]]]:
        """The lines that hold something, each with its cells by field."""
        with open_file(self.name) as stream:
            table = CsvTable(stream, self.name)
            for line, cells in table.rows(self.delimiter, 1, _refuse):
                if not any(map(str.strip, cells)):
                    continue
                if len(cells) != len(self.headings):
                    width = len(self.headings)
                    _refuse(wrong_number_of_cells(len(cells), width, line, self.name))
                named = list(zip(self.headings, map(str.strip, cells), strict=True))
                if any(text and not heading for heading, text in named):
                    _refuse(Fault("row", "nameless-column", _NAMELESS, line, self.name))
                yield line, dict(named)
            table.detach()

    def _lost(self) -> Iterator[Fault]:
        """The fields of each line that would not be stored: of boxes all, of no row the first."""
        for line, row in self._lines():
            taken = {
                heading
                for kind, fields in self._fields.items()
                if self._values(kind, row) is not None
                for heading in fields
            }
            for heading, (_column, code) in self._all_fields.items():
                filled = _BOXES.get(row[heading].lower()) if code else bool(row[heading])
                if filled is None:
                    yield Fault(heading, "unknown-code", _NO_BOX, line, self.name)
                elif filled and heading not in taken:
                    yield Fault(heading, "field-of-no-row", _NO_ROW, line, self.name)
                    break

    def _values(self, kind: RowKind, row: Mapping[str, str]) -> dict[str, str] | None:
        """What a line says of a kind; None where it is a line of another one."""
        instrument = row.get("redcap_repeat_instrument", "").strip().lower().replace(" ", "_")
        if instrument and instrument != FORMS[kind]:
            return None
        values: dict[str, str] = {}
        ticked: dict[str, list[str]] = {}
        for heading, (column, code) in self._fields[kind].items():
            if not code:
                values[column] = row[heading]
            elif _BOXES.get(row[heading].lower()):
                ticked.setdefault(column, []).append(code)
        values |= {column: ";".join(codes) for column, codes in ticked.items()}
        is_of_kind = any(values.get(column) for column in _TELLING[kind])
        return values if instrument or is_of_kind else None

    def _refuse_unknown(self) -> None:
        ours = self._all_fields.keys()
        own = ours | _OF_THE_RECORD
        named = [
            "complication"
            if not heading or heading in own or heading.endswith("_complete")
            else heading
            for heading in self.headings
        ]
        known = {field_name(kind, column) for kind in RowKind for column in DECLARED[kind]}
        faults = unknown_names(named, known=frozenset(known), what="our instruments")
        if not ours:  # the first line may be one of values: none of it is told
            detail = "no field of this file is of our instruments; see redcap_dictionary"
            identifying = tuple(each for each in faults if each.code == IdentifierFound.code)
            faults = identifying or (Fault("header", "no-header", detail),)
        for heading in dict.fromkeys(each for each in ours if self.headings.count(each) > 1):
            faults += (Fault(heading, "repeated-column", "this field stands twice"),)
        if faults:
            raise refused_names(faults, 1, self.name)


def _fields(kind: RowKind, headings: Sequence[str]) -> dict[str, Field]:
    """The fields of one kind among the headings: by our field names, else by our columns' names."""
    named: dict[str, Field] = {}
    for name, column in DECLARED[kind].items():
        for field in dict.fromkeys((field_name(kind, name), name)):
            found = {field: (name, "")}
            if column.holds is Holds.CODES:
                codes = (*MISSING_DATA_CODES, *(str(member.value) for member in column.members))
                found = {
                    f"{field}___{_NO_NAME.sub('_', code.lower())}": (name, code) for code in codes
                }
            if not found.keys().isdisjoint(headings):
                named |= found
                break
    return {heading: named[heading] for heading in headings if heading in named}


_NO_NAME = re.compile(r"[^a-z0-9]")
_NAMELESS = "a cell of a column without a name is filled; name its field, or leave it out"
_NO_BOX = "a box is 1 where it is ticked and 0 where it is not; export raw data"
_NO_ROW = (
    "this field is filled on a line that holds no row of its instrument: fill the row's own key "
    "there, or give the instrument the name that redcap_dictionary gives it"
)


def _refuse(fault: Fault) -> None:
    raise RowRuleBroken(fault)
