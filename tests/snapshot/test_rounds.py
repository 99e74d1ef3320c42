"""Follow-up counts up to a site's last closed round, on both sides of every rate and curve."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from registry.records import Window
from registry.snapshot.freeze import freeze_rows
from registry.snapshot.schema import ENTERED_SINCE
from registry.vocabulary import CountingRule
from tests.reporting.asking import Asker
from tests.snapshot.rows import event, implant, rows_of, shipped_terms

EVENTS = CountingRule.EVENTS
CLOSED: dict[str, Any] = {"round_number": 1, "months_at_round": 24, "followed_at_round": True}
EXPLANTED = "explant-elective"


def placed(root: Path, device: dict[str, Any], month: int, **of_event: Any) -> str:
    """Where an event in a month of one pump is placed."""
    manifest = freeze_rows(
        root,
        implants=[implant("i1", **device)],
        events=[event("e1", on="i1", months_since_implant=month, **of_event)],
        exposures=[],
        terms=shipped_terms(),
    )
    return str(rows_of(root, manifest, "events")[0]["device_time"])


def frozen(root: Path, **device: Any) -> dict[str, Any]:
    """The row of one pump in follow-up at the round, as it is frozen."""
    manifest = freeze_rows(
        root,
        implants=[implant("i1", **(CLOSED | device))],
        events=[],
        exposures=[],
        terms=shipped_terms(),
    )
    return rows_of(root, manifest, "implants")[0]


@pytest.mark.parametrize(
    ("device", "month", "reported_in", "place"),
    [
        (CLOSED | {"months_followed": 36}, 23, 1, "at-risk"),
        (CLOSED | {"months_followed": 36}, 24, 0, "at-risk"),
        (CLOSED | {"months_followed": 36}, 24, 1, "after-last-round"),
        (CLOSED | {"months_followed": 36}, 25, 0, "after-last-round"),
        (CLOSED | {"months_followed": 24}, 40, 1, "after-last-round"),
        (CLOSED | {"months_followed": 36, "exit_status": EXPLANTED}, 30, 1, "after-last-round"),
        (CLOSED | {"months_followed": 36, "exit_status": EXPLANTED}, 37, 1, "after-last-round"),
        (
            CLOSED | {"followed_at_round": False, "exit_status": EXPLANTED},
            24,
            1,
            "at-risk",
        ),
        (
            CLOSED | {"followed_at_round": False, "exit_status": EXPLANTED},
            25,
            1,
            "after-follow-up",
        ),
        ({"round_number": ENTERED_SINCE}, 0, 1, "after-last-round"),
        ({"round_number": ENTERED_SINCE, "months_to_entry": 3}, 2, 1, "before-entry"),
        ({}, 24, None, "at-risk"),
        ({}, 25, None, "after-follow-up"),
    ],
)
def test_event_is_placed_by_the_round(
    tmp_path: Path, device: dict, month: int, reported_in: int | None, place: str
) -> None:
    assert placed(tmp_path, device, month, round_number=reported_in) == place


@pytest.mark.parametrize(
    ("device", "months", "status"),
    [
        ({"months_followed": 36}, 24, "active"),
        ({"months_followed": 36, "exit_status": EXPLANTED}, 24, "active"),
        # an end in the very month of the round was not known when it was closed
        ({"months_followed": 24, "exit_status": EXPLANTED}, 24, "active"),
        # an end that was before the round and was heard of later
        ({"months_followed": 20, "exit_status": EXPLANTED}, 20, EXPLANTED),
        ({"months_followed": 36, "exit_status": ""}, 24, ""),
        (
            {"months_followed": 36, "exit_status": EXPLANTED, "followed_at_round": False},
            36,
            EXPLANTED,
        ),
    ],
)
def test_device_counts_up_to_the_round_and_ends_where_it_had_by_then(
    tmp_path: Path, device: dict, months: int, status: str
) -> None:
    row = frozen(tmp_path, **device)

    assert (row["months_followed"], row["exit_status"]) == (months, status)
    assert row["time_to"] == 4 * months


def test_device_entered_since_the_round_gives_neither_time_nor_patients(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        implants=[
            implant("i1", **CLOSED),
            implant("i2", round_number=ENTERED_SINCE, months_followed=0),
        ],
        events=[event("e1", on="i2", months_since_implant=0)],
    )

    assert asker.parts_of_rates() == {(): (0, 24.0, "pump-months")}
    assert asker.proportions() == {(): (0, 1)}
    assert asker.counts() == {(): 1}
    assert asker.coverage(counting=EVENTS)["after_last_round"] == 1


def test_device_that_should_not_have_been_followed_stays_out_whenever_it_was_told(
    tmp_path: Path,
) -> None:
    late = CLOSED | {"months_followed": 30, "exit_status": "eligibility-not-met"}
    asker = Asker(tmp_path, implants=[implant("i1", **late)])

    assert asker.rates(counting=EVENTS)[()]["exposure"] == 0


def test_refills_and_procedures_count_by_their_even_share_up_to_the_round(tmp_path: Path) -> None:
    row = frozen(tmp_path, months_to_entry=4, months_followed=44, refills=20, procedures=3)

    # 20 of 40 months; 1.5 rounds up
    assert (row["refills"], row["procedures"]) == (10, 2)


def test_placing_procedure_counts_whatever_the_round_cuts_off(tmp_path: Path) -> None:
    row = frozen(tmp_path, months_to_entry=0, months_followed=240, procedures=1)

    assert row["procedures"] == 1


def test_event_after_the_round_counts_in_no_proportion(tmp_path: Path) -> None:
    device = implant("i1", **CLOSED | {"months_followed": 36})
    asker = Asker(
        tmp_path, implants=[device], events=[event("e1", on="i1", months_since_implant=30)]
    )

    assert asker.proportions() == {(): (0, 1)}


WINDOWS = (Window(0, 3), Window(4, 24), Window(25, None))
ASKED = (
    {},
    {"group_by": ("window",), "windows": WINDOWS},
    {"group_by": ("year",)},
    {"group_by": ("component",)},
    {"group_by": ("site", "drug")},
    {"group_by": ("complication",)},
)


def test_answers_are_those_of_a_registry_that_ends_at_its_rounds(tmp_path: Path) -> None:
    """Rows with rounds, and the same rows cut at them by hand, answer alike."""
    rng = np.random.default_rng(5)
    told: list[tuple[Any, ...]] = []
    cut: list[tuple[Any, ...]] = []
    told_events: list[tuple[Any, ...]] = []
    cut_events: list[tuple[Any, ...]] = []
    for place in range(400):
        component = ("pump", "catheter")[place % 2]
        device = {
            "patient": f"p{place // 2}",
            "component": component,
            "site": f"S-{place // 2 % 3}",
            "implant_year": int(rng.integers(2012, 2016)),
            "months_to_entry": int(rng.integers(0, 6)) if rng.random() < 0.3 else 0,
            "drug": ("morphine", "baclofen", "")[place // 2 % 3],
        }
        at_round = device["months_to_entry"] + int(rng.integers(0, 40))
        later = int(rng.integers(0, 20))
        had_ended, ends = rng.random() < 0.3, rng.random() < 0.5
        late = 0 if had_ended else later
        status = EXPLANTED if had_ended or ends else "active"
        own = {"months_followed": at_round + late, "exit_status": status}
        rounds = {
            "round_number": 2,
            "months_at_round": at_round,
            "followed_at_round": not had_ended,
        }
        told.append(implant(f"i{place}", **device, **own, **rounds))
        ended = EXPLANTED if had_ended else "active"
        kept = {"months_followed": at_round, "exit_status": ended}
        cut.append(implant(f"i{place}", **device, **kept))
        for number in range(int(rng.integers(0, 3))):
            month = int(rng.integers(0, at_round + late + 3))
            known = int(rng.integers(1, 3))
            values = {
                "on": f"i{place}",
                "site": device["site"],
                "complication": {"pump": "pump-flip", "catheter": "catheter-kink"}[component],
                "months_since_implant": month,
                "year": device["implant_year"] + month // 12,
            }
            told_events.append(event(f"e{place}-{number}", round_number=known, **values))
            counts = month < at_round or had_ended or (month == at_round and known < 2)
            if counts:
                cut_events.append(event(f"e{place}-{number}", **values))

    by_round = Asker(tmp_path / "told", implants=told, events=told_events)
    by_hand = Asker(tmp_path / "cut", implants=cut, events=cut_events)

    for query in ASKED:
        for counting in (EVENTS, CountingRule.FIRST_EVENT, CountingRule.EPISODES):
            ours = by_round.rates(counting=counting, **query)
            assert {key: row for key, row in ours.items() if row["exposure"]} == {
                key: row
                for key, row in by_hand.rates(counting=counting, **query).items()
                if row["exposure"]
            }
        if "window" not in query.get("group_by", ()):
            assert _having_devices(by_round.proportions(**query)) == _having_devices(
                by_hand.proportions(**query)
            )


def _having_devices(found: dict[Any, tuple[Any, Any]]) -> dict[Any, tuple[Any, Any]]:
    return {key: (n, of) for key, (n, of) in found.items() if of}
