"""Let a duplicate name the report that it repeats."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """The relation, its history, and the rule that only a duplicate has it."""

    dependencies = [
        ("registry", "0002_append_only"),
    ]

    operations = [
        migrations.AddField(
            model_name="event",
            name="duplicate_of",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                help_text="The report of the same site that holds this event already.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="duplicates",
                to="registry.event",
            ),
        ),
        migrations.AddField(
            model_name="historicalevent",
            name="duplicate_of",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                editable=False,
                help_text="The report of the same site that holds this event already.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="registry.event",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("duplicate_of__isnull", True),
                    models.Q(
                        ("state", "duplicate"),
                        models.Q(("duplicate_of", models.F("id")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="registry_event_duplicate_names_the_other",
                violation_error_code="duplicate-names-the-other",
                violation_error_message="Only a duplicate names the report that it repeats, which is another one.",
            ),
        ),
    ]
