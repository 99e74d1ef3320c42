"""Pairs of reports that may be of one event: each rule on both sides, storing, deciding."""

from collections import Counter
from dataclasses import replace
from itertools import islice
from random import Random

import pytest

from registry import intake
from registry.intake import alike as alike_room
from registry.intake.alike import (
    MOST_PAIRS,
    AlikeReports,
    Look,
    LookBlocks,
    looks,
    reasons_alike,
)
from registry.models import Complication, DuplicateCandidate, Event
from registry.records import NotPermitted, RawReport, RowKind, StateConflict, UnknownRow
from registry.vocabulary import AlikeReason
from tests.factories import EventFactory, ImplantFactory
from tests.intake.conftest import report

LOOK = Look(
    pk=1,
    site=1,
    patient=7,
    complications=frozenset({"catheter-kink"}),
    category="catheter",
    year=2012,
    months=20,
    severity=3,
    outcome="recovered",
    cause=None,
    on_file=True,
    details=("synchromed-ii-40", "", "morphine", "crps", "50-59", "female"),
    answers=1,
    answered=6,
)
OTHER = replace(LOOK, pk=2, answers=2)
LATE = {"implant": "p1-cath", "months_since_implant": "20", "year": "2011", "severity": "3"}


@pytest.mark.parametrize(
    ("changed", "alike"),
    [
        ({}, True),
        ({"months": 21}, True),
        ({"months": 22}, False),
        ({"months": None}, True),
        ({"months": None, "year": 2013}, False),
        ({"complications": frozenset({"catheter-kink", "catheter-leak"})}, True),
        ({"complications": frozenset({"catheter-leak"}), "severity": 2}, False),
        ({"patient": 8}, False),
        ({"cause": 1}, False),
    ],
)
def test_same_patient_and_complication_within_a_month(changed, alike):
    found = reasons_alike(LOOK, replace(OTHER, **changed))

    assert (AlikeReason.SAME_COMPLICATION in found) is alike


@pytest.mark.parametrize(
    ("changed", "alike"),
    [
        ({}, True),
        ({"category": "pump"}, False),
        ({"months": 21}, False),
        ({"severity": 2}, False),
        ({"outcome": "unknown"}, False),
        ({"patient": None}, False),
        ({"cause": 1}, False),
    ],
)
def test_same_patient_and_time_with_another_complication(changed, alike):
    sibling = replace(OTHER, complications=frozenset({"catheter-leak"}))

    assert (AlikeReason.SAME_TIME in reasons_alike(LOOK, replace(sibling, **changed))) is alike


def test_two_reports_without_a_grade_are_not_alike_by_time():
    one = replace(LOOK, severity=None)
    other = replace(one, pk=2, complications=frozenset({"catheter-leak"}), answers=2)

    assert reasons_alike(one, other) == frozenset()


@pytest.mark.parametrize(
    ("changed", "alike"),
    [
        ({}, True),
        ({"months": 19}, True),
        ({"months": 18}, False),
        ({"months": None}, False),
        ({"year": 2013}, False),
        ({"severity": 2}, False),
        ({"details": ("", "", "morphine", "crps", "50-59", "")}, True),
        ({"details": ("", "", "morphine", "crps", "", "")}, False),
        ({"details": ("", "", "baclofen", "crps", "50-59", "female")}, False),
        ({"on_file": True}, False),
    ],
)
def test_same_details_where_one_names_no_implant(changed, alike):
    without = replace(OTHER, patient=None, on_file=False)

    assert (AlikeReason.SAME_DETAILS in reasons_alike(LOOK, replace(without, **changed))) is alike


def test_every_answer_the_same_is_a_reason_of_its_own():
    assert AlikeReason.SAME_ANSWERS in reasons_alike(LOOK, replace(LOOK, pk=2))
    assert AlikeReason.SAME_ANSWERS not in reasons_alike(LOOK, OTHER)


def test_few_answers_are_no_reason():
    bare = replace(LOOK, answered=3)

    assert AlikeReason.SAME_ANSWERS not in reasons_alike(bare, replace(bare, pk=2))


