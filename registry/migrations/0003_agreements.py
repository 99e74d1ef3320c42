"""Requests for data-use agreements and what became of them.

What was recorded before has no decision: a data manager grants it again.
"""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import registry.models.rules


def give_public_ids(apps, schema_editor):
    """Give every agreement a random public id of its own."""
    for agreement in apps.get_model("registry", "Agreement").objects.all():
        agreement.public_id = uuid.uuid4()
        agreement.save(update_fields=["public_id"])


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0002_append_only'),
    ]

    operations = [
        migrations.AddField(
            model_name='agreement',
            name='answerable',
            field=models.CharField(blank=True, default='', help_text='Who answers for the study, and where.', max_length=120, verbose_name='who is answerable'),
        ),
        migrations.AddField(
            model_name='agreement',
            name='confirmed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='agreement',
            name='decision',
            field=models.CharField(blank=True, default='', max_length=40),
        ),
        migrations.AddField(
            model_name='agreement',
            name='granted_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='agreement',
            name='public_id',
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.RunPython(give_public_ids, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='agreement',
            name='public_id',
            field=models.UUIDField(default=uuid.uuid4, editable=False, unique=True),
        ),
        migrations.AddField(
            model_name='agreement',
            name='reason',
            field=models.CharField(blank=True, default='', max_length=200),
        ),
        migrations.AddField(
            model_name='agreement',
            name='reminded_on',
            field=models.DateField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='agreement',
            name='renews',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='renewals', to='registry.agreement'),
        ),
        migrations.AddField(
            model_name='historicalagreement',
            name='answerable',
            field=models.CharField(blank=True, default='', help_text='Who answers for the study, and where.', max_length=120, verbose_name='who is answerable'),
        ),
        migrations.AddField(
            model_name='historicalagreement',
            name='confirmed_by',
            field=models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='historicalagreement',
            name='decision',
            field=models.CharField(blank=True, default='', max_length=40),
        ),
        migrations.AddField(
            model_name='historicalagreement',
            name='granted_by',
            field=models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='historicalagreement',
            name='reason',
            field=models.CharField(blank=True, default='', max_length=200),
        ),
        migrations.AddField(
            model_name='historicalagreement',
            name='reminded_on',
            field=models.DateField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='historicalagreement',
            name='renews',
            field=models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='registry.agreement'),
        ),
        migrations.AlterField(
            model_name='agreement',
            name='expires_on',
            field=models.DateField(help_text='The last day on which it holds.', verbose_name='last day'),
        ),
        migrations.AlterField(
            model_name='agreement',
            name='purpose',
            field=models.CharField(help_text='What the study asks. Name no patient.', max_length=300),
        ),
        migrations.AlterField(
            model_name='agreement',
            name='reference',
            field=models.CharField(help_text='The protocol or ethics number.', max_length=80),
        ),
        migrations.AlterField(
            model_name='agreement',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='agreements', to=settings.AUTH_USER_MODEL, verbose_name='researcher'),
        ),
        migrations.AlterField(
            model_name='historicalagreement',
            name='expires_on',
            field=models.DateField(help_text='The last day on which it holds.', verbose_name='last day'),
        ),
        migrations.AlterField(
            model_name='historicalagreement',
            name='purpose',
            field=models.CharField(help_text='What the study asks. Name no patient.', max_length=300),
        ),
        migrations.AlterField(
            model_name='historicalagreement',
            name='reference',
            field=models.CharField(help_text='The protocol or ethics number.', max_length=80),
        ),
        migrations.AlterField(
            model_name='historicalagreement',
            name='user',
            field=models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='researcher'),
        ),
        migrations.AddConstraint(
            model_name='agreement',
            constraint=registry.models.rules.CodedColumn(blank=True, codes='registry.vocabulary.access.AgreementDecision', edition='3673abab', field='decision', name='registry_agreement_decision_is_coded'),
        ),
        migrations.AddConstraint(
            model_name='agreement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decision__in', ['declined', 'ended']), models.Q(('reason', ''), _negated=True)), models.Q(models.Q(('decision__in', ['declined', 'ended']), _negated=True), ('reason', '')), _connector='OR'), name='registry_agreement_reason_where_turned_down', violation_error_code='reason-where-turned-down', violation_error_message='Give a reason where it is declined or ended, and only there.'),
        ),
        migrations.AddConstraint(
            model_name='agreement',
            constraint=models.CheckConstraint(condition=models.Q(('granted_by__isnull', True), models.Q(('granted_by', models.F('user')), _negated=True), _connector='OR'), name='registry_agreement_nobody_grants_their_own', violation_error_code='nobody-grants-their-own', violation_error_message='Another data manager grants it: nobody grants their own.'),
        ),
        migrations.AddConstraint(
            model_name='agreement',
            constraint=models.CheckConstraint(condition=models.Q(('confirmed_by__isnull', True), models.Q(('granted_by__isnull', False), models.Q(('confirmed_by', models.F('granted_by')), _negated=True), models.Q(('confirmed_by', models.F('user')), _negated=True)), _connector='OR'), name='registry_agreement_second_is_another_person', violation_error_code='second-is-another-person', violation_error_message='The second data manager is neither the first nor the researcher.'),
        ),
    ]
