"""The words of a statistical question and of its answer."""

from __future__ import annotations

from registry.vocabulary.code import Code


class Origin(Code):
    """The part of the therapy from which a complication arises, according to the catalogue."""

    DRUG = "drug", "Drug", "The infused drug."
    PROCEDURE = "procedure", "Procedure", "Surgery, puncture or anaesthesia."
    PATIENT = "patient", "Patient", "The patient's body or disease."
    CATHETER = "catheter", "Catheter", "The catheter or its joints."
    PUMP = "pump", "Pump", "The pump, its alarm or its programmer."
    PROGRAMMING = "programming", "Programming", "Prescribing, programming or refilling."


class Denominator(Code):
    """What a rate divides by."""

    PUMP_MONTHS = "pump-months", "Pump-months", "Months that pumps were followed."
    CATHETER_MONTHS = "catheter-months", "Catheter-months", "Months that catheters were followed."
    PROCEDURES = "procedures", "Procedures", "Implants, revisions and replacements."
    REFILLS = "refills", "Refills", "Refills of the reservoir."


class Evidence(Code):
    """How well the source behind a catalogue entry was read."""

    SEEN = "seen", "Seen", "The source itself was read."
    ABSTRACT = "abstract", "Abstract", "The source's abstract was read."
    UNVERIFIED = "unverified", "Unverified", "Recalled; the source was not read."
    CONVENTION = "convention", "Convention", "Set by this registry, not by a source."


class DatePrecision(Code):
    """The precision with which a deployment stores the time of an event."""

    YEAR = "year", "Year", "The year only, as the Safe Harbor rule asks."
    MONTH = "month", "Month", "The year and the month."


class SnapshotKind(Code):
    """Whether frozen data were published."""

    WORKING = "working", "Working snapshot", "The latest freeze; replaced by the next one."
    RELEASE = "release", "Release", "Published under a label; immutable and citable."


class CountingRule(Code):
    """The unit of counting."""

    EVENTS = "events", "Events", "Every event counts."
    EPISODES = "episodes", "Episodes", "Events that one another caused count once."
    FIRST_EVENT = (
        "first_event",
        "First events",
        "A device's first event ever counts; its time ends there.",
    )
    FIRST_IN_ROW = (
        "first_in_row",
        "First events of each row",
        "A device's first event in each row counts; its time in the row ends there.",
    )
    DEVICES = "devices", "Devices", "Devices with at least one event."
    PATIENTS = "patients", "Patients", "Patients with at least one event."

    @property
    def of_firsts(self) -> bool:
        """Whether a device, or a patient, counts with its first event alone."""
        return self in (CountingRule.FIRST_EVENT, CountingRule.FIRST_IN_ROW)


class Measure(Code):
    """A statistic."""

    COUNTS = "counts", "Counts", "How many events, devices or patients."
    RATES = "rates", "Rates", "Events per unit of device time, procedures or refills."
    PROPORTIONS = "proportions", "Proportions", "The share of patients with at least one event."
    SURVIVAL = "survival", "Survival", "Freedom from the event over time (Kaplan-Meier)."
    INCIDENCE = (
        "incidence",
        "Cumulative incidence",
        "Probability of the event over time with competing risks (Aalen-Johansen).",
    )
    BURDEN = "burden", "Burden", "The mean number of events a device by month (recurrences too)."
    COMPARISON = (
        "comparison",
        "Comparison",
        "Rate ratios and differences of groups, crude and adjusted.",
    )
    FUNNEL = "funnel", "Funnel", "Sites against what their exposure lets expect."
    TREND = "trend", "Trend", "How a rate changes from period to period."
    SIGNALS = "signals", "Signals", "Models or drugs with more events than the others."
    CASCADES = "cascades", "Cascades", "Which complications cause which."
    COVERAGE = "coverage", "Coverage", "How much of the registry a rate rests on."


class PublishedMeasure(Code):
    """The kind of number in a source; only equal kinds are compared."""

    PROPORTION = "proportion", "Proportion", "People, devices or procedures with it, of all."
    RATE = "rate", "Rate", "Events per unit of time."
    SHARE = "share", "Share", "One kind's part of all complications, reports or claims: no risk."
    PREVALENCE = "prevalence", "Prevalence", "Those who had it when they were looked at, of all."
    SURVIVAL = "survival", "Survival", "The part still free of it at a stated time."
    FAILURE = "failure", "Failure", "The part that failed by a stated time."


class Profile(Code):
    """How numbers leave the registry; it follows from the caller, never from a parameter."""

    EXACT = "exact", "Exact", "True numbers, logged."
    PROTECTED = "protected", "Protected", "Perturbed, and hidden where small."


class CellStatus(Code):
    """Why a cell shows a number or does not."""

    OK = "ok", "Shown", "The number stands."
    ZERO = "zero", "Zero", "No event was recorded."
    SUPPRESSED = "suppressed", "Suppressed", "Hidden because its count is small, or none."
    HIDDEN = "hidden", "Hidden", "Hidden for another reason than its count; see the reason."
    PARTIAL = "partial", "Partial", "A sum from which hidden cells were left out."
    NO_DENOMINATOR = "no_denominator", "No denominator", "No exposure to divide by."
    UNSTABLE = "unstable", "Unstable", "A rate from fewer than 20 events."


LEAST_SHOWN = 11
"""The smallest count that protected answers show, as CMS and PCORnet do (cells under 11)."""


class HiddenReason(Code):
    """Why a number is hidden for another reason than its count.

    Each follows from shown numbers, from perturbed numbers and a published minimum, or from the
    kind of cell; none reveals anything about a count.
    """

    POPULATION = (
        "population",
        "Too few patients or devices",
        "Fewer patients or devices than a published number may have behind it.",
    )
    EXPOSURE = (
        "exposure",
        "Too little to divide by",
        "Less device time, or fewer procedures or refills, than a published rate divides by.",
    )
    PARTS = (
        "parts",
        "No part is shown",
        "A sum of cells that are all hidden; what hides each is not given.",
    )
    MARGINS = (
        "margins",
        "A total is hidden",
        "A total that the cell is compared with is hidden, so that nothing can be compared.",
    )
    CURVE = (
        "curve",
        "No curve can be shown",
        "Fewer devices at the start than a curve needs, or no interval whose events are shown.",
    )
    CURVE_JOINED = (
        "curve-joined",
        "Joined with the next months",
        "Too few events, or too few other ends, in these months: they are in the next shown value.",
    )
    CURVE_END = (
        "curve-end",
        "The curve has ended",
        "Too few devices at risk, or too few events, from the last shown value on.",
    )
