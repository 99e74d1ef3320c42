"""What was done about an adverse event, and what brought it about."""

from __future__ import annotations

from registry.vocabulary.code import Code


class Intervention(Code):
    """What was done about the event, several at once."""

    NONE_OBSERVATION = "none-observation", "Observation only", "Watched; nothing was done."
    IMAGING_DIAGNOSTIC = (
        "imaging-diagnostic",
        "Diagnostic imaging",
        "Radiograph, CT, MRI, nuclear or contrast study of the system or spine.",
    )
    REPROGRAMMING = "reprogramming", "Reprogramming", "Pump settings changed, other than the dose."
    DOSE_CHANGE = "dose-change", "Dose change", "Daily dose raised or lowered."
    DRUG_CHANGE = "drug-change", "Drug change", "Drug, mixture or concentration changed."
    RESERVOIR_EMPTIED = "reservoir-emptied", "Reservoir emptied", "Drug taken out of the reservoir."
    RESERVOIR_REFILL_CORRECTED = (
        "reservoir-refill-corrected",
        "Refill corrected",
        "Reservoir emptied and filled again as ordered.",
    )
    CSF_DRAINAGE = (
        "csf-drainage",
        "CSF drainage",
        "Cerebrospinal fluid withdrawn or drained, to lower pressure or wash out drug.",
    )
    REVERSAL_AGENT = "reversal-agent", "Reversal agent", "An antidote given, such as naloxone."
    ORAL_OR_IV_SUBSTITUTION = (
        "oral-or-iv-substitution",
        "Oral or intravenous substitution",
        "Drug given by another route to cover what the pump did not deliver.",
    )
    ANTIBIOTICS = (
        "antibiotics",
        "Antibiotics",
        "Antibacterial or antifungal treatment by any route.",
    )
    ASPIRATION_DRAINAGE = (
        "aspiration-drainage",
        "Aspiration or drainage",
        "A collection in the pocket or wound drawn off or drained.",
    )
    BLOOD_PATCH = "blood-patch", "Blood patch", "Epidural blood or fibrin patch."
    DURAL_REPAIR = "dural-repair", "Dural repair", "The dura closed at surgery."
    WOUND_CARE = "wound-care", "Wound care", "Dressings or binder, without surgery."
    WOUND_REVISION = (
        "wound-revision",
        "Wound revision",
        "An incision reopened, cleaned or reclosed.",
    )
    POCKET_REVISION = (
        "pocket-revision",
        "Pocket revision",
        "The pocket opened, reshaped or moved; the pump stays in use.",
    )
    CATHETER_REVISION = (
        "catheter-revision",
        "Catheter revision",
        "The catheter repaired, moved or replaced in part.",
    )
    CATHETER_REPLACEMENT = (
        "catheter-replacement",
        "Catheter replacement",
        "The whole catheter replaced.",
    )
    TEMPORARY_CATHETER = (
        "temporary-catheter",
        "Temporary catheter",
        "A catheter with an external pump bridges the therapy.",
    )
    PUMP_REVISION = (
        "pump-revision",
        "Pump revision",
        "The same pump turned, refixed or reconnected.",
    )
    PUMP_REPLACEMENT = "pump-replacement", "Pump replacement", "The pump replaced by another."
    SYSTEM_EXPLANT_NO_REPLACEMENT = (
        "system-explant-no-replacement",
        "System explanted for good",
        "Pump, catheter or both removed, with no new system intended.",
    )
    SYSTEM_EXPLANT_DELAYED_REIMPLANT = (
        "system-explant-delayed-reimplant",
        "System explanted, reimplant later",
        "Pump, catheter or both removed, with a later reimplant done or intended.",
    )
    DECOMPRESSIVE_SURGERY = (
        "decompressive-surgery",
        "Decompressive surgery",
        "Spinal surgery to relieve pressure on cord or roots.",
    )
    INTENSIVE_CARE = (
        "intensive-care",
        "Intensive care",
        "Care in an intensive or high-dependency unit.",
    )
    THERAPY_STOPPED = "therapy-stopped", "Therapy stopped", "Intrathecal delivery ended for good."
    OTHER = "other", "Other", "Something not listed here was done."
    UNKNOWN = "unknown", "Unknown", "Asked, and not known."


class RootCause(Code):
    """What brought the event about, as far as anybody found out."""

    DEVICE_DESIGN_OR_MANUFACTURE = (
        "device-design-or-manufacture",
        "Device design or manufacture",
        "A flaw in how the device was designed or made.",
    )
    DEVICE_WEAR_OR_END_OF_LIFE = (
        "device-wear-or-end-of-life",
        "Device wear or end of life",
        "Fatigue, corrosion or depletion in service.",
    )
    DEVICE_DAMAGE_IN_HANDLING = (
        "device-damage-in-handling",
        "Device damage in handling",
        "Damage at implant, revision, access or transport.",
    )
    DEVICE_INTERACTION_EXTERNAL_FIELD = (
        "device-interaction-external-field",
        "External field",
        "Magnetic field, radiation, diathermy or another outside energy.",
    )
    SURGICAL_TECHNIQUE = (
        "surgical-technique",
        "Surgical technique",
        "How the system was placed, anchored, tunnelled or closed.",
    )
    ANATOMY_OR_BODY_GROWTH = (
        "anatomy-or-body-growth",
        "Anatomy or growth",
        "Body shape, deformity, growth or weight change.",
    )
    PATIENT_MANIPULATION_OR_TRAUMA = (
        "patient-manipulation-or-trauma",
        "Manipulation or trauma",
        "Handling of the device through the skin, a fall or a blow.",
    )
    INFECTION_PERIOPERATIVE = (
        "infection-perioperative",
        "Perioperative infection",
        "Organisms brought in at surgery, access or refill.",
    )
    INFECTION_HAEMATOGENOUS = (
        "infection-haematogenous",
        "Haematogenous infection",
        "Organisms carried by the blood from another site.",
    )
    DRUG_FORMULATION_OR_COMPOUNDING = (
        "drug-formulation-or-compounding",
        "Formulation or compounding",
        "Wrong strength, contamination, instability or precipitation of the infusate.",
    )
    DRUG_PHARMACOLOGY = (
        "drug-pharmacology",
        "Drug pharmacology",
        "An effect of the drug at the dose and strength intended.",
    )
    OFF_LABEL_ADMIXTURE = (
        "off-label-admixture",
        "Off-label admixture",
        "A drug or mixture that the pump or the drug is not labelled for.",
    )
    PRESCRIBING_ERROR = "prescribing-error", "Prescribing error", "The order itself was wrong."
    PROGRAMMING_ERROR = (
        "programming-error",
        "Programming error",
        "The pump was set otherwise than ordered.",
    )
    REFILL_TECHNIQUE = (
        "refill-technique",
        "Refill technique",
        "How the needle or the refill was handled.",
    )
    MISSED_FOLLOW_UP = (
        "missed-follow-up",
        "Missed follow-up",
        "A refill, check or replacement was missed or late.",
    )
    COMMUNICATION_OR_HANDOVER = (
        "communication-or-handover",
        "Communication or handover",
        "What one carer knew did not reach another.",
    )
    NOT_INVESTIGATED = "not-investigated", "Not investigated", "Nobody looked for the cause."
    UNKNOWN = "unknown", "Unknown", "Looked for, and not found."
