"""The mean cumulative number of events a device over the months since implantation."""

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
    Withheld,
)
from registry.reporting.estimating.burden import burden_curves
from registry.reporting.measures.columns import CURVE_COLUMNS, curve_columns
from registry.reporting.words.curves import FEW, LATE, MONTHS, curve_denominator
from registry.snapshot.store import Store
from registry.vocabulary import CountingRule, Measure, Profile

EVERY_EVENT = "Every event counts, also the second and third of a device."
AS_IF_FOLLOWED = (
    "The mean is that of devices still in place and followed: death, explant and every other end "
    "of follow-up only end a device's part in it. Where many die it is more than devices had."
)


def _answered(store: Store, question: Question, per: int) -> Answered:
    return Answered(*burden_curves(store, question))


def _warnings(question: Question, profile: Profile) -> list[str]:
    return [EVERY_EVENT, AS_IF_FOLLOWED, MONTHS, LATE, FEW]


SPEC = MeasureSpec(
    measure=Measure.BURDEN,
    about=(
        "Estimate the mean cumulative number of events a device, for events that recur.\n\n"
        "The clock is that of the complications, pump or catheter. A row for each month with an "
        "event, and one at the start and the end of each curve."
    ),
    counting=(CountingRule.EVENTS,),
    takes=frozenset({"level"}),
    group_by=KNOWN_AT_IMPLANT,
    ordering=CURVE_COLUMNS,
    not_filtered_by=NOT_FILTERED_BY,
    refuses=refused_of_curves,
    divides=Divides.LIFETIMES,
    of_implants=True,
    answered=_answered,
    columns=lambda question: curve_columns("Events a device"),
    protected=Withheld(
        why="it counts all events of a patient, and published numbers count each patient once",
        instead="incidence shows the first event by month; ",
    ),
    called="Burden of",
    method=lambda question: (
        "Mean cumulative function (Nelson 2003) with the robust variance of Lawless and Nadeau "
        "(1995), whatever the dependence of a device's events; limits on the log scale."
    ),
    denominator=curve_denominator,
    warnings=_warnings,
    reading=Reading(picture=PictureKind.CURVES, axis="Events a device", starts_at=0.0),
    example=Example(
        title="Burden of catheter problems",
        row={
            "time_months": 12,
            "at_risk": 402,
            "events": 3,
            "estimate": 0.213,
            "ci_lower": 0.171,
            "ci_upper": 0.265,
            "status": "ok",
        },
        meta={
            "counting": "events",
            "curves": [
                {
                    "devices": 512,
                    "events": 148,
                    "events_outside": 2,
                    "numbers_at_risk": [
                        {"time_months": 0, "at_risk": 512},
                        {"time_months": 24, "at_risk": 371},
                    ],
                    "starts_at_months": 0,
                    "ends_at_months": 131,
                    "means": [{"months": 12, "mean": 0.213}],
                    "excluded_before_entry": 4,
                }
            ],
        },
    ),
)
