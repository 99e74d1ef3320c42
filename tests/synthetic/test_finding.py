"""The outlying site and the faulty pump of a synthetic registry are found; the rest mostly not."""

import pytest

from tests.synthetic.finding import Study, Tally

SEEDS = (102, 103)


@pytest.fixture(scope="module")
def study() -> Study:
    made = Study()
    for seed in SEEDS:
        made.add(seed, events=6_000, sites=12)
    return made


@pytest.mark.parametrize(
    "named",
    [
        "funnel, crude: site above the 95 % limit",
        "funnel, standardised by drug and age: site above the 99.8 % limit",
        "outlier rule: pump model",
        "disproportionality: pump model",
    ],
)
def test_what_is_wrong_by_construction_is_found(study: Study, named: str) -> None:
    assert study.lines[named].found == len(SEEDS)


def test_false_alarms_are_few(study: Study) -> None:
    # of 40 registries: none of 840 sites beyond 99.8 %, 3 of 650 models (docs/methods.md)
    for named, line in study.lines.items():
        assert line.tried >= 14
        assert line.false <= 1, named


def test_tally_counts_what_is_found_and_what_is_falsely_marked() -> None:
    tally = Tally()
    tally.add(["B", "C"], tried=["A", "B", "C", "D"], truth="B")
    tally.add(["C"], tried=["A", "B", "C"], truth="B")

    assert (tally.registries, tally.found, tally.false, tally.tried) == (2, 1, 2, 5)
