"""Answers that are too large for one picture: what is left out is said, and never the strongest."""

import json
import re
from dataclasses import replace

import pytest

from registry.charts import chart_of
from registry.charts.shaping import labels_of, most_important, wrapped
from registry.charts.wording import absent, estimate, figure, lines, percent
from tests.charts.answers import (
    answer,
    by_year,
    crowded_funnel,
    funnel,
    rate,
    signals,
    trend,
    unjudged_funnel,
    unstable_models,
)


def drawn(release):
    chart = chart_of(release)
    said = " ".join(chart.spec["vconcat"][-1]["mark"]["text"])
    return chart.spec["datasets"]["rows"], said


def counted(n):
    rows = [
        {"complication": f"c-{place:03}", "n": None if place == 1 else place, "status": "ok"}
        for place in range(n)
    ]
    return answer("counts", rows, group_by=("complication",))


def test_sixty_rows_are_drawn_and_nothing_is_said():
    rows, said = drawn(counted(60))

    assert len(rows) == 60
    assert "not drawn" not in said


def test_of_more_rows_those_with_the_most_events_are_drawn_and_the_others_counted():
    rows, said = drawn(counted(215))

    assert [row["n"] for row in rows] == list(range(214, 154, -1))
    assert "Drawn: 60 of 215 rows" in said
    assert "155 rows are not drawn" in said


def test_of_more_rows_the_first_are_drawn_where_an_order_was_asked_for():
    release = counted(61)
    ordered = answer(
        "counts",
        [dict(row) for row in release.rows],
        group_by=("complication",),
        ordering=("complication",),
    )

    rows, said = drawn(ordered)

    assert [row["complication"] for row in rows] == [f"c-{place:03}" for place in range(60)]
    assert "the first in the order chosen; 1 row is not drawn" in said


def test_a_hidden_row_counts_less_than_a_zero():
    release = counted(3)

    kept = most_important(
        release, release.rows, 2, weight=lambda row: -1 if row["n"] is None else 0
    )

    assert [row["n"] for row in kept.rows] == [0, 2]


def test_strongest_signals_are_drawn_and_the_others_counted():
    rows, said = drawn(signals(pairs=55))

    lower = [row["ic_lower"] for row in rows]
    assert len(rows) == 40
    assert lower == sorted(lower, reverse=True)
    assert "Drawn: the 40 strongest; 14 pairs are not drawn" in said
    assert "1 pair is hidden and not drawn" in said


def test_hidden_signals_are_drawn_where_there_is_room_for_all():
    rows, said = drawn(signals(pairs=40))

    assert [row["chart_absent"] for row in rows] == [""] * 39 + ["<11"]
    assert "not drawn" not in said


def test_heat_map_has_a_limit_in_both_directions():
    rows = [
        {"complication": f"c-{down:02}", "pump_model": f"m-{across:02}", "n": n, "status": "ok"}
        for down in range(45)
        for across in range(20)
        for n in [down + across]
    ]

    found, said = drawn(answer("counts", rows, group_by=("complication", "pump_model")))

    assert len({row["complication"] for row in found}) == 40
    assert len({row["pump_model"] for row in found}) == 16
    assert "c-44" in {row["complication"] for row in found}
    assert "Drawn down: the 40 of 45" in said
    assert "Drawn across: the 16 of 20" in said


def test_curves_have_seven_groups():
    rows = [
        {
            "pump_model": f"m-{group}",
            "time_months": months,
            "at_risk": 20 + group,
            "events": 1,
            "estimate": 0.9 - 0.01 * months,
            "ci_lower": 0.8 - 0.01 * months,
            "ci_upper": 0.95,
            "status": "ok",
        }
        for group in range(9)
        for months in (6, 12)
    ]

    found, said = drawn(answer("survival", rows, group_by=("pump_model",)))

    assert {row["chart_series"] for row in found} == {f"m-{group}" for group in range(2, 9)}
    assert "Drawn: the 7 of 9 groups" in said


