"""Seals: what a write leaves behind, and that nothing is written without one."""

import hashlib
import hmac
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from registry.models import (
    Event,
    NeverDeleted,
    Patient,
    Seal,
    Site,
    UnsealedWrite,
    User,
    audit,
    sealed,
)
from registry.models.audit import GENESIS
from registry.models.digests import SealDigest
from registry.records import CannotSeal
from tests.factories import EventFactory, PatientFactory, SiteFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def patients(site: Site, count: int, start: int = 0):
    """Patients that are not stored yet, one at a time."""
    return (
        Patient(site=site, source_id=f"p{number}", sex="male")
        for number in range(start, start + count)
    )


def test_sealed_write_leaves_one_seal_and_a_history_row():
    user = UserFactory()
    before = Seal.objects.latest("number")

    with sealed(by=user, action="record-site") as seal:
        site = Site(code="NEW")
        seal.save(site, reason="first-one")

    written = Seal.objects.latest("number")
    assert written.number == before.number + 1 == seal.number
    assert (written.actor, written.action, written.rows) == (user, "record-site", 1)
    row = site.history.get()
    assert (row.history_type, row.history_user, row.seal_number) == ("+", user, written.number)
    assert (row.history_change_reason, row.history_date) == ("first-one", written.at)
    assert row.code == "NEW"


def test_seals_are_a_chain_from_the_first():
    UserFactory()
    SiteFactory()
    SiteFactory()

    first, second, third = Seal.objects.all()

    assert [seal.number for seal in (first, second, third)] == [1, 2, 3]
    assert first.previous == GENESIS == "0" * 64
    assert second.previous == first.hash
    assert third.previous == second.hash
    assert all(seal.hash == seal.expected_hash() for seal in (first, second, third))


def test_seal_hash_is_sha256_of_all_it_says():
    seal = Seal(
        number=1,
        at=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
        actor_id=7,
        action="import",
        rows=2,
        digest="d" * 64,
        previous=GENESIS,
    )

    # printf '[1,"2026-01-02T03:04:05.000678+00:00",7,"import",2,"ddd...","000..."]' | sha256sum
    assert seal.expected_hash() == (
        "e2c260e5a967edb3bfe6dc28788635b368cf0aa549a056dda101e0bfe84d7ef7"
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", 2),
        ("at", datetime(2026, 1, 3, tzinfo=UTC)),
        ("actor_id", 8),
        ("action", "other"),
        ("rows", 3),
        ("digest", "e" * 64),
        ("previous", "f" * 64),
    ],
)
def test_seal_hash_covers_every_field(field, value):
    said = {"number": 1, "at": datetime(2026, 1, 2, tzinfo=UTC), "actor_id": 7, "rows": 2}
    said |= {"action": "import", "digest": "d" * 64, "previous": GENESIS}

    assert Seal(**said).expected_hash() != Seal(**said | {field: value}).expected_hash()


def test_digest_is_sha256_of_canonical_rows_without_blanks():
    digest = SealDigest()

    digest.add("site", {"code": "A", "name": "", "active": True, "n": 0, "x": None, "no": False})

    # printf '["site",{"active":true,"code":"A","n":0}]' | sha256sum
    assert digest.hexdigest() == "0432793fdc735608320723f6d05f35112b33d93d54c1536f6543f7efb9c28f71"
    assert digest.rows == 1


def test_digest_depends_on_order_and_table():
    rows = [("site", {"code": "A"}), ("site", {"code": "B"})]

    def digest_of(pairs) -> str:
        digest = SealDigest()
        for label, row in pairs:
            digest.add(label, row)
        return digest.hexdigest()

    assert digest_of(rows) != digest_of(rows[::-1])
    assert digest_of(rows) != digest_of([("membership", row) for _, row in rows])


def test_seal_is_signed_under_the_key_of_seals():
    SiteFactory()

    seal = Seal.objects.get()

    # printf 'seal HASH' | openssl dgst -sha256 -mac HMAC -macopt hexkey:9697...b5
    key = bytes(range(150, 182))
    expected = hmac.new(key, f"seal {seal.hash}".encode(), hashlib.sha256).hexdigest()
    assert seal.signature == f"{hmac.new(key, b'mark', hashlib.sha256).hexdigest()[:16]}:{expected}"