def record(world, key, **values):
    return intake.record_event(report(source_id=key, **{**LATE, **values}), by=world.reporter)


def test_a_report_that_repeats_another_is_stored_as_a_pair(world):
    first, second = record(world, "e1"), record(world, "e2", months_since_implant="21")

    [pair] = DuplicateCandidate.objects.all()
    assert (pair.first, pair.second, pair.site) == (first, second, world.site)
    assert pair.reasons == {AlikeReason.SAME_COMPLICATION}
    assert pair.seal_id == second.seal_id


def test_another_patients_report_is_no_pair(world):
    record(world, "e1")
    record(world, "e2", implant="", months_since_implant="")

    assert not DuplicateCandidate.objects.exists()


def test_a_pair_that_was_changed_apart_is_closed_and_opens_again(world):
    record(world, "e1")
    draft = record(world, "e2")

    apart = RawReport(RowKind.EVENT, {"months_since_implant": "12"})
    intake.change_event(draft.public_id, apart, by=world.reporter)
    assert DuplicateCandidate.objects.get().decision == "no-longer-alike"

    intake.change_event(
        draft.public_id, RawReport(RowKind.EVENT, {"months_since_implant": "20"}), by=world.reporter
    )
    assert DuplicateCandidate.objects.open().get().second == draft


def test_what_a_report_would_repeat_is_known_before_it_is_stored(world):
    first = record(world, "e1")

    found = intake.likely_duplicates(report(source_id="e2", **LATE), by=world.reporter)

    assert [event for event, _reasons in found] == [first]
    assert Event.objects.count() == 1


@pytest.mark.parametrize("values", [{"year": "20x1"}, {"implant": "none-such"}])
def test_a_report_with_faults_repeats_nothing(world, values):
    record(world, "e1")

    faulty = report(source_id="e2", **{**LATE, **values})
    assert intake.likely_duplicates(faulty, by=world.reporter) == []


def test_a_pair_that_is_known_is_not_warned_of_again(world):
    record(world, "e1")
    draft = record(world, "e2")

    raw = RawReport(RowKind.EVENT, {"severity": "2"})
    assert intake.likely_duplicates(raw, by=world.reporter, event=draft) == []


def pair_of(world):
    record(world, "e1")
    record(world, "e2")
    return DuplicateCandidate.objects.get()


def test_a_reviewer_keeps_a_pair_apart(world):
    pair = pair_of(world)

    intake.keep_apart(pair.public_id, by=world.reviewer)

    pair.refresh_from_db()
    assert pair.decision == "different"
    assert not DuplicateCandidate.objects.open().exists()
    draft = pair.second
    intake.change_event(
        draft.public_id, RawReport(RowKind.EVENT, {"severity": "2"}), by=world.reporter
    )
    assert DuplicateCandidate.objects.get().decision == "different"


def test_a_pair_is_decided_once(world):
    pair = pair_of(world)
    intake.keep_apart(pair.public_id, by=world.reviewer)

    with pytest.raises(StateConflict):
        intake.keep_apart(pair.public_id, by=world.reviewer)


def test_the_site_itself_does_not_decide(world):
    with pytest.raises(NotPermitted):
        intake.keep_apart(pair_of(world).public_id, by=world.lead)


@pytest.mark.parametrize("public_id", ["nonsense", "00000000-0000-4000-8000-000000000000"])
def test_an_unknown_pair_is_not_found(world, public_id):
    with pytest.raises(UnknownRow):
        intake.keep_apart(public_id, by=world.reviewer)


def test_another_sites_pair_is_not_found(world):
    with pytest.raises(UnknownRow):
        intake.keep_apart(pair_of(world).public_id, by=world.stranger)


def rows(count, **values):
    return [
        RawReport(RowKind.EVENT, report(source_id=f"f{n}", **{**LATE, **values}).values, line=n + 2)
        for n in range(count)
    ]