def test_axis_of_curves_ends_with_those_that_are_drawn():
    """Two groups are not drawn; one of them was followed for twice as long."""
    rows = [
        {
            "pump_model": f"m-{group}",
            "time_months": months,
            "at_risk": 20 + group,
            "events": 1,
            "estimate": 0.9,
            "ci_lower": 0.8,
            "ci_upper": 0.95,
            "status": "ok",
        }
        for group in range(9)
        for months in (6, 12)
    ]
    ends = [
        {"pump_model": f"m-{group}", "ends_at_months": 24 if group else 48} for group in range(9)
    ]

    spec = chart_of(answer("survival", rows, group_by=("pump_model",), curves=ends)).spec

    domains = set(re.findall(r'"domain": (\[0, [0-9.]+\])', json.dumps(spec)))
    assert "[0, 24]" in domains
    assert "[0, 48]" not in domains


def test_curve_with_events_in_its_first_month_starts_before_them():
    numbers = {"ci_lower": 0.8, "ci_upper": 0.98, "at_risk": 20, "status": "ok"}
    rows = [
        {"time_months": 0, "events": 2, "estimate": 0.9, **numbers},
        {"time_months": 12, "events": 0, "estimate": 0.9, **numbers},
    ]
    curve = {"starts_at_months": 0, "ends_at_months": 12}

    found, _ = drawn(answer("survival", rows, curves=[curve]))

    assert [(row["time_months"], row["estimate"], row["chart_helping"]) for row in found] == [
        (0, 1.0, True),
        (0, 0.9, False),
        (12, 0.9, False),
    ]


def test_value_between_hidden_ones_is_a_dot_and_said_to_be_one():
    def at(months, value):
        numbers = {"estimate": value, "ci_lower": value, "ci_upper": value, "at_risk": value}
        status = "suppressed" if value is None else "ok"
        return {"time_months": months, "events": None, **numbers, "status": status}

    lone, said = drawn(answer("survival", [at(0, 1.0), at(6, None), at(12, 0.9), at(24, None)]))
    joined, unsaid = drawn(answer("survival", [at(0, 1.0), at(6, 0.95), at(12, None)]))

    assert [
        row["time_months"] for row in lone if row["chart_alone"] and not row["chart_absent"]
    ] == [
        0,
        12,
    ]
    assert "A dot is a value between hidden ones, with its limits." in said
    assert not any(row["chart_alone"] for row in joined)
    assert "A dot" not in unsaid


def test_series_that_is_hidden_everywhere_is_named_and_not_drawn():
    rows = [
        {"category": category, "sex": sex, "n": n, "status": "ok" if n else "suppressed"}
        for category in ("pump", "catheter")
        for sex, n in (("female", 20), ("other", None))
    ]

    found, said = drawn(answer("counts", rows, group_by=("category", "sex")))

    assert {row["sex"] for row in found} == {"female"}
    assert "Hidden in every row, and not drawn: other." in said


def test_rows_stand_by_size_and_hidden_ones_last():
    rows = [
        {"category": code, "n": n, "status": "ok" if n else "suppressed"}
        for code, n in (("drug", 12), ("pump", None), ("infection", 40), ("catheter", 33))
    ]

    found, _said = drawn(answer("counts", rows, group_by=("category",)))
    asked, _said = drawn(answer("counts", rows, group_by=("category",), ordering=("category",)))

    assert [row["category"] for row in found] == ["infection", "catheter", "drug", "pump"]
    assert [row["category"] for row in asked] == ["drug", "pump", "infection", "catheter"]


def test_values_with_an_order_of_their_own_keep_it():
    rows = [
        {"severity": code, "n": n, "status": "ok"} for code, n in (("1", 12), ("2", 40), ("3", 33))
    ]

    found, _said = drawn(answer("counts", rows, group_by=("severity",)))

    assert [row["severity"] for row in found] == ["1", "2", "3"]


