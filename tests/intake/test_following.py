"""Follow-up of many implants in one step, and follow-up that is yet to come at every door."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registry.intake import (
    FollowUp,
    FollowUpRefused,
    ImportRefused,
    change_implant,
    follow_up,
    import_records,
    record_implant,
    record_system,
    replace_implant,
)
from registry.models import Implant, Seal
from registry.records import RawReport, RowKind, RowRuleBroken
from registry.vocabulary import Right
from tests.factories import ImplantFactory, PatientFactory
from tests.intake.test_devices import implant, patch
from tests.intake.test_files import rows
from tests.intake.test_systems import ENDING, PATIENT, SUCCESSOR, component


def faults_of(told, *, by, **options):
    """The (column, code) of the faults of each refused row; nothing was stored."""
    seals = Seal.objects.count()
    with pytest.raises(FollowUpRefused) as caught:
        follow_up(told, by=by, **options)
    assert Seal.objects.count() == seals
    return {
        public_id: [(fault.column, fault.code) for fault in faults]
        for public_id, faults in caught.value.by_row.items()
    }


def test_follow_up_of_many_is_one_seal_with_a_history_row_each(world):
    before = Seal.objects.count()

    followed = follow_up(
        [
            FollowUp(world.pump.public_id, "72", version=1),
            FollowUp(world.catheter.public_id, "66", "explanted-for-complication", version=1),
        ],
        by=world.reporter,
    )

    assert {one.public_id: one.months_added for one in followed} == {
        world.pump.public_id: 12,
        world.catheter.public_id: 6,
    }
    assert Seal.objects.count() == before + 1
    seal = Seal.objects.latest("number")
    asked = 1  # the event for which the catheter was taken out
    assert (seal.action, seal.rows, seal.actor) == ("follow-up", 2 + asked, world.reporter)
    stored = Implant.objects.in_bulk([world.pump.pk, world.catheter.pk])
    assert [
        (one.months_followed, one.exit_status, one.version, one.drug, one.history.count())
        for one in (stored[world.pump.pk], stored[world.catheter.pk])
    ] == [
        (72, "active", 2, "baclofen", 2),
        (66, "explanted-for-complication", 2, "baclofen", 2),
    ]


def test_follow_up_is_tried_without_storing(world):
    before = Seal.objects.count()

    (followed,) = follow_up([FollowUp(world.pump.public_id, "72")], by=world.reporter, dry_run=True)

    assert (followed.before.months_followed, followed.after.months_followed) == (60, 72)
    assert Seal.objects.count() == before
    assert Implant.objects.get(pk=world.pump.pk).months_followed == 60


def test_follow_up_is_never_lowered(world):
    told = [FollowUp(world.pump.public_id, "59"), FollowUp(world.catheter.public_id, "60")]

    assert faults_of(told, by=world.reporter) == {
        world.pump.public_id: [("months_followed", "earlier-than-stored")]
    }


def test_follow_up_to_what_is_stored_is_none(world):
    before = Seal.objects.count()

    assert follow_up([FollowUp(world.pump.public_id, "60")], by=world.reporter) == []
    assert Seal.objects.count() == before


def test_one_bad_row_refuses_them_all_and_every_fault_is_told(world):
    ended = ImplantFactory(patient=world.patient, exit_status="lost-to-follow-up")
    nobody = uuid4()

    assert faults_of(
        [
            FollowUp(world.pump.public_id, "72"),
            FollowUp(world.catheter.public_id, "six", "gone"),
            FollowUp(ended.public_id, "72"),
            FollowUp(nobody, "72"),
        ],
        by=world.reporter,
    ) == {
        world.catheter.public_id: [
            ("months_followed", "out-of-range"),
            ("exit_status", "unknown-code"),
        ],
        ended.public_id: [("exit_status", "ended-already")],
        nobody: [("", "not-found")],
    }


def test_follow_up_says_how_the_implant_stands(world):
    assert faults_of([FollowUp(world.pump.public_id, "72", "")], by=world.reporter) == {
        world.pump.public_id: [("exit_status", "required")]
    }


def test_follow_up_is_held_to_version_reach_and_rights(world):
    pump = world.pump.public_id

    assert faults_of([FollowUp(pump, "72", version=2)], by=world.reporter) == {
        pump: [("version", "version-conflict")]
    }
    assert faults_of([FollowUp(pump, "72")], by=world.stranger) == {pump: [("", "not-found")]}
    assert faults_of([FollowUp(pump, "72")], by=world.reviewer) == {pump: [("", "not-permitted")]}


def test_follow_up_of_many_takes_no_more_queries_than_of_one(world):
    patient = PatientFactory(site=world.site)
    many = [ImplantFactory(patient=patient).public_id for _ in range(12)]
    assert not world.reporter.may(Right.RUN_REGISTRY)  # roles are asked once a request

    def queries(told):
        with CaptureQueriesContext(connection) as queries:
            follow_up([FollowUp(public_id, "72") for public_id in told], by=world.reporter)
        return len(queries)

    queries(many[:1])  # the sites of a user are asked once, too
    assert queries(many[1:3]) == queries(many[3:])


# Follow-up that is yet to come, at every door ---------------------------------------------------


def months(*, years):
    """A follow-up of so many whole years."""
    return str(12 * years)


def recorded(world, year, followed):
    values = {"implant_year": str(year), "months_followed": followed}
    return record_implant(implant(**values), by=world.reporter)


def changed(world, year, followed):
    stored = ImplantFactory(patient=world.patient, implant_year=year, months_followed=0)
    return change_implant(stored.public_id, patch(months_followed=followed), by=world.reporter)


def imported(world, year, followed):
    row = {"implant_year": str(year), "months_followed": followed}
    return import_records({RowKind.IMPLANT: rows(RowKind.IMPLANT, row)}, by=world.reporter)


def told_in_bulk(world, year, followed):
    stored = ImplantFactory(patient=world.patient, implant_year=year, months_followed=0)
    return follow_up([FollowUp(stored.public_id, followed)], by=world.reporter)


def with_patient(world, year, followed):
    values = {"implant_year": str(year), "months_followed": followed}
    return record_system(PATIENT, [component("pump", **values)], by=world.reporter)


def as_successor(world, year, followed):
    values = SUCCESSOR | {"implant_year": str(year), "months_followed": followed}
    successor = RawReport(RowKind.IMPLANT, values)
    return replace_implant(world.pump.public_id, ENDING, successor, by=world.reporter)


@pytest.mark.parametrize(
    "door", [recorded, changed, imported, told_in_bulk, with_patient, as_successor]
)
def test_follow_up_that_is_yet_to_come_is_refused_at_every_door(world, door):
    year = timezone.now().year - 3

    with pytest.raises((RowRuleBroken, ImportRefused, FollowUpRefused)) as caught:
        door(world, year, months(years=4))

    assert [(f.column.removeprefix("pump_"), f.code) for f in caught.value.faults] == [
        ("months_followed", "in-the-future")
    ]
    assert door(world, year, str(12 * 4 - 1))
