"""Cells as sites write them: spellings, labels, lists, dates of spreadsheets, words for empty."""

import pytest

from registry.interchange.cell_reading import CatalogueNames, CellReading
from registry.interchange.site_words import COLUMNS_OF_ALL, SiteWords, codes_of
from registry.records import RawReport, RowKind
from registry.records.readings import FileReading, ReadAs
from registry.records.spelling import folded

TERMS = CatalogueNames(
    {"catheter-kink": "catheter-kink", "kink-of-catheter": "catheter-kink"},
    {"knick": ("catheter-kink",), "stall": ("catheter-kink", "pump-stall")},
)


def read(column, text, *, kind=RowKind.EVENT, words=None, blank=()):
    """What a cell means, how it was read, and the code of its fault."""
    found = FileReading()
    mapping = SiteWords(words={column: words} if words else {})
    cells = CellReading(kind, terms=TERMS, words=mapping, blank=blank, reading=found)
    raw, faults = cells.read(RawReport(kind, {column: text}, 2, "f.csv"))
    way = next(iter(found.counts), None)
    return raw.values[column], way, [fault.code for fault in faults]


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        ("outcome", "Recovered", "recovered"),
        ("outcome", "RECOVERED_SEQUELAE", "recovered-sequelae"),
        ("outcome", "reco\N{SOFT HYPHEN}vered", "recovered"),
        ("outcome", "not\N{ZERO WIDTH SPACE} recovered", "not-recovered"),
        ("outcome", "not recovered", "not-recovered"),
        ("complication", "Catheter Kink", "catheter-kink"),
        ("complication", "kink_of catheter", "catheter-kink"),
        ("site", "Taira-a", "TAIRA-A"),
        ("site", "bern_sued 2", "BERN-SUED-2"),
        ("component_model", "SynchroMed II 20ml", "synchromed-ii-20"),
        ("component_model", "SYNCHROMED II, 20 mL", "synchromed-ii-20"),
        ("age_band", "12 to 17 years", "12-17"),
        ("age_band", "90 plus", "90-plus"),
        ("age_band", "90+", "90-plus"),
        ("days_since_refill", "8 - 30", "8-30"),
        ("days_since_procedure", ">365", "over-365"),
        ("site", "TAIRA\N{EN DASH}A", "TAIRA-A"),
        ("mri_24h", "TRUE", "yes"),
        ("alarm", "False", "no"),
        ("indication", "Tumor or myelopathy", "tumour-or-myelopathy"),
        ("root_cause", "infection-hematogenous", "infection-haematogenous"),
        ("severity", "Life-Threatening", "4"),
        ("severity", "Grade 3", "3"),
        ("severity", "3 = Severe", "3"),
        ("severity", "3, severe", "3"),
        ("severity", "Severe (3)", "3"),
        ("outcome", "recovered-sequelae: Recovered with sequelae", "recovered-sequelae"),
        ("age_band", "12-17: 12 to 17 years", "12-17"),
        ("seriousness", "Hospitalisation; INTERVENTION TO PREVENT", None),
        ("seriousness", "hospitalization;intervention-to-prevent", None),
    ],
)
def test_codes_are_read_by_any_spelling_and_label(column, text, code):
    code = code or "hospitalisation;intervention-to-prevent"

    assert read(column, text) == (code, ReadAs.SPELLED, [])


