"""The catalogue as it is shipped: its size, its order and the marks that statistics rest on."""

from collections import Counter

import pytest

from registry.catalogue import read_catalogue
from registry.vocabulary import Component, Denominator, Evidence


@pytest.fixture(scope="module")
def catalogue():
    return read_catalogue()


def test_shipped_catalogue_has_its_version(catalogue):
    # cat {categories,complications,published_rates,synonyms,imdrf_codes}.csv | sha256sum
    assert catalogue.version == "2026.2-cefc1b9dc694"


def test_shipped_catalogue_is_whole(catalogue):
    assert len(catalogue.categories) == 9
    assert len(catalogue.complications) == 94
    assert len(catalogue.published_rates) == 102
    assert sum(rate.shown for rate in catalogue.published_rates) == 40


def test_shipped_categories_stand_in_their_order(catalogue):
    assert [category.code for category in catalogue.categories] == [
        "infection",
        "catheter",
        "pump",
        "programming-refill",
        "surgical",
        "neurological",
        "drug-effect",
        "withdrawal",
        "consequence",
    ]
    assert [category.sort_order for category in catalogue.categories] == list(range(1, 10))


def test_shipped_categories_have_their_natural_denominators(catalogue):
    assert {entry.code: entry.natural_denominator for entry in catalogue.categories} == {
        "infection": Denominator.PROCEDURES,
        "catheter": Denominator.CATHETER_MONTHS,
        "pump": Denominator.PUMP_MONTHS,
        "programming-refill": Denominator.REFILLS,
        "surgical": Denominator.PROCEDURES,
        "neurological": Denominator.PUMP_MONTHS,
        "drug-effect": Denominator.PUMP_MONTHS,
        "withdrawal": Denominator.PUMP_MONTHS,
        "consequence": Denominator.PUMP_MONTHS,
    }


def test_shipped_complications_fill_every_category(catalogue):
    assert Counter(entry.category for entry in catalogue.complications) == {
        "drug-effect": 18,
        "surgical": 17,
        "programming-refill": 11,
        "pump": 12,
        "neurological": 10,
        "catheter": 9,
        "infection": 8,
        "withdrawal": 6,
        "consequence": 3,
    }


def test_shipped_consequences_and_end_of_service_are_in_no_total(catalogue):
    assert {entry.code for entry in catalogue.complications if not entry.in_totals} == {
        "pump-end-of-service",
        "revision-surgery",
        "explant-unplanned",
        "death",
        "pain-unspecified",
    }


def test_shipped_complications_have_their_core_groups(catalogue):
    groups = Counter(entry.core_group for entry in catalogue.complications if entry.core_group)

    assert groups == {
        "infection": 6,
        "catheter dislodgement": 1,
        "programming error overdose": 1,
        "baclofen withdrawal": 1,
        "revision surgery": 1,
    }


def test_shipped_complications_run_on_their_clocks(catalogue):
    on_the_catheter = {e.code for e in catalogue.complications if e.clock is Component.CATHETER}

    assert len(on_the_catheter) == 10
    assert "catheter-migration" in on_the_catheter
    assert "granuloma" in on_the_catheter
    assert "catheter-retained-fragment" not in on_the_catheter


def test_shipped_complications_rest_on_stated_evidence(catalogue):
    assert Counter(entry.evidence for entry in catalogue.complications) == {
        Evidence.ABSTRACT: 68,
        Evidence.UNVERIFIED: 14,
        Evidence.CONVENTION: 8,
        Evidence.SEEN: 4,
    }


def test_shipped_complications_each_cite_a_source(catalogue):
    assert not [entry.code for entry in catalogue.complications if not entry.citations]


def test_shipped_complications_are_all_in_use(catalogue):
    assert not [e.code for e in catalogue.complications if e.retired or e.replaced_by]


def test_shown_rates_have_numerator_and_denominator(catalogue):
    shown = [rate for rate in catalogue.published_rates if rate.shown]

    assert not [rate.rate_id for rate in shown if rate.numerator is None or not rate.denominator]
