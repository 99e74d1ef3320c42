"""Files are judged while nobody waits; what others wrote meanwhile is judged when storing."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry import intake
from registry.intake.importing import BATCH
from registry.models import Event, Exposure, Implant, Membership, Patient, Seal, Site, sealed
from registry.records import NotPermitted, RawReport, RowKind
from tests.intake.conftest import report
from tests.intake.test_files import FATAL, rows

AT_THE_END = {"year": "2012", "months_since_implant": "24"}
PUMP = {"component": "pump", "model": "synchromed-ii-20"}
MODELS = (Site, Patient, Implant, Exposure, Event, Seal)


def held():
    """How many rows of each kind are stored."""
    return [model.objects.count() for model in MODELS]


def cohort(site="BERN"):
    """Implants, device time and events that name each other in every way, in small numbers."""
    return {
        RowKind.IMPLANT: rows(
            RowKind.IMPLANT,
            *({"site": site, "patient": f"p{n // 2}x", "implant": f"i{n}"} for n in range(5)),
            {"site": site, "patient": "p2x", "implant": "pump", **PUMP},
        ),
        RowKind.EXPOSURE: rows(RowKind.EXPOSURE, {"site": site}, {"site": site, "year": "2013"}),
        RowKind.EVENT: rows(
            RowKind.EVENT,
            {"site": site, "source_id": "e1", "implant": "i0", "caused_by": "e5"},
            {"site": site, "source_id": "e2", "implant": "i2"},
            {"site": site, "source_id": "e3", "implant": "i3", "caused_by": "e2"},
            {"site": site, "source_id": "e4"} | FATAL | {"implant": "pump", **AT_THE_END},
            {"site": site, "source_id": "e5", "implant": "i1"},
        ),
    }


def judged(world, *changes, by=None):
    """Events that were found without a fault."""
    files = {RowKind.EVENT: rows(RowKind.EVENT, *changes or ({},))}
    return intake.judge_records(files, by=by or world.reporter)


def refused_when_storing(checked):
    """The (line, column, code) of each fault that is found only when storing."""
    before = held()
    with pytest.raises(intake.ImportRefused) as refusal:
        intake.store_judged(checked)
    assert held() == before
    return [(fault.line, fault.column, fault.code) for fault in refusal.value.faults]


def statements_other_than_reading(queries):
    return [
        query["sql"]
        for query in queries
        if not query["sql"].startswith("SELECT") or "pg_advisory" in query["sql"]
    ]


@pytest.mark.parametrize("batch", [1, 2, BATCH])
def test_check_takes_no_lock_and_writes_nothing(world, monkeypatch, batch):
    monkeypatch.setattr("registry.intake.files.BATCH", batch)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        intake.import_records(cohort(), by=world.lead, dry_run=True)

    assert len(queries) > 0
    assert statements_other_than_reading(queries) == []


def test_check_of_follow_up_takes_no_lock(world):
    rows_now = [intake.FollowUp(world.pump.public_id, "61")]

    with CaptureQueriesContext(connection) as queries:
        followed = intake.follow_up(rows_now, by=world.reporter, dry_run=True)

    assert [one.months_added for one in followed] == [1]
    assert statements_other_than_reading(queries) == []


@pytest.mark.parametrize("site", ["BERN", "NEW-1"])
@pytest.mark.parametrize("batch", [1, 2, BATCH])
def test_check_counts_what_storing_does(world, monkeypatch, batch, site):
    monkeypatch.setattr("registry.intake.files.BATCH", batch)

    checked = intake.judge_records(cohort(site), by=world.manager)
    assert held()[2:5] == [2, 0, 0]
    stored = intake.store_judged(checked)

    assert stored == checked.summary
    assert [count.new for count in stored.counts.values()] == [6, 2, 5]
    assert Event.objects.get(source_id="e1").caused_by.source_id == "e5"


@pytest.mark.parametrize("batch", [1, 2, BATCH])
def test_check_finds_a_later_follow_up_of_the_same_files(world, monkeypatch, batch):
    monkeypatch.setattr("registry.intake.files.BATCH", batch)
    intake.import_records(cohort(), by=world.lead)
    later = {"patient": "p0x", "implant": "i0", "months_followed": "36"}
    event = {"source_id": "e9", "implant": "i0", "year": "2012", "months_since_implant": "30"}
    files = {
        RowKind.IMPLANT: rows(RowKind.IMPLANT, later),
        RowKind.EVENT: rows(RowKind.EVENT, event),
    }

    summary = intake.import_records(files, by=world.lead, dry_run=True)

    assert summary.counts[RowKind.IMPLANT] == intake.ImportCounts(updated=1)
    assert summary.counts[RowKind.EVENT] == intake.ImportCounts(new=1)
    assert Implant.objects.get(source_id="i0").months_followed == 24


def test_files_on_file_already_leave_nobody_waiting(world):
    intake.import_records(cohort(), by=world.lead)

    with CaptureQueriesContext(connection) as queries:
        summary = intake.import_records(cohort(), by=world.lead)

    assert [count.unchanged for count in summary.counts.values()] == [6, 2, 5]
    assert statements_other_than_reading(queries) == []


def test_same_event_stored_meanwhile_is_not_stored_twice(world):
    event = {"interventions": ""}
    checked = judged(world, event)
    intake.import_records({RowKind.EVENT: rows(RowKind.EVENT, event)}, by=world.reporter)

    summary = intake.store_judged(checked)

    assert summary.counts[RowKind.EVENT] == intake.ImportCounts(unchanged=1)
    assert Event.objects.count() == 1


def test_other_event_stored_meanwhile_under_the_key_is_kept(world):
    checked = judged(world, {"source_id": "e0"}, {"source_id": "e1", "severity": "2"})
    intake.record_event(report(interventions="", severity="4"), by=world.reporter, submit=True)

    assert refused_when_storing(checked) == [(3, "severity", "differs-from-stored")]
    assert Event.objects.get().severity == 4


def test_death_reported_meanwhile_is_the_only_one(world):
    checked = judged(world, FATAL)
    values = {"site": "BERN", "year": "2011", "months_since_implant": "14"} | FATAL
    other = RawReport(RowKind.EVENT, values | {"source_id": "o-1"})
    intake.record_event(other, by=world.reporter, submit=True)

    assert refused_when_storing(checked) == [(2, "complication", "second-death")]


def test_complication_retired_meanwhile_takes_no_event(world):
    checked = judged(world)
    complication = Event.complication.field.related_model.objects.get(code="catheter-migration")
    complication.retired = True
    with sealed(by=None, action="retire") as seal:
        seal.save(complication)

    assert refused_when_storing(checked) == [(2, "complication", "retired-code")]


def test_implant_followed_further_meanwhile_is_not_set_back(world):
    intake.import_records(cohort(), by=world.lead)
    later = {"patient": "p0x", "implant": "i0", "months_followed": "36"}
    checked = intake.judge_records(
        {RowKind.IMPLANT: rows(RowKind.IMPLANT, later)}, by=world.reporter
    )
    latest = {RowKind.IMPLANT: rows(RowKind.IMPLANT, later | {"months_followed": "48"})}
    intake.import_records(latest, by=world.lead)

    assert refused_when_storing(checked) == [(2, "months_followed", "earlier-than-stored")]
    assert Implant.objects.get(source_id="i0").months_followed == 48


def test_patient_stored_meanwhile_must_agree(world):
    files = {RowKind.IMPLANT: rows(RowKind.IMPLANT, {})}
    checked = intake.judge_records(files, by=world.reporter)
    other = rows(RowKind.IMPLANT, {"implant": "i8", "sex": "male"})
    intake.import_records({RowKind.IMPLANT: other}, by=world.reporter)

    assert refused_when_storing(checked) == [(2, "sex", "patient-disagrees")]


def test_device_time_declared_meanwhile_is_not_declared_twice(world):
    checked = intake.judge_records({RowKind.EXPOSURE: rows(RowKind.EXPOSURE, {})}, by=world.lead)
    other = rows(RowKind.EXPOSURE, {"devices": "5"})
    intake.import_records({RowKind.EXPOSURE: other}, by=world.lead)

    assert refused_when_storing(checked) == [(2, "devices", "differs-from-stored")]


def test_site_closed_meanwhile_takes_no_event(world):
    checked = judged(world)
    intake.change_site(world.site, name="Bern", country="CH", active=False, by=world.manager)

    assert refused_when_storing(checked) == [(2, "site", "not-your-site")]


def test_writer_who_left_the_site_meanwhile_stores_nothing(world):
    checked = judged(world)
    membership = Membership.objects.get(user=world.reporter)
    intake.change_member(membership, role=membership.role, active=False, by=world.manager)

    assert refused_when_storing(checked) == [(2, "site", "not-your-site")]


def test_manager_who_lost_the_role_meanwhile_accepts_nothing(world):
    files = {RowKind.EVENT: rows(RowKind.EVENT, {})}
    checked = intake.judge_records(files, by=world.manager, accept=True)
    with sealed(by=None, action="take-role") as seal:
        world.manager.set_roles([], seal=seal)
    before = held()

    with pytest.raises(NotPermitted):
        intake.store_judged(checked)

    assert held() == before


def test_records_kept_between_hold_no_text_that_was_sent(world):
    files = {RowKind.EVENT: rows(RowKind.EVENT, {})}
    checked = intake.judge_records(files, by=world.reporter)

    (batch,) = checked.records[RowKind.EVENT].batches(RowKind.EVENT)

    assert [raw.values for raw, _ in batch] == [{}]
    assert [(raw.line, raw.file) for raw, _ in batch] == [(2, "events.csv")]
