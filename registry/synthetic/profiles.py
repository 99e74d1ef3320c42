"""What reports of each kind of complication say: how bad, why, how found, what was done.

Shares are plausible assumptions without a source; no rate depends on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from registry.vocabulary import Detection, Intervention, RootCause

RELATED: Mapping[str, tuple[float, ...]] = {
    "never": (0.84, 0.10, 0.01, 0.0, 0.05),
    "maybe": (0.30, 0.42, 0.15, 0.03, 0.10),
    "likely": (0.02, 0.18, 0.42, 0.34, 0.04),
}
"""Strength of the link to a cause: shares of the codes of Relatedness, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportProfile:
    """The distribution of answers in reports of one kind.

    grades: shares of grades 1 to 4. related: to device, procedure, drug, programming and disease,
    keys of RELATED. The others: shares of the codes; interventions come in sets.
    """

    grades: tuple[float, float, float, float]
    related: tuple[str, str, str, str, str]
    causes: Mapping[RootCause, float]
    detections: Mapping[Detection, float]
    interventions: Mapping[frozenset[Intervention], float]


def _sets(*shares: tuple[float, *tuple[Intervention, ...]]) -> dict[frozenset[Intervention], float]:
    return {frozenset(codes): share for share, *codes in shares}


I, C, D = Intervention, RootCause, Detection  # noqa: E741 - tables read best with short names

