"""The patients of a synthetic registry, and the factors on their hazards."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from registry.catalogue import ComplicationEntry
from registry.synthetic.hazards import (
    DEATH,
    END_OF_SERVICE,
    STRATA,
    Flags,
    Floats,
    Hazard,
    Ints,
    Stratum,
)
from registry.synthetic.sites import SyntheticSite
from registry.vocabulary import CatheterModel, Drug, Indication, LabelStatus, PumpModel, Sex

DATA_END = 26.5 * 12
"""The registry's data end in the middle of 2026, in calendar months since 2000."""

EPOCH = 2000

FAULTY_MODEL = PumpModel.OTHER_PROGRAMMABLE
"""The faulty pump is no real product: nothing here is a finding about one."""

FAULTY_FACTOR = 4.0
OFF_LABEL_STALL_FACTOR = 2.9
CHILD_FACTOR = 2.0
REINFORCED_CATHETER_FACTOR = 0.6

_EARLIEST_ENTRY, _LATEST_ENTRY = 4.0, 96.0

_INDICATIONS: dict[Stratum, dict[Indication, float]] = {
    Stratum.OPIOID_NONCANCER: {
        Indication.FAILED_BACK_SURGERY: 0.52,
        Indication.DEGENERATIVE_SPINE: 0.1,
        Indication.SPINAL_STENOSIS: 0.07,
        Indication.CRPS: 0.09,
        Indication.NEUROPATHIC_PERIPHERAL: 0.07,
        Indication.VERTEBRAL_FRACTURE: 0.04,
        Indication.CHRONIC_PANCREATITIS_VISCERAL: 0.03,
        Indication.ARACHNOIDITIS: 0.02,
        Indication.OTHER_PAIN_NONCANCER: 0.06,
    },
    Stratum.OPIOID_CANCER: {
        Indication.CANCER_DIRECT: 0.85,
        Indication.CANCER_TREATMENT: 0.11,
        Indication.OTHER_PAIN_CANCER: 0.04,
    },
    Stratum.BACLOFEN: {
        Indication.CEREBRAL_PALSY: 0.22,
        Indication.MULTIPLE_SCLEROSIS: 0.26,
        Indication.SPINAL_CORD_INJURY: 0.22,
        Indication.TRAUMATIC_BRAIN_INJURY: 0.09,
        Indication.STROKE: 0.08,
        Indication.HYPOXIC_BRAIN_INJURY: 0.04,
        Indication.HEREDITARY_SPASTIC_PARAPLEGIA: 0.04,
        Indication.DYSTONIA: 0.05,
    },
    Stratum.ZICONOTIDE: {
        Indication.FAILED_BACK_SURGERY: 0.5,
        Indication.CRPS: 0.25,
        Indication.NEUROPATHIC_CENTRAL: 0.25,
    },
    Stratum.NON_OPIOID: {
        Indication.FAILED_BACK_SURGERY: 0.6,
        Indication.NEUROPATHIC_UNSPECIFIED: 0.2,
        Indication.PAIN_AND_SPASTICITY: 0.2,
    },
}
_CHILD_INDICATIONS: dict[Indication, float] = {
    Indication.CEREBRAL_PALSY: 0.74,
    Indication.HYPOXIC_BRAIN_INJURY: 0.09,
    Indication.TRAUMATIC_BRAIN_INJURY: 0.06,
    Indication.DYSTONIA: 0.08,
    Indication.HEREDITARY_SPASTIC_PARAPLEGIA: 0.03,
}
_DRUGS: dict[Stratum, dict[Drug, float]] = {
    Stratum.OPIOID_NONCANCER: {
        Drug.MORPHINE: 0.55,
        Drug.HYDROMORPHONE: 0.3,
        Drug.FENTANYL: 0.1,
        Drug.SUFENTANIL: 0.05,
    },
    Stratum.OPIOID_CANCER: {Drug.MORPHINE: 0.7, Drug.HYDROMORPHONE: 0.25, Drug.FENTANYL: 0.05},
    Stratum.BACLOFEN: {Drug.BACLOFEN: 1.0},
    Stratum.ZICONOTIDE: {Drug.ZICONOTIDE: 1.0},
    Stratum.NON_OPIOID: {Drug.BUPIVACAINE: 0.55, Drug.CLONIDINE: 0.45},
}
_MEAN_AGE: dict[Stratum, tuple[float, float]] = {
    Stratum.OPIOID_NONCANCER: (57.0, 13.0),
    Stratum.OPIOID_CANCER: (61.0, 12.0),
    Stratum.BACLOFEN: (44.0, 14.0),
    Stratum.ZICONOTIDE: (54.0, 12.0),
    Stratum.NON_OPIOID: (57.0, 13.0),
}
AGE_EDGES = (6, 12, 18, 40, 65, 80, 90)
"""Lower age limits of the bands of AgeBand, from the second."""

