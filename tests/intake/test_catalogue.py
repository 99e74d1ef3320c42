"""The catalogue loaded, loaded again, brought to a new version, and edited."""

import csv
import shutil
from pathlib import Path

import pytest

from registry.catalogue import read_catalogue
from registry.catalogue.reader import SHIPPED
from registry.intake import add_complication, change_complication, load_catalogue
from registry.models import CatalogueVersion, Category, Complication, PublishedRate, Seal
from registry.records import NotPermitted, RowRuleBroken, UnknownRow
from tests.factories import EventFactory

NEW = {
    "name": "Tip granuloma, silent",
    "category": "catheter",
    "definition": "Found by imaging alone.",
    "origin": "drug",
    "clock": "catheter",
    "natural_denominator": "catheter-months",
    "evidence": "convention",
}


@pytest.fixture
def next_version(tmp_path):
    """A copy of the shipped catalogue in a folder; call it to edit one entry, or drop it."""
    folder = tmp_path / "catalogue"
    folder.mkdir()
    for path in (*SHIPPED.glob("*.csv"), SHIPPED / "VERSION"):
        shutil.copy(path, folder / path.name)

    def edit(code: str, **columns: str | None) -> Path:
        path = folder / "complications.csv"
        if not columns:  # nothing may speak of an entry that is gone
            for other in (folder / "synonyms.csv", folder / "imdrf_codes.csv"):
                lines = other.read_text(encoding="utf-8").splitlines(keepends=True)
                kept = [line for line in lines if not line.startswith(f"{code},")]
                other.write_text("".join(kept), encoding="utf-8")
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        header = list(rows[0])
        edited = []
        for row in rows:
            if row["code"] == code:
                if not columns:
                    continue
                row.update(columns)
            edited.append(row)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, header)
            writer.writeheader()
            writer.writerows(edited)
        return folder

    return edit


def faults_of(call, *args, **options):
    with pytest.raises(RowRuleBroken) as refusal:
        call(*args, **options)
    return [(fault.column, fault.code) for fault in refusal.value.faults]


@pytest.fixture
def loaded(world):
    """The shipped catalogue beside the few complications of the small world."""
    return load_catalogue()


def test_catalogue_is_loaded_as_shipped(db):
    summary = load_catalogue()

    shipped = read_catalogue()
    assert (Category.objects.count(), PublishedRate.objects.count()) == (
        len(shipped.categories),
        len(shipped.published_rates),
    )
    assert Complication.objects.current().count() == len(shipped.complications)
    assert summary.new == 9 + 94 + 102 + 986 + 197
    migration = Complication.objects.get(code="catheter-migration")
    assert (migration.category_id, migration.clock) == ("catheter", "catheter")
    assert migration.citation_list == list(read_catalogue().by_code["catheter-migration"].citations)
    assert CatalogueVersion.objects.get().version == shipped.version


def test_catalogue_loaded_again_leaves_no_seal(db):
    first = load_catalogue()
    seals = Seal.objects.count()

    again = load_catalogue()

    assert (again.new, again.updated, again.retired, again.kept) == (0, 0, 0, ())
    assert again.unchanged == first.new
    assert Seal.objects.count() == seals


def test_catalogue_is_loaded_by_data_managers(world):
    with pytest.raises(NotPermitted):
        load_catalogue(by=world.reviewer)


def test_local_edit_survives_the_same_version(loaded, world):
    change_complication("csf-leak", {"name": "Leak"}, by=world.manager)

    load_catalogue()

    assert Complication.objects.get(code="csf-leak").name == "Leak"


def test_new_version_is_taken_where_nothing_was_edited(db, next_version):
    load_catalogue()

    summary = load_catalogue(folder=next_version("csf-leak", name="Fluid leak"))

    assert Complication.objects.get(code="csf-leak").name == "Fluid leak"
    assert (summary.new, summary.updated, summary.kept) == (0, 1, ())
    assert CatalogueVersion.objects.count() == 2


def test_local_edit_stands_against_every_new_version_and_is_reported(world, next_version):
    load_catalogue(folder=next_version("csf-leak", name="As shipped"))
    change_complication("pdph", {"name": "Headache"}, by=world.manager)

    for number in ("second", "third"):
        folder = next_version("pdph", name=f"The {number} name", core_group=f"the {number}")
        summary = load_catalogue(folder=folder)

        pdph = Complication.objects.get(code="pdph")
        assert (pdph.name, pdph.core_group) == ("Headache", f"the {number}")
        assert ("pdph", "name") in summary.kept


