"""Sites' observed events against those expected from their exposure."""

from registry.disclosure import Form
from registry.records import Column, PictureKind, Reading
from registry.reporting.asking.spec import (
    Answered,
    Divides,
    Example,
    MeasureSpec,
    ProtectedForm,
    Question,
)
from registry.reporting.estimating.coverage import coverage_of
from registry.reporting.estimating.funnel import funnel_of, funnel_sites, overall_rate
from registry.reporting.measures import rates
from registry.reporting.measures.columns import COUNTED_EVENTS, INTERVAL, STATUS, exposure_column
from registry.reporting.protected.funnels import shown_funnel
from registry.reporting.words.published import about_exposure, exposure_minimums
from registry.reporting.words.sentences import unit_in_words
from registry.snapshot.store import Store
from registry.vocabulary import CountingRule, Measure, Profile

AS_IT_IS = "Crude: sites treat different patients."
ADJUSTED = (
    "Each site is compared with the events expected from its own mix: two sites' ratios are not "
    "comparable. Declared exposure has no mix and is left out."
)
OF_CHOSEN_SITES = (
    "Sites are compared with the rate of the chosen sites alone, so that a single site's ratio "
    "is 1: leave site out to compare it with all."
)
CLUSTERED = (
    "Events cluster within patients, which the limits allow for only where over-dispersion was "
    "found; first events need no such allowance."
)


def _answered(store: Store, question: Question, per: int) -> Answered:
    sites, expected, standardisation = funnel_sites(store, question, per=per)
    found, about = funnel_of(
        sites,
        expected,
        target=overall_rate(sites),
        per=per,
        standardisation=standardisation,
    )
    return Answered(found, {**about, "coverage": coverage_of(store, question)})


def _columns(question: Question) -> tuple[Column, ...]:
    return (
        COUNTED_EVENTS,
        exposure_column(question),
        Column("expected", "number", "measure", title="Expected events"),
        Column("ratio", "number", "measure", title="Observed / expected"),
        *INTERVAL,
        Column("lower_95", "number", "interval", title="Lower 95 % limit"),
        Column("upper_95", "number", "interval", title="Upper 95 % limit"),
        Column("lower_998", "number", "interval", title="Lower 99.8 % limit"),
        Column("upper_998", "number", "interval", title="Upper 99.8 % limit"),
        Column("signal", "string", "measure", title="Beyond the limits"),
        STATUS,
    )


def _warnings(question: Question, profile: Profile) -> list[str]:
    query = question.query
    said = [ADJUSTED if query.standardise else AS_IT_IS]
    if query.values("site"):
        said.append(OF_CHOSEN_SITES)
    if not question.counting.of_firsts:
        said.append(CLUSTERED)
    return said


SPEC = MeasureSpec(
    measure=Measure.FUNNEL,
    about="Compare sites with the events expected from their exposure, or their case mix.",
    counting=rates.COUNTING,
    takes=rates.OPTIONS | {"standardise"},
    group_by=("site",),
    places=(("site",),),
    ordering=("events", "exposure", "expected", "ratio", "ci_lower", "ci_upper"),
    divides=Divides.EXPOSURE,
    answered=_answered,
    columns=_columns,
    protected=ProtectedForm(
        form=Form.FUNNEL,
        counting=(CountingRule.FIRST_EVENT,),
        rows=shown_funnel,
        method=(
            "Funnel of observed / expected (Spiegelhalter 2005) from perturbed numbers: exact "
            "Poisson limits around 1, widened by additive random effects at the upper limit of the "
            "variance between sites and moved out by two standard deviations of the noise; none "
            "where too few sites are shown."
        ),
        minimums=exposure_minimums,
        changed=about_exposure,
        says=(
            "A site whose number is hidden has a row without one. A site with few events "
            "is shown only when chance and noise made them eleven or more, so that a low ratio of "
            "a small site cannot be seen.",
            "A site is called beyond the limits only where it very probably is in exact numbers: "
            "at most one in ten such sites is within them there. Many that are beyond the limits "
            "in exact numbers are not called so. Where too few sites are shown none is judged.",
        ),
        compares_sites=True,
    ),
    method=lambda question: (
        "Funnel of observed / expected (Spiegelhalter 2005): exact Poisson limits around 1, "
        "widened by additive random effects where ten sites or more differ beyond chance; a "
        "site's own interval is that of its rate."
    ),
    denominator=unit_in_words,
    warnings=_warnings,
    reading=Reading(picture=PictureKind.FUNNEL),
    example=Example(
        title="Catheter events by site",
        group_by=("site",),
        row={
            "site": "HOSP-7",
            "events": 31,
            "exposure": 8120.0,
            "expected": 18.4,
            "ratio": 1.685,
            "ci_lower": 1.145,
            "ci_upper": 2.391,
            "lower_95": 0.595,
            "upper_95": 1.574,
            "lower_998": 0.431,
            "upper_998": 1.955,
            "signal": "above-95",
            "status": "ok",
        },
        meta={
            "per": 1000,
            "funnel": {
                "target_rate": 2.266,
                "per": 1000,
                "standardisation": "crude",
                "overdispersion": {"phi": 0.9, "tau2": 0.0, "applied": False, "reason": "..."},
                "sites": 12,
                "multiplicity": "...",
            },
        },
    ),
)
