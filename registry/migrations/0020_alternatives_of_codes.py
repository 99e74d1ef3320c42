"""Makes the tables of sites' rows anew on SQLite, where codes are compared one by one.

The rules are the same: only how SQLite is asked to check them differs (rules.CodedColumn).
"""

from django.db import migrations
from django.db.models import CheckConstraint

TABLES = ("patient", "implant", "exposure", "event")


def make_anew(apps, schema_editor):
    if schema_editor.connection.vendor != "sqlite":
        return
    for name in TABLES:
        model = apps.get_model("registry", name)
        rule = next(one for one in model._meta.constraints if isinstance(one, CheckConstraint))
        schema_editor.add_constraint(model, rule)  # makes the table anew, with all rules


class Migration(migrations.Migration):

    dependencies = [
        ("registry", "0019_key_patterns"),
    ]

    operations = [migrations.RunPython(make_anew, migrations.RunPython.noop)]
