"""The database refuses to change what was recorded, and the check sees when it would not."""

from datetime import date

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from registry.models import (
    AccessLog,
    CatalogueVersion,
    DuplicateCandidate,
    Event,
    ImdrfCode,
    LoggedRange,
    PublishedRate,
    Query,
    Redaction,
    Seal,
    Snapshot,
    Synonym,
    Token,
    sealed,
)
from registry.models.append_only import (
    append_only_tables,
    bypassed_triggers,
    install_append_only_triggers,
    lift_append_only_triggers,
)
from tests.factories import (
    AgreementFactory,
    EventFactory,
    ExposureFactory,
    ImplantFactory,
    MembershipFactory,
    RoleProposalFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

REFUSAL = "The audit trail is append-only"


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def event() -> Event:
    return EventFactory()


@pytest.fixture
def rows_of_every_kind() -> None:
    """A history row in every table, as SQLite's triggers run for a row."""
    event = EventFactory(implant=ImplantFactory())
    ExposureFactory(site=event.site)
    MembershipFactory(site=event.site)
    Token.objects.create(user=UserFactory())
    AccessLog.objects.create(action="row-read", what="event list")
    AgreementFactory(expires_on=date(2030, 1, 1))
    RoleProposalFactory(expires_on=date(2030, 1, 1))
    later = EventFactory(site=event.site)
    with sealed(by=None, action="test") as seal:
        seal.save(DuplicateCandidate(site=event.site, first=event, second=later, reasons=1))
        seal.save(CatalogueVersion(version="1"))
        seal.save(LoggedRange(first=1, last=2, digest="0" * 64))
        seal.save(
            Snapshot(
                **dict.fromkeys(("events", "implants", "exposures"), 1),
                **{"snapshot_id": "a" * 64, "kind": "release", "label": "2026"},
                **{"schema_version": "9", "catalogue_version": "1"},
            )
        )
        seal.save(Query(site=event.site, event=event, column="outcome", ask="missing"))
        seal.save(Redaction(row_kind="event", row=event.public_id, of_seal=1, digest="0" * 64))
        seal.save(PublishedRate(rate_id="R1", metric="m", measure_type="rate", source="s"))
        term = {"complication": event.complication, "term": "t"}
        seal.save(Synonym(key="k", language="de", **term))
        seal.save(
            ImdrfCode(key="k", annex="A", code="A01", relation="exact", role="primary", **term)
        )


def test_append_only_tables_are_history_seals_and_access_log():
    histories = {
        model._meta.db_table
        for model in apps.get_app_config("registry").get_models()
        if model.__name__.startswith("Historical")
    }

    assert set(append_only_tables()) == histories | {"registry_seal", "registry_accesslog"}
    assert "registry_historicalevent" in histories


@pytest.mark.parametrize("table", append_only_tables())
@pytest.mark.parametrize("verb", ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}"])
@pytest.mark.usefixtures("rows_of_every_kind")
def test_append_only_table_refuses_update_and_delete(table, verb):
    columns = {"registry_seal": "rows", "registry_accesslog": "action"}
    column = columns.get(table, "history_type")
    with pytest.raises(IntegrityError, match=REFUSAL):
        run(verb.format(table=table, column=column))


def test_append_only_row_is_not_changed_through_the_models(event):
    with pytest.raises(IntegrityError, match=REFUSAL), transaction.atomic():
        Seal.objects.update(action="other")
    with pytest.raises(IntegrityError, match=REFUSAL), transaction.atomic():
        event.history.all().delete()

    assert event.history.count() == 1


def test_append_only_row_is_not_replaced(event):
    if connection.vendor == "postgresql":
        replace = (
            "INSERT INTO registry_seal SELECT * FROM registry_seal "
            "ON CONFLICT (number) DO UPDATE SET action = 'other'"
        )
    else:
        replace = "INSERT OR REPLACE INTO registry_seal SELECT * FROM registry_seal"

    with pytest.raises(IntegrityError, match=REFUSAL):
        run(replace)


def test_append_only_table_is_not_truncated():
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has TRUNCATE")

    with pytest.raises(IntegrityError, match=REFUSAL):
        run("TRUNCATE registry_historicalevent")


def test_triggers_in_place_miss_nothing():
    assert bypassed_triggers(connection) == []


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "ALTER TABLE registry_seal DISABLE TRIGGER registry_seal_no_delete",
            "trigger registry_seal_no_delete is disabled",
        ),
        (
            "ALTER TABLE registry_seal ENABLE TRIGGER registry_seal_no_delete",  # not for replicas
            "trigger registry_seal_no_delete is disabled",
        ),
        (
            "CREATE OR REPLACE FUNCTION registry_refuse_change() RETURNS trigger LANGUAGE plpgsql "
            "AS $$ BEGIN RETURN NULL; END $$",
            "function registry_refuse_change was altered",
        ),
        (
            "SET LOCAL session_replication_role = replica",
            "session_replication_role is set, which skips triggers and foreign keys",
        ),
        (
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET session_replication_role = replica',"
            " current_database()); END $$",
            "session_replication_role is set, which skips triggers and foreign keys",
        ),
    ],
)
def test_triggers_that_are_passed_by_are_told(statement, told):
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL can pass triggers by")
    run(statement)

    assert bypassed_triggers(connection) == [told]


def test_replica_is_refused_too(event):
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has roles of sessions")
    run("SET LOCAL session_replication_role = replica")

    with pytest.raises(IntegrityError, match=REFUSAL):
        run("DELETE FROM registry_seal")
    run("SET LOCAL session_replication_role = origin")


def test_trigger_that_does_nothing_counts_as_altered():
    suffix = " ON registry_seal" if connection.vendor == "postgresql" else ""
    run(f"DROP TRIGGER registry_seal_no_delete{suffix}")
    if connection.vendor == "postgresql":
        run(
            "CREATE TRIGGER registry_seal_no_delete BEFORE DELETE ON registry_seal FOR EACH "
            "STATEMENT WHEN (false) EXECUTE FUNCTION registry_refuse_change()"
        )
        run("ALTER TABLE registry_seal ENABLE ALWAYS TRIGGER registry_seal_no_delete")
    else:
        run(
            "CREATE TRIGGER registry_seal_no_delete BEFORE DELETE ON registry_seal "
            "BEGIN SELECT 1; END"
        )

    assert bypassed_triggers(connection) == ["trigger registry_seal_no_delete was altered"]


def test_lifted_triggers_come_back(event):
    lift_append_only_triggers(connection)
    run("UPDATE registry_seal SET action = action")
    assert len(bypassed_triggers(connection)) == 3 * len(append_only_tables())

    install_append_only_triggers(connection)

    assert bypassed_triggers(connection) == []
    with pytest.raises(IntegrityError, match=REFUSAL):
        run("UPDATE registry_seal SET action = action")


@pytest.mark.django_db(transaction=True)
def test_migrate_puts_triggers_back():
    from django.core.management import call_command

    lift_append_only_triggers(connection)

    call_command("migrate", verbosity=0)

    assert bypassed_triggers(connection) == []
