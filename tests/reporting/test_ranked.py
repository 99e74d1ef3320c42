"""Which warnings of an answer stand first."""

from registry.reporting.words.curves import CENSORED, MONTHS
from registry.reporting.words.left_out import INELIGIBLE, UP_TO_ROUNDS, WITHOUT_ROUNDS
from registry.reporting.words.provisional import RUNNING, SO_FAR, WORKING
from registry.reporting.words.published import EARLY
from registry.reporting.words.ranked import ranked


def test_what_can_change_a_decision_stands_first_the_strongest_ahead() -> None:
    running = RUNNING.format(year=2026)

    assert ranked([WORKING, running, MONTHS, INELIGIBLE, WITHOUT_ROUNDS]) == [
        WITHOUT_ROUNDS,
        running,
        WORKING,
        MONTHS,
        INELIGIBLE,
    ]


def test_a_year_that_is_not_all_accepted_stands_before_the_snapshots_kind() -> None:
    so_far = SO_FAR.format(year=2025, percent=83)

    assert ranked([MONTHS, WORKING, so_far]) == [so_far, WORKING, MONTHS]


def test_no_more_than_three_stand_first_and_none_is_lost() -> None:
    said = [MONTHS, WORKING, EARLY, CENSORED, WITHOUT_ROUNDS]

    assert ranked(said) == [WITHOUT_ROUNDS, CENSORED, EARLY, MONTHS, WORKING]


def test_warnings_that_change_nothing_keep_their_order_and_stand_once() -> None:
    assert ranked([MONTHS, UP_TO_ROUNDS, MONTHS, INELIGIBLE]) == [MONTHS, UP_TO_ROUNDS, INELIGIBLE]
    assert ranked([]) == []
