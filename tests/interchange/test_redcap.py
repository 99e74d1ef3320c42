"""REDCap's dictionary of our rows, and its raw export as rows, after its documented formats."""

import csv
import io
import re
import zipfile

import pytest

from registry.interchange.redcap import (
    DICTIONARY_COLUMNS,
    dictionary_csv,
    dictionary_rows,
    field_name,
    instrument_zip,
)
from registry.interchange.redcap_export import RedcapExport
from registry.records import IdentifierFound, Refusal, RowKind, RowRuleBroken
from registry.records.columns import DECLARED
from registry.records.declared import Holds
from registry.vocabulary import Outcome

TERMS = [("catheter-kink", "Catheter kink"), ("csf-leak", "Leak | of fluid")]
NAME = "Variable / Field Name"
CHOICES = "Choices, Calculations, OR Slider Labels"
BRANCHING = "Branching Logic (Show field only if...)"


@pytest.fixture(scope="module")
def fields():
    content = dictionary_csv(dictionary_rows(RowKind, TERMS)).decode()
    reader = csv.DictReader(io.StringIO(content))
    rows = {row[NAME]: row for row in reader}
    assert reader.fieldnames == list(DICTIONARY_COLUMNS)
    return rows


def test_dictionary_has_eighteen_columns_and_the_record_first(fields):
    assert len(DICTIONARY_COLUMNS) == 18
    assert next(iter(fields)) == "record_id"


def test_every_declared_column_is_one_field_of_its_form(fields):
    named = [field_name(kind, column) for kind in RowKind for column in DECLARED[kind]]

    assert len(set(named)) == len(named)
    assert set(fields) == {"record_id", *named}
    for kind in RowKind:
        for column in DECLARED[kind]:
            assert fields[field_name(kind, column)]["Form Name"] == kind.value


def test_fields_are_named_as_redcap_allows(fields):
    for name in fields:
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,99}", name)
        assert "__" not in name


def test_fields_have_the_lists_ranges_and_help_of_the_registry(fields):
    outcome, months, severity = fields["outcome"], fields["months_followed"], fields["severity"]

    assert outcome["Field Type"] == "dropdown"
    pairs = [choice.split(", ", 1) for choice in outcome[CHOICES].split(" | ")]
    assert pairs == [[member.value, member.label] for member in Outcome]
    assert fields["seriousness"]["Field Type"] == "checkbox"
    assert severity["Field Type"] == "radio"
    assert severity["Field Note"] == "Worst grade reached."
    assert (
        months["Text Validation Type OR Show Slider Number"],
        months["Text Validation Min"],
        months["Text Validation Max"],
        months["Required Field?"],
    ) == ("integer", "0", "1200", "y")
    assert fields["complication"][CHOICES] == (
        "catheter-kink, Catheter kink | csf-leak, Leak / of fluid"
    )


def test_no_field_identifies_or_takes_free_text(fields):
    assert {row["Identifier?"] for row in fields.values()} == {""}
    assert "notes" not in {row["Field Type"] for row in fields.values()}


def test_branching_names_fields_that_exist(fields):
    asked = [row[BRANCHING] for row in fields.values() if row[BRANCHING]]

    assert len(asked) == 9
    for logic in asked:
        assert set(re.findall(r"\[([a-z_0-9]+)\]", logic)) <= set(fields)


@pytest.mark.parametrize("kind", RowKind)
def test_instrument_zip_holds_its_own_fields_alone(kind):
    with zipfile.ZipFile(io.BytesIO(instrument_zip(kind, TERMS))) as parts:
        assert parts.namelist() == ["instrument.csv"]
        rows = list(csv.DictReader(io.StringIO(parts.read("instrument.csv").decode())))

    assert [row[NAME] for row in rows] == [field_name(kind, name) for name in DECLARED[kind]]


# The raw export -----------------------------------------------------------------------------------


