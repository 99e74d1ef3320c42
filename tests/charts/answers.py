"""Answers of every measure, as small as a picture needs them; their numbers are made up."""

from dataclasses import replace
from typing import Any

from registry.records import Cell, Column, EventQuery, Release
from registry.reporting.measures import MEASURES
from registry.vocabulary import Measure

TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "number"}
NAMES = frozenset({"cause", "effect"})
STATUS = frozenset({"status", "signal", "outlier", "alarm", "hidden_cells"})
LIMITS = ("_lower", "_upper", "lower_", "upper_")


def answer(
    measure: str,
    rows: list[dict[str, Cell]],
    *,
    group_by: tuple[str, ...] = (),
    ordering: tuple[str, ...] = (),
    columns: tuple[str, ...] = (),
    **meta: Any,
) -> Release:
    """An answer as the door out writes it: columns after the first row's keys."""
    first = rows[0] if rows else dict.fromkeys(columns)
    return Release(
        meta={
            "title": f"{measure.capitalize()} of all complications",
            "measure": measure,
            "snapshot": {"id": "5eed" * 16, "kind": "release", "label": "2026Q4"},
            "data_as_of": "2026-11-22T02:00:00+00:00",
            "counting": "events",
            "counting_in_words": "Every event.",
            "denominator": "pump-months",
            "per": 1000,
            "level": 0.95,
            "method": "Exact Poisson interval (Garwood 1936).",
            "profile": "exact",
            "warnings": [],
            "receipt": "receipt-of-a-test",
            **meta,
        },
        columns=tuple(_column(name, value, group_by) for name, value in first.items()),
        rows=tuple(rows),
        query=EventQuery(ordering=ordering),
        reading=MEASURES[Measure(measure)].reading,
    )


def _column(name: str, value: Cell, group_by: tuple[str, ...]) -> Column:
    role = "measure"
    if name in {*group_by, *NAMES, "unit"} or name.endswith("_label"):
        role = "dimension"
    elif name in STATUS:
        role = "status"
    elif name.startswith(LIMITS[2:]) or name.endswith(LIMITS[:2]):
        role = "interval"
    return Column(name, TYPES[type(value)], role, title=name.replace("_", " ").capitalize())


def rate(events: int | None, exposure: float | None, value: float | None, **more: Any) -> Any:
    """The numbers of a row of rates, with limits of a third more and less."""
    limits = (None, None) if value is None else (round(value / 1.4, 3), round(value * 1.4, 3))
    return {
        "events": events,
        "exposure": exposure,
        "rate": value,
        "ci_lower": limits[0],
        "ci_upper": limits[1],
        "unit": "pump-months",
        "status": "suppressed" if value is None else "ok",
        **more,
    }


def counts() -> Release:
    """By category and sex, with a hidden row, a zero and a partial sum."""
    found: list[tuple[str, str, int | None, str]] = [
        ("infection", "female", 25, "ok"),
        ("infection", "male", None, "suppressed"),
        ("catheter", "female", 0, "zero"),
        ("catheter", "male", 38, "partial"),
    ]
    rows = [
        {"category": category, "sex": sex, "n": n, "status": status}
        for category, sex, n, status in found
    ]
    return answer("counts", rows, group_by=("category", "sex"))


def rates() -> Release:
    """By category in two units, with an unstable rate, a hidden one and one without denominator."""
    rows = [
        {"category": "pump", **rate(23, 18792.0, 1.224)},
        {"category": "neurological", **rate(7, 18636.0, 0.376, status="unstable")},
        {"category": "drug", **rate(None, 12338.0, None)},
        {"category": "infection", **rate(26, 487.0, 53.39, unit="procedures")},
        {"category": "other", **rate(3, None, None, unit=None, status="no_denominator")},
    ]
    return answer("rates", rows, group_by=("category",), denominator="each row's own")


