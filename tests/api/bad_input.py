"""Made-up bad input for every door: rows, bodies, bundles and query strings, from a seed.

Each piece starts from a good one and has some of its values replaced by what hospitals, scripts and
attackers send: other types, other scripts, numbers out of range, formulas, commands, dates, names.
Texts hold MARK, which no reply may give back.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import quote

from registry.records import DIMENSIONS, RowKind
from registry.records.columns import COLUMNS
from registry.vocabulary import CODELISTS, Measure
from tests.doors.declared import values_of

MARK = "Zubraxil"
"""A word that reads as a name, so that no door takes it for a random key."""

ROWS_A_BODY = 40


@dataclass(frozen=True, slots=True)
class Sent:
    """One request. pieces: how many rows, bodies or strings it holds."""

    method: str
    address: str
    body: bytes
    content_type: str
    pieces: int


_CODES = sorted({str(code) for codes in CODELISTS.values() for code in codes.codes()})
_TEXTS = (
    "{mark}", "Maria {mark}", "{mark}-04-03-1961", "={mark}()", "'; DROP TABLE {mark}; --",
    "<script>{mark}</script>", "{{{{ {mark} }}}}", "../../{mark}", "{mark}\u0000", "\u202e{mark}",
    "Ж{mark}ß漢", "{mark}\ud83d\ude00", "%{mark}%", "{mark}\r\nSet-Cookie: a=b", "\ufeff{mark}",
    " {mark} ", "{mark}" * 400,
)  # fmt: skip
_VALUES = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**40, 1.5, -0.0, 1e308, [], {}, [None], [[]],
    ["{mark}"], {"a": "{mark}"}, {"value": ["{mark}", 1]}, "", " ", "null", "NaN", "1e9", "٣",
    "2020-02-31", "31.12.2020", "1961", "12:30", "0x1F", "-0", "+5", "5,5", "½",
)  # fmt: skip


def piece_of(dice: Random) -> Any:
    """One bad value; now and then one that is good elsewhere."""
    drawn = dice.random()
    if drawn < 0.45:
        return _marked(dice.choice(_TEXTS))
    if drawn < 0.85:
        return _marked(dice.choice(_VALUES))
    return dice.choice(_CODES)


def _marked(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("{{", "{").replace("}}", "}").replace("{mark}", MARK)
    if isinstance(value, list):
        return [_marked(each) for each in value]
    if isinstance(value, dict):
        return {name: _marked(each) for name, each in value.items()}
    return value


def spoilt(good: Mapping[str, Any], dice: Random) -> dict[str, Any]:
    """A row with one to four of its values replaced, a column added, or some left out.

    One in ten is left as it is, so that there is something to store.
    """
    row = dict(good)
    if dice.random() < 0.1:
        return row
    for name in dice.sample(sorted(row), k=min(len(row), dice.randint(1, 4))):
        if dice.random() < 0.15:
            del row[name]
        else:
            row[name] = piece_of(dice)
    if dice.random() < 0.1:
        row[dice.choice(("free_text", "patient name", "", "__proto__", "id"))] = piece_of(dice)
    return row


_PLAIN: Mapping[RowKind, Mapping[str, Any]] = {
    RowKind.EVENT: {"complication": "infection-pocket", "year": 2020, "severity": 2},
    RowKind.IMPLANT: {
        "component": "pump",
        "model": "synchromed-ii-40",
        "implant_year": 2015,
        "months_to_entry": 0,
        "months_followed": 24,
        "exit_status": "active",
    },
    RowKind.EXPOSURE: {"component": "pump", "devices": 3, "component_months": 30},
}


def good_row(kind: RowKind, dice: Random, *, full: float = 0.5) -> dict[str, Any]:
    """A row that can be stored; or, so often, one with a value in each column, which cannot."""
    plain = {"site": "HERE-1", **_PLAIN[kind]}
    row = dict(values_of(kind.value)) | plain if dice.random() < full else plain
    row |= {name: _key(dice) for name in _KEYS[kind]}
    if kind is RowKind.EXPOSURE:
        row["year"] = dice.randint(1990, 2025)
    return {name: value for name, value in row.items() if name in COLUMNS[kind]}


def _key(dice: Random) -> str:
    """A key that every door takes: digits in short groups."""
    return f"k{dice.randrange(10**4)}x{dice.randrange(10**4)}"


_KEYS = {
    RowKind.EVENT: ("source_id",),
    RowKind.IMPLANT: ("patient", "implant"),
    RowKind.EXPOSURE: (),
}


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()


def single_rows(dice: Random) -> Iterator[Sent]:
    """One row as the body of a POST."""
    while True:
        kind = dice.choice((RowKind.EVENT, RowKind.IMPLANT, RowKind.EXPOSURE))
        body: Any = spoilt(good_row(kind, dice), dice) if dice.random() < 0.95 else piece_of(dice)
        address = f"/api/v1/{kind.value}/"
        yield Sent("POST", address, _json(body), "application/json", 1)


def many_rows(dice: Random) -> Iterator[Sent]:
    """One row or forty at once, as JSON or CSV, looked at or stored."""
    while True:
        kind = dice.choice((RowKind.EVENT, RowKind.IMPLANT, RowKind.EXPOSURE))
        most = dice.choice((1, ROWS_A_BODY))
        rows = [spoilt(good_row(kind, dice), dice) for _ in range(most)]
        if dice.random() < 0.2:
            rows = [good_row(kind, dice, full=0) for _ in range(most)]
        address = f"/api/v1/{kind.value}/bulk/"
        if dice.random() < 0.5:
            address += "?dry_run=true"
        if dice.random() < 0.5:
            yield Sent("POST", address, _json(rows), "application/json", most)
            continue
        told = io.StringIO()
        names = sorted({name for row in rows for name in row})
        if dice.random() < 0.1:
            names = [str(piece_of(dice)) for _ in names]
        writer = csv.writer(told, delimiter=dice.choice(",;\t"))
        writer.writerow(names)
        writer.writerows([cell(row.get(name)) for name in names] for row in rows)
        encoding = dice.choice(("utf-8", "utf-8-sig", "utf-16", "cp1252"))
        body = told.getvalue().encode(encoding, errors="replace")
        yield Sent("POST", address, body, "text/csv", most)


def cell(value: Any) -> str:
    """A value as the text of a cell."""
    if isinstance(value, list):
        return ";".join(map(str, value))
    return "" if value is None else str(value)


def resources(dice: Random) -> Iterator[Sent]:
    """FHIR events, alone and in bundles."""
    while True:
        version = dice.choice(("r4", "r5"))
        many = dice.random() < 0.5
        each = [_resource(dice) for _ in range(5 if many else 1)]
        body: Any = each[0]
        address = f"/fhir/{version}/AdverseEvent"
        if many:
            entries = [
                {"resource": one, "request": {"method": "POST", "url": "AdverseEvent"}}
                for one in each
            ]
            body = spoilt({"resourceType": "Bundle", "type": "batch", "entry": entries}, dice)
            address = f"/fhir/{version}"
        yield Sent("POST", address, _json(body), "application/fhir+json", len(each))


def _resource(dice: Random) -> dict[str, Any]:
    coded = {"coding": [{"system": "urn:x", "code": dice.choice(_CODES)}], "text": MARK}
    good = {
        "resourceType": "AdverseEvent",
        "status": "completed",
        "actuality": "actual",
        "identifier": [{"system": "urn:x", "value": _key(dice)}],
        "event": coded,
        "code": coded,
        "subject": {"reference": f"Patient/{MARK}"},
        "date": "2020",
        "outcome": coded,
        "recorder": {"display": f"Dr {MARK}"},
        "extension": [{"url": "urn:x", "valueString": MARK}],
    }
    return spoilt(good, dice)


def queries(dice: Random) -> Iterator[Sent]:
    """Query strings of statistics, lists and searches."""
    options = (*DIMENSIONS, "group_by", "counting", "unit", "per", "level", "order_by", "limit",
               "cursor", "fields", "format", "labels", "q", "changed_since", "source_id", "window",
               "year_min", "standardise", "reference", "adjust", "cluster")  # fmt: skip
    rooms = [f"/api/v1/statistics/{measure.value}/" for measure in Measure]
    rooms += ["/api/v1/events/", "/api/v1/implants/", "/api/v1/complications/"]
    rooms += ["/api/v1/statistics/dimensions/", "/fhir/r4/AdverseEvent", "/dashboard/explore/", "/"]
    while True:
        pairs = [
            (dice.choice(options), cell(piece_of(dice))[:300]) for _ in range(dice.randint(1, 4))
        ]
        said = "&".join(f"{quote(name)}={_quoted(value)}" for name, value in pairs)
        yield Sent("GET", f"{dice.choice(rooms)}?{said}", b"", "", 1)


def _quoted(value: str) -> str:
    return quote(value.encode("utf-8", errors="surrogatepass"))


DOORS = {
    "single rows": single_rows,
    "many rows": many_rows,
    "resources": resources,
    "query strings": queries,
}