@pytest.mark.parametrize(
    "text",
    [
        "hospitalisation, intervention-to-prevent",
        "hospitalisation|intervention-to-prevent",
        "hospitalisation;intervention-to-prevent;",
        "hospitalisation\nintervention-to-prevent",
        ";hospitalisation;;intervention-to-prevent",
        "hospitalisation\tintervention-to-prevent",
        "hospitalisation\uff0cintervention-to-prevent",
        "hospitalisation\uff1b intervention-to-prevent",
    ],
)
def test_lists_are_split_at_any_separator(text):
    meant, way, faults = read("seriousness", text)

    assert (meant, faults) == ("hospitalisation;intervention-to-prevent", [])
    assert way is ReadAs.SPLIT


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        ("days_since_refill", "30-Aug", "8-30"),
        ("days_since_refill", "8\N{EN DASH}30", "8-30"),
        ("days_since_refill", "Aug 30", "8-30"),
        ("days_since_refill", "30. August", "8-30"),
        ("days_since_refill", "30-Aug-23", "8-30"),
        ("days_since_refill", "2023-08-30 00:00:00", "8-30"),
        ("days_since_refill", "30.08.2023", "8-30"),
        ("days_since_refill", "8/30/2023", "8-30"),
        ("days_since_refill", "30.8.", "8-30"),
        ("days_since_refill", "45168", "8-30"),
        ("days_since_refill", "45168.0", "8-30"),
        ("days_since_refill", "01.08.1930", "8-30"),
        ("days_since_refill", "07. Feb", "2-7"),
        ("days_since_refill", "08-30", "8-30"),
        ("days_since_refill", "07-02", "2-7"),
        ("days_since_refill", "30-Aug-2023 00:00", "8-30"),
        ("days_since_refill", "2. Jul", "2-7"),
        ("age_band", "06. Nov", "6-11"),
        ("age_band", "11-Jun", "6-11"),
        ("age_band", "Dez 17", "12-17"),
        ("age_band", "Dec-17", "12-17"),
        ("age_band", "déc.-17", "12-17"),
        ("age_band", "17-Dec-2024", "12-17"),
        ("age_band", "2017-12-01", "12-17"),
    ],
)
def test_codes_that_became_dates_are_read_where_one_alone_is_meant(column, text, code):
    assert read(column, text) == (code, ReadAs.DATED, [])


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("days_since_procedure", "07. Jan"),
        ("days_since_refill", "31-Aug"),
        ("age_band", "06.11.1961"),  # may be a date of birth
        ("age_band", "45200"),
    ],
)
def test_dates_that_mean_no_code_are_told_with_cause_and_mend(column, text):
    assert read(column, text) == ("", None, ["turned-into-a-date"])


def test_a_wrong_range_is_no_date():
    assert read("days_since_refill", "8-31") == ("8-31", None, [])


def test_the_fault_of_a_date_names_a_code_that_becomes_one():
    for column, code in (("days_since_procedure", "8-30"), ("age_band", "12-17")):
        cells = CellReading(
            RowKind.EVENT, terms=TERMS, words=SiteWords(), blank=(), reading=FileReading()
        )
        _, [fault] = cells.read(RawReport(RowKind.EVENT, {column: "31-Aug"}))

        assert f"a code such as {code}, format the column as text" in fault.detail


def test_dates_in_columns_without_ranges_are_left_to_be_refused():
    assert read("outcome", "30-Aug") == ("30-Aug", None, [])
    assert read("year", "17.04.2009") == ("17.04.2009", None, [])


@pytest.mark.parametrize("word", ["NA", "n/a", "N.A.", "#N/A", "NULL", "nan", "k. A.", "-", "?"])
@pytest.mark.parametrize("column", ["severity", "outcome", "interventions", "implant", "months"])
def test_words_for_empty_are_told_or_taken_as_empty(column, word):
    column = {"months": "months_since_implant"}.get(column, column)

    assert read(column, word) == ("", None, ["word-for-empty"])
    assert read(column, word, blank=[word]) == ("", ReadAs.EMPTY, [])


def test_a_word_for_empty_that_is_a_code_stays_one():
    assert read("outcome", "unknown", blank=["unknown"]) == ("unknown", None, [])
    assert read("severity", "Unknown") == ("", None, ["word-for-empty"])
    assert read("seriousness", "none") == ("none", None, [])


def test_any_word_can_be_taken_as_empty():
    assert read("outcome", "siehe Brief", blank=["Siehe brief"]) == ("", ReadAs.EMPTY, [])


def test_the_words_of_a_site_come_before_ours():
    words = {"Entlassen": "Recovered", "unknown": "", "tot": "fatal"}

    assert read("outcome", "entlassen", words=words) == ("recovered", ReadAs.TRANSLATED, [])
    assert read("outcome", "unknown", words=words) == ("", ReadAs.TRANSLATED, [])


def test_a_synonym_is_told_its_code_and_not_read():
    assert read("complication", "Knick") == ("", None, ["unknown-code"])
    assert read("complication", "Stall") == ("", None, ["unknown-code"])


def test_whole_numbers_may_have_zeros_behind_the_point():
    assert read("year", "2009.0") == ("2009", ReadAs.WHOLE, [])
    assert read("severity", "3,00") == ("3", ReadAs.WHOLE, [])
    assert read("months_since_implant", "34.5") == ("34.5", None, [])


@pytest.mark.parametrize(
    ("column", "text", "digits"),
    [
        ("year", "2,009", "2009"),
        ("year", "2 009", "2009"),
        ("year", "\uff12\uff10\uff10\uff19", "2009"),
        ("months_since_implant", "1'000", "1000"),
        ("months_since_implant", "34.000", "34"),
        ("severity", "\uff13", "3"),
    ],
)
def test_numbers_are_read_however_they_are_grouped(column, text, digits):
    assert read(column, text) == (digits, ReadAs.GROUPED, [])


