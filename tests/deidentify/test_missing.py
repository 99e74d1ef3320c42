"""What an event must hold before it is submitted, whatever else is wrong with it."""

import pytest

from registry.deidentify import missing_for_submission

COMPLETE = {"site", "complication", "year"}


def missing(filled):
    return [fault.column for fault in missing_for_submission(filled)]


def test_nothing_is_missing_from_a_complete_event():
    assert missing(COMPLETE) == []
    assert missing({*COMPLETE, "implant", "months_since_implant"}) == []


@pytest.mark.parametrize("column", sorted(COMPLETE))
def test_each_required_column_is_named_when_blank(column):
    assert missing(COMPLETE - {column}) == [column]


def test_months_are_missing_only_where_an_implant_is_named():
    assert missing({*COMPLETE, "implant"}) == ["months_since_implant"]


def test_everything_that_is_missing_is_named_at_once():
    assert missing({"implant"}) == ["site", "complication", "year", "months_since_implant"]
