"""The template workbook: a sheet for each kind, its code lists as drop-downs, an example line.

Office Open XML (ECMA-376), written by hand: every cell is formatted as text, so that a
spreadsheet does not turn the code 8-30 into a date.
"""

import io
import zipfile
from collections.abc import Container, Iterable, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr  # nosec B406

from registry.records import RowKind
from registry.records.columns import DECLARED
from registry.records.declared import Holds, RowColumn

EXAMPLES: Mapping[RowKind, Mapping[str, str]] = {
    RowKind.IMPLANT: {
        "site": "EXAMPLE",
        "patient": "p-0001",
        "implant": "i-0001",
        "component": "pump",
        "model": "synchromed-ii-20",
        "implant_year": "2019",
        "age_band": "40-64",
        "sex": "female",
        "indication": "multiple-sclerosis",
        "drug": "baclofen",
        "months_followed": "36",
        "exit_status": "active",
        "refills": "12",
        "procedures": "1",
    },
    RowKind.EXPOSURE: {
        "site": "EXAMPLE",
        "year": "2021",
        "component": "pump",
        "devices": "24",
        "component_months": "270",
    },
    RowKind.EVENT: {
        "site": "EXAMPLE",
        "source_id": "e-0001",
        "implant": "i-0001",
        "complication": "pump-motor-stall",
        "year": "2021",
        "months_since_implant": "24",
        "severity": "3",
        "seriousness": "hospitalisation;intervention-to-prevent",
        "outcome": "recovered",
    },
}
"""The example line of each sheet; left as it is, it is no row."""

_ROWS = 10_000
"""The rows below the header that have drop-downs."""

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"

Rows = Sequence[Sequence[str]]


def is_example(kind: RowKind, values: Mapping[str, str]) -> bool:
    """Whether a row is the template's example line as it was written."""
    example = EXAMPLES[kind]
    return values.get("site") == example["site"] and example == {
        name: text for name, text in values.items() if text
    }


def template_workbook(
    kinds: Iterable[RowKind], complications: Sequence[str], *, without: Container[str] = ()
) -> bytes:
    """The template as a workbook (.xlsx). complications: the codes that new events may have.

    without: columns that the registry does not keep.
    """
    lists: dict[str, Sequence[str]] = {}
    sheets: dict[str, tuple[Rows, str]] = {}
    described: list[list[str]] = [["Sheet", "Column", "What it is", "Code list"]]
    for kind in kinds:
        columns = {name: one for name, one in DECLARED[kind].items() if name not in without}
        example = EXAMPLES[kind]
        rows = [list(columns), [example.get(name, "") for name in columns]]
        sheets[kind.value] = (rows, _validations(columns.values(), lists, complications))
        for column in columns.values():
            offered = ", ".join(_offered(column, complications)[1])
            described.append([kind.value, column.name, column.in_words, offered])
    sheets["columns"] = (described, "")
    sheets["lists"] = (_side_by_side(lists), "")
    return workbook(sheets, hidden="lists")


def workbook(sheets: Mapping[str, tuple[Rows, str]], *, hidden: str = "") -> bytes:
    """A workbook of sheets of texts: name -> rows, and the XML of their validations."""
    held = io.BytesIO()
    names = list(sheets)
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("[Content_Types].xml", _content_types(len(names)))
        parts.writestr(
            "_rels/.rels",
            _relationships([("rId1", f"{_DOCUMENT}/officeDocument", "xl/workbook.xml")]),
        )
        parts.writestr("xl/workbook.xml", _workbook(names, hidden))
        related = [
            (f"rId{number}", f"{_DOCUMENT}/worksheet", f"worksheets/sheet{number}.xml")
            for number in range(1, len(names) + 1)
        ]
        related.append((f"rId{len(names) + 1}", f"{_DOCUMENT}/styles", "styles.xml"))
        parts.writestr("xl/_rels/workbook.xml.rels", _relationships(related))
        parts.writestr("xl/styles.xml", _STYLES)
        for number, (rows, validations) in enumerate(sheets.values(), 1):
            parts.writestr(f"xl/worksheets/sheet{number}.xml", _sheet(rows, validations))
    return held.getvalue()


