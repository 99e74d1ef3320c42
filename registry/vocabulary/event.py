"""How an adverse event is graded, judged, found and treated.

Severity, seriousness and relatedness are three different things: how bad, whether it meets a
regulatory criterion, and what it is linked to.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Self

from registry.vocabulary.code import Code, Described


class Severity(Described, IntEnum):
    """The worst grade reached, after the generic grades of CTCAE version 5 (NCI, 2017)."""

    fhir_r4: str

    MILD = 1, "Mild", "Watched only; no treatment needed.", "mild"
    MODERATE = 2, "Moderate", "Minimal, local or non-invasive treatment needed.", "moderate"
    SEVERE = (
        3,
        "Severe",
        "Admission or limits to self-care, without an immediate threat to life.",
        "severe",
    )
    LIFE_THREATENING = 4, "Life-threatening", "Urgent treatment needed to save life.", "severe"
    DEATH = 5, "Death", "The person died of the event.", "severe"

    def __new__(cls, grade: int, label: str, definition: str, fhir_r4: str) -> Self:
        member = int.__new__(cls, grade)
        member._value_ = grade
        member.describe(label, definition)
        member.fhir_r4 = fhir_r4
        return member


class Seriousness(Code):
    """Which criteria of a serious event are met, several at once (EU MDR 2017/745, Art. 2(58))."""

    DEATH = "death", "Death", "The event led to death."
    LIFE_THREATENING = (
        "life-threatening",
        "Life-threatening",
        "Life was at risk at the time of the event, not hypothetically had it been worse.",
    )
    HOSPITALISATION = (
        "hospitalisation",
        "Hospitalisation",
        "Admission or a longer stay; an admission planned beforehand does not count.",
    )
    PERMANENT_IMPAIRMENT = (
        "permanent-impairment",
        "Permanent impairment",
        "Lasting damage to a body structure or function.",
    )
    INTERVENTION_TO_PREVENT = (
        "intervention-to-prevent",
        "Intervention to prevent",
        "Medical or surgical treatment to prevent a threat to life or permanent impairment.",
    )
    CHRONIC_DISEASE = (
        "chronic-disease",
        "Chronic disease",
        "The event led to a long-term disease.",
    )
    FETAL_CONGENITAL = (
        "fetal-congenital",
        "Fetal or congenital",
        "Fetal distress or death, or an impairment or defect present at birth.",
    )
    MEDICALLY_IMPORTANT = (
        "medically-important",
        "Medically important",
        "Judged important by a clinician though no other criterion is met.",
    )
    NONE = "none", "None of these: not serious", "Judged, and no criterion met. Stands alone."


class Relatedness(Code):
    """How firmly the event is linked to one possible cause (MDCG 2020-10/1 rev 1)."""

    NOT_RELATED = "not-related", "Not related", "A link can be excluded."
    POSSIBLE = "possible", "Possible", "A link is weak but cannot be ruled out."
    PROBABLE = (
        "probable",
        "Probable",
        "A link seems relevant, and nothing else explains the event reasonably.",
    )
    CAUSAL = "causal", "Causal", "A link is beyond reasonable doubt."
    NOT_ASSESSED = (
        "not-assessed",
        "Not assessed",
        "Nobody has judged the link; never merged with not related.",
    )


class Outcome(Code):
    """How the event stood at last contact, with its ICH E2B(R3) number (None for near misses)."""

    e2b_code: int | None

    RECOVERED = "recovered", "Recovered", "Resolved without lasting effect.", 1
    RECOVERING = "recovering", "Recovering", "Improving, not yet resolved.", 2
    NOT_RECOVERED = "not-recovered", "Not recovered", "Ongoing without improvement.", 3
    RECOVERED_SEQUELAE = (
        "recovered-sequelae",
        "Recovered with sequelae",
        "Resolved, with a lasting effect.",
        4,
    )
    FATAL = "fatal", "Fatal", "The person died, possibly in relation to the event.", 5
    UNKNOWN = "unknown", "Unknown", "Asked, and not known.", 0
    NOT_APPLICABLE = (
        "not-applicable",
        "Not applicable",
        "Nobody was harmed: the answer for a near miss.",
        None,
    )

    def __init__(self, code: str, label: str, definition: str, e2b_code: int | None) -> None:
        self.e2b_code = e2b_code


class Actuality(Code):
    """Whether the event reached a patient."""

    ACTUAL = "actual", "Actual", "The event happened to a patient."
    NEAR_MISS = (
        "near-miss",
        "Near miss",
        "The chain of causes was noticed and stopped before it reached a patient.",
    )


class YesNoUnknown(Code):
    """A plain question: MRI within 24 hours, alarm, implanted as designed."""

    YES = "yes", "Yes", "It was so."
    NO = "no", "No", "It was not so."
    UNKNOWN = "unknown", "Unknown", "Asked, and not known."


class Detection(Code):
    """What first led to the event being found."""

    SYMPTOM = "symptom", "Symptom", "The patient or a carer noticed a change."
    ALARM = "alarm", "Alarm", "The pump or its programmer sounded or showed an alarm."
    REFILL_VISIT = "refill-visit", "Refill visit", "Found at a refill, other than by its volume."
    REFILL_VOLUME_DISCREPANCY = (
        "refill-volume-discrepancy",
        "Refill volume discrepancy",
        "The volume drawn at a refill did not match the volume expected.",
    )
    ROUTINE_IMAGING = (
        "routine-imaging",
        "Routine imaging",
        "Imaging for surveillance or another reason, without symptoms.",
    )
    IMAGING_FOR_SYMPTOM = (
        "imaging-for-symptom",
        "Imaging for a symptom",
        "Imaging or a contrast study ordered because of a symptom.",
    )
    INTERROGATION_LOG = (
        "interrogation-log",
        "Interrogation log",
        "Read from the pump's own event log by telemetry.",
    )
    INTRA_OPERATIVE = "intra-operative", "Intra-operative", "Seen at surgery."
    LABORATORY = "laboratory", "Laboratory", "A culture, fluid or drug analysis."
    RETURNED_PRODUCT = (
        "returned-product",
        "Returned product",
        "The manufacturer's analysis of the explanted device.",
    )
    POST_MORTEM = "post-mortem", "Post mortem", "Found after death."
    OTHER = "other", "Other", "Found in a way not listed here."
    UNKNOWN = "unknown", "Unknown", "Asked, and not known."


class DaysSinceProcedure(Code):
    """Days from the last implant, revision or replacement to the event, as a band."""

    DAYS_0_7 = "0-7", "0 to 7 days", "The day of the procedure to day 7."
    DAYS_8_30 = "8-30", "8 to 30 days", "Day 8 to day 30 after the procedure."
    DAYS_31_60 = "31-60", "31 to 60 days", "Day 31 to day 60 after the procedure."
    DAYS_61_90 = "61-90", "61 to 90 days", "Day 61 to day 90 after the procedure."
    DAYS_91_365 = "91-365", "91 to 365 days", "Day 91 to day 365 after the procedure."
    OVER_365 = "over-365", "Over 365 days", "More than a year after the procedure."
    NOT_APPLICABLE = "not-applicable", "Not applicable", "No procedure came before the event."
    UNKNOWN = "unknown", "Unknown", "Asked, and not known."


class DaysSinceRefill(Code):
    """Days from the last refill to the event, as a band."""

    DAYS_0_1 = "0-1", "0 to 1 day", "The day of the refill or the day after."
    DAYS_2_7 = "2-7", "2 to 7 days", "Day 2 to day 7 after the refill."
    DAYS_8_30 = "8-30", "8 to 30 days", "Day 8 to day 30 after the refill."
    DAYS_31_90 = "31-90", "31 to 90 days", "Day 31 to day 90 after the refill."
    OVER_90 = "over-90", "Over 90 days", "More than 90 days after the refill."
    NOT_APPLICABLE = "not-applicable", "Not applicable", "No refill came before the event."
    UNKNOWN = "unknown", "Unknown", "Asked, and not known."


class VolumeDiscrepancy(Code):
    """How the volume drawn at refill compared with the volume the programmer expected."""

    NONE = "none", "No discrepancy", "Within the tolerance of the pump."
    MORE_LEFT_THAN_EXPECTED = (
        "more-left-than-expected",
        "More left than expected",
        "The reservoir held clearly more: too little was delivered.",
    )
    LESS_LEFT_THAN_EXPECTED = (
        "less-left-than-expected",
        "Less left than expected",
        "The reservoir held clearly less: too much was delivered, or drug was lost.",
    )
    NOT_MEASURED = "not-measured", "Not measured", "The volume was not drawn or not noted."
    UNKNOWN = "unknown", "Unknown", "Asked, and not known."


class Organism(Code):
    """What grew in culture where the event is or may be an infection."""

    STAPHYLOCOCCUS_AUREUS = (
        "staphylococcus-aureus",
        "Staphylococcus aureus",
        "Grown and sensitive to methicillin, or not tested for resistance.",
    )
    STAPHYLOCOCCUS_AUREUS_MRSA = (
        "staphylococcus-aureus-mrsa",
        "Staphylococcus aureus, MRSA",
        "Grown and resistant to methicillin.",
    )
    COAGULASE_NEGATIVE_STAPHYLOCOCCUS = (
        "coagulase-negative-staphylococcus",
        "Coagulase-negative staphylococcus",
        "Staphylococcus epidermidis and its relatives.",
    )
    CUTIBACTERIUM = (
        "cutibacterium",
        "Cutibacterium",
        "A Cutibacterium, formerly Propionibacterium; slow to grow.",
    )
    GRAM_NEGATIVE = "gram-negative", "Gram-negative", "Any Gram-negative bacterium."
    FUNGAL = "fungal", "Fungal", "Any yeast or mould."
    POLYMICROBIAL = "polymicrobial", "Polymicrobial", "More than one organism."
    OTHER = "other", "Other", "An organism not listed here."
    CULTURE_NEGATIVE = "culture-negative", "Culture negative", "Cultured, and nothing grew."
    NOT_CULTURED = "not-cultured", "Not cultured", "No culture was taken."
    UNKNOWN = "unknown", "Unknown", "Asked, and not known."


class State(Code):
    """Where an event stands between report and use; statistics take accepted events."""

    DRAFT = "draft", "Draft", "Being written by its site; may be incomplete."
    SUBMITTED = "submitted", "Submitted", "Handed in, waiting for review."
    ACCEPTED = "accepted", "Accepted", "Reviewed and taken into the statistics."
    REJECTED = "rejected", "Rejected", "Reviewed and not an event of this registry."
    DUPLICATE = "duplicate", "Duplicate", "Reviewed and already held under another report."
    WITHDRAWN = "withdrawn", "Withdrawn", "Taken back with a reason; kept, never deleted."


class WithdrawalReason(Code):
    """Why a report was rejected, reopened, withdrawn or discarded; `steps` says which."""

    steps: frozenset[str]

    ENTERED_IN_ERROR = (
        "entered-in-error",
        "Entered in error",
        "Should not have been entered, such as for the wrong implant.",
        "reject withdraw",
    )
    CONSENT_WITHDRAWN = (
        "consent-withdrawn",
        "Consent withdrawn",
        "The patient no longer agrees to take part.",
        "withdraw",
    )
    NOT_AN_EVENT = (
        "not-an-event",
        "Not an event",
        "On a second look, no adverse event: nothing is to be done.",
        "reject withdraw",
    )
    DUPLICATE_OF_OTHER = (
        "duplicate-of-other",
        "Duplicate of another",
        "The same event stands under another report: complete that one.",
        "reject withdraw",
    )
    OTHER = "other", "Other", "A reason not listed here.", "reject reopen withdraw"
    NOT_ENOUGH_INFORMATION = (
        "not-enough-information",
        "Not enough to judge it",
        "Complete what is not recorded, and ask for it to be reopened.",
        "reject",
    )
    NOT_CONFIRMED = (
        "not-confirmed",
        "Suspected, not confirmed",
        "Ask for it to be reopened once imaging, surgery or a culture confirmed it.",
        "reject",
    )
    WRONG_IMPLANT = (
        "wrong-implant",
        "Of another implant or patient",
        "Enter it anew for the implant that it happened to.",
        "reject withdraw",
    )
    EXPECTED_COURSE = (
        "expected-course",
        "Expected, not a complication",
        "A planned replacement or an expected effect: record it in the follow-up.",
        "reject withdraw",
    )
    OUT_OF_SCOPE = (
        "out-of-scope",
        "Outside this registry",
        "Not of an intrathecal system, or before the site took part.",
        "reject withdraw",
    )
    NEW_INFORMATION = (
        "new-information",
        "There is new information",
        "What became known since may change the verdict.",
        "reopen",
    )
    JUDGED_IN_ERROR = (
        "judged-in-error",
        "Judged in error",
        "The verdict was a mistake.",
        "reopen",
    )
    DISCARDED = (
        "discarded",
        "Discarded draft",
        "Its author threw it away before it was submitted.",
        "",
    )

    def __init__(self, code: str, label: str, definition: str, steps: str = "") -> None:
        self.steps = frozenset(steps.split())

    @classmethod
    def of_step(cls, step: str) -> list[WithdrawalReason]:
        """The reasons that a form offers for a step: reject, reopen or withdraw."""
        return [reason for reason in cls if step in reason.steps]
