"""The rules of one row, checked at every door and again by database constraints."""

from collections.abc import Collection

from registry.records import EventRecord, ExposureRecord, Fault, ImplantRecord
from registry.vocabulary import (
    Actuality,
    Component,
    DatePrecision,
    DaysSinceProcedure,
    DaysSinceRefill,
    ExitStatus,
    Outcome,
    Seriousness,
    Severity,
)

EARLIEST_YEAR = 1980
"""The first infusion pumps for the spinal fluid were implanted in the early 1980s."""

NO_DEVICE_TIME_AFTER_EXIT = frozenset({"catheter", "pump"})
"""Categories of the component's own events, which cannot happen after its follow-up has ended."""

# The fewest months since implant that are possible with a band of days, whether months are
# counted when full or to the nearest: day 91 can fall before the third month is full.
_LEAST_MONTHS_SINCE_PROCEDURE: dict[DaysSinceProcedure | None, int] = {
    DaysSinceProcedure.DAYS_31_60: 1,
    DaysSinceProcedure.DAYS_61_90: 1,
    DaysSinceProcedure.DAYS_91_365: 2,
    DaysSinceProcedure.OVER_365: 12,
}
_LEAST_MONTHS_SINCE_REFILL: dict[DaysSinceRefill | None, int] = {
    DaysSinceRefill.DAYS_31_90: 1,
    DaysSinceRefill.OVER_90: 2,
}
_ALWAYS_REQUIRED = {
    "site": "give the site",
    "complication": "give the complication",
    "year": "give the year of the event",
}
_ASKED_FOR = (*_ALWAYS_REQUIRED, "implant", "months_since_implant")
_OF_THE_IMPLANT = ("component_model", "drug", "indication", "age_band", "sex")
_NONE_ONLY = frozenset({Seriousness.NONE})


def event_faults(
    record: EventRecord,
    *,
    submitted: bool,
    precision: DatePrecision,
    latest_year: int | None = None,
) -> tuple[Fault, ...]:
    """Lists every way in which an event contradicts itself, or is incomplete for its state.

    submitted: applies the rules from submission on. precision: the deployment's.
    latest_year: the current year; None allows any.
    """
    faults: list[Fault] = []
    if submitted:
        filled = {name for name in _ASKED_FOR if getattr(record, name) is not None}
        faults += missing_for_submission(filled)
    _time(record, faults, precision, latest_year)
    _death(record, faults, submitted)
    if record.actuality is Actuality.NEAR_MISS:
        _near_miss(record, faults, submitted)
    _judgement(record, faults)
    if record.implant is not None:
        for column in _OF_THE_IMPLANT:
            if getattr(record, column) is not None:
                detail = "leave this empty where an implant is named; the implant's row has it"
                faults.append(Fault(column, "said-by-the-implant", detail))
    return tuple(faults)


def missing_for_submission(filled: Collection[str]) -> tuple[Fault, ...]:
    """Lists the empty columns of an event that are required for submission.

    filled: the columns that hold something, valid or not.
    """
    faults = [
        Fault(column, "required", detail)
        for column, detail in _ALWAYS_REQUIRED.items()
        if column not in filled
    ]
    if "implant" in filled and "months_since_implant" not in filled:
        detail = "give the whole months since the implant that is named"
        faults.append(Fault("months_since_implant", "required", detail))
    return tuple(faults)


def _time(
    record: EventRecord, faults: list[Fault], precision: DatePrecision, latest_year: int | None
) -> None:
    if record.year is not None:
        _year(record.year, "year", latest_year, faults)
    if record.month is not None:
        if precision is DatePrecision.YEAR:
            detail = "leave the month empty; this registry keeps years only"
            faults.append(Fault("month", "finer-than-kept", detail))
        elif record.year is None:
            faults.append(Fault("month", "month-without-year", "give the year with its month"))
    months = record.months_since_implant
    if months is None:
        return
    if months < _LEAST_MONTHS_SINCE_PROCEDURE.get(record.days_since_procedure, 0):
        detail = (
            "these days since the procedure are more than the months since the implant: "
            "correct one of them"
        )
        faults.append(Fault("days_since_procedure", "longer-than-implanted", detail))
    if months < _LEAST_MONTHS_SINCE_REFILL.get(record.days_since_refill, 0):
        detail = (
            "these days since the refill are more than the months since the implant: "
            "correct one of them"
        )
        faults.append(Fault("days_since_refill", "longer-than-implanted", detail))


def _death(record: EventRecord, faults: list[Fault], submitted: bool) -> None:
    """Grade 5, a fatal outcome and the criterion death hold together or not at all.

    Each is True, False, or None where it is blank; a blank counts as False from submission on.
    """
    blank = False if submitted else None
    grade = blank if record.severity is None else record.severity is Severity.DEATH
    outcome = blank if record.outcome is None else record.outcome is Outcome.FATAL
    criteria = record.seriousness
    criterion = blank if criteria is None else Seriousness.DEATH in criteria
    claims = (grade, outcome, criterion)
    if True in claims and False in claims:
        faults.append(_odd_one_out(claims))
    if record.complication == "death" and not any(claims) and grade is not None:
        detail = "the complication death is grade 5, outcome fatal, criterion death"
        faults.append(Fault("severity", "death-needs-grade-5", detail))


def _odd_one_out(claims: tuple[bool | None, bool | None, bool | None]) -> Fault:
    """Names the one of grade, outcome and criterion that the other two contradict."""
    odd = claims.count(True) == 1
    where = claims.index(odd)
    return Fault(("severity", "outcome", "seriousness")[where], *_DEATH_IN_PART[odd, where])