@pytest.mark.parametrize(
    ("column", "text", "meant"),
    [
        ("year", "'2009", "2009"),
        ("year", "\u20182009", "2009"),
        ("source_id", "'x1'", "x1"),
        ("outcome", "'recovered'", "recovered"),
        ("site", "\ufeffTAIRA-A\u200b", "TAIRA-A"),
    ],
)
def test_marks_of_plain_text_around_a_cell_are_left_out(column, text, meant):
    assert read(column, text) == (meant, ReadAs.BARE, [])


def test_marks_around_a_cell_hide_no_way_of_reading_and_no_word_for_empty():
    assert read("days_since_refill", "'30-Aug") == ("8-30", ReadAs.DATED, [])
    assert read("outcome", "'NA") == ("", None, ["word-for-empty"])
    assert read("outcome", "'") == ("", None, ["word-for-empty"])
    assert read("outcome", "recovered'") == ("recovered", ReadAs.SPELLED, [])


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("severity", "-3"),
        ("severity", "<3"),
        ("severity", "3?"),
        ("severity", "~3"),
        ("days_since_refill", "-8-30"),
        ("outcome", "recovered?"),
        ("outcome", "\N{NOT EQUAL TO}recovered"),
        ("complication", "catheter kink?"),
        ("seriousness", "none?"),
        ("interventions", "dose-change?"),
    ],
)
def test_a_code_with_a_sign_that_makes_another_thing_of_it_is_not_read(column, text):
    assert read(column, text) == (text, None, [])


@pytest.mark.parametrize("column", ["severity", "year", "outcome", "implant", "interventions"])
@pytest.mark.parametrize("word", ["-9", "-99", "-999", "-88", "NI", "ASKU"])
def test_codes_for_missing_data_are_words_for_empty(column, word):
    assert read(column, word) == ("", None, ["word-for-empty"])
    assert read(column, word, blank=[word]) == ("", ReadAs.EMPTY, [])


def test_what_may_be_a_thousand_is_not_read_as_one():
    column = "component_months"

    assert read(column, "1,000", kind=RowKind.EXPOSURE) == ("1,000", None, [])
    assert read(column, "1.200", kind=RowKind.EXPOSURE) == ("1.200", None, [])


def test_the_columns_of_faults_are_unread_and_empty():
    cells = CellReading(
        RowKind.EVENT, terms=TERMS, words=SiteWords(), blank=(), reading=FileReading()
    )

    raw, [fault] = cells.read(RawReport(RowKind.EVENT, {"outcome": "NA", "year": "2009"}))

    assert (raw.values, raw.unread) == ({"outcome": "", "year": "2009"}, {"outcome"})
    assert "outcome" not in fault.detail


@pytest.mark.parametrize("column", COLUMNS_OF_ALL.values(), ids=lambda column: column.name)
def test_every_code_is_read_as_itself(column):
    spelled = codes_of(column)

    for member in column.members:
        assert spelled[folded(str(member.value))] == str(member.value)


@pytest.mark.parametrize("column", ["severity", "days_since_refill", "complication", "implant"])
@pytest.mark.parametrize("word", ["#NV", "nvt", "<NA>", "okänd", "Brak danych"])
def test_words_for_empty_of_other_systems_are_known(column, word):
    assert read(column, word) == ("", None, ["word-for-empty"])


@pytest.mark.parametrize("column", ["severity", "seriousness", "year"])
@pytest.mark.parametrize(
    "word", ["#REF!", "#value!", "#DIV/0!", "#NAME?", "#BEZUG!", "#¡VALOR!", "####", "########"]
)
def test_error_of_a_spreadsheet_is_told_as_one(column, word):
    assert read(column, word) == ("", None, ["spreadsheet-error"])


@pytest.mark.parametrize(
    "mark", ["+", "++", "(+)", "\u2713", "\u2714", "\u2611", "\u2717", '"', "\u3003"]
)
def test_a_mark_that_says_something_is_no_word_for_empty(mark):
    assert read("alarm", mark, blank=["-", "?"]) == (mark, None, [])


@pytest.mark.parametrize(
    "mark", ["-", "--", "\u2013", "?", "??", "...", "\u2026", "/", "*", "(-)", "_"]
)
def test_a_mark_that_says_nothing_is_a_word_for_empty(mark):
    assert read("alarm", mark) == ("", None, ["word-for-empty"])