def test_unstable_cells_are_hatched_and_do_not_set_the_shades():
    chart = chart_of(unstable_models())
    rows = {(row["complication"], row["pump_model"]): row for row in drawn(unstable_models())[0]}
    layers = chart.spec["vconcat"][0]["vconcat"][0]["layer"]

    (scale,) = [
        layer["encoding"]["color"]["scale"]["domain"]
        for layer in layers
        if "color" in layer["encoding"]
    ]
    hatched = [layer for layer in layers if layer["mark"]["type"] == "rule"]
    # 3.0 is the highest stable rate; the unstable ones are 44.4
    assert scale == [0, 3.0]
    assert rows["pump-motor-stall", "synchromed-ii-40"]["chart_deep"] is True
    assert rows["pump-flip", "prometra"]["chart_deep"] is False
    assert len(hatched) == 3
    assert all("chart_doubtful" in layer["transform"][-1]["filter"] for layer in hatched)
    assert "Hatched: unstable or partial" in " ".join(drawn(unstable_models())[1].split())


def test_heat_map_stands_by_size():
    found, _said = drawn(unstable_models())

    assert [row["complication"] for row in found] == ["pump-motor-stall"] * 3 + ["pump-flip"] * 3


def test_values_without_a_number_in_any_cell_are_not_drawn_and_said():
    rows = [
        {"complication": down, "pump_model": across, "n": n, "status": "ok" if n else "hidden"}
        for down, across, n in (
            ("pump-flip", "prometra", 20),
            ("pump-flip", "isomed", None),
            ("pump-stall", "prometra", None),
            ("pump-stall", "isomed", None),
        )
    ]

    found, said = drawn(answer("counts", rows, group_by=("complication", "pump_model")))

    assert [(row["complication"], row["pump_model"]) for row in found] == [
        ("pump-flip", "prometra")
    ]
    assert "Not drawn down, without a number in any cell: 1 value: pump-stall." in said
    assert "Not drawn across, without a number in any cell: 1 value: isomed." in said


def test_funnel_names_the_sites_without_a_point():
    _rows, said = drawn(funnel())

    assert "1 site has no point, hidden: SITE-F." in said


def test_funnel_without_a_point_is_a_sentence_and_not_an_endless_picture():
    release = funnel()
    gone = {"ratio": None, "expected": None, "status": "hidden"}
    release = replace(release, rows=tuple({**row, **gone} for row in release.rows))

    chart = chart_of(release)

    assert "No site has a number that can be drawn." in chart.alt
    assert "6 sites have no point, hidden:" in " ".join(chart.spec["vconcat"][-1]["mark"]["text"])
    assert "Infinity" not in chart.svg()


def test_years_and_a_trend_without_a_number_are_a_sentence_and_not_an_empty_axis():
    gone = {"rate": None, "ci_lower": None, "ci_upper": None, "events": None}
    gone |= {"exposure": None, "fitted": None, "cusum": None, "status": "suppressed"}
    for release in (by_year(), trend()):
        rows = tuple({**row, **{k: gone[k] for k in gone if k in row}} for row in release.rows)

        chart = chart_of(replace(release, rows=rows))

        assert "No year has a number that can be drawn." in chart.alt
        assert chart.spec["datasets"]["rows"] == []


def test_funnel_without_verdicts_has_points_and_no_limits_and_says_why():
    release = unjudged_funnel()

    rows, said = drawn(release)
    chart = chart_of(release)

    assert {row["chart_signal"] for row in rows} == {"not judged"}
    assert not any(row["chart_outside"] for row in rows)
    assert "No site is judged: too few are shown." in said
    assert "Solid lines" not in said
    assert "12 sites are shown and not judged" in chart.alt
    assert "upper_95" not in str(chart.spec["vconcat"])


def test_funnel_of_shown_numbers_says_how_sure_its_verdicts_are():
    release = funnel()
    about = {"standardisation": "crude", "verdicts": {"given": True, "reason": None}}

    _rows, said = drawn(replace(release, meta={**release.meta, "funnel": about}))

    assert "of the sites beyond them at most one in ten is not" in said


