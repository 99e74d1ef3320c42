"""Which tier counts: what a site declared up to a year, and its implants from then on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from registry.snapshot.freeze import freeze_rows
from tests.snapshot.rows import event, exposure, implant, rows_of, shipped_terms

PUMPS_FROM_2016 = {"B": {"pump": 2016}}


def frozen(root: Path, *, words: dict[str, dict[str, int]], **rows: Any) -> dict[str, list[Any]]:
    """The rows of each table of a snapshot that was frozen with sites' words."""
    terms = replace(shipped_terms(), implants_from=words)
    made = {"events": (), "implants": (), "exposures": ()} | rows
    manifest = freeze_rows(root, terms=terms, **made)
    return {table: rows_of(root, manifest, table) for table in made}


def test_one_implant_voids_no_declared_year(tmp_path: Path) -> None:
    # a pump at B from mid-2015 to mid-2020; declared: pumps 2014 to 2018, and catheters 2016
    found = frozen(
        tmp_path,
        words={},
        implants=[implant("i1", site="B", implant_year=2015, months_followed=60)],
        exposures=[
            *(exposure(f"x{year}", year=year) for year in range(2014, 2019)),
            exposure("y", year=2016, component="catheter"),
            exposure("z", year=2022, site="A"),
        ],
    )

    assert all(row["counts"] for row in found["exposures"])
    (pump,) = found["implants"]
    # from January 2019, 42 months after mid-2015, when nothing more was declared
    assert (pump["months_to_entry"], pump["time_from"], pump["time_to"]) == (42, 168, 240)


def test_word_of_the_site_divides_declared_years_from_implants(tmp_path: Path) -> None:
    found = frozen(
        tmp_path,
        words=PUMPS_FROM_2016,
        implants=[
            implant("i1", site="B", implant_year=2014, months_followed=60),
            implant("i2", site="B", implant_year=2016, months_followed=60),
            implant("i3", site="B", implant_year=2013, months_followed=30),
            implant("i4", site="A", implant_year=2014, months_followed=60),
            implant("c1", site="B", component="catheter", implant_year=2014, months_followed=60),
        ],
        exposures=[exposure(f"x{year}", year=year) for year in range(2014, 2019)],
    )

    assert {row["year"]: row["counts"] for row in found["exposures"]} == {
        2014: True,
        2015: True,
        2016: False,
        2017: False,
        2018: False,
    }
    names = ("counts", "time_from", "time_to")
    assert [tuple(row[name] for name in names) for row in found["implants"]] == [
        (True, 0, 240),  # c1: the word is of pumps
        (True, 72, 240),  # i1: from January 2016, 18 months after mid-2014
        (True, 0, 240),  # i2: implanted in that year
        (False, 0, 0),  # i3: followed to the end of 2015
        (True, 0, 240),  # i4: of another site
    ]


@pytest.mark.parametrize(
    ("month", "place"),
    [
        (6, "before-entry"),
        (7, "declared"),
        (18, "declared"),
        (19, "at-risk"),
        (61, "after-follow-up"),
    ],
)
def test_an_event_before_that_year_is_in_what_the_site_declared(
    month: int, place: str, tmp_path: Path
) -> None:
    found = frozen(
        tmp_path,
        words=PUMPS_FROM_2016,
        events=[event("e1", on="i1", site="B", year=2016, months_since_implant=month)],
        implants=[
            implant("i1", site="B", implant_year=2014, months_to_entry=6, months_followed=60)
        ],
    )

    (row,) = found["events"]
    assert (row["device_time"], row["pump_time"]) == (place, place)


def test_counts_over_all_of_follow_up_are_shared_out_evenly(tmp_path: Path) -> None:
    # 60 months, of which 42 count from January 2016 on; the placing procedure lies before
    (pump,) = frozen(
        tmp_path,
        words=PUMPS_FROM_2016,
        implants=[
            implant(
                "i1",
                site="B",
                implant_year=2014,
                months_followed=60,
                refills=20,
                procedures=4,
                exit_status="explant-elective",
            )
        ],
    )["implants"]

    assert pump["refills"] == 14
    # of 4, one placed it, one ended it: of the two between 1.4 are after the 18 months
    assert (pump["procedures"], pump["procedures_at_start"], pump["procedures_at_end"]) == (2, 0, 1)


def test_a_device_out_of_scope_takes_no_part_in_declared_time(tmp_path: Path) -> None:
    (row,) = frozen(
        tmp_path,
        words=PUMPS_FROM_2016,
        events=[event("e1", on="i1", site="B", months_since_implant=7)],
        implants=[
            implant(
                "i1",
                site="B",
                implant_year=2014,
                months_followed=60,
                exit_status="eligibility-not-met",
            )
        ],
    )["events"]

    assert row["pump_time"] == "ineligible"


def test_the_other_component_counts_by_its_own_years(tmp_path: Path) -> None:
    # pumps count from 2016, catheters from 2013: an event on the catheter in 2014 is at risk on it
    about = {"patient": "p", "site": "B", "implant_year": 2014, "months_followed": 60}
    found = frozen(
        tmp_path,
        words={"B": {"pump": 2016, "catheter": 2013}},
        events=[
            event("e1", on="c1", site="B", complication="catheter-kink", months_since_implant=6),
            event("e2", on="c1", site="B", complication="catheter-kink", months_since_implant=30),
        ],
        implants=[
            implant("c1", component="catheter", **about),
            implant("i1", **about),
        ],
    )["events"]

    places = [(row["catheter_time"], row["pump_time"]) for row in found]
    assert places == [("at-risk", "declared"), ("at-risk", "at-risk")]
