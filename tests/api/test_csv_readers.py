"""Every statistic as CSV, read by Python, pandas and R, against the JSON of the same question."""

import csv
import io
import json
import math
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings

from registry import intake
from registry.records import RowKind
from registry.reporting import MEASURES
from registry.vocabulary import Measure
from tests.api.conftest import client_of, make_user
from tests.disclosure.attack.registries import fill

pytestmark = pytest.mark.django_db  # the answers are asked of the database of the tests

STATISTICS = "/api/v1/statistics/"
LABEL = "2026Q4"
GROUPINGS = (
    "",
    "&group_by=site",
    "&group_by=country&labels=both",
    "&group_by=drug_class,sex&labels=label",
    "&group_by=severity",
    "&group_by=year",
    "&group_by=category,year,sex",
    "&group_by=site&category=catheter",
    "&category=catheter",
    "&group_by=pump_model&category=pump",
)
"""Asked of every measure; a grouping that a measure or a profile does not have is refused."""

NAMIBIA = {
    RowKind.IMPLANT: "site,patient,implant,component,model,implant_year,age_band,sex,indication,"
    "drug,months_followed,exit_status\n"
    "NAM-1,p-a,i-a,catheter,ascenda,2012,40-64,male,multiple-sclerosis,baclofen,60,active\n"
    "NAM-1,p-a,i-b,pump,synchromed-ii-20,2012,40-64,male,multiple-sclerosis,baclofen,60,active\n",
    RowKind.EVENT: "site,source_id,implant,complication,year,months_since_implant,severity,"
    "seriousness,outcome,caused_by\n"
    "NAM-1,e-a,i-a,catheter-migration,2012,0,2,none,recovered,\n"
    "NAM-1,e-b,i-b,baclofen-withdrawal,2012,0,3,none,recovered,e-a\n",
}
"""A site whose country is NA, with an event in its first month and one that it led to."""


@dataclass(frozen=True)
class Told:
    """One answer, as JSON and as CSV."""

    measure: Measure
    profile: str
    address: str
    columns: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    text: str
    saved_as: str

    def cells(self, name: str) -> list[Any]:
        """The values of one column, as JSON has them."""
        return [row[name] for row in self.rows]


@pytest.fixture(scope="module")
def answers(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> list[Told]:
    """Every measure under every grouping that it has, exact and protected."""
    folder = tmp_path_factory.mktemp("var")
    cache.clear()
    with (
        django_db_blocker.unblock(),
        override_settings(REGISTRY_VAR=folder),
        transaction.atomic(),
    ):
        fill(events=2000, seed=3)
        manager = make_user("manager", "data manager")
        intake.make_site(code="NAM-1", country="NA", name="Windhoek", by=None)
        files: Any = {kind: io.BytesIO(text.encode()) for kind, text in NAMIBIA.items()}
        intake.import_records(files, by=manager, accept=True)
        call_command("freeze", release=LABEL, stdout=io.StringIO())
        found = [
            each
            for role in ("reviewer", "researcher")
            for each in _told(client_of(make_user(role, role)))
        ]
        transaction.set_rollback(True)
    cache.clear()
    return found


def _told(client: Any) -> Iterator[Told]:
    for measure in Measure:
        for grouping in GROUPINGS:
            address = f"{STATISTICS}{measure.value}/?release={LABEL}{grouping}"
            reply = client.get(address)
            if reply.status_code != 200:
                assert reply.status_code in {400, 422}, reply.content
                continue
            file = client.get(f"{address}&format=csv")
            assert file.status_code == 200, file.content
            body = reply.json()
            yield Told(
                measure,
                body["meta"]["profile"],
                address,
                body["columns"],
                body["rows"],
                file.content.decode(),
                file.headers.get("Content-Disposition", ""),
            )


def test_every_measure_is_asked_in_every_profile_that_has_it(answers: list[Told]) -> None:
    withheld = {measure for measure, spec in MEASURES.items() if not spec.published}

    answered = {(told.measure, told.profile) for told in answers if told.rows}

    assert {measure for measure, profile in answered if profile == "exact"} == set(Measure)
    assert {measure for measure, profile in answered if profile == "protected"} == (
        set(Measure) - withheld
    )


def test_the_answers_hold_what_readers_stumble_over(answers: list[Told]) -> None:
    cells = [cell for told in answers for row in told.rows for cell in row.values()]

    assert {True, False} <= {cell for cell in cells if isinstance(cell, bool)}
    assert {"NA", "within", "not-recorded", None} <= set(cells)
    curves = [told for told in answers if told.profile == "exact" and "time_months" in told.text]
    assert any(
        (row["time_months"], row["events"]) == (0, 0) for told in curves for row in told.rows
    )
    assert any(row["time_months"] == 0 < row["events"] for told in curves for row in told.rows)


def test_python_reads_the_values_of_json(answers: list[Told]) -> None:
    for told in answers:
        header, *lines = csv.reader(io.StringIO(told.text, newline=""))

        assert header == [column["name"] for column in told.columns]
        read = [
            {
                column["name"]: value_of(cell, column)
                for cell, column in zip(line, told.columns, strict=True)
            }
            for line in lines
        ]
        assert typed(read) == typed(told.rows), told.address


def value_of(cell: str, column: Mapping[str, Any]) -> Any:
    """A cell as its column's type says; an empty one is None, and a blank year or grade text."""
    if cell == "":
        return None
    if column["type"] == "boolean":
        return {"TRUE": True, "FALSE": False}[cell]
    if column["type"] == "string" or cell == "not-recorded":
        return cell
    return json.loads(cell)


def typed(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, tuple[type, Any]]]:
    """The rows with the type of every value: 1 is neither 1.0 nor True."""
    return [{name: (type(cell), cell) for name, cell in row.items()} for row in rows]