def proportions() -> Release:
    """By drug, three dimensions deep."""
    rows: list[dict[str, Cell]] = []
    for place, (drug, sex, age) in enumerate(
        (drug, sex, age)
        for drug in ("baclofen", "morphine")
        for sex in ("female", "male")
        for age in ("adult", "older")
    ):
        share = None if place == 3 else round(0.05 + 0.02 * place, 3)
        rows.append(
            {
                "drug": drug,
                "sex": sex,
                "age_group": age,
                "numerator": None if share is None else 10 + place,
                "denominator": 200,
                "proportion": share,
                "ci_lower": None if share is None else round(share * 0.6, 3),
                "ci_upper": None if share is None else round(share * 1.5, 3),
                "status": "suppressed" if share is None else "ok",
            }
        )
    return answer(
        "proportions",
        rows,
        group_by=("drug", "sex", "age_group"),
        denominator="patients with a pump of the selection",
        method="Wilson's interval (Wilson 1927, Newcombe 1998).",
    )


def by_year(sex: tuple[str, ...] = ()) -> Release:
    """Rates by year with a hidden year and a year without a row; by sex too where asked."""
    rows = []
    for year in (2017, 2018, 2019, 2020, 2022, 2023, 2024):
        for place, code in enumerate(sex or ("",)):
            value = round(2.4 - 0.15 * (year - 2017) + 0.9 * place, 3)
            told = rate(None, None, None) if year == 2019 else rate(30 - place, 9000.0, value)
            named = {"sex": code} if code else {}
            rows.append({"year": year, **named, **told})
    return answer("rates", rows, group_by=("year", "sex") if sex else ("year",))


def survival(measure: str = "survival") -> Release:
    """Two groups; the second entered late and has a hidden value in the middle."""
    first = [(3, 180, 0.98), (9, 160, 0.95), (18, 120, 0.9), (30, 80, 0.84), (48, 40, 0.71)]
    second = [(12, 90, 0.93), (24, 70, 0.86), (36, None, None), (48, 30, 0.7), (60, 14, 0.6)]
    rows: list[dict[str, Cell]] = []
    for model, points in (("synchromed-ii-40", first), ("prometra", second)):
        for months, at_risk, value in points:
            shown = value is not None
            estimate = value if measure == "survival" or not shown else round(1 - value, 3)
            rows.append(
                {
                    "pump_model": model,
                    "time_months": months,
                    "at_risk": at_risk,
                    "events": 3 if shown else None,
                    "estimate": estimate,
                    "ci_lower": max(0.0, round(estimate - 0.05, 3)) if shown else None,
                    "ci_upper": min(1.0, round(estimate + 0.05, 3)) if shown else None,
                    "status": "ok" if shown else "suppressed",
                }
            )
    curve = {"devices": 200, "events": 15, "ends_at_months": 60, "excluded_before_entry": 0}
    return answer(
        measure,
        rows,
        group_by=("pump_model",),
        denominator=None,
        method="Kaplan-Meier, log-log limits.",
        curves=[
            {
                "pump_model": "synchromed-ii-40",
                "median_months": None,
                "starts_at_months": 0,
                "numbers_at_risk": _risks(0, 200),
                **curve,
            },
            {
                "pump_model": "prometra",
                "median_months": 61.0,
                "starts_at_months": 6,
                "numbers_at_risk": _risks(6, 150),
                **curve,
            },
        ],
        logrank={"chi2": 4.21, "df": 1, "p": 0.04},
    )


def _risks(first: int, devices: int) -> list[dict[str, int]]:
    """So many at risk from the first month, two fewer each month, told every half year."""
    return [
        {"time_months": month, "at_risk": devices - 2 * (month - first)}
        for month in range(first, 61, 6)
    ]


