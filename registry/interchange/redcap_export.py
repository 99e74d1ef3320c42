"""REDCap's raw CSV export as rows of ours.

Codes as they are stored, a column for each box of a checkbox field
(`seriousness___hospitalisation`, 0 or 1), repeating instruments as lines of their own.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from registry.interchange.csv_rows import CsvTable, wrong_number_of_cells
from registry.interchange.decoding import open_file
from registry.interchange.headers import refused_names
from registry.interchange.redcap import FORMS, RECORD_ID, field_name
from registry.records import Fault, IdentifierFound, RawReport, Refusal, RowKind, RowRuleBroken
from registry.records.columns import DECLARED, unknown_names
from registry.records.declared import Holds

_OF_THE_RECORD = frozenset(
    {
        *(RECORD_ID, "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"),
        *("redcap_data_access_group", "redcap_survey_identifier"),
    }
)
_TELLING: Mapping[RowKind, frozenset[str]] = {
    RowKind.IMPLANT: frozenset({"patient", "implant_year", "months_followed"}),
    RowKind.EXPOSURE: frozenset({"devices", "component_months"}),
    RowKind.EVENT: frozenset({"source_id", "complication"}),
}
"""Columns of one kind alone, by which a line without an instrument's name is known."""

Field = tuple[str, str]
"""A column, and the code of its box where it is one of a checkbox field."""


class RedcapExport:
    """A raw export: the kinds of rows that its fields are of, and the rows of each.

    Raises Refusal for a file that cannot be read, or has fields that are neither ours nor
    REDCap's own; IdentifierFound where one names a person or a device.
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
        self._refuse_unknown()

    @property
    def kinds(self) -> tuple[RowKind, ...]:
        """The kinds that have a row in this export."""
        return tuple(kind for kind in RowKind if next(self.reports(kind), None) is not None)

    def reports(self, kind: RowKind) -> Iterator[RawReport]:
        """The rows of one kind, with their lines. Memory: one row.

        Raises RowRuleBroken for a line with a wrong number of cells or an open quotation mark.
        """
        with open_file(self.name) as stream:
            table = CsvTable(stream, self.name)
            for line, cells in table.rows(self.delimiter, 1, _refuse):
                if not any(map(str.strip, cells)):
                    continue
                if len(cells) != len(self.headings):
                    width = len(self.headings)
                    _refuse(wrong_number_of_cells(len(cells), width, line, self.name))
                values = self._values(kind, dict(zip(self.headings, cells, strict=True)))
                if values is not None:
                    yield RawReport(kind, values, line, self.name)
            table.detach()

    def _values(self, kind: RowKind, row: Mapping[str, str]) -> dict[str, str] | None:
        """What a line says of a kind; None where it is a line of another one."""
        instrument = row.get("redcap_repeat_instrument", "").strip().lower().replace(" ", "_")
        if instrument and instrument != FORMS[kind]:
            return None
        values: dict[str, str] = {}
        ticked: dict[str, list[str]] = {}
        for heading, (column, code) in self._fields[kind].items():
            text = row[heading].strip()
            if not code:
                values[column] = text
            elif text == "1":
                ticked.setdefault(column, []).append(code)
        values |= {column: ";".join(codes) for column, codes in ticked.items()}
        is_of_kind = any(values.get(column) for column in _TELLING[kind])
        return values if instrument or is_of_kind else None

    def _refuse_unknown(self) -> None:
        ours = {heading for fields in self._fields.values() for heading in fields}
        unknown = [
            heading
            for heading in self.headings
            if heading not in ours
            and heading not in _OF_THE_RECORD
            and not heading.endswith("_complete")
        ]
        known = {field_name(kind, column) for kind in RowKind for column in DECLARED[kind]}
        faults = unknown_names(unknown, known=frozenset(known), what="our instruments")
        if not ours:  # the first line may be one of values: none of it is told
            detail = "no field of this file is of our instruments; see redcap_dictionary"
            identifying = tuple(each for each in faults if each.code == IdentifierFound.code)
            faults = identifying or (Fault("header", "no-header", detail),)
        if faults:
            raise refused_names(faults, 1, self.name)


def _fields(kind: RowKind, headings: Sequence[str]) -> dict[str, Field]:
    """The fields of one kind among the headings, by our field names or by our columns' names."""
    named: dict[str, Field] = {}
    for name, column in DECLARED[kind].items():
        for field in (name, field_name(kind, name)):
            if column.holds is not Holds.CODES:
                named[field] = (name, "")
                continue
            for member in column.members:
                code = str(member.value)
                named[f"{field}___{re.sub('[^a-z0-9]', '_', code)}"] = (name, code)
    return {heading: named[heading] for heading in headings if heading in named}


def _refuse(fault: Fault) -> None:
    raise RowRuleBroken(fault)
