"""The true hazards of a synthetic registry: what happens, how often, and when.

Values come from the published rates of the catalogue (`sources` names them); where no rate was
published, `sources` is empty and the value is an assumption of plausible size. Shapes follow
clinical experience: infections and leaks soon after a procedure, catheter faults at a steady rate,
wear and granuloma late, programming and refill errors at refills.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from registry.vocabulary import ExitStatus

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

PERIOPERATIVE_MONTHS = 3.0
"""Months within which a procedure's own complications occur: 90 days, as rates count them."""

DAYS_PER_MONTH = 365.25 / 12


class Basis(StrEnum):
    """What a hazard's value is per."""

    MONTH = "month"
    PROCEDURE = "procedure"
    REFILL = "refill"


class Stratum(StrEnum):
    """Patients with the same therapy, and so the same drug hazards and mortality."""

    OPIOID_NONCANCER = "opioid-noncancer"
    OPIOID_CANCER = "opioid-cancer"
    BACLOFEN = "baclofen"
    ZICONOTIDE = "ziconotide"
    NON_OPIOID = "non-opioid"


STRATA: tuple[Stratum, ...] = tuple(Stratum)
EVERYONE = frozenset(Stratum)
OPIOID = frozenset({Stratum.OPIOID_NONCANCER, Stratum.OPIOID_CANCER})
BACLOFEN = frozenset({Stratum.BACLOFEN})
ZICONOTIDE = frozenset({Stratum.ZICONOTIDE})
NOT_CANCER_PAIN = frozenset({Stratum.OPIOID_NONCANCER, Stratum.ZICONOTIDE, Stratum.NON_OPIOID})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """One way in which one complication arises.

    value: per month, the cumulative hazard after one month, so that it is value * t ** shape
    after t months on the component's clock (patient's clock for death); shape 1 is a constant
    hazard per month. Per procedure or refill: the chance of the event after one.
    mean_delay: months from the procedure to the event, exponential and cut at three months.
    settled: acts only from three months after the last procedure on (late infection).
    replaced, repaired, explanted: shares of the events that lead to that surgery.
    """

    complication: str
    per: Basis
    value: float
    shape: float = 1.0
    mean_delay: float = 0.5
    settled: bool = False
    among: frozenset[Stratum] = EVERYONE
    replaced: float = 0.0
    repaired: float = 0.0
    explanted: float = 0.0
    sources: tuple[str, ...] = ()

    @property
    def operated(self) -> float:
        """The share of the events that lead to surgery."""
        return self.replaced + self.repaired + self.explanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """One event that causes another in the same patient, a few days later."""

    causes: frozenset[str]
    complication: str
    chance: float
    among: frozenset[Stratum] = EVERYONE


def _month(complication: str, value: float, *sources: str, **more: object) -> Hazard:
    return Hazard(
        complication=complication,
        per=Basis.MONTH,
        value=value,
        sources=sources,
        **more,  # type: ignore[arg-type]
    )


def _procedure(complication: str, value: float, *sources: str, **more: object) -> Hazard:
    return Hazard(
        complication=complication,
        per=Basis.PROCEDURE,
        value=value,
        sources=sources,
        **more,  # type: ignore[arg-type]
    )


def _refill(complication: str, value: float, *sources: str) -> Hazard:
    return Hazard(complication=complication, per=Basis.REFILL, value=value, sources=sources)


