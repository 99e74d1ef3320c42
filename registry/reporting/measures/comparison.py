"""Rates of groups against a reference's: ratios and differences, crude and adjusted."""

from registry.disclosure import Form
from registry.records import DIMENSIONS, Column, PictureKind, Reading
from registry.records.reading import OTHERS
from registry.reporting.asking.adjusting import GROUPS, refused_of_groups
from registry.reporting.asking.spec import (
    Answered,
    Divides,
    Example,
    MeasureSpec,
    ProtectedForm,
    Question,
)
from registry.reporting.estimating.comparison import comparison_of
from registry.reporting.estimating.coverage import coverage_of
from registry.reporting.measures import rates
from registry.reporting.measures.columns import (
    COUNTED_EVENTS,
    INTERVAL,
    RATE,
    STATUS,
    exposure_column,
)
from registry.reporting.protected.comparison import (
    finer_comparisons,
    others_not_told,
    shown_comparison,
)
from registry.reporting.words.published import about_exposure, exposure_minimums
from registry.reporting.words.sentences import unit_in_words
from registry.snapshot.store import Store
from registry.vocabulary import CountingRule, Measure, Profile

CRUDE = "Crude: the groups may differ in how old their devices are, in patients, sites and years."
CRUDE_AGES = "Crude: the groups may differ in patients, sites and years."
ADJUST = "Adjust for what could make them differ, months since implant first."
ADJUST_OTHERS = "Adjust for what could make them differ beside."
NOT_ADJUSTED = "Protected answers cannot be adjusted: do not read a cause into a ratio."
ADJUSTED = (
    "Adjusted for {names}, as far as recorded: what was not recorded, or not named here, may "
    "still make the difference."
)
ALIKE = (
    "One ratio stands for all strata: where it differs between them, Mantel-Haenszel's is another "
    "mean of them."
)
MANY = (
    "With several groups some ratio may be far from 1 by chance: read the joint test first; no "
    "limit is adjusted for the number of groups."
)
EACH_ITS_OWN = (
    "Each group is held against all others together, which are other devices for each: one ratio "
    "divided by another is no ratio of the two groups. For that name one of them as the reference."
)
IMPLANTS_ONLY = "Exposure that sites declare has no strata and is left out, with its events."


def _answered(store: Store, question: Question, per: int) -> Answered:
    rows, about = comparison_of(store, question, per=per)
    return Answered(rows, {**about, "coverage": coverage_of(store, question)})


def _columns(question: Question) -> tuple[Column, ...]:
    beside = (
        Column("crude_ratio", "number", "measure", title="Crude ratio"),
        Column("crude_lower", "number", "interval", title="Crude ratio, lower limit"),
        Column("crude_upper", "number", "interval", title="Crude ratio, upper limit"),
        Column("crude_difference", "number", "measure", title="Crude difference"),
        Column("mantel_haenszel", "number", "measure", title="Ratio of Mantel-Haenszel"),
    )
    return (
        COUNTED_EVENTS,
        exposure_column(question),
        RATE,
        Column("ratio", "number", "measure", title="Rate ratio"),
        *INTERVAL,
        *(beside[:3] if question.query.adjust else ()),
        Column("difference", "number", "measure", title="Rate difference"),
        Column("difference_lower", "number", "interval", title="Rate difference, lower limit"),
        Column("difference_upper", "number", "interval", title="Rate difference, upper limit"),
        *(beside[3:] if question.query.adjust else ()),
        Column("note", "string", "status", title="Note"),
        STATUS,
    )


def _method(question: Question) -> str:
    of = f", adjusted for {_named(question)} (main effects)" if question.query.adjust else ""
    each = ", each group against all others together" if question.query.reference == OTHERS else ""
    return (
        f"Rate ratios by log-linear Poisson regression on the cells' sums{of}{each}; limits robust "
        "to clusters of patients, and of sites from ten on in both groups, whichever is wider "
        "(Liang and Zeger 1986). Differences are of the rates that each group would have over the "
        "strata of all exposure."
    )


