"""What an answer leaves out or includes where a reader may expect otherwise, in words."""

from registry.reporting.asking.question import selected_terms
from registry.reporting.asking.spec import Divides, Question
from registry.snapshot.codes import Codes
from registry.snapshot.manifest import Manifest
from registry.snapshot.selected import exposures_of
from registry.snapshot.terms import Terms
from registry.vocabulary import Denominator, Profile

CONSEQUENCES = (
    "Consequences and the expected end of service are left out: they count when they are named, "
    "or by complication."
)
INELIGIBLE = (
    "Implants that did not meet eligibility give neither time nor patients; their events are in "
    "counts only."
)
UP_TO_ROUNDS = (
    "Time, ends and events count up to the follow-up round that each site closed last; later ones "
    "count when the next is closed."
)
WITHOUT_ROUNDS = (
    "Sites that have not closed a follow-up round count as their rows stand: where devices with "
    "events are followed up before the others, rates come out too high, those of the last years "
    "most."
)
IN_FOLLOW_UP = "An event counts if it lies in the follow-up of the device it happened with."
OTHER_COMPONENT = (
    "An event of the other component counts with the device that the patient had in place at that "
    "time; both count as made in the middle of their years."
)
DECLARED = (
    "An event of a year for which its site declared exposure counts with that, if it names no "
    "implant or one whose time does not count yet."
)
DECLARED_FIRSTS = (
    "Declared exposure names no devices: there every event counts, a device's later ones too, and "
    "limits allow for how sites' years differ."
)
WITHOUT_YEAR = "Implants whose year is dropped (it would tell an age over 89) have no time by year."
OWN_YEAR = (
    "An event counts in its own calendar year, even where the split leaves its device no time "
    "there."
)

RETIRED = "The complication {code} is retired."
REPLACED = "The complication {code} is retired; see {by}."


def left_out(question: Question, manifest: Manifest, *, profile: Profile) -> list[str]:
    """Sentences on how ambiguous rules are applied in the answer."""
    terms = manifest.terms
    spec, divides = question.spec, question.spec.divides
    said = []
    if spec.of_totals and _leaves_consequences_out(question, terms):
        said.append(CONSEQUENCES)
    said.extend(spec.left_out(question))
    if divides in {Divides.EXPOSURE, Divides.LIFETIMES}:
        if any(part.unit is not Denominator.PROCEDURES for part in question.parts):
            said.append(IN_FOLLOW_UP)  # procedures have events after it too, and say so
        if _counts_on_the_other_component(question, terms):
            said.append(OTHER_COMPONENT)
        if profile is Profile.EXACT and _counts_declared(question, manifest):
            said.append(DECLARED)
            if question.counting.of_firsts:
                said.append(DECLARED_FIRSTS)
    if divides is not Divides.NOTHING:
        said.extend(_rounds(question, manifest))
        said.append(INELIGIBLE)
        if any(part.selection.splits_years for part in question.parts):
            said.append(WITHOUT_YEAR)
            if divides is Divides.EXPOSURE:
                said.append(OWN_YEAR)
    return [*said, *_retired(question, terms)]


def _rounds(question: Question, manifest: Manifest) -> list[str]:
    """Up to when follow-up counts, at the sites that the question is about."""
    sites = question.query.values("site") or tuple(manifest.rounds)
    if countries := question.query.values("country"):
        sites = tuple(site for site in sites if manifest.terms.sites.get(site) in countries)
    closed = {manifest.rounds[site] for site in sites if site in manifest.rounds}
    said = {True: UP_TO_ROUNDS, False: WITHOUT_ROUNDS}
    return [said[each] for each in sorted(closed, reverse=True)]


def _counts_declared(question: Question, manifest: Manifest) -> bool:
    """Whether exposure that sites declare can be in the denominators of the answer."""
    if not question.takes_declared or question.query.standardise:
        return False
    codes = Codes(manifest.codes)
    return any(
        exposures_of(part.selection, codes, component=part.clock) is not None
        for part in question.parts
    )


def _retired(question: Question, terms: Terms) -> list[str]:
    """Sentences on the question's retired complications, by the snapshot's catalogue."""
    codes = set(question.query.values("complication"))
    return [
        (REPLACED if term.replaced_by else RETIRED).format(code=term.code, by=term.replaced_by)
        for term in sorted(terms.complications, key=lambda term: term.code)
        if term.retired and term.code in codes
    ]


def _leaves_consequences_out(question: Question, terms: Terms) -> bool:
    """Whether the question's categories hold complications that count only when named."""
    categories = question.query.values("category")
    if question.query.values("complication"):
        return False
    chosen = set(selected_terms(question.query, terms))
    return any(
        term not in chosen and (not categories or term.category in categories)
        for term in terms.complications
    )


def _counts_on_the_other_component(question: Question, terms: Terms) -> bool:
    """Whether complications of one clock may be divided by the months of the other."""
    clocks = {term.clock for term in selected_terms(question.query, terms)}
    used = {part.clock for part in question.parts}
    by_category = "category" in question.query.group_by and len(clocks) > 1
    return by_category or not clocks <= used