HAZARDS: tuple[Hazard, ...] = (
    # Infection: 3 to 5 % per procedure early, about 1 % a year late.
    _procedure("infection-pocket", 0.014, "R097", "R010", mean_delay=0.9, explanted=0.7),
    _procedure("infection-wound-superficial", 0.012, "R069", "R096", mean_delay=0.5),
    _procedure("infection-catheter-tract", 0.003, mean_delay=0.9, explanted=0.6),
    _procedure("infection-meningitis", 0.006, "R048", "R087", mean_delay=0.7, explanted=0.5),
    _procedure("infection-sepsis", 0.001, mean_delay=0.6, explanted=0.4),
    _procedure("spinal-epidural-abscess", 0.0005, mean_delay=1.0, explanted=0.8),
    _month("infection-pocket", 0.0006, "R025", "R045", "R047", settled=True, explanted=0.7),
    _month("infection-meningitis", 0.0001, settled=True, explanted=0.5),
    # Surgical and pocket.
    _procedure("csf-leak", 0.033, "R011", mean_delay=0.4, repaired=0.15),
    _procedure("pdph", 0.229, "R040", mean_delay=0.15),
    _procedure("seroma-pocket", 0.020, mean_delay=0.5),
    _procedure("hematoma-pocket", 0.008, mean_delay=0.2, repaired=0.2),
    _procedure("hemorrhage-procedural", 0.009, "R098", mean_delay=0.1),
    _procedure("wound-dehiscence", 0.012, mean_delay=0.7, repaired=0.5),
    _procedure("anaesthesia-complication", 0.003, mean_delay=0.05),
    _procedure("perioperative-medical", 0.010, mean_delay=0.3),
    _procedure("procedure-aborted", 0.003, mean_delay=0.02),
    _procedure("low-csf-pressure", 0.005, mean_delay=0.8),
    _month("skin-erosion", 0.00015, shape=1.2, explanted=0.5, repaired=0.4),
    _month("pocket-pain", 0.0010, shape=0.7, repaired=0.1),
    # Neurological.
    _procedure("nerve-root-injury", 0.004, "R099", mean_delay=0.1),
    _procedure("spinal-hematoma", 0.0005, mean_delay=0.1),
    _procedure("intracranial-hemorrhage", 0.0003, mean_delay=0.2),
    _month("granuloma", 3.7e-6, "R039", shape=2.2, among=OPIOID, replaced=0.6, repaired=0.2),
    _month("meningitis-aseptic", 0.00005),
    _month("arachnoiditis", 0.00003, shape=1.5),
    _month("seizure", 0.0003, among=BACLOFEN),
    # Catheter: 0.03 per pump-year together, at a steady rate.
    _month("catheter-migration", 0.00100, "R053", "R004", replaced=0.35, repaired=0.5),
    _month("catheter-fracture", 0.00030, "R053", "R005", replaced=0.6, repaired=0.3),
    _month("catheter-occlusion", 0.00030, "R053", "R006", replaced=0.6, repaired=0.2),
    _month("catheter-disconnection", 0.00030, "R053", "R094", replaced=0.2, repaired=0.7),
    _month("catheter-kink", 0.00020, "R053", "R007", replaced=0.3, repaired=0.5),
    _month("catheter-leak", 0.00020, "R053", replaced=0.5, repaired=0.4),
    _month("catheter-malposition", 0.00005, "R053", repaired=0.6),
    _month("catheter-malfunction-unspecified", 0.00015, "R053", replaced=0.5),
    # Pump: 0.009 per pump-year together; stall from wear, service life of six to seven years.
    _month("pump-motor-stall", 3.0e-5, "R075", "R055", shape=1.6, replaced=0.7),
    _month("pump-mri-stall", 0.00010),
    _month("pump-battery-depletion-early", 0.00008, "R055", replaced=0.95),
    _month("pump-over-infusion", 0.00003, "R055", replaced=0.3),
    _month("pump-under-infusion", 0.00008, "R055", replaced=0.4),
    _month("pump-flip", 0.00006, "R009", "R100", repaired=0.8),
    _month("pump-septum-leak", 0.00004, "R055", replaced=0.8),
    _month("pump-telemetry-fault", 0.00010, "R055", replaced=0.3),
    _month("pump-malfunction-unspecified", 0.00006, "R055", replaced=0.5),
    _month("pump-end-of-service", 82.0**-9, "R033", shape=9.0, replaced=1.0),
    # Programming and refill.
    _refill("programming-error-overdose", 0.00080, "R093"),
    _refill("programming-error-underdose", 0.00060),
    _refill("refill-pocket-fill", 0.00010, "R072"),
    _refill("refill-wrong-port", 0.00004),
    _refill("refill-wrong-drug", 0.00010),
    _refill("reservoir-contamination", 0.00030, "R071"),
    _refill("drug-precipitation", 0.00010),
    _refill("refill-access-failure", 0.0040),
    _refill("refill-overfill", 0.00030),
    _month("refill-missed-empty-reservoir", 0.00040),
    # Drug effects.
    _month("constipation", 0.0120, shape=0.6, among=OPIOID),
    _month("pruritus", 0.0080, shape=0.5, among=OPIOID),
    _month("urinary-retention", 0.0060, shape=0.5, among=OPIOID),
    _month("nausea-vomiting", 0.0150, "R089", shape=0.5, among=OPIOID),
    _month("peripheral-oedema", 0.0030, "R084", shape=1.1, among=OPIOID),
    _month("hypogonadism", 0.0025, "R082", shape=1.2, among=OPIOID),
    _month("opioid-induced-hyperalgesia", 0.0001, shape=1.3, among=OPIOID),
    _month("respiratory-depression", 0.0004, shape=0.5, among=OPIOID),
    _month("sedation", 0.0080, "R088", shape=0.7, among=BACLOFEN),
    _month("weakness-hypotonia", 0.0090, shape=0.7, among=BACLOFEN),
    _month("psychiatric-effect", 0.0200, "R085", shape=0.7, among=ZICONOTIDE),
    _month("cognitive-gait-effect", 0.0500, "R086", shape=0.7, among=ZICONOTIDE),
    _month("hypotension-bradycardia", 0.0010, shape=0.6),
    _month("tolerance-loss-of-effect", 0.00025, shape=1.3),
    _month("drug-overdose", 0.0002, "R102"),
    _month("drug-hypersensitivity", 0.00005, shape=0.7),
    _month("fall", 0.0008),
    # Withdrawal without a fault; most withdrawals follow a fault (see CONSEQUENCES).
    _month("baclofen-withdrawal", 0.0002, "R101", among=BACLOFEN),
    _month("opioid-withdrawal", 0.0001, among=OPIOID),
    _month("clonidine-withdrawal", 0.0002, among=frozenset({Stratum.NON_OPIOID})),
    # Death on the patient's clock: 0.39 % by one month and 3.89 % by one year without cancer.
    _month("death", 0.0039, "R037", "R038", shape=0.934, among=NOT_CANCER_PAIN),
    _month("death", 0.0600, "R035", among=frozenset({Stratum.OPIOID_CANCER})),
    _month("death", 0.0016, "R029", among=BACLOFEN),
)