def export_of(tmp_path, *rows):
    """A raw export with these rows, written as REDCap does: every field of every instrument."""
    headings = ["record_id", "redcap_repeat_instrument", "redcap_repeat_instance"]
    for kind in RowKind:
        for name, column in DECLARED[kind].items():
            field = field_name(kind, name)
            if column.holds is Holds.CODES:
                codes = (str(member.value).replace("-", "_") for member in column.members)
                headings += [f"{field}___{code}" for code in codes]
            else:
                headings.append(field)
        headings.append(f"{kind.value}_complete")
    path = tmp_path / "export.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, headings, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return RedcapExport(path)


IMPLANT = {
    "redcap_repeat_instrument": "implants",
    "implant_site": "BERN",
    "patient": "p1",
    "implant_implant": "i1",
    "implant_component": "catheter",
    "implant_year": "2015",
    "months_followed": "40",
}
EVENT = {
    "redcap_repeat_instrument": "events",
    "event_site": "BERN",
    "source_id": "e1",
    "event_implant": "i1",
    "complication": "catheter-kink",
    "event_year": "2016",
    "seriousness___hospitalisation": "1",
    "seriousness___intervention_to_prevent": "1",
    "seriousness___death": "0",
}


def test_repeating_instruments_are_rows_of_their_kind(tmp_path):
    export = export_of(tmp_path, {"record_id": "1"}, IMPLANT, EVENT)

    assert export.kinds == (RowKind.IMPLANT, RowKind.EVENT)
    [implant] = export.reports(RowKind.IMPLANT)
    [event] = export.reports(RowKind.EVENT)
    assert (implant.line, implant.values["patient"], implant.values["implant_year"]) == (
        3,
        "p1",
        "2015",
    )
    assert (event.line, event.values["site"]) == (4, "BERN")
    assert event.values["seriousness"] == "hospitalisation;intervention-to-prevent"
    assert "record_id" not in event.values


def test_one_line_may_hold_several_kinds_without_repeats(tmp_path):
    row = {**IMPLANT, **EVENT, "redcap_repeat_instrument": ""}

    assert export_of(tmp_path, row).kinds == (RowKind.IMPLANT, RowKind.EVENT)


def test_fields_may_have_the_names_of_our_columns(tmp_path):
    path = tmp_path / "e.csv"
    path.write_text(
        "record_id,site,source_id,complication,year,seriousness___none,my_form_complete\n"
        "7,BERN,e1,csf-leak,2016,1,2\n"
    )

    export = RedcapExport(path)

    [event] = export.reports(RowKind.EVENT)
    assert export.kinds == (RowKind.EVENT,)
    assert (event.values["site"], event.values["seriousness"]) == ("BERN", "none")


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ("", Refusal, "empty-file"),
        ("record_id,redcap_repeat_instance\n", Refusal, "no-header"),
        ("1,Maria,recovered\n", Refusal, "no-header"),
        ("record_id,site,shoe_size\n", Refusal, "unknown-column"),
        ("record_id,site,seriousness___tired\n", Refusal, "unknown-column"),
        ("record_id,site,date_of_birth\n", IdentifierFound, "identifier-found"),
    ],
)
def test_file_of_other_fields_is_refused(text, kind, code, tmp_path):
    path = tmp_path / "e.csv"
    path.write_text(text)

    with pytest.raises(kind) as refusal:
        RedcapExport(path)

    assert [fault.code for fault in refusal.value.faults] == [code]


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(Refusal, match="cannot be opened"):
        RedcapExport(tmp_path / "none.csv")


def test_line_with_a_wrong_number_of_cells_is_refused(tmp_path):
    path = tmp_path / "e.csv"
    path.write_text("record_id,site,source_id,complication,year\n1,BERN,e1\n")

    with pytest.raises(RowRuleBroken, match="3 cells and the header 5"):
        list(RedcapExport(path).reports(RowKind.EVENT))


def test_columns_without_a_name_are_ignored_where_they_are_empty(tmp_path):
    """As a spreadsheet saves an export that was opened in it."""
    path = tmp_path / "e.csv"
    path.write_text("record_id,event_site,source_id,complication,,\n1,BERN,e1,death,,\n")
    export = RedcapExport(path)

    assert [row.values["source_id"] for row in export.reports(RowKind.EVENT)] == ["e1"]

    path.write_text("record_id,event_site,source_id,complication,,\n1,BERN,e1,death,7,\n")
    with pytest.raises(RowRuleBroken, match="without a name is filled"):
        RedcapExport(path)


