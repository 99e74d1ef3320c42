"""The frozen law of the perturbation: its moments, its support, and that it can be made again."""

from importlib.resources import files

import numpy as np
import pytest

from registry.disclosure.policy import NoiseLaw
from registry.disclosure.table import (
    LAST_ROW,
    PerturbationTable,
    derived_tables,
    frozen_tables,
    maximum_entropy_row,
    table_lines,
)

ROWS = range(1, LAST_ROW + 1)


PARTS = {"lasting": (4, 1.0, 8), "fresh": (2, 0.5, 6)}
"""Each part's greatest variance, its variance a unit, and the most that it adds."""


@pytest.fixture(params=PARTS)
def part(request):
    return request.param


@pytest.fixture
def table(part):
    return getattr(frozen_tables(), part)


@pytest.fixture
def law(policy, part):
    return getattr(policy, part)


def test_frozen_table_is_the_one_that_the_policy_defines(table, policy, part):
    derived = getattr(derived_tables(policy), part)

    assert table.offsets.tolist() == derived.offsets.tolist()
    np.testing.assert_allclose(table.probabilities, derived.probabilities, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n", ROWS)
def test_row_has_mean_0_and_the_stated_variance(table, part, n):
    row, offsets = table.row(n), table.offsets
    most, each, _most_added = PARTS[part]

    assert row.sum() == pytest.approx(1, abs=1e-12)
    assert row @ offsets == pytest.approx(0, abs=1e-12)
    assert row @ offsets**2 == pytest.approx(min(most, each * n), abs=1e-12)


@pytest.mark.parametrize("n", ROWS)
def test_row_is_supported_from_minus_n_to_the_most_that_is_added(table, part, n):
    reached = table.offsets[table.row(n) > 0]

    assert reached.tolist() == list(range(-n, min(PARTS[part][2], n + 3) + 1))


@pytest.mark.parametrize("n", ROWS)
def test_row_has_the_form_of_maximum_entropy(table, n):
    # log p(d) = c + a d + b d^2: its third difference is nil.
    row = np.log(table.row(n)[table.row(n) > 0])

    np.testing.assert_allclose(np.diff(row, 3), 0, atol=1e-9)


def test_rows_after_the_last_would_not_differ(table, law):
    offsets, later = maximum_entropy_row(3 * LAST_ROW, law)

    beyond = offsets < -LAST_ROW
    assert later[beyond].sum() < 2.0**-61
    np.testing.assert_allclose(table.row(LAST_ROW), later[~beyond], rtol=0, atol=1e-15)


def test_last_row_serves_every_larger_count(table):
    assert table.row(10_000) is not None
    assert table.row(10_000).tolist() == table.row(LAST_ROW).tolist()


def test_row_of_a_true_zero_does_not_exist(table):
    with pytest.raises(ValueError, match="starts at 1"):
        table.row(0)


def test_frozen_file_is_the_table_as_text(table, part):
    frozen = files("registry.disclosure").joinpath(f"{part}.csv").read_text(encoding="ascii")

    assert list(table_lines(table)) == frozen.splitlines()


@pytest.mark.parametrize("n", [1, 2, 5, 24, 60])
def test_draw_stays_on_the_support_at_both_ends_of_the_uniform(table, part, n):
    ends = [0.0, 1 - 2.0**-53]

    lowest, highest = table.draw([n, n], ends)

    assert lowest == -min(n, LAST_ROW)
    assert highest == min(PARTS[part][2], n + 3)


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
    impossible = NoiseLaw(50.0, 50.0, most_added=8)

    with pytest.raises((ArithmeticError, np.linalg.LinAlgError)):
        maximum_entropy_row(1, impossible)


def test_table_of_rounded_probabilities_still_ends_at_one():
    table = PerturbationTable.of(np.array([-1, 0, 1]), np.array([[0.3, 0.3, 0.3999999]]))

    assert table.draw([1], [0.99999999]).tolist() == [1]
