"""A freeze of what has changed gives what a whole freeze gives, whatever has changed."""

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from registry.disclosure import hands, record_keys
from registry.models import Complication, Event, Exposure, Implant, Patient, Site, sealed
from registry.snapshot import canonical, source
from registry.snapshot.changes import KEPT, MustFreezeWhole
from registry.snapshot.manifest import Manifest
from registry.snapshot.schema import RECORD_KEYS
from tests.factories import (
    ComplicationFactory,
    EventFactory,
    ExposureFactory,
    ImplantFactory,
    PatientFactory,
    SiteFactory,
)
from tests.snapshot.rows import rows_of

pytestmark = pytest.mark.django_db

SECRET = bytes(range(32))


def freeze(root: Path, **options: Any) -> Manifest:
    manifest, _ = source.freeze_database(
        root,
        record_keys=partial(record_keys, SECRET),
        keys="mark",
        **options,
        hands_of=hands,
        signing=b"",
    )
    return manifest


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How each freeze was made: of the changes, or whole."""
    made: list[str] = []

    def told(way: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def freeze_and_tell(*args: Any, **options: Any) -> Any:
            frozen = real(*args, **options)
            made.append(way)
            return frozen

        return freeze_and_tell

    monkeypatch.setattr(source, "freeze_changes", told("changes", source.freeze_changes))
    monkeypatch.setattr(source, "freeze_feed", told("whole", source.freeze_feed))
    return made


def assert_equals_whole(tmp_path: Path, manifest: Manifest) -> None:
    """Freeze the same registry whole, in a folder of its own, and compare id and rows."""
    whole = freeze(tmp_path / "whole", whole=True)
    for table in ("implants", "events", "exposures"):
        assert rows_of(tmp_path / "kept", manifest, table) == rows_of(
            tmp_path / "whole", whole, table
        ), table
    assert manifest == whole


class Registry:
    """A small registry that changes at random, one kind of change at a time."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        for _ in range(2):
            SiteFactory()
        ComplicationFactory()
        ComplicationFactory(code="pump-flip", clock="pump")
        for _ in range(4):
            self.add_patient()
        for _ in range(6):
            self.add_event()
        self.declare()

    def one(self, model: Any) -> Any:
        return self.draw.choice(list(model.objects.order_by("pk")))

    def store(self, row: Any, **values: Any) -> None:
        for name, value in values.items():
            setattr(row, name, value)
        with sealed(by=None, action="change-for-test") as seal:
            seal.save(row)

    def add_patient(self) -> None:
        """A patient with a pump, and a catheter or not."""
        patient = PatientFactory(site=self.one(Site))
        year = self.draw.choice([2008, 2010, 2012])
        ImplantFactory(patient=patient, implant_year=year)
        if self.draw.random() < 0.7:
            ImplantFactory(patient=patient, implant_year=year, catheter=True, pump_model="")

    def add_patient_without_implants(self) -> None:
        PatientFactory(site=self.one(Site))

    def add_implant(self) -> None:
        """A next pump or catheter of a patient."""
        catheter = self.draw.random() < 0.5
        ImplantFactory(
            patient=self.one(Patient),
            catheter=catheter,
            implant_year=self.draw.choice([2007, 2011, 2014]),
            months_followed=self.draw.choice([0, 6, 60]),
            exit_status=self.draw.choice(["active", "eligibility-not-met", "lost-to-follow-up"]),
            **({} if catheter else {"pump_model": self.draw.choice(["isomed", "prometra"])}),
        )

    def add_event(self) -> None:
        complication = self.one(Complication)
        if self.draw.random() < 0.2:
            EventFactory(site=self.one(Site), complication=complication)
            return
        EventFactory(
            implant=self.one(Implant),
            complication=complication,
            months_since_implant=self.draw.choice([0, 12, 70]),
        )

    def add_caused_event(self) -> None:
        cause = self.one(Event)
        EventFactory(implant=cause.implant, site=cause.site, caused_by=cause)

    def give_a_cause(self) -> None:
        """An event was brought about by an earlier one: both their episodes become one."""
        later = self.one(Event)
        if earlier := Event.objects.filter(pk__lt=later.pk).order_by("pk").first():
            self.store(later, caused_by=earlier)

    def take_the_cause(self) -> None:
        self.store(self.one(Event), caused_by=None)

    def withdraw(self) -> None:
        self.store(self.one(Event), state="withdrawn", reason="other")

    def recode(self) -> None:
        self.store(self.one(Event), complication=self.one(Complication), severity=3)

    def move_event(self) -> None:
        """The event was another implant's."""
        implant = self.one(Implant)
        self.store(
            self.one(Event),
            implant=implant,
            patient=implant.patient,
            site=implant.site,
            months_since_implant=self.draw.choice([0, 5, 50]),
        )

    def follow_up(self) -> None:
        implant = self.one(Implant)
        self.store(implant, months_followed=implant.months_followed + 60)

    def grow_old(self) -> None:
        """Followed for ten years and more from above eighty: the ages are pooled."""
        self.store(self.one(Implant), age_band="80-89", months_followed=120)

    def end_follow_up(self) -> None:
        self.store(self.one(Implant), exit_status="eligibility-not-met", months_to_entry=0)

    def move_implant(self) -> None:
        """The implant was another patient's, with all its events."""
        implant = self.one(Implant)
        patient = Patient.objects.filter(site=implant.site).order_by("?").first()
        self.store(implant, patient=patient)
        for event in Event.objects.filter(implant=implant):
            self.store(event, patient=patient)

    def mend_patient(self) -> None:
        self.store(self.one(Patient), sex=self.draw.choice(["", "female"]), indication="crps")

    def declare(self) -> None:
        taken = set(Exposure.objects.values_list("site__code", "year"))
        site, year = self.one(Site), self.draw.choice([2009, 2013, 2016, 2019])
        if (site.code, year) not in taken:
            ExposureFactory(site=site, year=year)

    def declare_again(self) -> None:
        self.store(self.one(Exposure), component_months=self.draw.randint(1, 119))

    def change_catalogue(self) -> None:
        complication = self.one(Complication)
        self.store(complication, in_totals=not complication.in_totals)

    def change_site(self) -> None:
        self.store(self.one(Site), country=self.draw.choice(["DE", "JP", "NL"]))

    def rename_site(self) -> None:
        self.store(self.one(Site), code=f"S-{self.draw.randint(0, 99_999)}")

    def add_site(self) -> None:
        SiteFactory()

    def delete_event(self) -> None:
        """Behind the registry's back, from the database itself."""
        rows = Event.objects.filter(pk=self.one(Event).pk, consequences=None)
        rows._raw_delete(rows.db)

    def do_nothing(self) -> None:
        pass


