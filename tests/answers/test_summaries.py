"""What an answer found, in sentences: each says what it rests on and claims no more."""

import pytest

from registry.answers.summaries import p_value, summary_of
from registry.records import Column, Release


def told(rows=(), columns=(), denominator="pump-months", **meta):
    named = tuple(Column(name, "string", "dimension") for name in columns)
    return summary_of(Release(meta={"denominator": denominator, **meta}, columns=named, rows=rows))


def test_medians_and_means_are_told_with_their_limits():
    curve = {
        "devices": 400,
        "events": 30,
        "median_months": None,
        "median_lower": 70.0,
        "median_upper": None,
        "starts_at_months": 0,
        "restricted_mean": {
            "from_months": 0,
            "until_months": 24,
            "mean_months": 22.5,
            "ci_lower": 22.0,
            "ci_upper": 23.0,
        },
    }

    (said,) = told(curves=[curve])

    assert "median not reached, at least 70 months" in said
    assert "on average 22.5 months (22 to 23) free of it from month 0 to 24" in said


def test_a_median_has_its_limits():
    both = {"devices": 9, "median_months": 30.0, "median_lower": 20.0, "median_upper": 50.0}
    lower = both | {"median_upper": None}

    assert told(curves=[both]) == ["All: 9 devices, median 30 months (20 to 50)."]
    assert told(curves=[lower]) == ["All: 9 devices, median 30 months (from 20)."]


def test_grays_test_is_told_or_why_there_is_none():
    (said,) = told(gray={"chi2": 5.2, "df": 1, "p": 0.0226, "reason": None})
    (none,) = told(gray={"chi2": None, "df": None, "p": None, "reason": "Devices entered late."})

    assert said.startswith("Gray's test of the curves: chi-squared 5.2 on 1 degree of freedom")
    assert none == "No test of the curves. Devices entered late."


def test_a_measure_whose_rows_say_it_all_has_no_findings():
    assert told() == []


def test_each_curve_is_told_with_its_median():
    curve = {"devices": 12, "events": 4, "median_months": 30.0, "excluded_before_entry": 0}
    other = {"devices": 1200, "events": 3, "median_months": None, "excluded_before_entry": 2}
    other["starts_at_months"] = 0

    assert told(
        curves=[{"sex": "female", **curve}, {"sex": "not-recorded", **other}],
    ) == [
        "Female: 12 devices, 4 events, median 30 months.",
        "Not recorded: 1,200 devices, 3 events, median not reached, 2 left out, with an event "
        "before entry.",
    ]


@pytest.mark.parametrize(
    ("adjusted", "how"), [([], "crude"), (["window"], "adjusted for months since implant")]
)
def test_what_each_is_compared_with_is_told_where_it_is_all_others(adjusted, how):
    row = {"sex": "male", "note": "Limits: Poisson.", "status": "ok"}

    (said,) = told(
        rows=[row],
        columns=["sex"],
        comparison={"reference": "others", "adjusted_for": adjusted, "reason": None},
    )

    assert said == f"Each compared with all others together, {how}."


@pytest.mark.django_db
def test_codes_of_the_groups_are_looked_up_once(django_assert_num_queries):
    curves = [{"site": f"S-{n}", "devices": 12, "median_months": 30.0} for n in range(3)]

    with django_assert_num_queries(1):
        found = told(curves=curves)

    assert found == [f"S-{n}: 12 devices, median 30 months." for n in range(3)]


def test_a_curve_without_a_group_is_of_all_and_a_hidden_one_says_so():
    hidden = {"devices": None, "events": None, "median_months": None, "starts_at_months": None}

    assert told(curves=[hidden]) == ["All: too few devices or events to show."]


def test_groups_too_small_to_tell_of_are_named_in_one_sentence():
    small = {"devices": None, "events": None, "median_months": None, "starts_at_months": None}
    large = {"devices": 40, "events": 1, "median_months": 30, "starts_at_months": 0}

    assert told(
        curves=[{"sex": "female", **small}, {"sex": "male", **large}, {"sex": "other", **small}]
    ) == [
        "Male: 40 devices, 1 event, median 30 months.",
        "Too few devices or events to show: Female; Other.",
    ]


