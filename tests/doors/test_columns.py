"""Every column that a door takes is stored, given back, and frozen where it is meant to be.

The columns are those that records declares. A list that forgets one, on the way from a door to the
database, to the API or to a snapshot, makes a field that is read and not kept.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from pytest_django import Settings

from registry.models import Event, Exposure, Implant, Patient, Snapshot
from registry.records import RowKind
from registry.records.columns import COLUMNS
from registry.snapshot.manifest import Manifest
from registry.snapshot.schema import TABLES
from registry.vocabulary import Intervention, Seriousness
from tests.doors.conftest import Caller
from tests.doors.declared import Values, columns_of, values_of

API = "/api/v1/"
ADMIN = "/admin/registry/"
UPLOAD = "/admin/upload/"
MODELS: Mapping[str, type[Model]] = {
    "patients": Patient,
    "implants": Implant,
    "exposures": Exposure,
    "events": Event,
}
OF_THE_IMPLANT = ("component_model", "drug", "indication", "age_band", "sex")
OF_DEVICE_TIME = ("implant", "caused_by")
EVENTS = {"with an implant": OF_THE_IMPLANT, "without an implant": OF_DEVICE_TIME}
"""An event says of its implant which it is, or what it was: the columns that each leaves out."""

STAYS = ("site", "patient", "component", "sex", "indication")
"""Columns of an implant that are not changed by its own page."""

NOT_FROZEN: Mapping[str, frozenset[str]] = {
    "implants": frozenset({"adjuncts", "as_designed"}),
    "exposures": frozenset(),
    "events": frozenset(
        {
            *("source_id", "month", "days_since_refill", "mri_24h", "alarm"),
            "volume_discrepancy",
        }
    ),
}
"""Columns that no statistic needs, so that they stay out of snapshots."""

pytestmark = pytest.mark.usefixtures("on_file")


@pytest.fixture(autouse=True)
def _dates_by_month(settings: Settings, tmp_path: Path) -> None:
    """Keep the month of an event, so that its column is one of those taken; and freeze apart."""
    settings.REGISTRY_DATE_PRECISION = "month"
    settings.REGISTRY_VAR = tmp_path


def sent(kind: str, case: str = "") -> Values:
    """A row of the kind with every column that its case has."""
    if kind == "events":
        return values_of(kind, without=EVENTS[case], implant="i-on-fle")
    return values_of(kind)


def test_every_declared_column_is_sent() -> None:
    for kind in RowKind:
        assert set(columns_of(kind.value)) == COLUMNS[kind]
    assert (
        set(sent("events", "with an implant")) | set(sent("events", "without an implant"))
        == (COLUMNS[RowKind.EVENT])
    )


# The doors --------------------------------------------------------------------------------------


def post(caller: Caller, kind: str, row: Values) -> None:
    """One row by `POST /api/v1/<kind>/`."""
    reply = caller.api.post(f"{API}{kind}/", row, format="json")
    assert reply.status_code == 201, reply.content


def patch(caller: Caller, kind: str, row: Values) -> None:
    """The least that a row can be, and then all of it by PATCH."""
    post(caller, kind, least(kind, row))
    address = f"{API}{kind}/{newest(kind).public_id}/"
    tag = caller.api.get(address)["ETag"]
    reply = caller.api.patch(address, row, format="json", HTTP_IF_MATCH=tag)
    assert reply.status_code == 200, reply.content


def bulk_json(caller: Caller, kind: str, row: Values) -> None:
    """A list of one row by `POST /api/v1/<kind>/bulk/`."""
    reply = caller.api.post(f"{API}{kind}/bulk/", [row], format="json")
    assert reply.status_code == 200, reply.content


def bulk_csv(caller: Caller, kind: str, row: Values) -> None:
    """A file of one row by `POST /api/v1/<kind>/bulk/`."""
    reply = caller.api.post(f"{API}{kind}/bulk/", file_of(kind, row), content_type="text/csv")
    assert reply.status_code == 200, reply.content


def command(caller: Caller, kind: str, row: Values, *options: str) -> None:
    """A file of one row by `manage.py import_csv`."""
    path = caller.folder / f"{kind}.csv"
    path.write_bytes(file_of(kind, row))
    by = ("--by", caller.user.username)
    call_command("import_csv", *by, f"--{kind}", str(path), *options, stdout=io.StringIO())


def upload(caller: Caller, kind: str, row: Values) -> None:
    """A file of one row by the upload page: checked, then stored."""

    def file() -> dict[str, SimpleUploadedFile]:
        return {kind: SimpleUploadedFile("rows.csv", file_of(kind, row))}

    checked = caller.browser.post(UPLOAD, {"check": "1", **file()}).context["checked"]
    assert checked.faults == ()
    stored = caller.browser.post(UPLOAD, {"store": "1", "checked": checked.token, **file()})
    assert stored.status_code == 302


def form(caller: Caller, kind: str, row: Values) -> None:
    """One row by its form in the admin; patient and implant are one form, the system's."""
    page = {"implants": "patient"}.get(kind, kind.removesuffix("s"))
    answers = answered(row)
    if kind == "implants":
        answers |= {f"{row['component']}_{name}": answer for name, answer in answers.items()}
        answers["source_id"] = row["patient"]
    send_form(caller, f"{ADMIN}{page}/add/", answers)


