"""The literature's figures, worked out as the registry's own."""

import pytest

from registry.reporting import published_figure
from registry.vocabulary import Measure


def test_a_published_proportion_has_wilsons_limits():
    figure = published_figure(Measure.PROPORTIONS, events=18, of=20)

    # R, binom.confint(18, 20, methods = "wilson")
    assert figure.value == 0.9
    assert figure.lower == pytest.approx(0.6989663547, rel=1e-9)
    assert figure.upper == pytest.approx(0.9721335188, rel=1e-9)


def test_a_published_rate_has_garwoods_limits():
    figure = published_figure(Measure.RATES, events=15, of=400, per=1000)

    # R, DescTools::PoissonCI(15, 400, method = "exact"), per 1,000
    assert figure.value == pytest.approx(37.5)
    assert figure.lower == pytest.approx(20.9884653, rel=1e-7)
    assert figure.upper == pytest.approx(61.8505472, rel=1e-7)


def test_without_a_denominator_nothing_is_defined():
    for measure in (Measure.PROPORTIONS, Measure.RATES):
        figure = published_figure(measure, events=0, of=0)
        assert (figure.value, figure.lower, figure.upper) == (None, None, None)


def test_other_measures_are_not_compared():
    with pytest.raises(ValueError, match="survival"):
        published_figure(Measure.SURVIVAL, events=1, of=2)
