"""Files as sites write them: encodings, delimiters, headers, and rows that do not fit."""

import io
import tracemalloc
from pathlib import Path

import pytest

from registry.interchange.site_files import read_rows
from registry.records import IdentifierFound, Refusal, RowKind, RowRuleBroken
from registry.records.readings import FileReading

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
HEADER = "site,year,component,devices,component_months"


def read(text, kind=RowKind.EXPOSURE, encoding="utf-8", **options):
    return list(read_rows(io.BytesIO(text.encode(encoding)), kind, **options))


def faults_of(text, kind=RowKind.EXPOSURE, **options):
    with pytest.raises(Refusal) as refusal:
        read(text, kind, **options)
    return [(f.line, f.column, f.code) for f in refusal.value.faults]


def test_rows_carry_their_cells_their_line_and_their_file():
    (row,) = read(f"{HEADER}\nBERN,2020, pump ,3,36\n", name="e.csv")

    assert row.values == {
        "site": "BERN",
        "year": "2020",
        "component": "pump",
        "devices": "3",
        "component_months": "36",
    }
    assert (row.kind, row.line, row.file) == (RowKind.EXPOSURE, 2, "e.csv")


def test_rows_do_not_show_their_cells():
    (row,) = read(f"{HEADER}\nBERN,2020,pump,3,36\n")

    assert "BERN" not in repr(row)


@pytest.mark.parametrize("blank", ["", "   ", ",,,,", " , ,\t, ,"])
def test_rows_without_a_filled_cell_are_passed_over(blank):
    (row,) = read(f"{HEADER}\n{blank}\nBERN,2020,pump,3,36\n{blank}\n")

    assert row.line == 3


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_files_behind_each_other_have_one_fault_at_the_second_header(mark):
    row = "BERN,2020,pump,3,36\n"
    faults = []

    rows = read(f"{HEADER}\n{row}{mark}{HEADER}\n{row}", on_fault=faults.append)

    assert [each.line for each in rows] == [2, 4]
    assert [(each.line, each.column, each.code) for each in faults] == [
        (3, "row", "no-row-of-data")
    ]
    assert "again" in faults[0].detail


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_rows_are_read_whatever_wrote_them(delimiter, encoding, newline):
    text = f"{HEADER}{newline}BÄRN,2020,pump,3,36{newline}".replace(",", delimiter)

    (row,) = read(text, encoding=encoding)

    assert row.values["site"] == "BÄRN"
    assert row.values["component_months"] == "36"


def test_lists_with_semicolons_survive_in_a_file_with_semicolons():
    header = "site;source_id;implant;complication;year;months_since_implant;severity"
    text = f'{header};seriousness;outcome\nA1;e1;;csf-leak;2020;;;"death;hospitalisation";fatal\n'

    (row,) = read(text, RowKind.EVENT)

    assert row.values["seriousness"] == "death;hospitalisation"


def test_lines_are_those_a_text_editor_shows():
    text = f'\n{HEADER}\nBERN,2020,pump,3,36\n\n"BE\nRN",2020,pump,3,36\n,,,,\nX1,2020,pump,1,1\n'

    assert [row.line for row in read(text)] == [3, 5, 8]


def test_path_and_stream_read_alike():
    path = SAMPLES / "taira-2013-events.csv"
    with path.open("rb") as stream:
        from_stream = [row.values for row in read_rows(stream, RowKind.EVENT)]

    assert [row.values for row in read_rows(path, RowKind.EVENT)] == from_stream
    assert len(from_stream) == 62


def test_stream_stays_open_for_its_owner():
    stream = io.BytesIO(f"{HEADER}\nBERN,2020,pump,3,36\n".encode())

    list(read_rows(stream, RowKind.EXPOSURE))

    assert not stream.closed


def test_header_with_identifying_columns_is_refused_by_their_names_alone():
    with pytest.raises(IdentifierFound) as refusal:
        list(read_rows(SAMPLES / "identified-events.csv", RowKind.EVENT, name="e.csv"))

    faults = refusal.value.faults
    named = ["MRN", "Patient name", "Date of birth", "Serial no"]
    assert [fault.column for fault in faults] == named
    assert {(fault.file, fault.line) for fault in faults} == {("e.csv", 1)}
    assert "ller" not in str(refusal.value)


def test_header_faults_name_unknown_repeated_and_missing_columns():
    assert faults_of("site,year,year,component,devices,notes\n") == [
        (1, "notes", "unknown-column"),
        (1, "year", "repeated-column"),
        (1, "component_months", "missing-column"),
    ]


