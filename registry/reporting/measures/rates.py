"""Events per unit of device time, procedures or refills."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from registry.disclosure import Form, Protection, rate_row
from registry.records import Column, Estimated, PictureKind, Reading
from registry.reporting.asking.freshness import Frozen
from registry.reporting.asking.spec import (
    Answered,
    Divides,
    Example,
    MeasureSpec,
    ProtectedForm,
    ProtectedQuestion,
    Question,
)
from registry.reporting.estimating.cells import rate_cells
from registry.reporting.estimating.clusters import clusters_of
from registry.reporting.estimating.coverage import coverage_of
from registry.reporting.estimating.found import Found
from registry.reporting.estimating.literature import BESIDE_RATES
from registry.reporting.estimating.rows import ordered, rows_of
from registry.reporting.estimating.standardised import standardisation_of, standardised_cells
from registry.reporting.measures.columns import (
    COUNTED_EVENTS,
    INTERVAL,
    RATE,
    RATE_COLUMNS,
    STATUS,
    exposure_column,
)
from registry.reporting.protected.shown import rows_of_plan
from registry.reporting.words.published import about_exposure, exposure_minimums
from registry.reporting.words.sentences import unit_in_words
from registry.snapshot.store import Store
from registry.vocabulary import CellStatus, CountingRule, Measure

COUNTING = (
    CountingRule.FIRST_EVENT,
    CountingRule.FIRST_IN_ROW,
    CountingRule.EVENTS,
    CountingRule.EPISODES,
)
OPTIONS = frozenset({"unit", "per", "level"})
"""Counting rules and options of rates, and of trends and funnels, which are made of rates."""

GARWOOD = "Exact Poisson interval (Garwood 1936)."
OF_SITES = (
    " Where ten sites or more differ by more, limits are widened by the dispersion of sites "
    "(n / (n - 1), and Student's t with n - 1 degrees of freedom)."
)
STANDARDISED = (
    "Directly standardised to all device time of the answer, with gamma limits (Fay and Feuer "
    "1997), as wide as the dispersion of patients or of ten sites and more asks for."
)
SOME_ALONE = (
    "Rows of one patient have exact Poisson limits: one cluster says nothing of how events cluster."
)
ALL_ALONE = (
    "All events and exposure are of one patient: the limits are exact Poisson ones, and say "
    "nothing of how events cluster."
)
QUASI_POISSON = (
    "Quasi-Poisson interval: events cluster within patients; the column dispersion shows how much."
)


def _answered(store: Store, question: Question, per: int) -> Answered:
    meta: dict[str, Any] = {}
    if question.query.standardise:
        found = standardised_cells(store, question, per=per)
        meta |= standardisation_of(question)
    else:
        found = rate_cells(store, question, per=per, by_site=True)
    meta["cluster"] = question.query.cluster
    rows = ordered(
        rows_of(found), question=question, terms=store.manifest.terms, columns=_columns(question)
    )
    if clusters := clusters_of(rows, question):
        meta["clusters"] = clusters
    meta |= _one_patient_each(found, question)
    return Answered(rows, {"coverage": coverage_of(store, question), **meta})


def _one_patient_each(found: Sequence[Found], question: Question) -> dict[str, Any]:
    """Of rows whose events are all of one patient nothing can be said of how events cluster."""
    if question.counting.of_firsts:
        return {}
    counted = [row for row in found if row.status is not CellStatus.NO_DENOMINATOR]
    alone = [row for row in counted if row.numbers.get("dispersion") is None]
    if not alone or question.query.standardise:
        return {}
    if len(alone) < len(counted):
        return {"warnings": [SOME_ALONE]}
    sites = any(row.numbers.get("dispersion_sites") is not None for row in found)
    return {} if sites else {"method": GARWOOD, "warnings": [ALL_ALONE]}


def _columns(question: Question) -> tuple[Column, ...]:
    clustered = not question.counting.of_firsts
    crude = Column("crude_rate", "number", "measure", title="Crude rate")
    return (
        COUNTED_EVENTS,
        exposure_column(question),
        RATE,
        *INTERVAL,
        *([crude] if question.query.standardise else []),
        *([Column("dispersion", "number", "measure", title="Dispersion")] if clustered else []),
        Column("unit", "string", "dimension", title="Per"),
        STATUS,
    )


def _shown(question: ProtectedQuestion, frozen: Frozen, protection: Protection) -> Answered:
    row_of = partial(rate_row, per=question.query.per or 1, level=question.query.level)
    return rows_of_plan(
        question, frozen, protection, form=Form.RATES, row_of=row_of, with_unit=True
    )


def _method(question: Question) -> str:
    if question.query.standardise:
        return STANDARDISED
    own = GARWOOD if question.counting.of_firsts else QUASI_POISSON
    return own if "site" in question.query.group_by else own + OF_SITES


SPEC = MeasureSpec(
    measure=Measure.RATES,
    about="Divide events by their exposure.",
    counting=COUNTING,
    takes=OPTIONS | {"standardise", "cluster"},
    ordering=RATE_COLUMNS,
    divides=Divides.EXPOSURE,
    declared_firsts=True,
    answered=_answered,
    columns=_columns,
    protected=ProtectedForm(
        form=Form.RATES,
        counting=(CountingRule.FIRST_EVENT,),
        rows=_shown,
        method=(
            "Garwood's interval (1936) of the events that the perturbed count is worth, with the "
            "noise of the device time added on the log scale."
        ),
        minimums=exposure_minimums,
        changed=about_exposure,
    ),
    method=_method,
    denominator=unit_in_words,
    literature=BESIDE_RATES,
    reading=Reading(
        picture=PictureKind.ESTIMATES,
        estimate=Estimated("rate", "ci_lower", "ci_upper", ("events", "in", "exposure")),
    ),
    example=Example(
        title="First migrations per 100 catheter-months",
        row={
            "events": 24,
            "exposure": 15230.5,
            "rate": 0.1576,
            "ci_lower": 0.101,
            "ci_upper": 0.2345,
            "unit": "catheter-months",
            "status": "ok",
        },
        meta={"per": 100, "denominator": "catheter-months", "cluster": None},
    ),
)
