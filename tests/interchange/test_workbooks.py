"""Workbooks: the template and back, and what spreadsheets store in cells."""

import io
import tracemalloc
import zipfile
from xml.etree.ElementTree import ParseError
from xml.sax.saxutils import quoteattr

import pytest

from registry.interchange import workbooks
from registry.interchange.site_files import read_rows
from registry.interchange.workbook_template import (
    EXAMPLES,
    is_example,
    template_workbook,
    workbook,
)
from registry.interchange.workbooks import WorkbookTable
from registry.records import Refusal, RowKind
from registry.records.columns import DECLARED
from registry.records.readings import FileReading

HEADER = ["site", "year", "component", "devices", "component_months"]
ROW = ["BERN", "2020", "pump", "3", "36"]
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def read(content, kind=RowKind.EXPOSURE, **options):
    return list(read_rows(io.BytesIO(content), kind, name="w.xlsx", **options))


def code_of(content, kind=RowKind.EXPOSURE):
    with pytest.raises(Refusal) as refusal:
        read(content, kind)
    [fault] = refusal.value.faults
    return fault.code


def with_part(content, path, text):
    """The same workbook with one part replaced."""
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(held, "w") as new:
        for name in old.namelist():
            if name != path:
                new.writestr(name, old.read(name))
        new.writestr(path, text)
    return held.getvalue()


def sheet(cells, *, style="", shared=""):
    """A workbook whose only data row has these cells as XML."""
    content = workbook({"exposures": ([HEADER], "")})
    header = "".join(
        f'<c r="{letter}1" t="str"><v>{name}</v></c>'
        for letter, name in zip("ABCDE", HEADER, strict=True)
    )
    data = f'<row r="1">{header}</row><row r="4">{cells}</row>'
    text = f"<worksheet {MAIN}><sheetData>{data}</sheetData></worksheet>"
    content = with_part(content, "xl/worksheets/sheet1.xml", text)
    if style:
        content = with_part(content, "xl/styles.xml", f"<styleSheet {MAIN}>{style}</styleSheet>")
    if shared:
        content = with_part(content, "xl/sharedStrings.xml", f"<sst {MAIN}>{shared}</sst>")
    return content


@pytest.mark.parametrize("kind", RowKind)
def test_template_is_read_back_without_its_example(kind):
    content = template_workbook(RowKind, ["catheter-kink"])
    found = FileReading()

    assert read(content, kind, reading=found) == []
    assert found.header_line == 1


@pytest.mark.parametrize("kind", RowKind)
def test_filled_in_template_is_read_like_csv(kind):
    columns = list(DECLARED[kind])
    filled = {**EXAMPLES[kind], "site": "BERN"}
    rows = [columns, *([values.get(name, "") for name in columns] for values in (filled, filled))]
    example = [EXAMPLES[kind].get(name, "") for name in columns]

    found = read(workbook({"notes": ([["x"]], ""), kind.value: ([*rows, example], "")}), kind)

    assert [row.line for row in found] == [2, 3]
    assert {name: text for name, text in found[0].values.items() if text} == filled


def test_template_offers_every_code_of_a_column():
    with zipfile.ZipFile(io.BytesIO(template_workbook([RowKind.EVENT], ["a-b"]))) as parts:
        events, columns, lists = (
            parts.read(f"xl/worksheets/sheet{number}.xml").decode() for number in (1, 2, 3)
        )

    for code in ("hospitalisation", "recovered-sequelae", "8-30", "a-b", "synchromed-ii-20"):
        assert code in lists + columns
    assert "lists!$A$2:$A$2</formula1>" in events  # the complications, first of the lists
    assert (
        'numFmtId="49"'
        in zipfile.ZipFile(io.BytesIO(template_workbook([RowKind.EVENT], [])))
        .read("xl/styles.xml")
        .decode()
    )


def test_changed_example_is_a_row():
    assert is_example(RowKind.EVENT, {**EXAMPLES[RowKind.EVENT], "month": ""})
    assert not is_example(RowKind.EVENT, {**EXAMPLES[RowKind.EVENT], "year": "2022"})


def test_single_sheet_may_have_any_name():
    [row] = read(workbook({"Tabelle1": ([HEADER, ROW], "")}))

    assert row.values["component_months"] == "36"


def test_header_is_found_below_titles():
    [row] = read(workbook({"exposures": ([["A title"], [], HEADER, ROW], "")}))

    assert row.line == 4


