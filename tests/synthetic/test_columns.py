"""Columns of made-up rows that nobody draws."""

import numpy as np

from registry.records import RowKind
from registry.records.columns import DECLARED
from registry.synthetic.columns import recorded
from registry.vocabulary import Organism


def filled(name: str) -> list[object]:
    """A column of 2,000 events of which only the year is drawn."""
    column = {name: DECLARED[RowKind.EVENT][name]}
    found = recorded(column, {"year": np.full(2_000, 2020)})[name]
    return found.values(slice(0, 2_000))


def test_codes_that_nobody_draws_are_every_code_and_the_blank_alike() -> None:
    codes = filled("organism")

    assert set(codes) == {None, *Organism.codes()}
    assert all(120 < codes.count(code) < 215 for code in {None, *Organism.codes()})
    assert codes == filled("organism")


def test_sets_and_numbers_that_nobody_draws_are_blank() -> None:
    assert set(filled("interventions")) == set(filled("month")) == {None}
