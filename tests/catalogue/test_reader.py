"""A catalogue read into entries, and each way it can disagree with itself."""

import csv
import dataclasses
import io
import shutil
from pathlib import Path

import pytest

import registry.catalogue
from registry.catalogue import CatalogueFault, read_catalogue
from registry.vocabulary import Denominator, Origin, PublishedMeasure

SHIPPED = Path(registry.catalogue.__file__).parent
FILES = (
    *("categories.csv", "complications.csv", "published_rates.csv"),
    *("synonyms.csv", "imdrf_codes.csv", "VERSION"),
)


@pytest.fixture(scope="module")
def catalogue():
    return read_catalogue()


@pytest.fixture
def folder(tmp_path):
    """A copy of the shipped catalogue that a test may spoil."""
    for name in FILES:
        shutil.copy(SHIPPED / name, tmp_path / name)
    return tmp_path


def spoil(folder, name, line, **cells):
    """Set cells of one line; a column the file lacks is added, empty elsewhere."""
    path = folder / name
    table = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    table[line - 2].update(cells)
    columns = list(dict.fromkeys(column for row in table for column in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    path.write_text(text.getvalue(), encoding="utf-8")


def retire(folder, line, replaced_by):
    spoil(folder, "complications.csv", line, retired="yes", replaced_by=replaced_by)


def test_complication_is_read_with_all_its_columns(catalogue):
    entry = catalogue.by_code["pump-flip"]

    assert entry.name == "Pump flip, rotation or displacement"
    assert entry.category == "pump"
    assert entry.definition == (
        "Pump turned over, rotated or moved in its pocket so that the septum cannot be reached "
        "or the catheter twists."
    )
    assert entry.synonyms == (
        "pump inversion",
        "pump rotation",
        "pump migration",
        "twiddler syndrome",
        "malrotation",
        "flipped pump",
        "pump turned over",
        "upside-down pump",
        "pump moved",
        "tilted pump",
        "twisted pump",
        "twiddlers syndrome",
    )
    assert entry.origin is Origin.PUMP
    assert entry.natural_denominator is Denominator.PUMP_MONTHS
    assert entry.in_totals is True


def test_citations_are_split_between_sources_not_within(catalogue):
    first, second, third = catalogue.by_code["infection-pocket"].citations

    assert first == (
        "Follett KA, Boortz-Marx RL, Drake JM, et al. Anesthesiology 2004;100:1582-1594. "
        "doi:10.1097/00000542-200406000-00034"
    )
    assert second.startswith("Motta F, Antonello CE.")
    assert third.endswith("doi:10.1302/1863-2548.13.190112")


def test_complications_without_synonyms_have_none(catalogue):
    assert catalogue.by_code["other-infection"].synonyms == ()


def test_complications_are_found_by_code(catalogue):
    assert len(catalogue.by_code) == 94
    assert all(entry.code == code for code, entry in catalogue.by_code.items())


def test_published_rate_is_read_with_its_numbers(catalogue):
    rate = next(rate for rate in catalogue.published_rates if rate.rate_id == "R004")

    assert rate.complication_code == "catheter-migration"
    assert rate.category_code is None
    assert rate.measure_type is PublishedMeasure.PROPORTION
    assert (rate.numerator, rate.denominator, rate.unit) == (25, 400, "patients")
    assert rate.reported_rate == "6.3%"
    assert rate.shown is True


def test_published_rate_without_numerator_has_none(catalogue):
    rate = next(rate for rate in catalogue.published_rates if rate.rate_id == "R016")

    assert rate.numerator is None
    assert rate.denominator == 430
    assert rate.shown is False


def test_entries_cannot_be_changed(catalogue):
    with pytest.raises(dataclasses.FrozenInstanceError):
        catalogue.complications[0].name = "Other"


def test_equal_files_have_equal_versions(folder, catalogue):
    assert read_catalogue(folder) == catalogue


@pytest.mark.parametrize("name", FILES[:3])
def test_any_changed_byte_makes_another_version(folder, catalogue, name):
    path = folder / name
    path.write_bytes(path.read_bytes().rstrip(b"\n"))

    assert read_catalogue(folder).version != catalogue.version


def test_version_without_a_number_is_refused(folder):
    (folder / "VERSION").write_text("\n", encoding="utf-8")

    with pytest.raises(CatalogueFault, match=r"^VERSION:1: is empty"):
        read_catalogue(folder)


def test_missing_file_is_an_error_of_the_system(folder):
    (folder / "published_rates.csv").unlink()

    with pytest.raises(FileNotFoundError):
        read_catalogue(folder)


def test_retired_complication_keeps_its_entry(folder):
    retire(folder, 3, "infection-pocket")

    entry = read_catalogue(folder).by_code["infection-wound-superficial"]

    assert entry.retired is True
    assert entry.replaced_by == "infection-pocket"


def test_retired_complication_need_not_be_replaced(folder):
    retire(folder, 3, "")

    assert read_catalogue(folder).by_code["infection-wound-superficial"].replaced_by is None


def test_retired_complication_may_lead_to_another_retired_one(folder):
    retire(folder, 3, "infection-sepsis")
    retire(folder, 7, "infection-pocket")

    assert read_catalogue(folder).by_code["infection-wound-superficial"].retired


@pytest.mark.parametrize(
    ("name", "line", "cells", "place"),
    [
        pytest.param(
            "categories.csv",
            3,
            {"code": "infection"},
            "categories.csv:3: code: stands on line 2 already",
            id="category twice",
        ),
        pytest.param(
            "categories.csv",
            4,
            {"sort_order": "first"},
            "categories.csv:4: sort_order: is not a whole number",
            id="sort order",
        ),
        pytest.param(
            "categories.csv",
            4,
            {"natural_denominator": "pumps"},
            "categories.csv:4: natural_denominator: is not in the list",
            id="category denominator",
        ),
        pytest.param(
            "complications.csv",
            9,
            {"code": "infection-pocket"},
            "complications.csv:9: code: stands on line 2 already",
            id="complication twice",
        ),
        pytest.param(
            "complications.csv",
            5,
            {"code": "Pocket Infection"},
            "complications.csv:5: code: is no code",
            id="complication code",
        ),
        pytest.param(
            "complications.csv",
            5,
            {"category": "plumbing"},
            "complications.csv:5: category: is no category of categories.csv.",
            id="unknown category",
        ),
        pytest.param(
            "complications.csv",
            6,
            {"definition": ""},
            "complications.csv:6: definition: is empty",
            id="no definition",
        ),
        pytest.param(
            "complications.csv",
            6,
            {"origin": "surgeon"},
            "complications.csv:6: origin: is not in the list",
            id="origin",
        ),
        pytest.param(
            "complications.csv",
            6,
            {"clock": "patient"},
            "complications.csv:6: clock: is not in the list; use one of pump, catheter.",
            id="clock",
        ),
        pytest.param(
            "complications.csv",
            6,
            {"natural_denominator": "patients"},
            "complications.csv:6: natural_denominator: is not in the list",
            id="complication denominator",
        ),
        pytest.param(
            "complications.csv",
            6,
            {"in_totals": "maybe"},
            "complications.csv:6: in_totals: is neither yes nor no.",
            id="in totals",
        ),
        pytest.param(
            "complications.csv",
            6,
            {"evidence": "hearsay"},
            "complications.csv:6: evidence: is not in the list",
            id="evidence",
        ),
        pytest.param(
            "complications.csv",
            6,
            {"synonyms": "one;;two"},
            "complications.csv:6: synonyms: holds an empty entry",
            id="synonyms",
        ),
        pytest.param(
            "complications.csv",
            6,
            {"retired": "perhaps"},
            "complications.csv:6: retired: is neither yes nor no.",
            id="retired",
        ),
        pytest.param(
            "complications.csv",
            6,
            {"retired": "yes", "replaced_by": "nothing-known"},
            "complications.csv:6: replaced_by: is no complication of complications.csv.",
            id="replaced by nothing known",
        ),
        pytest.param(
            "complications.csv",
            6,
            {"retired": "no", "replaced_by": "infection-pocket"},
            "complications.csv:6: replaced_by: is given but the complication is not retired.",
            id="replaced in use",
        ),
        pytest.param(
            "complications.csv",
            2,
            {"retired": "yes", "replaced_by": "infection-pocket"},
            "complications.csv:2: replaced_by: leads round in a circle",
            id="replaced by itself",
        ),
        pytest.param(
            "published_rates.csv",
            3,
            {"rate_id": "R001"},
            "published_rates.csv:3: rate_id: stands on line 2 already",
            id="rate twice",
        ),
        pytest.param(
            "published_rates.csv",
            5,
            {"complication_code": "catheter-came-loose"},
            "published_rates.csv:5: complication_code: is no complication of complications.csv.",
            id="rate of an unknown complication",
        ),
        pytest.param(
            "published_rates.csv",
            4,
            {"category_code": "plumbing"},
            "published_rates.csv:4: category_code: is no category of categories.csv.",
            id="rate of an unknown category",
        ),
        pytest.param(
            "published_rates.csv",
            5,
            {"category_code": "catheter"},
            "published_rates.csv:5: category_code: is given beside a complication",
            id="rate of both",
        ),
        pytest.param(
            "published_rates.csv",
            5,
            {"numerator": "many"},
            "published_rates.csv:5: numerator: is not a number from 0",
            id="numerator",
        ),
        pytest.param(
            "published_rates.csv",
            5,
            {"denominator": "-400"},
            "published_rates.csv:5: denominator: is not a number from 0",
            id="denominator",
        ),
        pytest.param(
            "published_rates.csv",
            5,
            {"measure_type": "odds"},
            "published_rates.csv:5: measure_type: is not in the list",
            id="measure type",
        ),
        pytest.param(
            "published_rates.csv",
            5,
            {"shown": ""},
            "published_rates.csv:5: shown: is empty",
            id="shown",
        ),
        pytest.param(
            "published_rates.csv",
            5,
            {"source": ""},
            "published_rates.csv:5: source: is empty",
            id="no source",
        ),
    ],
)
def test_catalogue_that_disagrees_is_refused_with_its_place(folder, name, line, cells, place):
    spoil(folder, name, line, **cells)

    with pytest.raises(CatalogueFault) as refusal:
        read_catalogue(folder)

    assert str(refusal.value).startswith(place)


def test_replacements_that_lead_round_in_a_circle_are_refused(folder):
    retire(folder, 2, "infection-sepsis")
    retire(folder, 7, "infection-pocket")

    with pytest.raises(CatalogueFault, match=r"^complications\.csv:2: replaced_by: leads round"):
        read_catalogue(folder)


def test_fault_never_echoes_the_value(folder):
    spoil(folder, "complications.csv", 5, category="somebody-s-name")

    with pytest.raises(CatalogueFault) as refusal:
        read_catalogue(folder)

    assert "somebody-s-name" not in str(refusal.value)


def test_published_rate_says_of_whom_it_speaks(catalogue):
    (entry,) = [each for each in catalogue.published_rates if each.rate_id == "R001"]

    assert (entry.age_group, entry.therapy) == ("not-stated", "baclofen")


def test_names_are_read_in_four_languages(catalogue):
    names = {(each.language, each.term) for each in catalogue.synonyms}

    assert {language for language, _term in names} == {"en", "de", "fr", "nl"}
    assert ("de", "Katheterdislokation") in names


def test_imdrf_code_is_read_with_its_relation(catalogue):
    (entry,) = [
        each
        for each in catalogue.imdrf_codes
        if (each.complication, each.code) == ("catheter-migration", "A010402")
    ]

    assert (entry.annex, entry.term) == ("A", "Migration")
    assert (entry.relation, entry.role) == ("exact", "primary")


@pytest.mark.parametrize(
    ("file", "cells", "column"),
    [
        ("synonyms.csv", {"complication": "no-such"}, "complication"),
        ("synonyms.csv", {"language": "es"}, "language"),
        ("synonyms.csv", {"term": ""}, "term"),
        ("imdrf_codes.csv", {"complication": "no-such"}, "complication"),
        ("imdrf_codes.csv", {"annex": "B"}, "annex"),
        ("imdrf_codes.csv", {"relation": "same"}, "relation"),
        ("imdrf_codes.csv", {"role": "second"}, "role"),
        ("published_rates.csv", {"therapy": "aspirin"}, "therapy"),
        ("published_rates.csv", {"age_group": "old"}, "age_group"),
    ],
)
def test_line_that_names_nothing_known_is_refused(folder, file, cells, column):
    spoil(folder, file, 3, **cells)

    with pytest.raises(CatalogueFault) as refused:
        read_catalogue(folder)

    assert (refused.value.file, refused.value.line, refused.value.column) == (file, 3, column)


def test_name_that_stands_twice_is_refused(folder):
    spoil(folder, "synonyms.csv", 3, complication="infection-pocket", language="en", term="pus")
    spoil(folder, "synonyms.csv", 4, complication="infection-pocket", language="en", term="pus")

    with pytest.raises(CatalogueFault, match="stands on line 3 already"):
        read_catalogue(folder)


def test_second_primary_code_of_an_annex_is_refused(folder):
    spoil(folder, "imdrf_codes.csv", 3, role="primary")

    with pytest.raises(CatalogueFault, match="annex: stands on line 2 already"):
        read_catalogue(folder)