def test_a_curve_that_was_never_drawn_says_nothing_of_a_median():
    few = {"devices": 9, "events": 0, "median_months": None, "starts_at_months": None}

    assert told(curves=[few]) == ["All: 9 devices, 0 events."]


def test_a_life_table_that_passes_one_half_tells_between_which_months():
    table = {"devices": 400, "median_months": None, "starts_at_months": 0}

    assert told(curves=[{**table, "median_between": [6, 12]}]) == [
        "All: 400 devices, median after 6 and by 12 months."
    ]
    limited = {**table, "median_between": [6, 12], "median_lower": 3, "median_upper": 24}
    assert told(curves=[limited]) == [
        "All: 400 devices, median after 6 and by 12 months (3 to 24)."
    ]
    assert told(curves=[{**table, "median_between": None}]) == [
        "All: 400 devices, median not reached."
    ]


def test_many_curves_are_left_to_the_table():
    found = told(curves=[{"devices": 10, "median_months": 1.5}] * 14)

    assert len(found) == 13
    assert found[-1] == "And 2 more curves, in the table."


def test_what_became_of_the_devices_of_an_incidence():
    ends = {"event": 0.25, "death": 0.1, "explant": 0.05, "therapy_stopped": 0.0, "free": 0.6}

    [said] = told(curves=[{"devices": 40, "events": 10, "at_end": ends}])

    assert said.endswith(
        "at the end 25 % with the event, 10 % died before it, 5 % explanted before it, 0 % with "
        "the therapy ended before it, 60 % free of it."
    )


@pytest.mark.parametrize(
    ("tested", "words"),
    [
        (
            {"chi2": 4.213, "df": 1, "p": 0.0401},
            "Log-rank test of the curves: chi-squared 4.21 on 1 degree of freedom, p = 0.04. It "
            "does not adjust for differences between the groups.",
        ),
        (
            {"chi2": 40.0, "df": 2, "p": 1e-9},
            "Log-rank test of the curves: chi-squared 40 on 2 degrees of freedom, p < 0.001. It "
            "does not adjust for differences between the groups.",
        ),
        ({"chi2": None, "reason": "One group only."}, "No log-rank test. One group only."),
    ],
)
def test_the_comparison_of_curves(tested, words):
    assert told(logrank=tested) == [words]
    assert told(logrank=None) == []


FUNNEL = {"target_rate": 4.2, "per": 1000, "standardisation": "crude", "sites": 12}


def test_a_funnel_names_the_sites_beyond_its_limits():
    rows = [
        {"site": "A-1", "signal": "above-998"},
        {"site": "B-2", "signal": "within"},
        {"site": "C-3", "signal": "below-95"},
        {"site": "D-4", "signal": None},
    ]
    spread = {"phi": 2.5, "tau2": 0.04, "applied": True, "reason": None}

    assert told(rows, ["site"], funnel=FUNNEL | {"overdispersion": spread}) == [
        "12 sites against the rate of all, 4.2 per 1,000 pump-months; not standardised.",
        "Sites vary more than by chance alone: the limits are widened (between-site "
        "variance 0.04, phi 2.5).",
        "Above the 99.8 % limits: A-1.",
        "Below the 95 % limits: C-3.",
    ]


def test_a_protected_funnel_says_what_its_limits_mean():
    rows = [{"site": "A-1", "signal": "above-95"}, {"site": "B-2", "signal": "within"}]
    meant = {"verdicts": {"given": True, "reason": None}, "multiplicity": "One in ten at most"}
    spread = {"phi": 2.5, "tau2": 0.04, "applied": True, "reason": None}

    assert told(rows, ["site"], funnel=FUNNEL | meant | {"overdispersion": spread})[1:] == [
        "One in ten at most.",
        "Above the 95 % limits: A-1.",
    ]


def test_a_funnel_without_verdicts_says_why_and_names_no_site():
    rows = [{"site": "A-1", "signal": "not-judged"}]
    without = {"verdicts": {"given": False, "reason": "No site is judged: too few."}}

    assert told(rows, ["site"], funnel=FUNNEL | without)[1:] == ["No site is judged: too few."]


