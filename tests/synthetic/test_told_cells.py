"""What protected tables tell of exact ones, and that small cells are never told."""

from pathlib import Path

import numpy as np
import pytest

from registry import intake
from registry.synthetic import registry
from registry.vocabulary import Measure
from tests.synthetic.frozen import frozen_synthetic
from tests.synthetic.told_cells import Cells, TableAsked, cells_of, lines_of

FOUR = Cells(np.array([2.0, 12.0, 20.0, 66.0]), np.array([np.nan, 0.25, np.nan, 0.05]))


def test_hidden_cells_and_the_patients_in_them_are_shares_of_all():
    assert FOUR.hidden == 0.5
    assert FOUR.hidden_patients == pytest.approx(0.22)


def test_errors_are_those_of_told_cells():
    assert FOUR.error(0.5) == pytest.approx(0.15)
    assert FOUR.error(1.0) == pytest.approx(0.25)
    assert FOUR.between(1, 10).error(0.5) is None


def test_cells_of_several_registries_weigh_alike():
    joined = Cells.joined([FOUR, FOUR.between(12, 66)])

    assert joined.sizes.size == 7
    assert joined.hidden == pytest.approx(3 / 7)


def test_tables_are_written_by_breakdown_and_by_size_of_counts():
    counted, refused, rated = (
        TableAsked(measure, group_by)
        for measure, group_by in (
            (Measure.COUNTS, "category,pump_model"),
            (Measure.COUNTS, "category,drug,age_band"),
            (Measure.RATES, "category"),
        )
    )

    lines = lines_of({counted: [FOUR, FOUR], refused: [None], rated: [FOUR]})

    assert "| category by pump model | 8 | 50 | 22 | 15.0 | 25.0 |" in lines
    assert "| category by drug by age band | refused | | | | |" in lines
    assert "| rates by category | 4 | 50 | 22 | 15.0 | 23.0 |" in lines
    assert "| 1 to 10 | 2 | 100 |  |  |" in lines
    assert "| 11 to 19 | 2 | 0 | 25.0 | 25.0 |" in lines
    assert "| 20 to 29 | 2 | 100 |  |  |" in lines


@pytest.mark.django_db
def test_large_cells_are_told_nearly_right_and_small_ones_never(tmp_path: Path):
    intake.load_catalogue()
    frozen = frozen_synthetic(tmp_path, registry(events=2_000, sites=12, seed=1))

    assert cells_of(TableAsked(Measure.COUNTS, "category,drug,age_band"), frozen) is None
    counts = Cells.joined(
        cells_of(TableAsked(Measure.COUNTS, group_by), frozen)
        for group_by in ("category", "complication,drug", "category,year")
    )
    assert counts.between(1, 4).sizes.size > 200
    assert counts.between(1, 4).hidden == 1.0
    assert counts.between(100, 10**9).hidden == 0.0
    assert counts.between(100, 10**9).error(0.5) < 0.05
    rates = cells_of(TableAsked(Measure.RATES, "complication"), frozen)
    assert rates.between(1, 4).hidden == 1.0
    assert rates.between(100, 10**9).error(0.5) < 0.1
