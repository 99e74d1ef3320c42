"""How sites report what happened: grades, criteria, causes, treatment, and what they leave out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from registry.catalogue import ComplicationEntry
from registry.synthetic.follow import (
    CATHETER,
    DIED,
    EXPLANTED,
    NOT_OPERATED,
    REPAIRED,
    REPLACED,
    Course,
)
from registry.synthetic.happen import NEAR_MISS, Happenings
from registry.synthetic.hazards import END_OF_SERVICE, REVISION, Floats, Ints
from registry.synthetic.profiles import OWN_PROFILE, PROFILES, RELATED
from registry.vocabulary import (
    Actuality,
    Code,
    Denominator,
    Intervention,
    Organism,
    Outcome,
    Relatedness,
    Seriousness,
    VolumeDiscrepancy,
    YesNoUnknown,
)

RELATEDNESS = (
    "relatedness_device",
    "relatedness_procedure",
    "relatedness_drug",
    "relatedness_programming",
    "relatedness_disease",
)

_OUTCOMES = {
    Outcome.RECOVERED: 0.66,
    Outcome.RECOVERING: 0.12,
    Outcome.NOT_RECOVERED: 0.09,
    Outcome.RECOVERED_SEQUELAE: 0.08,
    Outcome.UNKNOWN: 0.05,
}
_ORGANISMS = {
    Organism.STAPHYLOCOCCUS_AUREUS: 0.38,
    Organism.STAPHYLOCOCCUS_AUREUS_MRSA: 0.06,
    Organism.COAGULASE_NEGATIVE_STAPHYLOCOCCUS: 0.17,
    Organism.GRAM_NEGATIVE: 0.1,
    Organism.CULTURE_NEGATIVE: 0.14,
    Organism.NOT_CULTURED: 0.15,
}


@dataclass(slots=True)
class Reports:
    """The answers of each event, as positions in the code lists; -1, and 0 of sets, is a blank.

    grade: 1 to 5 or -1. seriousness, interventions: packed sets. coded: columns that hold one
    code, by name.
    """

    grade: Ints
    seriousness: Ints
    interventions: Ints
    coded: Mapping[str, Ints]
    band_blank: np.ndarray


def report(
    rng: np.random.Generator,
    happened: Happenings,
    followed: Course,
    complications: Sequence[ComplicationEntry],
    quality: Floats,
) -> Reports:
    """Draw what is reported of each event.

    quality: per event, the share of optional cells that its site fills in. Every row satisfies the
    row rules.
    """
    count = len(happened)
    entries = [complications[number] for number in range(len(complications))]
    profile_of = [OWN_PROFILE.get(entry.code, entry.category) for entry in entries]
    names = list(PROFILES)
    profile = np.array([names.index(name) for name in profile_of])[happened.complication]
    category = np.array([entry.category for entry in entries])[happened.complication]
    near_miss = happened.kind == NEAR_MISS
    died = happened.action == DIED
    grade = np.zeros(count, dtype=np.int64)
    root_cause, detection = np.zeros_like(grade), np.zeros_like(grade)
    interventions = np.zeros_like(grade)
    related = {column: np.zeros_like(grade) for column in RELATEDNESS}
    for number, profile_name in enumerate(names):
        rows = np.flatnonzero(profile == number)
        reads = PROFILES[profile_name]
        grade[rows] = 1 + _pick(rng, reads.grades, rows.size)
        root_cause[rows] = _code(rng, reads.causes, rows.size)
        detection[rows] = _code(rng, reads.detections, rows.size)
        packed = np.array([Intervention.pack(codes) for codes in reads.interventions])
        interventions[rows] = packed[_pick(rng, tuple(reads.interventions.values()), rows.size)]
        for column, firmness in zip(RELATEDNESS, reads.related, strict=True):
            related[column][rows] = _pick(rng, RELATED[firmness], rows.size)
    planned = np.array([entry.code == END_OF_SERVICE for entry in entries])[happened.complication]
    operated = np.isin(happened.action, (REPLACED, REPAIRED, EXPLANTED)) & ~planned
    grade = np.where(operated & (rng.random(count) < 0.7), np.maximum(grade, 3), grade)
    grade = np.where(died, 5, grade)

    def missing(share: float) -> np.ndarray:
        return rng.random(count) < (1 - quality) * share

    grade = np.where((missing(0.5) & ~died) | near_miss, -1, grade)
    seriousness = np.where(near_miss, 0, _criteria(rng, grade, operated))
    seriousness = np.where(missing(0.6) & (grade < 4), 0, seriousness)
    outcome = np.where(missing(0.6), -1, _code(rng, _OUTCOMES, count))
    outcome = np.where(died, Outcome.FATAL.bit, outcome)
    outcome = np.where(near_miss, Outcome.NOT_APPLICABLE.bit, outcome)
    interventions = _treatment(rng, happened, followed, entries, interventions)
    interventions = np.where(missing(0.7), 0, interventions)
    for column in RELATEDNESS:
        related[column] = np.where(missing(1.0), -1, related[column])
        unjudged = missing(0.6)
        related[column] = np.where(unjudged, Relatedness.NOT_ASSESSED.bit, related[column])
    actuality = np.where(missing(0.4), -1, Actuality.ACTUAL.bit)
    device_matter = np.isin(category, ("pump", "programming-refill"))
    organism = np.where(
        (category == "infection") & ~missing(0.8) & ~near_miss,
        _code(rng, _ORGANISMS, count),
        -1,
    )
    procedural = np.array(
        [entry.natural_denominator is Denominator.PROCEDURES for entry in entries]
    )[happened.complication]
    in_scanner = np.array([entry.code == "pump-mri-stall" for entry in entries])
    mri = np.where(
        in_scanner[happened.complication],
        YesNoUnknown.YES.bit,
        _code(rng, {YesNoUnknown.NO: 0.93, YesNoUnknown.UNKNOWN: 0.07}, count),
    )
    alarm = _code(
        rng, {YesNoUnknown.YES: 0.3, YesNoUnknown.NO: 0.6, YesNoUnknown.UNKNOWN: 0.1}, count
    )
    volume = _code(
        rng,
        {
            VolumeDiscrepancy.NONE: 0.5,
            VolumeDiscrepancy.MORE_LEFT_THAN_EXPECTED: 0.2,
            VolumeDiscrepancy.LESS_LEFT_THAN_EXPECTED: 0.1,
            VolumeDiscrepancy.NOT_MEASURED: 0.2,
        },
        count,
    )
    answered = device_matter & ~missing(1.0)
    return Reports(
        grade=grade,
        seriousness=seriousness,
        interventions=interventions,
        coded={
            **related,
            "outcome": outcome,
            "root_cause": np.where(missing(1.2), -1, root_cause),
            "detection": np.where(missing(0.8), -1, detection),
            "actuality": np.where(near_miss, Actuality.NEAR_MISS.bit, actuality),
            "mri_24h": np.where(answered, mri, -1),
            "alarm": np.where(answered, alarm, -1),
            "volume_discrepancy": np.where(answered, volume, -1),
            "organism": organism,
        },
        band_blank=missing(0.8) & ~procedural,
    )


def blanked(rng: np.random.Generator, codes: Ints, share: Floats, unknown: Code | None) -> Ints:
    """Blank a share of cells; where the list has `unknown`, half of these become it."""
    drawn = rng.random(codes.size)
    instead = -1 if unknown is None else unknown.bit
    left: Ints = np.select([drawn < share / 2, drawn < share], [-1, instead], codes)
    return left


def _criteria(rng: np.random.Generator, grade: Ints, operated: np.ndarray) -> Ints:
    """Criteria of seriousness that go with a grade, packed."""
    chosen = rng.random(grade.size)
    mild = np.where(chosen < 0.06, 1 << Seriousness.HOSPITALISATION.bit, 1 << Seriousness.NONE.bit)
    prevented = 1 << Seriousness.INTERVENTION_TO_PREVENT.bit
    severe = np.where(
        chosen < 0.7, 1 << Seriousness.HOSPITALISATION.bit, 1 << Seriousness.MEDICALLY_IMPORTANT.bit
    ) | np.where(operated, prevented, 0)
    threatening = (1 << Seriousness.LIFE_THREATENING.bit) | np.where(
        chosen < 0.85, 1 << Seriousness.HOSPITALISATION.bit, 0
    )
    packed: Ints = np.select(
        [grade == 5, grade == 4, grade == 3],
        [1 << Seriousness.DEATH.bit, threatening, severe],
        mild,
    )
    return packed


def _treatment(
    rng: np.random.Generator,
    happened: Happenings,
    followed: Course,
    entries: Sequence[ComplicationEntry],
    treated: Ints,
) -> Ints:
    """Interventions, with the surgery of the event; a revision has that of its fault."""
    revision = np.array([entry.code == REVISION for entry in entries])[happened.complication]
    source = np.arange(len(happened))
    for _ in range(2):  # revision <- withdrawal <- fault, or revision <- fault
        unexplained = revision & (happened.action[source] == NOT_OPERATED)
        source = np.where(
            unexplained & (happened.cause[source] >= 0), happened.cause[source], source
        )
    action = happened.action[source]
    catheter = followed.devices.component[happened.device[source]] == CATHETER
    category = np.array([entry.category for entry in entries])[happened.complication[source]]
    leaves_for_good = rng.random(len(happened)) < 0.7
    done = np.select(
        [
            (action == REPLACED) & catheter,
            action == REPLACED,
            (action == REPAIRED) & catheter,
            (action == REPAIRED) & (category == "pump"),
            action == REPAIRED,
            (action == EXPLANTED) & leaves_for_good,
            action == EXPLANTED,
        ],
        [
            1 << code.bit
            for code in (
                Intervention.CATHETER_REPLACEMENT,
                Intervention.PUMP_REPLACEMENT,
                Intervention.CATHETER_REVISION,
                Intervention.PUMP_REVISION,
                Intervention.WOUND_REVISION,
                Intervention.SYSTEM_EXPLANT_NO_REPLACEMENT,
                Intervention.SYSTEM_EXPLANT_DELAYED_REIMPLANT,
            )
        ],
        0,
    )
    watched = 1 << Intervention.NONE_OBSERVATION.bit
    both: Ints = np.where(done > 0, (treated & ~watched) | done, treated)
    return np.where(revision & (done > 0), done, both)


def _pick(rng: np.random.Generator, shares: Sequence[float], count: int) -> Ints:
    reached = np.cumsum(np.asarray(shares, dtype=np.float64))
    picked: Ints = np.searchsorted(reached[:-1], rng.random(count) * reached[-1], side="right")
    return picked


def _code(rng: np.random.Generator, shares: Mapping[Any, float], count: int) -> Ints:
    bits = np.array([code.bit for code in shares])
    drawn: Ints = bits[_pick(rng, tuple(shares.values()), count)]
    return drawn
