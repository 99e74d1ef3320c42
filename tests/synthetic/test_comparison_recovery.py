"""Adjusted ratios are true where crude ones are not; the larger study is `comparison_study`."""

from pathlib import Path

import pytest

from tests.synthetic.confounded import RATIO, Found, compared, recovered


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Found:
    return compared(tmp_path_factory.mktemp("confounded"), catheters=12_000, seed=1)


def test_adjusted_ratio_is_the_true_one(large: Found) -> None:
    # some 2,000 events of the new model, and sites that differ by 15 %: a standard error of 5 %
    assert large.ratio == pytest.approx(RATIO, rel=0.12)
    assert large.lower < RATIO < large.upper


def test_crude_ratio_is_not(large: Found) -> None:
    assert large.crude > 1.2 * RATIO
    assert large.crude_lower > RATIO


def test_sites_and_ages_both_confound(tmp_path: Path) -> None:
    by_site = compared(tmp_path / "s", catheters=6000, seed=2, adjust=("site",))
    by_age = compared(tmp_path / "w", catheters=6000, seed=2, adjust=("window",))
    both = compared(tmp_path / "b", catheters=6000, seed=2)

    assert abs(both.ratio - RATIO) < abs(by_age.ratio - RATIO)
    assert by_site.crude == pytest.approx(both.crude)
    assert by_age.crude == pytest.approx(both.crude)


def test_means_and_coverage_are_over_the_truth() -> None:
    one = Found(1.5, 1.2, 1.8, 3.0, 2.0, 4.0, 10)
    other = Found(1.5, 1.6, 1.8, 3.0, 1.0, 4.0, 20)

    told = recovered([one, other])

    assert told.adjusted == pytest.approx(1.0)
    assert told.crude == pytest.approx(2.0)
    assert (told.held, told.crude_held, told.events) == (0.5, 0.5, 15)