_ON_LABEL = (Drug.MORPHINE, Drug.BACLOFEN, Drug.ZICONOTIDE)


@dataclass(slots=True)
class Population:
    """Patients as columns; codes are positions in their list's declaration order.

    implanted: first implant, calendar months since 2000. entry: months from it to the start of
    follow-up, 0 where it starts at the first implant. Follow-up ends at DATA_END at the latest.
    age: years at first implant. adjuncts: packed set, 0 for none. refill_interval: months.
    refill_phase: how far into an interval follow-up starts.
    """

    site: Ints
    stratum: Ints
    sex: Ints
    indication: Ints
    age: Floats
    implanted: Floats
    entry: Floats
    drug: Ints
    adjuncts: Ints
    label: Ints
    programmable: Flags
    refill_interval: Floats
    refill_phase: Floats
    site_factor: Floats

    def __len__(self) -> int:
        return len(self.site)

    def first(self, count: int) -> Population:
        """The first `count` patients."""
        return Population(*(getattr(self, field.name)[:count] for field in fields(self)))

    def ages_at(self, patients: Ints, months: Floats) -> Ints:
        """Age bands, as positions in AgeBand, a number of months after the first implant."""
        years = self.age[patients] + months / 12
        bands: Ints = np.searchsorted(AGE_EDGES, years, side="right")
        return bands


def draw_patients(
    rng: np.random.Generator, count: int, sites: tuple[SyntheticSite, ...]
) -> Population:
    """Draw patients across the sites, in random order.

    About one in six was implanted before the site opened, or elsewhere, and enters late; others
    implanted then who left before are not in the registry (left truncation).
    """
    weights = np.array([site.weight for site in sites])
    site = rng.choice(len(sites), count, p=weights / weights.sum())
    stratum = np.zeros(count, dtype=np.int64)
    child = np.zeros(count, dtype=bool)
    for number, profile in enumerate(sites):
        here = np.flatnonzero(site == number)
        stratum[here] = rng.choice(len(STRATA), here.size, p=profile.strata)
        baclofen = stratum[here] == STRATA.index(Stratum.BACLOFEN)
        child[here] = baclofen & (rng.random(here.size) < profile.children)
    implanted, entry = _draw_times(rng, site, stratum, sites)
    indication = np.zeros(count, dtype=np.int64)
    drug = np.zeros(count, dtype=np.int64)
    age = np.zeros(count)
    for number, name in enumerate(STRATA):
        here = np.flatnonzero(stratum == number)
        indication[here] = _draw(rng, _INDICATIONS[name], here.size)
        drug[here] = _draw(rng, _DRUGS[name], here.size)
        mean, spread = _MEAN_AGE[name]
        age[here] = np.clip(rng.normal(mean, spread, here.size), 18, 97)
    young = np.flatnonzero(child)
    indication[young] = _draw(rng, _CHILD_INDICATIONS, young.size)
    age[young] = np.clip(rng.normal(10.5, 3.8, young.size), 2, 17.9)
    adjuncts, label = _draw_mixture(rng, stratum, drug)
    return Population(
        site=site,
        stratum=stratum,
        sex=_draw(rng, {Sex.FEMALE: 0.519, Sex.MALE: 0.48, Sex.OTHER: 0.001}, count),
        indication=indication,
        age=age,
        implanted=implanted,
        entry=entry,
        drug=drug,
        adjuncts=adjuncts,
        label=label,
        programmable=rng.random(count) < 0.9,
        refill_interval=rng.uniform(1.2, 4.0, count),
        refill_phase=rng.random(count),
        site_factor=np.array([profile.factor for profile in sites])[site],
    )


def _draw_times(
    rng: np.random.Generator, site: Ints, stratum: Ints, sites: tuple[SyntheticSite, ...]
) -> tuple[Floats, Floats]:
    count = site.size
    opened = np.array([profile.opened for profile in sites], dtype=np.float64)[site]
    seen = opened + rng.random(count) * (DATA_END - 1.0 - opened)
    entry = np.zeros(count)
    declares = np.array([profile.declares for profile in sites])[site]
    may_be_late = ~declares & (stratum != STRATA.index(Stratum.OPIOID_CANCER))
    before = may_be_late & (rng.random(count) < 0.10)
    referred = may_be_late & ~before & (rng.random(count) < 0.06)
    late = before | referred
    entry[late] = rng.uniform(_EARLIEST_ENTRY, _LATEST_ENTRY, int(late.sum()))
    follow_from = np.where(before, opened, seen)
    return follow_from - entry, entry