def test_numbers_dates_shared_and_missing_cells_are_read():
    style = (
        '<numFmts count="1"><numFmt numFmtId="170" formatCode="dd/mmm"/></numFmts>'
        '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="170"/></cellXfs>'
    )
    cells = (
        '<c r="A4" t="s"><v>1</v></c><c r="B4"><v>2020.0</v></c>'
        '<c r="C4" t="inlineStr"><is><r><t>pu</t></r><r><t>mp</t></r></is></c>'
        '<c r="E4" s="1"><v>45168</v></c>'
    )
    shared = "<si><t>x</t></si><si><r><t>BE</t></r><r><t>RN</t></r></si>"

    [row] = read(sheet(cells, style=style, shared=shared))

    assert (row.line, dict(row.values)) == (
        4,
        {
            "site": "BERN",
            "year": "2020",
            "component": "pump",
            "devices": "",
            "component_months": "2023-08-30 00:00:00",
        },
    )


def test_formulas_are_read_by_their_last_result():
    cells = '<c r="A4" t="str"><f>B1&amp;"x"</f><v>BERN</v></c><c r="B4"><f>1+1</f><v>2020</v></c>'

    [row] = read(sheet(cells + '<c r="C4" t="e"><v>#N/A</v></c><c r="D4"><v>3</v></c>'))

    assert [row.values[name] for name in HEADER[:4]] == ["BERN", "2020", "#N/A", "3"]


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04" + b"\0" * 200,
        workbook({"implants": ([HEADER], ""), "events": ([HEADER], "")}),
        workbook({"first": ([HEADER, ROW], ""), "second": ([HEADER, ROW], "")}),
        with_part(workbook({"a": ([HEADER, ROW], "")}), "xl/worksheets/sheet1.xml", "<broken"),
        with_part(
            workbook({"a": ([HEADER, ROW], "")}),
            "xl/worksheets/sheet1.xml",
            '<!DOCTYPE x [<!ENTITY a "b">]><worksheet/>',
        ),
    ],
    ids=["no-zip", "no-sheet", "several-sheets", "broken-sheet", "with-entities"],
)
def test_workbook_that_cannot_be_read_is_said_to_be_one(content):
    assert code_of(content) == "unreadable-workbook"


@pytest.mark.parametrize("mark", ['<!DOCTYPE x [<!ENTITY a "b">]>', '<!ENTITY a "b">'])
@pytest.mark.parametrize("before", [0, 1, 4, 8, 9, 10])
def test_document_type_is_found_across_the_border_of_two_readings(mark, before):
    """The part is read in pieces, and the mark may begin in one and end in the next."""
    start = '<?xml version="1.0"?>'
    padding = " " * (workbooks._CHUNK - len(start) - before)
    text = f"{start}{padding}{mark}<worksheet/>"
    table = WorkbookTable.__new__(WorkbookTable)
    table.name = None
    content = with_part(workbook({"a": ([HEADER, ROW], "")}), "xl/worksheets/sheet1.xml", text)
    table._zip = zipfile.ZipFile(io.BytesIO(content))

    with pytest.raises(ParseError, match="a document type"):
        list(table._part("xl/worksheets/sheet1.xml"))
    assert code_of(content) == "unreadable-workbook"


def test_part_in_two_byte_letters_hides_no_document_type():
    text = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY a "b">]><worksheet/>'
    content = with_part(
        workbook({"a": ([HEADER, ROW], "")}), "xl/worksheets/sheet1.xml", text.encode("utf-16")
    )

    assert code_of(content) == "unreadable-workbook"


