"""Word the answer "not serious" so that it cannot be taken for a blank."""

from django.db import migrations, models

NOT_SERIOUS = models.BooleanField(
    default=False,
    help_text="Nothing ticked is not recorded.",
    verbose_name="none of these: not serious",
)


class Migration(migrations.Migration):
    """The heading of the column, and of its history; nothing stored changes."""

    dependencies = [
        ("registry", "0003_event_duplicate_of"),
    ]

    operations = [
        migrations.AlterField(model_name=model, name="serious_none", field=NOT_SERIOUS)
        for model in ("event", "historicalevent")
    ]
