"""Keep history tables and seals append-only from the first row on.

The statements stand here as they were; `migrate` renews the triggers at its end by
registry.models.append_only, which later versions may change.
"""

from django.db import migrations

TABLES = (
    "registry_historicalagreement",
    "registry_historicalcatalogueversion",
    "registry_historicalcategory",
    "registry_historicalcomplication",
    "registry_historicalevent",
    "registry_historicalexposure",
    "registry_historicalimdrfcode",
    "registry_historicalimplant",
    "registry_historicalmembership",
    "registry_historicalpatient",
    "registry_historicalpublishedrate",
    "registry_historicalsite",
    "registry_historicalsynonym",
    "registry_historicaluser",
    "registry_seal",
)
REFUSAL = "The audit trail is append-only."
POSTGRESQL_FUNCTION = f"""
CREATE OR REPLACE FUNCTION registry_refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE = '{REFUSAL}';
END $$
"""
POSTGRESQL_TRIGGER = """
CREATE TRIGGER {table}_no_{name} BEFORE {event} ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse_change()
"""
SQLITE_TRIGGER = """
CREATE TRIGGER {table}_no_{name} BEFORE {event} ON {table}
BEGIN SELECT RAISE(ABORT, 'The audit trail is append-only.'); END
"""
SQLITE_REPLACE = """
CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}
WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})
BEGIN SELECT RAISE(ABORT, 'The audit trail is append-only.'); END
"""


def install(apps, schema_editor):
    """Put the triggers on; SQLite has one against INSERT OR REPLACE instead of TRUNCATE."""
    postgresql = schema_editor.connection.vendor == "postgresql"
    if postgresql:
        schema_editor.execute(POSTGRESQL_FUNCTION)
    template = POSTGRESQL_TRIGGER if postgresql else SQLITE_TRIGGER
    for table in TABLES:
        for event in ("UPDATE", "DELETE", *(["TRUNCATE"] if postgresql else [])):
            schema_editor.execute(template.format(table=table, name=event.lower(), event=event))
        if not postgresql:
            key = "number" if table == "registry_seal" else "history_id"
            schema_editor.execute(SQLITE_REPLACE.format(table=table, key=key))


def lift(apps, schema_editor):
    """Take the triggers off."""
    postgresql = schema_editor.connection.vendor == "postgresql"
    for table in TABLES:
        for name in ("update", "delete", "truncate" if postgresql else "replace"):
            suffix = f" ON {table}" if postgresql else ""
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{name}{suffix}")


class Migration(migrations.Migration):
    """Triggers on both databases."""

    dependencies = [("registry", "0001_initial")]
    operations = [migrations.RunPython(install, lift)]