def test_term_that_is_shipped_no_longer_is_retired_and_kept(db, next_version):
    load_catalogue()

    summary = load_catalogue(folder=next_version("fall"))

    fall = Complication.objects.get(code="fall")
    names, links = fall.names_elsewhere, fall.imdrf_codes
    assert fall.retired
    assert names.exists()
    assert not names.filter(shown=True).exists()
    assert not links.filter(shown=True).exists()
    assert summary.retired == 1 + names.count() + links.count()


def test_term_of_the_registrys_own_is_not_retired_by_a_new_version(loaded, world, next_version):
    add_complication("granuloma-silent", NEW, by=world.manager)

    load_catalogue(folder=next_version("csf-leak", name="Fluid leak"))

    assert not Complication.objects.get(code="granuloma-silent").retired


def test_published_rate_that_is_shipped_no_longer_is_not_shown(db, next_version):
    load_catalogue()
    folder = next_version("csf-leak", name="Fluid leak")
    rates = folder / "published_rates.csv"
    lines = rates.read_text(encoding="utf-8").splitlines(keepends=True)
    rates.write_text("".join([lines[0], *lines[2:]]), encoding="utf-8")

    load_catalogue(folder=folder)

    assert not PublishedRate.objects.get(rate_id="R001").shown
    assert PublishedRate.objects.get(rate_id="R002").shown


def test_complication_is_edited_by_a_data_manager(loaded, world):
    row = change_complication("csf-leak", {"name": "Leak", "in_totals": False}, by=world.manager)

    row = Complication.objects.get(pk=row.pk)
    assert (row.name, row.in_totals) == ("Leak", False)
    with pytest.raises(NotPermitted):
        change_complication("csf-leak", {"name": "Drip"}, by=world.reviewer)


def test_complication_edit_to_what_is_stored_is_none(loaded, world):
    seals = Seal.objects.count()

    change_complication("csf-leak", {"clock": "pump"}, by=world.manager)

    assert Seal.objects.count() == seals


def test_complication_is_retired_in_favour_of_another(loaded, world):
    values = {"retired": True, "replaced_by": "catheter-occlusion"}

    row = change_complication("catheter-kink", values, by=world.manager)

    assert (row.retired, row.replaced_by_id) == (True, "catheter-occlusion")


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"code": "leak"}, ("code", "cannot-change")),
        ({"clock": "heart"}, ("clock", "invalid-choice")),
        ({"name": ""}, ("name", "blank")),
        ({"category": "nowhere"}, ("category", "invalid")),
        ({"replaced_by": "pdph"}, ("", "replaced-means-retired")),
    ],
)
def test_complication_edit_keeps_to_the_rules_and_echoes_nothing(loaded, world, values, fault):
    with pytest.raises(RowRuleBroken) as refusal:
        change_complication("csf-leak", values, by=world.manager)

    assert fault in [(f.column, f.code) for f in refusal.value.faults]
    assert "heart" not in str(refusal.value)
    assert "nowhere" not in str(refusal.value)


def test_complication_in_use_keeps_category_and_clock(loaded, world):
    EventFactory(implant=world.catheter)

    faults = faults_of(
        change_complication,
        "catheter-migration",
        {"clock": "pump", "category": "surgical", "name": "Moved"},
        by=world.manager,
    )

    assert faults == [("category", "in-use"), ("clock", "in-use")]


def test_complication_that_is_unknown_is_not_edited(loaded, world):
    with pytest.raises(UnknownRow):
        change_complication("came-loose", {"name": "Loose"}, by=world.manager)


def test_complication_is_added_once_by_a_data_manager(loaded, world):
    added = add_complication("granuloma-silent", NEW, by=world.manager)

    assert (added.category_id, added.retired, added.history.count()) == ("catheter", False, 1)
    assert faults_of(add_complication, "granuloma-silent", NEW, by=world.manager) == [
        ("code", "code-exists")
    ]
    assert faults_of(add_complication, "Silent Granuloma", NEW, by=world.manager) == [
        ("", "code-is-kebab-case")
    ]
    with pytest.raises(NotPermitted):
        add_complication("other", NEW, by=world.reviewer)
