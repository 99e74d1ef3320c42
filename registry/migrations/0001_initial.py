"""Every table of the registry, with its rules."""

import uuid

import django.contrib.auth.validators
import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import registry.models.access
import registry.models.fields
import registry.vocabulary.device
import registry.vocabulary.drugs
import registry.vocabulary.event
import registry.vocabulary.exit
import registry.vocabulary.management
import registry.vocabulary.people
import registry.vocabulary.statistics


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "This user name is taken."},
                        help_text="Letters, digits and @ . + - _ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                    ),
                ),
                ("email", models.EmailField(blank=True, max_length=254)),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Site members, reviewers and managers may.",
                        verbose_name="may open the admin",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Clear this instead of deleting the user.",
                        verbose_name="active",
                    ),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "ordering": ["username"],
            },
            managers=[
                ("objects", registry.models.access.RegistryUserManager()),
            ],
        ),
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_index=True)),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty where a command wrote without anyone's name.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="seals",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("action", models.CharField(max_length=40)),
                (
                    "rows",
                    models.PositiveIntegerField(help_text="History rows written under this seal."),
                ),
                (
                    "digest",
                    models.CharField(help_text="SHA-256 of those rows, in order.", max_length=64),
                ),
                (
                    "previous",
                    models.CharField(
                        help_text="Hash of the seal before.", max_length=64, unique=True
                    ),
                ),
                ("hash", models.CharField(max_length=64, unique=True)),
            ],
            options={
                "ordering": ["number"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("number__gte", 1)),
                        name="registry_seal_number_is_positive",
                        violation_error_code="number-is-positive",
                        violation_error_message="Seals are numbered from 1.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("action__regex", "\\A[a-z0-9]+(-[a-z0-9]+)*\\Z")),
                        name="registry_seal_action_is_a_code",
                        violation_error_code="action-is-a-code",
                        violation_error_message="Name the action in lower-case words with hyphens.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalUser",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("seal_number", models.BigIntegerField(db_index=True, editable=False)),
                ("roles", models.CharField(blank=True, default="", max_length=200)),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "This user name is taken."},
                        help_text="Letters, digits and @ . + - _ only.",
                        max_length=150,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                    ),
                ),
                ("email", models.EmailField(blank=True, max_length=254)),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Site members, reviewers and managers may.",
                        verbose_name="may open the admin",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Clear this instead of deleting the user.",
                        verbose_name="active",
                    ),
                ),
                ("history_change_reason", models.CharField(blank=True, default="", max_length=40)),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical user",
                "verbose_name_plural": "historical users",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Token",
            fields=[
                ("digest", models.CharField(max_length=128, primary_key=True, serialize=False)),
                ("token_key", models.CharField(db_index=True, max_length=25)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="auth_token_set",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("expiry", models.DateTimeField(blank=True, null=True)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("label", models.CharField(blank=True, default="", max_length=60)),
                (
                    "scopes",
                    registry.models.fields.CodeSetField(
                        codes=registry.models.access.TokenScope, help_text="Empty: statistics only."
                    ),
                ),
            ],
            options={
                "ordering": ["-created"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("scopes__isnull", True),
                            models.Q(("scopes__gte", 1), ("scopes__lt", 8)),
                            _connector="OR",
                        ),
                        name="registry_token_scopes_is_coded",
                        violation_error_code="scopes-is-coded",
                        violation_error_message="Choose scopes from the list.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalSite",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("seal_number", models.BigIntegerField(db_index=True, editable=False)),
                ("code", models.CharField(max_length=20)),
                (
                    "name",
                    models.CharField(
                        blank=True, default="", help_text="Seen by staff only.", max_length=120
                    ),
                ),
                ("country", models.CharField(blank=True, default="", max_length=2)),
                ("active", models.BooleanField(default=True)),
                ("history_change_reason", models.CharField(blank=True, default="", max_length=40)),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical site",
                "verbose_name_plural": "historical sites",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Site",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=20, unique=True)),
                (
                    "name",
                    models.CharField(
                        blank=True, default="", help_text="Seen by staff only.", max_length=120
                    ),
                ),
                ("country", models.CharField(blank=True, default="", max_length=2)),
                ("active", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["code"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("code__regex", "\\A[A-Z0-9-]{2,20}\\Z")),
                        name="registry_site_code_is_well_formed",
                        violation_error_code="code-is-well-formed",
                        violation_error_message="A site code has 2 to 20 capital letters, digits or hyphens.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("country", ""), ("country__regex", "\\A[A-Z]{2}\\Z"), _connector="OR"
                        ),
                        name="registry_site_country_is_a_code",
                        violation_error_code="country-is-a-code",
                        violation_error_message="Give the country as two capital letters (ISO 3166).",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalMembership",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("seal_number", models.BigIntegerField(db_index=True, editable=False)),
                (
                    "role",
                    models.CharField(
                        choices=registry.models.access.MembershipRole.choices,
                        default="reporter",
                        max_length=40,
                    ),
                ),
                ("active", models.BooleanField(default=True)),
                ("history_change_reason", models.CharField(blank=True, default="", max_length=40)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="registry.site",
                    ),
                ),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical membership",
                "verbose_name_plural": "historical memberships",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="registry.site",
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=registry.models.access.MembershipRole.choices,
                        default="reporter",
                        max_length=40,
                    ),
                ),
                ("active", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["site", "user"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "site"),
                        name="registry_membership_once_a_site",
                        violation_error_message="This user is a member of the site already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["reporter", "lead"])),
                        name="registry_membership_role_is_coded",
                        violation_error_code="role-is-coded",
                        violation_error_message="Choose role from the list.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalAgreement",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("seal_number", models.BigIntegerField(db_index=True, editable=False)),
                ("reference", models.CharField(max_length=80)),
                ("purpose", models.TextField()),
                ("expires_on", models.DateField(help_text="The last day on which it holds.")),
                ("history_change_reason", models.CharField(blank=True, default="", max_length=40)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical agreement",
                "verbose_name_plural": "historical agreements",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Agreement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="agreements",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("reference", models.CharField(max_length=80)),
                ("purpose", models.TextField()),
                ("expires_on", models.DateField(help_text="The last day on which it holds.")),
            ],
            options={
                "ordering": ["-expires_on"],
            },
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("key", models.CharField(max_length=255)),
                ("method_path", models.CharField(max_length=255)),
                ("body_digest", models.CharField(max_length=64)),
                ("status", models.PositiveSmallIntegerField()),
                ("reply", models.JSONField()),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "key"), name="registry_idempotencykey_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AccessLog",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(
                        db_index=True, default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("action", models.CharField(max_length=40)),
                (
                    "what",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="The canonical question, without values of persons.",
                    ),
                ),
                ("count", models.PositiveIntegerField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-at", "-pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("action__regex", "\\A[a-z0-9]+(-[a-z0-9]+)*\\Z")),
                        name="registry_accesslog_action_is_a_code",
                        violation_error_code="action-is-a-code",
                        violation_error_message="Name the action in lower-case words with hyphens.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Snapshot",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("snapshot_id", models.CharField(max_length=64, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=registry.vocabulary.statistics.SnapshotKind.choices, max_length=40
                    ),
                ),
                ("label", models.CharField(blank=True, default="", max_length=40)),
                ("schema_version", models.CharField(max_length=20)),
                ("catalogue_version", models.CharField(max_length=40)),
                ("events", models.PositiveIntegerField()),
                ("implants", models.PositiveIntegerField()),
                ("exposures", models.PositiveIntegerField()),
                ("data_as_of", models.DateTimeField(blank=True, null=True)),
                ("seal_number", models.BigIntegerField(blank=True, null=True)),
                (
                    "made_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
            ],
            options={
                "ordering": ["-made_at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["working", "release"])),
                        name="registry_snapshot_kind_is_coded",
                        violation_error_code="kind-is-coded",
                        violation_error_message="Choose kind from the list.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("label", ""), _negated=True),
                        fields=("label",),
                        name="registry_snapshot_label_once",
                        violation_error_message="A release of this label exists already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "working"), ("label", "")),
                            models.Q(("kind", "release"), models.Q(("label", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="registry_snapshot_release_has_a_label",
                        violation_error_code="release-has-a-label",
                        violation_error_message="A release has a label, and a working snapshot has none.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalCatalogueVersion",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("seal_number", models.BigIntegerField(db_index=True, editable=False)),
                ("version", models.CharField(max_length=20)),
                ("history_change_reason", models.CharField(blank=True, default="", max_length=40)),
                (
                    "seal",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="registry.seal",
                    ),
                ),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical catalogue version",
                "verbose_name_plural": "historical catalogue versions",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="CatalogueVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.CharField(max_length=20, unique=True)),
                (
                    "seal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.seal",
                    ),
                ),
            ],
            options={
                "ordering": ["-seal"],
            },
        ),
        migrations.CreateModel(
            name="HistoricalCategory",
            fields=[
                ("seal_number", models.BigIntegerField(db_index=True, editable=False)),
                ("code", models.CharField(db_index=True, max_length=40)),
                ("name", models.CharField(max_length=80)),
                ("definition", models.TextField()),
                (
                    "natural_denominator",
                    models.CharField(
                        choices=registry.vocabulary.statistics.Denominator.choices, max_length=40
                    ),
                ),
                ("sort_order", models.PositiveSmallIntegerField()),
                ("history_change_reason", models.CharField(blank=True, default="", max_length=40)),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical category",
                "verbose_name_plural": "historical categories",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Category",
            fields=[
                ("code", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80)),
                ("definition", models.TextField()),
                (
                    "natural_denominator",
                    models.CharField(
                        choices=registry.vocabulary.statistics.Denominator.choices, max_length=40
                    ),
                ),
                ("sort_order", models.PositiveSmallIntegerField()),
            ],
            options={
                "verbose_name_plural": "categories",
                "ordering": ["sort_order", "code"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("code__regex", "\\A[a-z0-9]+(-[a-z0-9]+)*\\Z")),
                        name="registry_category_code_is_kebab_case",
                        violation_error_code="code-is-kebab-case",
                        violation_error_message="Write a code in lower-case words with hyphens.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "natural_denominator__in",
                                ["pump-months", "catheter-months", "procedures", "refills"],
                            )
                        ),
                        name="registry_category_natural_denominator_is_coded",
                        violation_error_code="natural-denominator-is-coded",
                        violation_error_message="Choose natural denominator from the list.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Complication",
            fields=[
                ("code", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=120)),
                (
                    "category",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="complications",
                        to="registry.category",
                    ),
                ),
                ("definition", models.TextField()),
                (
                    "synonyms",
                    models.TextField(blank=True, default="", help_text="Separated by semicolons."),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=registry.vocabulary.statistics.Origin.choices, max_length=40
                    ),
                ),
                (
                    "clock",
                    models.CharField(
                        choices=registry.vocabulary.device.Component.choices,
                        help_text="The component whose time an event is counted in.",
                        max_length=40,
                    ),
                ),
                (
                    "natural_denominator",
                    models.CharField(
                        choices=registry.vocabulary.statistics.Denominator.choices, max_length=40
                    ),
                ),
                (
                    "in_totals",
                    models.BooleanField(
                        default=True,
                        help_text="No for consequences, such as revision surgery, of other events.",
                    ),
                ),
                (
                    "imdrf_annex_a",
                    models.CharField(
                        blank=True, default="", max_length=10, verbose_name="IMDRF Annex A"
                    ),
                ),
                (
                    "imdrf_annex_e",
                    models.CharField(
                        blank=True, default="", max_length=10, verbose_name="IMDRF Annex E"
                    ),
                ),
                (
                    "citations",
                    models.TextField(
                        blank=True, default="", help_text="Separated by vertical bars."
                    ),
                ),
                (
                    "evidence",
                    models.CharField(
                        choices=registry.vocabulary.statistics.Evidence.choices, max_length=40
                    ),
                ),
                ("core_group", models.CharField(blank=True, default="", max_length=40)),
                (
                    "retired",
                    models.BooleanField(
                        default=False, help_text="Kept for old events, not for new ones."
                    ),
                ),
                (
                    "replaced_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaces",
                        to="registry.complication",
                    ),
                ),
            ],
            options={
                "ordering": ["category", "name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("code__regex", "\\A[a-z0-9]+(-[a-z0-9]+)*\\Z")),
                        name="registry_complication_code_is_kebab_case",
                        violation_error_code="code-is-kebab-case",
                        violation_error_message="Write a code in lower-case words with hyphens.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "origin__in",
                                ["drug", "procedure", "patient", "catheter", "pump", "programming"],
                            )
                        ),
                        name="registry_complication_origin_is_coded",
                        violation_error_code="origin-is-coded",
                        violation_error_message="Choose origin from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("clock__in", ["pump", "catheter"])),
                        name="registry_complication_clock_is_coded",
                        violation_error_code="clock-is-coded",
                        violation_error_message="Choose clock from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "natural_denominator__in",
                                ["pump-months", "catheter-months", "procedures", "refills"],
                            )
                        ),
                        name="registry_complication_natural_denominator_is_coded",
                        violation_error_code="natural-denominator-is-coded",
                        violation_error_message="Choose natural denominator from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("evidence__in", ["seen", "abstract", "unverified", "convention"])
                        ),
                        name="registry_complication_evidence_is_coded",
                        violation_error_code="evidence-is-coded",
                        violation_error_message="Choose evidence from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("replaced_by__isnull", True),
                            models.Q(
                                ("retired", True),
                                models.Q(("replaced_by", models.F("code")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="registry_complication_replaced_means_retired",
                        violation_error_code="replaced-means-retired",
                        violation_error_message="Retire a complication that another one replaces.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalComplication",
            fields=[
                ("seal_number", models.BigIntegerField(db_index=True, editable=False)),
                ("code", models.CharField(db_index=True, max_length=40)),
                ("name", models.CharField(max_length=120)),
                ("definition", models.TextField()),
                (
                    "synonyms",
                    models.TextField(blank=True, default="", help_text="Separated by semicolons."),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=registry.vocabulary.statistics.Origin.choices, max_length=40
                    ),
                ),
                (
                    "clock",
                    models.CharField(
                        choices=registry.vocabulary.device.Component.choices,
                        help_text="The component whose time an event is counted in.",
                        max_length=40,
                    ),
                ),
                (
                    "natural_denominator",
                    models.CharField(
                        choices=registry.vocabulary.statistics.Denominator.choices, max_length=40
                    ),
                ),
                (
                    "in_totals",
                    models.BooleanField(
                        default=True,
                        help_text="No for consequences, such as revision surgery, of other events.",
                    ),
                ),
                (
                    "imdrf_annex_a",
                    models.CharField(
                        blank=True, default="", max_length=10, verbose_name="IMDRF Annex A"
                    ),
                ),
                (
                    "imdrf_annex_e",
                    models.CharField(
                        blank=True, default="", max_length=10, verbose_name="IMDRF Annex E"
                    ),
                ),
                (
                    "citations",
                    models.TextField(
                        blank=True, default="", help_text="Separated by vertical bars."
                    ),
                ),
                (
                    "evidence",
                    models.CharField(
                        choices=registry.vocabulary.statistics.Evidence.choices, max_length=40
                    ),
                ),
                ("core_group", models.CharField(blank=True, default="", max_length=40)),
                (
                    "retired",
                    models.BooleanField(
                        default=False, help_text="Kept for old events, not for new ones."
                    ),
                ),
                ("history_change_reason", models.CharField(blank=True, default="", max_length=40)),
                (
                    "category",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="registry.category",
                    ),
                ),
                (
                    "replaced_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="registry.complication",
                    ),
                ),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical complication",
                "verbose_name_plural": "historical complications",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalPublishedRate",
            fields=[
                ("seal_number", models.BigIntegerField(db_index=True, editable=False)),
                ("rate_id", models.CharField(db_index=True, max_length=10)),
                ("metric", models.CharField(max_length=120)),
                ("measure_type", models.CharField(max_length=20)),
                (
                    "numerator",
                    models.DecimalField(blank=True, decimal_places=3, max_digits=12, null=True),
                ),
                (
                    "denominator",
                    models.DecimalField(blank=True, decimal_places=3, max_digits=12, null=True),
                ),
                ("unit", models.CharField(blank=True, default="", max_length=40)),
                ("reported_rate", models.CharField(blank=True, default="", max_length=60)),
                ("ci95", models.CharField(blank=True, default="", max_length=30)),
                ("population", models.TextField(blank=True, default="")),
                ("source", models.TextField()),
                ("confidence", models.CharField(blank=True, default="", max_length=20)),
                ("shown", models.BooleanField(default=True)),
                ("note", models.TextField(blank=True, default="")),
                ("history_change_reason", models.CharField(blank=True, default="", max_length=40)),
                (
                    "complication",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="registry.complication",
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="registry.category",
                    ),
                ),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical published rate",
                "verbose_name_plural": "historical published rates",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="PublishedRate",
            fields=[
                ("rate_id", models.CharField(max_length=10, primary_key=True, serialize=False)),
                (
                    "complication",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="published_rates",
                        to="registry.complication",
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="published_rates",
                        to="registry.category",
                    ),
                ),
                ("metric", models.CharField(max_length=120)),
                ("measure_type", models.CharField(max_length=20)),
                (
                    "numerator",
                    models.DecimalField(blank=True, decimal_places=3, max_digits=12, null=True),
                ),
                (
                    "denominator",
                    models.DecimalField(blank=True, decimal_places=3, max_digits=12, null=True),
                ),
                ("unit", models.CharField(blank=True, default="", max_length=40)),
                ("reported_rate", models.CharField(blank=True, default="", max_length=60)),
                ("ci95", models.CharField(blank=True, default="", max_length=30)),
                ("population", models.TextField(blank=True, default="")),
                ("source", models.TextField()),
                ("confidence", models.CharField(blank=True, default="", max_length=20)),
                ("shown", models.BooleanField(default=True)),
                ("note", models.TextField(blank=True, default="")),
            ],
            options={
                "ordering": ["rate_id"],
            },
        ),
        migrations.CreateModel(
            name="HistoricalPatient",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("seal_number", models.BigIntegerField(db_index=True, editable=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False)),
                (
                    "source_id",
                    models.CharField(help_text="The site's own random key.", max_length=40),
                ),
                (
                    "sex",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.people.Sex.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "indication",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.people.Indication.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                ("history_change_reason", models.CharField(blank=True, default="", max_length=40)),
                (
                    "site",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="registry.site",
                    ),
                ),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical patient",
                "verbose_name_plural": "historical patients",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Patient",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "source_id",
                    models.CharField(help_text="The site's own random key.", max_length=40),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="patients",
                        to="registry.site",
                    ),
                ),
                (
                    "sex",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.people.Sex.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "indication",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.people.Indication.choices,
                        default="",
                        max_length=40,
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("site", "source_id"),
                        name="registry_patient_source_id_once_a_site",
                        violation_error_message="The site has a patient of this key already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source_id__regex", "\\A[A-Za-z0-9._-]{1,40}\\Z")),
                        name="registry_patient_source_id_is_a_key",
                        violation_error_code="source-id-is-a-key",
                        violation_error_message="A source id has 1 to 40 letters, digits, dots, underscores or hyphens.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sex__in", ["", "female", "male", "other", "unknown"])),
                        name="registry_patient_sex_is_coded",
                        violation_error_code="sex-is-coded",
                        violation_error_message="Choose sex from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "indication__in",
                                [
                                    "",
                                    "failed-back-surgery",
                                    "degenerative-spine",
                                    "spinal-stenosis",
                                    "crps",
                                    "neuropathic-peripheral",
                                    "neuropathic-central",
                                    "neuropathic-unspecified",
                                    "arachnoiditis",
                                    "vertebral-fracture",
                                    "chronic-pancreatitis-visceral",
                                    "arthritis",
                                    "phantom-postamputation",
                                    "other-pain-noncancer",
                                    "cancer-direct",
                                    "cancer-treatment",
                                    "other-pain-cancer",
                                    "cerebral-palsy",
                                    "stroke",
                                    "traumatic-brain-injury",
                                    "hypoxic-brain-injury",
                                    "other-spasticity-cerebral",
                                    "multiple-sclerosis",
                                    "spinal-cord-injury",
                                    "hereditary-spastic-paraplegia",
                                    "tumour-or-myelopathy",
                                    "other-spasticity-spinal",
                                    "spasticity-unspecified",
                                    "dystonia",
                                    "pain-and-spasticity",
                                    "other",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_patient_indication_is_coded",
                        violation_error_code="indication-is-coded",
                        violation_error_message="Choose indication from the list.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalImplant",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("seal_number", models.BigIntegerField(db_index=True, editable=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False)),
                (
                    "source_id",
                    models.CharField(help_text="The site's own random key.", max_length=40),
                ),
                (
                    "component",
                    models.CharField(
                        choices=registry.vocabulary.device.Component.choices, max_length=40
                    ),
                ),
                (
                    "pump_model",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.device.PumpModel.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "catheter_model",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.device.CatheterModel.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                ("implant_year", models.PositiveSmallIntegerField()),
                (
                    "age_band",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.people.AgeBand.choices,
                        default="",
                        help_text="Age at implant.",
                        max_length=40,
                    ),
                ),
                (
                    "drug",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.drugs.Drug.choices,
                        default="",
                        help_text="The main drug at entry.",
                        max_length=40,
                    ),
                ),
                (
                    "adjuncts",
                    registry.models.fields.CodeSetField(
                        codes=registry.vocabulary.drugs.Drug,
                        help_text="Other drugs in the reservoir at entry.",
                    ),
                ),
                (
                    "label_status",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.drugs.LabelStatus.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "procedure",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.device.PlacingProcedure.choices,
                        default="",
                        help_text="The procedure that placed it.",
                        max_length=40,
                    ),
                ),
                (
                    "pump_site",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.device.PumpSite.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "pump_plane",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.device.PumpPlane.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "as_designed",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.YesNoUnknown.choices,
                        default="",
                        help_text="No where brands or pieces were joined at revision.",
                        max_length=40,
                    ),
                ),
                ("months_to_entry", models.PositiveSmallIntegerField(default=0)),
                ("months_followed", models.PositiveSmallIntegerField()),
                (
                    "exit_status",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.exit.ExitStatus.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "refills",
                    models.PositiveIntegerField(blank=True, help_text="Since entry.", null=True),
                ),
                (
                    "procedures",
                    models.PositiveIntegerField(blank=True, help_text="Since entry.", null=True),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("history_change_reason", models.CharField(blank=True, default="", max_length=40)),
                (
                    "site",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="registry.site",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="registry.patient",
                    ),
                ),
                (
                    "seal",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="registry.seal",
                    ),
                ),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical implant",
                "verbose_name_plural": "historical implants",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Implant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "source_id",
                    models.CharField(help_text="The site's own random key.", max_length=40),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="implants",
                        to="registry.site",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="implants",
                        to="registry.patient",
                    ),
                ),
                (
                    "component",
                    models.CharField(
                        choices=registry.vocabulary.device.Component.choices, max_length=40
                    ),
                ),
                (
                    "pump_model",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.device.PumpModel.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "catheter_model",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.device.CatheterModel.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                ("implant_year", models.PositiveSmallIntegerField()),
                (
                    "age_band",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.people.AgeBand.choices,
                        default="",
                        help_text="Age at implant.",
                        max_length=40,
                    ),
                ),
                (
                    "drug",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.drugs.Drug.choices,
                        default="",
                        help_text="The main drug at entry.",
                        max_length=40,
                    ),
                ),
                (
                    "adjuncts",
                    registry.models.fields.CodeSetField(
                        codes=registry.vocabulary.drugs.Drug,
                        help_text="Other drugs in the reservoir at entry.",
                    ),
                ),
                (
                    "label_status",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.drugs.LabelStatus.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "procedure",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.device.PlacingProcedure.choices,
                        default="",
                        help_text="The procedure that placed it.",
                        max_length=40,
                    ),
                ),
                (
                    "pump_site",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.device.PumpSite.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "pump_plane",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.device.PumpPlane.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "as_designed",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.YesNoUnknown.choices,
                        default="",
                        help_text="No where brands or pieces were joined at revision.",
                        max_length=40,
                    ),
                ),
                ("months_to_entry", models.PositiveSmallIntegerField(default=0)),
                ("months_followed", models.PositiveSmallIntegerField()),
                (
                    "exit_status",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.exit.ExitStatus.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "refills",
                    models.PositiveIntegerField(blank=True, help_text="Since entry.", null=True),
                ),
                (
                    "procedures",
                    models.PositiveIntegerField(blank=True, help_text="Since entry.", null=True),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "seal",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.seal",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("site", "source_id"),
                        name="registry_implant_source_id_once_a_site",
                        violation_error_message="The site has an implant of this key already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source_id__regex", "\\A[A-Za-z0-9._-]{1,40}\\Z")),
                        name="registry_implant_source_id_is_a_key",
                        violation_error_code="source-id-is-a-key",
                        violation_error_message="A source id has 1 to 40 letters, digits, dots, underscores or hyphens.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("component__in", ["pump", "catheter"])),
                        name="registry_implant_component_is_coded",
                        violation_error_code="component-is-coded",
                        violation_error_message="Choose component from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "pump_model__in",
                                [
                                    "",
                                    "synchromed-8615-8618",
                                    "synchromed-el",
                                    "synchromed-ii-20",
                                    "synchromed-ii-40",
                                    "synchromed-iii-20",
                                    "synchromed-iii-40",
                                    "isomed",
                                    "prometra",
                                    "prometra-ii-20",
                                    "prometra-ii-40",
                                    "medstream",
                                    "codman-3000",
                                    "codman-archimedes",
                                    "infusaid",
                                    "siromedes",
                                    "tricumed-ip-series",
                                    "other-programmable",
                                    "other-constant-flow",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_implant_pump_model_is_coded",
                        violation_error_code="pump-model-is-coded",
                        violation_error_message="Choose pump model from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "catheter_model__in",
                                [
                                    "",
                                    "ascenda",
                                    "indura",
                                    "indura-1p",
                                    "medtronic-two-piece",
                                    "surestream",
                                    "flowonix-intrathecal",
                                    "other-silicone",
                                    "other-polyurethane",
                                    "hybrid-not-as-designed",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_implant_catheter_model_is_coded",
                        violation_error_code="catheter-model-is-coded",
                        violation_error_message="Choose catheter model from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "age_band__in",
                                [
                                    "",
                                    "0-5",
                                    "6-11",
                                    "12-17",
                                    "18-39",
                                    "40-64",
                                    "65-79",
                                    "80-89",
                                    "90-plus",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_implant_age_band_is_coded",
                        violation_error_code="age-band-is-coded",
                        violation_error_message="Choose age band from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "drug__in",
                                [
                                    "",
                                    "morphine",
                                    "hydromorphone",
                                    "fentanyl",
                                    "sufentanil",
                                    "pethidine",
                                    "methadone",
                                    "diamorphine",
                                    "bupivacaine",
                                    "levobupivacaine",
                                    "ropivacaine",
                                    "lidocaine",
                                    "clonidine",
                                    "dexmedetomidine",
                                    "ziconotide",
                                    "baclofen",
                                    "ketamine",
                                    "gabapentin",
                                    "midazolam",
                                    "droperidol",
                                    "octreotide",
                                    "neostigmine",
                                    "adenosine",
                                    "floxuridine",
                                    "methotrexate",
                                    "saline",
                                    "other",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_implant_drug_is_coded",
                        violation_error_code="drug-is-coded",
                        violation_error_message="Choose drug from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "label_status__in",
                                [
                                    "",
                                    "on-label-mono",
                                    "off-label-mono",
                                    "off-label-admixture",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_implant_label_status_is_coded",
                        violation_error_code="label-status-is-coded",
                        violation_error_message="Choose label status from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "procedure__in",
                                [
                                    "",
                                    "primary-implant",
                                    "replacement",
                                    "revision",
                                    "reimplant",
                                    "trial",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_implant_procedure_is_coded",
                        violation_error_code="procedure-is-coded",
                        violation_error_message="Choose procedure from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("pump_site__in", ["", "abdomen", "buttock", "other", "unknown"])
                        ),
                        name="registry_implant_pump_site_is_coded",
                        violation_error_code="pump-site-is-coded",
                        violation_error_message="Choose pump site from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("pump_plane__in", ["", "subcutaneous", "subfascial", "unknown"])
                        ),
                        name="registry_implant_pump_plane_is_coded",
                        violation_error_code="pump-plane-is-coded",
                        violation_error_message="Choose pump plane from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("as_designed__in", ["", "yes", "no", "unknown"])),
                        name="registry_implant_as_designed_is_coded",
                        violation_error_code="as-designed-is-coded",
                        violation_error_message="Choose as designed from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "exit_status__in",
                                [
                                    "",
                                    "active",
                                    "replaced-end-of-service",
                                    "explant-elective",
                                    "care-transferred",
                                    "site-closed",
                                    "lost-to-follow-up",
                                    "not-available",
                                    "consent-withdrawn",
                                    "withdrawn-by-physician",
                                    "replaced-for-failure",
                                    "explanted-for-complication",
                                    "therapy-discontinued",
                                    "death-related",
                                    "death-unrelated",
                                    "death-unknown",
                                    "eligibility-not-met",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_implant_exit_status_is_coded",
                        violation_error_code="exit-status-is-coded",
                        violation_error_message="Choose exit status from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("adjuncts__isnull", True),
                            models.Q(("adjuncts__gte", 1), ("adjuncts__lt", 134217728)),
                            _connector="OR",
                        ),
                        name="registry_implant_adjuncts_is_coded",
                        violation_error_code="adjuncts-is-coded",
                        violation_error_message="Choose adjuncts from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("implant_year__isnull", True),
                            models.Q(("implant_year__gte", 1980), ("implant_year__lte", 2100)),
                            _connector="OR",
                        ),
                        name="registry_implant_implant_year_is_plausible",
                        violation_error_code="implant-year-is-plausible",
                        violation_error_message="Give implant year as four digits, 1980 to 2100.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("months_to_entry__isnull", True),
                            models.Q(("months_to_entry__gte", 0), ("months_to_entry__lte", 1200)),
                            _connector="OR",
                        ),
                        name="registry_implant_months_to_entry_is_plausible",
                        violation_error_code="months-to-entry-is-plausible",
                        violation_error_message="Give months to entry in whole months, 0 to 1200.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("months_followed__isnull", True),
                            models.Q(("months_followed__gte", 0), ("months_followed__lte", 1200)),
                            _connector="OR",
                        ),
                        name="registry_implant_months_followed_is_plausible",
                        violation_error_code="months-followed-is-plausible",
                        violation_error_message="Give months followed in whole months, 0 to 1200.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("refills__isnull", True), ("refills__gte", 0), _connector="OR"
                        ),
                        name="registry_implant_refills_is_not_negative",
                        violation_error_code="refills-is-not-negative",
                        violation_error_message="Give refills as a whole number, 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("procedures__isnull", True), ("procedures__gte", 0), _connector="OR"
                        ),
                        name="registry_implant_procedures_is_not_negative",
                        violation_error_code="procedures-is-not-negative",
                        violation_error_message="Give procedures as a whole number, 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("catheter_model", ""), ("component", "pump")),
                            models.Q(("component", "catheter"), ("pump_model", "")),
                            _connector="OR",
                        ),
                        name="registry_implant_model_fits_component",
                        violation_error_code="model-fits-component",
                        violation_error_message="A pump has a pump model and a catheter a catheter model: clear the other one.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("months_to_entry__lte", models.F("months_followed"))),
                        name="registry_implant_entry_is_not_after_follow_up",
                        violation_error_code="entry-is-not-after-follow-up",
                        violation_error_message="Months to entry cannot be more than months followed: both count from implant.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalExposure",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("seal_number", models.BigIntegerField(db_index=True, editable=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("year", models.PositiveSmallIntegerField()),
                (
                    "component",
                    models.CharField(
                        choices=registry.vocabulary.device.Component.choices, max_length=40
                    ),
                ),
                (
                    "pump_model",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.device.PumpModel.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "catheter_model",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.device.CatheterModel.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                ("devices", models.PositiveIntegerField()),
                ("component_months", models.PositiveIntegerField()),
                ("procedures", models.PositiveIntegerField(blank=True, null=True)),
                ("refills", models.PositiveIntegerField(blank=True, null=True)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("history_change_reason", models.CharField(blank=True, default="", max_length=40)),
                (
                    "site",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="registry.site",
                    ),
                ),
                (
                    "seal",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="registry.seal",
                    ),
                ),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical exposure",
                "verbose_name_plural": "historical exposures",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Exposure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exposures",
                        to="registry.site",
                    ),
                ),
                ("year", models.PositiveSmallIntegerField()),
                (
                    "component",
                    models.CharField(
                        choices=registry.vocabulary.device.Component.choices, max_length=40
                    ),
                ),
                (
                    "pump_model",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.device.PumpModel.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "catheter_model",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.device.CatheterModel.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                ("devices", models.PositiveIntegerField()),
                ("component_months", models.PositiveIntegerField()),
                ("procedures", models.PositiveIntegerField(blank=True, null=True)),
                ("refills", models.PositiveIntegerField(blank=True, null=True)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "seal",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.seal",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("site", "year", "component", "pump_model", "catheter_model"),
                        name="registry_exposure_once_a_year",
                        violation_error_message="The site has declared this year and model already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("component__in", ["pump", "catheter"])),
                        name="registry_exposure_component_is_coded",
                        violation_error_code="component-is-coded",
                        violation_error_message="Choose component from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "pump_model__in",
                                [
                                    "",
                                    "synchromed-8615-8618",
                                    "synchromed-el",
                                    "synchromed-ii-20",
                                    "synchromed-ii-40",
                                    "synchromed-iii-20",
                                    "synchromed-iii-40",
                                    "isomed",
                                    "prometra",
                                    "prometra-ii-20",
                                    "prometra-ii-40",
                                    "medstream",
                                    "codman-3000",
                                    "codman-archimedes",
                                    "infusaid",
                                    "siromedes",
                                    "tricumed-ip-series",
                                    "other-programmable",
                                    "other-constant-flow",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_exposure_pump_model_is_coded",
                        violation_error_code="pump-model-is-coded",
                        violation_error_message="Choose pump model from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "catheter_model__in",
                                [
                                    "",
                                    "ascenda",
                                    "indura",
                                    "indura-1p",
                                    "medtronic-two-piece",
                                    "surestream",
                                    "flowonix-intrathecal",
                                    "other-silicone",
                                    "other-polyurethane",
                                    "hybrid-not-as-designed",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_exposure_catheter_model_is_coded",
                        violation_error_code="catheter-model-is-coded",
                        violation_error_message="Choose catheter model from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("year__isnull", True),
                            models.Q(("year__gte", 1980), ("year__lte", 2100)),
                            _connector="OR",
                        ),
                        name="registry_exposure_year_is_plausible",
                        violation_error_code="year-is-plausible",
                        violation_error_message="Give year as four digits, 1980 to 2100.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("devices__isnull", True), ("devices__gte", 0), _connector="OR"
                        ),
                        name="registry_exposure_devices_is_not_negative",
                        violation_error_code="devices-is-not-negative",
                        violation_error_message="Give devices as a whole number, 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("component_months__isnull", True),
                            ("component_months__gte", 0),
                            _connector="OR",
                        ),
                        name="registry_exposure_component_months_is_not_negative",
                        violation_error_code="component-months-is-not-negative",
                        violation_error_message="Give component months as a whole number, 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("procedures__isnull", True), ("procedures__gte", 0), _connector="OR"
                        ),
                        name="registry_exposure_procedures_is_not_negative",
                        violation_error_code="procedures-is-not-negative",
                        violation_error_message="Give procedures as a whole number, 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("refills__isnull", True), ("refills__gte", 0), _connector="OR"
                        ),
                        name="registry_exposure_refills_is_not_negative",
                        violation_error_code="refills-is-not-negative",
                        violation_error_message="Give refills as a whole number, 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("catheter_model", ""), ("component", "pump")),
                            models.Q(("component", "catheter"), ("pump_model", "")),
                            _connector="OR",
                        ),
                        name="registry_exposure_model_fits_component",
                        violation_error_code="model-fits-component",
                        violation_error_message="A pump has a pump model and a catheter a catheter model: clear the other one.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "component_months__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("devices"), "*", models.Value(12)
                                ),
                            )
                        ),
                        name="registry_exposure_months_fit_devices",
                        violation_error_code="months-fit-devices",
                        violation_error_message="A device has 12 months a year at the most: check devices and months.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="registry.site",
                    ),
                ),
                (
                    "source_id",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The site's own random key.",
                        max_length=40,
                    ),
                ),
                (
                    "implant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="registry.implant",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="registry.patient",
                    ),
                ),
                (
                    "complication",
                    models.ForeignKey(
                        help_text="As adjudicated.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="registry.complication",
                    ),
                ),
                (
                    "reported_complication",
                    models.ForeignKey(
                        editable=False,
                        help_text="As reported.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.complication",
                    ),
                ),
                ("year", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "month",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="Only where the registry keeps months.", null=True
                    ),
                ),
                (
                    "months_since_implant",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="Whole months.", null=True
                    ),
                ),
                (
                    "severity",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        choices=registry.vocabulary.event.Severity.choices,
                        help_text="Worst grade reached, CTCAE 1 to 5.",
                        null=True,
                    ),
                ),
                ("serious_death", models.BooleanField(default=False, verbose_name="death")),
                (
                    "serious_life_threatening",
                    models.BooleanField(default=False, verbose_name="life-threatening"),
                ),
                (
                    "serious_hospitalisation",
                    models.BooleanField(default=False, verbose_name="hospitalisation"),
                ),
                (
                    "serious_permanent_impairment",
                    models.BooleanField(default=False, verbose_name="permanent impairment"),
                ),
                (
                    "serious_intervention_to_prevent",
                    models.BooleanField(default=False, verbose_name="intervention to prevent"),
                ),
                (
                    "serious_chronic_disease",
                    models.BooleanField(default=False, verbose_name="chronic disease"),
                ),
                (
                    "serious_fetal_congenital",
                    models.BooleanField(default=False, verbose_name="fetal or congenital"),
                ),
                (
                    "serious_medically_important",
                    models.BooleanField(default=False, verbose_name="medically important"),
                ),
                (
                    "serious_none",
                    models.BooleanField(
                        default=False,
                        help_text="Nothing ticked is not recorded.",
                        verbose_name="none: not serious",
                    ),
                ),
                (
                    "relatedness_device",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.Relatedness.choices,
                        default="",
                        max_length=40,
                        verbose_name="related to the device",
                    ),
                ),
                (
                    "relatedness_procedure",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.Relatedness.choices,
                        default="",
                        max_length=40,
                        verbose_name="related to the procedure",
                    ),
                ),
                (
                    "relatedness_drug",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.Relatedness.choices,
                        default="",
                        max_length=40,
                        verbose_name="related to the drug",
                    ),
                ),
                (
                    "relatedness_programming",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.Relatedness.choices,
                        default="",
                        max_length=40,
                        verbose_name="related to programming",
                    ),
                ),
                (
                    "relatedness_disease",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.Relatedness.choices,
                        default="",
                        max_length=40,
                        verbose_name="related to the disease",
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.Outcome.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "interventions",
                    registry.models.fields.CodeSetField(
                        codes=registry.vocabulary.management.Intervention,
                        verbose_name="what was done",
                    ),
                ),
                (
                    "root_cause",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.management.RootCause.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "detection",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.Detection.choices,
                        default="",
                        help_text="How it was found.",
                        max_length=40,
                        verbose_name="how it was found",
                    ),
                ),
                (
                    "days_since_procedure",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.DaysSinceProcedure.choices,
                        default="",
                        max_length=40,
                        verbose_name="days since the last procedure",
                    ),
                ),
                (
                    "days_since_refill",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.DaysSinceRefill.choices,
                        default="",
                        max_length=40,
                        verbose_name="days since the last refill",
                    ),
                ),
                (
                    "mri_24h",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.YesNoUnknown.choices,
                        default="",
                        max_length=40,
                        verbose_name="MRI within 24 hours before",
                    ),
                ),
                (
                    "alarm",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.YesNoUnknown.choices,
                        default="",
                        max_length=40,
                        verbose_name="pump alarm",
                    ),
                ),
                (
                    "volume_discrepancy",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.VolumeDiscrepancy.choices,
                        default="",
                        max_length=40,
                        verbose_name="refill volume",
                    ),
                ),
                (
                    "organism",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.Organism.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "actuality",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.Actuality.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "caused_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="An earlier event of the same patient.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consequences",
                        to="registry.event",
                    ),
                ),
                (
                    "pump_model",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.device.PumpModel.choices,
                        default="",
                        help_text="Only without an implant.",
                        max_length=40,
                    ),
                ),
                (
                    "catheter_model",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.device.CatheterModel.choices,
                        default="",
                        help_text="Only without an implant.",
                        max_length=40,
                    ),
                ),
                (
                    "drug",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.drugs.Drug.choices,
                        default="",
                        help_text="Only without an implant.",
                        max_length=40,
                    ),
                ),
                (
                    "indication",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.people.Indication.choices,
                        default="",
                        help_text="Only without an implant.",
                        max_length=40,
                    ),
                ),
                (
                    "age_band",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.people.AgeBand.choices,
                        default="",
                        help_text="Only without an implant.",
                        max_length=40,
                    ),
                ),
                (
                    "sex",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.people.Sex.choices,
                        default="",
                        help_text="Only without an implant.",
                        max_length=40,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=registry.vocabulary.event.State.choices,
                        default="draft",
                        editable=False,
                        max_length=40,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.WithdrawalReason.choices,
                        default="",
                        editable=False,
                        max_length=40,
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "seal",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.seal",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "indexes": [models.Index(fields=["state", "site"], name="registry_event_by_state")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("source_id", ""), _negated=True),
                        fields=("site", "source_id"),
                        name="registry_event_source_id_once_a_site",
                        violation_error_message="The site has an event of this key already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("source_id__regex", "\\A[A-Za-z0-9._-]{1,40}\\Z"),
                            ("source_id", ""),
                            _connector="OR",
                        ),
                        name="registry_event_source_id_is_a_key",
                        violation_error_code="source-id-is-a-key",
                        violation_error_message="A source id has 1 to 40 letters, digits, dots, underscores or hyphens.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "relatedness_device__in",
                                [
                                    "",
                                    "not-related",
                                    "possible",
                                    "probable",
                                    "causal",
                                    "not-assessed",
                                ],
                            )
                        ),
                        name="registry_event_relatedness_device_is_coded",
                        violation_error_code="relatedness-device-is-coded",
                        violation_error_message="Choose relatedness device from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "relatedness_procedure__in",
                                [
                                    "",
                                    "not-related",
                                    "possible",
                                    "probable",
                                    "causal",
                                    "not-assessed",
                                ],
                            )
                        ),
                        name="registry_event_relatedness_procedure_is_coded",
                        violation_error_code="relatedness-procedure-is-coded",
                        violation_error_message="Choose relatedness procedure from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "relatedness_drug__in",
                                [
                                    "",
                                    "not-related",
                                    "possible",
                                    "probable",
                                    "causal",
                                    "not-assessed",
                                ],
                            )
                        ),
                        name="registry_event_relatedness_drug_is_coded",
                        violation_error_code="relatedness-drug-is-coded",
                        violation_error_message="Choose relatedness drug from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "relatedness_programming__in",
                                [
                                    "",
                                    "not-related",
                                    "possible",
                                    "probable",
                                    "causal",
                                    "not-assessed",
                                ],
                            )
                        ),
                        name="registry_event_relatedness_programming_is_coded",
                        violation_error_code="relatedness-programming-is-coded",
                        violation_error_message="Choose relatedness programming from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "relatedness_disease__in",
                                [
                                    "",
                                    "not-related",
                                    "possible",
                                    "probable",
                                    "causal",
                                    "not-assessed",
                                ],
                            )
                        ),
                        name="registry_event_relatedness_disease_is_coded",
                        violation_error_code="relatedness-disease-is-coded",
                        violation_error_message="Choose relatedness disease from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "outcome__in",
                                [
                                    "",
                                    "recovered",
                                    "recovering",
                                    "not-recovered",
                                    "recovered-sequelae",
                                    "fatal",
                                    "unknown",
                                    "not-applicable",
                                ],
                            )
                        ),
                        name="registry_event_outcome_is_coded",
                        violation_error_code="outcome-is-coded",
                        violation_error_message="Choose outcome from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "root_cause__in",
                                [
                                    "",
                                    "device-design-or-manufacture",
                                    "device-wear-or-end-of-life",
                                    "device-damage-in-handling",
                                    "device-interaction-external-field",
                                    "surgical-technique",
                                    "anatomy-or-body-growth",
                                    "patient-manipulation-or-trauma",
                                    "infection-perioperative",
                                    "infection-haematogenous",
                                    "drug-formulation-or-compounding",
                                    "drug-pharmacology",
                                    "off-label-admixture",
                                    "prescribing-error",
                                    "programming-error",
                                    "refill-technique",
                                    "missed-follow-up",
                                    "communication-or-handover",
                                    "not-investigated",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_event_root_cause_is_coded",
                        violation_error_code="root-cause-is-coded",
                        violation_error_message="Choose root cause from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "detection__in",
                                [
                                    "",
                                    "symptom",
                                    "alarm",
                                    "refill-visit",
                                    "refill-volume-discrepancy",
                                    "routine-imaging",
                                    "imaging-for-symptom",
                                    "interrogation-log",
                                    "intra-operative",
                                    "laboratory",
                                    "returned-product",
                                    "post-mortem",
                                    "other",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_event_detection_is_coded",
                        violation_error_code="detection-is-coded",
                        violation_error_message="Choose detection from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "days_since_procedure__in",
                                [
                                    "",
                                    "0-7",
                                    "8-30",
                                    "31-60",
                                    "61-90",
                                    "91-365",
                                    "over-365",
                                    "not-applicable",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_event_days_since_procedure_is_coded",
                        violation_error_code="days-since-procedure-is-coded",
                        violation_error_message="Choose days since procedure from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "days_since_refill__in",
                                [
                                    "",
                                    "0-1",
                                    "2-7",
                                    "8-30",
                                    "31-90",
                                    "over-90",
                                    "not-applicable",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_event_days_since_refill_is_coded",
                        violation_error_code="days-since-refill-is-coded",
                        violation_error_message="Choose days since refill from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("mri_24h__in", ["", "yes", "no", "unknown"])),
                        name="registry_event_mri_24h_is_coded",
                        violation_error_code="mri-24h-is-coded",
                        violation_error_message="Choose mri 24h from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("alarm__in", ["", "yes", "no", "unknown"])),
                        name="registry_event_alarm_is_coded",
                        violation_error_code="alarm-is-coded",
                        violation_error_message="Choose alarm from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "volume_discrepancy__in",
                                [
                                    "",
                                    "none",
                                    "more-left-than-expected",
                                    "less-left-than-expected",
                                    "not-measured",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_event_volume_discrepancy_is_coded",
                        violation_error_code="volume-discrepancy-is-coded",
                        violation_error_message="Choose volume discrepancy from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "organism__in",
                                [
                                    "",
                                    "staphylococcus-aureus",
                                    "staphylococcus-aureus-mrsa",
                                    "coagulase-negative-staphylococcus",
                                    "cutibacterium",
                                    "gram-negative",
                                    "fungal",
                                    "polymicrobial",
                                    "other",
                                    "culture-negative",
                                    "not-cultured",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_event_organism_is_coded",
                        violation_error_code="organism-is-coded",
                        violation_error_message="Choose organism from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("actuality__in", ["", "actual", "near-miss"])),
                        name="registry_event_actuality_is_coded",
                        violation_error_code="actuality-is-coded",
                        violation_error_message="Choose actuality from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "pump_model__in",
                                [
                                    "",
                                    "synchromed-8615-8618",
                                    "synchromed-el",
                                    "synchromed-ii-20",
                                    "synchromed-ii-40",
                                    "synchromed-iii-20",
                                    "synchromed-iii-40",
                                    "isomed",
                                    "prometra",
                                    "prometra-ii-20",
                                    "prometra-ii-40",
                                    "medstream",
                                    "codman-3000",
                                    "codman-archimedes",
                                    "infusaid",
                                    "siromedes",
                                    "tricumed-ip-series",
                                    "other-programmable",
                                    "other-constant-flow",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_event_pump_model_is_coded",
                        violation_error_code="pump-model-is-coded",
                        violation_error_message="Choose pump model from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "catheter_model__in",
                                [
                                    "",
                                    "ascenda",
                                    "indura",
                                    "indura-1p",
                                    "medtronic-two-piece",
                                    "surestream",
                                    "flowonix-intrathecal",
                                    "other-silicone",
                                    "other-polyurethane",
                                    "hybrid-not-as-designed",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_event_catheter_model_is_coded",
                        violation_error_code="catheter-model-is-coded",
                        violation_error_message="Choose catheter model from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "drug__in",
                                [
                                    "",
                                    "morphine",
                                    "hydromorphone",
                                    "fentanyl",
                                    "sufentanil",
                                    "pethidine",
                                    "methadone",
                                    "diamorphine",
                                    "bupivacaine",
                                    "levobupivacaine",
                                    "ropivacaine",
                                    "lidocaine",
                                    "clonidine",
                                    "dexmedetomidine",
                                    "ziconotide",
                                    "baclofen",
                                    "ketamine",
                                    "gabapentin",
                                    "midazolam",
                                    "droperidol",
                                    "octreotide",
                                    "neostigmine",
                                    "adenosine",
                                    "floxuridine",
                                    "methotrexate",
                                    "saline",
                                    "other",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_event_drug_is_coded",
                        violation_error_code="drug-is-coded",
                        violation_error_message="Choose drug from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "indication__in",
                                [
                                    "",
                                    "failed-back-surgery",
                                    "degenerative-spine",
                                    "spinal-stenosis",
                                    "crps",
                                    "neuropathic-peripheral",
                                    "neuropathic-central",
                                    "neuropathic-unspecified",
                                    "arachnoiditis",
                                    "vertebral-fracture",
                                    "chronic-pancreatitis-visceral",
                                    "arthritis",
                                    "phantom-postamputation",
                                    "other-pain-noncancer",
                                    "cancer-direct",
                                    "cancer-treatment",
                                    "other-pain-cancer",
                                    "cerebral-palsy",
                                    "stroke",
                                    "traumatic-brain-injury",
                                    "hypoxic-brain-injury",
                                    "other-spasticity-cerebral",
                                    "multiple-sclerosis",
                                    "spinal-cord-injury",
                                    "hereditary-spastic-paraplegia",
                                    "tumour-or-myelopathy",
                                    "other-spasticity-spinal",
                                    "spasticity-unspecified",
                                    "dystonia",
                                    "pain-and-spasticity",
                                    "other",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_event_indication_is_coded",
                        violation_error_code="indication-is-coded",
                        violation_error_message="Choose indication from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "age_band__in",
                                [
                                    "",
                                    "0-5",
                                    "6-11",
                                    "12-17",
                                    "18-39",
                                    "40-64",
                                    "65-79",
                                    "80-89",
                                    "90-plus",
                                    "unknown",
                                ],
                            )
                        ),
                        name="registry_event_age_band_is_coded",
                        violation_error_code="age-band-is-coded",
                        violation_error_message="Choose age band from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sex__in", ["", "female", "male", "other", "unknown"])),
                        name="registry_event_sex_is_coded",
                        violation_error_code="sex-is-coded",
                        violation_error_message="Choose sex from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "draft",
                                    "submitted",
                                    "accepted",
                                    "rejected",
                                    "duplicate",
                                    "withdrawn",
                                ],
                            )
                        ),
                        name="registry_event_state_is_coded",
                        violation_error_code="state-is-coded",
                        violation_error_message="Choose state from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "reason__in",
                                [
                                    "",
                                    "entered-in-error",
                                    "consent-withdrawn",
                                    "not-an-event",
                                    "duplicate-of-other",
                                    "other",
                                ],
                            )
                        ),
                        name="registry_event_reason_is_coded",
                        violation_error_code="reason-is-coded",
                        violation_error_message="Choose reason from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("interventions__isnull", True),
                            models.Q(("interventions__gte", 1), ("interventions__lt", 536870912)),
                            _connector="OR",
                        ),
                        name="registry_event_interventions_is_coded",
                        violation_error_code="interventions-is-coded",
                        violation_error_message="Choose interventions from the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("severity__isnull", True),
                            ("severity__in", [1, 2, 3, 4, 5]),
                            _connector="OR",
                        ),
                        name="registry_event_severity_is_a_grade",
                        violation_error_code="severity-is-a-grade",
                        violation_error_message="Grade 1 to 5, or leave it empty.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("year__isnull", True),
                            models.Q(("year__gte", 1980), ("year__lte", 2100)),
                            _connector="OR",
                        ),
                        name="registry_event_year_is_plausible",
                        violation_error_code="year-is-plausible",
                        violation_error_message="Give year as four digits, 1980 to 2100.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("months_since_implant__isnull", True),
                            models.Q(
                                ("months_since_implant__gte", 0),
                                ("months_since_implant__lte", 1200),
                            ),
                            _connector="OR",
                        ),
                        name="registry_event_months_since_implant_is_plausible",
                        violation_error_code="months-since-implant-is-plausible",
                        violation_error_message="Give months since implant in whole months, 0 to 1200.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("month__isnull", True),
                            models.Q(("month__gte", 1), ("month__lte", 12)),
                            _connector="OR",
                        ),
                        name="registry_event_month_is_a_month",
                        violation_error_code="month-is-a-month",
                        violation_error_message="Give the month as 1 to 12, or leave it empty.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("month__isnull", True), ("year__isnull", False), _connector="OR"
                        ),
                        name="registry_event_month_has_a_year",
                        violation_error_code="month-has-a-year",
                        violation_error_message="Give the year that the month belongs to.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("months_since_implant__isnull", True),
                            models.Q(
                                (
                                    "days_since_procedure__in",
                                    ["31-60", "61-90", "91-365", "over-365"],
                                ),
                                _negated=True,
                            ),
                            models.Q(
                                ("days_since_procedure", "31-60"), ("months_since_implant__gte", 1)
                            ),
                            models.Q(
                                ("days_since_procedure", "61-90"), ("months_since_implant__gte", 1)
                            ),
                            models.Q(
                                ("days_since_procedure", "91-365"), ("months_since_implant__gte", 2)
                            ),
                            models.Q(
                                ("days_since_procedure", "over-365"),
                                ("months_since_implant__gte", 12),
                            ),
                            _connector="OR",
                        ),
                        name="registry_event_days_since_procedure_fit",
                        violation_error_code="days-since-procedure-fit",
                        violation_error_message="The last procedure cannot lie before the implant: check the days since procedure.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("months_since_implant__isnull", True),
                            models.Q(
                                ("days_since_refill__in", ["31-90", "over-90"]), _negated=True
                            ),
                            models.Q(
                                ("days_since_refill", "31-90"), ("months_since_implant__gte", 1)
                            ),
                            models.Q(
                                ("days_since_refill", "over-90"), ("months_since_implant__gte", 2)
                            ),
                            _connector="OR",
                        ),
                        name="registry_event_days_since_refill_fit",
                        violation_error_code="days-since-refill-fit",
                        violation_error_message="The last refill cannot lie before the implant: check the days since refill.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["draft", "withdrawn"]),
                            ("year__isnull", False),
                            _connector="OR",
                        ),
                        name="registry_event_submitted_has_a_year",
                        violation_error_code="submitted-has-a-year",
                        violation_error_message="Give the year of the event before you submit it.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["draft", "withdrawn"]),
                            ("implant__isnull", True),
                            ("months_since_implant__isnull", False),
                            _connector="OR",
                        ),
                        name="registry_event_submitted_has_months_since_implant",
                        violation_error_code="submitted-has-months-since-implant",
                        violation_error_message="Give the months since implant before you submit the event.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "withdrawn"), _negated=True),
                            models.Q(("reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="registry_event_withdrawn_has_a_reason",
                        violation_error_code="withdrawn-has-a-reason",
                        violation_error_message="Say why the event is withdrawn.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("severity", 5), ("severity__isnull", False), ("outcome", "fatal")
                            ),
                            models.Q(
                                models.Q(
                                    ("severity", 5), ("severity__isnull", False), _negated=True
                                ),
                                models.Q(("outcome", "fatal"), _negated=True),
                            ),
                            models.Q(
                                ("state__in", ["draft", "withdrawn"]),
                                models.Q(
                                    ("severity__isnull", True), ("outcome", ""), _connector="OR"
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="registry_event_grade_5_means_fatal",
                        violation_error_code="grade-5-means-fatal",
                        violation_error_message="Grade 5 is death: set the outcome to fatal, or choose another grade.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("severity", 5),
                                ("severity__isnull", False),
                                ("serious_death", True),
                            ),
                            models.Q(
                                models.Q(
                                    ("severity", 5), ("severity__isnull", False), _negated=True
                                ),
                                models.Q(("serious_death", True), _negated=True),
                            ),
                            models.Q(
                                ("state__in", ["draft", "withdrawn"]),
                                models.Q(
                                    ("severity__isnull", True),
                                    models.Q(
                                        ("serious_chronic_disease", False),
                                        ("serious_death", False),
                                        ("serious_fetal_congenital", False),
                                        ("serious_hospitalisation", False),
                                        ("serious_intervention_to_prevent", False),
                                        ("serious_life_threatening", False),
                                        ("serious_medically_important", False),
                                        ("serious_permanent_impairment", False),
                                        ("serious_none", False),
                                    ),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="registry_event_grade_5_means_criterion_death",
                        violation_error_code="grade-5-means-criterion-death",
                        violation_error_message="Grade 5 is death: tick death among the criteria, or choose another grade.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("outcome", "fatal"), ("serious_death", True)),
                            models.Q(
                                models.Q(("outcome", "fatal"), _negated=True),
                                models.Q(("serious_death", True), _negated=True),
                            ),
                            models.Q(
                                ("state__in", ["draft", "withdrawn"]),
                                models.Q(
                                    ("outcome", ""),
                                    models.Q(
                                        ("serious_chronic_disease", False),
                                        ("serious_death", False),
                                        ("serious_fetal_congenital", False),
                                        ("serious_hospitalisation", False),
                                        ("serious_intervention_to_prevent", False),
                                        ("serious_life_threatening", False),
                                        ("serious_medically_important", False),
                                        ("serious_permanent_impairment", False),
                                        ("serious_none", False),
                                    ),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="registry_event_fatal_means_criterion_death",
                        violation_error_code="fatal-means-criterion-death",
                        violation_error_message="A fatal outcome is death: tick death among the criteria, or change the outcome.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("complication", "death"), _negated=True),
                            models.Q(("severity", 5), ("severity__isnull", False)),
                            models.Q(
                                ("state__in", ["draft", "withdrawn"]), ("severity__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="registry_event_death_is_grade_5",
                        violation_error_code="death-is-grade-5",
                        violation_error_message="The complication death has grade 5: set the grade, or choose what led to it.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("complication", "death"),
                            (
                                "state__in",
                                [
                                    registry.vocabulary.event.State["SUBMITTED"],
                                    registry.vocabulary.event.State["ACCEPTED"],
                                ],
                            ),
                        ),
                        fields=("patient",),
                        name="registry_event_one_death_a_patient",
                        violation_error_message="The death of this patient is in the registry already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("serious_none", False),
                            models.Q(
                                ("serious_chronic_disease", False),
                                ("serious_death", False),
                                ("serious_fetal_congenital", False),
                                ("serious_hospitalisation", False),
                                ("serious_intervention_to_prevent", False),
                                ("serious_life_threatening", False),
                                ("serious_medically_important", False),
                                ("serious_permanent_impairment", False),
                            ),
                            _connector="OR",
                        ),
                        name="registry_event_none_stands_alone",
                        violation_error_code="none-stands-alone",
                        violation_error_message="Not serious stands alone: clear it, or clear the criteria.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("severity__in", [4, 5]), _negated=True),
                            ("serious_none", False),
                            _connector="OR",
                        ),
                        name="registry_event_grade_4_is_serious",
                        violation_error_code="grade-4-is-serious",
                        violation_error_message="Grade 4 or 5 is serious: tick the criterion that is met, or choose another grade.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("actuality", "near-miss"), _negated=True),
                            models.Q(
                                ("severity__isnull", True),
                                ("serious_chronic_disease", False),
                                ("serious_death", False),
                                ("serious_fetal_congenital", False),
                                ("serious_hospitalisation", False),
                                ("serious_intervention_to_prevent", False),
                                ("serious_life_threatening", False),
                                ("serious_medically_important", False),
                                ("serious_permanent_impairment", False),
                                models.Q(
                                    ("outcome", "not-applicable"),
                                    models.Q(
                                        ("state__in", ["draft", "withdrawn"]), ("outcome", "")
                                    ),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="registry_event_near_miss_harms_nobody",
                        violation_error_code="near-miss-harms-nobody",
                        violation_error_message="A near miss has no grade, no criterion, and the outcome not-applicable.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("implant__isnull", True),
                            models.Q(
                                ("age_band", ""),
                                ("catheter_model", ""),
                                ("drug", ""),
                                ("indication", ""),
                                ("pump_model", ""),
                                ("sex", ""),
                            ),
                            _connector="OR",
                        ),
                        name="registry_event_reported_only_without_implant",
                        violation_error_code="reported-only-without-implant",
                        violation_error_message="Model, drug, indication, age and sex are the implant's: clear them here.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("implant__isnull", True), ("patient__isnull", True)),
                            models.Q(("implant__isnull", False), ("patient__isnull", False)),
                            _connector="OR",
                        ),
                        name="registry_event_patient_is_the_implants",
                        violation_error_code="patient-is-the-implants",
                        violation_error_message="An event that names an implant names its patient too.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("caused_by__isnull", True),
                            models.Q(("caused_by", models.F("id")), _negated=True),
                            _connector="OR",
                        ),
                        name="registry_event_not_caused_by_itself",
                        violation_error_code="not-caused-by-itself",
                        violation_error_message="An event cannot cause itself: choose the event that came before.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalEvent",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("seal_number", models.BigIntegerField(db_index=True, editable=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False)),
                (
                    "source_id",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The site's own random key.",
                        max_length=40,
                    ),
                ),
                ("year", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "month",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="Only where the registry keeps months.", null=True
                    ),
                ),
                (
                    "months_since_implant",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="Whole months.", null=True
                    ),
                ),
                (
                    "severity",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        choices=registry.vocabulary.event.Severity.choices,
                        help_text="Worst grade reached, CTCAE 1 to 5.",
                        null=True,
                    ),
                ),
                ("serious_death", models.BooleanField(default=False, verbose_name="death")),
                (
                    "serious_life_threatening",
                    models.BooleanField(default=False, verbose_name="life-threatening"),
                ),
                (
                    "serious_hospitalisation",
                    models.BooleanField(default=False, verbose_name="hospitalisation"),
                ),
                (
                    "serious_permanent_impairment",
                    models.BooleanField(default=False, verbose_name="permanent impairment"),
                ),
                (
                    "serious_intervention_to_prevent",
                    models.BooleanField(default=False, verbose_name="intervention to prevent"),
                ),
                (
                    "serious_chronic_disease",
                    models.BooleanField(default=False, verbose_name="chronic disease"),
                ),
                (
                    "serious_fetal_congenital",
                    models.BooleanField(default=False, verbose_name="fetal or congenital"),
                ),
                (
                    "serious_medically_important",
                    models.BooleanField(default=False, verbose_name="medically important"),
                ),
                (
                    "serious_none",
                    models.BooleanField(
                        default=False,
                        help_text="Nothing ticked is not recorded.",
                        verbose_name="none: not serious",
                    ),
                ),
                (
                    "relatedness_device",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.Relatedness.choices,
                        default="",
                        max_length=40,
                        verbose_name="related to the device",
                    ),
                ),
                (
                    "relatedness_procedure",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.Relatedness.choices,
                        default="",
                        max_length=40,
                        verbose_name="related to the procedure",
                    ),
                ),
                (
                    "relatedness_drug",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.Relatedness.choices,
                        default="",
                        max_length=40,
                        verbose_name="related to the drug",
                    ),
                ),
                (
                    "relatedness_programming",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.Relatedness.choices,
                        default="",
                        max_length=40,
                        verbose_name="related to programming",
                    ),
                ),
                (
                    "relatedness_disease",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.Relatedness.choices,
                        default="",
                        max_length=40,
                        verbose_name="related to the disease",
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.Outcome.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "interventions",
                    registry.models.fields.CodeSetField(
                        codes=registry.vocabulary.management.Intervention,
                        verbose_name="what was done",
                    ),
                ),
                (
                    "root_cause",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.management.RootCause.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "detection",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.Detection.choices,
                        default="",
                        help_text="How it was found.",
                        max_length=40,
                        verbose_name="how it was found",
                    ),
                ),
                (
                    "days_since_procedure",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.DaysSinceProcedure.choices,
                        default="",
                        max_length=40,
                        verbose_name="days since the last procedure",
                    ),
                ),
                (
                    "days_since_refill",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.DaysSinceRefill.choices,
                        default="",
                        max_length=40,
                        verbose_name="days since the last refill",
                    ),
                ),
                (
                    "mri_24h",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.YesNoUnknown.choices,
                        default="",
                        max_length=40,
                        verbose_name="MRI within 24 hours before",
                    ),
                ),
                (
                    "alarm",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.YesNoUnknown.choices,
                        default="",
                        max_length=40,
                        verbose_name="pump alarm",
                    ),
                ),
                (
                    "volume_discrepancy",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.VolumeDiscrepancy.choices,
                        default="",
                        max_length=40,
                        verbose_name="refill volume",
                    ),
                ),
                (
                    "organism",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.Organism.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "actuality",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.Actuality.choices,
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "pump_model",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.device.PumpModel.choices,
                        default="",
                        help_text="Only without an implant.",
                        max_length=40,
                    ),
                ),
                (
                    "catheter_model",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.device.CatheterModel.choices,
                        default="",
                        help_text="Only without an implant.",
                        max_length=40,
                    ),
                ),
                (
                    "drug",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.drugs.Drug.choices,
                        default="",
                        help_text="Only without an implant.",
                        max_length=40,
                    ),
                ),
                (
                    "indication",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.people.Indication.choices,
                        default="",
                        help_text="Only without an implant.",
                        max_length=40,
                    ),
                ),
                (
                    "age_band",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.people.AgeBand.choices,
                        default="",
                        help_text="Only without an implant.",
                        max_length=40,
                    ),
                ),
                (
                    "sex",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.people.Sex.choices,
                        default="",
                        help_text="Only without an implant.",
                        max_length=40,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=registry.vocabulary.event.State.choices,
                        default="draft",
                        editable=False,
                        max_length=40,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=registry.vocabulary.event.WithdrawalReason.choices,
                        default="",
                        editable=False,
                        max_length=40,
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("history_change_reason", models.CharField(blank=True, default="", max_length=40)),
                (
                    "site",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="registry.site",
                    ),
                ),
                (
                    "implant",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="registry.implant",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="registry.patient",
                    ),
                ),
                (
                    "complication",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        help_text="As adjudicated.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="registry.complication",
                    ),
                ),
                (
                    "reported_complication",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        help_text="As reported.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="registry.complication",
                    ),
                ),
                (
                    "caused_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        help_text="An earlier event of the same patient.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="registry.event",
                    ),
                ),
                (
                    "seal",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="registry.seal",
                    ),
                ),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical event",
                "verbose_name_plural": "historical events",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
    ]
