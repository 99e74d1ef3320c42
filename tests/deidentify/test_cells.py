"""Cells: what may be kept, and what is refused as an identifier without being repeated."""

import pytest

from registry.deidentify import cells
from registry.vocabulary import CatheterModel, Component, Drug, PumpModel, Severity, Sex


def refusal_of(reader, text):
    with pytest.raises(cells.Unreadable) as refusal:
        reader(text)
    assert text not in refusal.value.detail
    return refusal.value.code


@pytest.mark.parametrize("text", ["p053-cath", "e000", "12345", "K7.3_b", "b" * 40])
def test_source_id_takes_a_random_key(text):
    assert cells.source_id(text) == text


@pytest.mark.parametrize("text", ["p 1", "b" * 41, "a/b", "b\n", "=1+1"])
def test_source_id_has_no_room_for_a_sentence(text):
    assert refusal_of(cells.source_id, text) == "bad-source-id"


@pytest.mark.parametrize("text", ["00048213", "p1950-01-31", "044.123.45.67", "MRN00482", "Müller"])
def test_source_id_that_identifies_is_refused(text):
    assert refusal_of(cells.source_id, text) == "identifier-found"


def test_site_is_a_code():
    assert cells.site("TAIRA-A") == "TAIRA-A"
    assert refusal_of(cells.site, "Inselspital") == "bad-site"
    assert refusal_of(cells.site, "A") == "bad-site"


def test_complication_that_cannot_be_a_code_is_refused():
    assert cells.complication("csf-leak") == "csf-leak"
    assert refusal_of(cells.complication, "Tip fell out") == "unknown-code"


def test_year_is_four_digits():
    assert cells.year("2009") == 2009
    assert refusal_of(cells.year, "09") == "not-a-year"
    assert refusal_of(cells.year, "MMIX") == "not-a-year"
    assert refusal_of(cells.year, "२००९") == "not-a-year"


@pytest.mark.parametrize(
    "text", ["2009-04-17", "17.04.2009", "4/17/2009", "2009-04", "20090417", "2009-04-17 08:30"]
)
def test_year_with_a_date_in_it_is_refused_as_finer_than_is_kept(text):
    assert refusal_of(cells.year, text) == "identifier-found"


def test_whole_number_keeps_to_its_range():
    read = cells.whole("months", 0, 1200)

    assert (read("0"), read("1200")) == (0, 1200)
    for text in ("-3", "1201", "3.5", "12 ", "1e3", "٣", "99999999999"):
        assert refusal_of(read, text) == "out-of-range"


def test_whole_number_may_be_written_with_a_point_and_zeros():
    # what pandas writes of a column of whole numbers with a blank in it
    assert cells.whole("months", 0, 1200)("34.0") == 34
    assert cells.year("2009.0") == 2009
    assert cells.severity("3.0") == 3


@pytest.mark.parametrize("text", ["1,000", "1.000", "1,200"])
def test_a_fraction_or_thousands_is_refused_and_told_as_both(text):
    with pytest.raises(
        cells.Unreadable, match="may be a fraction or thousands; give months"
    ) as told:
        cells.whole("months", 0, 1200)(text)

    assert told.value.code == "out-of-range"
    assert text not in told.value.detail


@pytest.mark.parametrize("text", ["1900-02-03 00:00:00", "1900-02-03", "03.02.1900", "2/3/00"])
def test_a_number_that_a_spreadsheet_shows_as_a_date_is_told_with_the_mend(text):
    with pytest.raises(cells.Unreadable, match="format the column as numbers") as told:
        cells.whole("months", 0, 1200)(text)

    assert told.value.code == "out-of-range"
    assert text not in told.value.detail


def test_whole_number_says_its_range():
    with pytest.raises(cells.Unreadable, match="give months as a whole number, 0 to 1200"):
        cells.whole("months", 0, 1200)("many")


def test_code_is_one_of_its_list():
    read = cells.code(Sex, "sex")

    assert read("female") is Sex.FEMALE
    assert refusal_of(read, "Female") == "unknown-code"
    assert refusal_of(read, "called mother on 555-123-4567") == "unknown-code"


def test_codes_are_separated_by_semicolons():
    read = cells.codes(Drug, "drug")

    assert read("morphine; clonidine;morphine") == {Drug.MORPHINE, Drug.CLONIDINE}
    assert read("morphine; clonidine;morphine") == {Drug.MORPHINE, Drug.CLONIDINE}
    assert refusal_of(read, "morphine,clonidine") == "unknown-code"
    assert refusal_of(read, "morphine;") == "unknown-code"


def test_severity_is_a_grade():
    assert cells.severity("3") is Severity.SEVERE
    assert refusal_of(cells.severity, "7") == "unknown-code"


def test_model_is_one_of_its_component():
    assert cells.device_model(Component.PUMP)("prometra") is PumpModel.PROMETRA
    assert cells.device_model(Component.CATHETER)("unknown") is CatheterModel.UNKNOWN
    assert refusal_of(cells.device_model(Component.CATHETER), "prometra") == "unknown-code"


def test_model_of_either_component_is_found_in_its_own_list():
    read = cells.device_model(None)

    assert read("prometra") is PumpModel.PROMETRA
    assert read("ascenda") is CatheterModel.ASCENDA
    assert read("unknown") is PumpModel.UNKNOWN
    assert refusal_of(read, "NGP480551H") == "unknown-code"
