"""Follow-up, denominators and blank answers of a snapshot, counted by hand."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from registry.snapshot import completeness
from registry.snapshot.freeze import freeze_rows
from registry.snapshot.shelf import open_store
from registry.snapshot.store import Store
from registry.vocabulary import ExitStatus
from tests.snapshot.rows import event, exposure, implant, shipped_terms

QUARTERS = 4
AT_ROUND = {"round_number": 1, "followed_at_round": True}


def frozen(root: Path, *, closed_on: dict[str, str] | None = None, **rows: Any) -> Store:
    made = {"events": (), "implants": (), "exposures": (), "terms": shipped_terms()} | rows
    manifest = freeze_rows(root, closed_on=closed_on, **made)
    return open_store(root, manifest.snapshot_id)


def followed(store: Store, as_of: date | None = None, **chosen: Any) -> dict[str, int]:
    tally = completeness.follow_up(store, as_of=as_of)
    names = ("n", "followed", "lost", "observed", "possible")
    return {name: tally.total(name, **chosen) for name in names}


def test_part_of_a_tally_says_what_the_whole_says_of_it(tmp_path: Path) -> None:
    places = [("A", "pump-failure", 2015), ("A", "pump-failure", 2016), ("B", "death", 2016)]
    store = frozen(
        tmp_path,
        events=[
            event(f"e{n}", site=site, complication=complication, year=year)
            for n, (site, complication, year) in enumerate(places)
        ],
    )
    tally = completeness.answers_of_events(store)
    over = tally.over("year")

    assert set(over.keys) == {"site", "complication"}
    assert len(over.sums["n"]) == 2
    for sites, total in (({"A"}, 2), ({"B"}, 1), ({"A", "B"}, 3), (set(), 0)):
        assert tally.total("n", site=sites) == over.total("n", site=sites) == total
        assert tally.among(site=sites).total("n") == total
        assert over.among(site=sites).values("site", of="n") == sites
        assert over.values("site", of="n", complication={"death"}) & sites == sites & {"B"}
        assert over.total("severity", site=sites) == tally.total("severity", site=sites)
    assert tally.values("year", of="n", site={"A"}) == {2015, 2016}


def test_tally_of_nothing_has_no_lines_over_a_key_either(tmp_path: Path) -> None:
    over = completeness.answers_of_events(frozen(tmp_path)).over("year")

    assert over.total("n", site={"A"}, complication={"death"}) == 0
    assert over.values("site", of="n", site={"A"}) == set()


@pytest.mark.parametrize("status", ExitStatus)
def test_lost_is_whoever_could_still_be_followed(status: ExitStatus) -> None:
    ended = {"active", "replaced-end-of-service", "explant-elective", "replaced-for-failure"}
    ended |= {"explanted-for-complication", "therapy-discontinued", "eligibility-not-met"}
    ended |= {"death-related", "death-unrelated", "death-unknown"}

    assert status.is_lost == (status.value not in ended)


def test_who_is_lost_could_have_been_followed_to_the_day_of_the_round(tmp_path: Path) -> None:
    store = frozen(
        tmp_path,
        implants=[
            implant("kept", months_followed=30, months_at_round=30, **AT_ROUND),
            implant(
                "lost",
                months_followed=12,
                exit_status="lost-to-follow-up",
                round_number=1,
                months_at_round=12,
            ),
            implant(
                "died",
                months_followed=6,
                exit_status="death-unrelated",
                round_number=1,
                months_at_round=6,
            ),
        ],
        closed_on={"A": "2018-01-01"},
    )

    # Made in the middle of 2015: 30 months to the first of January 2018.
    assert followed(store) == {
        "n": 3,
        "followed": 1,
        "lost": 1,
        "observed": QUARTERS * (30 + 12 + 6),
        "possible": QUARTERS * (30 + 30 + 6),
    }


def test_without_a_round_everybody_could_be_followed_to_the_last_entry(tmp_path: Path) -> None:
    store = frozen(
        tmp_path,
        implants=[
            implant("kept", months_followed=24),
            implant("gone", months_followed=10, exit_status="care-transferred"),
            implant("out", months_followed=10, exit_status="explant-elective"),
        ],
    )

    found = followed(store, as_of=date(2018, 1, 1))

    assert found["observed"] == QUARTERS * (24 + 10 + 10)
    assert found["possible"] == QUARTERS * (30 + 30 + 10)


def test_nobody_could_be_followed_for_less_than_they_were(tmp_path: Path) -> None:
    lost = implant("lost", months_followed=40, exit_status="lost-to-follow-up")
    store = frozen(tmp_path, implants=[lost])

    assert followed(store, as_of=date(2016, 1, 1))["possible"] == QUARTERS * 40
    assert followed(store, as_of=None)["possible"] == QUARTERS * 40


def test_devices_without_a_year_of_implant_are_taken_as_they_were_followed(tmp_path: Path) -> None:
    pooled = implant("old", age_band="80-89", months_followed=130, exit_status="unknown")
    store = frozen(tmp_path, implants=[pooled])

    assert followed(store, as_of=date(2040, 1, 1))["possible"] == QUARTERS * 130
    tally = completeness.follow_up_by_year(store, as_of=date(2040, 1, 1))
    assert tally.total("possible") == 0


def test_devices_that_do_not_count_are_nowhere(tmp_path: Path) -> None:
    never = implant("never", exit_status="eligibility-not-met")
    store = frozen(tmp_path, implants=[never])

    assert followed(store, as_of=date(2018, 1, 1))["n"] == 0


def test_sums_are_by_site_and_component(tmp_path: Path) -> None:
    store = frozen(
        tmp_path,
        implants=[
            implant("a"),
            implant("b", site="B", months_followed=10),
            implant("c", component="catheter", months_followed=3),
        ],
    )

    assert followed(store, site={"A"}, component={"pump"})["observed"] == QUARTERS * 24
    assert followed(store, site={"A", "B"}, component={"pump"})["observed"] == QUARTERS * 34
    assert followed(store, component={"catheter"})["n"] == 1
    tally = completeness.follow_up(store, as_of=None)
    assert tally.values("site", of="observed", component={"catheter"}) == {"A"}


def test_possible_time_of_a_year_goes_on_after_the_loss(tmp_path: Path) -> None:
    lost = implant("lost", months_followed=6, exit_status="lost-to-follow-up")
    store = frozen(tmp_path, implants=[lost])

    tally = completeness.follow_up_by_year(store, as_of=date(2017, 7, 1))

    def of(year: int) -> tuple[int, ...]:
        return tuple(tally.total(each, year={year}) for each in ("n", "observed", "possible"))

    assert {year: of(year) for year in (2015, 2016, 2017)} == {
        2015: (1, QUARTERS * 6, QUARTERS * 6),
        2016: (0, 0, QUARTERS * 12),
        2017: (0, 0, QUARTERS * 6),
    }


def test_blank_answers_are_counted_of_devices_and_of_events(tmp_path: Path) -> None:
    store = frozen(
        tmp_path,
        implants=[implant("a", drug="morphine"), implant("b"), implant("c", sex="female")],
        events=[
            event("e1", on="a", severity=2, serious_none=True),
            event("e2", on="a", outcome="unknown", interventions=2),
            event("e3", on="b", state="submitted"),
            event("e4", on="b", actuality="near-miss"),
        ],
    )

    devices = completeness.follow_up(store, as_of=None)
    assert (devices.total("drug"), devices.total("sex"), devices.total("implant_year")) == (2, 2, 0)
    events = completeness.answers_of_events(store)
    assert events.total("n") == 2
    assert events.total("severity") == 1
    assert events.total("outcome") == 1  # "unknown" is an answer
    assert (events.total("serious"), events.total("seriousness")) == (1, 1)
    assert events.total("intervention") == 1
    assert events.total("n", complication={"csf-leak"}) == 0


def test_declared_time_counts_up_to_the_year_that_implants_count_from(tmp_path: Path) -> None:
    store = frozen(
        tmp_path,
        terms=replace(shipped_terms(), implants_from={"A": {"pump": 2015}}),
        implants=[implant("a")],
        exposures=[exposure("x"), *(exposure(f"{y}", site="A", year=y) for y in (2014, 2015))],
    )

    tally = completeness.declared_time(store)

    assert tally.total("declared", site={"B"}, year={2016}) == QUARTERS * 120
    assert tally.total("declared", site={"A"}, year={2014}) == QUARTERS * 120
    assert tally.total("declared", site={"A"}, year={2015}) == 0


def test_keyed_sums_count_the_same_devices(tmp_path: Path) -> None:
    keys = {"i": 0}

    def record_key(_public_id: bytes) -> tuple[int, int]:
        keys["i"] += 1
        return 1, 2

    manifest = freeze_rows(
        tmp_path,
        events=(),
        implants=[
            implant("a"),
            implant("b", exit_status="lost-to-follow-up"),
            implant("c", exit_status="death-unknown"),
        ],
        exposures=(),
        terms=shipped_terms(),
        record_key=record_key,
        keys="m",
    )
    store = open_store(tmp_path, manifest.snapshot_id)

    found = completeness.keyed_follow_up(store, as_of=date(2018, 1, 1))[("A", "pump")]

    sums = [
        (each.n, each.high, each.low) for each in (found.present, found.followed, found.reachable)
    ]
    assert sums == [(3, 3, 6), (1, 1, 2), (2, 2, 4)]
    assert (found.observed, found.possible) == (QUARTERS * 72, QUARTERS * (30 + 30 + 24))
