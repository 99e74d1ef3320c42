"""The finding of an answer in a sentence: only of told rows, and only ranked where alike."""

from typing import Any

import pytest

from registry.answers.asking import Panel
from registry.answers.findings import NO_TOTAL, NOTHING, finding_of, first_finding
from registry.records import DIMENSIONS, Column, EventQuery, Release
from registry.vocabulary import Measure


def row(
    name: str, rate: float | None, unit: str = "pump-months", status: str = "ok"
) -> dict[str, Any]:
    limits = (rate - 1, rate + 1) if rate is not None else (None, None)
    return {
        "complication": name,
        "complication_label": name.capitalize(),
        "rate": rate,
        "ci_lower": limits[0],
        "ci_upper": limits[1],
        "unit": unit,
        "status": status,
        "reason": None,
    }


def answer(*rows: dict[str, Any], measure: str = "rates", **meta: Any) -> Release:
    about = {"measure": measure, "per": 1000, "data_as_of": "2026-11-30T05:00:00+00:00"}
    names = [name for name in DIMENSIONS if rows and name in rows[0]]
    columns = tuple(Column(name, "string", "dimension") for name in names)
    return Release(meta={**about, "profile": "protected", **meta}, columns=columns, rows=rows)


def test_highest_of_rows_that_divide_by_one_unit() -> None:
    found = finding_of(answer(row("leak", 2.0), row("stall", 5.0)))

    assert found == "Highest: Stall, 5 (4 to 6) per 1,000 pump-months."


def test_rows_of_another_unit_are_not_ranked_with_them() -> None:
    found = finding_of(
        answer(row("leak", 2.0), row("stall", 5.0), row("wound", 90.0, "procedures"))
    )

    assert found.startswith("Highest of those divided by pump-months: Stall, 5 ")
    assert "90" not in found


def test_each_is_told_where_no_two_divide_by_one_unit() -> None:
    found = finding_of(answer(row("leak", 2.0), row("wound", 90.0, "procedures")))

    assert found == (
        "Leak, 2 (1 to 3) per 1,000 pump-months; Wound, 90 (89 to 91) per 1,000 procedures."
    )


def test_an_unstable_rate_is_highest_only_among_unstable_ones() -> None:
    stable, shaky = row("leak", 2.0), row("stall", 5.0, status="unstable")

    assert "Leak" in finding_of(answer(stable, shaky))
    assert "Stall" in finding_of(answer({**stable, "status": "unstable"}, shaky))


def test_what_no_total_counts_stands_apart() -> None:
    found = finding_of(
        answer(row("leak", 2.0), row("stall", 1.5), row("battery", 6.0)), apart={"battery"}
    )

    assert found == (
        "Highest: Leak, 2 (1 to 3) per 1,000 pump-months. "
        "In no total: Battery, 6 (5 to 7) per 1,000 pump-months."
    )


def test_hidden_rows_are_counted_and_none_is_named() -> None:
    hidden = row("spill", None, status="suppressed")

    found = finding_of(answer(row("leak", 2.0), row("stall", 5.0), hidden))

    assert found.endswith(" 1 of 3 rows are hidden.")
    assert "Spill" not in found
    assert finding_of(answer(hidden, hidden)) == (
        "No number is told: 2 of 2 rows are hidden. Hidden does not mean none."
    )


def test_nothing_counted_is_neither_hidden_nor_a_number() -> None:
    assert finding_of(answer()) == NOTHING
    undefined = row("leak", None, status="no_denominator")
    assert finding_of(answer(undefined)) == "No number is defined."


def test_years_are_told_from_the_first_to_the_last_that_was_over() -> None:
    years = [
        {**row("", rate), "year": year, "complication": None}
        for year, rate in ((2023, 3.0), (2024, 9.0), (2025, 4.0), (2026, 8.0))
    ]
    told = [{name: year[name] for name in year if "complication" not in name} for year in years]

    assert finding_of(answer(*told)) == (
        "2023, 3 (2 to 4) per 1,000 pump-months; 2025, 4 (3 to 5) per 1,000 pump-months."
    )


def test_a_share_names_its_patients() -> None:
    share = {"proportion": 0.5, "ci_lower": 0.4, "ci_upper": 0.6, "denominator": 1200}

    found = finding_of(answer({**share, "status": "ok"}, measure="proportions"))

    assert found == "50 % (40 to 60 %) of 1,200 patients."


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (row("leak", 2.0), "All together: 2 (1 to 3) per 1,000 pump-months."),
        (
            row("leak", None, status="suppressed"),
            "All together: suppressed. Hidden does not mean none.",
        ),
        (row("stall", 2.0), NO_TOTAL),
    ],
)
def test_one_row_is_told_or_said_to_be_hidden(known: dict[str, Any], said: str) -> None:
    panel = Panel(EventQuery(), Measure.RATES, release=answer(known))

    assert first_finding(panel, complication="leak") == said


def test_curves_are_told_at_their_last_year_that_has_a_value() -> None:
    def at(months: int, estimate: float | None) -> dict[str, Any]:
        return {
            "time_months": months,
            "at_risk": 40,
            "estimate": estimate,
            "ci_lower": estimate and 0.8,
            "ci_upper": estimate and 0.95,
        }

    told = {"pump_model": "synchromed-ii-20", "landmarks": [at(12, 0.9), at(24, None)]}
    release = answer({"status": "ok"}, measure="survival", title="t", curves=[told])
    hidden = answer(
        {"status": "hidden"}, measure="survival", title="t", curves=[{"landmarks": [at(12, None)]}]
    )

    assert finding_of(release) == "Free of it: SynchroMed II, 20 mL 90 % (80 to 95 %) at 1 year."
    assert finding_of(hidden) == ("No curve is told at a whole year. Hidden does not mean none.")
