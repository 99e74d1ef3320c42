"""Which published cohorts are like the patients that a question is about."""

from collections.abc import Callable, Iterable, Mapping

from registry.records import EventQuery
from registry.vocabulary import (
    AgeBand,
    AgeGroup,
    Drug,
    DrugClass,
    Indication,
    IndicationGroup,
    StudiedAges,
    Therapy,
)

PAIN = frozenset({Therapy.OPIOID, Therapy.ZICONOTIDE, Therapy.ANALGESIC})
OF_CLASS: Mapping[str, frozenset[Therapy]] = {
    DrugClass.GABAB_AGONIST.value: frozenset({Therapy.BACLOFEN}),
    DrugClass.OPIOID.value: frozenset({Therapy.OPIOID}),
    DrugClass.CALCIUM_CHANNEL_BLOCKER.value: frozenset({Therapy.ZICONOTIDE}),
}
"""The therapies of cohorts that were given drugs of a class alone."""

OF_INDICATION: Mapping[str, frozenset[Therapy]] = {
    IndicationGroup.PAIN_NONCANCER.value: PAIN,
    IndicationGroup.PAIN_CANCER.value: PAIN,
    IndicationGroup.SPASTICITY_CEREBRAL.value: frozenset({Therapy.BACLOFEN}),
    IndicationGroup.SPASTICITY_SPINAL.value: frozenset({Therapy.BACLOFEN}),
}
CLASS_OF = {drug.value: drug.drug_class.value for drug in Drug}
GROUP_OF = {indication.value: indication.group.value for indication in Indication}
BAND_OF = {band.value: band.group.value for band in AgeBand}

Of = Callable[[str], frozenset[Therapy]]


def _of_class(code: str) -> frozenset[Therapy]:
    return OF_CLASS.get(code, frozenset())


def _of_group(code: str) -> frozenset[Therapy]:
    return OF_INDICATION.get(code, frozenset())


THERAPY_BY: Mapping[str, Of] = {
    "drug_class": _of_class,
    "drug": lambda code: _of_class(CLASS_OF.get(code, code)),
    "indication_group": _of_group,
    "indication": lambda code: _of_group(GROUP_OF.get(code, code)),
}
"""The therapies that fit a value of a filter; a class or group may stand for its members."""


def is_like(query: EventQuery, *, therapy: str, age_group: str) -> bool:
    """Whether a published cohort is of the therapy and the ages that a question selects.

    A question that names neither is of all patients, and every cohort stands beside it. One that
    names a drug, a class or an indication takes cohorts of these therapies alone: not those of
    several, nor those whose source does not say. So with ages: children, or adults and older
    people; where both are asked for, cohorts of both, or of either.
    """
    asked = [
        frozenset[Therapy]().union(*map(of, query.values(name)))
        for name, of in THERAPY_BY.items()
        if query.values(name)
    ]
    ages = _ages(query)
    return all(therapy in each for each in asked) and (ages is None or age_group in ages)


def _ages(query: EventQuery) -> frozenset[str] | None:
    """The ages of cohorts that fit; None where a question is of any age."""
    groups = [BAND_OF.get(band, band) for band in query.values("age_band")]
    groups += query.values("age_group")
    if not groups:
        return None
    found = {_studied(group) for group in groups}
    if len(found) > 1:
        found.add(StudiedAges.MIXED.value)
    return frozenset(found)


def _studied(group: str) -> str:
    """The ages of a cohort of one age group; of one not recorded there is none."""
    if group == AgeGroup.CHILD:
        return StudiedAges.PAEDIATRIC.value
    grown = group in {AgeGroup.ADULT, AgeGroup.OLDER}
    return StudiedAges.ADULT.value if grown else ""


def in_words(therapy: str, age_group: str) -> str:
    """The therapy and the ages of a cohort, as far as its source says."""
    return ", ".join(_told(therapy, age_group))


def _told(therapy: str, age_group: str) -> Iterable[str]:
    for listed, code in ((Therapy, therapy), (StudiedAges, age_group)):
        if code != listed.NOT_STATED:
            yield from (each.label.lower() for each in listed if each.value == code)
