from pathlib import Path
from typing import Any

import pytest

from registry.records import BadQuery, Column
from registry.reporting.asking.spec import Row
from registry.reporting.estimating import cells
from registry.reporting.estimating.rows import ordered, written
from registry.vocabulary import CellStatus, Measure
from tests.reporting.asking import Asker
from tests.snapshot.rows import event, implant

N = (Column("n", "integer", "measure"), Column("status", "string", "status"))


def answered(asker: Asker, **query: Any) -> list[dict[str, Any]]:
    question = asker.question(Measure.COUNTS, **query)
    terms = asker.manifest.terms
    rows = [
        Row(each.key, each.numbers, each.status)
        for each in cells.count_cells(asker.store, question)
    ]
    rows = ordered(rows, question=question, terms=terms, columns=N)
    return [dict(row) for row in written(rows, question=question, terms=terms, columns=N)[1]]


@pytest.fixture
def asker(tmp_path: Path) -> Asker:
    return Asker(
        tmp_path,
        events=[
            event("e1", outcome="unknown", severity=3),
            event("e2", outcome="recovered", severity=1),
            event("e3", outcome="recovered", severity=3),
            event("e4", outcome=""),
            event("e5", outcome="fatal", complication="catheter-kink", severity=5),
        ],
    )


def test_rows_follow_the_code_list_and_blanks_come_last(asker: Asker) -> None:
    assert [row["outcome"] for row in answered(asker, group_by=("outcome",))] == [
        "recovered",
        "fatal",
        "unknown",
        "not-recorded",
    ]
    assert [row["severity"] for row in answered(asker, group_by=("severity",))] == [
        1,
        3,
        5,
        "not-recorded",
    ]


def test_rows_follow_the_years_and_windows(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[event("e1", on="i1", year=2016, months_since_implant=14)],
        implants=[implant("i1")],
    )

    assert [row["year"] for row in answered(asker, group_by=("year",))] == [2015, 2016, 2017]
    assert [row["window"] for row in answered(asker, group_by=("window",))] == [
        "0-3",
        "4-12",
        "13-36",
    ]


@pytest.mark.parametrize(
    ("ordering", "outcomes"),
    [
        (("-n",), ["recovered", "fatal", "unknown", "not-recorded"]),
        (("n", "-outcome"), ["not-recorded", "unknown", "fatal", "recovered"]),
        (("-outcome",), ["not-recorded", "unknown", "fatal", "recovered"]),
    ],
)
def test_ordering_sorts_by_columns(
    asker: Asker, ordering: tuple[str, ...], outcomes: list[str]
) -> None:
    rows = answered(asker, group_by=("outcome",), ordering=ordering)

    assert [row["outcome"] for row in rows] == outcomes


def test_ordering_by_a_column_that_is_not_there_is_refused(asker: Asker) -> None:
    with pytest.raises(BadQuery) as refusal:
        answered(asker, group_by=("outcome",), ordering=("rate",))

    assert refusal.value.faults[0].column == "ordering"


def test_hidden_rows_come_last_whichever_way_rows_are_ordered(asker: Asker) -> None:
    question = asker.question(Measure.COUNTS, group_by=("sex",), ordering=("-n",))
    rows = [
        Row(("female",), {"n": None}, CellStatus.SUPPRESSED),
        Row(("male",), {"n": 12}, CellStatus.OK),
        Row(("other",), {"n": None}, CellStatus.SUPPRESSED),
        Row(("unknown",), {"n": 30}, CellStatus.OK),
    ]

    found = ordered(rows, question=question, terms=asker.manifest.terms, columns=N)

    assert [row.key[0] for row in found] == ["unknown", "male", "female", "other"]


def test_labels_replace_codes_or_stand_beside_them(asker: Asker) -> None:
    query = {"group_by": ("complication",)}

    assert answered(asker, **query)[0] == {
        "complication": "catheter-kink",
        "n": 1,
        "status": "ok",
    }
    assert answered(asker, labels="label", **query)[0]["complication"] == ("Catheter kink")
    both = answered(asker, labels="both", **query)[0]
    assert (both["complication"], both["complication_label"]) == (
        "catheter-kink",
        "Catheter kink",
    )
    blank = answered(asker, labels="label", group_by=("outcome",))[-1]
    assert blank["outcome"] == "Not recorded"
