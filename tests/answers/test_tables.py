"""A release as a table: what each cell says, and what a hidden one does not."""

import pytest

from registry.answers.tables import day_of, shown, table_of
from registry.records import Column, Release

RATES = {"measure": "rates"}
PROPORTIONS = {"measure": "proportions"}
META = {
    "title": "Proportions of Catheter problem",
    "measure": "proportions",
    "counting_in_words": "Patients with at least one event.",
    "denominator": "patients with a catheter of the selection",
    "level": 0.95,
    "method": "Wilson's interval.",
    "snapshot": {"id": "abcdef0123456789", "kind": "release", "label": "2026Q4"},
    "data_as_of": "2026-11-21T23:58:00+00:00",
    "profile": "protected",
    "warnings": ["Follow-up differs."],
    "disclosure": {"in_words": ["Every count was changed."]},
    "receipt": "signed",
}
COLUMNS = (
    Column("category", "string", "dimension", title="Complication category"),
    Column("category_label", "string", "dimension", title="Complication category, in words"),
    Column("numerator", "integer", "measure", title="With an event"),
    Column("denominator", "integer", "measure", title="Of"),
    Column("proportion", "number", "measure", title="Proportion"),
    Column("ci_lower", "number", "interval"),
    Column("ci_upper", "number", "interval"),
    Column("hidden_cells", "integer", "status"),
    Column("status", "string", "status"),
)


def row(**numbers):
    return {
        "category": "catheter",
        "category_label": "Catheter problem",
        "numerator": 34,
        "denominator": 400,
        "proportion": 0.085,
        "ci_lower": 0.06146,
        "ci_upper": 0.11643,
        "hidden_cells": 0,
        "status": "ok",
        **numbers,
    }


def suppressed(**kept):
    gone = dict.fromkeys(["numerator", "proportion", "ci_lower", "ci_upper"])
    return row(**gone, status="suppressed", **kept)


def table(*rows):
    return table_of(Release(meta=META, columns=COLUMNS, rows=rows))


def texts(made):
    return [[cell.text for cell in cells] for cells in made.rows]


def test_a_proportion_is_a_share_of_all_in_per_cent():
    made = table(row())

    assert [title for title, _number in made.columns] == [
        "Complication category",
        "With an event, of all",
        "Proportion",
        "Interval",
        "Status",
    ]
    assert texts(made) == [["Catheter problem", "34 of 400", "8.5 %", "6.15 to 11.64 %", "Shown"]]


def test_a_hidden_count_is_few_and_what_it_would_give_back_is_hidden():
    made = table(suppressed(denominator=400))

    assert texts(made) == [["Catheter problem", "<11", "hidden", "hidden", "Suppressed"]]
    assert made.why_hidden[0].startswith("<11: under 11")
    assert table(row()).why_hidden == []


def test_numbers_stand_below_heads_of_numbers_and_words_below_words():
    verdict = Column("beyond", "string", "measure", title="Beyond the limits")
    rows = [row(beyond="no", hidden_cells=2), suppressed(beyond=None, hidden_cells=1)]
    made = table_of(Release(meta=META, columns=(*COLUMNS, verdict), rows=rows))

    heads = dict(made.columns)
    assert not heads["Beyond the limits"]
    assert heads["Cells left out"]
    for cells in made.rows:
        assert [cell.number for cell in cells] == list(heads.values())


def test_hidden_rows_are_known_by_their_place():
    made = table(row(), suppressed(), row(status="unstable"))

    assert made.untold == {1}


def test_nothing_hidden_is_written_as_zero_or_left_blank():
    [cells] = texts(table(suppressed(denominator=None)))

    assert not {"0", "0 %", "", "None"} & set(cells)


def test_a_count_of_a_hidden_number_of_people_says_so():
    assert texts(table(row(denominator=None)))[0][1] == "34 of hidden"


def test_cells_that_were_left_out_of_a_sum_are_told_where_there_are_any():
    assert "Cells left out" in [title for title, _ in table(row(hidden_cells=2)).columns]
    assert "Cells left out" not in [title for title, _ in table(row()).columns]


def test_the_legend_explains_the_statuses_that_occur():
    assert [each.label for each in table(row(), suppressed()).legend] == ["Suppressed"]
    assert table(row()).legend == []


def test_what_was_done_to_protected_numbers_stands_with_the_warnings():
    assert table(row()).warnings == ["Follow-up differs.", "Every count was changed."]


def test_the_caption_says_how_to_read_the_numbers():
    caption = " ".join(table(row()).caption)

    for words in (
        "Counted: Patients with at least one event.",
        "Of all: patients with a catheter",
        "Intervals of 95 %: Wilson's",
        "Data as of 21 November 2026, 23:58 UTC, release 2026Q4.",
        "Protected numbers",
    ):
        assert words in caption


