"""manage.py template: the workbook, of every kind or of one."""

import zipfile

import pytest
from django.core.management import CommandError, call_command

from registry.intake import load_catalogue
from tests.factories import UserFactory


@pytest.mark.django_db
def test_template_has_a_sheet_for_each_kind_and_the_complications(tmp_path, capsys):
    load_catalogue()
    path = tmp_path / "t.xlsx"

    call_command("template", str(path))

    with zipfile.ZipFile(path) as parts:
        book = parts.read("xl/workbook.xml").decode()
        lists = parts.read("xl/worksheets/sheet5.xml").decode()
    assert [name in book for name in ("implants", "exposures", "events", "lists")] == [True] * 4
    assert "catheter-kink" in lists
    assert capsys.readouterr().out == "wrote the template of implants, exposures, events\n"


@pytest.mark.django_db
def test_template_of_one_kind_imports_as_an_empty_file(tmp_path, capsys):
    load_catalogue()
    UserFactory(username="m")
    path = tmp_path / "t.xlsx"
    call_command("template", "--kind", "events", str(path))

    call_command("import_csv", "--by", "m", "--events", str(path))

    assert "events: 0 new, 0 updated, 0 unchanged" in capsys.readouterr().out


@pytest.mark.django_db
@pytest.mark.parametrize(("precision", "asked"), [("year", False), ("month", True)])
def test_template_asks_for_no_month_that_is_not_kept(precision, asked, tmp_path, settings):
    settings.REGISTRY_DATE_PRECISION = precision
    path = tmp_path / "t.xlsx"

    call_command("template", "--kind", "events", str(path))

    with zipfile.ZipFile(path) as parts:
        assert (">month<" in parts.read("xl/worksheets/sheet1.xml").decode()) is asked


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["t.csv", "no-such-folder/t.xlsx"])
def test_template_is_refused_another_name_or_place(path):
    with pytest.raises(CommandError):
        call_command("template", path)
