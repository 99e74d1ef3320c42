"""What is kept about a patient: sex, age in bands, and why the system was implanted.

No birth year; the highest band is open, as the Safe Harbor rule asks (45 CFR 164.514(b)(2)).
"""

from __future__ import annotations

from registry.vocabulary.code import Code


class Sex(Code):
    """Sex as recorded at the site."""

    FEMALE = "female", "Female", "Recorded as female."
    MALE = "male", "Male", "Recorded as male."
    OTHER = "other", "Other", "Recorded as neither female nor male."
    UNKNOWN = "unknown", "Unknown", "Asked, and not known."


class AgeGroup(Code):
    """Age bands pooled for breakdowns."""

    CHILD = "child", "Child", "0 to 17 years."
    ADULT = "adult", "Adult", "18 to 64 years."
    OLDER = "older", "Older adult", "65 years and over."
    UNKNOWN = "unknown", "Unknown", "The age is not known."


class PooledAgeBand(Code):
    """Age at implant as statistics tell it: 80 and over is one band from the start.

    A band of 90 and over would hold, of those who were in their eighties, only the ones followed
    long enough to reach it.
    """

    group: AgeGroup

    AGE_0_5 = "0-5", "0 to 5 years", "Infant to preschool child.", AgeGroup.CHILD
    AGE_6_11 = "6-11", "6 to 11 years", "School child.", AgeGroup.CHILD
    AGE_12_17 = "12-17", "12 to 17 years", "Adolescent.", AgeGroup.CHILD
    AGE_18_39 = "18-39", "18 to 39 years", "Younger adult.", AgeGroup.ADULT
    AGE_40_64 = "40-64", "40 to 64 years", "Adult of middle age.", AgeGroup.ADULT
    AGE_65_79 = "65-79", "65 to 79 years", "Older adult.", AgeGroup.OLDER
    AGE_80_PLUS = "80-plus", "80 years and over", "Older adult, all ages over 79.", AgeGroup.OLDER
    UNKNOWN = "unknown", "Unknown", "Asked, and not known.", AgeGroup.UNKNOWN

    def __init__(self, code: str, label: str, definition: str, group: AgeGroup) -> None:
        self.group = group


def _as_pooled(band: PooledAgeBand) -> tuple[str, str, str, PooledAgeBand]:
    """The entry of a band that statistics tell as it is entered."""
    return band.value, band.label, band.definition, band


class AgeBand(Code):
    """Age at implant, in completed years, as a band; what a site enters.

    pooled: the band in which statistics tell it.
    """

    pooled: PooledAgeBand

    AGE_0_5 = _as_pooled(PooledAgeBand.AGE_0_5)
    AGE_6_11 = _as_pooled(PooledAgeBand.AGE_6_11)
    AGE_12_17 = _as_pooled(PooledAgeBand.AGE_12_17)
    AGE_18_39 = _as_pooled(PooledAgeBand.AGE_18_39)
    AGE_40_64 = _as_pooled(PooledAgeBand.AGE_40_64)
    AGE_65_79 = _as_pooled(PooledAgeBand.AGE_65_79)
    AGE_80_89 = (
        "80-89",
        "80 to 89 years",
        "Older adult, the last band with an end.",
        PooledAgeBand.AGE_80_PLUS,
    )
    AGE_90_PLUS = (
        "90-plus",
        "90 years and over",
        "All ages over 89 pooled, so that great age singles nobody out.",
        PooledAgeBand.AGE_80_PLUS,
    )
    UNKNOWN = _as_pooled(PooledAgeBand.UNKNOWN)

    def __init__(self, code: str, label: str, definition: str, pooled: PooledAgeBand) -> None:
        self.pooled = pooled

    @property
    def group(self) -> AgeGroup:
        """The wider band for breakdowns."""
        return self.pooled.group


