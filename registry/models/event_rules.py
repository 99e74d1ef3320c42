"""The rules of one event's row, as database constraints.

A blank is "not recorded" and contradicts nothing, with one exception: once submitted, an event that
is a death by one of grade, outcome or criteria must be one by all three. Drafts, and withdrawn
drafts, may be incomplete.
"""

from __future__ import annotations

from django.db.models import BaseConstraint, F, Q, UniqueConstraint

from registry.models.rules import (
    all_coded,
    code_set_rule,
    codes_of,
    grade_rule,
    months_rule,
    rule,
    source_id_rule,
    year_rule,
)
from registry.records import RowKind
from registry.records.columns import DECLARED
from registry.vocabulary import (
    Actuality,
    Code,
    DaysSinceProcedure,
    DaysSinceRefill,
    Intervention,
    Outcome,
    Seriousness,
    Severity,
    State,
    WithdrawalReason,
)

CRITERIA: dict[Seriousness, str] = {
    code: f"serious_{code.value.replace('-', '_')}"
    for code in Seriousness
    if code is not Seriousness.NONE
}
"""Each criterion of seriousness and its column, without `serious_none`."""

AS_REPORTED = ("pump_model", "catheter_model", "drug", "indication", "age_band", "sex")
"""Columns that an event has only where it names no implant."""

INCOMPLETE_STATES = (State.DRAFT, State.WITHDRAWN)
"""States in which what is required at submit may be missing."""

EVENT_CODES: dict[str, type[Code]] = {
    **codes_of(DECLARED[RowKind.EVENT]),
    "state": State,
    "reason": WithdrawalReason,
}
"""The coded columns of an event and their lists."""

LEAST_MONTHS_SINCE_PROCEDURE = {
    DaysSinceProcedure.DAYS_31_60: 1,
    DaysSinceProcedure.DAYS_61_90: 1,
    DaysSinceProcedure.DAYS_91_365: 2,
    DaysSinceProcedure.OVER_365: 12,
}
LEAST_MONTHS_SINCE_REFILL = {DaysSinceRefill.DAYS_31_90: 1, DaysSinceRefill.OVER_90: 2}
"""Fewest whole months since implant for a band of days: day 91 can be before the third month is
complete (1 July to 30 September), day 366 never before the twelfth."""

_INCOMPLETE = Q(state__in=INCOMPLETE_STATES)
_GRADE_5 = Q(severity__isnull=False, severity=Severity.DEATH)  # a NULL would pass every check
_NO_GRADE = Q(severity__isnull=True)
_FATAL = Q(outcome=Outcome.FATAL)
_NO_OUTCOME = Q(outcome="")
_NO_CRITERION = Q(**dict.fromkeys(CRITERIA.values(), False))
_NOT_JUDGED = _NO_CRITERION & Q(serious_none=False)


def event_constraints() -> list[BaseConstraint]:
    """Every rule of an event's row, in the order in which they are checked."""
    return [
        UniqueConstraint(
            fields=["site", "source_id"],
            condition=~Q(source_id=""),
            name="%(app_label)s_%(class)s_source_id_once_a_site",
            violation_error_message="The site has an event of this key already.",
        ),
        source_id_rule(blank=True),
        *all_coded(EVENT_CODES, required=["state"]),
        code_set_rule("interventions", Intervention),
        grade_rule("severity"),
        year_rule("year"),
        months_rule("months_since_implant"),
        *_time_rules(),
        *_completeness_rules(),
        *_death_rules(),
        *_seriousness_rules(),
        *_implant_rules(),
    ]


def _time_rules() -> list[BaseConstraint]:
    return [
        rule(
            "month_is_a_month",
            Q(month__isnull=True) | Q(month__gte=1, month__lte=12),
            "Give the month as 1 to 12, or leave it empty.",
        ),
        rule(
            "month_has_a_year",
            Q(month__isnull=True) | Q(year__isnull=False),
            "Give the year that the month belongs to.",
        ),
        rule(
            "days_since_procedure_fit",
            _band_fits("days_since_procedure", LEAST_MONTHS_SINCE_PROCEDURE),
            "The last procedure cannot lie before the implant: check the days since procedure.",
        ),
        rule(
            "days_since_refill_fit",
            _band_fits("days_since_refill", LEAST_MONTHS_SINCE_REFILL),
            "The last refill cannot lie before the implant: check the days since refill.",
        ),
    ]