def _named(question: Question) -> str:
    return ", ".join(DIMENSIONS[name].title.lower() for name in question.query.adjust)


def _warnings(question: Question, profile: Profile) -> list[str]:
    adjust = question.query.adjust
    many = [EACH_ITS_OWN, MANY] if question.query.reference == OTHERS else [MANY]
    if adjust:
        return [ADJUSTED.format(names=_named(question)), ALIKE, *many]
    then = NOT_ADJUSTED
    if profile is Profile.EXACT:
        then = ADJUST_OTHERS if "window" in question.query.group_by else ADJUST
    crude = CRUDE_AGES if "window" in question.query.group_by else CRUDE
    return [f"{crude} {then}", *many]


SPEC = MeasureSpec(
    measure=Measure.COMPARISON,
    about=(
        "Compare the rates of groups with that of a reference.\n\n"
        "Rate ratios and differences with limits: crude, and beside them adjusted for up to three "
        "dimensions by Poisson regression. The reference is the group with the most exposure, or "
        "that of `reference`; `reference=others` holds each group against all others together. One "
        "test of all groups at once is in meta."
    ),
    counting=rates.COUNTING,
    takes=rates.OPTIONS | {"adjust", "reference", "cluster"},
    group_by=GROUPS,
    places=(GROUPS,),
    own_rows="A comparison is of groups that split exposure: group by one such dimension.",
    ordering=("events", "exposure", "rate", "ratio", "ci_lower", "ci_upper", "difference"),
    refuses=lambda query, chosen, elsewhere: refused_of_groups(query),
    divides=Divides.EXPOSURE,
    of_implants=True,
    answered=_answered,
    columns=_columns,
    protected=ProtectedForm(
        form=Form.COMPARISON,
        counting=(CountingRule.FIRST_EVENT,),
        rows=shown_comparison,
        method=(
            "Crude ratios and differences of shown rates, each limit as far out as those of the "
            "two rates together (Zou and Donner 2008), which allow for chance and perturbation; "
            "not for sites. All others are the total without the group, both as shown."
        ),
        minimums=exposure_minimums,
        changed=about_exposure,
        refuses=finer_comparisons,
        refuses_planned=others_not_told,
        says=(
            "A group whose numbers are hidden has no ratio, and none has one where the reference "
            "is hidden. A group with few events is shown only when chance and noise made them "
            "eleven or more, so that a low ratio of a small group cannot be seen.",
        ),
    ),
    method=_method,
    denominator=unit_in_words,
    warnings=_warnings,
    left_out=lambda question: [IMPLANTS_ONLY],
    reading=Reading(picture=PictureKind.RATIOS),
    example=Example(
        title="Catheter events by model, adjusted for months since implant",
        group_by=("catheter_model",),
        row={
            "catheter_model": "ascenda-8780",
            "events": 41,
            "exposure": 20310.25,
            "rate": 2.019,
            "ratio": 0.81,
            "ci_lower": 0.57,
            "ci_upper": 1.15,
            "difference": -0.47,
            "difference_lower": -1.26,
            "difference_upper": 0.31,
            "note": "Limits: robust to patients.",
            "status": "ok",
        },
        meta={
            "per": 1000,
            "comparison": {
                "reference": "ascenda-8781",
                "adjusted_for": [],
                "windows": [],
                "test": {
                    "name": "chi-squared",
                    "statistic": 3.2,
                    "df": 2,
                    "df_within": None,
                    "p": 0.2,
                    "robust_to": "patients",
                    "reason": None,
                },
                "crude_test": None,
                "events": 122,
                "parameters": 3,
                "sparse": False,
                "exposure_without_events": 0.0,
                "events_without_exposure": 0,
                "differ_from_mantel_haenszel": [],
                "clusters": {"patients": 640, "sites": 9},
                "cluster": None,
                "variance": "...",
                "reason": None,
            },
        },
    ),
)
