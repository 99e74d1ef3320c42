"""The completeness of follow-up after Clark, Altman and De Stavola."""

import pytest

from registry.statistics.completeness import follow_up_completeness


def test_completeness_is_observed_over_possible_time() -> None:
    # Three patients, 10 of 10, 4 of 10 and 6 of 6 months (the last died): 20 of 26.
    assert follow_up_completeness(10 + 4 + 6, 10 + 10 + 6) == pytest.approx(20 / 26)


def test_without_possible_time_it_is_undefined() -> None:
    assert follow_up_completeness(0, 0) is None


@pytest.mark.parametrize(("observed", "possible"), [(2, 1), (-1, 1)])
def test_no_more_is_observed_than_possible(observed: float, possible: float) -> None:
    with pytest.raises(ValueError, match="observed"):
        follow_up_completeness(observed, possible)
