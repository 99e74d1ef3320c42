"""The measures that a viewer may ask, with their choices for forms."""

from dataclasses import dataclass

from registry.records import (
    BadQuery,
    EventQuery,
    NoSnapshot,
    NotAvailableAtThisDetail,
    NotPermitted,
    SnapshotGone,
    SnapshotUnusable,
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
    """One measure with the choices that a viewer has.

    counting: the counting rules to choose from. groupings: for each place of group_by the names
    that it may hold; None where any three of the measure's dimensions are allowed, empty where the
    measure has rows of its own.
    """

    measure: Measure
    counting: tuple[CountingRule, ...]
    groupings: tuple[tuple[str, ...], ...] | None


def offers(viewer: Viewer) -> list[Offer]:
    """The measures that a viewer may ask, in the vocabulary's order; none without the right to ask.

    For members of a site, those that they may ask about it.
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
    """Whether the viewer would get an answer; counts nothing.

    Depends on the question, the code lists and the catalogue, never on recorded data.
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
    except (
        BadQuery,
        NotPermitted,
        NotAvailableAtThisDetail,
        NoSnapshot,
        SnapshotGone,
        SnapshotUnusable,
    ):
        return False
    return True


def _counting(spec: MeasureSpec, *, exact: bool) -> tuple[CountingRule, ...]:
    published = spec.published.counting if spec.published else ()
    allowed = spec.counting if exact else published
    return tuple(rule for rule in CountingRule if rule in allowed)
