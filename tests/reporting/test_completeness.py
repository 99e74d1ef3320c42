"""The completeness of exact answers by hand, and of protected ones from shown numbers alone."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from registry.reporting.estimating.completeness import completeness_of
from registry.snapshot.freeze import freeze_rows
from registry.snapshot.shelf import open_store
from registry.vocabulary import CountingRule, Measure
from tests.reporting.asking import Asker
from tests.reporting.protecting import SITES, ask, frozen_rows
from tests.snapshot.rows import event, exposure, implant, shipped_terms

AS_OF = datetime(2018, 1, 1, tzinfo=UTC)


def exact(asker: Asker, measure: Measure = Measure.RATES, **query: Any) -> dict[str, Any]:
    question = replace(asker.question(measure, **query), as_of=AS_OF)
    return completeness_of(asker.store, question)


@pytest.fixture
def asker(tmp_path: Path) -> Asker:
    """Site A sends implants, site B declares its pump time."""
    return Asker(
        tmp_path,
        implants=[
            implant("a", months_followed=30, drug="morphine"),
            implant("b", months_followed=15, exit_status="lost-to-follow-up"),
            implant("c", months_followed=5, exit_status="death-unrelated"),
        ],
        events=[event("e1", on="a", severity=2), event("e2", site="B", year=2016)],
        exposures=[exposure("x")],
    )


def test_follow_up_is_told_in_devices_and_in_time(asker: Asker) -> None:
    found = exact(asker, where=(("complication", ("pump-flip",)),))

    assert found["follow_up"] == {
        "devices": 3,
        "in_follow_up": 1,
        "lost": 1,
        "share_in_follow_up": 0.5,
        "share_of_time": pytest.approx(50 / 65),
    }


def test_a_curve_rests_on_implants_alone(asker: Asker) -> None:
    of_flips = (("complication", ("pump-flip",)),)
    for measure in (Measure.FUNNEL, Measure.SURVIVAL, Measure.INCIDENCE):
        assert exact(asker, measure, where=of_flips)["denominators"] == {
            "sites": 1,
            "of": 2,
            "share_of_sites": 0.5,
            "share_of_time": pytest.approx(50 / 170),
        }


@pytest.mark.parametrize("counting", [CountingRule.EVENTS, CountingRule.FIRST_EVENT])
def test_a_rate_rests_on_declared_time_too(counting: CountingRule, asker: Asker) -> None:
    asked = {"where": (("complication", ("pump-flip",)),), "counting": counting}

    told = exact(asker, **asked)["denominators"]

    assert (told["sites"], told["of"], told["share_of_time"]) == (2, 2, 1.0)


def test_declared_time_that_cannot_be_followed_is_in_no_denominator(asker: Asker) -> None:
    asked = {"counting": CountingRule.EVENTS, "group_by": ("drug",)}

    told = exact(asker, where=(("complication", ("pump-flip",)),), **asked)["denominators"]

    assert told["sites"] == 1
    assert told["share_of_time"] == pytest.approx(50 / 170)


def test_blank_answers_are_told_of_each_dimension_used(asker: Asker) -> None:
    found = exact(
        asker,
        where=(("complication", ("pump-flip",)), ("severity", ("2",))),
        group_by=("drug", "year"),
    )

    told = {each["dimension"]: (each["of"], each["share"]) for each in found["not_recorded"]}
    assert told == {"severity": ("events", 0.5), "drug": ("devices", pytest.approx(2 / 3))}


def test_completeness_is_of_the_sites_asked_for(asker: Asker) -> None:
    flips = ("complication", ("pump-flip",))
    of_b = exact(asker, where=(flips, ("site", ("B",))))

    assert of_b["follow_up"]["devices"] == 0
    assert of_b["follow_up"]["share_in_follow_up"] is None
    assert of_b["follow_up"]["share_of_time"] is None
    assert of_b["denominators"]["sites"] == 1  # with what it declared
    assert exact(asker, where=(flips, ("country", ("JP",))))["denominators"]["of"] == 1


def test_rounds_are_told_with_their_days(tmp_path: Path) -> None:
    manifest = freeze_rows(
        tmp_path,
        events=(),
        implants=[implant("a"), implant("b", site="B")],
        exposures=(),
        terms=shipped_terms(),
        closed_on={"A": "2017-03-05"},
    )
    asker = Asker.__new__(Asker)
    asker.manifest, asker.store = manifest, open_store(tmp_path, manifest.snapshot_id)

    assert exact(asker)["complete_to"] == {
        "sites_with_a_closed_round": 1,
        "of": 2,
        "first": "2017-03-05",
        "last": "2017-03-05",
    }


def test_a_snapshot_is_summed_once_for_all_its_questions(
    asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact(asker)

    def scanned(*_: object, **__: object) -> None:
        raise AssertionError("The tables were scanned again.")

    monkeypatch.setattr(asker.store, "run", scanned)
    assert exact(asker, group_by=("sex",))["not_recorded"][0]["share"] == 1.0


# Protected --------------------------------------------------------------------------------------


def cohort(root: Path, *, lost: int = 60, **of: Any) -> Any:
    """400 pumps at four sites, of which some are lost and a fifth have no drug."""
    implants = [
        implant(
            f"i{place}",
            site=SITES[place % 4],
            months_followed=24,
            drug="morphine" if place // 4 % 5 else "",
            exit_status="lost-to-follow-up" if place < lost else "active",
            **of,
        )
        for place in range(400)
    ]
    events = [
        event(
            f"e{place}",
            on=f"i{place}",
            site=SITES[place % 4],
            severity=None if place // 8 % 3 else 2,
        )
        for place in range(400)
        if place // 4 % 2
    ]
    return frozen_rows(root, events=events, implants=implants)


def test_protected_completeness_is_near_the_truth_and_in_whole_per_cent(tmp_path: Path) -> None:
    found: Any = ask(cohort(tmp_path), Measure.RATES, group_by=("drug",)).meta["completeness"]

    share = found["follow_up"]["share_in_follow_up"]
    assert share == pytest.approx(340 / 400, abs=0.03)
    assert share == round(share, 2)
    assert [found["follow_up"][name] for name in ("devices", "in_follow_up", "lost")] == [None] * 3
    # All pumps are followed for 24 months, of 108 to the end of June 2024.
    assert found["follow_up"]["share_of_time"] == pytest.approx(24 / 108, abs=0.03)
    assert found["denominators"]["sites"] == 4
    assert found["denominators"]["share_of_time"] is None
    (drug,) = found["not_recorded"]
    assert drug["share"] == pytest.approx(0.2, abs=0.05)


def test_protected_blanks_of_events_come_from_protected_counts(tmp_path: Path) -> None:
    frozen = cohort(tmp_path)
    found: Any = ask(frozen, Measure.COUNTS, group_by=("severity",)).meta["completeness"]
    rows = ask(frozen, Measure.COUNTS, group_by=("severity",)).rows
    blank = next(row["n"] for row in rows if row["severity"] == "not-recorded")
    total = ask(frozen, Measure.COUNTS).rows[0]["n"]

    assert found["not_recorded"][0]["share"] == round(blank / total, 2)  # type: ignore[operator]


def test_protected_completeness_is_the_same_whatever_is_asked(tmp_path: Path) -> None:
    frozen = cohort(tmp_path)

    one: Any = ask(frozen, Measure.RATES).meta["completeness"]
    other: Any = ask(frozen, Measure.RATES, where=(("complication", ("pump-flip",)),))

    for name in ("denominators", "complete_to"):
        assert one[name] == other.meta["completeness"][name]
    of_flips = other.meta["completeness"]
    of_stalls: Any = ask(frozen, Measure.RATES, where=(("complication", ("pump-motor-stall",)),))
    assert of_flips == of_stalls.meta["completeness"]


def test_a_small_release_tells_no_completeness(tmp_path: Path) -> None:
    few = [implant(f"i{place}", site=SITES[place % 4]) for place in range(12)]
    frozen = frozen_rows(tmp_path, events=(), implants=few)

    found: Any = ask(frozen, Measure.RATES, group_by=("drug",)).meta["completeness"]

    assert found["follow_up"]["share_in_follow_up"] is None
    assert found["follow_up"]["share_of_time"] is None
    assert found["denominators"]["sites"] == 0
    assert found["not_recorded"][0]["share"] is None


def test_a_site_counts_only_where_its_devices_may_be_shown(tmp_path: Path) -> None:
    implants = [
        implant(f"i{place}", site=SITES[place % 3] if place < 300 else "D") for place in range(305)
    ]
    frozen = frozen_rows(tmp_path, events=(), implants=implants)

    found: Any = ask(frozen, Measure.RATES).meta["completeness"]

    assert (found["denominators"]["sites"], found["denominators"]["of"]) == (3, 4)
