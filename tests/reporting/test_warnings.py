"""Every warning is asked of an answer that it is true of, and of one that must not have it."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from registry.disclosure import record_key
from registry.keys import read_keys
from registry.records import EventQuery
from registry.reporting.answering import _exact
from registry.reporting.asking.freshness import Frozen
from registry.reporting.measures import (
    burden,
    cascades,
    comparison,
    counts,
    funnel,
    proportions,
    rates,
    trend,
)
from registry.reporting.protected.cascades import ONLY_SHOWN
from registry.reporting.words import curves, left_out, provisional, published, sentences
from registry.snapshot.freeze import freeze_rows
from registry.snapshot.shelf import open_store
from registry.vocabulary import CountingRule, Denominator, Measure, SnapshotKind
from tests.reporting.protecting import AS_OF, SITES, ask, slow_rows, tangled_rows
from tests.snapshot.rows import event, implant, shipped_terms

REPORTING = Path(left_out.__file__).parents[1]
EVENTS = CountingRule.EVENTS
PUMP = (("category", ("pump",)),)
KINK = (("complication", ("catheter-kink",)),)
SURGICAL = (("category", ("surgical",)),)
WITHDRAWAL = (("category", ("withdrawal",)),)
GROUPS: dict[Measure, tuple[str, ...]] = {
    Measure.TREND: ("year",),
    Measure.FUNNEL: ("site",),
    Measure.CASCADES: ("category",),
    Measure.COMPARISON: ("sex",),
    Measure.SIGNALS: ("pump_model", "complication"),
}


@dataclass(frozen=True)
class Asked:
    """A question of one of the registries below."""

    measure: Measure
    query: tuple[tuple[str, Any], ...]
    of: str
    protected: bool


def of(measure: Measure, of: str = "tangled", *, protected: bool = False, **query: Any) -> Asked:
    query.setdefault("group_by", GROUPS.get(measure, ()))
    return Asked(measure, tuple(sorted(query.items())), of, protected)


COUNTS, RATES, PROPORTIONS = (
    partial(of, Measure.COUNTS),
    partial(of, Measure.RATES),
    partial(of, Measure.PROPORTIONS),
)
SURVIVAL, INCIDENCE, BURDEN = (
    partial(of, each) for each in (Measure.SURVIVAL, Measure.INCIDENCE, Measure.BURDEN)
)
TREND, FUNNEL, COMPARISON = (
    partial(of, each) for each in (Measure.TREND, Measure.FUNNEL, Measure.COMPARISON)
)
SIGNALS, CASCADES = partial(of, Measure.SIGNALS), partial(of, Measure.CASCADES)

TEN_AT_RISK = "at risk: it describes devices that were free of the event until then."
NEVER_TEN = "never had {} devices at risk at once: there is no curve."
OUTSIDE = "First events while fewer than {} were at risk are on no curve: {}."
BEFORE_ENTRY = "Events before their device was followed are left out: {}."
CHOOSE_ROWS, NO_PRODUCT, NO_CONSEQUENCES, NO_FINDING = (
    "Filters on {}, complication and category choose rows; each pair is compared with all "
    "reports of the selection.",
    "Reports without a recorded {} have no row and are among the others.",
    "Consequences and the expected end of service are left out.",
    "A pair reported out of proportion need not be frequent, and reporting differs between "
    "products: a signal is a reason to look, not a finding.",
)
NO_RISK = "Follow-up differs between patients: a proportion is not a risk over time."

CASES: list[tuple[str, Asked, Asked]] = [
    (sentences.SPLIT_BY_YEAR, RATES(group_by=("year",)), RATES()),
    (
        sentences.SPLIT_BY_YEAR,
        PROPORTIONS(years=(2015, 2016)),
        COUNTS(group_by=("year",)),
    ),
    (sentences.IN_EACH_ROW, COUNTS(group_by=("seriousness",)), COUNTS(group_by=("severity",))),
    (
        sentences.ONE_DENOMINATOR,
        RATES(where=PUMP, group_by=("severity",), counting=EVENTS),
        RATES(where=PUMP, group_by=("severity",)),
    ),
    (
        sentences.ONE_DENOMINATOR,
        PROPORTIONS(where=PUMP, group_by=("sex", "severity")),
        PROPORTIONS(group_by=("complication",)),
    ),
    (sentences.UNSTABLE, RATES(), PROPORTIONS()),
    (sentences.BY_DAY_BAND, RATES(where=SURGICAL), RATES(where=PUMP)),
    (
        sentences.SPREAD,
        RATES(group_by=("year",), unit=Denominator.REFILLS),
        RATES(unit=Denominator.REFILLS),
    ),
    (
        sentences.DATED,
        RATES(where=SURGICAL, group_by=("year",)),
        RATES(where=SURGICAL, group_by=("sex",)),
    ),
    (sentences.NOT_ENDED, RATES(where=SURGICAL), RATES(where=SURGICAL, counting=EVENTS)),
    (sentences.ALL_REPORTED, RATES("few", where=KINK), RATES(where=PUMP, group_by=("sex",))),
    (left_out.CONSEQUENCES, COUNTS(), COUNTS(where=KINK)),
    (left_out.INELIGIBLE, RATES(), COUNTS()),
    (left_out.UP_TO_ROUNDS, RATES("rounds"), RATES()),
    (left_out.UP_TO_ROUNDS, RATES("rounds"), RATES("rounds", where=(("country", ("JP",)),))),
    (left_out.WITHOUT_ROUNDS, RATES("rounds"), RATES("rounds", where=(("country", ("DE",)),))),
    (left_out.IN_FOLLOW_UP, RATES(), PROPORTIONS()),
    (left_out.IN_FOLLOW_UP, RATES(), RATES(where=SURGICAL)),
    (left_out.OTHER_COMPONENT, RATES(), RATES(where=KINK)),
    (left_out.DECLARED, RATES(counting=EVENTS), FUNNEL()),
    (left_out.DECLARED, RATES(), RATES(standardise=("sex",))),
    (left_out.DECLARED, RATES(group_by=("year",)), RATES(group_by=("sex",))),
    (left_out.DECLARED_FIRSTS, RATES(), RATES(counting=EVENTS)),
    (left_out.DECLARED_FIRSTS, RATES(group_by=("site",)), RATES(group_by=("sex",))),
    (left_out.DECLARED, TREND(counting=EVENTS), RATES(counting=EVENTS, group_by=("drug",))),
    (left_out.DECLARED, FUNNEL(counting=EVENTS), RATES(counting=EVENTS, standardise=("sex",))),
    (left_out.WITHOUT_YEAR, PROPORTIONS(group_by=("year",)), PROPORTIONS()),
    (left_out.OWN_YEAR, RATES(group_by=("year",)), PROPORTIONS(group_by=("year",))),
    (left_out.RETIRED, COUNTS("retired", where=(("complication", ("csf-leak",)),)), COUNTS()),
    (left_out.REPLACED, COUNTS("retired", where=KINK), COUNTS(where=KINK)),
    (provisional.WORKING, COUNTS("working"), COUNTS()),
    (provisional.BEHIND, COUNTS("behind"), COUNTS("working")),
    (provisional.RUNNING, COUNTS(group_by=("year",)), COUNTS("over", group_by=("year",))),
    (
        provisional.SO_FAR,
        COUNTS("slow", group_by=("year",)),
        COUNTS("slow", group_by=("year",), protected=True),
    ),
    (
        provisional.UNMEASURED,
        COUNTS(group_by=("year",)),
        COUNTS("slow", group_by=("year",)),
    ),
    (provisional.UNMEASURED, TREND(), COUNTS(group_by=("year",), protected=True)),
    (published.EARLY, COUNTS("early", protected=True), COUNTS(protected=True)),
    (published.EARLY, RATES("early", protected=True), COUNTS("early")),
    (curves.MONTHS, SURVIVAL(), RATES()),
    (curves.LATE, INCIDENCE(), INCIDENCE(protected=True)),
    (curves.FEW, BURDEN(), SURVIVAL(protected=True)),
    (curves.UNSTABLE, SURVIVAL(), BURDEN()),
    (curves.CENSORED, SURVIVAL(protected=True), INCIDENCE()),
    (curves.COMPETES, INCIDENCE(protected=True), SURVIVAL()),
    (curves.OF_PATIENT, SURVIVAL(where=WITHDRAWAL), SURVIVAL(where=PUMP)),
    (curves.CLUSTERED, INCIDENCE(protected=True), INCIDENCE()),
    (curves.ALLOWED_FOR, INCIDENCE(), INCIDENCE(protected=True)),
    (curves.OF_PATIENTS_ALONE, INCIDENCE(cluster="patient"), INCIDENCE()),
    (curves.AT_BOUNDARIES, INCIDENCE(protected=True), INCIDENCE()),
    (curves.CROWDED, SURVIVAL(protected=True), SURVIVAL()),
    (NEVER_TEN, SURVIVAL("few"), SURVIVAL()),
    (TEN_AT_RISK, SURVIVAL("late"), SURVIVAL()),
    (OUTSIDE, SURVIVAL("late"), SURVIVAL("early")),
    (BEFORE_ENTRY, INCIDENCE("late"), INCIDENCE("few")),
    (burden.EVERY_EVENT, BURDEN(), SURVIVAL()),
    (burden.AS_IF_FOLLOWED, BURDEN(), INCIDENCE()),
    (rates.SOME_ALONE, RATES("few", group_by=("sex",), counting=EVENTS), RATES(counting=EVENTS)),
    (rates.ALL_ALONE, RATES("one", counting=EVENTS), RATES("one")),
    (counts.NO_IMPLANT[CountingRule.PATIENTS], COUNTS(counting=CountingRule.PATIENTS), COUNTS()),
    (counts.NO_IMPLANT[CountingRule.DEVICES], COUNTS(counting=CountingRule.DEVICES), COUNTS()),
    (counts.NO_IMPLANT_NO_FIRST, COUNTS(counting=CountingRule.FIRST_EVENT), COUNTS()),
    (NO_RISK, PROPORTIONS(), RATES()),
    (proportions.AFTER_FOLLOW_UP, PROPORTIONS(protected=True), RATES()),
    (trend.OF_AGE, TREND(), TREND(adjust=("sex",))),
    (trend.CHOSEN, TREND(adjust=("sex",)), TREND()),
    (trend.DECLARED_HAS_NO_AGE, TREND(counting=EVENTS), TREND()),
    (trend.CRUDE, TREND(protected=True), TREND()),
    (trend.RUNNING_YEAR, TREND(), TREND("over")),
    (trend.OPEN_YEARS, TREND("slow"), TREND()),
    (trend.NO_YEAR, TREND(), RATES(group_by=("year",))),
    (funnel.AS_IT_IS, FUNNEL(), FUNNEL(standardise=("sex",))),
    (funnel.ADJUSTED, FUNNEL(standardise=("sex",)), FUNNEL()),
    (funnel.OF_CHOSEN_SITES, FUNNEL(where=(("site", ("A", "B")),)), FUNNEL()),
    (funnel.CLUSTERED, FUNNEL(counting=EVENTS), FUNNEL()),
    (comparison.CRUDE, COMPARISON(), COMPARISON(group_by=("window",))),
    (comparison.CRUDE_AGES, COMPARISON(group_by=("window",)), COMPARISON()),
    (comparison.ADJUST, COMPARISON(), COMPARISON(protected=True)),
    (comparison.ADJUST_OTHERS, COMPARISON(group_by=("window",)), COMPARISON()),
    (comparison.NOT_ADJUSTED, COMPARISON(protected=True), COMPARISON()),
    (comparison.ADJUSTED, COMPARISON(adjust=("window",)), COMPARISON()),
    (comparison.ALIKE, COMPARISON(adjust=("window",)), COMPARISON()),
    (comparison.EACH_ITS_OWN, COMPARISON(reference="others"), COMPARISON()),
    (comparison.MANY, COMPARISON(), RATES(group_by=("sex",))),
    (comparison.IMPLANTS_ONLY, COMPARISON(), RATES(group_by=("sex",))),
    (CHOOSE_ROWS, SIGNALS(), COUNTS(group_by=("pump_model", "complication"))),
    (NO_PRODUCT, SIGNALS(), COUNTS(group_by=("pump_model",))),
    (NO_CONSEQUENCES, SIGNALS(), COUNTS(group_by=("complication",))),
    (NO_FINDING, SIGNALS(), RATES(group_by=("pump_model",))),
    *((said, CASCADES(), COUNTS()) for said in cascades.WARNINGS),
    (cascades.OF_INTERVALS, CASCADES(), CASCADES(protected=True)),
    (cascades.OF_EVENTS, CASCADES(), CASCADES(counting=CountingRule.PATIENTS)),
    (cascades.OF_PATIENTS, CASCADES(protected=True), CASCADES()),
    (ONLY_SHOWN, CASCADES(protected=True), CASCADES()),
]
"""A warning, a question that it is true of, and one that it is not."""

NOT_WARNINGS = {
    *(curves.KAPLAN_MEIER, curves.AALEN_JOHANSEN, curves.LIFE_TABLE, curves.INCIDENCE_TABLE),
    *(curves.TESTED, curves.GRAY, curves.MEDIANS, curves.OF_SITES, curves.OF_PATIENTS),
    *curves.ROBUST.values(),
    *sentences.COUNTED.values(),
    *(said for whose in sentences.FIRST_OF.values() for said in whose.values()),
    *(rates.GARWOOD, rates.OF_SITES, rates.STANDARDISED, rates.QUASI_POISSON),
}
"""Sentences beside them in the same modules: how it was counted, and by which method."""

WHERE = {
    **{
        f"words/{name}.py": ()
        for name in ("sentences", "curves", "left_out", "provisional", "ranked")
    },
    **{f"measures/{path.name}": () for path in (REPORTING / "measures").glob("[a-z]*.py")},
    "words/published.py": ("EARLY",),
    "estimating/curves.py": ("_warnings",),
    "protected/cascades.py": ("ONLY_SHOWN",),
}
"""The modules that warn, and the names in them that do; none means all of it."""


def pattern(template: str) -> re.Pattern[str]:
    """What a template matches, whatever stands in its braces."""
    return re.compile(".+?".join(map(re.escape, re.split(r"\{[^}]*\}", template))))


def literals(node: ast.AST) -> Iterator[str]:
    """The sentences under a node, f-strings as templates; no docstrings, nothing of methods."""
    if isinstance(node, ast.keyword) and node.arg not in {"warnings", "left_out", None}:
        return
    if isinstance(node, ast.FunctionDef) and node.name in {"_method", "_refuses"}:
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    text = ""
    if isinstance(node, ast.JoinedStr):
        text = "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
    if text:
        if text.endswith(".") and " " in text.strip():
            yield text
        return
    for child in ast.iter_child_nodes(node):
        yield from literals(child)


def sentences_of(module: str) -> set[str]:
    tree = ast.parse((REPORTING / module).read_text(encoding="utf-8"))
    names = WHERE[module]
    said = set()
    for node in tree.body:
        targets = [node.name] if isinstance(node, ast.FunctionDef) else []
        if isinstance(node, ast.Assign):
            targets = [each.id for each in node.targets if isinstance(each, ast.Name)]
        if "FIRST_OF" in targets:
            continue  # how it was counted, in words that share their ends
        if not names or set(names) & set(targets):
            said.update(literals(node))
    return said


# The registries -----------------------------------------------------------------------------------

Answer = Callable[[Asked], list[str]]


@pytest.fixture(scope="module")
def warned(tmp_path_factory: pytest.TempPathFactory) -> Answer:
    """The warnings of a question's answer; each registry is frozen once, each answer made once."""

    @cache
    def frozen(name: str) -> Frozen:
        if name in KINDS:
            return replace(frozen("tangled"), **KINDS[name])
        keys = read_keys()
        root = tmp_path_factory.mktemp(name)
        implants, events = ROWS[name]()
        manifest = freeze_rows(
            root,
            events=events,
            implants=implants,
            exposures=(),
            terms=terms(name),
            record_key=partial(record_key, keys.records),
            keys=keys.mark,
        )
        return Frozen(
            store=open_store(root, manifest.snapshot_id),
            kind=SnapshotKind.RELEASE,
            label="2024Q2",
            data_as_of=AS_OF,
        )

    @cache
    def answered(asked: Asked) -> list[str]:
        query = dict(asked.query)
        if asked.protected:
            found = ask(frozen(asked.of), asked.measure, **query)
        else:
            found = _exact(EventQuery(**query), asked.measure, frozen(asked.of))
        warnings: Any = found.meta["warnings"]
        return list(warnings)

    return answered