def damaged(content, path):
    """The same workbook with some packed bytes of one part turned over."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        packed = parts.getinfo(path).header_offset + 30 + len(path)
    turned = bytes(0xFF ^ byte for byte in content[packed + 5 : packed + 25])
    return content[: packed + 5] + turned + content[packed + 25 :]


def with_flag(content, at, flag):
    """The same workbook with one field of every entry changed; at: its place in a local header."""
    changed = bytearray(content)
    for mark, place in ((b"PK\x03\x04", at), (b"PK\x01\x02", at + 2)):
        start = content.find(mark)
        while start >= 0:
            changed[start + place] = flag
            start = content.find(mark, start + 4)
    return bytes(changed)


def line_of(number):
    """A sheet whose second row says that it stands on this line."""
    header = "".join(f'<c t="str"><v>{name}</v></c>' for name in HEADER)
    row = "".join(f'<c t="str"><v>{text}</v></c>' for text in ROW)
    lines = f'<row r="1">{header}</row><row r="{number}">{row}</row>'
    return f"<worksheet {MAIN}><sheetData>{lines}</sheetData></worksheet>"


SINGLE = workbook({"a": ([HEADER, ROW], "")})
DATED = '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'


@pytest.mark.parametrize(
    "content",
    [
        damaged(SINGLE, "xl/worksheets/sheet1.xml"),
        with_flag(SINGLE, 6, 1),
        with_flag(SINGLE, 8, 97),
        sheet('<c r="A4" t="s"><v>9</v></c>', shared="<si><t>BERN</t></si>"),
        sheet('<c r="A4" s="1"><v>1e300</v></c>', style=DATED),
        with_part(SINGLE, "xl/workbook.xml", '<workbook><sheet name="a"/></workbook>'),
        with_part(SINGLE, "xl/worksheets/sheet1.xml", line_of("0")),
        with_part(SINGLE, "xl/worksheets/sheet1.xml", line_of("99999999999999999999")),
    ],
    ids=[
        *("damaged", "encrypted", "unknown-packing", "no-such-text", "no-day", "no-part"),
        *("line-zero", "line-beyond-a-sheet"),
    ],
)
def test_damaged_workbook_is_refused_in_words(content):
    assert code_of(content) == "unreadable-workbook"


def test_zipped_file_that_is_no_workbook_is_refused():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as parts:
        parts.writestr("events.csv", "site,year\n")

    assert code_of(held.getvalue()) == "unreadable-workbook"


def test_formula_without_a_stored_result_is_an_error_and_not_an_empty_cell():
    cells = '<c r="A4"><v>1</v></c><c r="D4"><f>1+2</f></c><c r="E4" t="str"><f>""</f><v></v></c>'

    (row,) = read(sheet(cells))

    assert (row.values["devices"], row.values["component_months"]) == ("#VALUE!", "")


@pytest.mark.parametrize("value", ["<v></v>", "<v/>"])
def test_formula_whose_stored_result_is_empty_is_an_error_too(value):
    """Programs that write workbooks without reckoning leave it so."""
    (row,) = read(sheet(f'<c r="A4"><v>1</v></c><c r="D4"><f>1+2</f>{value}</c>'))

    assert row.values["devices"] == "#VALUE!"


@pytest.mark.parametrize(
    "written",
    ["#,##0 [$EUR-de-DE]", "[Green]0;[Magenta]-0", r"0\ \m", "0_d", '0 "months"', "[>99]0*d"],
)
def test_a_format_without_a_date_makes_none(written):
    style = (
        f'<numFmts count="1"><numFmt numFmtId="170" formatCode={quoteattr(written)}/></numFmts>'
        '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="170"/></cellXfs>'
    )

    (row,) = read(sheet('<c r="A4"><v>1</v></c><c r="D4" s="1"><v>34</v></c>', style=style))

    assert row.values["devices"] == "34"


@pytest.mark.parametrize("written", ["yyyy", "[$-407]d. mmmm yyyy", "[Red]dd/mmm", "[h]:mm"])
def test_a_format_of_a_date_makes_one(written):
    assert workbooks._is_of_dates(written)


def two_rows(*, second="", behind=""):
    """A workbook with two rows on lines 2 and 3; second: of the latter, behind: the rows."""
    header = "".join(f'<c t="str"><v>{name}</v></c>' for name in HEADER)
    row = "".join(f'<c t="str"><v>{text}</v></c>' for text in ROW)
    lines = f'<row r="1">{header}</row><row r="2">{row}</row><row r="3" {second}>{row}</row>'
    text = f"<worksheet {MAIN}><sheetData>{lines}</sheetData>{behind}</worksheet>"
    return with_part(SINGLE, "xl/worksheets/sheet1.xml", text)


def merged(*areas):
    cells = "".join(f'<mergeCell ref="{area}"/>' for area in areas)
    return f'<mergeCells count="{len(areas)}">{cells}</mergeCells>'


@pytest.mark.parametrize(
    ("areas", "lines"),
    [(["A2:A3"], [2]), (["B3:C3", "A2:A3"], [2, 3]), (["A1:E1", "A4:E9", "F2:F3"], [])],
    ids=["down", "twice", "titles-and-empty-cells"],
)
def test_filled_cells_that_are_merged_are_one_fault_a_line(areas, lines):
    faults = []

    rows = read(two_rows(behind=merged(*areas)), on_fault=faults.append)

    assert [(fault.line, fault.code) for fault in faults] == [(n, "merged-cells") for n in lines]
    assert len(rows) == 2


@pytest.mark.parametrize("before", [0, 1, 10, 20])
def test_merged_cells_are_found_across_the_border_of_two_readings(before):
    padding = "<x>" + "y" * (workbooks._CHUNK - before - len(two_rows()) % 7) + "</x>"
    faults = []

    read(two_rows(behind=padding + merged("A2:A3")), on_fault=faults.append)

    assert [fault.code for fault in faults] == ["merged-cells"]


def test_rows_that_a_workbook_hides_are_read_and_counted():
    reading = FileReading()

    rows = read(two_rows(second='hidden="1"'), reading=reading)

    assert len(rows) == 2
    assert reading.sentences() == ["read 1 row that the workbook hides"]


def test_sheets_without_a_cell_are_passed_over():
    content = workbook({"Tabelle1": ([HEADER, ROW], ""), "Tabelle2": ([], ""), "T3": ([], "")})

    assert len(read(content)) == 1


def packed(path, begins, again, times, ends):
    """A workbook with one part that unpacks to this many times the same."""
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(SINGLE)) as old, zipfile.ZipFile(held, "w") as new:
        for name in old.namelist():
            if name != path:
                new.writestr(name, old.read(name))
        info = zipfile.ZipInfo(path)
        info.compress_type = zipfile.ZIP_DEFLATED
        with new.open(info, "w", force_zip64=True) as part:
            part.write(begins)
            for _ in range(times):
                part.write(again)
            part.write(ends)
    return held.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("path", "begins", "again", "ends"),
    [
        (SHEET, b'<a><row r="1"><c t="inlineStr"><is><t>', b"a", b"</t></is></c></row></a>"),
        (SHEET, b'<a><row r="1">', b"<c/>", b"</row></a>"),
        (SHEET, b"<a", b" ", b"/>"),
        ("xl/sharedStrings.xml", b"<sst><si><t>", b"a", b"</t></si></sst>"),
        ("xl/styles.xml", b"<a><cellXfs>", b"<x/>", b"</cellXfs></a>"),
        (SHEET, b"<a>", b"<x/>", b"</a>"),
    ],
    ids=["one-text", "one-row", "one-tag", "shared-text", "styles", "elements-without-end"],
)
def test_a_small_file_that_unpacks_to_much_is_refused_in_little_memory(
    path, begins, again, ends, monkeypatch
):
    monkeypatch.setattr(workbooks, "MOST_UNREAD", 200_000)
    bomb = packed(path, begins, again * 1_000, 12_000 if len(again) == 1 else 300, ends)
    tracemalloc.start()
    try:
        assert code_of(bomb) in ("unreadable-workbook", "empty-file")
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(bomb) < 30_000
    assert most < 10_000_000


def test_a_part_that_unpacks_to_a_thousand_times_is_not_read_at_all(monkeypatch):
    monkeypatch.setattr(workbooks, "_UNPACKED_FREELY", 100_000)

    assert code_of(packed(SHEET, b"<a>", b"<row/>" * 10_000, 100, b"</a>")) == "unreadable-workbook"


def test_cell_far_to_the_right_is_not_lost_unseen():
    far = "".join(f'<c r="{at}4"><v>7</v></c>' for at in ("A", "B", "C", "D", "E", "XFD"))

    with pytest.raises(Refusal) as refusal:
        read(sheet(far))

    assert [fault.code for fault in refusal.value.faults] == ["wrong-number-of-cells"]


def test_cell_far_to_the_right_that_is_empty_harms_nothing():
    far = "".join(f'<c r="{at}4"><v>7</v></c>' for at in "ABCDE") + '<c r="XFD4" s="0"/>'

    assert len(read(sheet(far))) == 1


@pytest.mark.parametrize("stored", ["33.999999999999993", "34.000000000000007", "34.0", "3.4E1"])
def test_a_number_is_as_exact_as_a_spreadsheet_shows_it(stored):
    [row] = read(sheet(f'<c r="A4"><v>{stored}</v></c>'))

    assert row.values["site"] == "34"


def test_a_fraction_stays_one():
    [row] = read(sheet('<c r="A4"><v>33.9999999</v></c>'))

    assert row.values["site"] == "33.9999999"


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        ("a_x000D_\nb_x000d_", "a\r\nb"),
        ("k_x005F_x0041_1", "k_x0041_1"),
        ("k_x0041_1", "k_x0041_1"),  # as writers leave it that escape nothing
    ],
)
def test_marks_that_workbooks_escape_are_read(stored, text):
    shared = sheet('<c r="A4" t="s"><v>0</v></c>', shared=f"<si><t>{stored}</t></si>")
    as_result = sheet(f'<c r="A4" t="str"><v>{stored}</v></c>')

    for content in (shared, as_result):
        [row] = read(content)
        assert row.values["site"] == text