def test_header_that_holds_values_is_refused_without_them():
    with pytest.raises(Refusal) as refusal:
        read("Zoe Mueller,Bern,1961\n", RowKind.EVENT)

    (fault,) = refusal.value.faults
    assert (fault.line, fault.column, fault.code) == (1, "header", "no-header")
    assert "Zoe" not in str(refusal.value)


def test_value_that_is_also_a_columns_name_makes_no_header():
    with pytest.raises(Refusal) as refusal:
        read("Mueller,Bern,alarm\n", RowKind.EVENT)

    assert [fault.code for fault in refusal.value.faults] == ["no-header"]
    assert "Mueller" not in str(refusal.value)


def test_delimiter_is_the_one_that_gives_known_columns_not_the_commonest():
    assert faults_of(f'{HEADER},"a;b;c;d;e;f;g;h"\n') == [(1, "column 6", "unknown-column")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "header",
    [
        HEADER.upper(),
        "Site,Year,Component,Devices,Component Months",
        "site , year,COMPONENT,devices,component-months",
        "Site,Year,Component,Devices,Device months",  # the labels of the form
        "site,year,component,devices,componentMonths",
    ],
)
def test_header_is_read_by_any_spelling_and_by_labels(header, delimiter):
    (row,) = read(f"{header}\nBERN,2020,pump,3,36\n".replace(",", delimiter))

    assert row.values["component_months"] == "36"
    assert set(row.values) == set(HEADER.split(","))


@pytest.mark.parametrize(
    "above",
    [
        "Export of 28.11.2026",
        "Export;;;;\n\n",
        "Event;;When;;",
        "Site;Devices;;;",
        "sep=;",
        '"sep=;"',
        "a\nb\nc\nd\ne\nf\ng\nh\ni",
    ],
)
def test_header_is_found_within_the_first_ten_lines_and_said(above):
    header = HEADER.replace(",", ";")
    found = FileReading()

    (row,) = read(f"{above}\n{header}\nBERN;2020;pump;3;36\n", reading=found)

    line = above.count("\n") + 2
    assert (row.line, found.header_line) == (line + 1, line)
    assert found.sentences() == [f"took line {line} as the column names"]


def test_header_below_the_tenth_line_is_not_found():
    assert faults_of("x\n" * 10 + f"{HEADER}\n") == [(1, "header", "no-header")]


def test_header_may_have_line_breaks_in_its_cells():
    (row,) = read('site,year,component,devices,"component\nmonths"\nBERN,2020,pump,3,36\n')

    assert (row.line, row.values["component_months"]) == (3, "36")


def test_a_delimiter_that_is_named_and_not_used_is_passed_over():
    (row,) = read(f"sep=,\n{HEADER}\nBERN,2020,pump,3,36\n".replace(",", ";").replace(";", ",", 1))

    assert (row.line, row.values["component_months"]) == (3, "36")


def test_header_names_any_delimiter_that_the_file_says():
    (row,) = read(f"sep=^\n{HEADER}\nBERN,2020,pump,3,36\n".replace(",", "^"))

    assert row.values["devices"] == "3"


def test_headings_of_the_site_are_read_and_others_left_out():
    header = "Haus,Jahr,component,devices,component_months,Notiz"
    headings = {"haus": "site", "JAHR": "year", "Notiz": ""}

    (row,) = read(f"{header}\nBERN,2020,pump,3,36,x\n", headings=headings)

    assert row.values["site"] == "BERN"
    assert set(row.values) == set(HEADER.split(","))


def test_identifying_column_cannot_be_left_out_by_a_mapping():
    text = f"{HEADER},Patient name\nBERN,2020,pump,3,36,x\n"

    assert faults_of(text, headings={"Patient name": ""}) == [
        (1, "Patient name", "identifier-found")
    ]


def test_nameless_columns_are_ignored_where_they_are_empty():
    text = f"{HEADER},,,\nBERN,2020,pump,3,36,,,\nBERN,2021,pump,3,36,, ,\n"

    assert [row.line for row in read(text)] == [2, 3]


def test_nameless_column_with_a_filled_cell_is_a_fault_and_its_row_still_read():
    faults = []

    rows = read(f"{HEADER},,\nBERN,2020,pump,3,36,,x\n", on_fault=faults.append)

    assert [row.line for row in rows] == [2]
    assert [(f.line, f.column, f.code) for f in faults] == [(2, "column 7", "nameless-column")]


def test_lines_of_totals_and_notes_are_one_fault_each():
    text = f"{HEADER},model\nBERN,2020,pump,3,36,\nSumme,36,,,,\n"
    faults = []

    assert [row.line for row in read(text, on_fault=faults.append)] == [2]
    assert [(f.line, f.column, f.code) for f in faults] == [(3, "row", "no-row-of-data")]


