"""Rows from shown nodes: no hidden number enters a sum, a rate or a proportion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.disclosure import ShownNode, count_row, proportion_row, rate_row
from registry.disclosure.intervals import perturbed_proportion_interval, perturbed_rate_interval
from registry.vocabulary import CellStatus

SD = 205.76


def shown(count, population=400, exposure=20_000):
    return ShownNode(
        count=count,
        population=population,
        exposure=exposure,
        has_exposure=True,
        count_variance=0.0 if count is None else 6.0,
        population_variance=0.0 if population is None else 6.0,
        exposure_sd=0.0 if exposure is None else SD,
    )


def test_count_of_one_shown_node_stands():
    row = count_row([shown(17)])

    assert (row.n, row.status, row.hidden_cells) == (17, CellStatus.OK, 0)


def test_count_of_a_hidden_node_is_no_number():
    row = count_row([shown(None)])

    assert (row.n, row.status, row.hidden_cells) == (None, CellStatus.SUPPRESSED, 1)


def test_count_leaves_hidden_nodes_out_and_says_how_many():
    row = count_row([shown(17), shown(None), shown(5), shown(None)])

    assert (row.n, row.status, row.hidden_cells) == (22, CellStatus.PARTIAL, 2)


def test_count_of_an_impossible_row_is_zero():
    row = count_row([])

    assert (row.n, row.status) == (0, CellStatus.ZERO)


@given(st.lists(st.one_of(st.none(), st.integers(5, 900)), min_size=1, max_size=12))
def test_count_is_hidden_or_at_least_the_threshold(counts):
    row = count_row([shown(count) for count in counts])

    assert row.n is None or row.n >= 5
    assert (row.n is None) == all(count is None for count in counts)


def test_rate_has_its_interval_after_perturbation():
    row = rate_row([shown(40)], per=1_000, level=0.9)

    limits = perturbed_rate_interval(40, 20_000, count_variance=6, exposure_sd=SD, level=0.9)
    assert (row.events, row.exposure, row.rate) == (40, 20_000, 2.0)
    assert (row.ci_lower, row.ci_upper) == pytest.approx([1_000 * limit for limit in limits])
    assert row.status is CellStatus.OK


def test_rate_sums_the_variances_of_its_nodes():
    row = rate_row([shown(40), shown(30, exposure=10_000)])

    limits = perturbed_rate_interval(70, 30_000, count_variance=12, exposure_sd=SD * 2**0.5)
    assert (row.events, row.exposure) == (70, 30_000)
    assert (row.ci_lower, row.ci_upper) == pytest.approx(limits)


@pytest.mark.parametrize("left_out", [shown(None), shown(30, exposure=None)])
def test_rate_takes_both_numbers_of_a_node_or_neither(left_out):
    row = rate_row([shown(40), left_out])

    assert (row.events, row.exposure) == (40, 20_000)
    assert (row.status, row.hidden_cells) == (CellStatus.PARTIAL, 1)


@pytest.mark.parametrize(
    ("hidden", "status", "reason"),
    [
        (shown(None), "suppressed", None),
        (shown(None, exposure=None), "suppressed", None),
        (shown(36, exposure=None), "hidden", "exposure"),
        (shown(None, population=None), "hidden", "population"),
        (shown(None, population=None, exposure=None), "hidden", "population"),
    ],
)
def test_rate_of_a_hidden_node_tells_nothing_but_what_hides_it(hidden, status, reason):
    row = rate_row([hidden])

    assert (row.events, row.exposure, row.rate, row.ci_lower, row.ci_upper) == (None,) * 5
    assert (row.status, row.reason, row.hidden_cells) == (status, reason, 1)


@pytest.mark.parametrize("row_of", [count_row, rate_row, proportion_row])
def test_a_sum_without_a_shown_part_says_no_more_than_that(row_of):
    parts = [shown(None), shown(None, population=None)]

    row = row_of(parts)

    assert (row.status, row.reason, row.hidden_cells) == (CellStatus.HIDDEN, "parts", 2)


@pytest.mark.parametrize("row_of", [count_row, proportion_row])
def test_too_small_a_population_is_not_taken_for_a_small_count(row_of):
    few = row_of([shown(None)])
    small = row_of([shown(None, population=None)])

    assert (few.status, few.reason) == (CellStatus.SUPPRESSED, None)
    assert (small.status, small.reason) == (CellStatus.HIDDEN, "population")


def test_a_shown_row_has_no_reason():
    for row in (count_row([shown(17)]), rate_row([shown(17)]), proportion_row([shown(17)])):
        assert row.reason is None
    assert count_row([shown(17), shown(None)]).reason is None


def test_rate_without_a_denominator_says_so():
    row = rate_row([ShownNode(count=40, population=400)])

    assert (row.events, row.rate, row.status) == (None, None, CellStatus.NO_DENOMINATOR)


@pytest.mark.parametrize(
    ("count", "status"), [(19, CellStatus.UNSTABLE), (20, CellStatus.OK), (5, CellStatus.UNSTABLE)]
)
def test_rate_from_fewer_than_20_shown_events_is_unstable(count, status):
    assert rate_row([shown(count)]).status is status


def test_rate_of_an_impossible_row_has_no_event():
    row = rate_row([])

    assert (row.events, row.rate, row.status) == (0, None, CellStatus.ZERO)


def test_proportion_has_its_interval_after_perturbation():
    row = proportion_row([shown(40)], level=0.9)

    limits = perturbed_proportion_interval(
        40, 400, numerator_variance=6, denominator_variance=6, level=0.9
    )
    assert (row.numerator, row.denominator, row.proportion) == (40, 400, 0.1)
    assert (row.ci_lower, row.ci_upper) == limits
    assert row.status is CellStatus.OK


def test_proportion_is_one_at_most():
    row = proportion_row([shown(26, population=24)])

    assert (row.numerator, row.denominator, row.proportion) == (26, 24, 1.0)
    assert row.ci_upper == 1.0


@pytest.mark.parametrize("left_out", [shown(None), shown(None, population=None)])
def test_proportion_takes_both_numbers_of_a_node_or_neither(left_out):
    row = proportion_row([shown(40), left_out, shown(20)])

    assert (row.numerator, row.denominator) == (60, 800)
    assert (row.status, row.hidden_cells) == (CellStatus.PARTIAL, 1)


def test_proportion_sums_the_variances_of_its_nodes():
    row = proportion_row([shown(40), shown(20)])

    limits = perturbed_proportion_interval(60, 800, numerator_variance=12, denominator_variance=12)
    assert (row.ci_lower, row.ci_upper) == limits


def test_proportion_of_a_hidden_node_tells_nothing():
    row = proportion_row([shown(None)])

    assert (row.numerator, row.denominator, row.proportion) == (None, None, None)
    assert (row.ci_lower, row.ci_upper) == (None, None)
    assert (row.status, row.hidden_cells) == (CellStatus.SUPPRESSED, 1)


def test_proportion_of_an_impossible_row_has_no_event():
    row = proportion_row([])

    assert (row.numerator, row.proportion, row.status) == (0, None, CellStatus.ZERO)