def test_a_file_that_differs_by_its_keys_alone_is_told_as_alike(world):
    record(world, "e1")

    told = intake.import_records({RowKind.EVENT: rows(3)}, by=world.reporter, dry_run=True)
    stored = intake.import_records({RowKind.EVENT: rows(3)}, by=world.reporter)

    assert told.counts[RowKind.EVENT].alike == stored.counts[RowKind.EVENT].alike == 3
    assert stored.counts[RowKind.EVENT].new == 3
    assert DuplicateCandidate.objects.count() == 6  # each with every earlier one
    assert DuplicateCandidate.objects.filter(reasons__holds_any=["same-complication"]).count() == 6


def test_repeats_are_sought_once_in_a_file_that_is_stored(world, monkeypatch):
    sought = []
    pairs = AlikeReports.pairs
    monkeypatch.setattr(
        AlikeReports, "pairs", lambda self, rows: sought.append(len(rows)) or pairs(self, rows)
    )

    intake.import_records({RowKind.EVENT: [report(), report(source_id="e2")]}, by=world.manager)

    assert sought == [2]
    assert DuplicateCandidate.objects.count() == 1


def test_rows_alike_within_one_file_are_told_too(world):
    told = intake.import_records({RowKind.EVENT: rows(2)}, by=world.reporter, dry_run=True)

    assert told.counts[RowKind.EVENT].alike == 1


def test_a_row_that_is_stored_already_is_not_alike(world):
    intake.import_records({RowKind.EVENT: rows(1)}, by=world.reporter)

    again = intake.import_records({RowKind.EVENT: rows(1)}, by=world.reporter)

    assert (again.counts[RowKind.EVENT].unchanged, again.counts[RowKind.EVENT].alike) == (1, 0)


def test_of_many_alike_only_the_first_few_are_kept(world):
    intake.import_records({RowKind.EVENT: rows(12)}, by=world.reporter)

    last = Event.objects.get(source_id="f11")
    assert DuplicateCandidate.objects.of(last).count() == MOST_PAIRS


def test_pairs_of_many_alike_stay_while_they_are_alike(world):
    intake.import_records({RowKind.EVENT: rows(2 * MOST_PAIRS)}, by=world.reporter)
    first = Event.objects.get(source_id="f0")
    pairs = DuplicateCandidate.objects.of(first)
    assert pairs.count() == 2 * MOST_PAIRS - 1  # each later one's own

    intake.take_back_event(first.public_id, by=world.reporter)
    changed = RawReport(RowKind.EVENT, {"detection": "alarm"})
    intake.change_event(first.public_id, changed, by=world.reporter)

    assert set(pairs.values_list("decision", flat=True)) == {""}
    assert pairs.count() == 2 * MOST_PAIRS - 1


def test_an_event_and_its_cause_are_no_pair(world):
    record(world, "e1")
    record(world, "e2", caused_by="e1")

    assert not DuplicateCandidate.objects.exists()


def test_rejected_and_withdrawn_reports_are_repeated_by_nothing(world):
    first = record(world, "e1")
    intake.withdraw_event(first.public_id, by=world.lead, reason="entered-in-error")

    record(world, "e2")

    assert not DuplicateCandidate.objects.exists()


KINDS = ("seroma", "pump-flip", "pocket-pain")


def _drawn(dice: Random, pk: int) -> Look:
    """A look of few values, so that many of a registry are alike by each rule."""
    bare = dice.random() < 0.3
    return replace(
        LOOK,
        pk=pk,
        site=dice.choice((1, 2)),
        patient=dice.choice((None, 1, 2, 3)),
        complications=frozenset(dice.sample(KINDS, dice.choice((1, 2)))),
        category=dice.choice(("pocket", "infection")),
        year=dice.choice((None, 2015, 2016)),
        months=dice.choice((None, 6, 7, 9)),
        severity=dice.choice((None, 2, 3)),
        outcome=dice.choice(("", "recovered")),
        cause=dice.choice((None, pk - 1)),
        on_file=dice.random() < 0.5,
        details=dice.choice((("a", "b", "c"), ("a", "b", ""), ("a", "b", "d"))),
        answers=0 if bare else dice.choice((1, 2)),
        answered=0 if bare else 4,
    )