def test_nothing_is_written_without_the_key_of_seals(settings, tmp_path):
    settings.REGISTRY_KEY_SEALS, settings.REGISTRY_VAR = "", tmp_path

    with pytest.raises(CannotSeal, match="key is missing"):
        SiteFactory()

    assert not Site.objects.exists()


def test_instants_never_run_backwards_whatever_the_clock_says(monkeypatch):
    SiteFactory()
    first = Seal.objects.get()
    monkeypatch.setattr(timezone, "now", lambda: first.at - timedelta(days=400))

    SiteFactory()

    assert Seal.objects.latest("number").at == first.at


def test_nothing_written_leaves_no_seal():
    with sealed(by=None, action="nothing"):
        pass

    assert not Seal.objects.exists()


def test_failed_write_leaves_nothing():
    with pytest.raises(IntegrityError), sealed(by=None, action="fail") as seal:
        seal.bulk_create(Site, [Site(code="GONE"), Site(code="not a code")])

    assert not Site.objects.exists()
    assert not Site.history.exists()
    assert not Seal.objects.exists()
    assert SiteFactory().history.get().seal_number == 1


def test_seals_do_not_nest():
    with sealed(by=None, action="outer") as seal:
        seal.save(Site(code="ONE"))
        with pytest.raises(RuntimeError, match="open already"), sealed(by=None, action="inner"):
            pass

    assert Seal.objects.get().action == "outer"


def test_seal_names_its_action_by_a_code():
    with (
        pytest.raises(IntegrityError, match="action_is_a_code"),
        transaction.atomic(),
        sealed(by=None, action="Two Words") as seal,
    ):
        seal.save(Site(code="ONE"))


def test_change_keeps_the_row_as_it_was_and_as_it_is():
    site = SiteFactory(name="Old name")
    site.name = "New name"

    with sealed(by=None, action="rename") as seal:
        seal.save(site)

    told = site.history.order_by("history_id").values_list("name", "history_type", "seal_number")
    assert list(told) == [("Old name", "+", 1), ("New name", "~", 2)]


def test_row_is_stamped_with_its_last_seal():
    event = EventFactory()
    first = event.seal_id
    event.severity = 1

    with sealed(by=None, action="grade") as seal:
        seal.save(event)

    event.refresh_from_db()
    assert event.seal_id == seal.number == first + 1


@pytest.mark.parametrize(
    "write",
    [
        lambda: Site(code="SLY").save(),
        lambda: Site.objects.create(code="SLY"),
        lambda: Site.objects.get_or_create(code="SLY"),
    ],
    ids=["save", "create", "get_or_create"],
)
def test_write_past_the_seal_is_refused_and_stores_nothing(write):
    with pytest.raises(UnsealedWrite, match="sealed"), transaction.atomic():
        write()

    assert not Site.objects.exists()


def test_open_seal_lets_only_its_own_writes_pass():
    with sealed(by=None, action="write") as seal:
        seal.save(Site(code="ONE"))
        with pytest.raises(UnsealedWrite):
            Site(code="SLY").save()

    assert Site.objects.get().code == "ONE"


def test_rows_with_a_history_are_never_deleted():
    site = SiteFactory()

    with pytest.raises(NeverDeleted), transaction.atomic():
        site.delete()
    with pytest.raises(NeverDeleted), transaction.atomic():
        Site.objects.all().delete()

    assert Site.objects.get() == site


def test_bulk_create_writes_rows_history_and_one_seal():
    site = SiteFactory()

    with sealed(by=None, action="import") as seal:
        written = seal.bulk_create(Patient, patients(site, 2500), reason="from-file")

    assert written == 2500 == Patient.objects.count()
    rows = Patient.history.filter(seal_number=seal.number)
    assert rows.count() == 2500
    assert set(rows.values_list("history_type", "history_change_reason")) == {("+", "from-file")}
    assert Seal.objects.latest("number").rows == 2500
    kept = rows.order_by("history_id").values_list("id", "source_id", "public_id")
    assert list(kept) == list(
        Patient.objects.order_by("pk").values_list("pk", "source_id", "public_id")
    )


