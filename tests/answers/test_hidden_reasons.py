"""Why a number is hidden, by each reason: the same on page, in picture, JSON and CSV."""

import csv
import io
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from django.core.cache import cache

from registry.answers.files import as_csv, as_json, body_of
from registry.answers.tables import table_of
from registry.charts import chart_of
from registry.disclosure import ShownNode
from registry.records import Column, EventQuery, Release
from registry.reporting.asking.freshness import Frozen
from registry.reporting.estimating.signals import judged, shown_pair
from registry.reporting.measures import MEASURES
from registry.vocabulary import CountingRule, HiddenReason, Measure
from tests.reporting.protecting import ask, frozen_rows
from tests.snapshot.rows import event, implant

PUMP = ("category", ("pump",))
FLIP = ("complication", ("pump-flip",))
COUNTS = ("n", "events", "numerator")


SITES = "ABCDEF"


@pytest.fixture(autouse=True)
def _cold_cache() -> None:
    cache.clear()


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    """Morphine: 400 pumps, 30 months each, few of whose events fall into months 2 to 6.

    Ziconotide: 60 pumps of 6 months, alone in their year, 36 of which flip. Fentanyl: 8 pumps.
    Baclofen: 100, no event.
    Hydromorphone: 400 pumps, a third of them flip in month 2, a third are out in month 10.
    """
    implants, events = [], []
    for drug, number, months in (
        ("morphine", 400, 30),
        ("ziconotide", 60, 6),
        ("fentanyl", 8, 60),
        ("baclofen", 100, 24),
        ("hydromorphone", 400, 30),
    ):
        for n in range(number):
            name = f"{drug}{n}"
            taken_out = drug == "hydromorphone" and n % 3 == 1
            ended = {"exit_status": "explant-elective", "months_followed": 10}
            implants.append(
                implant(
                    name,
                    drug=drug,
                    site=SITES[n // 3 % len(SITES)],
                    implant_year=2020 if drug == "ziconotide" else 2015,
                    **(ended if taken_out else {"months_followed": months}),
                )
            )
            at = 1 if n % 3 == 0 else 10 if n % 3 == 1 else None
            if drug == "ziconotide":
                at = 3 if n < 36 else None
            if drug == "baclofen":
                at = None
            if drug == "hydromorphone":
                at = 2 if n % 3 == 0 else None
            if at is not None:
                given = {"months_since_implant": at, "site": SITES[n // 3 % len(SITES)]}
                if drug == "ziconotide":
                    given["year"] = 2020
                events.append(event(f"e-{name}", on=name, **given))
    folder = tmp_path_factory.mktemp("reasons")
    return frozen_rows(folder, events=events, implants=implants, sites=tuple(SITES))


def pair(*, count: int | None, product: int | None, population: int | None = 400) -> Release:
    """One pair of a protected answer by product and complication."""

    def node(n: int | None) -> ShownNode:
        return ShownNode(count=n, population=population, count_variance=6.0 if n else 0.0)

    (row,), _about = judged(
        [
            shown_pair(
                ("prometra-ii-20", "pump-flip"),
                node(count),
                [node(product), node(74), node(210)],
                rate=[],
                group=[],
                level=0.95,
            )
        ]
    )
    names = ("n", "expected", "ic", "ic_lower", "ic_upper", "signal", "outlier")
    columns = (
        Column("pump_model", "string", "dimension", title="Pump model"),
        Column("complication", "string", "dimension", title="Complication"),
        *(Column(name, "number", "measure", title=name) for name in names),
        Column("hidden_cells", "integer", "status"),
        Column("reason", "string", "status"),
        Column("status", "string", "status"),
    )
    numbers = {name: row.numbers.get(name) for name in (*names, "hidden_cells", "reason")}
    keys = dict(zip(("pump_model", "complication"), row.key, strict=True))
    meta = {
        "title": "Signals",
        "measure": "signals",
        "counting_in_words": "Devices.",
        "denominator": None,
        "level": 0.95,
        "method": "",
        "snapshot": {"id": "a" * 64, "kind": "release", "label": "2024Q2"},
        "data_as_of": None,
        "profile": "protected",
        "warnings": [],
        "receipt": "signed",
    }
    return Release(
        meta=meta,
        columns=columns,
        rows=({**keys, **numbers, "status": row.status.value},),
        query=EventQuery(group_by=("pump_model", "complication")),
        reading=MEASURES[Measure.SIGNALS].reading,
    )


@dataclass(frozen=True)
class Case:
    """A question one of whose rows is hidden for a reason."""

    measure: Measure
    query: dict[str, object]
    row: dict[str, object]
    reason: HiddenReason | None


DRUGS = {"where": (FLIP,), "group_by": ("drug",)}
CASES = {
    "few": Case(Measure.COUNTS, DRUGS, {"drug": "baclofen"}, None),
    "few-of-a-rate": Case(Measure.RATES, DRUGS, {"drug": "baclofen"}, None),
    "few-of-a-share": Case(Measure.PROPORTIONS, DRUGS, {"drug": "baclofen"}, None),
    "population": Case(Measure.COUNTS, DRUGS, {"drug": "fentanyl"}, HiddenReason.POPULATION),
    "population-of-a-rate": Case(
        Measure.RATES, DRUGS, {"drug": "fentanyl"}, HiddenReason.POPULATION
    ),
    "population-of-a-share": Case(
        Measure.PROPORTIONS, DRUGS, {"drug": "fentanyl"}, HiddenReason.POPULATION
    ),
    "exposure": Case(Measure.RATES, DRUGS, {"drug": "ziconotide"}, HiddenReason.EXPOSURE),
    "exposure-of-a-trend": Case(
        Measure.TREND,
        {"where": (PUMP,)},
        {"year": 2020},
        HiddenReason.EXPOSURE,
    ),
    "parts": Case(
        Measure.COUNTS,
        {"where": (FLIP, ("drug", ("fentanyl", "baclofen")))},
        {},
        HiddenReason.PARTS,
    ),
    "parts-of-a-rate": Case(
        Measure.RATES,
        {"where": (FLIP, ("drug", ("ziconotide", "baclofen")))},
        {},
        HiddenReason.PARTS,
    ),
    "curve": Case(
        Measure.SURVIVAL,
        {"where": (PUMP,), "group_by": ("drug",)},
        {"drug": "ziconotide", "time_months": 3},
        HiddenReason.CURVE,
    ),
    "curve-end": Case(
        Measure.SURVIVAL,
        {"where": (PUMP,), "group_by": ("drug",)},
        {"drug": "morphine", "time_months": 60},
        HiddenReason.CURVE_END,
    ),
    "joined-interval-of-incidence": Case(
        Measure.INCIDENCE,
        {"where": (PUMP,), "group_by": ("drug",)},
        {"drug": "hydromorphone", "time_months": 3},
        HiddenReason.CURVE_JOINED,
    ),
    "joined-interval": Case(
        Measure.SURVIVAL,
        {"where": (PUMP,), "group_by": ("drug",)},
        {"drug": "morphine", "time_months": 6},
        None,
    ),
}


def found(case: Case, frozen: Frozen) -> tuple[Release, dict[str, object]]:
    """The answer to a case, narrowed to its row, and the row."""
    release = ask(frozen, case.measure, **case.query)
    rows = [row for row in release.rows if case.row.items() <= row.items()]
    assert len(rows) == 1, release.rows
    return replace(release, rows=tuple(rows)), dict(rows[0])


def page_of(release: Release) -> str:
    """All that the table of a page says."""
    table = table_of(release)
    cells = " | ".join(cell.text for row in table.rows for cell in row)
    legend = " | ".join(f"{each.label} {each.definition}" for each in table.legend)
    return f"{cells} || {legend} || {' '.join(table.why_hidden)}"


def picture_of(release: Release) -> str:
    """All that is written in the picture of an answer."""
    return json.dumps(chart_of(release).spec, ensure_ascii=False) + chart_of(release).alt


def csv_of(release: Release) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(as_csv(body_of(release)).decode())))


@pytest.mark.parametrize("name", CASES)
def test_a_row_says_why_it_is_hidden_everywhere(name: str, frozen: Frozen) -> None:
    case = CASES[name]
    release, row = found(case, frozen)
    is_few = case.reason is None

    # the row, as JSON and CSV
    (told,) = json.loads(as_json(body_of(release)))["rows"]
    (line,) = csv_of(release)
    assert told["status"] == line["status"] == ("suppressed" if is_few else "hidden")
    assert told["reason"] == case.reason
    assert line["reason"] == (case.reason or "")
    assert all(row[column] is None for column in COUNTS if column in row)

    # the page
    page = page_of(release)
    assert ("<11" in page) is is_few
    assert "hidden" in page.lower()
    if case.reason:
        assert f"Hidden: {case.reason.label.lower()}" in page
        assert case.reason.definition in page

    # the picture
    picture = picture_of(release)
    assert ("<11" in picture) is is_few
    if case.reason:
        assert case.reason.label.lower() in picture.replace('", "', " ")


@pytest.mark.parametrize(
    ("release", "shown", "reason"),
    [
        (pair(count=36, product=None), "36", HiddenReason.MARGINS),
        (pair(count=None, product=42), "<11", None),
        (pair(count=None, product=None, population=None), "hidden", HiddenReason.POPULATION),
    ],
    ids=["margin", "few", "population"],
)
def test_a_pair_says_why_it_is_hidden_everywhere(
    release: Release, shown: str, reason: HiddenReason | None
) -> None:
    (row,) = release.rows
    cells = [cell.text for cell in table_of(release).rows[0]]

    assert (row["status"], row["reason"]) == ("hidden" if reason else "suppressed", reason)
    assert cells[2] == shown
    assert set(cells[3:-2]) == {"hidden"}
    for said in (page_of(release), picture_of(release)):
        assert ("<11" in said) is (reason is None)
        assert reason is None or reason.label.lower() in said


HIDING = {
    Measure.COUNTS: ("drug", "site", "category", "year"),
    Measure.RATES: ("drug", "site", "category", "year", "complication"),
    Measure.PROPORTIONS: ("drug", "site", "category"),
    Measure.SURVIVAL: ("drug", "site"),
}


@pytest.mark.parametrize(
    ("measure", "name"), [(measure, name) for measure, names in HIDING.items() for name in names]
)
def test_few_is_written_only_where_the_count_is_what_hides(
    measure: Measure, name: str, frozen: Frozen
) -> None:
    where = () if name in {"category", "complication"} else (PUMP,)
    release = ask(frozen, measure, where=where, group_by=(name,))
    few = 0

    for row, cells in zip(release.rows, table_of(release).rows, strict=True):
        is_few = any(cell.text == "<11" for cell in cells)
        few += is_few
        assert is_few is (row["status"] == "suppressed")
    drawn = chart_of(release).spec["datasets"]["rows"]
    for row in drawn:
        said = [value for key, value in row.items() if key.startswith("chart_")]
        assert row["status"] == "suppressed" or not any("<11" in str(value) for value in said)
    assert few or not any(row["status"] == "suppressed" for row in release.rows)


@pytest.mark.parametrize("name", ["drug", "site", "sex"])
def test_a_rate_is_few_exactly_where_its_first_events_are(name: str, frozen: Frozen) -> None:
    question = {"where": (PUMP,), "group_by": (name,)}
    counts = ask(frozen, Measure.COUNTS, **question, counting=CountingRule.FIRST_EVENT).rows
    rates = ask(frozen, Measure.RATES, **question).rows

    for count, rate in zip(counts, rates, strict=True):
        assert (rate["status"] == "suppressed") is (count["status"] == "suppressed")
        if rate["reason"] == HiddenReason.EXPOSURE:
            assert isinstance(count["n"], int)
            assert count["n"] >= 5


def test_a_reason_is_the_same_whatever_was_counted(frozen: Frozen) -> None:
    # too few patients: of every category alike, with and without an event
    rows = ask(frozen, group_by=("category", "drug")).rows

    of_fentanyl = [row for row in rows if row["drug"] == "fentanyl"]
    assert len(of_fentanyl) > 5
    assert {(row["status"], row["reason"]) for row in of_fentanyl} == {("hidden", "population")}


def test_a_curve_never_says_which_of_two_reasons_ended_it(frozen: Frozen) -> None:
    rows = ask(frozen, Measure.SURVIVAL, where=(PUMP,), group_by=("drug",)).rows

    for drug in {row["drug"] for row in rows}:
        curve = [row for row in rows if row["drug"] == drug]
        shown = [row["time_months"] for row in curve if row["estimate"] is not None]
        for row in curve:
            if row["estimate"] is not None:
                assert row["reason"] is None
            elif not shown:
                assert row["reason"] == "curve"
            elif row["time_months"] > max(shown):
                assert row["reason"] == "curve-end"
            else:
                assert (row["status"], row["reason"]) == ("suppressed", None)


def test_the_picture_in_words_has_the_reason(frozen: Frozen) -> None:
    release = ask(frozen, Measure.RATES, **DRUGS)

    hidden = "no number shown (too few patients or devices, or too little to divide by)"
    assert hidden in chart_of(release).alt


def test_every_reason_has_a_case() -> None:
    tried = {case.reason for case in CASES.values()} | {None, HiddenReason.MARGINS}

    assert tried == {None, *HiddenReason}


def test_reasons_are_explained_in_the_docs() -> None:
    told = (Path(__file__).parents[2] / "docs" / "disclosure.md").read_text(encoding="utf-8")

    for reason in HiddenReason:
        assert re.search(rf"^\| `{reason}` \|", told, re.MULTILINE), reason