def _offered(column: RowColumn, complications: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The name and the codes of a column's list; no codes for keys and numbers."""
    if column.holds is Holds.TERM:
        return "complication", complications
    codes = list(dict.fromkeys(str(member.value) for member in column.members))
    return column.name, codes


def _validations(
    columns: Iterable[RowColumn], lists: dict[str, Sequence[str]], complications: Sequence[str]
) -> str:
    """Drop-downs of the columns that hold one code; adds their lists to the sheet of lists."""
    written = []
    for at, column in enumerate(columns):
        name, codes = _offered(column, complications)
        if not codes or column.holds is Holds.CODES:
            continue
        place = list(lists).index(name) if name in lists else len(lists)
        lists[name] = codes
        letters, listed = _letters(at), _letters(place)
        written.append(
            f'<dataValidation type="list" allowBlank="1" showErrorMessage="1" '
            f'errorTitle="Not a code" error={quoteattr(f"Choose a code of the list {name}.")} '
            f'sqref="{letters}2:{letters}{_ROWS}">'
            f"<formula1>lists!${listed}$2:${listed}${len(codes) + 1}</formula1></dataValidation>"
        )
    return f'<dataValidations count="{len(written)}">{"".join(written)}</dataValidations>'


def _side_by_side(lists: Mapping[str, Sequence[str]]) -> Rows:
    longest = max(map(len, lists.values()), default=0)
    return [
        list(lists),
        *(
            [codes[at] if at < len(codes) else "" for codes in lists.values()]
            for at in range(longest)
        ),
    ]


def _sheet(rows: Rows, validations: str) -> str:
    width = max(map(len, rows), default=1)
    lines = []
    for number, row in enumerate(rows, 1):
        style = 2 if number == 1 else 1
        cells = "".join(
            f'<c r="{_letters(at)}{number}" s="{style}" t="inlineStr">'
            f'<is><t xml:space="preserve">{escape(text)}</t></is></c>'
            for at, text in enumerate(row)
            if text
        )
        lines.append(f'<row r="{number}">{cells}</row>')
    return (
        f'{_HEAD}<worksheet {_MAIN}><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        "</sheetView></sheetViews>"
        f'<cols><col min="1" max="{width}" width="24" style="1" customWidth="1"/></cols>'
        f"<sheetData>{''.join(lines)}</sheetData>{validations}</worksheet>"
    )


def _workbook(names: Sequence[str], hidden: str) -> str:
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" '
        f'{"state=" + quoteattr("hidden") + " " if name == hidden else ""}r:id="rId{number}"/>'
        for number, name in enumerate(names, 1)
    )
    return f'{_HEAD}<workbook {_MAIN} xmlns:r="{_DOCUMENT}"><sheets>{sheets}</sheets></workbook>'


def _relationships(related: Iterable[tuple[str, str, str]]) -> str:
    inside = "".join(
        f'<Relationship Id="{name}" Type="{kind}" Target="{target}"/>'
        for name, kind, target in related
    )
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{inside}</Relationships>'


def _content_types(sheets: int) -> str:
    parts = [
        ("/xl/workbook.xml", f"{_SHEET_TYPE}.sheet.main+xml"),
        ("/xl/styles.xml", f"{_SHEET_TYPE}.styles+xml"),
        *(
            (f"/xl/worksheets/sheet{number}.xml", f"{_SHEET_TYPE}.worksheet+xml")
            for number in range(1, sheets + 1)
        ),
    ]
    overrides = "".join(
        f'<Override PartName="{part}" ContentType="{kind}"/>' for part, kind in parts
    )
    return (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )


_STYLES = (
    f"{_HEAD}<styleSheet {_MAIN}>"
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    "<borders><border><left/><right/><top/><bottom/><diagonal/></border></borders>"
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" '
    'applyFont="1"/></cellXfs><cellStyles count="1">'
    '<cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
"""Plain, text (format 49), and text in bold."""


def _letters(position: int) -> str:
    """The name of a column by its position from 0: A, Z, AA."""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
