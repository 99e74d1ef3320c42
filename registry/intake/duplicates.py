"""Reports that may be of one event, stored as pairs, decided by people."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q

from registry.deidentify import event_record
from registry.intake.alike import COLUMNS, MOST_PAIRS, Pair, looks, reasons_alike
from registry.intake.relations import fill, related
from registry.intake.stored import event_texts
from registry.intake.writers import require_reviewer, row_in_sight, site_to_write
from registry.models import DuplicateCandidate, Event, Sealing, User, sealed
from registry.models.duplicates import STANDING
from registry.models.insertion import unsaved
from registry.records import Fault, RawReport, Refusal, RowKind, StateConflict
from registry.vocabulary import AlikeReason, PairDecision


def alike_to(event: Event) -> list[tuple[Event, frozenset[AlikeReason]]]:
    """The standing reports of the site that may be of the same event, with the reasons.

    Those of most reasons, MOST_PAIRS of them. The event need not be stored. Four queries.
    """
    alike = _reasons_by_report(event)
    most = _foremost(alike)
    others = Event.objects.select_related("site", "complication", "implant").in_bulk(most)
    return [(others[pk], alike[pk]) for pk in most]


def _reasons_by_report(event: Event) -> dict[int, frozenset[AlikeReason]]:
    """Every standing report that may be of the same event, by primary key. Three queries."""
    [look] = looks([vars(event)], {event.complication_id: event.complication.category_id})
    same = Q(complication__in=look.complications) | Q(reported_complication__in=look.complications)
    near = Q(year=look.year) & same
    if look.patient is not None:
        near |= Q(patient=look.patient)
    standing = Event.objects.filter(near, site=event.site_id, state__in=STANDING)
    rows = list(standing.exclude(pk=event.pk).values(*COLUMNS, "complication__category_id"))
    categories = {row["complication_id"]: row["complication__category_id"] for row in rows}
    return {
        other.pk: reasons
        for other in looks(rows, categories)
        if (reasons := reasons_alike(other, look))
    }


def _foremost(alike: Mapping[int, frozenset[AlikeReason]]) -> list[int]:
    return sorted(alike, key=lambda pk: (-len(alike[pk]), pk))[:MOST_PAIRS]


def likely_duplicates(
    raw: RawReport, *, by: User, event: Event | None = None
) -> list[tuple[Event, frozenset[AlikeReason]]]:
    """Stored reports that a report would repeat, before it is stored; empty where it has faults.

    event: the draft that the report changes; pairs that are stored already are left out.
    """
    try:
        before = event_texts(event) if event is not None else {}
        texts = {name: text.strip() for name, text in raw.values.items()}
        record = event_record(RawReport(RowKind.EVENT, before | texts))
        site = site_to_write(record.site, by=by)
        found = related(record, site=site, submitted=False, event=event)
    except Refusal:
        return []
    if found.faults:
        return []
    new = Event(site=site, pk=event.pk if event is not None else None)
    fill(new, record, found)
    known: set[int] = set()
    if event is not None:
        for pair in DuplicateCandidate.objects.of(event):
            known |= {pair.first_id, pair.second_id}
    return [(other, reasons) for other, reasons in alike_to(new) if other.pk not in known]


def note_alike(event: Event, *, seal: Sealing) -> None:
    """Stores the pairs of a report that was written under this seal, and closes those that no
    longer hold."""
    alike: dict[int, Any] = dict(_reasons_by_report(event))
    paired = set()
    for pair in DuplicateCandidate.objects.of(event):
        other = pair.other_id(event)
        paired.add(other)
        reasons = alike.get(other)
        decision = "" if reasons else PairDecision.NO_LONGER_ALIKE.value
        kept = pair.decision == PairDecision.DIFFERENT
        if kept or (pair.decision, pair.reasons) == (decision, reasons or pair.reasons):
            continue
        pair.decision, pair.reasons = decision, reasons or pair.reasons
        seal.save(pair)
    new = (pk for pk in _foremost(alike) if pk not in paired)
    store_pairs([(pk, event.pk, event.site_id, alike[pk]) for pk in new], seal)


def store_pairs(pairs: Iterable[Pair], seal: Sealing) -> None:
    """Stores new pairs."""
    seal.bulk_create(
        DuplicateCandidate,
        (
            unsaved(
                DuplicateCandidate,
                {
                    "site_id": site,
                    "first_id": min(pair),
                    "second_id": max(pair),
                    "reasons": reasons,
                },
            )
            for *pair, site, reasons in pairs
        ),
    )


def keep_apart(public_id: UUID | str, *, by: User) -> DuplicateCandidate:
    """Records that the two reports of a pair are of different events; for reviewers.

    Raises UnknownRow, NotPermitted (also at an own site), StateConflict where it was decided.
    """
    with sealed(by=by, action="keep-apart") as seal:
        pairs = DuplicateCandidate.objects.select_related("first__site", "second")
        pair = row_in_sight(pairs, public_id, by=by)
        require_reviewer(pair.first, by=by)
        if pair.decision:
            detail = "this pair is decided already"
            raise StateConflict(Fault("decision", StateConflict.code, detail))
        pair.decision = PairDecision.DIFFERENT
        seal.save(pair, reason="keep-apart")
    return pair
