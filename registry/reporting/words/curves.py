"""Describes curves over months since implant, in words for clinicians."""

from registry.reporting.asking.spec import Question
from registry.vocabulary import Profile

LIMITS = {
    None: "limits on the log(-log) scale (Kalbfleisch and Prentice 2002)",
    "log": "limits on the log scale",
    "plain": "limits on the plain scale, cut off at 0 and 1",
}
KAPLAN_MEIER = "Kaplan-Meier (1958), Greenwood's variance (1926), {limits}."
AALEN_JOHANSEN = (
    "Aalen-Johansen (1978), variance by the delta method (Marubini and Valsecchi 1995), limits on "
    "the log(-log) scale (Choudhury 2002)."
)
LIFE_TABLE = (
    "Interval life table (actuarial method, Berkson and Gage 1950) from perturbed numbers at fixed "
    "months, Greenwood's variance (1926) with that of the perturbation added, limits on the "
    "log(-log) scale. Limits of the median are months told; those of the restricted mean allow for "
    "whatever the curve does between two of them."
)
INCIDENCE_TABLE = (
    "Multiple-decrement life table (Chiang 1968) from perturbed numbers at fixed months, the other "
    "ends competing all together; variance by the delta method with that of the perturbation "
    "added, limits on the log(-log) scale. Limits of the median are months told."
)
TESTED = (
    "Groups are compared by the log-rank test (Mantel-Haenszel form) over all follow-up; it "
    "assumes independent devices."
)

GRAY = (
    "Groups are compared by Gray's test (1988) over all follow-up; it assumes independent devices "
    "that were followed from implantation."
)
MEDIANS = (
    "Limits of medians after Brookmeyer and Crowley (1982); those of restricted means by the same "
    "variances."
)

MONTHS = (
    "Months are whole months since each device's own implantation; the curve begins before the "
    "events of its first month."
)
LATE = (
    "A device that entered late is at risk from the month after its entry: left truncation, not "
    "time without an event."
)
FEW = "A curve stops where fewer than 10 are at risk."
UNSTABLE = "A curve of fewer than 20 events is marked unstable."
CENSORED = (
    "Freedom is cause-specific: death, explant for another cause and every other end of follow-up "
    "censor. One minus freedom is not the probability of the event; ask for incidence."
)
COMPETES = (
    "Death, explant for another cause (an elective one too) and the end of therapy compete; "
    "normal battery depletion, where it is not the event, transfer, site closure and loss to "
    "follow-up censor. An event in the month in which follow-up ended came first."
)
OF_PATIENT = (
    "The complication is the patient's: a pump that he or she had later is not at risk, on its own "
    "clock, after the first event."
)
OF_PATIENTS = (
    "the variance robust to patients (infinitesimal jackknife, as R's survfit with cluster, times "
    "n / (n - 1) of n patients)"
)
OF_SITES = (
    "that of the jackknife that leaves out a site at a time, of ten sites or more, with Student's "
    "t (Lipsitz and Parzen 1996)"
)
ROBUST = {
    None: " Each limit is the widest of three: by that variance, by {patients}, and by {sites}; "
    "the JSON says which of each curve.",
    "patient": " Limits are by {patients}, where a curve has ten patients or more and some have "
    "several devices.",
    "site": " Limits are by {sites}; of fewer sites by {patients}, where they are wider.",
}
ALLOWED_FOR = (
    "Limits allow for patients with several devices, and for how sites differ where a curve has "
    "ten or more."
)
OF_PATIENTS_ALONE = "Limits allow for patients with several devices, and not for how sites differ."
CLUSTERED = "Limits assume independent devices, though a patient may have several."
AT_BOUNDARIES = (
    "Given at 0, 1, 3, 6, 12, 24, 36, 60 and 84 months. Within an interval devices that left count "
    "for half of it; devices that entered late count from the next of these months on."
)
CROWDED = (
    "An event that crowds towards the end of an interval, as normal battery depletion does, comes "
    "out too rare where many had left before, by more than the limits say."
)


def kaplan_meier(question: Question) -> str:
    """The method of a curve of freedom and of its limits."""
    said = KAPLAN_MEIER.format(limits=LIMITS[question.query.ci])
    said += _robust(question)
    said = f"{said} {MEDIANS}"
    return f"{said} {TESTED}" if question.query.group_by else said


def _robust(question: Question) -> str:
    return ROBUST[question.query.cluster].format(patients=OF_PATIENTS, sites=OF_SITES)


def aalen_johansen(question: Question) -> str:
    """The method of a curve of incidence and of its limits."""
    said = AALEN_JOHANSEN + _robust(question)
    return f"{said} {GRAY}" if question.query.group_by else said


def curve_denominator(question: Question) -> str:
    """Who is at risk, and on which clock."""
    clocks = {str(part.clock) for part in question.parts}
    if len(clocks) > 1:
        return "devices at risk, each on its own clock"
    clock = clocks.pop()
    return f"{clock}s at risk, on the {clock}'s clock"


def curve_warnings(question: Question, profile: Profile, *, ends: str) -> list[str]:
    """The warnings of a curve. ends: the sentence on other ends of follow-up."""
    said = [MONTHS, LATE, FEW, UNSTABLE, ends]
    if profile is Profile.PROTECTED:
        said = [MONTHS, AT_BOUNDARIES, CROWDED, UNSTABLE, ends]
    if any(part.per_patient for part in question.parts):
        said.append(OF_PATIENT)
    if profile is Profile.PROTECTED:
        return [*said, CLUSTERED]
    return [*said, OF_PATIENTS_ALONE if question.query.cluster == "patient" else ALLOWED_FOR]