NEAR_MISSES: tuple[Hazard, ...] = (
    _refill("programming-error-overdose", 0.0010),
    _refill("programming-error-underdose", 0.0006),
    _refill("refill-wrong-drug", 0.0006),
    _refill("refill-pocket-fill", 0.0003),
)
"""Near misses per refill; no rate counts them."""

_DELIVERY_LOST = frozenset(
    {
        "catheter-migration",
        "catheter-disconnection",
        "catheter-fracture",
        "catheter-occlusion",
        "catheter-leak",
        "catheter-kink",
        "pump-motor-stall",
        "pump-under-infusion",
        "pump-battery-depletion-early",
        "refill-missed-empty-reservoir",
    }
)

CONSEQUENCES: tuple[Consequence, ...] = (
    Consequence(
        causes=_DELIVERY_LOST, complication="baclofen-withdrawal", chance=0.35, among=BACLOFEN
    ),
    Consequence(causes=_DELIVERY_LOST, complication="opioid-withdrawal", chance=0.2, among=OPIOID),
    Consequence(causes=_DELIVERY_LOST, complication="underdose-symptom-return", chance=0.3),
    Consequence(
        causes=frozenset({"programming-error-underdose"}),
        complication="underdose-symptom-return",
        chance=0.5,
    ),
    Consequence(
        causes=frozenset(
            {
                "programming-error-overdose",
                "refill-pocket-fill",
                "refill-wrong-port",
                "refill-wrong-drug",
                "pump-over-infusion",
            }
        ),
        complication="drug-overdose",
        chance=0.55,
    ),
    Consequence(
        causes=frozenset({"drug-overdose"}),
        complication="respiratory-depression",
        chance=0.25,
        among=OPIOID,
    ),
    Consequence(
        causes=frozenset({"drug-overdose"}), complication="sedation", chance=0.4, among=BACLOFEN
    ),
    Consequence(
        causes=frozenset({"baclofen-withdrawal"}), complication="rhabdomyolysis", chance=0.03
    ),
    Consequence(causes=frozenset({"granuloma"}), complication="spinal-cord-injury", chance=0.12),
    Consequence(causes=frozenset({"csf-leak"}), complication="low-csf-pressure", chance=0.1),
    Consequence(causes=frozenset({"weakness-hypotonia"}), complication="fall", chance=0.1),
)
"""Causes precede their effects: the order in which consequences are drawn."""