def _draw_mixture(rng: np.random.Generator, stratum: Ints, drug: Ints) -> tuple[Ints, Ints]:
    """Adjuncts and label status: opioids are often mixed, other drugs seldom."""
    count = stratum.size
    opioid = (stratum == STRATA.index(Stratum.OPIOID_NONCANCER)) | (
        stratum == STRATA.index(Stratum.OPIOID_CANCER)
    )
    mixed = opioid & (rng.random(count) < 0.3)
    adjuncts = np.where(mixed, 1 << Drug.BUPIVACAINE.bit, 0)
    adjuncts |= np.where(mixed & (rng.random(count) < 0.2), 1 << Drug.CLONIDINE.bit, 0)
    labelled = np.isin(drug, [name.bit for name in _ON_LABEL])
    label = np.where(labelled, LabelStatus.ON_LABEL_MONO.bit, LabelStatus.OFF_LABEL_MONO.bit)
    return adjuncts, np.where(mixed, LabelStatus.OFF_LABEL_ADMIXTURE.bit, label)


def draw_pump_models(rng: np.random.Generator, placed: Floats, programmable: Flags) -> Ints:
    """Models on the market when the pump was placed, as positions in PumpModel."""
    chosen = rng.random(placed.size)
    larger = rng.random(placed.size) < 0.45
    first = placed < 4 * 12
    latest = (placed > 23.7 * 12) & (rng.random(placed.size) < 0.7)
    synchromed = np.select(
        [first, latest],
        [
            PumpModel.SYNCHROMED_EL.bit,
            np.where(larger, PumpModel.SYNCHROMED_III_40.bit, PumpModel.SYNCHROMED_III_20.bit),
        ],
        np.where(larger, PumpModel.SYNCHROMED_II_40.bit, PumpModel.SYNCHROMED_II_20.bit),
    )
    prometra = (chosen < 0.12) & (placed > 12 * 12)
    models = np.select(
        [chosen > 0.88, prometra],
        [FAULTY_MODEL.bit, PumpModel.PROMETRA_II_20.bit],
        synchromed,
    )
    constant = np.where(chosen < 0.5, PumpModel.CODMAN_3000.bit, PumpModel.TRICUMED_IP_SERIES.bit)
    return np.where(programmable, models, constant)


def draw_catheter_models(rng: np.random.Generator, placed: Floats) -> Ints:
    """Models on the market when the catheter was placed, as positions in CatheterModel."""
    chosen = rng.random(placed.size)
    late = placed > 12.5 * 12
    return np.select(
        [late & (chosen < 0.7), chosen < 0.8, chosen < 0.9, chosen < 0.97],
        [
            CatheterModel.ASCENDA.bit,
            CatheterModel.INDURA_1P.bit,
            CatheterModel.MEDTRONIC_TWO_PIECE.bit,
            CatheterModel.SURESTREAM.bit,
        ],
        CatheterModel.OTHER_SILICONE.bit,
    )


def multiplier(
    hazard: Hazard,
    entry: ComplicationEntry,
    population: Population,
    patients: Ints,
    models: Ints,
) -> Floats:
    """The factor on a hazard for each device; 0 where the hazard does not apply.

    entry: the catalogue's entry of the complication. models: of the devices on its clock. Death and
    the expected end of service have no site or model factor.
    """
    among = np.array([stratum in hazard.among for stratum in STRATA], dtype=np.float64)
    factor: Floats = among[population.stratum[patients]]
    if hazard.complication == DEATH:
        return factor
    if hazard.complication == END_OF_SERVICE:
        return factor * population.programmable[patients]
    factor = factor * population.site_factor[patients]
    if entry.category == "pump":
        factor = factor * np.where(models == FAULTY_MODEL.bit, FAULTY_FACTOR, 1.0)
    if hazard.complication == "pump-motor-stall":
        mixed = population.label[patients] == LabelStatus.OFF_LABEL_ADMIXTURE.bit
        factor = factor * np.where(mixed, OFF_LABEL_STALL_FACTOR, 1.0)
    if entry.category == "catheter":
        reinforced = models == CatheterModel.ASCENDA.bit
        factor = factor * np.where(reinforced, REINFORCED_CATHETER_FACTOR, 1.0)
    if entry.category == "infection" or hazard.complication == "csf-leak":
        child = population.age[patients] < 18
        factor = factor * np.where(child, CHILD_FACTOR, 1.0)
    return factor


def _draw(rng: np.random.Generator, shares: dict, count: int) -> Ints:  # type: ignore[type-arg]
    members = list(shares)
    weights = np.array([shares[member] for member in members])
    bits = np.array([member.bit for member in members])
    drawn: Ints = bits[rng.choice(len(members), count, p=weights / weights.sum())]
    return drawn
