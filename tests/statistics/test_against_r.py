"""R's own functions and its survival package, on the same random data; skipped where R is not."""

import csv
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from registry.statistics.comparison import Cells, Clusters, Contrast, compare
from registry.statistics.delays import Delay, reporting_delay
from registry.statistics.gray import gray_test
from registry.statistics.intervals import (
    clopper_pearson_interval,
    poisson_interval,
    wilson_interval,
)
from registry.statistics.landmarks import median_limits, restricted_mean
from registry.statistics.life_counts import LifeCounts
from registry.statistics.others import compare_with_others
from registry.statistics.patient_curves import robust_to_patients
from registry.statistics.regression import ClusterTable
from registry.statistics.signals import disproportionality
from registry.statistics.standardised import directly_standardised
from registry.statistics.survival import (
    cumulative_incidence,
    kaplan_meier,
    logrank,
    stratified_logrank,
)
from registry.statistics.trend import adjusted_rate_trend, rate_trend
from tests.statistics.patients import lines_of

SCRIPT = Path(__file__).with_name("against_r.R")
SCALES = ("log-log", "log", "plain")
COHORTS, SERIES, TABLES, PATIENTS = 6, 30, 12, 23
CLOSE = 1e-9
TEN_DIGITS = 1e-10
Rows = list[dict[str, Any]]


