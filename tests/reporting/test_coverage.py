from pathlib import Path

from registry.records import Window
from registry.vocabulary import CountingRule
from tests.reporting.asking import Asker
from tests.snapshot.rows import event, exposure, implant

EVENTS = CountingRule.EVENTS


def test_coverage_says_why_events_are_not_counted(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[
            event("e1", on="i1", months_since_implant=6),
            event("e2", on="i1", months_since_implant=7),
            event("e3", on="i1", months_since_implant=40),
            event("e4"),
            event("e5", site="B", year=2016),
        ],
        implants=[implant("i1", months_to_entry=6)],
        exposures=[exposure("x1")],
    )

    found = asker.coverage(counting=EVENTS)

    assert found == {
        "n": 5,
        "counted": 2,
        "excluded_before_entry": 1,
        "after_follow_up": 1,
        "after_last_round": 0,
        "over_90_days": 0,
        "without_denominator": 1,
        "tiers": [
            {
                "unit": "pump-months",
                "implants": 18.0,
                "declared": 120.0,
                "share_declared": 120 / 138,
            }
        ],
        "sites": 2,
        "sites_with_denominator": 2,
    }


def test_coverage_counts_events_over_90_days_since_a_procedure(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[
            event("e1", on="i1", complication="csf-leak", days_since_procedure="61-90"),
            event("e2", on="i1", complication="csf-leak", days_since_procedure="91-365"),
        ],
        implants=[implant("i1", procedures=1)],
    )

    found = asker.coverage(where=(("complication", ("csf-leak",)),))

    assert (found["counted"], found["over_90_days"], found["without_denominator"]) == (1, 1, 0)


def test_coverage_knows_sites_without_a_denominator(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path, events=[event("e1", site="B"), event("e2", on="i1")], implants=[implant("i1")]
    )

    found = asker.coverage()

    assert (found["sites"], found["sites_with_denominator"]) == (2, 1)
    assert found["without_denominator"] == 1


def test_declared_exposure_is_a_tier_of_first_events_too(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[event("e1", site="B", year=2016)],
        implants=[implant("i1")],
        exposures=[exposure("x1")],
    )

    found = asker.coverage()

    assert (found["tiers"][0]["implants"], found["tiers"][0]["declared"]) == (24, 120)
    assert (found["counted"], found["without_denominator"]) == (1, 0)
    assert (found["sites"], found["sites_with_denominator"]) == (2, 2)


def test_coverage_can_be_broken_down(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path, events=[event("e1", site="B"), event("e2", on="i1")], implants=[implant("i1")]
    )

    found = asker.coverage_rows(group_by=("site",))

    assert {key: (row["n"], row["counted"]) for key, row in found.items()} == {
        ("A",): (1, 1),
        ("B",): (1, 0),
    }


def test_coverage_of_months_knows_events_that_no_device_is_found_for(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[event("e1", months_since_implant=3), event("e2", months_since_implant=9)],
    )

    found = asker.coverage(windows=(Window(0, 3),))

    assert (found["n"], found["without_denominator"]) == (1, 1)
