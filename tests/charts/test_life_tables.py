"""Life tables, the protected form of curves: told points, and nothing that looks told between."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from registry.charts import chart_of
from registry.charts.at_risk import CLOSEST, fixed_ticks
from registry.charts.curves import NO_CURVE
from registry.charts.theme import WIDE
from tests.charts.answers import life_table, survival


def drawn(release):
    spec = chart_of(release).spec
    return spec, spec["datasets"]["rows"], " ".join(spec["vconcat"][-1]["mark"]["text"])


def parts_of(node):
    """Every layer of a specification."""
    if isinstance(node, dict):
        if "mark" in node:
            yield node
        for value in node.values():
            yield from parts_of(value)
    elif isinstance(node, list):
        for value in node:
            yield from parts_of(value)


def lines_of(spec):
    return [each for each in parts_of(spec) if each["mark"]["type"] in {"line", "area"}]


def test_told_points_are_joined_by_straight_lines_and_exact_ones_by_steps():
    told, _, _ = drawn(life_table())
    exact, _, _ = drawn(survival())

    assert {each["mark"].get("interpolate", "linear") for each in lines_of(told)} == {"linear"}
    assert {each["mark"]["interpolate"] for each in lines_of(exact)} == {"step-after"}


def test_points_on_both_sides_of_hidden_months_are_joined_by_a_broken_line():
    spec, rows, said = drawn(life_table())

    name = "SynchroMed II, reservoir not recorded"
    ends = [row["time_months"] for row in rows if row["chart_bridge"].startswith(name)]
    assert ends == [0, 12, 24, 60]
    broken = [each for each in lines_of(spec) if "strokeDash" in each["mark"]]
    assert [each["transform"][-1]["filter"] for each in broken] == ["datum.chart_bridge !== ''"]
    assert "Broken lines join points over months that are hidden." in said


def test_what_is_hidden_after_the_last_told_month_has_no_line_and_no_axis():
    release = life_table()
    rows = tuple(row for row in release.rows if row["pump_model"] != "prometra")

    spec, found, _ = drawn(replace(release, rows=rows))

    assert max(row["time_months"] for row in found if row["chart_bridge"]) == 60
    (x,) = {
        json.dumps(each["encoding"]["x"]["scale"]["domain"])
        for each in parts_of(spec)
        if each.get("encoding", {}).get("x", {}).get("field") == "time_months"
    }
    assert x == "[0, 60.0]"


def test_numbers_at_risk_are_under_the_ticks_of_the_axis():
    spec, rows, _ = drawn(life_table())

    ticks = next(
        each["encoding"]["x"]["axis"]["values"]
        for each in parts_of(spec)
        if each.get("encoding", {}).get("x", {}).get("axis", {})
    )
    written = {row["time_months"] for row in rows if row["chart_at_risk"]}
    assert ticks == [0, 12, 24, 36, 60, 84]
    assert written == set(ticks)


def test_numbers_at_risk_of_exact_curves_are_under_the_ticks_of_the_axis():
    spec, rows, _ = drawn(survival())

    ticks = next(
        each["encoding"]["x"]["axis"]["values"]
        for each in parts_of(spec)
        if each.get("encoding", {}).get("x", {}).get("axis", {})
    )
    written = {
        place: {
            row["time_months"]: row["chart_at_risk"]
            for row in rows
            if row["chart_at_risk"] and row["chart_place"] == place
        }
        for place in (0, 1)
    }
    assert ticks == list(range(0, 61, 6))
    assert written[0] == {month: str(200 - 2 * int(month)) for month in ticks}
    assert written[1] == {month: str(162 - 2 * int(month)) for month in ticks if month}


@pytest.mark.parametrize("end", [12, 60, 84, 240])
def test_ticks_leave_room_for_a_number_under_each(end):
    months = [each for each in (0, 1, 3, 6, 12, 24, 36, 60, 84, 120, 240) if each <= end]

    ticks = fixed_ticks(months, end)

    between = [(b - a) * WIDE / end for a, b in pairwise(ticks)]
    assert (ticks[0], ticks[-1]) == (0, end)
    assert min(between) >= CLOSEST


def test_groups_without_a_value_are_named_and_have_no_place_in_the_legend():
    spec, rows, said = drawn(life_table(silent=("IsoMed", "MedStream")))

    assert "2 groups have no value that can be shown, and no curve: IsoMed and MedStream." in said
    assert {row["chart_series"] for row in rows} == {
        "SynchroMed II, reservoir not recorded",
        "prometra",
    }
    assert "IsoMed" not in json.dumps(spec["vconcat"][0])


def test_many_groups_without_a_value_are_counted():
    _, _, said = drawn(life_table(silent=tuple(f"model-{place}" for place in range(9))))

    assert "9 groups have no value that can be shown, and no curve." in said
    assert "with the most at risk" not in said


def test_groups_that_are_all_hidden_are_a_sentence():
    release = life_table(silent=("IsoMed",))
    rows = tuple(row for row in release.rows if row["pump_model"] == "IsoMed")
    release = replace(release, rows=rows)

    chart = chart_of(release)

    assert NO_CURVE in chart.alt
    assert NO_CURVE in chart.svg()
    assert "Drawn" not in chart.svg()


def test_a_start_alone_is_no_curve():
    release = life_table(silent=("IsoMed",))
    rows = tuple(
        {**row, "estimate": 1.0, "ci_lower": 1.0, "ci_upper": 1.0, "status": "ok"}
        if row["pump_model"] == "IsoMed" and row["time_months"] == 0
        else row
        for row in release.rows
    )

    _, _, said = drawn(replace(release, rows=rows))

    assert "1 group has no value that can be shown, and no curve: IsoMed." in said


def test_axis_is_where_the_curves_are_and_says_so():
    _, _, said = drawn(life_table())
    _, _, rising = drawn(life_table("incidence"))

    # the lowest limit is 0.84
    assert "The vertical axis begins at 80 %, not at 0." in said
    assert "not at 0" not in rising