def test_table_that_a_file_fills_is_looked_at_before_its_next_plans(monkeypatch):
    """PostgreSQL reads a table that was empty when it was last looked at in one piece."""
    looked_at = []
    monkeypatch.setattr(audit, "plan_anew", looked_at.append)
    monkeypatch.setattr(audit, "_ROWS_TO_PLAN", 10)
    site = SiteFactory()

    with sealed(by=None, action="import") as seal:
        found = []
        for start in range(0, 45, 5):
            seal.bulk_create(Patient, patients(site, 5, start))
            found.append(len(looked_at))

    assert found == [0, 1, 1, 2, 2, 2, 2, 3, 3]  # at 10, 20 and 40 rows
    assert set(looked_at) == {Patient}


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite plans by its indexes alone")
def test_keys_are_looked_up_by_their_index_in_a_table_that_was_just_filled():
    site = SiteFactory()

    with sealed(by=None, action="import") as seal:
        seal.bulk_create(Patient, patients(site, audit._ROWS_TO_PLAN))
        keys = list(Patient.objects.values_list("pk", flat=True)[:200])
        plan = Patient.objects.filter(pk__among=keys).explain()

    assert "Index" in plan
    assert "Seq Scan" not in plan


def test_bulk_create_sets_primary_keys():
    site = SiteFactory()
    made = list(patients(site, 3))

    with sealed(by=None, action="import") as seal:
        seal.bulk_create(Patient, made)

    assert [patient.pk for patient in made] == list(
        Patient.objects.order_by("source_id").values_list("pk", flat=True)
    )


def test_bulk_update_writes_named_fields_history_and_stamp():
    events = [EventFactory(interventions={"antibiotics"}) for _ in range(3)]
    for event in events:
        event.state, event.reason = "withdrawn", "other"
        event.interventions, event.year, event.severity = {"wound-care"}, None, 4

    with sealed(by=None, action="withdraw") as seal:
        names = ["state", "reason", "interventions", "year"]
        written = seal.bulk_update(Event, iter(events), names, reason="withdrawn")

    assert written == 3
    for event in Event.objects.all():
        assert (event.state, event.reason, event.year) == ("withdrawn", "other", None)
        assert event.interventions == {"wound-care"}
        assert event.severity == 2  # not named
        assert event.seal_id == seal.number
        last = event.history.order_by("-history_id").first()
        assert (last.history_type, last.state, last.severity) == ("~", "withdrawn", 2)
        assert last.history_change_reason == "withdrawn"


def test_bulk_update_leaves_other_rows_alone():
    changed, other = PatientFactory(sex="male"), PatientFactory(sex="male")
    changed.sex = "female"

    with sealed(by=None, action="mend") as seal:
        seal.bulk_update(Patient, [changed], ["sex"])

    assert Patient.objects.get(pk=other.pk).sex == "male"
    assert other.history.count() == 1


def test_bulk_create_needs_no_more_memory_for_more_rows():
    site = SiteFactory()

    def peak(count: int, start: int) -> int:
        tracemalloc.start()
        with sealed(by=None, action="import") as seal:
            seal.bulk_create(Patient, patients(site, count, start))
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    peak(1000, 0)  # what is made once
    small, large = peak(4000, 10_000), peak(16_000, 20_000)

    assert large < 1.5 * small


def test_history_is_kept_of_everything_that_people_enter_or_decide():
    tracked = {model.__name__ for model in _with_history()}

    assert tracked == {
        "Agreement",
        "CatalogueVersion",
        "Category",
        "Complication",
        "DuplicateCandidate",
        "Event",
        "Exposure",
        "ImdrfCode",
        "Implant",
        "LoggedRange",
        "Membership",
        "Patient",
        "PublishedRate",
        "Query",
        "Redaction",
        "RoleProposal",
        "Site",
        "Snapshot",
        "Synonym",
        "Token",
        "User",
    }


def _with_history() -> list[type[models.Model]]:
    return [
        model
        for model in User._meta.apps.get_app_config("registry").get_models()
        if hasattr(model, "history")
    ]
