"""Directly standardised rates: each row's own rates in the strata of all device time asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from registry.records import BadQuery, Cell, Fault
from registry.reporting.asking.question import question_of
from registry.reporting.asking.spec import Question
from registry.reporting.estimating.cells import rate_cells
from registry.reporting.estimating.found import Found
from registry.reporting.estimating.funnel import refuse_what_cannot_be_adjusted_for
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.statistics.standardised import directly_standardised
from registry.vocabulary import CellStatus

STANDARD = "all device time of the answer"


@dataclass(frozen=True, slots=True)
class _Strata:
    """The strata of each row, and the standard of each denominator: exposure by stratum."""

    of_row: Mapping[Key, Mapping[Key, Found]]
    standard: Mapping[Cell, Mapping[Key, float]]


def standardised_cells(store: Store, question: Question, *, per: float) -> list[Found]:
    """Rates standardised directly, with the crude rate of the same strata beside them.

    Rows of several denominators have a standard each. Exposure that was declared has no strata and
    is left out. Limits are as wide as the patients of a stratum, or the sites of the row, ask for.
    Raises BadQuery where a dimension cannot be adjusted for, is grouped by, or where a row has no
    exposure in a stratum of the standard.
    """
    refuse_what_cannot_be_adjusted_for(question)
    if set(question.query.standardise) & set(question.query.group_by):
        detail = "Adjust for something else than what the rows are: leave one of the two out."
        raise BadQuery(Fault("standardise", "bad-standard", detail))
    strata = _strata_of(store, question)
    return [
        _standardised(row, strata, question, per=per)
        for row in rate_cells(store, question, per=per, by_site=True)
    ]


def standardisation_of(question: Question) -> dict[str, Any]:
    """What an answer says of its standardisation."""
    names = ", ".join(question.query.standardise)
    return {"standardisation": f"direct: {names}", "standard": STANDARD}


def _strata_of(store: Store, question: Question) -> _Strata:
    query = question.query
    grouped = replace(query, group_by=(*query.group_by, *query.standardise), standardise=())
    finer = question_of(grouped, question.spec, manifest=store.manifest)
    of_row: dict[Key, dict[Key, Found]] = {}
    standard: dict[Cell, dict[Key, float]] = {}
    width = len(query.group_by)
    for cell in rate_cells(store, finer, per=1):
        exposure = float(cell.numbers["exposure"] or 0.0)
        if exposure <= 0:
            continue
        row, stratum = cell.key[:width], cell.key[width:]
        of_row.setdefault(row, {})[stratum] = cell
        of_unit = standard.setdefault(cell.numbers["unit"], {})
        of_unit[stratum] = of_unit.get(stratum, 0.0) + exposure
    return _Strata(of_row, standard)


def _standardised(row: Found, strata: _Strata, question: Question, *, per: float) -> Found:
    found = strata.of_row.get(row.key, {})
    if row.status is CellStatus.NO_DENOMINATOR or not found:
        nothing = dict.fromkeys(("rate", "ci_lower", "ci_upper", "crude_rate"))
        numbers = {**row.numbers, **nothing, "exposure": 0.0}
        return replace(row, numbers=numbers, status=CellStatus.NO_DENOMINATOR)
    standard = strata.standard[row.numbers["unit"]]
    if missing := [stratum for stratum in standard if stratum not in found]:
        detail = (
            f"A row has no device time in {len(missing)} of the {len(standard)} strata: adjust for "
            "something coarser, or leave out the rows or the strata that do not meet."
        )
        raise BadQuery(Fault("standardise", "empty-stratum", detail))
    cells = [found[stratum] for stratum in standard]
    only, sites = question.query.cluster, row.numbers.get("dispersion_sites")
    by_sites = float(sites or 1.0) if only != "patient" else 1.0
    of_patients = only != "site" or sites is None
    result = directly_standardised(
        [float(cell.numbers["events"] or 0) for cell in cells],
        [float(cell.numbers["exposure"] or 0.0) for cell in cells],
        list(standard.values()),
        dispersion=[
            max(float(cell.numbers.get("dispersion") or 1.0) if of_patients else 1.0, by_sites)
            for cell in cells
        ],
        per=per,
        level=question.query.level,
    )
    numbers = {
        **row.numbers,
        "events": sum(int(cell.numbers["events"] or 0) for cell in cells),
        "exposure": sum(float(cell.numbers["exposure"] or 0.0) for cell in cells),
        "rate": result.rate,
        "ci_lower": result.lower,
        "ci_upper": result.upper,
        "crude_rate": result.crude,
    }
    return replace(row, numbers=numbers)
