"""Protected comparisons: crude ratios of shown rates, whose limits allow for the perturbation.

All others of a group are the total of the question without the group: two shown nodes whose noise
is independent, so that whoever sees both has all that the ratio is made of.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import exp, hypot, log, sqrt
from typing import Any

import numpy as np
from scipy.special import chdtrc

from registry.disclosure import Plan, Policy, Protection, plan
from registry.disclosure.derived import UNSTABLE_BELOW
from registry.disclosure.intervals import perturbed_rate_interval
from registry.records import (
    DIMENSIONS,
    BadQuery,
    Cell,
    EventQuery,
    Fault,
    NotAvailableAtThisDetail,
    Side,
)
from registry.records.reading import OTHERS, REFERENCE_NOTE
from registry.reporting.asking.freshness import Frozen
from registry.reporting.asking.question import sort_of_unit
from registry.reporting.asking.spec import Answered, ProtectedQuestion, Row
from registry.reporting.estimating.comparison import reference_of, tested, text_of
from registry.reporting.estimating.observed import Observed
from registry.reporting.protected.shown import observed_rows, shown_nodes
from registry.reporting.protected.truths import Natural
from registry.snapshot.statement import Key
from registry.snapshot.terms import Terms
from registry.statistics.comparison import JointTest
from registry.statistics.results import Reason
from registry.vocabulary import CellStatus, HiddenReason

TOO_FINE = NotAvailableAtThisDetail.code
COMPARED = ("ratio", "ci_lower", "ci_upper")
DIFFERS = ("difference", "difference_lower", "difference_upper")
OF_PATIENTS = frozenset({"sex", "indication", "indication_group", "site"})
"""What all devices of a patient share, so that no patient is in two groups."""


def finer_comparisons(query: EventQuery) -> Iterable[Fault]:
    """What only exact answers have: adjustment."""
    if query.adjust:
        yield Fault(
            "adjust",
            TOO_FINE,
            "an adjusted ratio is made of tables by two properties at once, of which none is "
            "published; leave adjust out for the crude ratio, or filter by one value of what you "
            "would adjust for and ask for rates",
        )


def others_not_told(question: ProtectedQuestion, terms: Terms) -> Iterable[Fault]:
    """Where all others are not the total without the group, or the total is no single node."""
    query = question.query
    if query.reference != OTHERS:
        return
    (name,) = query.group_by
    title = DIMENSIONS[name].title.lower()
    mend = "name one row as the reference, or none for the one with the most exposure"
    whole = _whole(question).nodes
    if DIMENSIONS[name].side in {Side.EVENT, Side.TIME}:
        detail = f"totals hold what has no {title}, so that all others are not published; {mend}"
        yield Fault("reference", TOO_FINE, detail)
    elif len(whole) > 1:
        detail = (
            f"all others are published as the total without the row, and some values of {title} "
            f"have no total of their own: leave that filter out, or {mend}"
        )
        yield Fault("reference", TOO_FINE, detail)
    elif name not in OF_PATIENTS and any(_is_of_patients(question, terms)):
        detail = (
            "these events are counted once a patient, who may have devices in several rows, so "
            f"that all others are not the total without the row; {mend}"
        )
        yield Fault("reference", TOO_FINE, detail)


def _whole(question: ProtectedQuestion) -> Plan:
    """The question without its breakdown: one row."""
    return plan(replace(question.query, group_by=()), question.trees, question.policy)


def _is_of_patients(question: ProtectedQuestion, terms: Terms) -> Iterable[bool]:
    natural = Natural(question.trees, terms)
    for node in _whole(question).nodes:
        yield sort_of_unit(natural.chosen(node), natural.unit(node))[2]


def shown_comparison(
    question: ProtectedQuestion, frozen: Frozen, protection: Protection
) -> Answered:
    """A row for each row of the plan; ratios where both it and the reference are shown.

    Raises BadQuery where the reference is no row of the plan.
    """
    named = question.query.reference
    if named == OTHERS:
        return _with_others(question, frozen, protection)
    if named is not None and (named,) not in {row.labels for row in question.plan.rows}:
        detail = "Compare with a row of the answer, by its code."
        raise BadQuery(Fault("reference", "unknown-reference", detail))
    shown = shown_nodes(question, question.plan, frozen=frozen, protection=protection)
    rows = observed_rows(question, question.plan, shown)
    counted = [(row.key, row.exposure or 0.0) for row in rows if row.counts]
    reference = _reference(named, rows, counted)
    against = next((row for row in rows if row.key == reference and row.counts), None)
    per = question.query.per or 1
    return Answered(
        [_row(row, reference, against, per) for row in rows],
        {"comparison": _about(rows, reference, against)},
    )


def _with_others(question: ProtectedQuestion, frozen: Frozen, protection: Protection) -> Answered:
    """A row for each row of the plan, held against the total without it."""
    shown = shown_nodes(question, question.plan, frozen=frozen, protection=protection)
    rows = observed_rows(question, question.plan, shown)
    planned = _whole(question)
    of_all = shown_nodes(question, planned, frozen=frozen, protection=protection)
    (whole,) = observed_rows(question, planned, of_all)
    natural = Natural(question.trees, frozen.store.manifest.terms)
    least = min(question.policy.exposure[natural.unit(node)].minimum for node in planned.nodes)
    query, told = question.query, []
    for row in rows:
        others = others_of(row, whole, policy=question.policy, least=least, level=query.level)
        told.append(_row(row, None, others, query.per or 1, shared=True))
    about: dict[str, Any] = {
        "reference": OTHERS,
        "adjusted_for": [],
        "test": tested(_heterogeneity([row for row in rows if row.counts])),
        "reason": None if whole.counts else "The total is hidden, and all others with it.",
    }
    return Answered(told, {"comparison": about})


def others_of(
    row: Observed, whole: Observed, *, policy: Policy, least: float, level: float
) -> Observed | None:
    """The total without a row; None where either is hidden, or in part, or what is left too little.

    least: of the exposure that is left; of the events it is the threshold. The noise of the row
    and of the total add up.
    """
    if not row.counts or not whole.counts or row.status is CellStatus.PARTIAL:
        return None
    events = (whole.events or 0) - (row.events or 0)
    exposure = (whole.exposure or 0.0) - (row.exposure or 0.0)
    if events < policy.threshold or exposure < least:
        return None
    variance = row.count_variance + whole.count_variance
    spread = hypot(row.exposure_sd, whole.exposure_sd)
    lower, upper = perturbed_rate_interval(
        events, exposure, count_variance=variance, exposure_sd=spread, level=level
    )
    return Observed(
        key=(OTHERS,),
        numbers={},
        status=CellStatus.OK if events >= UNSTABLE_BELOW else CellStatus.UNSTABLE,
        events=events,
        exposure=exposure,
        lower=lower * exposure,
        upper=upper * exposure,
        count_variance=variance,
        exposure_sd=spread,
    )


def _reference(
    named: str | None, rows: Sequence[Observed], counted: Sequence[tuple[Key, float]]
) -> Key | None:
    if named is not None:
        return next(row.key for row in rows if text_of(row.key) == named)
    return reference_of(None, counted) if counted else None


def _row(
    row: Observed,
    reference: Key | None,
    against: Observed | None,
    per: float,
    *,
    shared: bool = False,
) -> Row:
    """shared: whether the noise of the row is in what it is held against too."""
    empty: dict[str, Cell] = dict.fromkeys((*COMPARED, *DIFFERS))
    rate = {name: value for name, value in row.numbers.items() if name not in empty}
    if not row.counts:
        return Row(row.key, {**rate, **empty, "note": None}, row.status)
    if against is None:
        numbers = {**rate, **empty, "note": None, "reason": HiddenReason.MARGINS}
        return Row(row.key, numbers, CellStatus.HIDDEN)
    if reference is not None and row.key == reference:
        alone: dict[str, Cell] = {**empty, "ratio": 1.0, "difference": 0.0, "note": REFERENCE_NOTE}
        return Row(row.key, {**rate, **alone}, row.status)
    compared = _compared(row, against, per, shared=shared)
    numbers = {**rate, **compared, "note": "Limits: Poisson and perturbation."}
    unstable = CellStatus.UNSTABLE in (row.status, against.status)
    status = CellStatus.UNSTABLE if unstable and row.status is CellStatus.OK else row.status
    return Row(row.key, numbers, status)


def _compared(
    row: Observed, against: Observed, per: float, *, shared: bool = False
) -> dict[str, Cell]:
    """Ratio and difference with limits from those of either rate (Zou and Donner 2008).

    On the log scale, and on that of rates, each limit lies as far out as the root of the sum of
    the squared distances of the two rates' limits; these allow for the perturbation. shared: what
    is compared with is a total without the row, whose noise is in both, once with the other sign:
    twice the correlation times the two distances is added under the root, as they propose.
    """
    apart = -_correlation(row, against) if shared else 0.0

    def far(one: float, other: float) -> float:
        return sqrt(one**2 + other**2 + 2 * apart * one * other)

    (rate, low, high), (other, under, over) = _limited(row), _limited(against)
    ratio = rate / other
    below = far(log(rate / low), log(over / other))
    above = far(log(high / rate), log(other / under))
    return {
        "ratio": ratio,
        "ci_lower": ratio * exp(-below),
        "ci_upper": ratio * exp(above),
        "difference": per * (rate - other),
        "difference_lower": per * (rate - other - far(rate - low, over - other)),
        "difference_upper": per * (rate - other + far(high - rate, other - under)),
    }


def _correlation(row: Observed, others: Observed) -> float:
    """Of the logarithms of two rates, of which the second is a total's without the first.

    The noise of the row's count and exposure is in the others' with the other sign (delta method).
    """
    counts = row.count_variance / ((row.events or 1) * (others.events or 1))
    times = row.exposure_noise * row.exposure_sd / (others.exposure or 1.0)
    return -(counts + times) / (_log_error(row) * _log_error(others))


def _limited(row: Observed) -> tuple[float, float, float]:
    """A shown row's rate a unit with its limits: above 0, since what is shown is 11 or more."""
    time = row.exposure or 1.0
    return (row.events or 0) / time, (row.lower or 0.0) / time, (row.upper or 0.0) / time


def _about(
    rows: Sequence[Observed], reference: Key | None, against: Observed | None
) -> dict[str, Any]:
    shown = [row for row in rows if row.counts]
    return {
        "reference": None if reference is None else text_of(reference),
        "adjusted_for": [],
        "test": tested(_heterogeneity(shown)),
        "reason": None
        if against is not None
        else "The reference is hidden: choose another, or leave it out.",
    }


def _heterogeneity(rows: Sequence[Observed]) -> JointTest:
    """Wald's test that all shown rates are alike, with the noise of each in its variance."""
    if len(rows) < 2:
        return JointTest(None, 0, None, None, None, Reason.ONE_GROUP)
    logs = np.array([log((row.events or 1) / (row.exposure or 1.0)) for row in rows])
    errors = np.array([_log_error(row) for row in rows])
    weights = errors**-2
    statistic = float(weights @ (logs - weights @ logs / weights.sum()) ** 2)
    df = len(rows) - 1
    return JointTest(statistic, df, None, float(chdtrc(df, statistic)), None)


def _log_error(row: Observed) -> float:
    events = float(row.events or 1)
    return hypot(
        sqrt(events + row.count_variance) / events, row.exposure_sd / (row.exposure or 1.0)
    )
