"""Protected comparisons: crude ratios of shown rates, whose limits allow for the perturbation."""

from collections.abc import Iterable, Sequence
from math import exp, hypot, log, sqrt
from typing import Any

import numpy as np
from scipy.special import chdtrc

from registry.disclosure import Protection
from registry.records import BadQuery, Cell, EventQuery, Fault, NotAvailableAtThisDetail
from registry.records.reading import REFERENCE_NOTE
from registry.reporting.asking.freshness import Frozen
from registry.reporting.asking.spec import Answered, ProtectedQuestion, Row
from registry.reporting.estimating.comparison import reference_of, tested, text_of
from registry.reporting.estimating.observed import Observed
from registry.reporting.protected.shown import observed_rows, shown_nodes
from registry.snapshot.statement import Key
from registry.statistics.comparison import JointTest
from registry.statistics.results import Reason
from registry.vocabulary import CellStatus, HiddenReason

TOO_FINE = NotAvailableAtThisDetail.code
COMPARED = ("ratio", "ci_lower", "ci_upper")
DIFFERS = ("difference", "difference_lower", "difference_upper")


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


def shown_comparison(
    question: ProtectedQuestion, frozen: Frozen, protection: Protection
) -> Answered:
    """A row for each row of the plan; ratios where both it and the reference are shown.

    Raises BadQuery where the reference is no row of the plan.
    """
    named = question.query.reference
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


def _reference(
    named: str | None, rows: Sequence[Observed], counted: Sequence[tuple[Key, float]]
) -> Key | None:
    if named is not None:
        return next(row.key for row in rows if text_of(row.key) == named)
    return reference_of(None, counted) if counted else None


def _row(row: Observed, reference: Key | None, against: Observed | None, per: float) -> Row:
    empty: dict[str, Cell] = dict.fromkeys((*COMPARED, *DIFFERS))
    rate = {name: value for name, value in row.numbers.items() if name not in empty}
    if not row.counts:
        return Row(row.key, {**rate, **empty, "note": None}, row.status)
    if against is None:
        numbers = {**rate, **empty, "note": None, "reason": HiddenReason.MARGINS}
        return Row(row.key, numbers, CellStatus.HIDDEN)
    if row.key == reference:
        alone: dict[str, Cell] = {**empty, "ratio": 1.0, "difference": 0.0, "note": REFERENCE_NOTE}
        return Row(row.key, {**rate, **alone}, row.status)
    numbers = {**rate, **_compared(row, against, per), "note": "Limits: Poisson and perturbation."}
    unstable = CellStatus.UNSTABLE in (row.status, against.status)
    status = CellStatus.UNSTABLE if unstable and row.status is CellStatus.OK else row.status
    return Row(row.key, numbers, status)


def _compared(row: Observed, against: Observed, per: float) -> dict[str, Cell]:
    """Ratio and difference with limits from those of either rate (Zou and Donner 2008).

    On the log scale, and on that of rates, each limit lies as far out as the root of the sum of
    the squared distances of the two rates' limits; these allow for the perturbation.
    """
    (rate, low, high), (other, under, over) = _limited(row), _limited(against)
    ratio = rate / other
    below = hypot(log(rate / low), log(over / other))
    above = hypot(log(high / rate), log(other / under))
    return {
        "ratio": ratio,
        "ci_lower": ratio * exp(-below),
        "ci_upper": ratio * exp(above),
        "difference": per * (rate - other),
        "difference_lower": per * (rate - other - hypot(rate - low, over - other)),
        "difference_upper": per * (rate - other + hypot(high - rate, other - under)),
    }


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