KINDS: dict[str, dict[str, Any]] = {
    "working": {"kind": SnapshotKind.WORKING},
    "behind": {"kind": SnapshotKind.WORKING, "is_behind": True, "cannot_follow": True},
    "over": {"data_as_of": AS_OF.replace(month=12, day=31)},
    "early": {"is_early": True, "label": "2024Q3"},
}


def terms(name: str) -> Any:
    of_sites = dict.fromkeys(SITES, "DE") | ({"B": "JP"} if name == "rounds" else {})
    shipped = shipped_terms(**of_sites)
    if name != "retired":
        return shipped
    gone = {"catheter-kink": "catheter-occlusion", "csf-leak": ""}
    kept = tuple(
        replace(each, retired=each.code in gone, replaced_by=gone.get(each.code, ""))
        for each in shipped.complications
    )
    return replace(shipped, complications=kept)


def few() -> tuple[Any, Any]:
    """Nine pumps, of which one is a woman's."""
    implants = [
        implant(f"i{place}", sex="male" if place else "female", months_followed=24)
        for place in range(9)
    ]
    return implants, [event(f"e{place}", on=f"i{place}") for place in range(4)]


def late() -> tuple[Any, Any]:
    """Twelve pumps that enter after a year; an event before entry, one when all others left."""
    implants = [
        implant(f"i{place}", months_to_entry=12, months_followed=24 + (not place))
        for place in range(12)
    ]
    events = [
        event("before", on="i1", months_since_implant=3, year=2015),
        event("outside", on="i0", months_since_implant=25, year=2017),
    ]
    return implants, events