def test_funnel_has_pale_points_for_sites_with_few_events_and_says_so():
    rows, said = drawn(crowded_funnel())

    assert [row["site"] for row in rows if row["chart_unstable"]] == ["SITE-03"]
    assert "Pale and marked unstable" in said


def test_sites_within_the_limits_are_named_where_there_is_room():
    roomy, _said = drawn(funnel())
    crowded, _said = drawn(crowded_funnel())

    assert {row["chart_name"] for row in roomy if row["chart_drawn"]} >= {"SITE-A", "SITE-B"}
    assert 0 < sum(bool(row["chart_name"]) for row in crowded) < len(crowded)


def test_answer_that_is_hidden_throughout_is_drawn_as_words():
    rows = [{"category": "pump", "sex": "female", "n": None, "status": "suppressed"}]

    found, _said = drawn(answer("counts", rows, group_by=("category", "sex")))

    assert [row["chart_absent"] for row in found] == ["<11"]


def test_periods_stand_in_their_order():
    periods = ("2020-2024", "2005-2009", "not-recorded", "2010-2014")
    rows = [{"period": period, **rate(30, 9000.0, 3.3)} for period in periods]

    found, _said = drawn(answer("rates", rows, group_by=("period",)))

    assert [row["period"] for row in found] == sorted(periods)


def test_line_does_not_bridge_a_hidden_or_a_missing_year():
    found, _said = drawn(by_year())

    runs = {row["year"]: row["chart_run"] for row in found}
    assert runs[2017] == runs[2018] != runs[2020] != runs[2022] == runs[2023] == runs[2024]


def test_wide_limits_are_cut_and_that_is_said():
    narrow = [{"category": f"c{place}", **rate(50, 9000.0, 5.0)} for place in range(3)]
    wide = {"category": "wide", **rate(1, 90.0, 5.0, ci_upper=60.0)}

    chart = chart_of(answer("rates", [*narrow, wide], group_by=("category",)))

    assert "are cut off at its end" in " ".join(chart.spec["vconcat"][-1]["mark"]["text"])
    assert "5 (3.57 to 60)" in [row["chart_text"] for row in chart.spec["datasets"]["rows"]]


def test_two_codes_of_one_name_have_two_labels():
    rows = [{"drug": code, "drug_label": "Other"} for code in ("other", "other-2")]

    assert list(labels_of(rows, ["drug"]).values()) == ["Other (other)", "Other (other-2)"]


def test_long_label_is_broken_between_words_and_not_in_them():
    text = "Catheter-tip inflammatory mass with neurological deficit"

    assert wrapped(text).split("\n") == [
        "Catheter-tip inflammatory mass",
        "with neurological deficit",
    ]


def test_nothing_of_a_sentence_is_lost_in_lines():
    said = "A long sentence about what was counted and how. " * 8

    assert " ".join(lines([said], width=300)).split() == said.split()
    assert max(map(len, lines([said], width=300))) <= 53


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1234, "1,234"),
        (353.18, "353.2"),
        (0.12345, "0.123"),
        (-0.345, "\N{MINUS SIGN}0.345"),
        (1e-7, "1e-07"),
        (None, ""),
    ],
)
def test_figure_is_written_as_a_reader_wants_it(value, text):
    assert figure(value) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0"), (0.085, "8.5"), (0.0004, "0.04"), (1, "100"), (None, "")]
)
def test_share_is_written_in_per_cent(share, text):
    assert percent(share) == text


def test_estimate_without_limits_has_no_brackets():
    assert estimate(0.5, None, None, share=True) == "50 %"
    assert estimate(2.5, 1.0, 4.0) == "2.5 (1 to 4)"


@pytest.mark.parametrize(
    ("status", "counted", "word"),
    [
        ("suppressed", True, "<11"),
        ("suppressed", False, "hidden"),
        ("hidden", True, "hidden"),
        ("hidden", False, "hidden"),
        ("ok", True, "not defined"),
        ("zero", False, "not defined"),
        ("no_denominator", False, "no denominator"),
    ],
)
def test_absent_number_has_a_word(status, counted, word):
    assert absent(status, counted=counted) == word
