"""Keep history tables and seals append-only from the first row on."""

from django.db import migrations

from registry.models.append_only import install_append_only_triggers, lift_append_only_triggers


def install(apps, schema_editor):
    """Put the triggers on; `migrate` renews them at its end."""
    install_append_only_triggers(schema_editor.connection)


def lift(apps, schema_editor):
    """Take the triggers off."""
    lift_append_only_triggers(schema_editor.connection)


class Migration(migrations.Migration):
    """Triggers on both databases."""

    dependencies = [("registry", "0001_initial")]
    operations = [migrations.RunPython(install, lift)]
