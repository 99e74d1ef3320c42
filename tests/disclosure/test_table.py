"""The frozen law of the perturbation: its moments, its support, and that it can be made again."""

from importlib.resources import files

import numpy as np
import pytest

from registry.disclosure.policy import Policy
from registry.disclosure.table import (
    LAST_ROW,
    PerturbationTable,
    derived_table,
    frozen_table,
    maximum_entropy_row,
    table_lines,
)

ROWS = range(1, LAST_ROW + 1)


@pytest.fixture
def table():
    return frozen_table()


def test_frozen_table_is_the_one_that_the_policy_defines(table, policy):
    derived = derived_table(policy)

    assert table.offsets.tolist() == derived.offsets.tolist()
    np.testing.assert_allclose(table.probabilities, derived.probabilities, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n", ROWS)
def test_row_has_mean_0_and_the_stated_variance(table, n):
    row, offsets = table.row(n), table.offsets

    assert row.sum() == pytest.approx(1, abs=1e-12)
    assert row @ offsets == pytest.approx(0, abs=1e-12)
    assert row @ offsets**2 == pytest.approx(min(6, 1.5 * n), abs=1e-12)


@pytest.mark.parametrize("n", ROWS)
def test_row_is_supported_from_minus_n_to_eight_at_most(table, n):
    reached = table.offsets[table.row(n) > 0]

    assert reached.tolist() == list(range(-n, min(8, n + 3) + 1))


@pytest.mark.parametrize("n", ROWS)
def test_row_has_the_form_of_maximum_entropy(table, n):
    # log p(d) = c + a d + b d^2: its third difference is nil.
    row = np.log(table.row(n)[table.row(n) > 0])

    np.testing.assert_allclose(np.diff(row, 3), 0, atol=1e-9)


def test_rows_after_the_last_would_not_differ(table, policy):
    offsets, later = maximum_entropy_row(3 * LAST_ROW, policy)

    beyond = offsets < -LAST_ROW
    assert later[beyond].sum() < 2.0**-61
    np.testing.assert_allclose(table.row(LAST_ROW), later[~beyond], rtol=0, atol=1e-15)


def test_last_row_serves_every_larger_count(table):
    assert table.row(10_000) is not None
    assert table.row(10_000).tolist() == table.row(LAST_ROW).tolist()


def test_row_of_a_true_zero_does_not_exist(table):
    with pytest.raises(ValueError, match="starts at 1"):
        table.row(0)


def test_frozen_file_is_the_table_as_text(table):
    frozen = files("registry.disclosure").joinpath("table.csv").read_text(encoding="ascii")

    assert list(table_lines(table)) == frozen.splitlines()


@pytest.mark.parametrize("n", [1, 2, 5, 24, 60])
def test_draw_stays_on_the_support_at_both_ends_of_the_uniform(table, n):
    ends = [0.0, 1 - 2.0**-53]

    lowest, highest = table.draw([n, n], ends)

    assert lowest == -min(n, LAST_ROW)
    assert highest == min(8, n + 3)


@pytest.mark.parametrize("n", [1, 3, 5, 40])
def test_draw_follows_the_row(table, n):
    uniform = (np.arange(200_000) + 0.5) / 200_000

    drawn = table.draw(np.full(uniform.size, n), uniform)

    shares = [(drawn == offset).mean() for offset in table.offsets]
    np.testing.assert_allclose(shares, table.row(n), atol=1e-5)


def test_draw_leaves_a_true_zero_alone(table):
    uniform = np.linspace(0, 1, 1000, endpoint=False)

    assert table.draw(np.zeros(1000, int), uniform).tolist() == [0] * 1000


def test_law_that_does_not_exist_is_refused():
    impossible = Policy(variance_per_unit=50.0, most_variance=50.0)

    with pytest.raises((ArithmeticError, np.linalg.LinAlgError)):
        maximum_entropy_row(1, impossible)


def test_table_of_rounded_probabilities_still_ends_at_one():
    table = PerturbationTable.of(np.array([-1, 0, 1]), np.array([[0.3, 0.3, 0.3999999]]))

    assert table.draw([1], [0.99999999]).tolist() == [1]