def change_form(caller: Caller, kind: str, row: Values) -> None:
    """The least that a row can be, and then all of it by its page in the admin."""
    post(caller, kind, least(kind, row))
    stored = newest(kind)
    address = f"{ADMIN}{kind.removesuffix('s')}/{stored.public_id}/change/"
    send_form(caller, address, {"version": stored.version, **answered(row)})


def send_form(caller: Caller, address: str, answers: Values) -> None:
    """The answers to the questions that stand on the page: to others nobody can give one."""
    shown = set(re.findall(r'name="([^"]+)"', caller.browser.get(address).text))
    given = {name: answer for name, answer in answers.items() if name in shown}
    reply = caller.browser.post(address, given)
    assert reply.status_code == 302, reply.context["errors"]


def has_bulk(kind: str) -> bool:
    """Whether rows of the kind can be sent in bulk."""
    try:
        reverse(f"api:{kind}-bulk")
    except NoReverseMatch:
        return False
    return True


Door = Callable[[Caller, str, Values], None]


def doors_of(kind: str) -> tuple[Door, ...]:
    """Every door by which rows of the kind come in."""
    files: tuple[Door, ...] = (command, upload) if kind in list(RowKind) else ()
    bulk: tuple[Door, ...] = (bulk_json, bulk_csv) if has_bulk(kind) else ()
    return (post, patch, form, change_form, *files, *bulk)


def ways_in() -> Iterator[Any]:
    """Every kind of row with every door that takes it, an event with and without an implant."""
    for kind in MODELS:
        for door in doors_of(kind):
            for case in EVENTS if kind == "events" else ("",):
                named = "-".join(filter(None, [kind, door.__name__, case.replace(" ", "-")]))
                yield pytest.param(kind, door, case, id=named)


def least(kind: str, row: Values) -> Values:
    """As little of a row as is taken, and that other than in the row where it may change."""
    stays = {"implants": STAYS, "exposures": ("site", "component")}.get(kind, ("site",))
    other: dict[str, Values] = {
        "patients": {"source_id": "first"},
        "implants": {"implant": "first", "implant_year": 2014, "months_followed": 50},
        "exposures": {"year": 2016, "devices": 3, "component_months": 4},
        "events": {"complication": "infection-pocket"},
    }
    return {**{name: row[name] for name in stays}, **other[kind]}


def file_of(kind: str, row: Values) -> bytes:
    """A CSV file of a header and this row; several codes in a cell stand behind semicolons."""
    text = io.StringIO()
    columns = columns_of(kind)
    cells = [row.get(name, "") for name in columns]
    joined = [";".join(cell) if isinstance(cell, list) else cell for cell in cells]
    csv.writer(text).writerows([columns, joined])
    return text.getvalue().encode()