WHOLE = {"change_catalogue", "change_site", "rename_site", "add_site", "delete_event"}
KINDS = [
    name
    for name, value in vars(Registry).items()
    if callable(value) and name not in {"__init__", "one", "store"}
]


def test_freeze_after_a_change_of_each_kind_is_as_a_whole_freeze(
    tmp_path: Path, ways: list[str]
) -> None:
    """One kind after another, in an order drawn by chance; each freeze builds on the last."""
    registry = Registry(seed=4)
    freeze(tmp_path / "kept")

    for kind in registry.draw.sample(KINDS, k=len(KINDS)):
        ways.clear()
        getattr(registry, kind)()
        manifest = freeze(tmp_path / "kept")

        assert kind in WHOLE or ways == ["changes"], kind
        assert_equals_whole(tmp_path, manifest)


@pytest.mark.parametrize("seed", range(3))
def test_freezes_after_many_changes_are_as_whole_freezes(
    tmp_path: Path, ways: list[str], seed: int
) -> None:
    registry = Registry(seed)
    freeze(tmp_path / "kept")

    for _ in range(4):
        for _ in range(registry.draw.randint(1, 6)):
            getattr(registry, registry.draw.choice(sorted(set(KINDS) - WHOLE)))()
        manifest = freeze(tmp_path / "kept")
        assert_equals_whole(tmp_path, manifest)

    assert ways[0] == "whole"
    assert ways[1::2] == ["changes"] * 4


def test_changes_are_few_rows_of_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(seed=1)
    freeze(tmp_path)
    read: dict[str, int] = {}
    write = source.DatabaseFeed.write

    def counted(self: Any, table: str, path: Path) -> None:
        write(self, table, path)
        read[table] = len(path.read_text().splitlines())

    monkeypatch.setattr(source.DatabaseFeed, "write", counted)
    registry.add_event()
    freeze(tmp_path)

    assert read == {"implants": 0, "events": 1, "exposures": 1}


