import base64
import os
import subprocess
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from registry.disclosure import record_key
from registry.keys import read_keys, read_snapshot_key
from registry.models import AccessLog, Event, Seal, Snapshot, sealed
from registry.models.append_only import lift_append_only_triggers
from registry.records import BadQuery, NoSnapshot, SnapshotGone
from registry.reporting.asking import freshness
from registry.snapshot import canonical, freeze, schema, shelf
from registry.snapshot.counting import Sums, reported
from registry.snapshot.manifest import Manifest
from registry.snapshot.schema import RECORD_KEYS
from registry.snapshot.selection import Selection
from registry.snapshot.shelf import Working
from registry.snapshot.statement import Piece
from tests.factories import (
    EventFactory,
    ImplantFactory,
    MembershipFactory,
    SiteFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _readers_wait_as_they_do_in_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness, "SECONDS_TO_WAIT", 1.0)


def implants_held() -> int:
    return freshness.current().store.manifest.implants


def test_small_registry_is_refreshed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness, "SECONDS_TO_WAIT", 60.0)  # however busy this machine is
    ImplantFactory()
    assert implants_held() == 1

    ImplantFactory()

    assert implants_held() == 2


def test_unchanged_registry_is_not_frozen_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ImplantFactory()
    before = freshness.current()
    monkeypatch.setattr(freshness, "freeze_database", None)

    assert freshness.current() == before
    assert freshness.refresh().snapshot_id == before.snapshot_id


