from dataclasses import replace
from pathlib import Path

import pytest

from registry.reporting.measures.counts import NO_IMPLANT_NO_FIRST
from registry.reporting.measures.proportions import AFTER_FOLLOW_UP
from registry.reporting.words import left_out as said
from registry.vocabulary import CountingRule, Denominator, Measure
from tests.reporting.asking import Asker
from tests.snapshot.rows import shipped_terms

RATES, COUNTS, PROPORTIONS = Measure.RATES, Measure.COUNTS, Measure.PROPORTIONS
FIRST, EVENTS = CountingRule.FIRST_EVENT, CountingRule.EVENTS
KINK = (("complication", ("catheter-kink",)),)


@pytest.fixture
def asker(tmp_path: Path) -> Asker:
    return Asker(tmp_path)


@pytest.mark.parametrize(
    ("query", "leaves_out"),
    [
        ({}, True),
        ({"where": (("category", ("pump",)),)}, True),
        ({"where": (("category", ("catheter",)),)}, False),
        ({"where": (("category", ("consequence",)),)}, False),
        ({"where": KINK}, False),
        ({"group_by": ("category",)}, True),
        ({"group_by": ("complication",)}, False),
    ],
)
def test_answer_says_that_consequences_are_left_out(
    asker: Asker, query: dict, leaves_out: bool
) -> None:
    told = said.left_out(asker.question(COUNTS, **query), shipped_terms())

    assert told == ([said.CONSEQUENCES] if leaves_out else [])


@pytest.mark.parametrize(
    ("measure", "query", "expected"),
    [
        (COUNTS, {"counting": FIRST}, [NO_IMPLANT_NO_FIRST]),
        (PROPORTIONS, {}, [AFTER_FOLLOW_UP, said.INELIGIBLE]),
        (
            PROPORTIONS,
            {"group_by": ("year",)},
            [AFTER_FOLLOW_UP, said.INELIGIBLE, said.WITHOUT_YEAR],
        ),
        (RATES, {}, [said.IN_FOLLOW_UP, said.INELIGIBLE]),
        (RATES, {"counting": EVENTS}, [said.IN_FOLLOW_UP, said.DECLARED, said.INELIGIBLE]),
        (
            RATES,
            {"years": (2015, 2016)},
            [said.IN_FOLLOW_UP, said.INELIGIBLE, said.WITHOUT_YEAR, said.OWN_YEAR],
        ),
        (
            RATES,
            {"unit": Denominator.PUMP_MONTHS},
            [said.IN_FOLLOW_UP, said.OTHER_COMPONENT, said.INELIGIBLE],
        ),
    ],
)
def test_answer_says_how_it_reads_the_rules(
    asker: Asker, measure: Measure, query: dict, expected: list[str]
) -> None:
    assert said.left_out(asker.question(measure, where=KINK, **query), shipped_terms()) == expected


def test_rates_of_all_complications_say_that_catheter_events_count_on_pumps(asker: Asker) -> None:
    for query in ({}, {"group_by": ("category",)}):
        assert said.OTHER_COMPONENT in said.left_out(
            asker.question(RATES, **query), shipped_terms()
        )
    by_complication = asker.question(RATES, group_by=("complication",))
    assert said.OTHER_COMPONENT not in said.left_out(by_complication, shipped_terms())


def test_answer_says_which_of_its_complications_were_retired(asker: Asker) -> None:
    terms = shipped_terms()
    retired = {"catheter-kink": "catheter-occlusion", "csf-leak": ""}
    kept = tuple(
        replace(term, retired=term.code in retired, replaced_by=retired.get(term.code, ""))
        for term in terms.complications
    )
    both = (("complication", ("catheter-kink", "catheter-migration", "csf-leak")),)

    told = said.left_out(asker.question(COUNTS, where=both), replace(terms, complications=kept))

    assert told == [
        "The complication catheter-kink is retired; see catheter-occlusion.",
        "The complication csf-leak is retired.",
    ]
    assert said.left_out(asker.question(COUNTS, where=both), terms) == []
