"""`redact` replaces keys, and never prints an old one."""

import pytest
from django.core.management import CommandError, call_command

from registry.models import Patient
from registry.vocabulary import Role
from tests.factories import PatientFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager():
    return UserFactory(username="manager", roles=[Role.DATA_MANAGER])


@pytest.fixture
def named(manager):
    return PatientFactory(source_id="Maria-Schmidt")


def run(*args, **options):
    call_command("redact", *args, by="manager", skip_checks=True, **options)


def test_one_row_gets_the_key_that_is_given(named, capsys):
    run("patient", str(named.public_id), key="p-44")

    assert Patient.objects.get().source_id == "p-44"
    assert capsys.readouterr().out == (
        f"patient {named.public_id} of {named.site.code} is now p-44\n"
    )


def test_all_keys_that_identify_are_listed_and_then_replaced(named, capsys):
    PatientFactory(source_id="p-7")

    run(found=True, dry_run=True)
    listed = capsys.readouterr().out
    assert listed.endswith("1 keys look like identifiers. Nothing was changed.\n")
    assert Patient.objects.filter(source_id="Maria-Schmidt").exists()

    run(found=True)
    told = capsys.readouterr().out
    assert told.endswith("1 keys were redacted.\n")
    assert not Patient.objects.filter(source_id="Maria-Schmidt").exists()
    assert Patient.objects.filter(source_id="p-7").exists()
    assert "Schmidt" not in listed + told


def test_refusals_are_told(named):
    with pytest.raises(CommandError, match="Name a kind and an id, or --found"):
        run()
    with pytest.raises(CommandError, match="rule: name"):
        run("patient", str(named.public_id), key="Anna-Meier")
    with pytest.raises(CommandError, match="no active user"):
        call_command("redact", found=True, by="nobody", skip_checks=True)
