"""manage.py import_csv: its lines on both streams, and its exit codes."""

import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from registry.models import Event, Implant, Site
from registry.models.verification import verify_trail
from registry.vocabulary import Role
from tests.factories import MembershipFactory, SiteFactory, UserFactory

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
IMPLANTS = str(SAMPLES / "taira-2013-implants.csv")
EVENTS = str(SAMPLES / "taira-2013-events.csv")
BAD = str(SAMPLES / "bad-events.csv")
IDENTIFIED = str(SAMPLES / "identified-events.csv")


@pytest.fixture
def manager(db):
    """A data manager, and the catalogue."""
    call_command("load_catalogue", verbosity=0)
    return UserFactory(username="manager", roles=[Role.DATA_MANAGER])


def import_csv(*options):
    call_command("import_csv", "--by", "manager", *options)


def test_summary_has_a_line_for_each_kind(manager, capsys):
    import_csv("--implants", IMPLANTS, "--events", EVENTS, "--accept")

    said = capsys.readouterr()
    assert said.out.splitlines()[-2:] == [
        "implants: 814 new, 0 updated, 0 unchanged",
        "events: 62 new, 0 updated, 0 unchanged",
    ]
    assert said.err == ""
    assert Event.objects.accepted().count() == 62

    import_csv("--implants", IMPLANTS, "--events", EVENTS, "--accept")

    assert capsys.readouterr().out.splitlines() == [
        "implants: 0 new, 0 updated, 814 unchanged",
        "events: 0 new, 0 updated, 62 unchanged",
    ]


@pytest.mark.parametrize("dry", [["--dry-run"], []])
def test_sites_made_beside_others_are_named(manager, capsys, tmp_path, dry):
    """A misspelled code would be a site of its own, with no device time."""
    header = "site,source_id,implant,complication,year,months_since_implant,severity,seriousness"
    path = tmp_path / "events.csv"
    lines = (f"{site},e{site[-1]},,sedation,2017,,2,none,recovered" for site in ("B-2", "A-1"))
    path.write_text("\n".join([f"{header},outcome", *lines]))

    import_csv("--events", str(path), "--dry-run")
    assert "new sites" not in capsys.readouterr().out
    SiteFactory(code="BERN")
    import_csv("--events", str(path), *dry)

    assert capsys.readouterr().out.splitlines()[0] == "new sites: A-1, B-2"
    assert Site.objects.filter(code="A-1").exists() is not bool(dry)


def test_events_land_submitted_without_accept(manager):
    import_csv("--implants", IMPLANTS, "--events", EVENTS)

    assert set(Event.objects.values_list("state", flat=True)) == {"submitted"}


def test_faults_are_told_by_file_line_and_column(manager, capsys):
    import_csv("--implants", IMPLANTS)
    capsys.readouterr()

    with pytest.raises(SystemExit) as stop:
        import_csv("--events", BAD)

    said = capsys.readouterr()
    assert stop.value.code == 1
    assert said.out == ""
    lines = said.err.splitlines()
    assert [line.split(": ")[0] for line in lines[:10]] == [BAD] * 10
    assert [line.split(": ")[:2] for line in lines[10:]] == [
        [f"{BAD}:3", "complication"],
        [f"{BAD}:4", "severity"],
        [f"{BAD}:5", "year"],
        [f"{BAD}:6", "implant"],
        [f"{BAD}:7", "months_since_implant"],
        [f"{BAD}:8", "severity"],
        [f"{BAD}:9", "seriousness"],
        [f"{BAD}:10", "source_id"],
        [f"{BAD}:11", "root_cause"],
        [f"{BAD}:12", "months_since_implant"],
    ]
    assert "555-123-4567" not in said.err
    assert not Event.objects.exists()


def test_identifying_columns_are_told_on_the_first_line(manager, capsys):
    with pytest.raises(SystemExit):
        import_csv("--events", IDENTIFIED)

    lines = capsys.readouterr().err.splitlines()
    named = ["MRN", "Patient name", "Date of birth", "Serial no"]
    assert [line.split(": ")[:2] for line in lines[:4]] == [[IDENTIFIED, name] for name in named]
    assert [line.split(": ")[:2] for line in lines[4:]] == [
        [f"{IDENTIFIED}:1", column] for column in named
    ]


def test_faults_beyond_two_hundred_are_counted(manager, capsys, tmp_path):
    header, *rows = Path(EVENTS).read_text().splitlines()
    many = tmp_path / "many.csv"
    many.write_text("\n".join([header, *rows * 4]))

    with pytest.raises(SystemExit):
        import_csv("--events", str(many))

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 + 201
    assert lines[-1] == "248 faults, of which these are the first 200"


