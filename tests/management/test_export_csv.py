"""manage.py export_csv: a site's rows in the import's own format, and back."""

import csv
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from registry.models import AccessLog, Event, Exposure, Implant, Seal, Site, User
from registry.records import RowKind
from registry.records.columns import DECLARED
from tests.factories import EventFactory, MembershipFactory, SiteFactory, UserFactory

pytestmark = pytest.mark.django_db


def export(folder: Path, site: str, by: str = "manager") -> None:
    call_command("export_csv", "--by", by, "--site", site, str(folder))


def test_importing_what_the_demo_exports_changes_nothing(settings, tmp_path, capsys):
    settings.DEBUG = True
    settings.REGISTRY_VAR = tmp_path
    call_command("demo", events=250)
    capsys.readouterr()
    seals, written = Seal.objects.count(), dict.fromkeys(RowKind, 0)

    for code in Site.objects.values_list("code", flat=True):
        export(tmp_path / code, code)
        files = [
            (f"--{kind.value}", str(tmp_path / code / f"{kind.value}.csv")) for kind in RowKind
        ]
        call_command("import_csv", "--by", "manager", *(part for pair in files for part in pair))
        for line in capsys.readouterr().out.splitlines():
            kind, _, said = line.partition(": ")
            if "unchanged" in line:
                assert said.startswith("0 new, 0 updated, ")
                written[RowKind(kind)] += int(said.split()[4])

    assert written == {
        RowKind.IMPLANT: Implant.objects.count(),
        RowKind.EXPOSURE: Exposure.objects.count(),
        RowKind.EVENT: Event.objects.count(),
    }
    assert Seal.objects.count() == seals


def test_export_names_every_column_and_only_rows_of_the_site(tmp_path, capsys):
    member = MembershipFactory(user=UserFactory(username="ann"))
    kept = EventFactory(site=member.site, implant=None, patient=None, source_id="kept")
    EventFactory(source_id="elsewhere")
    EventFactory(
        site=member.site,
        implant=None,
        patient=None,
        source_id="gone",
        state="withdrawn",
        reason="entered-in-error",
    )
    EventFactory(site=member.site, implant=None, patient=None, source_id="")

    export(tmp_path, member.site.code, by="ann")

    with (tmp_path / "events.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == list(DECLARED[RowKind.EVENT])
    assert [row[header.index("source_id")] for row in rows] == [kept.source_id]
    assert capsys.readouterr().out.splitlines()[-1] == "events: 1 rows"
    logged = AccessLog.objects.get(what=f"events of {member.site.code}")
    assert (logged.action, logged.user.username, logged.count) == ("export", "ann", 1)


def test_export_of_another_site_is_refused_and_leaves_nothing(tmp_path):
    MembershipFactory(user=UserFactory(username="ann"))
    SiteFactory(code="OTHER-9")

    for code in ("OTHER-9", "NOWHERE"):
        with pytest.raises(CommandError, match="you see no rows of a site with this code"):
            export(tmp_path / "x", code, by="ann")
    assert not (tmp_path / "x").exists()
    assert not AccessLog.objects.exists()


def test_export_needs_an_active_user_and_a_folder(tmp_path):
    MembershipFactory(user=UserFactory(username="ann"), site=SiteFactory(code="OWN-7"))
    User.objects.create_user("gone", is_active=False)
    (tmp_path / "file").write_text("")

    with pytest.raises(CommandError, match="no active user"):
        export(tmp_path, "OWN-7", by="gone")
    with pytest.raises(CommandError, match="cannot be written"):
        export(tmp_path / "file", "OWN-7", by="ann")