def life_table(measure: str = "survival", *, silent: tuple[str, ...] = ()) -> Release:
    """Two protected groups told at fixed months, the first with hidden ones between; and silent."""
    months = (0, 1, 3, 6, 12, 24, 36, 60, 84)
    first = (1.0, None, None, None, 0.98, 0.95, None, 0.9, None)
    second = (1.0, None, None, 0.985, 0.97, 0.94, 0.93, 0.88, 0.86)
    groups = {
        "SynchroMed II, reservoir not recorded": first,
        "prometra": second,
        **dict.fromkeys(silent, (None,) * len(months)),
    }
    rows: list[dict[str, Cell]] = []
    for model, values in groups.items():
        for month, value in zip(months, values, strict=True):
            there = value is not None
            shown = value if measure == "survival" or not there else round(1 - value, 3)
            rows.append(
                {
                    "pump_model": model,
                    "time_months": month,
                    "at_risk": 1550 - 10 * month if there else None,
                    "events": None,
                    "estimate": shown,
                    "ci_lower": max(0.0, round(shown - 0.02, 3)) if there else None,
                    "ci_upper": min(1.0, round(shown + 0.02, 3)) if there else None,
                    "status": "ok" if there else "hidden",
                    "reason": None if there else "curve-ended",
                }
            )
    found = answer(measure, rows, group_by=("pump_model",), denominator=None, method="Life table.")
    return replace(found, meta={**found.meta, "profile": "protected"})


def crowded_funnel() -> Release:
    """A protected funnel of twelve sites close to one another, one from few events."""
    rows: list[dict[str, Cell]] = []
    for place in range(12):
        expected = 10.0 + 0.25 * place
        rows.append(
            {
                "site": f"SITE-{place:02}",
                "events": 12,
                "expected": expected,
                "ratio": round(12 / expected, 4),
                "lower_95": 0.5,
                "upper_95": 1.8,
                "lower_998": 0.3,
                "upper_998": 2.4,
                "signal": "within",
                "status": "unstable" if place == 3 else "ok",
            }
        )
    return answer("funnel", rows, group_by=("site",))


def unjudged_funnel() -> Release:
    """The crowded funnel where too few sites are shown to judge any: no limits."""
    found = crowded_funnel()
    none: dict[str, Cell] = dict.fromkeys(("lower_95", "upper_95", "lower_998", "upper_998"))
    about = {
        "standardisation": "crude",
        "verdicts": {"given": False, "reason": "No site is judged: too few are shown."},
    }
    rows = tuple({**row, **none, "signal": "not-judged"} for row in found.rows)
    return replace(found, rows=rows, meta={**found.meta, "funnel": about})


def unstable_models() -> Release:
    """Rates of complications by model, of which the highest rest on few events."""
    rows: list[dict[str, Cell]] = []
    for down, complication in enumerate(("pump-flip", "pump-motor-stall")):
        for across, model in enumerate(("prometra", "synchromed-ii-20", "synchromed-ii-40")):
            value = round(1.2 + 0.8 * down + 0.5 * across, 2)
            told = rate(30 + 10 * down + across, 9000.0, value)
            if model == "prometra":
                told = rate(4, 90.0, 44.4, status="unstable")
            rows.append({"complication": complication, "pump_model": model, **told})
    return answer("rates", rows, group_by=("complication", "pump_model"))


def comparison() -> Release:
    """Three models adjusted, a reference, one without events and one that is unstable."""
    names = (
        *("pump_model", "events", "exposure", "rate", "ratio", "ci_lower", "ci_upper"),
        *("crude_ratio", "crude_lower", "crude_upper", "difference"),
        *("difference_lower", "difference_upper", "note", "status"),
    )
    none = "The group had no events: a ratio would be 0 without limits."
    told: list[tuple[Cell, ...]] = [
        (
            *("synchromed-ii-20", 59, 50767.75, 1.162, 1.0, None, None),
            *(1.0, None, None, 0.0, None, None, "Reference.", "ok"),
        ),
        (
            *("prometra-ii-20", 21, 11296.0, 1.859, 1.48, 0.91, 2.42),
            *(1.6, 0.97, 2.64, 0.55, -0.2, 1.3, "Limits: robust to sites.", "ok"),
        ),
        (
            *("codman-3000", 7, 7540.25, 0.928, 0.424, 0.02, 41.0),
            *(0.799, 0.356, 1.793, -0.69, -1.33, -0.06, "Limits: Poisson.", "unstable"),
        ),
        ("isomed", 0, 910.0, 0.0, *([None] * 9), none, "zero"),
    ]
    about = {"reference": "synchromed-ii-20", "adjusted_for": ["window"], "reason": None}
    return answer(
        "comparison",
        [dict(zip(names, row, strict=True)) for row in told],
        group_by=("pump_model",),
        comparison=about,
    )