_DEATH_IN_PART = {
    (True, 0): (
        "grade-5-means-fatal",
        "grade 5 is death: set the outcome to fatal and the criterion to death, "
        "or choose another grade",
    ),
    (True, 1): (
        "fatal-means-grade-5",
        "a fatal outcome is grade 5 with the criterion death: set both, or choose another outcome",
    ),
    (True, 2): (
        "death-means-grade-5",
        "the criterion death is grade 5 with a fatal outcome: set both, or leave it out",
    ),
    (False, 0): ("fatal-means-grade-5", "a fatal outcome with the criterion death is grade 5"),
    (False, 1): ("grade-5-means-fatal", "grade 5 with the criterion death has a fatal outcome"),
    (False, 2): ("grade-5-means-death", "grade 5 with a fatal outcome meets the criterion death"),
}


def _near_miss(record: EventRecord, faults: list[Fault], submitted: bool) -> None:
    if record.outcome is not Outcome.NOT_APPLICABLE and (submitted or record.outcome is not None):
        detail = "a near miss harmed nobody: its outcome is not applicable (not-applicable)"
        faults.append(Fault("outcome", "near-miss-outcome", detail))
    if record.severity is not None:
        detail = "a near miss has no grade; leave it empty"
        faults.append(Fault("severity", "near-miss-grade", detail))
    if record.seriousness is not None and record.seriousness != _NONE_ONLY:
        detail = "a near miss meets no criterion; leave it empty or say none"
        faults.append(Fault("seriousness", "near-miss-criterion", detail))


def _judgement(record: EventRecord, faults: list[Fault]) -> None:
    criteria = record.seriousness
    if criteria is None or Seriousness.NONE not in criteria:
        return
    if len(criteria) > 1:
        detail = "none stands alone: name the criteria that are met, or say none"
        faults.append(Fault("seriousness", "none-stands-alone", detail))
    elif record.severity is Severity.LIFE_THREATENING:
        detail = "grade 4 is serious: name the criterion that is met"
        faults.append(Fault("seriousness", "grade-4-is-serious", detail))


def device_faults(
    record: EventRecord,
    implant: ImplantRecord,
    clock: Component,
    category: str,
    *,
    latest_year: int | None = None,
) -> tuple[Fault, ...]:
    """Lists every way in which an event contradicts the implant that it names.

    clock, category: those of the event's complication. Months after the implant's exit are a fault
    for a component's own complications; others may come later, outside device time. An event is
    never too late for the follow-up on file of an implant in follow-up: the next round counts it.
    latest_year: the current year; None allows any.
    """
    faults: list[Fault] = []
    months = record.months_since_implant
    if months is None:
        return ()
    if implant.component is not clock:
        detail = f"this complication counts on the {clock.value}: name the patient's {clock.value}"
        faults.append(Fault("implant", "other-component", detail))
    if is_after_exit(implant, months, category):
        detail = (
            f"a {category} complication cannot come after the implant's follow-up has ended: "
            "correct the months, or the end of its follow-up"
        )
        faults.append(Fault("months_since_implant", "after-exit", detail))
    elif latest_year is not None and months // 12 > latest_year - implant.implant_year:
        detail = (
            "so many months have not passed since the year of the implant; give those that have"
        )
        faults.append(Fault("months_since_implant", "in-the-future", detail))
    elif record.year is not None and record.year - implant.implant_year - months // 12 not in (
        0,
        1,
    ):
        detail = (
            "these months after the year of the implant are in another year: "
            "correct the year, the months or the implant"
        )
        faults.append(Fault("year", "year-and-months-disagree", detail))
    return tuple(faults)


def is_after_exit(implant: ImplantRecord, months: int, category: str) -> bool:
    """Whether a component's own complication comes after its implant's exit."""
    has_ended = implant.exit_status not in (None, ExitStatus.ACTIVE)
    after = months > implant.months_followed
    return has_ended and after and category in NO_DEVICE_TIME_AFTER_EXIT


def implant_faults(record: ImplantRecord, *, latest_year: int | None = None) -> tuple[Fault, ...]:
    """Lists every way in which an implant's row contradicts itself.

    latest_year: the current year; None allows any. Only the year of implant is known: follow-up
    is refused as future where it would be even for an implant in January.
    """
    faults: list[Fault] = []
    _year(record.implant_year, "implant_year", latest_year, faults)
    if latest_year is not None and not faults:
        years = latest_year - record.implant_year
        if record.months_followed // 12 > years:
            detail = (
                "so many months have not passed since the year of implant; give those that have"
            )
            faults.append(Fault("months_followed", "in-the-future", detail))
    if record.months_to_entry > record.months_followed:
        detail = "entry cannot come after the end of follow-up"
        faults.append(Fault("months_to_entry", "entry-after-follow-up", detail))
    return tuple(faults)


def exposure_faults(record: ExposureRecord, *, latest_year: int | None = None) -> tuple[Fault, ...]:
    """Lists every way in which a year's declared device time contradicts itself."""
    faults: list[Fault] = []
    _year(record.year, "year", latest_year, faults)
    if record.component_months > 12 * record.devices:
        detail = "a device has 12 months a year at the most"
        faults.append(Fault("component_months", "more-than-a-year", detail))
    return tuple(faults)


def _year(year: int, column: str, latest: int | None, faults: list[Fault]) -> None:
    if year < EARLIEST_YEAR:
        detail = f"no year before {EARLIEST_YEAR}: there were no implanted pumps"
        faults.append(Fault(column, "too-early", detail))
    elif latest is not None and year > latest:
        faults.append(Fault(column, "in-the-future", "this year has not begun"))
