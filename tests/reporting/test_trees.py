"""What protected answers tell apart follows from code lists and two public years."""

from datetime import UTC, datetime
from typing import Any

import pytest

from registry.disclosure import Policy
from registry.records import EventQuery, NotAvailableAtThisDetail
from registry.reporting.protected.trees import refuse_earlier_years, trees_of
from registry.vocabulary import CODELISTS
from tests.snapshot.rows import shipped_terms

POLICY = Policy()
TREES = trees_of(
    shipped_terms(B="DE", A="JP"), data_as_of=datetime(2024, 6, 30, tzinfo=UTC), policy=POLICY
)


def test_every_dimension_that_is_offered_has_a_tree() -> None:
    assert set(TREES) == {offer.name for offer in POLICY.offered}


def test_complications_are_those_of_the_catalogue_and_consequences_stand_apart() -> None:
    tree = TREES["complication"]

    assert len(tree.values) == 94
    assert tree.group_of["catheter-kink"] == "catheter"
    assert tree.apart == {
        "pump-end-of-service",
        "revision-surgery",
        "explant-unplanned",
        "pain-unspecified",
        "death",
    }


def test_sites_are_in_order_and_have_no_blank() -> None:
    assert TREES["site"].values == ("A", "B")


def test_both_components_together_are_every_device() -> None:
    assert TREES["component"].in_totals == set(CODELISTS["component"].codes())


def test_years_go_from_the_first_period_to_the_year_of_the_release(settings: Any) -> None:
    assert TREES["year"].values == tuple(map(str, range(2005, 2025)))

    settings.REGISTRY_FIRST_YEAR = 2008  # its period starts in 2005
    assert trees_of(shipped_terms(), data_as_of=None, policy=POLICY)["year"].values == ("2005",)


def refused(**query: Any) -> bool:
    try:
        refuse_earlier_years(EventQuery(**query), TREES["year"])
    except NotAvailableAtThisDetail as refusal:
        (fault,) = refusal.faults
        assert fault.column == "year"
        assert "2005" in fault.detail
        return True
    return False


@pytest.mark.parametrize(
    "years",
    [None, (None, None), (None, 2024), (1980, 2030), (2010, 2014), (2006, None), (2024, 2024)],
)
def test_years_that_are_told_apart_and_all_years_are_taken(years: Any) -> None:
    assert not refused(years=years)


@pytest.mark.parametrize(
    "years",
    [
        (2005, None),  # is not all: it leaves the earlier years out
        (2005, 2024),
        (2001, 2004),
        (2001, 2009),
        (None, 2009),
        (1990, 2030),
    ],
)
def test_range_that_holds_some_of_the_earlier_years_is_refused(years: Any) -> None:
    assert refused(years=years)


@pytest.mark.parametrize("where", [(("year", ("2004", "2006")),), (("period", ("2000-2004",)),)])
def test_earlier_year_or_period_is_refused(where: Any) -> None:
    assert refused(where=where)


def test_rows_by_year_start_where_years_are_told_apart() -> None:
    assert not refused(years=(2001, 2009), group_by=("year",))
    assert not refused(years=(2005, None), group_by=("period", "sex"))
