"""Queries: what is asked about a report, what a site answers, and the rules that ask."""

from __future__ import annotations

from registry.vocabulary.code import Code


class QueryAsk(Code):
    """What is asked about one answer of a report; the field is named beside it."""

    MISSING = "missing", "Please complete it", "It is not recorded, and matters for this event."
    IMPLAUSIBLE = "implausible", "Is this right?", "It is unusual: correct it, or confirm it."
    CONTRADICTS = (
        "contradicts",
        "It contradicts another answer",
        "Two answers, or two reports, do not go together: correct one of them, or confirm both.",
    )
    NOT_SPECIFIC = (
        "not-specific",
        "Can it be said more exactly?",
        "A more specific answer of the list may fit.",
    )
    NOT_LINKED = (
        "not-linked",
        "Is another report missing?",
        "What led to this event, or what it led to, should be a report of its own.",
    )


class QueryAnswer(Code):
    """What the site says to a query."""

    CORRECTED = "corrected", "Corrected", "The report was changed."
    CONFIRMED = "confirmed", "Confirmed as it is", "Looked up, and right."
    NOT_KNOWN = "not-known", "Cannot be found out", "Looked for, and not known."


class QueryState(Code):
    """Where a query stands."""

    OPEN = "open", "Open", "Waits for the site."
    ANSWERED = "answered", "Answered", "Waits for a reviewer."
    CLOSED = "closed", "Closed", "Settled, by a reviewer or because the data were mended."


class QualityRule(Code):
    """A rule of data quality that asks by itself. Blank for a query raised by a person."""

    CAUSE_NOT_HANDED_IN = (
        "cause-not-handed-in",
        "Its cause is still a draft",
        "The event that is named as the cause is not submitted.",
    )
    CAUSE_NOT_COUNTED = (
        "cause-not-counted",
        "Its cause does not count",
        "The event that is named as the cause was rejected, withdrawn or is a duplicate.",
    )
    DEATH_EXIT_WITHOUT_EVENT = (
        "death-exit-without-event",
        "A related death without its event",
        "Follow-up ended by a death related to the system, and no fatal event is on file.",
    )
    END_WITHOUT_EVENT = (
        "end-without-event",
        "Ended for a complication without its event",
        "The implant was replaced for failure or explanted for a complication, and has no event.",
    )
    EXPLANT_WITHOUT_CONSEQUENCE = (
        "explant-without-consequence",
        "Explanted, without the explant as an event",
        "The system was taken out, and no revision or explant names this event as its cause.",
    )
    EXPOSURE_YEAR_MISSING = (
        "exposure-year-missing",
        "No device time in the year of the event",
        "The site declares its device time year by year, and has not declared this year.",
    )
    FATAL_WITHOUT_DEATH_EXIT = (
        "fatal-without-death-exit",
        "Fatal, and follow-up goes on",
        "The patient died, and no implant's follow-up ended by death.",
    )
    GRADE_4_NOT_LIFE_THREATENING = (
        "grade-4-not-life-threatening",
        "Grade 4 without life-threatening",
        "Grade 4 is life-threatening, and the criterion is not ticked.",
    )
    GRANULOMA_WITHOUT_OPIOID = (
        "granuloma-without-opioid",
        "Granuloma without an opioid",
        "Granulomas are known of opioids; no opioid is recorded.",
    )
    HOSPITALISED_GRADE_1 = (
        "hospitalised-grade-1",
        "Hospitalised at grade 1",
        "A mild event does not lead to hospital.",
    )
    INFECTION_WITHOUT_ORGANISM = (
        "infection-without-organism",
        "Infection without an organism",
        "Give the organism, or that there was no culture.",
    )
    MRI_STALL_WITHOUT_MRI = (
        "mri-stall-without-mri",
        "MRI-related, without an MRI",
        "An MRI-related complication has an MRI in the 24 hours before.",
    )
    NO_DEVICE_NAMED = (
        "no-device-named",
        "No device is named",
        "Neither the implant nor its model is recorded: the event has no denominator.",
    )
    OVERDOSE_WITHOUT_CAUSE = (
        "overdose-without-cause",
        "Overdose without a programming or refill cause",
        "An overdose comes of programming, refill, prescription, formulation or the pump.",
    )
    SAME_WITHIN_A_MONTH = (
        "same-within-a-month",
        "The same complication twice within a month",
        "Two reports of one patient may be of one event.",
    )
    SERIOUS_WITHOUT_INTERVENTION = (
        "serious-without-intervention",
        "Serious, and nothing about what was done",
        "What was done about a serious event is not recorded.",
    )
    SERIOUS_WITHOUT_OUTCOME = (
        "serious-without-outcome",
        "Serious, without an outcome",
        "The outcome of a serious event is not recorded.",
    )
    SEVERITY_MISSING = (
        "severity-missing",
        "No severity",
        "The worst grade is not recorded.",
    )
    WITHDRAWAL_LONG_AFTER_CAUSE = (
        "withdrawal-long-after-cause",
        "Withdrawal long after its cause",
        "Withdrawal comes within days of a loss of drug, and is more than a month later.",
    )
    WITHDRAWAL_OF_OTHER_DRUG = (
        "withdrawal-of-other-drug",
        "Withdrawal of a drug that was not given",
        "The drug of the withdrawal is not among those in the reservoir.",
    )
