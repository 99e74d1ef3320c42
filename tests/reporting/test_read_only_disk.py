"""What answers where the disk of the snapshots is mounted read-only."""

import pytest
from django.core.management import CommandError, call_command

from registry.records import SnapshotUnusable
from registry.reporting import verifying
from registry.reporting.asking import freshness
from registry.snapshot import shelf
from tests.factories import ImplantFactory
from tests.reporting.read_only import on_read_only_disk

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_open():
    freshness.root().mkdir(parents=True, exist_ok=True)
    yield
    shelf.forget_open()


def test_read_only_disk_leaves_the_last_snapshot_until_it_can_be_written() -> None:
    ImplantFactory()
    before = freshness.current()
    shelf.forget_open()
    ImplantFactory()

    def look() -> tuple[str, bool, bool]:
        found = freshness.current()
        return found.snapshot_id, found.cannot_follow, verifying.at_a_glance()["freezing"]

    assert on_read_only_disk(freshness.root(), look) == (before.snapshot_id, True, False)
    assert freshness.current().store.manifest.implants == 2
    assert verifying.at_a_glance()["freezing"]


def test_read_only_disk_before_the_first_snapshot_is_told() -> None:
    ImplantFactory()

    with pytest.raises(SnapshotUnusable) as refusal:
        on_read_only_disk(freshness.root(), freshness.current)

    assert refusal.value.faults[0].code == "cannot-freeze"


def test_freeze_command_says_in_a_line_that_the_disk_is_read_only() -> None:
    ImplantFactory()

    with pytest.raises(CommandError, match=r"^Nothing was frozen\. (?s:.)*Read-only"):
        on_read_only_disk(freshness.root(), lambda: call_command("freeze", skip_checks=True))
