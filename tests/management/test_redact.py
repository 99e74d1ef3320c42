"""`redact` replaces keys, and never prints an old one."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from registry.models import Implant, Patient, sealed
from registry.models.verification import verify_trail
from registry.vocabulary import Role
from tests.factories import ImplantFactory, PatientFactory, UserFactory

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
    run("patient", str(named.public_id), new="p-44")

    assert Patient.objects.get().source_id == "p-44"
    assert capsys.readouterr().out.splitlines() == [
        f"patient {named.public_id} of {named.site.code} is now p-44",
        "1 keys were redacted.",
    ]


@pytest.mark.parametrize("typed", [False, True])
def test_a_key_is_replaced_wherever_it_stands(typed, named, capsys, monkeypatch):
    implant = ImplantFactory(source_id="i-1", patient__source_id="p-7")
    implant.source_id = "Maria-Schmidt"
    with sealed(by=None, action="earlier") as seal:
        seal.save(implant)
    implant.source_id = "i-2"
    with sealed(by=None, action="earlier") as seal:
        seal.save(implant)
    monkeypatch.setattr("sys.stdin", StringIO("Maria-Schmidt\n"))

    run("--key", "-" if typed else "Maria-Schmidt", dry_run=True)
    assert capsys.readouterr().out.splitlines() == [
        f"patient {named.public_id} of {named.site.code}",
        f"implant {implant.public_id} of {implant.site.code}",
        "2 keys would be redacted. Nothing was changed.",
    ]
    monkeypatch.setattr("sys.stdin", StringIO("Maria-Schmidt\n"))
    run("--key", "-" if typed else "Maria-Schmidt")

    for kind in (Patient, Implant):
        assert not kind.objects.filter(source_id="Maria-Schmidt").exists()
        assert not kind.history.filter(source_id="Maria-Schmidt").exists()
    assert Patient.objects.filter(source_id="p-7").exists()
    assert "Schmidt" not in capsys.readouterr().out
    assert verify_trail().breaks == ()


def test_all_keys_that_identify_are_listed_and_then_replaced(named, capsys):
    PatientFactory(source_id="p-7")

    run(found=True, dry_run=True)
    listed = capsys.readouterr().out
    assert listed.endswith("1 keys would be redacted. Nothing was changed.\n")
    assert Patient.objects.filter(source_id="Maria-Schmidt").exists()

    run(found=True)
    told = capsys.readouterr().out
    assert told.endswith("1 keys were redacted.\n")
    assert not Patient.objects.filter(source_id="Maria-Schmidt").exists()
    assert Patient.objects.filter(source_id="p-7").exists()
    assert "Schmidt" not in listed + told


def test_refusals_are_told(named):
    row = ("patient", str(named.public_id))
    for args in ([], ["--key", "a", "--found"], [*row, "--key", "a"], [*row, "--found"]):
        with pytest.raises(CommandError, match="Name what to redact in one way"):
            run(*args)
    with pytest.raises(CommandError, match="rule: name"):
        run(*row, new="Anna-Meier")
    for key in ("Anna-Meier", ""):
        with pytest.raises(CommandError, match=r"^no row has this key, now or before$"):
            run("--key", key)
    with pytest.raises(CommandError, match="no active user"):
        call_command("redact", found=True, by="nobody", skip_checks=True)
    UserFactory(username="reader")
    with pytest.raises(CommandError, match="the right to redact keys"):
        call_command("redact", "--key", "Maria-Schmidt", by="reader", skip_checks=True)
    assert Patient.objects.get().source_id == "Maria-Schmidt"