def answered(row: Values) -> Values:
    """The row as a form sends it: another row is chosen by its public id."""
    answers = dict(row)
    if "implant" in row and Implant.objects.filter(source_id=row["implant"]).exists():
        answers["implant"] = str(Implant.objects.get(source_id=row["implant"]).public_id)
    if "caused_by" in row:
        answers["caused_by"] = str(Event.objects.get(source_id=row["caused_by"]).public_id)
    return answers


# What became of the row -------------------------------------------------------------------------


def newest(kind: str) -> Any:
    """The row that was stored last."""
    return MODELS[kind]._base_manager.latest("pk")


def stored(kind: str) -> Values:
    """Every declared column of the newest row, as its table or a row that it names has it."""
    row = newest(kind)
    elsewhere: dict[str, Callable[[], Any]] = {
        "site": lambda: row.site.code,
        "model": lambda: row.pump_model,
        "component_model": lambda: row.pump_model,
    }
    if kind == "events":
        elsewhere |= {
            "implant": lambda: row.implant and row.implant.source_id,
            "complication": lambda: row.reported_complication_id,
            "caused_by": lambda: row.caused_by and row.caused_by.source_id,
        }
    if kind == "implants":
        elsewhere |= {
            "implant": lambda: row.source_id,
            "patient": lambda: row.patient.source_id,
            "sex": lambda: row.patient.sex,
            "indication": lambda: row.patient.indication,
        }
    return {
        name: plain(elsewhere[name]() if name in elsewhere else getattr(row, name))
        for name in columns_of(kind)
    }


def plain(value: Any) -> Any:
    """A stored value as JSON has it; a blank is None."""
    if isinstance(value, frozenset):
        return sorted(map(str, value))
    if isinstance(value, int):
        return int(value)
    return str(value) if value else None


@pytest.mark.parametrize(("kind", "door", "case"), list(ways_in()))
def test_every_column_is_stored_and_given_back(
    kind: str, door: Door, case: str, caller: Caller
) -> None:
    row = sent(kind, case)

    door(caller, kind, row)

    kept = {name: value for name, value in stored(kind).items() if value is not None}
    assert kept == row
    shown = caller.api.get(f"{API}{kind}/{newest(kind).public_id}/").json()
    assert {name: shown.get(name) for name in row} == row


# What is frozen ---------------------------------------------------------------------------------

FROZEN_AS = {
    "interventions": "intervention",
    "model": "pump_model",
    "component_model": "pump_model",
    "implant": "device_no",
    "patient": "patient_no",
    "caused_by": "cause_no",
}
"""Columns that have another name in a snapshot."""

BIT_SETS = {"seriousness": Seriousness, "intervention": Intervention}


def frozen(table: str) -> list[Values]:
    """Every row of a table of the newest snapshot, with codes in place of their numbers."""
    folder = Path(settings.REGISTRY_VAR) / "snapshots" / Snapshot.objects.get().snapshot_id
    codes = Manifest.read(folder).codes
    found = duckdb.sql(f"SELECT * FROM read_parquet('{folder / table}.parquet')")  # noqa: S608
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    return [
        {
            name: codes[name][value]
            if name in codes
            else sorted(BIT_SETS[name].unpack(value))
            if name in BIT_SETS
            else value
            for name, value in row.items()
        }
        for row in rows
    ]


@pytest.mark.parametrize(
    ("kind", "case"),
    [("implants", ""), ("exposures", ""), *(("events", case) for case in EVENTS)],
)
def test_every_column_that_is_meant_to_be_is_frozen(kind: str, case: str, caller: Caller) -> None:
    row = sent(kind, case)
    command(caller, kind, row, *(["--accept"] if kind == "events" else []))

    call_command("freeze", release="2026Q4", stdout=io.StringIO())

    meant = {
        FROZEN_AS.get(name, name): value
        for name, value in row.items()
        if name not in NOT_FROZEN[kind]
    }
    of_rows = {name for name in meant if name.endswith("_no")}
    found = max(frozen(kind), key=lambda each: sum(each.get(n) == meant[n] for n in meant))
    assert {name: found.get(name) for name in meant.keys() - of_rows} == {
        name: value for name, value in meant.items() if name not in of_rows
    }
    assert all(found[name] is not None for name in of_rows)
    assert NOT_FROZEN[kind].isdisjoint(column.name for column in TABLES[kind])