class IndicationGroup(Code):
    """Indications pooled for breakdowns."""

    PAIN_NONCANCER = "pain-noncancer", "Pain, not cancer", "Chronic pain from a benign cause."
    PAIN_CANCER = "pain-cancer", "Cancer pain", "Pain from cancer or its treatment."
    SPASTICITY_CEREBRAL = (
        "spasticity-cerebral",
        "Spasticity of cerebral origin",
        "Spasticity from a lesion of the brain.",
    )
    SPASTICITY_SPINAL = (
        "spasticity-spinal",
        "Spasticity of spinal origin",
        "Spasticity from a lesion of the spinal cord.",
    )
    SPASTICITY_UNSPECIFIED = (
        "spasticity-unspecified",
        "Spasticity, origin not specified",
        "Spasticity whose origin was not given.",
    )
    DYSTONIA = "dystonia", "Dystonia", "Dystonia of any cause."
    COMBINED = "combined", "Combined", "Pain and spasticity together."
    OTHER = "other", "Other", "Another indication, or not known."


class Indication(Code):
    """Why the system was implanted."""

    group: IndicationGroup

    FAILED_BACK_SURGERY = (
        "failed-back-surgery",
        "Failed back surgery (PSPS type 2)",
        "Persistent spinal pain after spinal surgery.",
        IndicationGroup.PAIN_NONCANCER,
    )
    DEGENERATIVE_SPINE = (
        "degenerative-spine",
        "Degenerative spine disease",
        "Axial or radicular pain from degeneration of the spine.",
        IndicationGroup.PAIN_NONCANCER,
    )
    SPINAL_STENOSIS = (
        "spinal-stenosis",
        "Spinal stenosis",
        "Pain from a narrowed spinal canal.",
        IndicationGroup.PAIN_NONCANCER,
    )
    CRPS = (
        "crps",
        "Complex regional pain syndrome",
        "Type I or II, reflex sympathetic dystrophy included.",
        IndicationGroup.PAIN_NONCANCER,
    )
    NEUROPATHIC_PERIPHERAL = (
        "neuropathic-peripheral",
        "Peripheral neuropathic pain",
        "Pain from a lesion of peripheral nerve, polyneuropathy included.",
        IndicationGroup.PAIN_NONCANCER,
    )
    NEUROPATHIC_CENTRAL = (
        "neuropathic-central",
        "Central neuropathic pain",
        "Pain from a lesion of brain or cord.",
        IndicationGroup.PAIN_NONCANCER,
    )
    NEUROPATHIC_UNSPECIFIED = (
        "neuropathic-unspecified",
        "Neuropathic pain, not specified",
        "Neuropathic pain, peripheral or central not given.",
        IndicationGroup.PAIN_NONCANCER,
    )
    ARACHNOIDITIS = (
        "arachnoiditis",
        "Arachnoiditis",
        "Pain from inflammation and scarring of the arachnoid.",
        IndicationGroup.PAIN_NONCANCER,
    )
    VERTEBRAL_FRACTURE = (
        "vertebral-fracture",
        "Vertebral fracture",
        "Pain from a fractured vertebra, osteoporotic or traumatic.",
        IndicationGroup.PAIN_NONCANCER,
    )
    CHRONIC_PANCREATITIS_VISCERAL = (
        "chronic-pancreatitis-visceral",
        "Chronic pancreatitis or visceral pain",
        "Benign pain from an internal organ.",
        IndicationGroup.PAIN_NONCANCER,
    )
    ARTHRITIS = (
        "arthritis",
        "Arthritis",
        "Pain from inflamed or worn joints.",
        IndicationGroup.PAIN_NONCANCER,
    )
    PHANTOM_POSTAMPUTATION = (
        "phantom-postamputation",
        "Phantom or post-amputation pain",
        "Pain in a lost limb or its stump.",
        IndicationGroup.PAIN_NONCANCER,
    )
    OTHER_PAIN_NONCANCER = (
        "other-pain-noncancer",
        "Other pain, not cancer",
        "Chronic benign pain not listed here.",
        IndicationGroup.PAIN_NONCANCER,
    )
    CANCER_DIRECT = (
        "cancer-direct",
        "Pain from cancer",
        "Pain from the tumour or its metastases.",
        IndicationGroup.PAIN_CANCER,
    )
    CANCER_TREATMENT = (
        "cancer-treatment",
        "Pain from cancer treatment",
        "Pain after surgery, radiation or drugs against cancer.",
        IndicationGroup.PAIN_CANCER,
    )
    OTHER_PAIN_CANCER = (
        "other-pain-cancer",
        "Other cancer pain",
        "Pain in cancer of another or a mixed cause.",
        IndicationGroup.PAIN_CANCER,
    )
    CEREBRAL_PALSY = (
        "cerebral-palsy",
        "Cerebral palsy",
        "Spasticity from an early, non-progressive lesion of the brain.",
        IndicationGroup.SPASTICITY_CEREBRAL,
    )
    STROKE = (
        "stroke",
        "Stroke",
        "Spasticity after cerebral infarction or haemorrhage.",
        IndicationGroup.SPASTICITY_CEREBRAL,
    )
    TRAUMATIC_BRAIN_INJURY = (
        "traumatic-brain-injury",
        "Traumatic brain injury",
        "Spasticity after injury to the brain.",
        IndicationGroup.SPASTICITY_CEREBRAL,
    )
    HYPOXIC_BRAIN_INJURY = (
        "hypoxic-brain-injury",
        "Hypoxic brain injury",
        "Spasticity after lack of oxygen to the brain.",
        IndicationGroup.SPASTICITY_CEREBRAL,
    )
    OTHER_SPASTICITY_CEREBRAL = (
        "other-spasticity-cerebral",
        "Other spasticity of cerebral origin",
        "A cerebral cause not listed here.",
        IndicationGroup.SPASTICITY_CEREBRAL,
    )
    MULTIPLE_SCLEROSIS = (
        "multiple-sclerosis",
        "Multiple sclerosis",
        "Spasticity in multiple sclerosis.",
        IndicationGroup.SPASTICITY_SPINAL,
    )
    SPINAL_CORD_INJURY = (
        "spinal-cord-injury",
        "Spinal cord injury",
        "Spasticity after injury to the cord, paraplegia included.",
        IndicationGroup.SPASTICITY_SPINAL,
    )
    HEREDITARY_SPASTIC_PARAPLEGIA = (
        "hereditary-spastic-paraplegia",
        "Hereditary spastic paraplegia",
        "Spasticity in an inherited disease of the long tracts.",
        IndicationGroup.SPASTICITY_SPINAL,
    )
    TUMOUR_OR_MYELOPATHY = (
        "tumour-or-myelopathy",
        "Tumour or myelopathy",
        "Spasticity from a tumour or a disease of the cord.",
        IndicationGroup.SPASTICITY_SPINAL,
    )
    OTHER_SPASTICITY_SPINAL = (
        "other-spasticity-spinal",
        "Other spasticity of spinal origin",
        "A spinal cause not listed here.",
        IndicationGroup.SPASTICITY_SPINAL,
    )
    SPASTICITY_UNSPECIFIED = (
        "spasticity-unspecified",
        "Spasticity, not specified",
        "Spasticity, cerebral or spinal origin not given.",
        IndicationGroup.SPASTICITY_UNSPECIFIED,
    )
    DYSTONIA = (
        "dystonia",
        "Dystonia",
        "Generalised or segmental dystonia.",
        IndicationGroup.DYSTONIA,
    )
    PAIN_AND_SPASTICITY = (
        "pain-and-spasticity",
        "Pain and spasticity",
        "Implanted for both pain and spasticity.",
        IndicationGroup.COMBINED,
    )
    OTHER = "other", "Other", "An indication not listed here.", IndicationGroup.OTHER
    UNKNOWN = "unknown", "Unknown", "Asked, and not known.", IndicationGroup.OTHER

    def __init__(self, code: str, label: str, definition: str, group: IndicationGroup) -> None:
        self.group = group