def test_empty_file_is_refused():
    assert faults_of("") == [(1, "header", "empty-file")]


def test_file_in_another_encoding_is_refused():
    with pytest.raises(Refusal) as refusal:
        list(read_rows(io.BytesIO(b"si\0te,year"), RowKind.EXPOSURE))

    assert [fault.code for fault in refusal.value.faults] == ["unknown-encoding"]


def test_file_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(Refusal) as refusal:
        list(read_rows(tmp_path / "nowhere.csv", RowKind.EVENT))

    assert [fault.code for fault in refusal.value.faults] == ["unreadable-file"]


def test_row_with_another_number_of_cells_is_refused():
    text = f"{HEADER}\nBERN,2020,pump,3\nBERN,2020,pump,3,36\n"

    with pytest.raises(RowRuleBroken, match="this row has 4 cells and the header 5"):
        read(text)


def test_rows_after_a_misfit_are_still_read_where_faults_are_gathered():
    text = f"{HEADER}\nBERN,2020,pump,3\nBERN,2020,pump,3,36,,x\nBERN,2021,pump,3,36,,\n"
    faults = []

    rows = read(text, on_fault=faults.append)

    assert [row.line for row in rows] == [4]
    assert [(fault.line, fault.column) for fault in faults] == [(2, "row"), (3, "row")]


@pytest.mark.parametrize("row", ['"BERN,2020,pump,3,36\n', '"BE"RN,2020,pump,3,36\n'])
def test_row_with_a_broken_quotation_is_refused_where_it_opens(row):
    assert faults_of(f"{HEADER}\nA1,2020,pump,3,36\n{row}") == [(3, "row", "broken-quotes")]


def test_line_too_long_for_a_row_ends_the_reading():
    text = f"{HEADER}\nA1,2020,pump,3,36\n" + "B" * 200_000

    with pytest.raises(Refusal) as refusal:
        read(text)

    assert [(f.line, f.code) for f in refusal.value.faults] == [(3, "row-too-long")]


@pytest.mark.parametrize(
    ("rows", "opens", "others"),
    [
        ('A1,"2020,pump,3,36\nA1,2021,pump,3,36\n', 2, [3]),
        ('A1,"2020,pump,3,36\nA1,"2021",pump,3,36\nA1,2022,pump,3,36\n', 2, [3, 4]),
        ('A1,2020,pump,"3\n",36\n"A1,2021,pump,3,36\nA1,2022,pump,3,36\n', 4, [2, 5]),
        ('A1,"2020,pump,3,36\n' + "A1,2021,pump,3,36\n" * 40, 2, list(range(3, 43))),
        ('A1,"2020,pump,3,36\nA1,2021","pump",3,36\n', 2, [3]),
    ],
)
def test_unclosed_quotation_is_one_fault_and_the_rows_below_are_read(rows, opens, others):
    faults = []

    lines = [row.line for row in read(f"{HEADER}\n{rows}", on_fault=faults.append)]

    assert [(fault.line, fault.code) for fault in faults][:1] == [(opens, "broken-quotes")]
    assert lines == others or len(faults) > 1