PROFILES: Mapping[str, ReportProfile] = {
    "infection": ReportProfile(
        grades=(0.05, 0.35, 0.5, 0.1),
        related=("maybe", "likely", "never", "never", "maybe"),
        causes={C.INFECTION_PERIOPERATIVE: 0.7, C.INFECTION_HAEMATOGENOUS: 0.1, C.UNKNOWN: 0.2},
        detections={D.SYMPTOM: 0.7, D.REFILL_VISIT: 0.15, D.LABORATORY: 0.15},
        interventions=_sets(
            (0.6, I.ANTIBIOTICS),
            (0.25, I.ANTIBIOTICS, I.WOUND_CARE),
            (0.15, I.ANTIBIOTICS, I.ASPIRATION_DRAINAGE),
        ),
    ),
    "catheter": ReportProfile(
        grades=(0.08, 0.42, 0.45, 0.05),
        related=("likely", "maybe", "never", "never", "never"),
        causes={
            C.DEVICE_WEAR_OR_END_OF_LIFE: 0.3,
            C.SURGICAL_TECHNIQUE: 0.2,
            C.ANATOMY_OR_BODY_GROWTH: 0.15,
            C.PATIENT_MANIPULATION_OR_TRAUMA: 0.1,
            C.UNKNOWN: 0.15,
            C.NOT_INVESTIGATED: 0.1,
        },
        detections={
            D.SYMPTOM: 0.4,
            D.IMAGING_FOR_SYMPTOM: 0.35,
            D.REFILL_VISIT: 0.1,
            D.INTRA_OPERATIVE: 0.1,
            D.ROUTINE_IMAGING: 0.05,
        },
        interventions=_sets(
            (0.5, I.IMAGING_DIAGNOSTIC),
            (0.3, I.IMAGING_DIAGNOSTIC, I.DOSE_CHANGE),
            (0.2, I.NONE_OBSERVATION),
        ),
    ),
    "pump": ReportProfile(
        grades=(0.15, 0.4, 0.38, 0.07),
        related=("likely", "never", "never", "maybe", "never"),
        causes={
            C.DEVICE_DESIGN_OR_MANUFACTURE: 0.3,
            C.DEVICE_WEAR_OR_END_OF_LIFE: 0.35,
            C.DEVICE_INTERACTION_EXTERNAL_FIELD: 0.1,
            C.OFF_LABEL_ADMIXTURE: 0.05,
            C.UNKNOWN: 0.2,
        },
        detections={
            D.ALARM: 0.4,
            D.INTERROGATION_LOG: 0.2,
            D.SYMPTOM: 0.2,
            D.REFILL_VOLUME_DISCREPANCY: 0.15,
            D.RETURNED_PRODUCT: 0.05,
        },
        interventions=_sets(
            (0.4, I.REPROGRAMMING),
            (0.3, I.ORAL_OR_IV_SUBSTITUTION),
            (0.3, I.NONE_OBSERVATION),
        ),
    ),
    "programming-refill": ReportProfile(
        grades=(0.4, 0.38, 0.15, 0.07),
        related=("never", "maybe", "maybe", "likely", "never"),
        causes={
            C.PROGRAMMING_ERROR: 0.4,
            C.REFILL_TECHNIQUE: 0.3,
            C.PRESCRIBING_ERROR: 0.1,
            C.COMMUNICATION_OR_HANDOVER: 0.1,
            C.DRUG_FORMULATION_OR_COMPOUNDING: 0.05,
            C.MISSED_FOLLOW_UP: 0.05,
        },
        detections={D.SYMPTOM: 0.45, D.REFILL_VISIT: 0.35, D.REFILL_VOLUME_DISCREPANCY: 0.2},
        interventions=_sets(
            (0.45, I.REPROGRAMMING),
            (0.25, I.RESERVOIR_REFILL_CORRECTED),
            (0.15, I.RESERVOIR_EMPTIED, I.REPROGRAMMING),
            (0.15, I.NONE_OBSERVATION),
        ),
    ),
    "surgical": ReportProfile(
        grades=(0.3, 0.5, 0.18, 0.02),
        related=("maybe", "likely", "never", "never", "maybe"),
        causes={C.SURGICAL_TECHNIQUE: 0.5, C.ANATOMY_OR_BODY_GROWTH: 0.2, C.UNKNOWN: 0.3},
        detections={D.SYMPTOM: 0.85, D.INTRA_OPERATIVE: 0.1, D.IMAGING_FOR_SYMPTOM: 0.05},
        interventions=_sets(
            (0.5, I.NONE_OBSERVATION),
            (0.2, I.BLOOD_PATCH),
            (0.2, I.WOUND_CARE),
            (0.1, I.ASPIRATION_DRAINAGE),
        ),
    ),
    "neurological": ReportProfile(
        grades=(0.1, 0.35, 0.47, 0.08),
        related=("maybe", "maybe", "likely", "never", "maybe"),
        causes={C.DRUG_PHARMACOLOGY: 0.4, C.SURGICAL_TECHNIQUE: 0.2, C.UNKNOWN: 0.4},
        detections={D.IMAGING_FOR_SYMPTOM: 0.5, D.SYMPTOM: 0.35, D.ROUTINE_IMAGING: 0.15},
        interventions=_sets(
            (0.5, I.IMAGING_DIAGNOSTIC, I.DOSE_CHANGE),
            (0.3, I.DRUG_CHANGE),
            (0.2, I.NONE_OBSERVATION),
        ),
    ),
    "drug-effect": ReportProfile(
        grades=(0.4, 0.45, 0.12, 0.03),
        related=("never", "never", "likely", "maybe", "maybe"),
        causes={C.DRUG_PHARMACOLOGY: 0.8, C.PRESCRIBING_ERROR: 0.1, C.UNKNOWN: 0.1},
        detections={D.SYMPTOM: 0.8, D.REFILL_VISIT: 0.15, D.LABORATORY: 0.05},
        interventions=_sets(
            (0.45, I.DOSE_CHANGE),
            (0.3, I.NONE_OBSERVATION),
            (0.15, I.DRUG_CHANGE),
            (0.1, I.DOSE_CHANGE, I.ORAL_OR_IV_SUBSTITUTION),
        ),
    ),
    "withdrawal": ReportProfile(
        grades=(0.1, 0.4, 0.38, 0.12),
        related=("maybe", "never", "likely", "maybe", "never"),
        causes={C.DEVICE_WEAR_OR_END_OF_LIFE: 0.4, C.MISSED_FOLLOW_UP: 0.2, C.UNKNOWN: 0.4},
        detections={D.SYMPTOM: 0.95, D.REFILL_VISIT: 0.05},
        interventions=_sets(
            (0.6, I.ORAL_OR_IV_SUBSTITUTION),
            (0.2, I.ORAL_OR_IV_SUBSTITUTION, I.INTENSIVE_CARE),
            (0.2, I.DOSE_CHANGE),
        ),
    ),
    "consequence": ReportProfile(
        grades=(0.02, 0.28, 0.68, 0.02),
        related=("likely", "maybe", "never", "never", "never"),
        causes={C.DEVICE_WEAR_OR_END_OF_LIFE: 0.5, C.UNKNOWN: 0.5},
        detections={D.INTRA_OPERATIVE: 0.5, D.SYMPTOM: 0.5},
        interventions=_sets(
            (0.6, I.CATHETER_REVISION), (0.25, I.POCKET_REVISION), (0.15, I.PUMP_REVISION)
        ),
    ),
    "explant": ReportProfile(
        grades=(0.0, 0.1, 0.8, 0.1),
        related=("likely", "likely", "never", "never", "maybe"),
        causes={C.INFECTION_PERIOPERATIVE: 0.7, C.UNKNOWN: 0.3},
        detections={D.SYMPTOM: 0.8, D.LABORATORY: 0.2},
        interventions=_sets(
            (0.7, I.SYSTEM_EXPLANT_NO_REPLACEMENT), (0.3, I.SYSTEM_EXPLANT_DELAYED_REIMPLANT)
        ),
    ),
    "death": ReportProfile(
        grades=(0.25, 0.25, 0.25, 0.25),
        related=("never", "never", "never", "never", "likely"),
        causes={C.UNKNOWN: 0.6, C.NOT_INVESTIGATED: 0.4},
        detections={D.SYMPTOM: 0.5, D.POST_MORTEM: 0.1, D.UNKNOWN: 0.4},
        interventions=_sets(
            (0.8, I.NONE_OBSERVATION), (0.1, I.INTENSIVE_CARE), (0.1, I.THERAPY_STOPPED)
        ),
    ),
    "end-of-service": ReportProfile(
        grades=(0.8, 0.2, 0.0, 0.0),
        related=("likely", "never", "never", "never", "never"),
        causes={C.DEVICE_WEAR_OR_END_OF_LIFE: 1.0},
        detections={D.ALARM: 0.2, D.INTERROGATION_LOG: 0.8},
        interventions=_sets((1.0, I.PUMP_REPLACEMENT)),
    ),
}
"""By category, and by complication where it differs from its category."""

OWN_PROFILE: Mapping[str, str] = {
    "death": "death",
    "explant-unplanned": "explant",
    "pump-end-of-service": "end-of-service",
}
"""Complications with a profile of their own."""
