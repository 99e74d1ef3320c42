"""A registry of the first schema is upgraded in place, and out of a backup, with all it holds."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from registry.backup.tables import KEPT_OUT, MADE_BY_MIGRATE
from registry.models import Event
from registry.models.audit import GENESIS, Seal
from registry.models.digests import SealDigest, history_label, history_rows
from tests.backup.conftest import command
from tests.backup.places import Place, everything, on_sqlite

pytestmark = pytest.mark.usefixtures("unblocked")

FIRST = ("registry", "0002_append_only")
"""The last migration of the day on which the tables were laid out anew."""
AT = datetime(2026, 11, 29, 20, 0, 0, 123456, tzinfo=UTC)
PUBLIC_ID = UUID(int=7, version=4)


@pytest.fixture(scope="module")
def old(unblocked: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, dict, Path]:
    """A registry as of the first schema, what its tables hold, and a backup of it."""
    folder = tmp_path_factory.mktemp("old")
    place = on_sqlite(folder / "first")
    with place.used():
        executor = MigrationExecutor(connection)
        others = [each for each in executor.loader.graph.leaf_nodes() if each[0] != "registry"]
        of_then = [each for each in others if each[0] in OF_THEN]
        state = executor.migrate([FIRST, *of_then])
        with transaction.atomic():
            fill(state.apps)
        command("backup", folder / "old.zip")
        return place, stored(state.apps.get_models(include_auto_created=True)), folder / "old.zip"


OF_THEN = ("admin", "auth", "contenttypes", "sessions", "otp_totp", "otp_static", "axes")


def fill(apps: Any) -> None:
    """A row in each table that held something then, written as then: past intake, under seals."""

    def model(name: str) -> Any:
        return apps.get_model("registry", name)

    user = model("User").objects.create(username="manager", password="!", is_superuser=True)
    user.groups.add(apps.get_model("auth", "Group").objects.create(name="reviewer"))
    seals: list[Any] = []

    def sealed(*rows: Any, kind: str = "+") -> None:
        """Write rows with their history under the next seal."""
        number, digest = len(seals) + 1, SealDigest()
        held = dict.fromkeys(("history_user_id",))
        for row in sorted(rows, key=lambda row: history_label(type(row))):
            history = model(f"Historical{type(row).__name__}")
            own = {field.attname for field in type(row)._meta.concrete_fields}
            kept = [field.attname for field in history._meta.concrete_fields]
            values = {name: getattr(row, name) for name in kept if name in own}
            extras = {"roles": "reviewer"} if "roles" in kept else {}
            written = history.objects.create(
                **values, **extras, **held, history_date=AT, history_type=kind, seal_number=number
            )
            for each in history_rows(history.objects.filter(pk=written.pk)):
                digest.add(history_label(type(row)), each)
        seal = model("Seal")(
            number=number,
            at=AT,
            actor_id=user.pk,
            action="make-for-test",
            rows=digest.rows,
            digest=digest.hexdigest(),
            previous=seals[-1].hash if seals else GENESIS,
        )
        names = ("number", "at", "actor_id", "action", "rows", "digest", "previous")
        seal.hash = Seal(**{name: getattr(seal, name) for name in names}).expected_hash()
        seal.save(force_insert=True)
        seals.append(seal)

    sealed(user)
    site = model("Site").objects.create(code="OLD-1", name="Æ", country="NL")
    sealed(site, model("Membership").objects.create(user=user, site=site, role="lead"))
    category = model("Category").objects.create(
        code="catheter",
        name="Catheter",
        definition="Of the catheter.",
        natural_denominator="catheter-months",
        sort_order=1,
    )
    term = model("Complication").objects.create(
        code="catheter-migration",
        name="Migration",
        category=category,
        definition="It moved.",
        origin="catheter",
        clock="catheter",
        natural_denominator="catheter-months",
        evidence="seen",
    )
    sealed(category, term)
    patient = model("Patient").objects.create(site=site, source_id="p1", sex="male")
    seal_of = {"seal_id": 4, "version": 2}
    implant = model("Implant").objects.create(
        site=site,
        patient=patient,
        source_id="i1",
        component="catheter",
        catheter_model="ascenda",
        implant_year=2010,
        months_followed=60,
        adjuncts=frozenset({"clonidine"}),
        **seal_of,
    )
    reported = {"site": site, "complication": term, "reported_complication": term}
    event = model("Event").objects.create(
        **reported,
        public_id=PUBLIC_ID,
        source_id="e1",
        implant=implant,
        patient=patient,
        year=2011,
        months_since_implant=12,
        severity=2,
        serious_none=True,
        outcome="recovered",
        actuality="actual",
        state="accepted",
        interventions=frozenset({"reprogramming"}),
        **seal_of,
    )
    exposure = model("Exposure").objects.create(
        site=site, year=2012, component="pump", devices=3, component_months=36, **seal_of
    )
    sealed(patient, implant, event, exposure)
    agreement = model("Agreement").objects.create(
        user=user, reference="DUA-1", purpose="Study.", expires_on=date(2027, 1, 1)
    )
    sealed(agreement)
    model("Token").objects.create(
        digest="d" * 128, token_key="k" * 15, user=user, expiry=AT + timedelta(days=30)
    )
    model("Snapshot").objects.create(
        snapshot_id="a" * 64,
        kind="working",
        schema_version="1",
        catalogue_version="2026.2",
        events=1,
        implants=1,
        exposures=1,
        seal_number=5,
    )
    model("AccessLog").objects.create(user=user, action="export", what="rows", count=1)
    model("IdempotencyKey").objects.create(
        user=user, key="k", method_path="POST /", body_digest="b" * 64, status=201, reply=[None]
    )


def stored(models: Any) -> dict[str, list[dict[str, Any]]]:
    """Every row by table, as Python has it."""
    return {
        model._meta.db_table: list(model._base_manager.order_by("pk").values())
        for model in models
        if not model._meta.swapped and model._meta.db_table not in KEPT_OUT
    }


def assert_all_is_there(before: dict[str, list[dict[str, Any]]]) -> None:
    """Every column of every row that was there has its value; roles and permissions may be more."""
    now = everything()
    for table, rows in before.items():
        names = rows[0].keys() if rows else ()
        kept = [{name: row[name] for name in names} for row in now[table]]
        if table in MADE_BY_MIGRATE:
            assert len(kept) >= len(rows)
        else:
            assert sorted(map(str, kept)) == sorted(map(str, rows))
    assert Event.objects.accepted().get().public_id == PUBLIC_ID
    assert command("verify_audit", "--sign").startswith(
        "Signed 5 seals.\n7 seals and 13 history rows"
    )


def test_every_later_migration_keeps_what_was_there(old, tmp_path):
    place, before, _ = old
    upgraded = on_sqlite(tmp_path / "upgraded")
    Path(upgraded.database["NAME"]).write_bytes(Path(place.database["NAME"]).read_bytes())

    with upgraded.used():
        command("migrate", verbosity=0)
        in_place = everything()
        assert_all_is_there(before)

    restored = on_sqlite(tmp_path / "restored")
    with restored.used():
        command("restore", old[2])
        assert without_new_ids(everything()) == without_new_ids(in_place)
        assert_all_is_there(before)


def without_new_ids(rows: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Rows without the random ids that a migration gives, and without the order of permissions."""
    agreements = [row | {"public_id": None} for row in rows["registry_agreement"]]
    kept = {name: held for name, held in rows.items() if name.startswith("registry_")}
    return kept | {"registry_agreement": agreements}
