"""How the follow-up of an implant ended, and what that means for a curve."""

from __future__ import annotations

from registry.vocabulary.code import Code


class ExitEffect(Code):
    """How the end of follow-up enters survival and incidence."""

    CENSORS = "censors", "Censors", "Follow-up ends; the event could still have come unseen."
    COMPETES = "competes", "Competes", "What happened keeps the event from coming."
    EXCLUDED = "excluded", "Excluded", "The implant should not have been followed at all."


class ExitStatus(Code):
    """Why follow-up of the implant ended, after Schiess et al. 2020, table 1, extended.

    `expects_event` marks the exits that should stand beside an event of their own; without one
    the registry asks. These two compete in incidence, and so does an elective explant: an explant
    for another cause keeps the event from coming. In freedom from the event (Kaplan-Meier) every
    end of follow-up censors.
    """

    effect: ExitEffect
    expects_event: bool

    ACTIVE = (
        "active",
        "Active",
        "Still followed; time ends at last contact.",
        ExitEffect.CENSORS,
    )
    REPLACED_END_OF_SERVICE = (
        "replaced-end-of-service",
        "Replaced at end of service",
        "Replaced because the battery or the service life ended as expected.",
        ExitEffect.CENSORS,
    )
    EXPLANT_ELECTIVE = (
        "explant-elective",
        "Elective explant",
        "Removed by choice, with no complication behind it.",
        ExitEffect.COMPETES,
    )
    CARE_TRANSFERRED = (
        "care-transferred",
        "Care transferred",
        "The patient moved to a site outside the registry.",
        ExitEffect.CENSORS,
    )
    SITE_CLOSED = (
        "site-closed",
        "Site closed",
        "The site stopped taking part.",
        ExitEffect.CENSORS,
    )
    LOST_TO_FOLLOW_UP = (
        "lost-to-follow-up",
        "Lost to follow-up",
        "The patient could no longer be reached.",
        ExitEffect.CENSORS,
    )
    NOT_AVAILABLE = (
        "not-available",
        "Not available",
        "The patient is known but cannot be followed further.",
        ExitEffect.CENSORS,
    )
    CONSENT_WITHDRAWN = (
        "consent-withdrawn",
        "Consent withdrawn",
        "The patient no longer agrees to take part.",
        ExitEffect.CENSORS,
    )
    WITHDRAWN_BY_PHYSICIAN = (
        "withdrawn-by-physician",
        "Withdrawn by physician",
        "The physician ended the patient's part in the registry.",
        ExitEffect.CENSORS,
    )
    REPLACED_FOR_FAILURE = (
        "replaced-for-failure",
        "Replaced for failure",
        "Replaced because the component failed.",
        ExitEffect.COMPETES,
        True,
    )
    EXPLANTED_FOR_COMPLICATION = (
        "explanted-for-complication",
        "Explanted for a complication",
        "Removed because of a complication.",
        ExitEffect.COMPETES,
        True,
    )
    THERAPY_DISCONTINUED = (
        "therapy-discontinued",
        "Therapy discontinued",
        "Intrathecal delivery ended for good, the component removed or left idle.",
        ExitEffect.COMPETES,
    )
    DEATH_RELATED = (
        "death-related",
        "Death, related",
        "The patient died, in relation to the system, its drug or a procedure.",
        ExitEffect.COMPETES,
    )
    DEATH_UNRELATED = (
        "death-unrelated",
        "Death, unrelated",
        "The patient died of something else.",
        ExitEffect.COMPETES,
    )
    DEATH_UNKNOWN = (
        "death-unknown",
        "Death, relation unknown",
        "The patient died, and a relation is not known.",
        ExitEffect.COMPETES,
    )
    ELIGIBILITY_NOT_MET = (
        "eligibility-not-met",
        "Eligibility not met",
        "Entered, but outside the registry's scope.",
        ExitEffect.EXCLUDED,
    )
    UNKNOWN = (
        "unknown",
        "Unknown",
        "Follow-up ended for a reason not known; counted apart.",
        ExitEffect.CENSORS,
    )

    @property
    def is_lost(self) -> bool:
        """Whether the device, or its patient, could still have been followed and was not."""
        return self.effect is ExitEffect.CENSORS and self not in (
            ExitStatus.ACTIVE,
            ExitStatus.REPLACED_END_OF_SERVICE,
        )

    def __init__(
        self,
        code: str,
        label: str,
        definition: str,
        effect: ExitEffect,
        expects_event: bool = False,
    ) -> None:
        self.effect = effect
        self.expects_event = expects_event
