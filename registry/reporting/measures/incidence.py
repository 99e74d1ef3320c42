"""Cumulative incidence of an event over the months since implantation, with competing events."""

from registry.disclosure import Form
from registry.records import PictureKind, Reading
from registry.reporting.asking.curve_questions import (
    KNOWN_AT_IMPLANT,
    NOT_FILTERED_BY,
    refused_of_curves,
)
from registry.reporting.asking.spec import (
    Answered,
    Divides,
    Example,
    MeasureSpec,
    Question,
)
from registry.reporting.estimating.curves import incidence_curves
from registry.reporting.measures.columns import CURVE_COLUMNS, curve_columns
from registry.reporting.protected.shown import curve_form
from registry.reporting.words.curves import (
    COMPETES,
    INCIDENCE_TABLE,
    aalen_johansen,
    curve_denominator,
    curve_warnings,
)
from registry.snapshot.store import Store
from registry.vocabulary import CountingRule, Measure


def _answered(store: Store, question: Question, per: int) -> Answered:
    return Answered(*incidence_curves(store, question))


SPEC = MeasureSpec(
    measure=Measure.INCIDENCE,
    about=(
        "Estimate the probability of the selection's first event by Aalen-Johansen.\n\n"
        "Death, explant for another cause and the end of therapy compete."
    ),
    counting=(CountingRule.FIRST_EVENT,),
    takes=frozenset({"level", "cluster"}),
    group_by=KNOWN_AT_IMPLANT,
    ordering=CURVE_COLUMNS,
    not_filtered_by=NOT_FILTERED_BY,
    refuses=refused_of_curves,
    divides=Divides.LIFETIMES,
    answered=_answered,
    columns=lambda question: curve_columns("Probability"),
    protected=curve_form(Form.INCIDENCE, method=INCIDENCE_TABLE, competing=True),
    method=aalen_johansen,
    denominator=curve_denominator,
    warnings=lambda question, profile: curve_warnings(question, profile, ends=COMPETES),
    reading=Reading(
        picture=PictureKind.CURVES, axis="Cumulative incidence", starts_at=0.0, shares=True
    ),
    example=Example(
        title="Incidence of catheter problems",
        row={
            "time_months": 12,
            "at_risk": 402,
            "events": 3,
            "estimate": 0.0391,
            "ci_lower": 0.0262,
            "ci_upper": 0.0557,
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
                            "estimate": 0.0391,
                            "ci_lower": 0.0262,
                            "ci_upper": 0.0557,
                        }
                    ],
                    "numbers_at_risk": [
                        {"time_months": 0, "at_risk": 512},
                        {"time_months": 24, "at_risk": 371},
                    ],
                    "starts_at_months": 0,
                    "ends_at_months": 131,
                    "excluded_before_entry": 4,
                    "at_end": {
                        "event": 0.131,
                        "death": 0.082,
                        "explant": 0.044,
                        "therapy_stopped": 0.061,
                        "free": 0.682,
                    },
                }
            ],
            "logrank": None,
            "gray": None,
        },
    ),
)