def test_seal_that_changes_no_row_gives_the_very_snapshot(tmp_path: Path, ways: list[str]) -> None:
    registry = Registry(seed=1)
    before = freeze(tmp_path)
    written = (tmp_path / before.snapshot_id / "registry.duckdb").stat().st_ino

    registry.store(registry.one(Site), name="Another name")
    after = freeze(tmp_path)

    assert (after, ways) == (before, ["whole", "changes"])
    assert (tmp_path / after.snapshot_id / "registry.duckdb").stat().st_ino == written


def test_whole_is_frozen_where_nothing_can_be_built_on(tmp_path: Path, ways: list[str]) -> None:
    registry = Registry(seed=1)
    first = freeze(tmp_path)

    (tmp_path / KEPT / "staged.duckdb").write_bytes(b"damaged")
    assert freeze(tmp_path) == first
    (tmp_path / first.snapshot_id).rename(tmp_path / "elsewhere")
    registry.add_event()
    assert freeze(tmp_path).events == first.events + 1

    assert ways == ["whole", "whole", "whole"]


def test_whole_is_frozen_where_the_database_is_another(
    tmp_path: Path, ways: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(seed=1)
    freeze(tmp_path)
    registry.add_event()
    monkeypatch.setattr(source, "goes_on_from", lambda *_, **__: False)

    freeze(tmp_path)

    assert ways == ["whole", "whole"]


@pytest.mark.parametrize("error", [MustFreezeWhole("for a test"), duckdb.Error("disk")])
def test_freeze_of_changes_that_fails_is_followed_by_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    registry = Registry(seed=1)
    freeze(tmp_path / "kept")
    registry.add_event()

    def failing(*args: Any, **options: Any) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("registry.snapshot.changes.NewSnapshot.write", failing)
        patched.setattr(source, "freeze_feed", failing)
        with pytest.raises(type(error)):
            freeze(tmp_path / "kept")
    manifest = freeze(tmp_path / "kept")

    assert_equals_whole(tmp_path, manifest)


def test_other_keys_are_frozen_whole(tmp_path: Path, ways: list[str]) -> None:
    Registry(seed=1)
    freeze(tmp_path)

    manifest, _ = source.freeze_database(
        tmp_path,
        record_keys=partial(record_keys, SECRET[::-1]),
        keys="other",
        hands_of=hands,
        signing=b"",
    )

    assert ways == ["whole", "whole"]
    keys = rows_of(tmp_path, manifest, "implants")[0]
    first = Implant.objects.order_by("pk")[0]
    of_device, of_patient = record_keys(
        SECRET[::-1], first.public_id.bytes + first.patient.public_id.bytes
    ).tolist()
    assert [keys[each.name] for each in RECORD_KEYS] == [*of_device, *of_patient]


def test_blocks_are_digested_anew_only_where_rows_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canonical, "BLOCK", 2)
    registry = Registry(seed=3)
    freeze(tmp_path / "kept")
    digested: list[tuple[str, int]] = []
    real = canonical._digest_block

    def told(connection: Any, table: str, block: int, **options: Any) -> str:
        digested.append((table, block))
        return real(connection, table, block, **options)

    monkeypatch.setattr(canonical, "_digest_block", told)
    registry.add_event()
    manifest = freeze(tmp_path / "kept")
    changed = list(digested)

    assert ("events", 3) in changed  # the seventh
    assert ("events", 0) not in changed
    assert_equals_whole(tmp_path, manifest)


def test_staged_rows_hold_no_public_id_and_lie_apart_from_the_snapshots(tmp_path: Path) -> None:
    Registry(seed=1)
    freeze(tmp_path)

    held = b"".join(path.read_bytes() for path in (tmp_path / KEPT).iterdir() if path.is_file())
    ids = [row.public_id for model in (Implant, Event, Patient) for row in model.objects.all()]

    assert not [each for each in ids if each.bytes in held or each.hex.encode() in held]
    assert (tmp_path / KEPT).stat().st_mode & 0o077 == 0