def test_reading_holds_one_row_however_long_the_file(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text(f"{HEADER}\n" + "BERN,2020,pump,3,36\n" * 100_000)

    tracemalloc.start()
    count = sum(1 for _ in read_rows(path, RowKind.EXPOSURE))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert count == 100_000
    assert peak < 1_000_000  # bytes; the file has 2 MB


@pytest.mark.parametrize("split", ["^", "~", "#", ":", "  "])
def test_columns_that_nothing_known_separates_are_told_so_and_are_no_identifier(split):
    text = f"{HEADER}\nBERN,2020,pump,3,36\n".replace(",", split)

    with pytest.raises(Refusal) as refusal:
        read(text)

    (fault,) = refusal.value.faults
    assert (fault.line, fault.column, fault.code) == (1, "header", "no-header")
    assert "commas, semicolons, tabs or bars" in fault.detail


def test_lines_that_stand_whole_in_quotation_marks_are_told_so():
    text = f'"{HEADER}"\n"BERN,2020,pump,3,36"\n'

    assert faults_of(text) == [(1, "header", "no-header")]


def test_title_of_one_cell_that_identifies_is_named_as_that():
    with pytest.raises(IdentifierFound):
        read("Patient name\nMiller\n")


def test_blank_may_stand_before_a_quotation_mark():
    header = ", ".join(f'"{name}"' for name in HEADER.split(","))

    (row,) = read(f'{header}\n"BERN", "2020", "pump", "3", "36"\n')

    assert list(row.values.values()) == ["BERN", "2020", "pump", "3", "36"]


def test_unclosed_quotation_after_a_blank_is_named_by_its_line():
    rows = 'A1, 2020, "pump, 3, 36\nB1, 2020, "pump", 3, 36\n'

    assert faults_of(f"{HEADER}\n{rows}") == [(2, "row", "broken-quotes")]


@pytest.mark.parametrize("guard", ['="{}"', '"=""{}"""'])
def test_cells_guarded_from_spreadsheets_are_read(guard):
    cells = ",".join(guard.format(cell) for cell in ("BERN", "2020", "pump", "3", "036"))
    names = ",".join(guard.format(name) for name in HEADER.split(","))

    (row,) = read(f"{names}\n{cells}\n")

    assert list(row.values.values()) == ["BERN", "2020", "pump", "3", "036"]


def test_other_formulas_stay_as_they_are():
    (row,) = read(f'{HEADER}\nBERN,2020,pump,=1+2,=A1&"x"\n')

    assert (row.values["devices"], row.values["component_months"]) == ("=1+2", '=A1&"x"')


@pytest.mark.parametrize("end", ["\x1a", "\n\x1a", "\r\n\x1a\r\n"])
def test_mark_of_a_file_s_end_is_no_cell(end):
    (row,) = read(f"{HEADER}\nBERN,2020,pump,3,36{end}")

    assert row.values["component_months"] == "36"


def test_rows_may_end_at_the_last_column_that_has_a_name():
    faults = []

    (row,) = read(f"{HEADER},,\nBERN,2020,pump,3,36\nBERN,2021,pump,3\n", on_fault=faults.append)

    assert row.values["component_months"] == "36"
    assert [(f.line, f.code) for f in faults] == [(3, "wrong-number-of-cells")]


@pytest.mark.parametrize(
    "again",
    [
        HEADER.upper(),
        "Site,Year,Component,Devices,Device months",
        HEADER.removesuffix("component_months"),
        "Klinik,year,component,devices,Monate",
    ],
    ids=["capitals", "labels", "last-cell-empty", "mostly"],
)
def test_second_line_of_column_names_is_one_fault_by_any_spelling(again):
    assert faults_of(f"{HEADER}\n{again}\nA1,2020,pump,3,36") == [(2, "row", "no-row-of-data")]


def test_note_below_the_rows_is_told_as_no_row_however_many_cells_it_has():
    wide = f"{HEADER},model"
    for note in ("Total: 12", "Total: 12,,", "Printed,,,,,,,,", "a,b"):
        assert faults_of(f"{wide}\nA1,2020,pump,3,36,\n{note}") == [(3, "row", "no-row-of-data")]


@pytest.mark.parametrize(
    "heading",
    ["Year (YYYY)", "year [JJJJ]", '"Year\n(4 digits)"', "year (required)*", "Year (code)"],
)
def test_harmless_remark_behind_a_heading_is_passed_over(heading):
    [row] = read(f"site,{heading},component,devices,component_months\nA1,2020,pump,3,36")

    assert row.values["year"] == "2020"


@pytest.mark.parametrize(
    ("heading", "code"),
    [
        ("component_months (days)", "unknown-column"),
        ("component_months (name)", "identifier-found"),
        ("component_months (yyyy)", "unknown-column"),
    ],
)
def test_remark_that_makes_another_column_is_not_passed_over(heading, code):
    faults = faults_of(f"site,year,component,devices,{heading}\nA1,2020,pump,3,36")

    assert [each for _line, _column, each in faults] == [code, "missing-column"]


@pytest.mark.parametrize(
    ("heading", "mend"),
    [
        ("Year of report", "did you mean year?"),
        ("report_year", "did you mean year?"),
        ("Jahr", "leave it out, or give it the name of the missing column that it holds"),
    ],
)
def test_unknown_heading_is_told_the_missing_column_that_it_may_be(heading, mend):
    with pytest.raises(Refusal) as refusal:
        read(f"site,{heading},component,devices,component_months\nA1,2020,pump,3,36")

    assert refusal.value.faults[0].detail == f"exposures have no such column; {mend}"


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman"])
def test_mark_of_utf_8_before_text_of_another_encoding_is_no_letter(encoding):
    text = f"{HEADER},model\nA1,2020,pump,3,36,für müde Männer\n"

    [row] = read_rows(io.BytesIO(b"\xef\xbb\xbf" + text.encode(encoding)), RowKind.EXPOSURE)

    assert (row.values["site"], row.values["model"]) == ("A1", "für müde Männer")