def refused(tmp_path, text):
    path = tmp_path / "e.csv"
    path.write_text(text)
    with pytest.raises(Refusal) as refusal:
        RedcapExport(path)
    return [(fault.line, fault.column, fault.code) for fault in refusal.value.faults]


@pytest.mark.parametrize("ticked", ["1", "1.0", "Checked", "TRUE"])
@pytest.mark.parametrize("empty", ["0", "0.0", "Unchecked", "FALSE", ""])
def test_a_box_is_ticked_however_the_export_says_it(ticked, empty, tmp_path):
    boxes = {"seriousness___hospitalisation": ticked, "seriousness___death": empty}
    boxes["seriousness___intervention_to_prevent"] = "0"

    [event] = export_of(tmp_path, EVENT | boxes).reports(RowKind.EVENT)

    assert event.values["seriousness"] == "hospitalisation"


@pytest.mark.parametrize("box", ["x", "2", "hospitalisation", "yes"])
def test_a_box_that_holds_anything_else_is_refused(box, tmp_path):
    text = f"record_id,site,source_id,complication,seriousness___none\n1,BERN,e1,csf-leak,{box}\n"

    assert refused(tmp_path, text) == [(2, "seriousness___none", "unknown-code")]


@pytest.mark.parametrize(
    ("row", "lost"),
    [
        ("1,pump_events,BERN,e1,csf-leak,recovered", "site"),  # the instrument was renamed
        ("1,implants,BERN,e1,csf-leak,recovered", "source_id"),  # of another instrument
        ("1,,BERN,,,recovered", "site"),  # neither key nor complication
    ],
)
def test_what_is_filled_on_a_line_of_no_row_is_not_lost(row, lost, tmp_path):
    headings = "record_id,redcap_repeat_instrument,site,source_id,complication,outcome"
    good = "1,events,BERN,e0,csf-leak,recovered"

    assert refused(tmp_path, f"{headings}\n{good}\n{row}\n") == [(3, lost, "field-of-no-row")]


def test_lines_of_other_instruments_hold_nothing_of_ours(tmp_path):
    other = {"record_id": "1", "redcap_repeat_instrument": "demographics"}

    assert export_of(tmp_path, other, EVENT).kinds == (RowKind.EVENT,)


def test_a_field_that_stands_twice_is_refused(tmp_path):
    headings = "source_id,complication,outcome,seriousness___none,outcome,seriousness___none"
    text = f"{headings}\ne1,csf-leak,recovered,1,fatal,0\n"

    assert refused(tmp_path, text) == [
        (1, "outcome", "repeated-column"),
        (1, "seriousness___none", "repeated-column"),
    ]


def test_a_plain_name_is_of_the_kinds_whose_own_field_is_not_there(tmp_path):
    path = tmp_path / "e.csv"
    path.write_text(
        "event_site,implant_site,source_id,complication,event_sex,sex,patient,implant_implant\n"
        "BERN,BERN,e1,csf-leak,male,female,p1,i1\n"
    )

    export = RedcapExport(path)

    assert [row.values["sex"] for row in export.reports(RowKind.EVENT)] == ["male"]
    assert [row.values["sex"] for row in export.reports(RowKind.IMPLANT)] == ["female"]


def test_an_unknown_field_is_told_by_its_place_in_the_file(tmp_path):
    text = "record_id,source_id,complication,4th_note\n1,e1,csf-leak,x\n"

    assert refused(tmp_path, text) == [(1, "column 4", "unknown-column")]


def test_boxes_of_missing_data_codes_and_timestamps_are_known(tmp_path):
    path = tmp_path / "e.csv"
    path.write_text(
        "source_id,complication,seriousness___ni,seriousness____99,events_timestamp\n"
        "e1,csf-leak,1,0,[not completed]\n"
    )

    [event] = RedcapExport(path).reports(RowKind.EVENT)

    assert event.values["seriousness"] == "NI"
