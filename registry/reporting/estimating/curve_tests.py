"""Tests of whether groups share one curve, where they can be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from registry.reporting.asking.question import question_of
from registry.reporting.asking.spec import Question
from registry.reporting.estimating.curve_groups import Group, groups_of
from registry.reporting.words.reasons import in_words
from registry.snapshot.store import Store
from registry.statistics.gray import gray_test
from registry.statistics.results import LogRank, Reason
from registry.statistics.survival import LifeCounts, logrank_of, stratified_logrank

NOT_COMPARED = {
    Reason.NO_OBSERVATIONS: "There are no devices to compare.",
    Reason.ONE_GROUP: "There is only one group.",
    Reason.NOTHING_TO_COMPARE: "No event happened while devices of two groups were at risk.",
}
TWO_CLOCKS = "The curves run on two clocks, a pump's and a catheter's, and are not compared."
NOT_TESTED: Mapping[str, Any] = {"chi2": None, "df": None, "p": None, "reason": TWO_CLOCKS}


def logrank_test(groups: Sequence[Group], question: Question) -> dict[str, Any]:
    """The log-rank test over all follow-up; where undefined, with the reason."""
    if _on_two_clocks(question):
        return {**NOT_TESTED}
    return _told(logrank_of([group.counts for group in groups]))


def within_strata(store: Store, groups: Sequence[Group], question: Question) -> dict[str, Any]:
    """The log-rank test of the same groups within the strata that are asked for."""
    query = question.query
    finer = replace(query, group_by=(*query.group_by, *query.adjust), adjust=())
    cells = {
        each.key: each.counts
        for each in groups_of(
            store,
            question_of(finer, question.spec, manifest=store.manifest, as_of=question.as_of),
        )
    }
    size = len(query.group_by)
    strata = list(dict.fromkeys(key[size:] for key in cells))
    nobody = LifeCounts.of((), ())
    tables = [[cells.get(each.key + stratum, nobody) for each in groups] for stratum in strata]
    told = {"adjusted_for": list(query.adjust), "strata": len(strata)}
    if _on_two_clocks(question):
        return {**told, **NOT_TESTED}
    return {**told, **_told(stratified_logrank(tables))}


def grays_test(groups: Sequence[Group], question: Question) -> dict[str, Any]:
    """Gray's test over all follow-up; where undefined, with the reason."""
    if _on_two_clocks(question):
        return {**NOT_TESTED}
    found = gray_test([group.counts for group in groups])
    df = found.df if found.chi2 is not None else None
    return {"chi2": found.chi2, "df": df, "p": found.p, "reason": in_words(found.reason)}


def _on_two_clocks(question: Question) -> bool:
    return len({part.clock for part in question.parts}) > 1


def _told(found: LogRank) -> dict[str, Any]:
    reason = NOT_COMPARED[found.reason] if found.reason else None
    return {"chi2": found.chi2, "df": found.df, "p": found.p, "reason": reason}