def rounds() -> tuple[Any, Any]:
    """Site A has closed a round, site B has not."""
    return [
        implant("a", site="A", round_number=1, months_at_round=24),
        implant("b", site="B"),
    ], []


ROWS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "tangled": lambda: tangled_rows(3, patients=300),
    "retired": lambda: tangled_rows(3, patients=20),
    "few": few,
    "late": late,
    "one": lambda: ([implant("a")], [event("e", on="a"), event("f", on="a")]),
    "rounds": rounds,
    "slow": slow_rows,
}


@pytest.mark.parametrize(("said", "applies", "not_here"), CASES)
def test_a_warning_stands_where_it_applies_and_only_there(
    warned: Answer, said: str, applies: Asked, not_here: Asked
) -> None:
    found = pattern(said)

    assert any(map(found.search, warned(applies)))
    assert not any(map(found.search, warned(not_here)))


@pytest.mark.parametrize("module", WHERE)
def test_every_warning_has_a_case(module: str) -> None:
    cases = [said for said, _, _ in CASES]
    known = [*map(pattern, cases), *map(pattern, NOT_WARNINGS)]

    without = [
        said for said in sentences_of(module) if not any(each.search(said) for each in known)
    ]

    assert without == []


def test_no_answer_has_a_warning_without_a_case(warned: Answer) -> None:
    cases = [pattern(said) for said, _, _ in CASES]
    said = {each for _, *asked in CASES for one in asked for each in warned(one)}

    assert [each for each in said if not any(case.search(each) for case in cases)] == []
    others = [pattern(each) for each in NOT_WARNINGS]
    assert [each for each in said if any(other.search(each) for other in others)] == []


@pytest.mark.parametrize("said", [*curves.ROBUST.values(), curves.ALLOWED_FOR, curves.COMPETES])
def test_words_about_curves_name_no_key_of_the_reply(said: str) -> None:
    """They stand above pictures, where nobody sees the JSON that such a key is of."""
    assert not re.search(r"\w_\w|\bmeta\b", said)
