"""Which measures a viewer may ask, and what each takes: what a form may offer."""

from dataclasses import dataclass

from registry.records import (
    BadQuery,
    EventQuery,
    NoSnapshot,
    NotAvailableAtThisDetail,
    NotPermitted,
    Viewer,
)
from registry.reporting import answering
from registry.reporting.asking import freshness
from registry.reporting.asking.profiles import profile_of
from registry.reporting.asking.spec import MeasureSpec
from registry.reporting.measures import MEASURES
from registry.reporting.protected_answers import read_protected
from registry.reporting.taken import read_question
from registry.vocabulary import CountingRule, Measure, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One measure as far as a viewer may ask it.

    counting: the rules there is a choice of. groupings: for each place of group_by the names that
    it may hold; None where any three of the measure's dimensions will do, nothing where the measure
    has rows of its own.
    """

    measure: Measure
    counting: tuple[CountingRule, ...]
    groupings: tuple[tuple[str, ...], ...] | None


def offers(viewer: Viewer) -> list[Offer]:
    """What a viewer may ask, in the vocabulary's order; nothing for whoever may not ask at all.

    Members of a site are offered what they may ask of it.
    """
    if not viewer.may_ask:
        return []
    exact = viewer.exact_everywhere or bool(viewer.exact_sites)
    return [
        Offer(
            measure=measure,
            counting=_counting(spec, exact=exact),
            groupings=() if spec.has_own_rows else spec.places,
        )
        for measure, spec in MEASURES.items()
        if exact or spec.published
    ]


def can_be_answered(query: EventQuery, *, measure: Measure, viewer: Viewer) -> bool:
    """Whether a question would be answered, found without counting anything.

    It follows from the question, the code lists and the catalogue, never from what was recorded.
    """
    try:
        if profile_of(query, viewer) is Profile.EXACT:
            frozen = freshness.named_release(query.release) if query.release else None
            frozen = frozen or freshness.current()
            read_question(query, measure=measure, manifest=frozen.store.manifest)
        else:
            frozen = answering.published_for(query, viewer)
            per = answering.DEFAULT_PER
            protected_question = read_protected(query, measure=measure, frozen=frozen, per=per)
            read_question(protected_question.query, measure=measure, manifest=frozen.store.manifest)
    except (BadQuery, NotPermitted, NotAvailableAtThisDetail, NoSnapshot):
        return False
    return True


def _counting(spec: MeasureSpec, *, exact: bool) -> tuple[CountingRule, ...]:
    published = spec.published.counting if spec.published else ()
    allowed = spec.counting if exact else published
    return tuple(rule for rule in CountingRule if rule in allowed)