def test_a_funnel_says_why_its_limits_are_not_widened():
    spread = {"phi": None, "tau2": None, "applied": False, "reason": "Ten sites are needed."}

    assert told(funnel=FUNNEL | {"overdispersion": spread})[1] == (
        "The limits are not widened for variation between sites. Ten sites are needed."
    )


def trend(ratio, lower, upper, **more):
    found = {"rate_ratio": ratio, "ci_lower": lower, "ci_upper": upper, "p": 0.01, "periods": 9}
    return told(trend=found | {"dropped_period": None} | more)


@pytest.mark.parametrize(
    ("ratio", "lower", "upper", "change"),
    [
        (1.1, 1.02, 1.19, "rises by 10 %"),
        (0.9, 0.85, 0.95, "falls by 10 %"),
        (1.1, 0.98, 1.23, "shows no clear change"),
        (0.9, 0.8, 1.0, "shows no clear change"),
    ],
)
def test_a_trend_is_called_one_where_its_limits_leave_one_direction(ratio, lower, upper, change):
    [said] = trend(ratio, lower, upper)

    assert said.startswith(f"From one year to the next the rate {change}: rate ratio {ratio} (")
    assert said.endswith(", p = 0.01, over 9 years.")


def test_years_taken_together_are_counted_and_named():
    pooled = [[*range(2010, 2015)], [*range(2015, 2020)]]
    said, together = trend(1.1, 1.02, 1.19, pooled=pooled)

    assert said.endswith("over 17 years.")
    assert together == (
        "The years 2010-2014 and 2015-2019 are taken together, since some of them are hidden."
    )


def test_without_a_trend_the_reason_is_told():
    assert trend(None, None, None, reason="A trend needs five years.", dropped_period=2026) == [
        "No trend. A trend needs five years.",
        "2026 is not over and is left out of the trend.",
    ]


def test_years_that_are_left_out_besides_are_named():
    *_, other = trend(1.1, 1.02, 1.19, dropped_period=2026, dropped_periods=[2024, 2025, 2026])
    none = trend(1.1, 1.02, 1.19, dropped_period=2026, dropped_periods=[2026])

    assert other == "Left out too, since more of their events are still to come: 2024 and 2025."
    assert not any("Left out too" in said for said in none)


def test_a_cusum_names_its_alarms_and_what_it_takes():
    cusum = {"reason": None, "baseline": [2010, 2014], "h": 6.5}
    quiet = trend(1.1, 1.02, 1.19, cusum=cusum)
    nothing = trend(1.1, 1.02, 1.19, cusum={"reason": "The years have too few events."})

    assert quiet[-1] == (
        "CUSUM: no year alarms, against the rate of 2010 to 2014; 6.5 events in excess alarm."
    )
    assert nothing[-1] == "No CUSUM. The years have too few events."


def test_what_a_trend_holds_alike_is_named():
    said, *_ = trend(1.1, 1.02, 1.19, adjusted_for=["window", "catheter_model"])

    assert said.endswith("with months since implant and catheter model held alike.")


def test_signals_are_named_with_their_rule_and_how_many_were_compared():
    rows = [
        {"pump_model": "a", "pump_model_label": "Pump A", "complication": "leak", "signal": True},
        {"pump_model": "b", "pump_model_label": "Pump B", "complication": "leak", "signal": False},
    ]
    columns = ["pump_model", "complication"]
    found = {"compared": 2, "rule": "Three or more.", "multiplicity": "2 were compared"}

    assert told(rows, columns, signals=found) == [
        "Signals: Pump A, leak.",
        "Three or more.",
        "2 were compared.",
    ]
    assert told(rows[1:], columns, signals=found)[0] == "No pair is a signal."


@pytest.mark.parametrize(
    ("p", "text"), [(0.5, "p = 0.5"), (0.00123, "p = 0.0012"), (0.0009, "p < 0.001")]
)
def test_a_p_value_is_never_nought(p, text):
    assert p_value(p) == text
