"""Gray's test that groups share one cumulative incidence of an event that others compete with."""

from collections.abc import Sequence

import numpy as np
from scipy.special import chdtrc

from registry.statistics.life_counts import LifeCounts
from registry.statistics.quadratic import quadratic_form
from registry.statistics.results import FloatArray, GrayTest, IntArray, Reason

THE_EVENT, OTHERS = 1, 2


def gray_test(tables: Sequence[LifeCounts], *, cause: int = THE_EVENT) -> GrayTest:
    """The k-sample test of Gray (Ann Stat 1988) with rho 0, as R's cmprsk.

    tables: the counts of each group, in one unit of time; `cause` is the event, every other cause
    but 0 (censored) competes. It asks for devices that are followed from the start: where one of
    the groups has late entries the test is undefined, with a reason; so it is for one group, and
    where no event happened while two groups were at risk.
    """
    reason = _why_not(tables, cause)
    if reason:
        return GrayTest(None, 0, None, reason)
    times = np.unique(np.concatenate([each.times[_any_end(each) > 0] for each in tables]))
    at_risk = np.array([each.at_risk(times) for each in tables], dtype=np.float64)
    events = np.array([_at(each, each.ended_of(cause), times) for each in tables])
    others = np.array([_at(each, _any_end(each), times) for each in tables]) - events
    score, variance = _score_and_variance(at_risk, events, others)
    chi2, df = quadratic_form(score, variance)
    if not df:
        return GrayTest(None, 0, None, Reason.NOTHING_TO_COMPARE)
    return GrayTest(chi2, df, float(chdtrc(df, chi2)), None)


def _why_not(tables: Sequence[LifeCounts], cause: int) -> Reason | None:
    if not tables or not any(each.devices for each in tables):
        return Reason.NO_OBSERVATIONS
    if len(tables) == 1:
        return Reason.ONE_GROUP
    if any(each.never_at_risk or each.entered[each.times > 0].any() for each in tables):
        return Reason.LATE_ENTRIES
    if not any(each.ended_of(cause).any() for each in tables):
        return Reason.NOTHING_TO_COMPARE
    return None


def _any_end(table: LifeCounts) -> IntArray:
    """Ends of any cause but censoring, by time."""
    return table.left() - table.ended_of(0)


def _at(table: LifeCounts, counts: IntArray, times: FloatArray) -> FloatArray:
    """Counts of a table's own times, at times that hold them all."""
    found = np.zeros(times.size)
    happened = counts > 0
    found[np.searchsorted(times, table.times[happened])] = counts[happened]
    return found


def _score_and_variance(
    at_risk: FloatArray, events: FloatArray, others: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Observed less expected of each group but the last, and their variance.

    All by group and time. Gray's formulas in the order of time; `free` is the freedom from every
    end, `come` the incidence of the event, each just before and after a time, `weight` the numbers
    at risk over the freedom before, and `drift` the sum of what the variance weighs later ends by.
    """
    groups = at_risk.shape[0]
    free, come, come_of_all = np.ones(groups), np.zeros(groups), 0.0
    score = np.zeros(groups)
    drift = np.zeros((groups, groups))
    variance, cross, last = np.zeros((groups, groups)), np.zeros((groups, groups)), np.zeros(groups)
    for n, own, other in zip(at_risk.T, events.T, others.T, strict=True):
        there = n > 0
        divided = np.where(there, n, 1.0)
        free_after = np.where(there, free * (n - own - other) / divided, free)
        come_after = np.where(there, come + free * own / divided, come)
        weight = np.divide(n, free, out=np.zeros(groups), where=there & (free > 0))
        total, risk = weight.sum(), (weight * (1 - come)).sum()
        n_events = own.sum()
        come_of_all_after = come_of_all + n_events / total
        step = np.diag(weight) - np.outer(weight, weight) / total
        drift += step * n_events / (total * (1 - come_of_all))
        score += np.where(there, own - n_events * weight * (1 - come) / risk, 0.0)
        still = free_after > 0
        ratio = np.divide(1 - come_of_all_after, free_after, out=np.zeros(groups), where=still)
        if n_events:
            kept = np.where(still, 1 - ratio, 1.0)
            most = total * free - 1
            ties = 1 - np.divide(n_events - 1, most, out=np.zeros(groups), where=most != 0)
            amount = np.where(there, ties * free * n_events / (total * divided), 0.0)
            along = step - drift * kept
            variance += (along * amount) @ along.T
            cross += along * kept * amount
            last += kept**2 * amount
        if other.any():
            counted = still & (other > 0)
            ties = np.where(other > 1, 1 - (other - 1) / np.maximum(n - 1, 1), 1.0)
            amount = np.where(counted, ties * free**2 * other / divided**2, 0.0)
            along = drift * ratio
            variance += (along * amount) @ along.T
            cross -= along * ratio * amount
            last += ratio**2 * amount
        free, come, come_of_all = free_after, come_after, come_of_all_after
    mixed = drift @ cross.T
    variance += (drift * last) @ drift.T + mixed + mixed.T
    return score[:-1], variance[:-1, :-1]
