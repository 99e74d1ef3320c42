"""Answers for everybody who may not see true numbers: perturbed, hidden where small, all alike.

A question becomes nodes, nodes become truths, and truths pass through `Protection.show`; the rows
are made of what is shown. Nothing here knows who asks.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from registry.disclosure import Plan, Policy, Protection, Tree, canonical, plan
from registry.keys import Keys
from registry.records import EventQuery, Fault, NoSnapshot, NotAvailableAtThisDetail
from registry.reporting.asking.freshness import Frozen
from registry.reporting.asking.question import selected_terms
from registry.reporting.asking.spec import Answered, ProtectedForm, ProtectedQuestion
from registry.reporting.asking.years import first_year
from registry.reporting.measures import MEASURES
from registry.reporting.protected.summed import refuse_sums
from registry.reporting.protected.trees import refuse_earlier_years, trees_of_release
from registry.reporting.protected.truths import Natural
from registry.reporting.taken import held_to_measure, refuse_what_has_no_meaning
from registry.snapshot.manifest import Manifest
from registry.snapshot.terms import Terms
from registry.vocabulary import CountingRule, Denominator, Measure

POLICY = Policy()
"""What is published; the same for every deployment, so that it can be known and checked."""

KEPT_QUESTIONS = 64
"""So many questions are kept as they were read, each with its plan of up to 3,000 nodes."""


def read_protected(
    query: EventQuery, *, measure: Measure, frozen: Frozen, per: int
) -> ProtectedQuestion:
    """Make a question ready for a release, in the one spelling that all its spellings have.

    Raises NotAvailableAtThisDetail, naming the nearest that can be had, for what is finer than is
    published, and BadQuery for what is no question. Both follow from the question, the code lists
    and the release's catalogue alone. What was read is kept in the process, so that a question that
    was asked before is not planned again.
    """
    year = frozen.data_as_of.year if frozen.data_as_of else None
    return _read(query, measure, frozen.store.manifest, year, first_year(), per)


@lru_cache(maxsize=KEPT_QUESTIONS)
def _read(
    query: EventQuery, measure: Measure, manifest: Manifest, year: int | None, first: int, per: int
) -> ProtectedQuestion:
    query = held_to_measure(query, measure)
    spec, form = MEASURES[measure], published_form(measure)
    if query.standardise:
        detail = "adjusted numbers are not published; leave it out for crude ones"
        raise NotAvailableAtThisDetail(Fault("standardise", NotAvailableAtThisDetail.code, detail))
    if query.cluster:
        detail = "published sums know no clusters; leave it out for Poisson limits"
        raise NotAvailableAtThisDetail(Fault("cluster", NotAvailableAtThisDetail.code, detail))
    trees = trees_of_release(manifest, first=first, last=year, policy=POLICY)
    refuse_what_has_no_meaning(query, measure, selected_terms(query, manifest.terms))
    if finer := [*form.refuses(query)]:
        raise NotAvailableAtThisDetail(finer)
    refuse_earlier_years(query, trees["year"])
    planned = plan(query, trees, POLICY, by_funnel=form.compares_sites)
    measured = form.planned(query)
    whole = planned
    if measured != query:
        whole = plan(measured, trees, POLICY, by_funnel=form.compares_sites)
    refuse_sums(whole, form)
    counting = _counted(form, query.counting)
    _refuse_other_units(query.unit, planned, trees, manifest.terms)
    spelled = replace(
        canonical(query, trees, POLICY),
        counting=counting,
        unit=None,  # which is each row's own, or refused
        per=(query.per or per) if "per" in spec.takes else None,
        release=None,  # the answer names its release, however that was chosen
    )
    question = ProtectedQuestion(
        query=spelled, spec=spec, counting=counting, plan=planned, trees=trees, policy=POLICY
    )
    if finer := [*form.refuses_planned(question, manifest.terms)]:
        raise NotAvailableAtThisDetail(finer)
    return question


def published_form(measure: Measure) -> ProtectedForm:
    """The protected form of a measure; raises NotAvailableAtThisDetail where it is withheld."""
    protected = MEASURES[measure].protected
    if isinstance(protected, ProtectedForm):
        return protected
    published = ", ".join(each for each, spec in MEASURES.items() if spec.published)
    detail = f"this measure is not published, since {protected.why}; "
    detail += f"{protected.instead}ask for {published}"
    raise NotAvailableAtThisDetail(Fault("measure", NotAvailableAtThisDetail.code, detail))


def _counted(form: ProtectedForm, counting: CountingRule | None) -> CountingRule:
    """What is counted: what was asked, or the form's default.

    Raises NotAvailableAtThisDetail where a patient could be in the count more than once.
    """
    if counting is None:
        return form.counting[0]
    if counting not in form.counting:
        detail = f"the nearest that is published counts {' or '.join(form.counting)}"
        raise NotAvailableAtThisDetail(Fault("counting", NotAvailableAtThisDetail.code, detail))
    return counting


def hold_to_keys(frozen: Frozen, keys: Keys) -> None:
    """Refuse a release that was frozen under other keys, or under none.

    Its noise would be other noise, and the mean of two is nearer to the truth than either. Raises
    NoSnapshot.
    """
    if frozen.store.manifest.keys != keys.mark:
        raise NoSnapshot(
            Fault(
                "release",
                "other-keys",
                "This release was frozen without the keys in use and is not published any more: "
                "ask a newer one, or a data manager to freeze one.",
            )
        )


def hold_to_hands(frozen: Frozen) -> None:
    """Refuse a release with too few hands: what no hand alone may show would be nothing.

    Follows from the sites and who belongs to them. Raises NoSnapshot.
    """
    if len(set(frozen.store.manifest.hands.values())) < POLICY.fewest_hands:
        raise NoSnapshot(
            Fault(
                "release",
                "too-few-sites",
                f"Protected answers need {POLICY.fewest_hands} sites or more that no person shares "
                "as reporter or lead: sites with a member in common count as one.",
            )
        )


def protected_rows(question: ProtectedQuestion, *, frozen: Frozen, keys: Keys) -> Answered:
    """The rows of an answer, made of shown nodes only; in the order of the plan."""
    form = published_form(question.spec.measure)
    protection = Protection.under(keys.noise, release=frozen.snapshot_id, policy=question.policy)
    return form.rows(question, frozen, protection)


def _refuse_other_units(
    unit: Denominator | None, planned: Plan, trees: Mapping[str, Tree], terms: Terms
) -> None:
    """Refuse an asked denominator that is another than the rows' own.

    The same patients divided by another clock are other records with another noise, and each
    further draw brings the mean nearer to the truth: so each node has one denominator.
    """
    natural = Natural(trees, terms)
    own = {natural.unit(node) for node in planned.nodes}
    if unit is None or own <= {unit}:
        return
    named = ", ".join(dict.fromkeys(natural.unit(node).value for node in planned.nodes))
    detail = f"each row is divided by its own denominator ({named}); leave the unit out"
    raise NotAvailableAtThisDetail(Fault("unit", NotAvailableAtThisDetail.code, detail))