DELIVERY_WITHDRAWAL = frozenset({"baclofen-withdrawal", "opioid-withdrawal"})
"""In an episode, revision follows the withdrawal if there is one, else the fault."""

DEATH = "death"
END_OF_SERVICE = "pump-end-of-service"
REVISION = "revision-surgery"
EXPLANT = "explant-unplanned"
RETAINED_FRAGMENT = "catheter-retained-fragment"
FATAL_CAUSE = "respiratory-depression"

LATE_FRAGMENT_CHANCE = 0.02
"""Chance of a retained catheter piece after an explant, outside device time."""

DEATH_RELATED, DEATH_UNKNOWN = 0.03, 0.15
"""Shares of deaths under an opioid that relate to the therapy, and of deaths that cannot be
judged."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """An end of follow-up other than a complication, at a constant hazard per month."""

    exit_status: ExitStatus
    value: float


LEAVING: tuple[Leaving, ...] = (
    Leaving(ExitStatus.THERAPY_DISCONTINUED, 0.0012),
    Leaving(ExitStatus.LOST_TO_FOLLOW_UP, 0.0008),
    Leaving(ExitStatus.CARE_TRANSFERRED, 0.0006),
    Leaving(ExitStatus.EXPLANT_ELECTIVE, 0.0003),
    Leaving(ExitStatus.CONSENT_WITHDRAWN, 0.0001),
    Leaving(ExitStatus.WITHDRAWN_BY_PHYSICIAN, 0.0001),
    Leaving(ExitStatus.NOT_AVAILABLE, 0.0001),
    Leaving(ExitStatus.UNKNOWN, 0.0001),
)


def accrued(hazard: Hazard, since: Floats | float, until: Floats) -> Floats:
    """Cumulative hazard per unit of multiplier between two times on the clock, in months."""
    start = np.asarray(since, dtype=np.float64)
    return hazard.value * (np.power(until, hazard.shape) - np.power(start, hazard.shape))


def next_time(
    rng: np.random.Generator, values: Floats, shapes: Floats | float, since: Floats | float
) -> Floats:
    """Draw when hazards value * t ** shape next act after `since`; infinity where the value is 0.

    values, shapes and since broadcast; times are months on the same clock.
    """
    values, shapes, start = np.broadcast_arrays(values, shapes, since)
    drawn = rng.exponential(size=values.shape)
    with np.errstate(divide="ignore"):
        time: Floats = np.power(
            np.power(start, shapes) + np.where(values > 0, drawn / values, np.inf), 1 / shapes
        )
    return time


def delay_reached(hazard: Hazard, months: Floats) -> Floats:
    """Share of a procedure's events within a number of months after it, at most 1."""
    rate = 1 / hazard.mean_delay
    within = np.clip(months, 0, PERIOPERATIVE_MONTHS)
    reached: Floats = np.expm1(-rate * within) / np.expm1(-rate * PERIOPERATIVE_MONTHS)
    return reached


def draw_delay(rng: np.random.Generator, hazard: Hazard, size: tuple[int, ...]) -> Floats:
    """Draw months from a procedure to its event: exponential, cut at three months."""
    rate = 1 / hazard.mean_delay
    share = rng.random(size) * -np.expm1(-rate * PERIOPERATIVE_MONTHS)
    delay: Floats = -np.log1p(-share) / rate
    return delay