def slow_to_freeze() -> None:
    """Let the last freeze have taken long."""
    working = Working.read(freshness.root(), key=read_snapshot_key())
    assert working is not None
    slow = replace(working, seconds=freshness.SECONDS_TO_WAIT)
    slow.write(freshness.root(), key=read_snapshot_key())


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that were started in the background."""
    commands: list[str] = []
    monkeypatch.setattr(
        subprocess, "Popen", lambda command, **options: commands.append(command[-1])
    )
    return commands


def test_large_registry_is_refreshed_in_the_background(settings: Any, started: list[str]) -> None:
    settings.REGISTRY_FREEZE_SECONDS = 0
    ImplantFactory()
    before = freshness.current()
    slow_to_freeze()
    ImplantFactory()

    after = freshness.current()

    assert (before.is_behind, after.is_behind) == (False, True)
    assert replace(after, is_behind=False) == before
    assert started == ["freeze"]


def test_background_refresh_is_not_started_twice(settings: Any, started: list[str]) -> None:
    settings.REGISTRY_FREEZE_SECONDS = 0
    ImplantFactory()
    freshness.current()
    slow_to_freeze()
    ImplantFactory()

    with shelf.freezing(freshness.root()):
        freshness.current()

    assert started == []


def test_background_refresh_waits_for_the_interval(settings: Any, started: list[str]) -> None:
    settings.REGISTRY_FREEZE_SECONDS = 30
    ImplantFactory()
    freshness.current()
    slow_to_freeze()
    ImplantFactory()

    freshness.current()
    too_early = list(started)
    done = freshness.root() / shelf.DONE
    os.utime(done, (time.time() - 31, time.time() - 31))
    freshness.current()
    freshness.current()

    assert too_early == []
    assert started == ["freeze"]


def test_reader_is_answered_by_the_last_snapshot_while_another_process_freezes() -> None:
    ImplantFactory()
    before = freshness.current()
    ImplantFactory()

    with shelf.freezing(freshness.root()):
        began = time.monotonic()
        after = freshness.current()
        waited = time.monotonic() - began

    assert (after.snapshot_id, after.is_behind) == (before.snapshot_id, True)
    assert waited < 10 * freshness.SECONDS_TO_WAIT
    assert implants_held() == 2


def test_last_good_snapshot_answers_and_says_so_where_none_can_be_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ImplantFactory()
    before = freshness.current()
    ImplantFactory()

    def full(*args: object, **options: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(freshness, "freeze_database", full)
    after = freshness.current()
    monkeypatch.undo()
    mended = freshness.current()

    assert (after.snapshot_id, after.is_behind, after.cannot_follow) == (
        before.snapshot_id,
        True,
        True,
    )
    assert (mended.is_behind, mended.cannot_follow) == (False, False)


def test_no_question_counts_the_rows_of_the_registry(
    django_assert_num_queries: Any, settings: Any
) -> None:
    ImplantFactory()
    freshness.current()

    with django_assert_num_queries(1) as queries:
        freshness.current()

    assert "registry_seal" in queries[0]["sql"]
    assert "count(" not in queries[0]["sql"].lower()


def test_registry_without_a_snapshot_waits_for_the_first() -> None:
    ImplantFactory()

    assert implants_held() == 1


def test_staleness_is_seen_in_the_seals_hash_too() -> None:
    ImplantFactory()
    working = freshness.refresh()
    forged = Working(
        snapshot_id=working.snapshot_id,
        seal_number=working.seal_number,
        seal_hash="of another registry",
        data_as_of=None,
    )
    forged.write(freshness.root(), key=read_snapshot_key())

    freshness.current()

    read = Working.read(freshness.root(), key=read_snapshot_key())
    assert read is not None
    assert read.seal_hash == Seal.objects.order_by("-number")[0].hash


def test_answer_is_as_of_the_newest_seal() -> None:
    ImplantFactory()

    assert freshness.current().data_as_of == Seal.objects.order_by("-number")[0].at


def test_snapshot_whose_folder_is_gone_is_frozen_again() -> None:
    ImplantFactory()
    first = freshness.refresh()
    shelf.tidy(freshness.root(), keep=frozenset(), now=4e9)
    shelf.forget_open()

    assert freshness.current().snapshot_id == first.snapshot_id


def test_one_working_snapshot_is_on_record() -> None:
    ImplantFactory()
    freshness.refresh()
    ImplantFactory()
    working = freshness.refresh()

    row = Snapshot.objects.get()
    assert (row.snapshot_id, row.kind, row.implants) == (working.snapshot_id, "working", 2)


def test_release_stays_when_the_registry_goes_on() -> None:
    ImplantFactory()
    released = freshness.publish("2026Q4")
    ImplantFactory()
    freshness.refresh()
    shelf.tidy(
        freshness.root(), keep=frozenset(Snapshot.objects.values_list("snapshot_id", flat=True))
    )

    assert freshness.named_release("2026Q4").store.manifest.implants == 1
    assert freshness.named_release(released.snapshot_id).label == "2026Q4"
    assert freshness.newest_release().label == "2026Q4"


@pytest.mark.django_db(transaction=True)
def test_release_is_looked_up_once_in_a_process(django_assert_num_queries: Any) -> None:
    with pytest.raises(BadQuery):
        freshness.named_release("2026Q4")
    ImplantFactory()
    released = freshness.publish("2026Q4")

    for name in ("2026Q4", released.snapshot_id):
        freshness.named_release(name)
        with django_assert_num_queries(0):
            assert freshness.named_release(name).label == "2026Q4"


@pytest.mark.django_db(transaction=True)
def test_release_is_forgotten_with_the_rows_of_its_database() -> None:
    ImplantFactory()
    freshness.publish("2026Q4")
    freshness.named_release("2026Q4")

    lift_append_only_triggers(connection)
    call_command("flush", interactive=False, verbosity=0)

    with pytest.raises(BadQuery):
        freshness.named_release("2026Q4")


@pytest.mark.django_db(transaction=True)
def test_release_of_another_database_is_not_known(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    ImplantFactory()
    freshness.publish("2026Q4")
    freshness.named_release("2026Q4")

    monkeypatch.setitem(connection.settings_dict, "NAME", "another")
    with django_assert_num_queries(1):
        freshness.named_release("2026Q4")


def test_release_that_is_rolled_back_is_not_remembered() -> None:
    ImplantFactory()
    with transaction.atomic():
        freshness.publish("2026Q4")
        freshness.named_release("2026Q4")
        transaction.set_rollback(True)

    with pytest.raises(BadQuery):
        freshness.named_release("2026Q4")


def test_newest_release_is_the_one_published_last() -> None:
    ImplantFactory()
    freshness.publish("2026Q3")
    ImplantFactory()
    freshness.publish("2026Q4")

    assert freshness.newest_release().label == "2026Q4"


def test_label_is_taken_once() -> None:
    ImplantFactory()
    freshness.publish("2026Q4")
    ImplantFactory()

    with pytest.raises(BadQuery) as refusal:
        freshness.publish("2026Q4")

    assert refusal.value.faults[0].code == "label-taken"
    assert freshness.named_release("2026Q4").store.manifest.implants == 1


def test_same_data_are_released_once() -> None:
    ImplantFactory()
    freshness.publish("2026Q3")

    with pytest.raises(BadQuery) as refusal:
        freshness.publish("2026Q4")

    assert refusal.value.faults[0].code == "already-released"


def released_days_ago(days: int) -> None:
    """A release of one implant, and a second implant since."""
    ImplantFactory()
    freshness.publish("2026Q3")
    Snapshot.objects.update(made_at=timezone.now() - timedelta(days=days, seconds=1))
    ImplantFactory()


def test_release_too_soon_after_the_last_is_refused(settings: Any) -> None:
    settings.REGISTRY_RELEASE_DAYS = 350
    released_days_ago(349)

    with pytest.raises(BadQuery) as refusal:
        freshness.publish("2026Q4")

    (fault,) = refusal.value.faults
    first_day = timezone.localdate(Snapshot.objects.get().made_at + timedelta(days=350))
    assert fault.code == "too-early"
    assert f"from {first_day.isoformat()} on" in fault.detail
    assert "use --early" in fault.detail
    assert freshness.newest_release().label == "2026Q3"


def test_release_after_the_interval_is_published_and_nothing_is_noted(settings: Any) -> None:
    settings.REGISTRY_RELEASE_DAYS = 350
    released_days_ago(350)

    freshness.publish("2026Q4")

    assert freshness.newest_release().label == "2026Q4"
    assert not AccessLog.objects.exists()


def test_early_release_is_written_down(settings: Any) -> None:
    settings.REGISTRY_RELEASE_DAYS = 350
    released_days_ago(12)

    freshness.publish("2026Q4", early=True)

    log = AccessLog.objects.get()
    assert freshness.newest_release().label == "2026Q4"
    assert (log.action, log.count) == ("early-release", 12)
    assert log.what == "2026Q4, 12 days after 2026Q3"


def test_early_release_that_fails_is_not_written_down(settings: Any) -> None:
    settings.REGISTRY_RELEASE_DAYS = 350
    released_days_ago(12)

    with pytest.raises(BadQuery, match="choose another"):
        freshness.publish("2026Q3", early=True)

    assert not AccessLog.objects.exists()


def events_accepted(number: int) -> list[Event]:
    return [EventFactory(state="accepted") for _ in range(number)]


def test_release_of_too_little_new_is_refused_and_says_how_much_is_missing(settings: Any) -> None:
    settings.REGISTRY_RELEASE_GROWTH = 10
    events_accepted(18)
    freshness.publish("2026")
    events_accepted(1)  # one of nineteen: two would be 10 %

    with pytest.raises(BadQuery) as refusal:
        freshness.publish("2027")

    (fault,) = refusal.value.faults
    assert fault.code == "too-little-new"
    assert "Of 19 accepted events 1 are new, changed or gone since release 2026" in fault.detail
    assert "wait for 1 more, or use --early" in fault.detail
    assert not AccessLog.objects.exists()


def test_release_of_few_new_records_is_refused_however_large_their_share(settings: Any) -> None:
    settings.REGISTRY_RELEASE_GROWTH, settings.REGISTRY_RELEASE_CHANGED = 10, 4
    events_accepted(2)
    freshness.publish("2026")
    events_accepted(3)

    with pytest.raises(BadQuery, match=r"4 or more \(REGISTRY_RELEASE_CHANGED\) .* 1 more"):
        freshness.publish("2027")

    events_accepted(1)
    assert freshness.publish("2027").early is False


def accept_two_more(events: list[Event]) -> None:
    events_accepted(2)


def change_two(events: list[Event]) -> None:
    with sealed(by=None, action="change-event") as seal:
        for event in events[:2]:
            event.severity = 3
            seal.save(event)


def lose_two(events: list[Event]) -> None:
    with sealed(by=None, action="withdraw-event") as seal:
        for event in events[:2]:
            event.state, event.reason = "withdrawn", "entered-in-error"
            seal.save(event)


@pytest.mark.parametrize("move", [accept_two_more, change_two, lose_two])
def test_what_is_new_changed_or_gone_counts_as_growth(settings: Any, move: Any) -> None:
    settings.REGISTRY_RELEASE_GROWTH = 10
    events = events_accepted(18)
    freshness.publish("2026")

    move(events)

    assert freshness.publish("2027").early is False


def test_events_that_were_never_accepted_are_no_growth(settings: Any) -> None:
    settings.REGISTRY_RELEASE_GROWTH = 10
    events_accepted(3)
    EventFactory(state="submitted")
    freshness.publish("2026")
    before = freshness.newest_release()
    submitted = EventFactory(state="submitted")
    with sealed(by=None, action="reject-event") as seal:
        submitted.state = "rejected"
        seal.save(submitted)

    with pytest.raises(BadQuery, match="Of 3 accepted events 0 are"):
        freshness.publish("2027")

    assert freshness.newest_release().snapshot_id == before.snapshot_id


def test_early_release_of_too_little_new_is_written_down(settings: Any) -> None:
    settings.REGISTRY_RELEASE_GROWTH = 10
    events_accepted(18)
    freshness.publish("2026")
    events_accepted(1)

    assert freshness.publish("2027", early=True).early

    log = AccessLog.objects.get()
    assert log.what == "2027, 1 of 19 records changed since 2026"
    assert freshness.newest_release().is_early


def test_release_of_the_first_design_is_closed() -> None:
    ImplantFactory()
    freshness.publish("2026Q3")
    Snapshot.objects.update(schema_version="6")

    with pytest.raises(SnapshotGone) as refusal:
        freshness.named_release("2026Q3")
    with pytest.raises(NoSnapshot):
        freshness.newest_release()

    (fault,) = refusal.value.faults
    assert fault.code == "closed-release"
    assert "protected by the first design" in fault.detail


def test_first_release_of_this_design_waits_for_none_of_the_first(settings: Any) -> None:
    ImplantFactory()
    freshness.publish("2026Q3")
    Snapshot.objects.update(schema_version="6")
    ImplantFactory()
    settings.REGISTRY_RELEASE_DAYS, settings.REGISTRY_RELEASE_GROWTH = 350, 10

    assert not freshness.publish("2027").early


def test_sites_that_share_an_active_member_are_one_hand() -> None:
    sites = [SiteFactory(code=code) for code in ("AA", "BB", "CC", "DD")]
    UserFactory(sites=sites[:2])
    UserFactory(sites=sites[1:3], is_active=False)
    left = MembershipFactory(site=sites[3], active=False)
    MembershipFactory(site=sites[2], user=left.user)

    hands = freshness.current().store.manifest.hands

    assert hands == {"AA": 1, "BB": 1, "CC": 2, "DD": 3}


def test_hands_follow_the_members() -> None:
    sites = [SiteFactory(code=code) for code in ("AA", "BB")]
    ImplantFactory(patient__site=sites[0])
    before = freshness.current().store.manifest
    UserFactory(sites=sites)

    after = freshness.current().store.manifest

    assert (before.hands, after.hands) == ({"AA": 1, "BB": 2}, {"AA": 1, "BB": 1})
    assert before.snapshot_id != after.snapshot_id


def test_first_release_has_none_to_wait_for(settings: Any) -> None:
    settings.REGISTRY_RELEASE_DAYS = 350
    ImplantFactory()

    assert freshness.publish("2026Q3").label == "2026Q3"


def test_event_is_frozen_with_its_implant_and_site() -> None:
    event = EventFactory(state="accepted")

    store = freshness.current().store

    selection = Selection(group_by=("site", "complication"))
    found = reported(store, selection, each="event_no")
    assert found == {(event.site.code, event.complication_id): Sums(1)}


def test_snapshots_lie_in_the_deployments_folder(tmp_path: Path) -> None:
    assert freshness.root() == tmp_path / "snapshots"


def test_record_keys_are_frozen_from_the_random_ids() -> None:
    device = ImplantFactory()
    secret = read_keys().records

    store = freshness.current().store

    found = store.run(Piece("SELECT * FROM implants"))
    kept = tuple(int(found[column.name][0]) for column in RECORD_KEYS)
    assert kept == (
        *record_key(secret, device.public_id.bytes),
        *record_key(secret, device.patient.public_id.bytes),
    )


def test_keys_themselves_are_in_no_file_of_a_snapshot() -> None:
    ImplantFactory()
    EventFactory()
    working = freshness.refresh()
    keys = read_keys()
    told = [keys.records, keys.noise]
    told += [each.hex().encode() for each in told] + [base64.b64encode(each) for each in told]

    files = [path for path in freshness.root().rglob("*") if path.is_file()]

    assert {path.name for path in files} >= {"implants.parquet", "registry.duckdb", "manifest.json"}
    assert not [path.name for path in files for key in told if key in path.read_bytes()]
    assert Manifest.read(freshness.root() / working.snapshot_id).keys == keys.mark


def test_other_keys_freeze_the_same_rows_anew(settings: Any) -> None:
    ImplantFactory()
    before = freshness.refresh()
    settings.REGISTRY_KEY_RECORDS = "ab" * 32

    after = freshness.refresh()

    assert after.snapshot_id != before.snapshot_id
    assert after.seal_number == before.seal_number


def test_nothing_is_frozen_without_keys(settings: Any) -> None:
    settings.REGISTRY_KEY_RECORDS = settings.REGISTRY_KEY_NOISE = ""
    ImplantFactory()

    with pytest.raises(ImproperlyConfigured, match="make_keys"):
        freshness.refresh()

    assert not list(freshness.root().glob("*/manifest.json"))


def test_snapshot_as_older_code_wrote_it_is_frozen_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    ImplantFactory()
    monkeypatch.setattr(freeze, "SCHEMA_VERSION", 1)
    monkeypatch.setattr(canonical, "SCHEMA_VERSION", 1)
    before = freshness.refresh()
    monkeypatch.undo()

    after = freshness.current()

    assert after.snapshot_id != before.snapshot_id
    assert after.store.manifest.schema_version == schema.SCHEMA_VERSION