def funnel() -> Release:
    """Six sites, one far above and one hidden; limits as published (FunnelPlotR)."""
    found: list[Any] = [
        ("SITE-A", 18, 15.0, 0.5596924, 1.649348, 0.386265, 2.082907, "within"),
        ("SITE-B", 22, 20.0, 0.610826, 1.544419, 0.4479107, 1.902094, "within"),
        ("SITE-C", 57, 30.0, 0.6746958, 1.427562, 0.5289724, 1.702771, "above-998"),
        ("SITE-D", 19, 30.0, 0.6746958, 1.427562, 0.5289724, 1.702771, "below-95"),
        ("SITE-E", 24, 15.0, 0.5596924, 1.649348, 0.386265, 2.082907, "within"),
    ]
    rows: list[dict[str, Cell]] = [
        {
            "site": site,
            "events": events,
            "exposure": expected * 100,
            "expected": expected,
            "ratio": round(events / expected, 4),
            "ci_lower": 0.5,
            "ci_upper": 1.9,
            "lower_95": low,
            "upper_95": high,
            "lower_998": lowest,
            "upper_998": highest,
            "signal": signal,
            "status": "ok",
        }
        for site, events, expected, low, high, lowest, highest, signal in found
    ]
    hidden: dict[str, Cell] = dict.fromkeys(rows[0])
    rows.append({**hidden, "site": "SITE-F", "status": "suppressed"})
    return answer(
        "funnel",
        rows,
        group_by=("site",),
        funnel={
            "target_rate": 1.2,
            "per": 1000,
            "standardisation": "crude",
            "overdispersion": {"phi": 1.1, "applied": False, "reason": "fewer than 10 sites"},
            "sites": 6,
        },
    )


def trend(*, cusum: bool = True) -> Release:
    """Seven years with a fitted line and, where asked, a cumulative sum that alarms once."""
    rows = []
    for place in range(7):
        told = rate(30, 9000.0, round(3.3 - 0.2 * place, 3))
        told["fitted"] = round(3.25 - 0.19 * place, 3)
        if cusum:
            told |= {"cusum": float(place % 4), "alarm": place == 3}
        status = told.pop("status")
        told.pop("unit")
        rows.append({"year": 2018 + place, **told, "status": status})
    found = {"rate_ratio": 0.94, "ci_lower": 0.9, "ci_upper": 0.98, "p": 0.004}
    about = {**found, "dispersion": 1.2, "periods": 7, "reason": None, "dropped_period": 2026}
    about["dropped_periods"] = [2025, 2026]
    return answer("trend", rows, group_by=("year",), trend=about)


def signals(pairs: int = 6) -> Release:
    """Products by complication: one marked, one hidden, the rest ordinary."""
    rows: list[dict[str, Cell]] = []
    for place in range(pairs):
        shown = place != 2
        ic = round(1.8 - 0.4 * place, 3)
        rows.append(
            {
                "pump_model": f"model-{place:02}",
                "complication": "catheter-fracture" if place % 2 else "pump-motor-stall",
                "n": 30 - place if shown else None,
                "expected": 11.5 + place if shown else None,
                "prr": 2.1 if shown else None,
                "prr_lower": 1.4 if shown else None,
                "prr_upper": 3.2 if shown else None,
                "ic": ic if shown else None,
                "ic_lower": round(ic - 0.5, 3) if shown else None,
                "ic_upper": round(ic + 0.4, 3) if shown else None,
                "devices": 120 if shown else None,
                "signal": place == 0,
                "outlier": place == 1,
                "status": "ok" if shown else "suppressed",
            }
        )
    about = {"compared": pairs, "rule": "lower limit of IC above 0 and n of 3 or more"}
    about["multiplicity"] = f"{pairs} pairs were compared; some stand out by chance"
    return answer("signals", rows, group_by=("pump_model", "complication"), signals=about)


