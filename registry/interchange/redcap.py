"""REDCap's data dictionary of our rows, from the declared columns of each kind.

After REDCap's documented formats: a data dictionary of 18 columns, and instrument zips.
"""

import csv
import io
import zipfile
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from registry.records import RowKind
from registry.records.columns import DECLARED
from registry.records.declared import Holds, RowColumn

DICTIONARY_COLUMNS = (
    "Variable / Field Name",
    "Form Name",
    "Section Header",
    "Field Type",
    "Field Label",
    "Choices, Calculations, OR Slider Labels",
    "Field Note",
    "Text Validation Type OR Show Slider Number",
    "Text Validation Min",
    "Text Validation Max",
    "Identifier?",
    "Branching Logic (Show field only if...)",
    "Required Field?",
    "Custom Alignment",
    "Question Number (surveys only)",
    "Matrix Group Name",
    "Matrix Ranking?",
    "Field Annotation",
)
"""The columns of REDCap's data dictionary, in its order."""

FORMS: Mapping[RowKind, str] = {kind: kind.value for kind in RowKind}
"""The instrument of each kind of row."""

_PREFIXES: Mapping[RowKind, str] = {
    RowKind.IMPLANT: "implant",
    RowKind.EXPOSURE: "exposure",
    RowKind.EVENT: "event",
}

RECORD_ID = "record_id"
_EARLIEST, _LATEST = "1980", "2100"
_BRANCHING: Mapping[RowKind, Mapping[str, str]] = {
    RowKind.IMPLANT: {
        "pump_site": "[implant_component] = 'pump'",
        "pump_plane": "[implant_component] = 'pump'",
    },
    RowKind.EXPOSURE: {},
    RowKind.EVENT: {
        "months_since_implant": "[event_implant] <> ''",
        **dict.fromkeys(
            ("component_model", "drug", "indication", "age_band", "sex"), "[event_implant] = ''"
        ),
        "severity": "[actuality] <> 'near-miss'",
    },
}
"""Which questions are asked only where another answer is given; as the registry's own rules say."""

Complications = Sequence[tuple[str, str]]
"""Code and name of each complication that new events may have."""


def field_name(kind: RowKind, column: str) -> str:
    """The REDCap field of a column: its own name, or with its kind before it where others have it.

    A project's fields are unique over its instruments.
    """
    shared = sum(column in columns for columns in DECLARED.values()) > 1
    return f"{_PREFIXES[kind]}_{column}" if shared else column


def dictionary_rows(
    kinds: Iterable[RowKind], complications: Complications, *, without: Container[str] = ()
) -> Iterator[dict[str, str]]:
    """The data dictionary, a field a row; a record id comes first, as REDCap asks.

    without: columns that the registry does not keep.
    """
    for position, kind in enumerate(kinds):
        if position == 0:
            yield _row(
                {
                    "Variable / Field Name": RECORD_ID,
                    "Form Name": FORMS[kind],
                    "Field Type": "text",
                    "Field Label": "Record",
                    "Field Note": "A running number. Never a record number of the hospital.",
                }
            )
        yield from _fields(kind, complications, without)


def dictionary_csv(rows: Iterable[Mapping[str, str]]) -> bytes:
    """A data dictionary as the CSV file that REDCap takes."""
    text = io.StringIO()
    writer = csv.DictWriter(text, DICTIONARY_COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def instrument_zip(
    kind: RowKind, complications: Complications, *, without: Container[str] = ()
) -> bytes:
    """One instrument as the zip that REDCap takes: its dictionary as `instrument.csv`."""
    fields = _fields(kind, complications, without)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("instrument.csv", dictionary_csv(fields))
    return held.getvalue()


def _fields(
    kind: RowKind, complications: Complications, without: Container[str]
) -> Iterator[dict[str, str]]:
    for column in DECLARED[kind].values():
        if column.name not in without:
            yield _field(kind, column, complications)


def _field(kind: RowKind, column: RowColumn, complications: Complications) -> dict[str, str]:
    choices = _choices(column, complications)
    said = {
        "Variable / Field Name": field_name(kind, column.name),
        "Form Name": FORMS[kind],
        "Field Type": _type_of(column),
        "Field Label": column.title,
        "Choices, Calculations, OR Slider Labels": " | ".join(
            f"{code}, {_plain(label)}" for code, label in choices
        ),
        "Field Note": column.heading.hint,
        "Branching Logic (Show field only if...)": _BRANCHING[kind].get(column.name, ""),
        "Required Field?": "y" if column.required else "",
    }
    if column.holds is Holds.YEAR:
        said |= _integer(_EARLIEST, _LATEST)
    elif column.whole is not None:
        said |= _integer(str(column.whole.least), str(column.whole.most))
    return _row(said)


def _row(said: Mapping[str, str]) -> dict[str, str]:
    return dict.fromkeys(DICTIONARY_COLUMNS, "") | dict(said)


def _integer(least: str, most: str) -> dict[str, str]:
    return {
        "Text Validation Type OR Show Slider Number": "integer",
        "Text Validation Min": least,
        "Text Validation Max": most,
    }


def _type_of(column: RowColumn) -> str:
    if column.holds is Holds.CODES:
        return "checkbox"
    if column.holds is Holds.GRADE or (column.holds is Holds.CODE and len(column.members) <= 5):
        return "radio"
    return "dropdown" if column.members or column.holds is Holds.TERM else "text"


def _choices(column: RowColumn, complications: Complications) -> list[tuple[str, str]]:
    if column.holds is Holds.TERM:
        return list(complications)
    return list({str(member.value): member.label for member in column.members}.items())


def _plain(label: str) -> str:
    """A label without the bar that separates choices."""
    return label.replace("|", "/")
