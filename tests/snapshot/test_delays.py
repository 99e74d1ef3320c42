"""How long events took to be accepted: from their history into the manifest."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from registry.intake import accept_event, reject_event, reopen_event
from registry.models import Event, audit
from registry.snapshot.changes import KEPT, seal_staged
from registry.snapshot.freeze import freeze_rows
from registry.snapshot.manifest import Manifest
from registry.snapshot.recomputing import hold_to_rows
from registry.snapshot.staging import open_staging
from registry.vocabulary import Role
from tests.factories import EventFactory, SiteFactory, UserFactory
from tests.snapshot.rows import event, shipped_terms
from tests.snapshot.test_changes import freeze

JOINED = event("joined", year=2009, accepted_at="2015-03-02")


def frozen(root: Path, *events: Any) -> Manifest:
    rows = {"events": events, "implants": (), "exposures": ()}
    return freeze_rows(root, **rows, terms=shipped_terms(A="DE", B="DE"))


def test_months_run_from_the_january_of_the_year_to_the_acceptance(tmp_path: Path) -> None:
    manifest = frozen(
        tmp_path,
        JOINED,
        event("a", year=2016, accepted_at="2016-01-31"),
        event("b", year=2016, accepted_at="2017-12-01 23:59:59.123456+00"),
        event("c", year=2016, accepted_at="2017-12-31"),
        event("d", year=2017, accepted_at="2016-12-31 23:30:00"),
    )

    assert manifest.delays == (("A", 2016, 0, 1), ("A", 2016, 23, 2), ("A", 2017, 0, 1))


def test_what_a_site_brings_along_is_no_delay(tmp_path: Path) -> None:
    """Site A joined in 2015, site B in 2018."""
    late = {"year": 2017, "accepted_at": "2018-05-05"}
    manifest = frozen(
        tmp_path,
        JOINED,
        event("same-year", year=2015, accepted_at="2015-12-01"),
        event("of-a", **late),
        event("of-b", site="B", **late),
        event("later-of-b", site="B", year=2019, accepted_at="2019-02-01"),
    )

    assert manifest.delays == (("A", 2017, 16, 1), ("B", 2019, 1, 1))


def test_only_accepted_events_of_known_acceptance_have_a_delay(tmp_path: Path) -> None:
    manifest = frozen(
        tmp_path,
        JOINED,
        event("rejected", year=2016, accepted_at="2016-05-01", state="rejected"),
        event("unknown", year=2016),
    )

    assert manifest.delays == ()


def test_delays_are_kept_checked_and_part_of_the_id(tmp_path: Path) -> None:
    rows = [JOINED, event("a", year=2016, accepted_at="2016-05-01")]
    one = frozen(tmp_path, *rows)
    other = frozen(tmp_path, JOINED, event("a", year=2016, accepted_at="2016-06-01"))
    without = frozen(tmp_path, event("joined", year=2009), event("a", year=2016))

    assert len({one.snapshot_id, other.snapshot_id, without.snapshot_id}) == 3
    assert Manifest.read(tmp_path / one.snapshot_id) == one
    hold_to_rows(tmp_path / one.snapshot_id, one)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Sets the instant under which the next seals are made."""

    def at(year: int, month: int) -> None:
        now = datetime(year, month, 15, tzinfo=UTC)
        monkeypatch.setattr(audit.timezone, "now", lambda: now)

    yield at
    monkeypatch.undo()


@pytest.mark.django_db
def test_the_first_acceptance_counts_and_stays(tmp_path: Path, clock: Any) -> None:
    """Accepted in March, reopened, rejected, and accepted again in June: it took till March."""
    clock(2020, 1)
    site = SiteFactory()
    manager = UserFactory(roles=[Role.DATA_MANAGER])
    EventFactory(site=site, year=2020, state="accepted")
    one = EventFactory(site=site, year=2021, state="submitted")
    first = freeze(tmp_path)
    clock(2022, 3)
    accept_event(one.public_id, by=manager)

    accepted = freeze(tmp_path)

    clock(2022, 6)
    reopen_event(one.public_id, by=manager, reason="entered-in-error")
    reject_event(one.public_id, by=manager, reason="not-an-event")
    rejected = freeze(tmp_path)
    reopen_event(one.public_id, by=manager, reason="entered-in-error")
    accept_event(one.public_id, by=manager)
    again = freeze(tmp_path)

    assert Event.objects.get(pk=one.pk).state == "accepted"
    assert [each.delays for each in (first, accepted, rejected, again)] == [
        (),
        ((site.code, 2021, 14, 1),),
        (),
        ((site.code, 2021, 14, 1),),
    ]
    assert freeze(tmp_path / "whole", whole=True) == again


@pytest.mark.django_db
def test_rows_staged_before_delays_were_kept_are_not_built_on(tmp_path: Path, clock: Any) -> None:
    clock(2020, 1)
    site = SiteFactory()
    EventFactory(site=site, year=2020, state="accepted")
    freeze(tmp_path)
    with open_staging(tmp_path / KEPT) as staging:
        staging.execute("ALTER TABLE staged_events DROP COLUMN accepted_in")
    seal_staged(tmp_path / KEPT, key=b"")
    clock(2022, 3)
    EventFactory(site=site, year=2021, state="accepted")

    assert freeze(tmp_path).delays == ((site.code, 2021, 14, 1),)