def test_blocks_hold_whatever_is_alike_in_the_order_kept():
    dice, kept, blocks = Random(5), [], LookBlocks()
    found: Counter[AlikeReason] = Counter()

    for pk in range(2, 900):
        look = _drawn(dice, pk)
        alike = [
            (other.pk, pk, look.site, reasons)
            for other in kept
            if other.site == look.site and (reasons := reasons_alike(other, look))
        ]
        assert list(blocks.pairs(look)) == alike[:MOST_PAIRS]
        found.update(reason for *_, reasons in alike for reason in reasons)
        blocks.keep(look)
        kept.append(look)

    assert min(found[reason] for reason in AlikeReason) > 20


def test_reports_on_file_are_compared_with_their_own_patient_s_alone(monkeypatch):
    """However many devices of a site had the same in the same month."""
    compared = []
    alike = alike_room.reasons_alike
    monkeypatch.setattr(
        alike_room, "reasons_alike", lambda *two: compared.append(two) or alike(*two)
    )
    blocks = LookBlocks()

    for pk in range(2, 100):
        look = replace(LOOK, pk=pk, patient=pk % 49, months=6, on_file=True)
        assert len(list(blocks.pairs(look))) == (pk > 50)
        blocks.keep(look)

    assert len(compared) == 49
    assert len(list(blocks.pairs(replace(look, pk=100, patient=None, on_file=False)))) == MOST_PAIRS


KINDS_ON_FILE = ("catheter-migration", "catheter-kink", "csf-leak")


def _reports_of(world, dice):
    """Reports of a few patients, devices and years, and of none of these: many are alike."""
    devices = [world.catheter, *(ImplantFactory(site=world.site, catheter=True) for _ in range(2))]
    while True:
        implant = dice.choice((*devices, None, None))
        months = dice.choice((None, 11, 12)) if implant is None else dice.choice((11, 12, 14))
        yield EventFactory(
            site=world.site if implant is None else implant.site,
            implant=implant,
            complication=Complication.objects.get(pk=dice.choice(KINDS_ON_FILE)),
            year=dice.choice((2011, 2012)),
            months_since_implant=months,
            state=dice.choice(("draft", "submitted", "accepted")),
            **({"drug": "baclofen", "sex": "male", "age_band": "40-64"} if implant is None else {}),
        )


@pytest.mark.parametrize("batch", [1, 8, 40])
def test_stored_reports_that_are_alike_are_all_found(world, batch):
    """Against every standing report of the site, whatever is read of them for a batch."""
    made = _reports_of(world, Random(batch))
    categories = dict(Complication.objects.values_list("pk", "category_id"))
    stored = list(islice(made, 40))
    expected, found, new, reports = [], [], [], AlikeReports(categories)

    for _ in range(40 // batch):
        arrived = list(islice(made, batch))
        found += reports.pairs(arrived)
        new += arrived

    earlier = list(looks([vars(event) for event in stored], categories))
    for look in looks([vars(event) for event in new], categories):
        pairs = ((one.pk, look.pk, look.site, reasons_alike(one, look)) for one in earlier)
        expected += [pair for pair in pairs if pair[-1]][:MOST_PAIRS]
        earlier.append(look)
    assert found == expected
    assert len({reason for *_, reasons in found for reason in reasons}) == len(AlikeReason)


def test_a_few_reports_read_few_of_their_site(world, monkeypatch):
    """Not those of other years, nor of devices of other patients."""
    new = EventFactory(implant=world.catheter, year=2011)
    of_patient = EventFactory(implant=world.pump, year=2015)
    no_device = EventFactory(site=world.site, year=2011)
    EventFactory(site=world.site, year=2012)
    EventFactory(implant=ImplantFactory(site=world.site, catheter=True), year=2011)
    kept = []
    keep = LookBlocks.keep
    monkeypatch.setattr(
        LookBlocks, "keep", lambda self, look: kept.append(look.pk) or keep(self, look)
    )

    AlikeReports({}).pairs([new])

    assert sorted(kept) == sorted([of_patient.pk, no_device.pk, new.pk])
