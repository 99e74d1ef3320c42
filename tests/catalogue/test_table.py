"""One catalogue file: each way its cells, its header or its bytes can be refused."""

import pytest

from registry.catalogue.table import CatalogueFault, CatalogueRow, read_rows
from registry.vocabulary import Component

COLUMNS = ("code", "name")


def rows(content: bytes, **columns):
    return list(read_rows("file.csv", content, **{"required": COLUMNS, **columns}))


def cell(value: str) -> CatalogueRow:
    return CatalogueRow("file.csv", 7, {"column": value})


def test_rows_know_their_cells_and_line():
    first, second = rows(b"code,name\na,Apple\nb,Pear\n")

    assert (first.line, first.cells) == (2, {"code": "a", "name": "Apple"})
    assert (second.line, second.cells) == (3, {"code": "b", "name": "Pear"})


def test_rows_after_a_cell_of_two_lines_keep_their_line():
    first, second = rows(b'code,name\na,"Ap\nple"\nb,Pear\n')

    assert (first.line, second.line) == (2, 4)


def test_columns_may_stand_in_any_order():
    (row,) = rows(b"name,code\nApple,a\n")

    assert row.text("code") == "a"


def test_byte_order_mark_is_no_part_of_the_header():
    (row,) = rows(b"\xef\xbb\xbfcode,name\na,Apple\n")

    assert row.text("code") == "a"


def test_absent_optional_column_reads_as_empty():
    (row,) = rows(b"code,name\na,Apple\n", optional=("note",))

    assert row.text("note") == ""


def test_fault_names_file_line_column_and_mend():
    with pytest.raises(CatalogueFault) as refusal:
        cell("").required("column")

    fault = refusal.value
    assert (fault.file, fault.line, fault.column) == ("file.csv", 7, "column")
    assert str(fault) == "file.csv:7: column: is empty; fill it in."


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "file.csv:1: is empty; its header is missing.", id="empty file"),
        pytest.param(
            b"code,name\na,Apple\nb,P\xeaar\n",
            "file.csv:3: is not UTF-8; save the file as UTF-8.",
            id="other encoding",
        ),
        pytest.param(
            b'code,name\na,Apple\nb,"Pear\n',
            "file.csv:3: is not CSV; look at its quotes.",
            id="open quote",
        ),
        pytest.param(
            b"code\na\n", "file.csv:1: name: is missing; add the column.", id="missing column"
        ),
        pytest.param(
            b"code,name,colour\na,Apple,red\n",
            "file.csv:1: column 3: is not of the catalogue; remove the column.",
            id="unknown column",
        ),
        pytest.param(
            b"code,name,code\na,Apple,b\n",
            "file.csv:1: code: stands twice; remove one.",
            id="repeated column",
        ),
        pytest.param(
            b"code,name\na,Apple\nb\n",
            "file.csv:3: has 1 cells; the header has 2.",
            id="too few cells",
        ),
        pytest.param(
            b"code,name\na,Apple,red\n",
            "file.csv:2: has 3 cells; the header has 2.",
            id="too many cells",
        ),
    ],
)
def test_file_is_refused_with_its_place(content, message):
    with pytest.raises(CatalogueFault) as refusal:
        rows(content)

    assert str(refusal.value) == message


@pytest.mark.parametrize("value", ["Apple", "a b", "-a", "a_b", "é", "a\n"])
def test_code_of_another_form_is_refused(value):
    with pytest.raises(CatalogueFault, match=r"^file\.csv:7: column: is no code"):
        cell(value).code("column")


def test_optional_code_is_none_where_empty():
    assert cell("").optional_code("column") is None
    assert cell("a-1").optional_code("column") == "a-1"


def test_member_is_the_entry_of_its_list():
    assert cell("pump").member("column", Component) is Component.PUMP


def test_member_outside_its_list_is_refused_with_what_it_may_be():
    with pytest.raises(CatalogueFault) as refusal:
        cell("motor").member("column", Component)

    assert refusal.value.mend == "is not in the list; use one of pump, catheter."


@pytest.mark.parametrize(("value", "claim"), [("yes", True), ("no", False)])
def test_yes_and_no_are_read_as_claims(value, claim):
    assert cell(value).yes("column") is claim


@pytest.mark.parametrize("value", ["Yes", "true", "1", "false"])
def test_other_than_yes_and_no_is_refused(value):
    with pytest.raises(CatalogueFault, match="neither yes nor no"):
        cell(value).yes("column")


def test_whole_number_is_read():
    assert cell("12").whole_number("column") == 12


@pytest.mark.parametrize("value", ["-1", "1.0", "1e3", "²", "one"])
def test_other_than_a_whole_number_is_refused(value):
    with pytest.raises(CatalogueFault, match="not a whole number"):
        cell(value).whole_number("column")


@pytest.mark.parametrize(("value", "number"), [("", None), ("25", 25), ("0", 0), ("1.5", 1.5)])
def test_number_is_read_as_printed(value, number):
    read = cell(value).number("column")

    assert read == number
    assert type(read) is type(number)


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "about 5", "5%"])
def test_other_than_a_number_is_refused(value):
    with pytest.raises(CatalogueFault, match="not a number from 0"):
        cell(value).number("column")


def test_several_are_split_and_trimmed():
    assert cell("a; b ;c").several("column", ";") == ("a", "b", "c")
    assert cell("").several("column", ";") == ()


def test_several_with_an_empty_entry_are_refused():
    with pytest.raises(CatalogueFault, match="holds an empty entry"):
        cell("a;;b").several("column", ";")