def test_no_text_of_an_answer_is_empty(answers: list[Told]) -> None:
    for told in answers:
        empty = [name for row in told.rows for name, cell in row.items() if cell == ""]
        assert empty == [], told.address


def test_every_row_is_another_group_and_month(answers: list[Told]) -> None:
    for told in answers:
        key = [column["name"] for column in told.columns if column["role"] == "dimension"]
        if told.measure in {Measure.SURVIVAL, Measure.INCIDENCE, Measure.BURDEN}:
            key.append("time_months")
        keys = [tuple(row[name] for name in key) for row in told.rows]
        assert len(set(keys)) == len(keys), told.address


def test_a_file_has_a_name_that_says_what_it_holds(answers: list[Told]) -> None:
    named = {told.saved_as for told in answers}

    assert 'attachment; filename="rates-by-year-2026q4.csv"' in named
    assert 'attachment; filename="survival-2026q4.csv"' in named


def test_pandas_reads_the_values_of_json(answers: list[Told]) -> None:
    for told in answers:
        read = pd.read_csv(
            io.StringIO(told.text),
            keep_default_na=False,
            na_values=[""],
            float_precision="round_trip",
        )

        assert len(read) == len(told.rows), told.address
        for name in read.columns:
            meant = told.cells(name)
            known = [cell for cell in meant if cell is not None]
            assert read[name].isna().tolist() == [cell is None for cell in meant], told.address
            if any(isinstance(cell, str) for cell in known):
                known = list(map(str, known))
            elif known and all(isinstance(cell, bool) for cell in known):
                assert set(map(type, read[name].dropna().tolist())) == {bool}, (told.address, name)
            assert read[name].dropna().tolist() == known, (told.address, name)


def test_r_reads_the_values_of_json(answers: list[Told], tmp_path: Path) -> None:
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("needs R's Rscript")
    for place, told in enumerate(answers):
        (tmp_path / f"{place}.csv").write_text(told.text, newline="")

    script = str(Path(__file__).parent / "read_back.R")
    subprocess.run([rscript, "--vanilla", script, str(tmp_path)], check=True)

    for place, told in enumerate(answers):
        if not told.rows:
            continue
        found = (tmp_path / f"{place}.found").read_text().split("\n")[:-1]
        assert [line.split("\t")[0] for line in found] == [each["name"] for each in told.columns]
        for line in found:
            name, kind, *values = line.split("\t")
            meant = told.cells(name)
            assert kind == class_in_r(meant), (told.address, name)
            assert all(map(is_same_in_r, values, meant)), (told.address, name)
            assert len(values) == len(meant)


def class_in_r(cells: Sequence[Any]) -> str:
    """The class that R gives a column of these values; one without any value is logical."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if str in kinds:
        return "character"
    if float in kinds:
        return "numeric"
    return "integer" if kinds == {int} else "logical"


def is_same_in_r(text: str, cell: Any) -> bool:
    """Whether what R wrote down is the value of the reply, to the last bit but one."""
    if cell is None or isinstance(cell, bool):
        return text == {None: "", True: "TRUE", False: "FALSE"}[cell]
    if isinstance(cell, str) or text == "":
        return text == cell
    if isinstance(cell, float):
        return math.isclose(float(text), cell, rel_tol=1e-15)
    return text == str(cell)
