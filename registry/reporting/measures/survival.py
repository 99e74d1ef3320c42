"""Freedom from an event over the months since implantation."""

from registry.disclosure import Form
from registry.records import PictureKind, Reading
from registry.reporting.asking.adjusting import ADJUSTERS
from registry.reporting.asking.curve_questions import (
    KNOWN_AT_IMPLANT,
    NOT_FILTERED_BY,
    refused_of_freedom,
)
from registry.reporting.asking.spec import (
    Answered,
    Divides,
    Example,
    MeasureSpec,
    Question,
)
from registry.reporting.estimating.curves import survival_curves
from registry.reporting.measures.columns import CURVE_COLUMNS, curve_columns
from registry.reporting.protected.shown import curve_form
from registry.reporting.words.curves import (
    CENSORED,
    LIFE_TABLE,
    curve_denominator,
    curve_warnings,
    kaplan_meier,
)
from registry.snapshot.store import Store
from registry.vocabulary import CountingRule, Measure


def _answered(store: Store, question: Question, per: int) -> Answered:
    return Answered(*survival_curves(store, question))


SPEC = MeasureSpec(
    measure=Measure.SURVIVAL,
    about=(
        "Estimate freedom from the selection's first event by Kaplan-Meier.\n\n"
        "The clock is that of the complications, pump or catheter. Devices that entered late count "
        "from the month after. Groups are what was known at implantation; `ci` is the scale of the "
        "limits; `adjust` names strata within which the log-rank test compares the groups too. A "
        "row for each month with an event, and one at the start and the end of each curve."
    ),
    counting=(CountingRule.FIRST_EVENT,),
    takes=frozenset({"level", "ci", "adjust", "cluster"}),
    adjusters=tuple(name for name in ADJUSTERS if name in KNOWN_AT_IMPLANT),
    group_by=KNOWN_AT_IMPLANT,
    ordering=CURVE_COLUMNS,
    not_filtered_by=NOT_FILTERED_BY,
    refuses=refused_of_freedom,
    divides=Divides.LIFETIMES,
    answered=_answered,
    columns=lambda question: curve_columns("Free of the event"),
    protected=curve_form(Form.LIFE_TABLE, method=LIFE_TABLE, competing=False),
    called="Freedom from",
    method=kaplan_meier,
    denominator=curve_denominator,
    warnings=lambda question, profile: curve_warnings(question, profile, ends=CENSORED),
    reading=Reading(picture=PictureKind.CURVES, axis="Free of the event", shares=True),
    example=Example(
        title="Freedom from catheter problems",
        row={
            "time_months": 12,
            "at_risk": 402,
            "events": 3,
            "estimate": 0.957,
            "ci_lower": 0.9361,
            "ci_upper": 0.9712,
            "status": "ok",
        },
        meta={
            "curves": [
                {
                    "devices": 512,
                    "events": 48,
                    "events_outside": 2,
                    "median_months": None,
                    "median_lower": None,
                    "median_upper": None,
                    "landmarks": [
                        {
                            "time_months": 12,
                            "at_risk": 402,
                            "estimate": 0.957,
                            "ci_lower": 0.9361,
                            "ci_upper": 0.9712,
                        }
                    ],
                    "restricted_mean": {
                        "from_months": 0,
                        "until_months": 120,
                        "mean_months": 109.3,
                        "ci_lower": 106.8,
                        "ci_upper": 111.8,
                    },
                    "numbers_at_risk": [
                        {"time_months": 0, "at_risk": 512},
                        {"time_months": 24, "at_risk": 371},
                    ],
                    "starts_at_months": 0,
                    "ends_at_months": 131,
                    "excluded_before_entry": 4,
                }
            ],
            "logrank": None,
        },
    ),
)