def test_a_registry_without_rows_has_no_day():
    assert day_of(None) == "no entry yet"


@pytest.mark.parametrize(
    ("status", "text"), [("suppressed", "hidden"), ("no_denominator", "No denominator")]
)
def test_a_missing_rate_says_why(status, text):
    cells = {"rate": None, "ci_lower": None, "ci_upper": None, "status": status}

    rate = shown(cells, Column("rate", "number", "measure"), RATES)
    limits = shown(cells, Column("ci_lower", "number", "interval"), RATES)

    assert (rate.text, rate.hidden) == (text, True)
    assert (limits.text, limits.hidden) == (text, True)


def cell(name, value, *, type="number", role="measure", measure="signals", **row):
    return shown(
        {name: value, "status": "ok", **row}, Column(name, type, role), {"measure": measure}
    )


def test_a_lower_limit_is_shown_with_its_upper_one_whatever_they_are_called():
    assert cell("prr_lower", 1.5, prr_upper=3.25).text == "1.5 to 3.25"
    assert cell("lower_998", 0.2, upper_998=2.0).text == "0.2 to 2"
    assert cell("prr_lower", 1.5, prr_upper=None).text == "from 1.5"
    assert cell("ci_lower", 0.5, ci_upper=0.75, measure="survival").text == "50 to 75 %"


def test_upper_limits_have_no_column_of_their_own():
    columns = (
        Column("prr", "number", "measure", title="PRR"),
        Column("prr_lower", "number", "interval", title="PRR, lower limit"),
        Column("prr_upper", "number", "interval", title="PRR, upper limit"),
        Column("status", "string", "status"),
    )
    made = table_of(Release(meta=META | {"measure": "signals"}, columns=columns, rows=()))

    assert [title for title, _number in made.columns] == ["PRR", "PRR interval", "Status"]


def test_a_number_that_arithmetic_does_not_give_is_neither_hidden_nor_nought():
    assert cell("prr", None).text == "not defined"
    assert cell("n", None, status="suppressed").text == "<11"


def test_signals_and_places_in_a_funnel_are_words():
    assert cell("signal", True, type="boolean").text == "Yes"
    assert cell("alarm", False, type="boolean").text == "No"
    assert cell("signal", "above-998", type="string").text == "Above the 99.8 % limits"
    assert cell("signal", "within", type="string").text == "Within the limits"
    assert cell("signal", "not-judged", type="string").text == "Not judged"


def test_a_share_of_a_cause_and_a_curve_are_in_per_cent():
    assert cell("share", 0.125).text == "12.5 %"
    assert cell("estimate", 0.5, measure="survival").text == "50 %"


def test_a_long_table_scrolls_in_itself():
    assert not table(*[row()] * 30).is_long
    assert table(*[row()] * 31).is_long


def test_pairs_that_can_be_read_come_first_and_the_strongest_on_top():
    columns = (
        Column("complication", "string", "dimension"),
        Column("ic_lower", "number", "interval"),
        Column("status", "string", "status"),
    )
    rows = [
        {"complication": "hidden", "ic_lower": None, "status": "suppressed"},
        {"complication": "weak", "ic_lower": -1.5, "status": "ok"},
        {"complication": "undefined", "ic_lower": None, "status": "ok"},
        {"complication": "strong", "ic_lower": 0.75, "status": "unstable"},
    ]

    def listed(measure):
        made = table_of(Release(meta=META | {"measure": measure}, columns=columns, rows=rows))
        return [line[0].text for line in made.rows]

    assert listed("signals") == ["strong", "weak", "undefined", "hidden"]
    assert listed("counts") == ["hidden", "weak", "undefined", "strong"]


def test_names_of_complications_and_models_lead_to_their_pages():
    def address(told, meta=RATES):
        column = Column(next(iter(reversed(told))), "string", "dimension")
        return shown({**told, "status": "ok"}, column, {"measure": "rates", **meta}).address

    both = {"complication": "catheter-migration", "complication_label": "Catheter migration"}
    by_category = {"measure": "cascades", "cascades": {"level": "category"}}
    assert address(both) == "/complications/catheter-migration/"
    assert address({"cause": "pump-flip"}) == "/complications/pump-flip/"
    assert address({"pump_model": "synchromed-ii-20"}) == "/products/pump/synchromed-ii-20/"
    assert address({"complication": "Catheter migration"}) == ""
    assert address({"pump_model": "not-recorded"}) == ""
    assert address({"cause": "pump"}, by_category) == ""
    assert address({"sex": "female"}) == ""
