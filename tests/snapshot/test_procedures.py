"""Which procedure an event belongs to, and when the procedures of a device were."""

from pathlib import Path
from typing import Any

import pytest

from registry.snapshot.freeze import freeze_rows
from tests.snapshot.rows import event, implant, rows_of, shipped_terms

EXPLANTED = {"exit_status": "explanted-for-complication"}
REPLACED = {"exit_status": "replaced-end-of-service"}
WOUND = {"complication": "infection-pocket"}
CUT = {"round_number": 1, "months_at_round": 12, "followed_at_round": True}


def frozen(root: Path, table: str, *, implants: list[Any], events: list[Any] = []) -> list[Any]:  # noqa: B006 - read only
    manifest = freeze_rows(
        root, implants=implants, events=events, exposures=[], terms=shipped_terms()
    )
    return rows_of(root, manifest, table)


def dated(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("procedures", "procedures_at_start", "procedures_at_end"))


@pytest.mark.parametrize(
    ("device", "told"),
    [
        ({"procedures": None}, (None, 0, 0)),
        ({"procedures": 0}, (0, 0, 0)),
        ({"procedures": 3}, (3, 1, 0)),
        ({"procedures": 3, "months_to_entry": 5}, (3, 0, 0)),
        ({"procedures": 3} | EXPLANTED, (3, 1, 1)),
        ({"procedures": 3, "exit_status": "explant-elective"}, (3, 1, 1)),
        ({"procedures": 1} | EXPLANTED, (1, 1, 0)),  # no other was counted
        ({"procedures": 1, "months_to_entry": 5} | EXPLANTED, (1, 0, 1)),
        ({"procedures": 3} | REPLACED, (3, 1, 1)),
        ({"procedures": 3, "exit_status": "therapy-discontinued"}, (3, 1, 0)),
        ({"procedures": 3, "exit_status": "lost-to-follow-up"}, (3, 1, 0)),
        # the round was in the middle of 24 months: the explant is not known yet
        ({"procedures": 6} | EXPLANTED | CUT, (3, 1, 0)),
        ({"procedures": 5, "exit_status": "active"} | CUT, (3, 1, 0)),
        ({"procedures": 3, "months_followed": 12} | EXPLANTED | CUT, (2, 1, 0)),
    ],
)
def test_placing_procedure_is_at_the_start_and_the_last_at_the_end(
    tmp_path: Path, device: dict[str, Any], told: tuple[Any, ...]
) -> None:
    (row,) = frozen(tmp_path, "implants", implants=[implant("i1", **device)])

    assert dated(row) == told


@pytest.mark.parametrize(
    ("following", "at_end"),
    [
        ({"procedures": 1}, 0),  # the replacement is its placing procedure
        ({"procedures": 0}, 1),
        ({"procedures": None}, 1),
        ({"procedures": 1, "months_to_entry": 3}, 1),
        ({"procedures": 1, "exit_status": "eligibility-not-met"}, 1),
        ({"procedures": 1, "component": "catheter"}, 1),
    ],
)
def test_replacement_is_one_procedure(
    tmp_path: Path, following: dict[str, Any], at_end: int
) -> None:
    first, _ = frozen(
        tmp_path,
        "implants",
        implants=[
            implant("i1", patient="p", procedures=2, **REPLACED),
            implant("i2", patient="p", implant_year=2017, **following),
        ],
    )

    assert dated(first) == (2, 1, at_end)


@pytest.mark.parametrize(
    ("band", "month", "told"),
    [
        ("0-7", 24, (0, 24)),
        ("8-30", 25, (0, 25)),  # the pump has ended at month 24
        ("61-90", 27, (0, 27)),
        ("91-365", 25, (None, None)),
        ("unknown", 25, (None, None)),
        ("", 25, (None, None)),
        ("8-30", 3, (None, None)),  # before entry
        ("8-30", None, (None, None)),
    ],
)
def test_day_band_alone_says_whether_an_event_belongs_to_a_procedure(
    tmp_path: Path, band: str, month: int | None, told: tuple[int | None, int | None]
) -> None:
    (row,) = frozen(
        tmp_path,
        "events",
        implants=[implant("i1", months_to_entry=4, **EXPLANTED)],
        events=[
            event("e1", on="i1", months_since_implant=month, days_since_procedure=band, **WOUND)
        ],
    )

    assert (row["procedure_no"], row["procedure_month"]) == told


@pytest.mark.parametrize(("month", "told"), [(24, 24), (25, 25), (27, 27), (28, None)])
def test_event_on_a_catheter_belongs_to_the_pump_that_ended_up_to_90_days_before(
    tmp_path: Path, month: int, told: int | None
) -> None:
    # both are explanted at month 24, and the event is told of the catheter
    (row,) = frozen(
        tmp_path,
        "events",
        implants=[
            implant("c1", patient="p", component="catheter", **EXPLANTED),
            implant("p1", patient="p", **EXPLANTED),
        ],
        events=[
            event(
                "e1",
                on="c1",
                complication="csf-leak",
                months_since_implant=month,
                days_since_procedure="8-30",
            )
        ],
    )

    assert (row["procedure_no"], row["procedure_month"]) == (None if told is None else 1, told)


def test_what_is_told_after_the_last_round_belongs_to_no_procedure_yet(tmp_path: Path) -> None:
    (row,) = frozen(
        tmp_path,
        "events",
        implants=[implant("i1", **EXPLANTED | CUT)],
        events=[event("e1", on="i1", months_since_implant=25, days_since_procedure="8-30")],
    )

    assert (row["device_time"], row["procedure_no"]) == ("after-last-round", None)
