"""Signals: products with more of a complication than the others."""

from registry.disclosure import Form, Protection
from registry.records import DIMENSIONS, Column, PictureKind, Reading
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
from registry.reporting.estimating.pairs import LEVELS, PRODUCTS, background
from registry.reporting.estimating.signals import signal_rows
from registry.reporting.measures import rates
from registry.reporting.measures.columns import STATUS
from registry.reporting.protected.signals import shown_signals
from registry.snapshot.store import Store
from registry.vocabulary import CountingRule, Measure, Profile


def _answered(store: Store, question: Question, per: int) -> Answered:
    return Answered(*signal_rows(store, question, rates=rates.SPEC))


def _columns(question: Question) -> tuple[Column, ...]:
    return (
        Column("n", "integer", "measure", title=question.counting.label),
        Column("expected", "number", "measure", title="Expected"),
        *_limited("prr", "PRR"),
        *_limited("ror", "ROR"),
        *_limited("ic", "IC"),
        Column("chi2_yates", "number", "measure", title="Chi-squared (Yates)"),
        Column("q", "number", "measure", title="False discovery rate (q)"),
        Column("devices", "integer", "measure", title="Devices or patients at risk"),
        Column("rate_ratio", "number", "measure", title="Rate / group's rate"),
        Column("p", "number", "measure", title="Poisson probability"),
        Column("signal", "boolean", "measure", title="Signal"),
        Column("outlier", "boolean", "measure", title="Outlier"),
        STATUS,
    )


def _limited(name: str, title: str) -> tuple[Column, ...]:
    return (
        Column(name, "number", "measure", title=title),
        Column(f"{name}_lower", "number", "interval", title=f"{title}, lower limit"),
        Column(f"{name}_upper", "number", "interval", title=f"{title}, upper limit"),
    )


def _shown(question: ProtectedQuestion, frozen: Frozen, protection: Protection) -> Answered:
    return Answered(
        *shown_signals(
            question.query,
            store=frozen.store,
            trees=question.trees,
            policy=question.policy,
            protection=protection,
        )
    )


def _warnings(question: Question, profile: Profile) -> list[str]:
    product = DIMENSIONS[question.query.group_by[0]].title.lower()
    return [
        f"Filters on {product}, complication and category choose rows; each pair is compared with "
        "all reports of the selection.",
        f"Reports without a recorded {product} have no row and are among the others.",
        "Consequences and the expected end of service are left out.",
        "A pair reported out of proportion need not be frequent, and reporting differs between "
        "products: a signal is a reason to look, not a finding.",
    ]


SPEC = MeasureSpec(
    measure=Measure.SIGNALS,
    about="Pair products with complications that are reported, or occur, out of proportion.",
    counting=(CountingRule.EVENTS, CountingRule.DEVICES),
    takes=frozenset({"level"}),
    group_by=(*PRODUCTS, *LEVELS),
    places=(PRODUCTS, LEVELS),
    own_rows=(
        f"Signals pair one of {', '.join(PRODUCTS)} with complication or category: "
        "group by one of each."
    ),
    ordering=(
        *("n", "expected", "prr", "prr_lower", "prr_upper"),
        *("ror", "ror_lower", "ror_upper", "ic", "ic_lower", "ic_upper"),
        *("chi2_yates", "q", "devices", "rate_ratio"),
    ),
    divides=Divides.NOTHING,
    what_counts=background,
    answered=_answered,
    columns=_columns,
    never_protected=frozenset({"p"}),
    protected=ProtectedForm(
        form=Form.SIGNALS,
        counting=(CountingRule.DEVICES,),
        rows=_shown,
        method=(
            "PRR (Evans 2001), ROR (van Puijenbroek 2002) and IC (Noren 2013) of perturbed "
            "numbers of devices, their variances increased by those of the perturbations (delta "
            "method), and chi-squared reduced accordingly; the AOANJRR's outlier rule on perturbed "
            "rates, by the lower limit of their ratio, with the noise of both, in place of the "
            "Poisson probability. Verdicts are given of enough events and beyond the noise alone; "
            "q is Benjamini and Hochberg's (1995)."
        ),
        says=(
            "Devices are counted, and a pair has numbers where it, its product, its complication "
            "and the total are all shown. The exposure behind the outlier rule was changed as in "
            "rates.",
        ),
        planned=background,
        no_sums="pairs and what they are compared with",
    ),
    method=lambda question: (
        "PRR (Evans 2001), ROR (van Puijenbroek 2002) and IC (Noren 2013) of the two-by-two table "
        "of reports; chi-squared with Yates' correction and its q (Benjamini and Hochberg 1995); "
        "the AOANJRR's outlier rule on the rate of first events."
    ),
    warnings=_warnings,
    of_totals=False,
    reading=Reading(picture=PictureKind.PAIRS, strongest_by="ic_lower"),
    example=Example(
        title="Pump models by complication",
        group_by=("pump_model", "complication"),
        row={
            "pump_model": "prometra-ii-20",
            "complication": "pump-motor-stall",
            "n": 30,
            "expected": 14.8,
            "prr": 2.73,
            "prr_lower": 1.96,
            "prr_upper": 3.8,
            "ror": 7.05,
            "ror_lower": 3.3,
            "ror_upper": 14.9,
            "ic": 0.99,
            "ic_lower": 0.44,
            "ic_upper": 1.46,
            "chi2_yates": 28.9,
            "q": 0.00001,
            "devices": 100,
            "rate_ratio": 2.9,
            "p": 0.0001,
            "signal": True,
            "outlier": True,
            "status": "ok",
        },
        meta={
            "counting": "events",
            "signals": {
                "compared": 212,
                "rule": "...",
                "outlier_rule": "...",
                "multiplicity": "...",
            },
        },
    ),
)
