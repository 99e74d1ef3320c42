"""Curves at whole years, before the table of all their months."""

from typing import Any

import pytest
from django.template.loader import render_to_string

from registry.answers.landmarks import MOST_CURVES, AtYears, LandmarkTable, landmarks_of
from registry.records import Release


def at(months: int, estimate: float | None, at_risk: int | None = 40) -> dict[str, Any]:
    told = estimate is not None
    return {
        "time_months": months,
        "at_risk": at_risk if told else None,
        "estimate": estimate,
        "ci_lower": estimate - 0.05 if told and estimate < 1 else None,
        "ci_upper": estimate + 0.04 if told and estimate < 1 else None,
    }


def table(*curves: dict[str, Any], profile: str = "exact") -> LandmarkTable | None:
    meta = {"title": "Freedom from flips", "profile": profile, "curves": list(curves)}
    return landmarks_of(Release(meta=meta, columns=(), rows=()))


def test_each_curve_has_a_cell_for_each_year_of_any() -> None:
    found = table(
        {"pump_model": "synchromed-ii-20", "landmarks": [at(12, 1.0), at(24, 0.9, 1200)]},
        {"pump_model": "not-recorded", "landmarks": [at(12, 0.8)]},
    )

    assert found is not None
    assert found.years == ("1 year", "2 years")
    first, last = found.rows
    assert first == (
        "SynchroMed II, 20 mL",
        (AtYears("100 %", "", "40"), AtYears("90 %", "85 to 94 %", "1,200")),
    )
    assert last == ("Not recorded", (AtYears("80 %", "75 to 84 %", "40"), AtYears("")))


@pytest.mark.parametrize(("profile", "said"), [("protected", "hidden"), ("exact", "")])
def test_a_year_without_a_value_is_hidden_or_beyond_the_curve(profile: str, said: str) -> None:
    found = table({"landmarks": [at(12, 0.9), at(24, None)]}, profile=profile)

    assert found is not None
    assert found.rows[0] == ("All", (AtYears("90 %", "85 to 94 %", "40"), AtYears(said)))


@pytest.mark.parametrize("curves", [[], [{"landmarks": []}], [{}], [{"landmarks": [at(12, None)]}]])
def test_there_is_no_table_where_no_year_is_told(curves: list[dict[str, Any]]) -> None:
    assert table(*curves) is None


def test_curves_beyond_the_most_are_counted() -> None:
    found = table(
        *({"pump_model": f"m{n}", "landmarks": [at(12, 0.9)]} for n in range(MOST_CURVES + 2))
    )

    assert found is not None
    assert (len(found.rows), found.more) == (MOST_CURVES, 2)
    page = render_to_string("registry/landmarks.html", {"landmarks": found})
    assert "2 more curves" in page
    assert "40 at risk" in page


@pytest.mark.django_db
def test_codes_are_looked_up_once_however_many_curves_there_are(
    django_assert_num_queries: Any,
) -> None:
    curves = [{"site": f"S-{n}", "landmarks": [at(12, 0.9)]} for n in range(5)]

    with django_assert_num_queries(1):
        found = table(*curves)

    assert found is not None
    assert [group for group, _cells in found.rows] == ["S-0", "S-1", "S-2", "S-3", "S-4"]