def devices(dice: np.random.Generator, cohort: int) -> Rows:
    """Devices with ties, three ends of follow-up, two groups, and in odd cohorts late entries."""
    made: Rows = []
    for _ in range(int(dice.integers(30, 200))):
        end = int(dice.exponential(25)) + 1
        entry = int(dice.integers(0, end)) if cohort % 2 and dice.random() < 0.4 else 0
        cause, group = int(dice.choice((0, 1, 2), p=(0.4, 0.4, 0.2))), int(dice.integers(2))
        made.append({"cohort": cohort, "entry": entry, "end": end, "cause": cause, "group": group})
    for place, row in enumerate(made):
        row |= {"stratum": place % 3, "triple": place // 3 % 3, "patient": place % PATIENTS}
    return made


def clustered(dice: np.random.Generator, table: int) -> Rows:
    """Clusters of unlike rates with events and exposure in groups and strata, some in none."""
    made: Rows = []
    groups, strata = int(dice.integers(2, 5)), int(dice.integers(2, 6))
    for cluster in range(int(dice.integers(20, 60))):
        own = float(dice.gamma(2, 0.5))
        for group in range(groups):
            for stratum in range(strata):
                exposure = float(dice.uniform(5, 90))
                events = int(dice.poisson(own * exposure * 0.03 * (1 + group) / (1 + stratum)))
                row = {"table": table, "cluster": cluster, "group": group, "stratum": stratum}
                if dice.random() < 0.7:
                    made.append({**row, "events": events, "exposure": exposure})
    return made


def aged(dice: np.random.Generator, series: int) -> Rows:
    """Years of a growing registry, by the devices' age and model; the second came later."""
    spread = 1 + 3 * dice.random()
    return [
        {
            **{"series": series, "year": year, "age": age, "model": model},
            **{"events": events, "exposure": exposure},
        }
        for year in range(2012, 2012 + int(dice.integers(6, 13)))
        for age in range(min(6, year - 2011))
        for model in range(1 + (year - age > 2014))
        for exposure in [float(dice.uniform(100, 900))]
        for rate in [(1 + age) / 90 / (1 + model)]
        for events in [int(dice.poisson(dice.gamma(exposure * rate / spread, spread)))]
    ]


def truncated(dice: np.random.Generator, registry: int) -> Rows:
    """Delays of years watched for 36, 24 and 12 months more than the last, which is for 7."""
    made: Rows = []
    for watched in (43, 31, 19, 7):
        delays = dice.gamma(2.0, 3.0 + registry, int(dice.integers(60, 300))).astype(int)
        months, n = np.unique(delays[delays <= watched], return_counts=True)
        made += [
            {"registry": registry, "watched": watched, "months": int(each), "n": int(count)}
            for each, count in zip(months, n, strict=True)
        ]
    return [{**row, "longest": 43} for row in made]


def drawn() -> dict[str, Rows]:
    """Everything that R is asked about, from one seed."""
    dice = np.random.default_rng(20261)
    counts = [
        {"events": events, "exposure": float(dice.uniform(1, 9999)), "n": events + rest}
        for events in (0, 1, 2, 5, 34, 400)
        for rest in (0, 1, 40, 5000)
        if events + rest
    ]
    years: Rows = []
    for series in range(SERIES):
        spread = 1 + 3 * dice.random()
        for year in range(2012, 2012 + int(dice.integers(5, 13))):
            exposure = float(dice.uniform(500, 3000))
            events = int(dice.poisson(dice.gamma(exposure / 50 / spread, spread)))
            years.append({"series": series, "year": year, "events": events, "exposure": exposure})
    tables = [dict(zip("abcd", map(int, dice.integers(1, 90, 4)), strict=True)) for _ in range(50)]
    strata = [
        {
            "row": number,
            "events": int(dice.poisson(6)) + (stratum == 0),
            "exposure": float(dice.uniform(100, 5000)),
            "standard": float(dice.uniform(0, 90000)),
        }
        for number in range(40)
        for stratum in range(int(dice.integers(1, 7)))
    ]
    return {
        "ages": [row for series in range(TABLES) for row in aged(dice, series)],
        "cells": [row for table in range(TABLES) for row in clustered(dice, table)],
        "strata": strata,
        "devices": [row for cohort in range(COHORTS) for row in devices(dice, cohort)],
        "counts": counts,
        "years": years,
        "tables": tables,
        "delays": [row for registry in range(COHORTS) for row in truncated(dice, registry)],
    }


@pytest.fixture(scope="module")
def given() -> dict[str, Rows]:
    return drawn()


@pytest.fixture(scope="module")
def r(given: dict[str, Rows], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rows]:
    """R's answers, all from one run."""
    rscript = shutil.which("Rscript")
    there = rscript and subprocess.run(
        [rscript, "-e", "library(survival)"], capture_output=True, check=False
    )
    if not rscript or not there or there.returncode:
        pytest.skip("needs R with its survival package")
    folder = tmp_path_factory.mktemp("r")
    for name, rows in given.items():
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    subprocess.run([rscript, "--vanilla", str(SCRIPT), str(folder)], check=True)
    return {
        path.stem.removeprefix("r-"): [
            _read(row) for row in csv.DictReader(path.read_text().splitlines())
        ]
        for path in folder.glob("r-*.csv")
    }


def _read(row: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: text if name == "scale" else float(text.strip().replace("NA", "nan"))
        for name, text in row.items()
    }


def column(rows: Iterable[Mapping[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]


def of_cohort(given: dict[str, Rows], cohort: int) -> Rows:
    return [row for row in given["devices"] if row["cohort"] == cohort]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("cohort", range(COHORTS))
def test_survival_and_its_limits_are_those_of_survfit(
    given: dict[str, Rows], r: dict[str, Rows], cohort: int, scale: Any
) -> None:
    rows = of_cohort(given, cohort)
    theirs = [each for each in r["survival"] if (each["cohort"], each["scale"]) == (cohort, scale)]

    ours = kaplan_meier(
        column(rows, "end"),
        [row["cause"] == 1 for row in rows],
        entries=column(rows, "entry"),
        ci=scale,
    )

    assert ours.times.tolist() == column(theirs, "time")
    assert ours.at_risk.tolist() == column(theirs, "at_risk")
    assert ours.survival == pytest.approx(column(theirs, "estimate"), abs=CLOSE)
    inside = (ours.survival > CLOSE) & (ours.survival < 1)
    assert inside.any()
    for name in ("lower", "upper"):
        limits = np.array(column(theirs, name))
        assert getattr(ours, name)[inside] == pytest.approx(limits[inside], abs=CLOSE)


@pytest.mark.parametrize("cohort", range(COHORTS))
def test_incidence_is_that_of_survfit_with_states(
    given: dict[str, Rows], r: dict[str, Rows], cohort: int
) -> None:
    rows = of_cohort(given, cohort)
    theirs = [each for each in r["incidence"] if each["cohort"] == cohort]

    ours = cumulative_incidence(
        column(rows, "end"), column(rows, "cause"), entries=column(rows, "entry")
    )

    assert ours.times.tolist() == column(theirs, "time")
    assert ours.incidence[1] == pytest.approx(column(theirs, "event"), abs=CLOSE)
    assert ours.incidence[2] == pytest.approx(column(theirs, "death"), abs=CLOSE)


@pytest.mark.parametrize("cohort", range(COHORTS))
def test_limits_of_incidence_are_those_of_survfit(
    given: dict[str, Rows], r: dict[str, Rows], cohort: int
) -> None:
    """The same from implantation on; near those of its jackknife where some entered late."""
    rows = of_cohort(given, cohort)
    theirs = [each for each in r["incidence"] if each["cohort"] == cohort]
    told = {name: np.array(column(theirs, name)) for name in ("se", "lower", "upper")}

    ours = cumulative_incidence(
        column(rows, "end"), column(rows, "cause"), entries=column(rows, "entry")
    )

    late = any(column(rows, "entry"))
    held = (ours.se[1] > 0) & (np.array(column(theirs, "at_risk")) >= 10)
    assert held.sum() > 3
    assert ours.se[1][held] == pytest.approx(told["se"][held], rel=0.03 if late else CLOSE)
    for name in ("lower", "upper"):
        limits = getattr(ours, name)[1]
        assert limits[held] == pytest.approx(told[name][held], abs=0.005 if late else CLOSE)


@pytest.mark.parametrize("cohort", range(COHORTS))
def test_standard_error_of_incidence_is_near_aalens_of_cmprsk(
    given: dict[str, Rows], r: dict[str, Rows], cohort: int
) -> None:
    if "cuminc" not in r:
        pytest.skip("needs R's package cmprsk")
    rows = from_the_start(given, cohort)
    ours = cumulative_incidence(column(rows, "end"), column(rows, "cause"))
    compared = 0
    for theirs in r["cuminc"]:
        at = np.searchsorted(ours.times, theirs["time"], side="right") - 1
        if theirs["cohort"] != cohort or at < 0 or not ours.se[1][at]:
            continue
        compared += 1
        assert ours.incidence[1][at] == pytest.approx(theirs["event"], abs=CLOSE)
        assert ours.se[1][at] == pytest.approx(theirs["se"], rel=0.05)
    assert compared


@pytest.mark.parametrize("cohort", range(COHORTS))
def test_logrank_is_that_of_survdiff(
    given: dict[str, Rows], r: dict[str, Rows], cohort: int
) -> None:
    rows = [row for row in of_cohort(given, cohort) if row["entry"] == 0]
    (theirs,) = (each["chi2"] for each in r["logrank"] if each["cohort"] == cohort)

    ours = logrank(column(rows, "end"), [row["cause"] == 1 for row in rows], column(rows, "group"))

    assert ours.chi2 == pytest.approx(theirs, rel=CLOSE)


def test_limits_of_counts_are_those_of_r(given: dict[str, Rows], r: dict[str, Rows]) -> None:
    rows = given["counts"]
    events, n = column(rows, "events"), column(rows, "n")

    ours = {
        "poisson": poisson_interval(events, column(rows, "exposure")),
        "wilson": wilson_interval(events, n),
        "exact": clopper_pearson_interval(events, n),
    }

    for name, (lower, upper) in ours.items():
        assert lower == pytest.approx(column(r["counts"], f"{name}_lower"), rel=CLOSE, abs=1e-12)
        assert upper == pytest.approx(column(r["counts"], f"{name}_upper"), rel=CLOSE, abs=1e-12)


def test_trend_is_that_of_quasipoisson_where_nothing_is_floored(
    given: dict[str, Rows], r: dict[str, Rows]
) -> None:
    compared = 0
    for theirs in r["trend"]:
        rows = [row for row in given["years"] if row["series"] == theirs["series"]]
        ours = rate_trend(column(rows, "events"), column(rows, "exposure"), column(rows, "year"))
        assert ours.rate_ratio == pytest.approx(theirs["ratio"], rel=CLOSE)
        # R takes the residuals' weights from the step before its last: a few digits are its own.
        assert ours.dispersion == pytest.approx(max(1.0, theirs["dispersion"]), rel=1e-6)
        if theirs["dispersion"] > 1:
            compared += 1
            limits = (theirs["lower"], theirs["upper"])
            assert (ours.lower, ours.upper) == pytest.approx(limits, rel=1e-6)
            assert ours.p == pytest.approx(theirs["p"], rel=1e-6)

    assert SERIES / 3 < compared < SERIES  # some are floored, and most are not


def test_chi_squared_of_a_signal_is_that_of_chisq_test(
    given: dict[str, Rows], r: dict[str, Rows]
) -> None:
    for table, theirs in zip(given["tables"], r["tables"], strict=True):
        assert disproportionality(**table).chi2_yates == pytest.approx(theirs["chi2"], rel=CLOSE)


def test_directly_standardised_rates_are_those_of_r(
    given: dict[str, Rows], r: dict[str, Rows]
) -> None:
    for told in r["standardised"]:
        own = [each for each in given["strata"] if each["row"] == int(told["row"])]
        found = directly_standardised(
            *([each[name] for each in own] for name in ("events", "exposure", "standard"))
        )
        expected = [float(told[name]) for name in ("rate", "lower", "upper")]
        assert [found.rate, found.lower, found.upper] == pytest.approx(expected, rel=CLOSE)
    assert len(r["standardised"]) == 40


def from_the_start(given: dict[str, Rows], cohort: int) -> Rows:
    return [row for row in of_cohort(given, cohort) if row["entry"] == 0]


def table_of(rows: Rows) -> LifeCounts:
    return LifeCounts.of(column(rows, "end"), column(rows, "cause"))


@pytest.mark.parametrize("cohort", range(COHORTS))
def test_stratified_logrank_is_that_of_survdiff(
    given: dict[str, Rows], r: dict[str, Rows], cohort: int
) -> None:
    rows = from_the_start(given, cohort)
    (theirs,) = [each for each in r["landmarks"] if each["cohort"] == cohort]

    strata = [
        [
            table_of(
                [each for each in rows if (each["stratum"], each["group"]) == (stratum, group)]
            )
            for group in range(2)
        ]
        for stratum in range(3)
    ]

    assert stratified_logrank(strata).chi2 == pytest.approx(theirs["stratified"], rel=1e-10)


@pytest.mark.parametrize("cohort", range(COHORTS))
def test_restricted_mean_and_median_are_those_of_survfit(
    given: dict[str, Rows], r: dict[str, Rows], cohort: int
) -> None:
    rows = from_the_start(given, cohort)
    (theirs,) = [each for each in r["landmarks"] if each["cohort"] == cohort]

    curve = kaplan_meier(column(rows, "end"), [row["cause"] == 1 for row in rows])
    mean = restricted_mean(curve, until=36)
    limits = median_limits(curve.times, curve.lower, curve.upper)

    assert mean.mean == pytest.approx(theirs["mean"], rel=1e-10)
    assert mean.se == pytest.approx(theirs["se"], rel=1e-10)
    for ours, name in zip((curve.median, *limits), ("", "_lower", "_upper"), strict=True):
        of_r = theirs[f"median{name}"]
        assert (ours is None) == np.isnan(of_r)
        assert ours is None or ours == of_r


@pytest.mark.parametrize("cohort", range(COHORTS))
def test_standard_errors_robust_to_patients_are_those_of_survfit_with_cluster(
    given: dict[str, Rows], r: dict[str, Rows], cohort: int
) -> None:
    rows = [row for row in of_cohort(given, cohort) if row["entry"] < row["end"]]
    theirs = [each for each in r["patients"] if each["cohort"] == cohort]
    ends, causes, entries, patients = (
        np.array(column(rows, name)) for name in ("end", "cause", "entry", "patient")
    )
    counts, last = LifeCounts.of(ends, causes, entries), int(ends.max())
    lines = lines_of(patients, entries, ends, causes)

    free, had = (
        robust_to_patients(counts, lines, (0, last), incidence=incidence)
        for incidence in (False, True)
    )

    assert free is not None
    assert had is not None
    n = len(set(patients.tolist()))
    plain, compared = np.sqrt((n - 1) / n), 0
    for told in theirs:
        month = int(told["time"])
        if told["estimate"] > CLOSE:
            compared += 1
            assert free.se[month] * plain == pytest.approx(told["free_se"], rel=TEN_DIGITS)
            assert had.se[month] * plain == pytest.approx(told["had_se"], rel=TEN_DIGITS)
    assert compared >= 5


@pytest.mark.parametrize("cohort", range(COHORTS))
def test_grays_test_is_that_of_cmprsk(
    given: dict[str, Rows], r: dict[str, Rows], cohort: int
) -> None:
    if "gray" not in r:
        pytest.skip("needs R's package cmprsk")
    rows = from_the_start(given, cohort)
    (theirs,) = [each for each in r["gray"] if each["cohort"] == cohort]

    ours = gray_test([table_of([each for each in rows if each["triple"] == k]) for k in range(3)])

    assert (ours.chi2, ours.df) == (pytest.approx(theirs["chi2"], rel=1e-10), theirs["df"])


def is_that_of_glm(contrast: Contrast, poisson: Contrast, told: Mapping[str, Any]) -> bool:
    """Holds a ratio to R's; whether its limits are the robust ones, and were held to R's as well.

    poisson: the same contrast without clusters.
    """
    half = np.log(poisson.upper / poisson.ratio) / 1.959963984540054
    assert contrast.ratio == pytest.approx(told["ratio"], rel=TEN_DIGITS)
    assert half == pytest.approx(told["poisson_se"], rel=TEN_DIGITS)
    if contrast.robust_to == "nothing":  # Poisson's variance is the larger
        return False
    limits = (told["lower"], told["upper"])
    assert (contrast.lower, contrast.upper) == pytest.approx(limits, rel=TEN_DIGITS)
    return True


def table_of_cells(given: dict[str, Rows], number: int) -> tuple[Cells, Clusters]:
    """The cells of one table by group and stratum, and the clusters in them."""
    own = [row for row in given["cells"] if row["table"] == number]
    keys = sorted({(row["group"], row["stratum"]) for row in own})
    table = np.zeros((2, 1 + max(row["cluster"] for row in own), len(keys)))
    for row in own:
        at = keys.index((row["group"], row["stratum"]))
        table[:, row["cluster"], at] = row["events"], row["exposure"]
    sums = table.sum(axis=1)
    cells = Cells.of(*sums, [group for group, _ in keys], [(each,) for _, each in keys])
    return cells, Clusters("patients", ClusterTable(*table))


def test_adjusted_ratios_and_their_sandwich_are_those_of_glm(
    given: dict[str, Rows], r: dict[str, Rows]
) -> None:
    compared = 0
    for number in range(TABLES):
        theirs = [each for each in r["cells"] if each["table"] == number]
        cells, clusters = table_of_cells(given, number)

        plain = compare(cells, 0, level=0.95)
        robust = compare(cells, 0, clusters=[clusters], level=0.95)

        for contrast, poisson, told in zip(
            robust.contrasts[1:], plain.contrasts[1:], theirs, strict=True
        ):
            compared += is_that_of_glm(contrast, poisson, told)
        if robust.test.robust_to == "nothing":
            continue
        assert robust.test.statistic == pytest.approx(theirs[0]["wald"], rel=CLOSE)
        assert robust.test.p == pytest.approx(theirs[0]["p"], rel=1e-7)

    assert compared > 15


@pytest.mark.parametrize("registry", range(COHORTS))
def test_delays_that_are_truncated_are_those_of_survfit_in_reverse_time(
    given: dict[str, Rows], r: dict[str, Rows], registry: int
) -> None:
    rows = [row for row in given["delays"] if row["registry"] == registry]
    theirs = {row["months"]: row for row in r["delays"] if row["registry"] == registry}
    found = reporting_delay(Delay(row["months"], row["watched"], row["n"]) for row in rows)

    assert found is not None
    assert found.longest == 43
    assert len(theirs) == len({row["months"] for row in rows}) > 20
    compared = 0
    for months, told in theirs.items():
        if months == 0 or not told["later"] > 0:
            continue
        share, lower, upper = found.share(int(months) - 1)
        assert share == pytest.approx(told["later"], rel=TEN_DIGITS)
        assert (lower, upper) == pytest.approx((told["lower"], told["upper"]), rel=TEN_DIGITS)
        compared += 1
    assert compared > 15


def test_ratios_to_all_others_are_those_of_glm_with_one_indicator(
    given: dict[str, Rows], r: dict[str, Rows]
) -> None:
    compared = 0
    for number in range(TABLES):
        theirs = [each for each in r["others"] if each["table"] == number]
        cells, clusters = table_of_cells(given, number)

        plain = compare_with_others(cells)
        robust = compare_with_others(cells, clusters=[clusters])

        for contrast, poisson, told in zip(robust.contrasts, plain.contrasts, theirs, strict=True):
            compared += is_that_of_glm(contrast, poisson, told)

    assert compared > 20


def test_adjusted_trend_is_that_of_glm(given: dict[str, Rows], r: dict[str, Rows]) -> None:
    assert len(r["ages"]) == TABLES
    for theirs in r["ages"]:
        rows = [row for row in given["ages"] if row["series"] == theirs["series"]]

        found = adjusted_rate_trend(
            *(column(rows, name) for name in ("events", "exposure", "year")),
            [column(rows, name) for name in ("age", "model")],
        ).trend

        told = [theirs[name] for name in ("ratio", "lower", "upper")]
        assert [found.rate_ratio, found.lower, found.upper] == pytest.approx(told, rel=CLOSE)
