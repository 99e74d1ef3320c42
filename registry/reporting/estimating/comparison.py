"""Groups' rates against a reference's: from cells to rows, and what is said of the regression."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from registry.records import BadQuery, Cell, Fault
from registry.records.reading import OTHERS, REFERENCE_NOTE
from registry.reporting.asking.spec import Question, Row
from registry.reporting.estimating.cell_tables import (
    CellTable,
    cell_table,
    clusters_of_cells,
    groups_of,
)
from registry.reporting.estimating.cells import FEWEST_STABLE_EVENTS
from registry.reporting.estimating.clusters import NOTHING, PATIENTS, SITES
from registry.reporting.words.reasons import in_words
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.statistics.comparison import (
    FEWEST_CLUSTERS,
    Cells,
    Clusters,
    Contrast,
    GroupComparison,
    JointTest,
    compare,
    mantel_haenszel,
)
from registry.statistics.others import GROUP, REST, compare_with_others, halved
from registry.vocabulary import NOT_RECORDED, CellStatus

FEWEST_EVENTS_A_PARAMETER = 5
"""With fewer events a parameter adjusted ratios are biased (Vittinghoff and McCulloch 2007)."""

FAR = 1.1
"""Where regression and Mantel-Haenszel are further apart than this factor, it is said."""

OF_CLUSTER = {"patient": PATIENTS, "site": SITES}
CORRECTION = (
    "Sandwich variance by cluster times n / (n - 1) (Liang and Zeger 1986); by sites from "
    f"{FEWEST_CLUSTERS} in each of the groups compared on, with Student's t of n - 1 degrees of "
    "freedom (Cameron and Miller 2015); never under Poisson variance."
)


def comparison_of(
    store: Store, question: Question, *, per: float
) -> tuple[list[Row], dict[str, Any]]:
    """The rows and the metadata of an exact comparison.

    Raises BadQuery where the reference is no row of the answer, and over the limit of cells.
    """
    query = question.query
    table = cell_table(store, question, query.adjust)
    groups = groups_of(table)
    place = {key: number for number, key in enumerate(groups)}
    cells = Cells.of(
        table.events,
        table.exposure,
        [place[key[:1]] for key in table.keys],
        [key[1:] for key in table.keys],
    )
    totals = _totals(table)
    if not groups:
        return [], {"comparison": _empty(question)}
    reference = None
    if query.reference != OTHERS:
        reference = reference_of(query.reference, [(key, totals[key][1]) for key in groups])
    at = None if reference is None else place[reference]
    clusters = clusters_of_cells(store, table)
    adjusted, crude = (
        _compared(question, cells, at, clusters, per, adjusted=each) for each in (True, False)
    )
    rows = [
        _row(
            key,
            totals,
            reference,
            (adjusted.contrasts[number], crude.contrasts[number]),
            _stratified(cells, number, at),
            per,
        )
        for number, key in enumerate(groups)
    ]
    return rows, {"comparison": _about(question, table, adjusted, crude, reference, rows, clusters)}


def _compared(
    question: Question,
    cells: Cells,
    at: int | None,
    clusters: Sequence[Clusters],
    per: float,
    *,
    adjusted: bool,
) -> GroupComparison:
    """Each group against the one of number `at`, or against all others where it is None."""
    query = question.query
    against = compare_with_others if at is None else partial(compare, reference=at)
    return against(
        cells,
        clusters=clusters,
        adjusted=adjusted,
        robust_to=OF_CLUSTER.get(query.cluster or ""),
        per=per,
        level=query.level,
    )


def _stratified(cells: Cells, group: int, at: int | None) -> float | None:
    """The ratio of Mantel-Haenszel to the group of number `at`, or to all others."""
    if at is None:
        return mantel_haenszel(halved(cells, group), GROUP, REST)
    return mantel_haenszel(cells, group, at) if group != at else None


def reference_of(named: str | None, groups: Sequence[tuple[Key, float]]) -> Key:
    """The row to compare with: the one named, else that with the most exposure.

    groups: keys with their exposure. Raises BadQuery where no row has that name.
    """
    if named is None:
        return max(groups, key=lambda each: each[1])[0]
    found = next((key for key, _ in groups if text_of(key) == named), None)
    if found is None:
        known = [text_of(key) for key, _ in groups]
        detail = "Compare with a row of the answer" + (
            f": one of {', '.join(known)}." if len(known) <= 12 else ", by its code."
        )
        raise BadQuery(Fault("reference", "unknown-reference", detail))
    return found


def text_of(key: Key) -> str:
    """A group as parameters write it."""
    return NOT_RECORDED if key[0] in (None, "") else str(key[0])


def _totals(table: CellTable) -> Mapping[Key, tuple[float, float]]:
    totals: dict[Key, tuple[float, float]] = {}
    for key, events, time in zip(table.keys, table.events, table.exposure, strict=True):
        before = totals.get(key[:1], (0.0, 0.0))
        totals[key[:1]] = before[0] + events, before[1] + time
    return totals


def _row(
    key: Key,
    totals: Mapping[Key, tuple[float, float]],
    reference: Key | None,
    contrasts: tuple[Contrast, Contrast],
    stratified: float | None,
    per: float,
) -> Row:
    events, time = totals[key]
    adjusted, crude = contrasts
    numbers: dict[str, Cell] = {
        "events": int(events),
        "exposure": time,
        "rate": per * events / time,
        "ratio": adjusted.ratio,
        "ci_lower": adjusted.lower,
        "ci_upper": adjusted.upper,
        "difference": adjusted.difference,
        "difference_lower": adjusted.difference_lower,
        "difference_upper": adjusted.difference_upper,
        "crude_ratio": crude.ratio,
        "crude_lower": crude.lower,
        "crude_upper": crude.upper,
        "crude_difference": crude.difference,
        "mantel_haenszel": stratified,
        "note": REFERENCE_NOTE if key == reference and adjusted.ratio else _note(adjusted),
    }
    of_all = sum(each for each, _ in totals.values())
    least = min(events, of_all - events if reference is None else totals[reference][0])
    status = CellStatus.OK if least >= FEWEST_STABLE_EVENTS else CellStatus.UNSTABLE
    return Row(key, numbers, status if events else CellStatus.ZERO)


def _note(contrast: Contrast) -> str | None:
    if contrast.reason:
        return in_words(contrast.reason)
    if contrast.robust_to == NOTHING:
        return "Limits: Poisson."
    return f"Limits: robust to {contrast.robust_to}."


def _about(
    question: Question,
    table: CellTable,
    adjusted: GroupComparison,
    crude: GroupComparison,
    reference: Key | None,
    rows: Sequence[Row],
    clusters: Sequence[Clusters],
) -> dict[str, Any]:
    query = question.query
    least = adjusted.events / adjusted.parameters if adjusted.parameters else None
    return {
        "reference": OTHERS if reference is None else text_of(reference),
        "adjusted_for": list(query.adjust),
        "windows": [str(each) for each in table.question.windows]
        if "window" in query.adjust
        else [],
        "test": tested(adjusted.test),
        "crude_test": tested(crude.test) if query.adjust else None,
        "events": adjusted.events,
        "parameters": adjusted.parameters,
        "sparse": least is not None and least < FEWEST_EVENTS_A_PARAMETER,
        "exposure_without_events": adjusted.without_events,
        "events_without_exposure": table.events_without_time,
        "differ_from_mantel_haenszel": _apart(rows) if query.adjust else [],
        "clusters": {each.name: each.sums.clusters for each in clusters},
        "cluster": query.cluster,
        "variance": CORRECTION,
        "reason": in_words(adjusted.reason),
    }


def _empty(question: Question) -> dict[str, Any]:
    nothing = JointTest(None, 0, None, None, None)
    return {
        "reference": None,
        "adjusted_for": list(question.query.adjust),
        "test": tested(nothing),
        "reason": "There is no exposure from implants to divide by.",
    }


def tested(test: JointTest) -> dict[str, Any]:
    """The joint test as an answer tells it."""
    return {
        "name": None if test.statistic is None else ("F" if test.df_within else "chi-squared"),
        "statistic": test.statistic,
        "df": test.df,
        "df_within": test.df_within,
        "p": test.p,
        "robust_to": test.robust_to,
        "reason": in_words(test.reason),
    }


def _apart(rows: Sequence[Row]) -> list[str]:
    """The groups of 20 events or more whose stratified ratio is far from the regression's."""
    found = []
    for row in rows:
        ours, theirs = row.numbers["ratio"], row.numbers["mantel_haenszel"]
        if row.status is not CellStatus.OK or not ours or not theirs:
            continue
        if not 1 / FAR <= float(ours) / float(theirs) <= FAR:
            found.append(text_of(row.key))
    return found