def cascades() -> Release:
    """Three pairs, one of them hidden."""
    found: list[Any] = [
        ("catheter-dislodgement", "baclofen-withdrawal", 14, 0.5, 0.31, "ok"),
        ("baclofen-withdrawal", "revision-surgery", 9, 1.0, 0.4, "ok"),
        ("infection-pocket", "revision-surgery", None, None, None, "suppressed"),
    ]
    names = ("cause", "effect", "n", "median_months", "share", "status")
    return answer("cascades", [dict(zip(names, row, strict=True)) for row in found])


def coverage() -> Release:
    """By site: all that was reported, and what of it a rate counts."""
    names = ("site", "n", "counted", "excluded_before_entry", "after_follow_up", "after_last_round")
    rows: list[dict[str, Cell]] = [
        dict(zip((*names, "over_90_days", "without_denominator", "status"), row, strict=True))
        for row in (
            ("SITE-A", 61, 52, 4, 3, 0, 0, 2, "ok"),
            ("SITE-B", 20, 20, 0, 0, 0, 0, 0, "ok"),
        )
    ]
    return answer("coverage", rows, group_by=("site",), denominator=None)


def literature() -> Release:
    """One rate with two published figures beside it."""
    rows = [{"complication": "catheter-migration", **rate(25, 15230.0, 1.641)}]
    beside = {"complication": "catheter-migration", "measure": "rate", "unit": "pump-months"}
    return answer(
        "rates",
        rows,
        group_by=("complication",),
        literature=[
            {
                **beside,
                "value": 1.1,
                "ci_lower": 0.8,
                "ci_upper": 1.6,
                "source": "Taira et al. (2013), Neuromodulation",
                "year": 2013,
                "evidence": "seen",
            },
            {
                **beside,
                "value": 2.7,
                "ci_lower": 1.9,
                "ci_upper": 3.8,
                "source": "Motta and Antonello (2014)",
                "year": 2014,
                "evidence": "abstract",
            },
        ],
    )


def models() -> Release:
    """Complications by pump model: a heat map, with a hidden field and an empty one."""
    rows: list[dict[str, Cell]] = []
    for down, complication in enumerate(("pump-motor-stall", "pump-flip", "battery-early")):
        for across, model in enumerate(("synchromed-ii-20", "synchromed-ii-40", "prometra")):
            if (down, across) == (2, 2):
                continue
            n = None if (down, across) == (1, 1) else 5 + 9 * down + 4 * across
            status = "suppressed" if n is None else "ok"
            rows.append(
                {"complication": complication, "pump_model": model, "n": n, "status": status}
            )
    return answer("counts", rows, group_by=("complication", "pump_model"))


def categories_by_year() -> Release:
    """Rates of long names by twenty years: more than a page has room for."""
    rows: list[dict[str, Cell]] = [
        {
            **{"category": code, "category_label": f"Withdrawal of {code}", "year": year},
            **{"events": 40, "exposure": 900.0, "rate": 310.6 + year % 9, "unit": "procedures"},
            **{"ci_lower": 250.0, "ci_upper": 380.0, "status": "unstable" if year % 4 else "ok"},
        }
        for code in (*"abcdefgh", "loss-of-therapy")
        for year in range(2006, 2026)
    ]
    return answer("rates", rows, group_by=("category", "year"))


EVERY = {
    "counts": counts,
    "rates": rates,
    "proportions": proportions,
    "years": by_year,
    "years-by-sex": lambda: by_year(("female", "male")),
    "survival": survival,
    "incidence": lambda: survival("incidence"),
    "life-table": life_table,
    "life-table-incidence": lambda: life_table("incidence"),
    "comparison": comparison,
    "funnel": funnel,
    "funnel-crowded": crowded_funnel,
    "funnel-unjudged": unjudged_funnel,
    "trend": trend,
    "trend-protected": lambda: trend(cusum=False),
    "signals": signals,
    "cascades": cascades,
    "coverage": coverage,
    "literature": literature,
    "models": models,
    "models-unstable": unstable_models,
}
"""An answer for every kind of picture."""
