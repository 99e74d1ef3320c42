"""The worked examples of docs/methods.md are what the estimators give."""

from pathlib import Path

import numpy as np
import pytest

from registry.disclosure.intervals import perturbed_rate_interval
from registry.statistics.comparison import Cells, compare
from registry.statistics.funnel import poisson_limits
from registry.statistics.intervals import wilson_interval
from registry.statistics.rates import incidence_rate
from registry.statistics.signals import disproportionality
from registry.statistics.survival import cumulative_incidence, kaplan_meier
from registry.statistics.trend import rate_trend

DOCS = Path(__file__).parents[2] / "docs"
METHODS = DOCS / "methods.md"
MONTHS = [6, 12, 12, 18, 24, 24, 30, 36, 36, 36]


def figures(*values: float | None) -> list[str]:
    return [f"{value:.3g}" for value in values if value is not None]


def rates() -> list[str]:
    found = incidence_rate(15, 400, per=100)
    return figures(found.rate, found.lower, found.upper)


def proportions() -> list[str]:
    lower, upper = wilson_interval(25, 400)
    return figures(6.25, 100 * lower, 100 * upper)


def survival() -> list[str]:
    curve = kaplan_meier(MONTHS, [month in {12, 24} for month in MONTHS])
    return figures(*curve.survival, curve.lower[-1], curve.upper[-1])


def incidence() -> list[str]:
    causes = [{12: 1, 24: 1, 18: 2, 30: 2}.get(month, 0) for month in MONTHS]
    curves = cumulative_incidence(MONTHS, causes)
    return figures(curves.incidence[1][-1], curves.lower[1][-1], curves.upper[1][-1])


def comparison() -> list[str]:
    cells = Cells.of([15, 10], [400.0, 500.0], [0, 1], [(), ()])
    found = compare(cells, 1, adjusted=False).contrasts[0]
    return figures(found.ratio, found.lower, found.upper)


def trend() -> list[str]:
    found = rate_trend([10, 12, 15, 18, 22], [100.0] * 5, np.arange(2020, 2025))
    return figures(found.rate_ratio, found.lower, found.upper)


def funnel() -> list[str]:
    return figures(18 / 10, *poisson_limits(10.0, level=0.95))


def signals() -> list[str]:
    found = disproportionality(20, 80, 100, 800)
    return figures(found.prr, found.prr_lower, found.prr_upper, found.ic, found.chi2_yates)


EXAMPLES = (rates, proportions, survival, incidence, comparison, trend, funnel, signals)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.__name__)
def test_a_worked_example_has_the_figures_of_its_estimator(example):
    lines = METHODS.read_text(encoding="utf-8").split("## Worked examples")[1].splitlines()
    (line,) = [each for each in lines if each.startswith(f"| {example.__name__} |")]

    assert line.split("|")[3].strip() == ", ".join(example())


def test_the_worked_example_of_protection_has_the_figures_of_its_limits():
    lower, upper = perturbed_rate_interval(41, 12_490, count_variance=6, exposure_sd=206)

    words = (DOCS / "disclosure.md").read_text(encoding="utf-8")
    said = f"{41_000 / 12_490:.3g} ({1000 * lower:.3g} to {1000 * upper:.3g}) per 1,000"
    assert said in words