def _band_fits(field: str, least: dict) -> Q:
    condition = Q(months_since_implant__isnull=True) | ~Q(**{f"{field}__in": list(least)})
    for band, months in least.items():
        condition |= Q(**{field: band, "months_since_implant__gte": months})
    return condition


def _completeness_rules() -> list[BaseConstraint]:
    return [
        rule(
            "submitted_has_a_year",
            _INCOMPLETE | Q(year__isnull=False),
            "Give the year of the event before you submit it.",
        ),
        rule(
            "submitted_has_months_since_implant",
            _INCOMPLETE | Q(implant__isnull=True) | Q(months_since_implant__isnull=False),
            "Give the months since implant before you submit the event.",
        ),
        rule(
            "withdrawn_has_a_reason",
            ~Q(state=State.WITHDRAWN) | ~Q(reason=""),
            "Say why the event is withdrawn.",
        ),
        rule(
            "duplicate_names_the_other",
            Q(duplicate_of__isnull=True) | Q(state=State.DUPLICATE) & ~Q(duplicate_of=F("id")),
            "Only a duplicate names the report that it repeats, which is another one.",
        ),
    ]


def _death_rules() -> list[BaseConstraint]:
    death = Q(complication="death")
    died = Q(serious_death=True)
    return [
        rule(
            "grade_5_means_fatal",
            _GRADE_5 & _FATAL | ~_GRADE_5 & ~_FATAL | _INCOMPLETE & (_NO_GRADE | _NO_OUTCOME),
            "Grade 5 is death: set the outcome to fatal, or choose another grade.",
        ),
        rule(
            "grade_5_means_criterion_death",
            _GRADE_5 & died | ~_GRADE_5 & ~died | _INCOMPLETE & (_NO_GRADE | _NOT_JUDGED),
            "Grade 5 is death: tick death among the criteria, or choose another grade.",
        ),
        rule(
            "fatal_means_criterion_death",
            _FATAL & died | ~_FATAL & ~died | _INCOMPLETE & (_NO_OUTCOME | _NOT_JUDGED),
            "A fatal outcome is death: tick death among the criteria, or change the outcome.",
        ),
        rule(
            "death_is_grade_5",
            ~death | _GRADE_5 | _INCOMPLETE & _NO_GRADE,
            "The complication death has grade 5: set the grade, or choose what led to it.",
        ),
        UniqueConstraint(
            fields=["patient"],
            condition=death & Q(state__in=[State.SUBMITTED, State.ACCEPTED]),
            name="%(app_label)s_%(class)s_one_death_a_patient",
            violation_error_message="The death of this patient is in the registry already.",
        ),
    ]


def _seriousness_rules() -> list[BaseConstraint]:
    unscathed = Q(outcome=Outcome.NOT_APPLICABLE) | _INCOMPLETE & _NO_OUTCOME
    return [
        rule(
            "none_stands_alone",
            Q(serious_none=False) | _NO_CRITERION,
            "Not serious stands alone: clear it, or clear the criteria.",
        ),
        rule(
            "grade_4_is_serious",
            ~Q(severity__in=[Severity.LIFE_THREATENING, Severity.DEATH]) | Q(serious_none=False),
            "Grade 4 or 5 is serious: tick the criterion that is met, or choose another grade.",
        ),
        rule(
            "near_miss_harms_nobody",
            ~Q(actuality=Actuality.NEAR_MISS) | _NO_GRADE & _NO_CRITERION & unscathed,
            "A near miss has no grade, no criterion, and the outcome not-applicable.",
        ),
    ]


def _implant_rules() -> list[BaseConstraint]:
    return [
        rule(
            "reported_only_without_implant",
            Q(implant__isnull=True) | Q(**dict.fromkeys(AS_REPORTED, "")),
            "Model, drug, indication, age and sex are the implant's: clear them here.",
        ),
        rule(
            "patient_is_the_implants",
            Q(implant__isnull=True, patient__isnull=True)
            | Q(implant__isnull=False, patient__isnull=False),
            "An event that names an implant names its patient too.",
        ),
        rule(
            "not_caused_by_itself",
            Q(caused_by__isnull=True) | ~Q(caused_by=F("id")),
            "An event cannot cause itself: choose the event that came before.",
        ),
    ]
