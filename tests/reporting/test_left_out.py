from dataclasses import replace
from pathlib import Path

import pytest

from registry.reporting.asking.spec import Question
from registry.reporting.measures.counts import NO_IMPLANT_NO_FIRST
from registry.reporting.measures.proportions import AFTER_FOLLOW_UP
from registry.reporting.words import left_out as said
from registry.snapshot.manifest import Manifest
from registry.vocabulary import CountingRule, Denominator, Measure, Profile
from tests.reporting.asking import Asker
from tests.reporting.test_question import MANIFEST
from tests.snapshot.rows import implant

RATES, COUNTS, PROPORTIONS = Measure.RATES, Measure.COUNTS, Measure.PROPORTIONS
FIRST, EVENTS = CountingRule.FIRST_EVENT, CountingRule.EVENTS
KINK = (("complication", ("catheter-kink",)),)


def told_of(question: Question, manifest: Manifest) -> list[str]:
    """What an exact answer says that it leaves out."""
    return said.left_out(question, manifest, profile=Profile.EXACT)


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
    told = told_of(asker.question(COUNTS, **query), MANIFEST)

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
        (
            RATES,
            {},
            [said.IN_FOLLOW_UP, said.DECLARED, said.DECLARED_FIRSTS, said.INELIGIBLE],
        ),
        (RATES, {"counting": EVENTS}, [said.IN_FOLLOW_UP, said.DECLARED, said.INELIGIBLE]),
        (
            RATES,
            {"years": (2015, 2016)},
            [
                said.IN_FOLLOW_UP,
                said.DECLARED,
                said.DECLARED_FIRSTS,
                said.INELIGIBLE,
                said.WITHOUT_YEAR,
                said.OWN_YEAR,
            ],
        ),
        (
            RATES,
            {"unit": Denominator.PUMP_MONTHS},
            [
                said.IN_FOLLOW_UP,
                said.OTHER_COMPONENT,
                said.DECLARED,
                said.DECLARED_FIRSTS,
                said.INELIGIBLE,
            ],
        ),
    ],
)
def test_answer_says_how_it_reads_the_rules(
    asker: Asker, measure: Measure, query: dict, expected: list[str]
) -> None:
    assert told_of(asker.question(measure, where=KINK, **query), MANIFEST) == expected


@pytest.mark.parametrize(
    ("rounds", "sites", "expected"),
    [
        ((None, None), (), [said.WITHOUT_ROUNDS]),
        ((1, 2), (), [said.UP_TO_ROUNDS]),
        ((1, None), (), [said.UP_TO_ROUNDS, said.WITHOUT_ROUNDS]),
        ((1, None), ("A",), [said.UP_TO_ROUNDS]),
        ((1, None), ("B",), [said.WITHOUT_ROUNDS]),
    ],
)
@pytest.mark.parametrize("measure", [RATES, PROPORTIONS, Measure.SURVIVAL, COUNTS])
def test_answer_says_up_to_when_the_follow_up_of_its_sites_counts(
    tmp_path: Path, rounds: tuple, sites: tuple, expected: list[str], measure: Measure
) -> None:
    one, other = (
        implant(f"i{site}", site=site, round_number=number, months_at_round=number and 24)
        for site, number in zip("AB", rounds, strict=True)
    )
    asker = Asker(tmp_path, implants=[one, other])
    where = (*KINK, ("site", sites)) if sites else KINK

    told = told_of(asker.question(measure, where=where), asker.manifest)

    about = [each for each in told if each in (said.UP_TO_ROUNDS, said.WITHOUT_ROUNDS)]
    assert about == ([] if measure is COUNTS else expected)


def test_rates_of_all_complications_say_that_catheter_events_count_on_pumps(asker: Asker) -> None:
    for query in ({}, {"group_by": ("category",)}):
        assert said.OTHER_COMPONENT in told_of(asker.question(RATES, **query), MANIFEST)
    by_complication = asker.question(RATES, group_by=("complication",))
    assert said.OTHER_COMPONENT not in told_of(by_complication, MANIFEST)


def test_answer_says_which_of_its_complications_were_retired(asker: Asker) -> None:
    terms = MANIFEST.terms
    retired = {"catheter-kink": "catheter-occlusion", "csf-leak": ""}
    kept = tuple(
        replace(term, retired=term.code in retired, replaced_by=retired.get(term.code, ""))
        for term in terms.complications
    )
    later = replace(MANIFEST, terms=replace(terms, complications=kept))
    both = (("complication", ("catheter-kink", "catheter-migration", "csf-leak")),)

    told = told_of(asker.question(COUNTS, where=both), later)

    assert told == [
        "The complication catheter-kink is retired; see catheter-occlusion.",
        "The complication csf-leak is retired.",
    ]
    assert told_of(asker.question(COUNTS, where=both), MANIFEST) == []
