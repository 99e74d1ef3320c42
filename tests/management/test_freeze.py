import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from registry.models import Implant, Snapshot
from registry.reporting.asking import freshness
from tests.factories import ImplantFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_snapshots(tmp_path: Any, settings: Any) -> None:
    settings.REGISTRY_VAR = tmp_path


def freeze(**options: Any) -> str:
    out = io.StringIO()
    call_command("freeze", stdout=out, **options)
    return out.getvalue()


def test_freeze_makes_the_working_snapshot() -> None:
    ImplantFactory()

    said = freeze()

    row = Snapshot.objects.get()
    assert said == f"working snapshot {row.snapshot_id}\n"
    assert (row.kind, row.implants) == ("working", 1)
    assert (freshness.root() / row.snapshot_id / "implants.parquet").exists()


def test_whole_freeze_reads_what_was_changed_behind_the_registrys_back() -> None:
    ImplantFactory(months_followed=60)
    before = freeze()
    Implant.objects.update(months_followed=61)

    assert freeze() == before
    assert freeze(whole=True) != before


def test_freeze_publishes_a_release() -> None:
    ImplantFactory()

    said = freeze(release="2026Q4")

    row = Snapshot.objects.get()
    assert said == f"release 2026Q4 {row.snapshot_id}\n"
    assert (row.kind, row.label) == ("release", "2026Q4")


@pytest.mark.parametrize("label", ["", "two words", "a" * 41, "../up", "-x"])
def test_label_that_is_badly_formed_is_refused(label: str) -> None:
    with pytest.raises(CommandError, match="label"):
        freeze(release=label)

    assert not Snapshot.objects.exists()


def test_label_that_is_taken_is_refused() -> None:
    ImplantFactory()
    freeze(release="2026Q4")
    ImplantFactory()

    with pytest.raises(CommandError, match="choose another"):
        freeze(release="2026Q4")


def test_release_before_its_time_needs_to_be_asked_for(settings: Any) -> None:
    settings.REGISTRY_RELEASE_DAYS = 350
    ImplantFactory()
    freeze(release="2026Q4")
    ImplantFactory()

    with pytest.raises(CommandError, match="use --early"):
        freeze(release="2027Q1")

    assert freeze(release="2027Q1", early=True).startswith("release 2027Q1 ")