def test_dry_run_stores_nothing(manager, capsys):
    import_csv("--implants", IMPLANTS, "--events", EVENTS, "--dry-run")

    assert capsys.readouterr().out.splitlines() == [
        "implants: 814 new, 0 updated, 0 unchanged",
        "events: 62 new, 0 updated, 0 unchanged",
        "dry run: nothing was stored",
    ]
    assert not Event.objects.exists()


def test_file_that_does_not_exist_is_a_fault(manager, capsys):
    with pytest.raises(SystemExit):
        import_csv("--events", "nowhere.csv")

    assert capsys.readouterr().err.splitlines() == [
        "nowhere.csv: file: this file cannot be opened: 1 row",
        "nowhere.csv:1: file: this file cannot be opened",
    ]


def test_second_file_of_a_kind_is_refused_before_anything_is_stored(manager):
    with pytest.raises(CommandError, match="one file of each kind"):
        import_csv("--implants", IMPLANTS, "--events", EVENTS, "--implants", IMPLANTS)

    assert not Event.objects.exists()


def test_command_needs_a_file_and_a_user(manager):
    with pytest.raises(CommandError, match="Name a file"):
        import_csv()
    with pytest.raises(CommandError, match="no active user"):
        call_command("import_csv", "--by", "nobody", "--events", EVENTS)


def test_a_mapping_with_a_fault_is_told_by_its_column(manager, tmp_path):
    mapping = tmp_path / "words.json"
    mapping.write_text('{"sex": {"M": "mann"}}')

    with pytest.raises(CommandError, match=r"^--mapping: sex: a word of the mapping means no code"):
        import_csv("--events", EVENTS, "--mapping", str(mapping))


def test_a_file_of_faults_that_cannot_be_written_is_told(manager, capsys, tmp_path):
    with pytest.raises(CommandError, match="--faults cannot be written"):
        import_csv("--events", "nowhere.csv", "--faults", str(tmp_path / "none" / "faults.csv"))

    assert "this file cannot be opened" in capsys.readouterr().err


def test_accept_is_for_data_managers(manager):
    UserFactory(username="reporter")

    with pytest.raises(CommandError, match="the right to accept events on arrival"):
        call_command("import_csv", "--by", "reporter", "--events", EVENTS, "--accept")


@pytest.fixture
def ended(tmp_path):
    """A file of one implant, ended, at a site that is not on file."""
    header, first = Path(IMPLANTS).read_text().splitlines()[:2]
    file = tmp_path / "ended.csv"
    file.write_text(f"{header}\n{first.replace('46,active', '46,site-closed')}\n")
    return file


def test_a_file_of_all_implants_closes_the_round_of_their_site(manager, capsys, ended):
    import_csv("--implants", ended, "--close-round", "--dry-run")
    assert "TAIRA-D: follow-up round 1 is closed" in capsys.readouterr().out
    assert not Site.objects.exists()

    for number in (1, 2):
        import_csv("--implants", ended, "--close-round")

        assert f"TAIRA-D: follow-up round {number} is closed" in capsys.readouterr().out
        assert Site.objects.get().round_number == number
    assert Site.objects.get().round_seal.action == "import"
    assert verify_trail().breaks == ()


def test_implants_that_a_closing_file_does_not_hold_are_named(manager, capsys, ended):
    import_csv("--implants", IMPLANTS)
    capsys.readouterr()

    with pytest.raises(SystemExit):
        import_csv("--implants", ended, "--close-round", "--on-conflict", "update")

    told = capsys.readouterr().err.splitlines()[0]
    assert re.match(
        r".*ended.csv: implant: to close the follow-up round of TAIRA-D the file must hold all its "
        r"implants, and \d+ on file are missing: ([\w-]+, ){99}[\w-]+, and \d+ more: 1 row$",
        told,
    ), told
    assert Site.objects.get(code="TAIRA-D").round_number is None
    assert not Implant.objects.filter(exit_status="site-closed", months_followed=46).exists()


def test_nothing_is_stored_where_a_round_cannot_be_closed(manager):
    with pytest.raises(CommandError, match=r"^\d+ of the site's implants in follow-up have fewer"):
        import_csv("--implants", IMPLANTS, "--close-round")

    assert not Implant.objects.exists()


def test_a_round_is_closed_by_leads_and_behind_implants_alone(manager, capsys, ended):
    import_csv("--implants", ended)
    site = Site.objects.get()
    reporter = UserFactory(username="reporter")
    MembershipFactory(user=reporter, site=site, role="reporter")

    with pytest.raises(SystemExit):
        call_command("import_csv", "--by", "reporter", "--implants", ended, "--close-round")
    assert "the right to close a follow-up round" in capsys.readouterr().err
    with pytest.raises(CommandError, match="needs the file of all implants"):
        import_csv("--events", EVENTS, "--close-round")
    assert Site.objects.get().round_number is None
