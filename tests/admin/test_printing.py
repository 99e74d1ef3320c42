"""The blank form of an event: every question of the form, with what can be ticked."""

import re

from registry.records import RowKind
from registry.records.columns import DECLARED
from tests.factories import UserFactory

SHEET = "/admin/registry/event/blank/"


def questions(html):
    """Title -> the answers to tick."""
    return {
        title: re.findall(r'class="box">([^<]*)<', rest)
        for title, rest in re.findall(
            r'class="question"><strong>([^<]*)</strong>(.*?)</p>', html, re.DOTALL
        )
    }


def test_the_sheet_has_every_question_of_the_form_once(reporter, signed_in):
    html = signed_in(reporter).get(SHEET).text

    asked = re.findall(r'class="question"><strong>([^<]*)</strong>', html)
    columns = DECLARED[RowKind.EVENT]
    assert sorted(asked) == sorted(
        column.title for name, column in columns.items() if name != "month"
    )


def test_a_deployment_that_keeps_months_asks_for_them(reporter, signed_in, settings):
    settings.REGISTRY_DATE_PRECISION = "month"

    assert "Month" in questions(signed_in(reporter).get(SHEET).text)


def test_short_lists_are_ticked_and_long_ones_written(reporter, signed_in):
    asked = questions(signed_in(reporter).get(SHEET).text)

    assert asked["Pump alarm"] == ["Yes", "No", "Unknown"]
    assert asked["Severity"][4] == "5 Death: The person died of the event."
    assert len(asked["What was done"]) == 29
    for title in ("Complication", "Model", "Drug", "Indication", "Implant", "Year"):
        assert asked[title] == []


def test_the_sheet_is_for_who_sees_events(signed_in, db):
    nobody = UserFactory(username="nobody", is_staff=True)

    assert signed_in(nobody).get(SHEET).status_code == 403
