"""A hospital's export with every usual fault is mended by what the first round tells."""

import csv
import json
import random
from collections import Counter

import pytest
from django.core.management import call_command

from registry.intake import ImportRefused, import_records
from registry.models import Event
from registry.records import RowKind
from registry.vocabulary import Role
from tests.factories import UserFactory

HEADER = [
    *("site", "source_id", "implant", "complication", "year", "months_since_implant", "severity"),
    *("seriousness", "outcome", "component_model", "drug", "indication", "age_band", "sex"),
    *("days_since_procedure", "organism"),
]
TITLES = ["Komplikationen Export", ""]
OTHER_NAMES = {"catheter-kink": "kinked catheter", "csf-leak": "Liquorleck"}
ROWS = 1_200


@pytest.fixture
def manager(db):
    """A data manager, and the catalogue."""
    call_command("load_catalogue", verbosity=0)
    return UserFactory(username="manager", roles=[Role.DATA_MANAGER])


def export(size=ROWS):
    """The lines of an export: titles, headings as people write them, rows, and a total."""
    draw = random.Random(11)
    rows = []
    for number in range(size):
        complication = draw.choice(["catheter-kink", "csf-leak"])
        row = {
            "site": "KLINIK-A",
            "source_id": f"k{number:04d}",
            "complication": complication,
            "year": str(draw.randint(2008, 2024)),
            "severity": f"{draw.randint(1, 3)},0",
            "seriousness": "none",
            "outcome": "Recovered",
            "component_model": draw.choice(["Ascenda", "SynchroMed II 20ml"]),
            "drug": "Baclofen",
            "indication": "Cerebral Palsy",
            "age_band": draw.choice(["06. Nov", "Dez 17", "18-39"]),
            "sex": draw.choice("MW"),
            "days_since_procedure": draw.choice(["07. Jan", "30. Aug", "31-60"]),
            "organism": "n/a",
        }
        if number > 300:
            row["complication"] = OTHER_NAMES[complication]
        if number > 450 and number % 50 == 0:
            row["year"] = "17.04.2009"
        if number > 500 and number % 97 == 0:
            row["seriousness"] = "Krankenhaus"
        if number > 600 and number % 101 == 0:
            row["source_id"] = "k0001"
        if (number > 700 and number % 103 == 0) or number == 808:
            row["year"] = "2042"
        if number == 1_100:
            row["source_id"] = "00048213"
        if (number > 800 and number % 107 == 0) or number == 909:
            row["severity"] = "5,0"
        rows.append([row.get(name, "") for name in HEADER])
    headings = [name.replace("_", " ").title() for name in HEADER]
    total = ["Summe", str(size), *[""] * (len(HEADER) - 2)]
    return [[title] for title in TITLES] + [headings, *rows, total]


def written(path, lines):
    with path.open("w", newline="", encoding="cp1252") as file:
        csv.writer(file, delimiter=";").writerows(lines)
    return path


MEANT = {"M": "male", "W": "female", "Krankenhaus": "hospitalisation", "07. Jan": "0-7"}
"""What the sender knows of the own words."""


def mended(lines, refusal):
    """The lines with each fault mended by its column, code, line and message alone."""
    lines = [list(line) for line in lines]
    dropped = {fault.line - 1 for fault in refusal.every if fault.code == "no-row-of-data"}
    for fault in refusal.every:
        if fault.column in HEADER:
            row, at = lines[fault.line - 1], HEADER.index(fault.column)
            row[at] = mend(fault, row[at])
    return [line for number, line in enumerate(lines) if number not in dropped]


def mend(fault, cell):
    match fault.column, fault.code:
        case "complication", "unknown-code":
            return fault.detail.split(" of ")[1].split()[0]
        case "year", "identifier-found":
            return cell[-4:]
        case "year", "in-the-future":
            return "2024"
        case "source_id", "repeated-in-file" | "identifier-found":
            return f"n{fault.line}"
        case "severity", "grade-5-means-fatal":
            return "3"
        case "organism", "word-for-empty":
            return ""
    return MEANT[cell]


def test_the_second_round_has_no_fault(manager, tmp_path):
    lines = export()
    with pytest.raises(ImportRefused) as first:
        import_records({RowKind.EVENT: written(tmp_path / "1.csv", lines)}, by=manager)

    second = written(tmp_path / "2.csv", mended(lines, first.value))
    summary = import_records({RowKind.EVENT: second}, by=manager)

    assert summary.counts[RowKind.EVENT].new == ROWS == Event.objects.count()
    told = {(kind.column, kind.code) for kind in first.value.kinds}
    assert told == {
        ("complication", "unknown-code"),
        ("year", "identifier-found"),
        ("year", "in-the-future"),
        ("source_id", "repeated-in-file"),
        ("source_id", "identifier-found"),
        ("severity", "grade-5-means-fatal"),
        ("seriousness", "unknown-code"),
        ("sex", "unknown-code"),
        ("days_since_procedure", "turned-into-a-date"),
        ("organism", "word-for-empty"),
        ("row", "no-row-of-data"),
    }
    assert sum(kind.rows for kind in first.value.kinds) == first.value.total


def test_every_kind_is_told_before_single_faults(manager, tmp_path, capsys):
    path = written(tmp_path / "1.csv", export())
    faults = tmp_path / "faults.csv"

    with pytest.raises(SystemExit):
        call_command(
            "import_csv", "--by", "manager", "--events", str(path), "--faults", str(faults)
        )

    said = capsys.readouterr()
    kinds = [line for line in said.err.splitlines() if line.startswith(f"{path}: ")]
    assert said.err.splitlines()[: len(kinds)] == kinds
    assert f"{path}: sex: use a code of the list sex: female, male, other, unknown: " in said.err
    assert ": 1,200 rows, first at lines 4, 5, 6" in said.err
    assert "to take these words as empty: --blank=n/a" in said.err
    assert "events: took line 3 as the column names" in said.out
    assert "cells that a spreadsheet had turned into dates" in said.out
    assert "Krankenhaus" not in said.err + said.out
    with faults.open(newline="") as file:
        every = list(csv.DictReader(file))
    assert list(every[0]) == ["file", "line", "column", "code", "message"]
    assert Counter(row["column"] for row in every)["sex"] == ROWS
    assert [int(row["line"]) for row in every] == sorted(int(row["line"]) for row in every)


def test_words_are_taken_as_empty_and_mapped_by_options(manager, tmp_path, capsys):
    header = "site;source_id;implant;complication;year;months_since_implant;severity;seriousness"
    path = tmp_path / "e.csv"
    path.write_text(f"{header};Ausgang;sex\nA-1;e1;NA;csf-leak;2012;n/a;2;none;geheilt;W\n")
    mapping = tmp_path / "m.json"
    mapping.write_text(
        json.dumps(
            {"Ausgang": "outcome", "outcome": {"Geheilt": "recovered"}, "sex": {"W": "female"}}
        )
    )

    call_command(
        *("import_csv", "--by", "manager", "--events", str(path)),
        *("--blank", "NA,n/a", "--mapping", str(mapping)),
    )

    event = Event.objects.get()
    assert (event.outcome, event.sex, event.implant) == ("recovered", "female", None)
    assert capsys.readouterr().out.splitlines() == [
        "events: read 2 cells by the mapping of words",
        "events: read 2 cells as empty, for a word that says that nothing is recorded",
        "events: 1 new, 0 updated, 0 unchanged",
    ]
