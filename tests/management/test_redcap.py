"""manage.py redcap_dictionary and import_redcap: there and back, through intake."""

import csv
import io
import zipfile

import pytest
from django.core.management import CommandError, call_command

from registry.models import Event, Implant
from registry.vocabulary import Role
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
EXPORT = (
    "record_id,redcap_repeat_instrument,redcap_repeat_instance,implant_site,patient,"
    "implant_implant,implant_component,implant_year,months_followed,implants_complete,event_site,"
    "source_id,event_implant,complication,event_year,months_since_implant,severity,"
    "seriousness___hospitalisation,seriousness___none,outcome,events_complete\n"
    "1,,,,,,,,,,,,,,,,,,,,\n"
    "1,implants,1,BERN,p1,i1,catheter,2015,40,2,,,,,,,,0,0,,\n"
    "1,events,1,,,,,,,,BERN,e1,i1,catheter-kink,2016,14,{grade},1,0,recovered,2\n"
)


@pytest.fixture
def manager():
    """A data manager, and the catalogue."""
    call_command("load_catalogue", verbosity=0)
    return UserFactory(username="manager", roles=[Role.DATA_MANAGER])


@pytest.fixture
def export(tmp_path):
    def written(grade="3"):
        path = tmp_path / "export.csv"
        path.write_text(EXPORT.format(grade=grade))
        return str(path)

    return written


def import_redcap(path, *options):
    call_command("import_redcap", "--by", "manager", path, *options)


def test_export_is_stored_and_again_unchanged(manager, export, capsys):
    import_redcap(export(), "--accept")
    import_redcap(export(), "--accept")

    assert capsys.readouterr().out.splitlines() == [
        "implants: 1 new, 0 updated, 0 unchanged",
        "events: 1 new, 0 updated, 0 unchanged",
        "implants: 0 new, 0 updated, 1 unchanged",
        "events: 0 new, 0 updated, 1 unchanged",
    ]
    event = Event.objects.get()
    assert (event.implant.source_id, event.serious_hospitalisation, event.state) == (
        "i1",
        True,
        "accepted",
    )


def test_faults_are_told_by_kind_and_nothing_is_stored(manager, export, capsys, tmp_path):
    path, faults = export(grade="9"), tmp_path / "faults.csv"

    with pytest.raises(SystemExit):
        import_redcap(path, "--faults", str(faults))

    assert capsys.readouterr().err.splitlines()[0] == (
        f"{path}: severity: severity is a grade from 1 to 5: 1 row, at line 4"
    )
    assert faults.read_text().splitlines()[1].startswith(f"{path},4,severity,unknown-code,")
    assert not Implant.objects.exists()


@pytest.mark.parametrize("word", ["NI", "UNK", "-99"])
def test_missing_data_codes_are_empty_where_the_sender_says_so(word, manager, export, capsys):
    path = export(grade=word)

    with pytest.raises(SystemExit):
        import_redcap(path)
    told = capsys.readouterr().err
    import_redcap(path, f"--blank={word}")

    assert f"the word {word} is no answer of this column" in told
    assert f"to take these words as empty: --blank={word}" in told
    assert Event.objects.get().severity is None


def test_labels_are_read_as_in_any_file(manager, export, capsys):
    import_redcap(export(grade="Severe"))

    assert "events: read 1 cell by another spelling, label or name" in capsys.readouterr().out
    assert Event.objects.get().severity == 3


def test_a_file_without_a_row_of_ours_says_so(manager, tmp_path, capsys):
    path = tmp_path / "export.csv"
    path.write_text(EXPORT.splitlines()[0] + "\n1" + "," * 20 + "\n")

    import_redcap(str(path))

    assert capsys.readouterr().out == "no line of this file holds a row of our instruments\n"


def test_dry_run_stores_nothing(manager, export, capsys):
    import_redcap(export(), "--dry-run")

    assert "dry run: nothing was stored" in capsys.readouterr().out
    assert not Implant.objects.exists()


def test_file_of_other_fields_is_told_and_refused(manager, tmp_path, capsys):
    path = tmp_path / "other.csv"
    path.write_text("record_id,patient_name,site\n")

    with pytest.raises(SystemExit):
        import_redcap(str(path))

    assert capsys.readouterr().err.startswith(f"{path}:1: patient_name: this column identifies")


def test_dictionary_is_written_with_the_catalogue_and_a_zip_for_each_kind(manager, tmp_path):
    call_command("redcap_dictionary", str(tmp_path / "redcap"))

    names = sorted(path.name for path in (tmp_path / "redcap").iterdir())
    assert names == ["data-dictionary.csv", "events.zip", "exposures.zip", "implants.zip"]
    with (tmp_path / "redcap" / "data-dictionary.csv").open(newline="") as file:
        rows = {row["Variable / Field Name"]: row for row in csv.DictReader(file)}
    choices = rows["complication"]["Choices, Calculations, OR Slider Labels"]
    assert "catheter-kink, Catheter kink" in choices.split(" | ")
    with zipfile.ZipFile(tmp_path / "redcap" / "events.zip") as parts:
        assert "seriousness" in io.TextIOWrapper(parts.open("instrument.csv")).read()


@pytest.mark.parametrize(("precision", "asked"), [("year", False), ("month", True)])
def test_dictionary_asks_for_no_month_that_is_not_kept(
    precision, asked, manager, tmp_path, settings
):
    settings.REGISTRY_DATE_PRECISION = precision

    call_command("redcap_dictionary", str(tmp_path))

    with (tmp_path / "data-dictionary.csv").open(newline="") as file:
        assert ("month" in {row["Variable / Field Name"] for row in csv.DictReader(file)}) is asked
    with zipfile.ZipFile(tmp_path / "events.zip") as parts:
        instrument = csv.DictReader(io.TextIOWrapper(parts.open("instrument.csv"), newline=""))
        assert ("month" in {row["Variable / Field Name"] for row in instrument}) is asked


def test_dictionary_needs_a_folder_that_can_be_written(manager, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(CommandError, match="cannot be written"):
        call_command("redcap_dictionary", str(tmp_path / "file"))
