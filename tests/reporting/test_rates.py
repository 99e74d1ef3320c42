import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from registry.records import Window
from registry.vocabulary import CountingRule, Denominator
from tests.reporting.asking import Asker
from tests.snapshot.rows import event, exposure, implant

EVENTS = CountingRule.EVENTS
WINDOWS = (Window(0, 3), Window(4, 12), Window(13))


def test_device_time_is_followed_minus_entry_and_a_quarter_month_at_0(tmp_path: Path) -> None:
    # 24 + (24 - 10) + 0.25
    asker = Asker(
        tmp_path,
        implants=[
            implant("i1"),
            implant("i2", months_to_entry=10),
            implant("i3", months_followed=0),
        ],
    )

    assert asker.parts_of_rates() == {(): (0, 38.25, "pump-months")}


def test_events_before_entry_and_after_follow_up_do_not_count(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[
            event("e1", on="i1", months_since_implant=10),
            event("e2", on="i1", months_since_implant=11),
            event("e3", on="i1", months_since_implant=24),
            event("e4", on="i1", months_since_implant=25),
        ],
        implants=[implant("i1", months_to_entry=10)],
    )

    assert asker.parts_of_rates(counting=EVENTS) == {(): (2, 14.0, "pump-months")}


def test_first_event_ends_its_devices_time(tmp_path: Path) -> None:
    # i1: first at 6 of 24 months; i2: at month 0, a quarter month; i3: none
    asker = Asker(
        tmp_path,
        events=[
            event("e1", on="i1", months_since_implant=9),
            event("e2", on="i1", months_since_implant=6),
            event("e3", on="i2", months_since_implant=0),
        ],
        implants=[implant("i1"), implant("i2"), implant("i3")],
    )

    assert asker.parts_of_rates() == {(): (2, 6 + 0.25 + 24, "pump-months")}


def test_first_event_is_that_of_the_row(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[
            event("e1", on="i1", months_since_implant=6),
            event("e2", on="i1", months_since_implant=9, complication="pump-septum-leak"),
        ],
        implants=[implant("i1")],
    )

    assert asker.parts_of_rates(group_by=("complication",)) == {
        ("pump-flip",): (1, 6.0, "pump-months"),
        ("pump-septum-leak",): (1, 9.0, "pump-months"),
    }


def test_first_event_of_a_patient_ends_the_time_of_later_pumps_too(tmp_path: Path) -> None:
    # p: 24 months, then 12; withdrawal at month 20 of the first. q: withdrawal on the second.
    asker = Asker(
        tmp_path,
        events=[
            event("e1", on="p1", complication="baclofen-withdrawal", months_since_implant=20),
            event("e2", on="p2", complication="baclofen-withdrawal", months_since_implant=3),
            event("e3", on="q2", complication="baclofen-withdrawal", months_since_implant=5),
        ],
        implants=[
            implant("p1", patient="p", months_followed=24),
            implant("p2", patient="p", implant_year=2017, months_followed=12),
            implant("q1", patient="q", months_followed=30),
            implant("q2", patient="q", implant_year=2018, months_followed=12),
        ],
    )

    assert asker.parts_of_rates(where=(("category", ("withdrawal",)),)) == {
        (): (2, 20 + 0 + 30 + 5.0, "pump-months")
    }
    per_device = asker.parts_of_rates(where=(("category", ("pump", "withdrawal")),))
    assert per_device == {(): (3, 20 + 3 + 30 + 5.0, "pump-months")}


def test_death_is_the_patients(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[event("e1", on="p1", complication="death", months_since_implant=20)],
        implants=[
            implant("p1", patient="p", months_followed=24),
            implant("p2", patient="p", implant_year=2017, months_followed=12),
        ],
    )

    found = asker.parts_of_rates(where=(("complication", ("death",)),))
    assert found == {(): (1, 20.0, "pump-months")}


def test_patients_later_pump_of_another_row_keeps_its_time(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[event("e1", on="p1", complication="sedation", months_since_implant=20)],
        implants=[
            implant("p1", patient="p", pump_model="isomed"),
            implant("p2", patient="p", pump_model="medstream", implant_year=2017),
        ],
    )

    found = asker.parts_of_rates(where=(("complication", ("sedation",)),), group_by=("pump_model",))
    assert found == {
        ("isomed",): (1, 20.0, "pump-months"),
        ("medstream",): (0, 24.0, "pump-months"),
    }


def test_device_leaves_later_windows_and_years_with_its_first_event_ever(tmp_path: Path) -> None:
    # two pumps of mid-2015, followed for 24 months; i1 has events at months 3 and 14
    asker = Asker(
        tmp_path,
        events=[
            event("e1", on="i1", months_since_implant=3, year=2015),
            event("e2", on="i1", months_since_implant=14, year=2016),
            event("e3", on="i2", months_since_implant=14, year=2016),
        ],
        implants=[implant("i1"), implant("i2")],
    )

    assert asker.parts_of_rates(windows=WINDOWS, group_by=("window",)) == {
        ("0-3",): (1, 3.0 + 3.5, "pump-months"),
        ("4-12",): (0, 9.0, "pump-months"),
        ("13-",): (1, 1.5, "pump-months"),
    }
    assert asker.parts_of_rates(group_by=("year",)) == {
        (2015,): (1, 3.0 + 6.0, "pump-months"),
        (2016,): (1, 8.0, "pump-months"),
        (2017,): (0, 0.0, "pump-months"),
    }
    # a filter is the same row alone
    assert asker.parts_of_rates(years=(2016, 2016)) == {(): (1, 8.0, "pump-months")}
    assert asker.parts_of_rates(windows=(Window(13, None),)) == {(): (1, 1.5, "pump-months")}
    in_row = CountingRule.FIRST_IN_ROW
    assert asker.parts_of_rates(counting=in_row, years=(2016, 2016)) == {
        (): (2, 8.0 + 8.0, "pump-months")
    }
    assert asker.parts_of_rates(counting=in_row) == asker.parts_of_rates()


def test_of_two_events_in_one_month_the_earlier_year_is_the_first(tmp_path: Path) -> None:
    events = [
        event(f"e{n}", on="i1", months_since_implant=6, year=year)
        for n, year in enumerate((None, 2016, 2015))
    ]
    asker = Asker(tmp_path, events=events, implants=[implant("i1")])

    found = asker.parts_of_rates(group_by=("year",))
    assert found[(2015,)] == (1, 6.0, "pump-months")
    assert found[(2016,)][1] == 0.0


def test_window_holds_its_months_and_the_time_from_half_a_month_before(tmp_path: Path) -> None:
    # 24 months: 0 to 3.5, 3.5 to 12.5, 12.5 to 24
    asker = Asker(
        tmp_path,
        events=[
            event("e1", on="i1", months_since_implant=3),
            event("e2", on="i1", months_since_implant=4),
        ],
        implants=[implant("i1")],
    )

    assert asker.parts_of_rates(counting=EVENTS, windows=WINDOWS, group_by=("window",)) == {
        ("0-3",): (1, 3.5, "pump-months"),
        ("4-12",): (1, 9.0, "pump-months"),
        ("13-",): (0, 11.5, "pump-months"),
    }
    in_row = CountingRule.FIRST_IN_ROW
    assert asker.parts_of_rates(counting=in_row, windows=WINDOWS, group_by=("window",)) == {
        ("0-3",): (1, 3.0, "pump-months"),
        ("4-12",): (1, 0.5, "pump-months"),
        ("13-",): (0, 11.5, "pump-months"),
    }
    assert asker.parts_of_rates(counting=EVENTS, windows=(Window(4, 12),)) == {
        (): (1, 9.0, "pump-months")
    }


def test_window_starts_with_entry_where_that_is_later(tmp_path: Path) -> None:
    asker = Asker(tmp_path, implants=[implant("i1", months_to_entry=10, months_followed=12)])

    assert asker.parts_of_rates(windows=WINDOWS, group_by=("window",)) == {
        ("4-12",): (0, 2.0, "pump-months")
    }


def test_device_time_splits_by_year_from_the_middle_of_the_year_of_implant(tmp_path: Path) -> None:
    # implanted in mid-2015, followed for 24 months: 6 in 2015, 12 in 2016, 6 in 2017
    asker = Asker(
        tmp_path,
        events=[event("e1", on="i1", year=2016, months_since_implant=9)],
        implants=[implant("i1")],
    )

    assert asker.parts_of_rates(counting=EVENTS, group_by=("year",)) == {
        (2015,): (0, 6.0, "pump-months"),
        (2016,): (1, 12.0, "pump-months"),
        (2017,): (0, 6.0, "pump-months"),
    }
    # the first event of 2016 ends the time of 2016 at month 9, 3 months into the year
    assert asker.parts_of_rates(group_by=("year",))[(2016,)] == (1, 3.0, "pump-months")
    assert asker.parts_of_rates(counting=EVENTS, years=(2016, 2017)) == {
        (): (1, 18.0, "pump-months")
    }
    assert asker.parts_of_rates(counting=EVENTS, group_by=("period",)) == {
        ("2015-2019",): (1, 24.0, "pump-months")
    }


def test_year_and_window_split_together(tmp_path: Path) -> None:
    # 2016 is months 6 to 18 on the device's clock; 12.5 to 18 of it in the last window
    asker = Asker(tmp_path, implants=[implant("i1")])

    found = asker.parts_of_rates(windows=WINDOWS, group_by=("window", "year"))
    assert found[("13-", 2016)] == (0, 5.5, "pump-months")
    assert found[("4-12", 2016)] == (0, 6.5, "pump-months")


def test_device_without_a_year_of_implant_has_no_time_by_year(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[event("e1", on="i1", year=2016, months_since_implant=9)],
        implants=[implant("i1", age_band="80-89", months_followed=130)],
    )

    assert asker.rates(counting=EVENTS, group_by=("year",))[(2016,)]["status"] == "no_denominator"
    assert asker.parts_of_rates(counting=EVENTS) == {(): (1, 130.0, "pump-months")}


def test_each_complication_has_its_own_denominator(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[
            event("e1", on="p1"),
            event("e2", on="c1", complication="catheter-kink"),
            event("e3", on="p1", complication="csf-leak", days_since_procedure="0-7"),
            event("e4", on="p1", complication="refill-pocket-fill"),
        ],
        implants=[
            implant("p1", patient="p", procedures=2, refills=8),
            implant("c1", patient="p", component="catheter", months_followed=20),
        ],
    )

    found = asker.parts_of_rates(group_by=("complication",), counting=EVENTS)
    assert found == {
        ("pump-flip",): (1, 24.0, "pump-months"),
        ("catheter-kink",): (1, 20.0, "catheter-months"),
        ("csf-leak",): (1, 2.0, "procedures"),
        ("refill-pocket-fill",): (1, 8.0, "refills"),
    }
    for complication, row in found.items():
        assert asker.parts_of_rates(where=(("complication", complication),), counting=EVENTS) == {
            (): row
        }


def test_catheter_event_counts_per_pump_month_when_asked(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[event("e1", on="c1", complication="catheter-kink", months_since_implant=6)],
        implants=[
            implant("p1", patient="p"),
            implant("c1", patient="p", component="catheter", months_followed=20),
        ],
    )

    found = asker.parts_of_rates(
        where=(("category", ("catheter",)),), unit=Denominator.PUMP_MONTHS, counting=EVENTS
    )
    assert found == {(): (1, 24.0, "pump-months")}


def test_per_procedure_only_events_within_90_days_of_one_count(tmp_path: Path) -> None:
    bands = ["0-7", "8-30", "31-60", "61-90", "91-365", "over-365", "unknown", ""]
    asker = Asker(
        tmp_path,
        events=[
            event(f"e{place}", on="i1", complication="csf-leak", days_since_procedure=band)
            for place, band in enumerate(bands)
        ],
        implants=[implant("i1", procedures=3)],
    )
    where = (("complication", ("csf-leak",)),)

    assert asker.parts_of_rates(where=where, counting=EVENTS) == {(): (4, 3.0, "procedures")}
    later = asker.parts_of_rates(where=where, counting=EVENTS, unit=Denominator.PUMP_MONTHS)
    assert later == {(): (8, 24.0, "pump-months")}


def test_device_without_a_count_of_procedures_contributes_nothing(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[
            event(f"e-{name}", on=name, complication="csf-leak", days_since_procedure="0-7")
            for name in ("i1", "i2")
        ],
        implants=[implant("i1", procedures=3), implant("i2", procedures=None)],
    )

    assert asker.parts_of_rates(where=(("complication", ("csf-leak",)),)) == {
        (): (1, 3.0, "procedures")
    }


WOUND = (("complication", ("infection-pocket",)),)
EXPLANTED = implant(
    "i1", procedures=4, refills=24, exit_status="explanted-for-complication"
)  # a pump of mid-2015 that is explanted after 24 months


def infected(name: str, month: int, year: int, band: str) -> tuple[object, ...]:
    """A pocket infection of that pump."""
    return event(
        name,
        on="i1",
        complication="infection-pocket",
        months_since_implant=month,
        year=year,
        days_since_procedure=band,
    )


def test_infection_after_an_explant_counts_per_procedure_and_in_no_device_time(
    tmp_path: Path,
) -> None:
    asker = Asker(
        tmp_path,
        events=[infected("e1", 25, 2017, "8-30"), infected("e2", 29, 2017, "91-365")],
        implants=[EXPLANTED],
    )

    assert asker.parts_of_rates(where=WOUND, counting=EVENTS) == {(): (1, 4.0, "procedures")}
    months = asker.parts_of_rates(where=WOUND, counting=EVENTS, unit=Denominator.PUMP_MONTHS)
    assert months == {(): (0, 24.0, "pump-months")}
    told = asker.coverage(where=WOUND)
    assert (told["counted"], told["after_follow_up"], told["without_denominator"]) == (1, 1, 0)


def test_procedures_have_rates_by_year_and_by_window(tmp_path: Path) -> None:
    # one at the implantation, one at the explant, two spread over 24 months
    asker = Asker(
        tmp_path,
        events=[infected("e1", 1, 2015, "8-30"), infected("e2", 25, 2017, "8-30")],
        implants=[EXPLANTED],
    )

    for counting in (EVENTS, CountingRule.EPISODES, CountingRule.FIRST_IN_ROW):
        asks = {"where": WOUND, "counting": counting}
        assert asker.parts_of_rates(**asks, group_by=("year",)) == {
            (2015,): (1, 1 + 0.5, "procedures"),
            (2016,): (0, 1.0, "procedures"),
            (2017,): (1, 0.5 + 1, "procedures"),
        }
        assert asker.parts_of_rates(**asks, years=(2017, 2017)) == {(): (1, 1.5, "procedures")}
        by_window = asker.parts_of_rates(**asks, windows=WINDOWS, group_by=("window",))
        # by 3.5, 12.5 and 24 of 24 months 37, 133 and 256 of 256 parts, to the nearest
        assert by_window == {
            ("0-3",): (1, 1 + 37 / 128, "procedures"),
            ("4-12",): (0, 96 / 128, "procedures"),
            ("13-",): (1, 1 + 123 / 128, "procedures"),
        }
    # the first ever is that of 2015
    assert asker.parts_of_rates(where=WOUND, group_by=("year",))[(2017,)][0] == 0


def test_refills_are_spread_evenly_over_follow_up(tmp_path: Path) -> None:
    where = (("complication", ("refill-pocket-fill",)),)
    asker = Asker(
        tmp_path,
        events=[
            event(
                "e1", on="i1", complication="refill-pocket-fill", months_since_implant=9, year=2016
            )
        ],
        implants=[EXPLANTED],
    )

    assert asker.parts_of_rates(where=where, group_by=("year",)) == {
        (2015,): (0, 6.0, "refills"),
        (2016,): (1, 12.0, "refills"),
        (2017,): (0, 6.0, "refills"),
    }


@given(
    entry=st.integers(0, 60),
    followed=st.integers(0, 140),
    procedures=st.integers(0, 9),
    refills=st.integers(0, 99),
    status=st.sampled_from(["active", "explant-elective", "replaced-for-failure"]),
)
@hypothesis_settings(max_examples=25)
def test_years_and_windows_make_up_all_that_a_device_gives(
    entry: int, followed: int, procedures: int, refills: int, status: str
) -> None:
    device = implant(
        "i1",
        months_to_entry=min(entry, followed - 1) if followed else 0,
        months_followed=followed,
        procedures=procedures,
        refills=refills,
        exit_status=status,
    )
    with tempfile.TemporaryDirectory() as folder:
        asker = Asker(Path(folder), implants=[device])
        for unit, total in ((Denominator.PROCEDURES, procedures), (Denominator.REFILLS, refills)):
            for group_by in (("year",), ("period",), ("window",), ("year", "window")):
                found = asker.parts_of_rates(unit=unit, group_by=group_by)
                assert sum(row[1] for row in found.values()) == pytest.approx(total), group_by


def test_declared_exposure_counts_with_the_events_of_its_site_and_year(tmp_path: Path) -> None:
    # B: 120 pump-months in 2016; e1 in 2016, e2 in 2017 without a declaration, e3 at A
    asker = Asker(
        tmp_path,
        events=[
            event("e1", site="B", year=2016),
            event("e2", site="B", year=2017),
            event("e3", year=2016),
            event("e4", on="i1"),
        ],
        implants=[implant("i1")],
        exposures=[exposure("x1")],
    )

    assert asker.parts_of_rates(counting=EVENTS) == {(): (2, 144.0, "pump-months")}
    # first events: six months on the device up to its own, and what was declared
    assert asker.parts_of_rates() == {(): (2, 126.0, "pump-months")}
    assert asker.parts_of_rates(counting=EVENTS, group_by=("year",))[(2016,)] == (
        1,
        132.0,
        "pump-months",
    )


@pytest.mark.parametrize("counting", [EVENTS, CountingRule.FIRST_EVENT])
def test_one_implant_voids_no_declared_year_and_its_own_time_is_not_counted_twice(
    counting: CountingRule, tmp_path: Path
) -> None:
    # the pump is in place from mid-2015 to mid-2017: it counts from 2017 on
    asker = Asker(
        tmp_path,
        events=[
            event("e1", on="i1", site="B", year=2016),
            event("e2", site="B", year=2016),
            event("e3", on="i1", site="B", year=2017, months_since_implant=24),
        ],
        implants=[implant("i1", site="B")],
        exposures=[exposure("x1", year=2016)],
    )

    assert asker.parts_of_rates(counting=counting) == {(): (3, 126.0, "pump-months")}
    told = asker.coverage(counting=counting)
    assert (told["n"], told["counted"], told["without_denominator"]) == (3, 3, 0)
    assert told["tiers"][0] == {
        "unit": "pump-months",
        "implants": 6.0,
        "declared": 120.0,
        "share_declared": 120 / 126,
    }


def test_first_events_of_each_row_take_declared_years_as_they_are(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[event(f"e{n}", site="B", year=2016 + n // 4) for n in range(5)],
        exposures=[exposure("x1"), exposure("x2", year=2017)],
    )

    (row,) = asker.rates(counting=CountingRule.FIRST_IN_ROW).values()
    assert (row["events"], row["exposure"]) == (5, 240.0)
    # two years with 4 and 1 events, of 2.5 expected each: ((1.5)^2 + (1.5)^2) / 5 * 2 = 1.8
    assert row["dispersion_declared"] == pytest.approx(1.8)


def test_first_events_of_a_row_that_declared_time_cannot_follow_are_of_devices(
    tmp_path: Path,
) -> None:
    asker = Asker(
        tmp_path,
        events=[event("e1", on="i1"), event("e2", site="B", year=2016)],
        implants=[implant("i1", drug="morphine")],
        exposures=[exposure("x1")],
    )

    assert asker.parts_of_rates(where=(("drug", ("morphine",)),)) == {(): (1, 6.0, "pump-months")}
    assert asker.parts_of_rates(standardise=("drug",)) == {(): (1, 6.0, "pump-months")}


def test_declared_exposure_gives_procedures_by_year(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[
            event("e1", site="B", year=2016, complication="csf-leak", days_since_procedure="8-30"),
            event("e2", site="B", year=2016, complication="csf-leak", days_since_procedure=""),
        ],
        exposures=[exposure("x1", procedures=15)],
    )

    found = asker.parts_of_rates(
        where=(("complication", ("csf-leak",)),), counting=EVENTS, group_by=("year",)
    )
    assert found == {(2016,): (1, 15.0, "procedures")}


@pytest.mark.parametrize(
    "query",
    [
        {"where": (("drug", ("morphine",)),)},
        {"where": (("sex", ("not-recorded",)),)},
        {"windows": (Window(0, None),)},
    ],
)
def test_declared_exposure_stays_out_where_it_cannot_follow_the_question(
    tmp_path: Path, query: dict
) -> None:
    asker = Asker(
        tmp_path,
        events=[event("e1", site="B", year=2016, drug="morphine")],
        exposures=[exposure("x1")],
    )

    assert asker.rates(counting=EVENTS, **query)[()]["status"] == "no_denominator"


def test_device_filter_restricts_both_sides_and_event_filter_the_events_only(
    tmp_path: Path,
) -> None:
    asker = Asker(
        tmp_path,
        events=[event("e1", on="i1", severity=3), event("e2", on="i2", severity=2)],
        implants=[implant("i1", drug="morphine"), implant("i2", drug="baclofen")],
    )

    assert asker.parts_of_rates(counting=EVENTS, where=(("drug", ("morphine",)),)) == {
        (): (1, 24.0, "pump-months")
    }
    assert asker.parts_of_rates(counting=EVENTS, where=(("severity", ("3",)),)) == {
        (): (1, 48.0, "pump-months")
    }
    assert asker.parts_of_rates(counting=EVENTS, group_by=("severity", "drug")) == {
        (3, "morphine"): (1, 24.0, "pump-months"),
        (3, "baclofen"): (0, 24.0, "pump-months"),
        (2, "morphine"): (0, 24.0, "pump-months"),
        (2, "baclofen"): (1, 24.0, "pump-months"),
    }


def test_component_holds_to_the_devices_own_events(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[event("e1", on="p1"), event("e2", on="c1", complication="catheter-kink")],
        implants=[
            implant("p1", patient="p"),
            implant("c1", patient="p", component="catheter", months_followed=20),
        ],
    )
    rows = {
        ("pump",): (1, 24.0, "pump-months"),
        ("catheter",): (1, 20.0, "catheter-months"),
    }

    assert asker.parts_of_rates(counting=EVENTS, group_by=("component",)) == rows
    for component, row in rows.items():
        found = asker.parts_of_rates(counting=EVENTS, where=(("component", component),))
        assert found == {(): row}


def test_rate_of_first_events_has_garwoods_limits(tmp_path: Path) -> None:
    # 15 first events in 400 months: 0.0209884653 to 0.0618505472 (R DescTools, exactci)
    pumps = [implant(f"i{n:02d}", months_followed=10) for n in range(25)] + [
        implant(f"j{n:02d}", months_followed=20) for n in range(15)
    ]
    events = [event(f"e{n:02d}", on=f"j{n:02d}", months_since_implant=10) for n in range(15)]
    asker = Asker(tmp_path, events=events, implants=pumps)

    row = asker.rates()[()]

    assert (row["events"], row["exposure"], row["status"]) == (15, 400.0, "unstable")
    assert row["rate"] == pytest.approx(0.0375)
    assert row["ci_lower"] == pytest.approx(0.0209884653, rel=1e-8)
    assert row["ci_upper"] == pytest.approx(0.0618505472, rel=1e-8)
    assert asker.rates(per=1000)[()]["rate"] == pytest.approx(37.5)


def test_rate_of_events_reports_the_dispersion_between_patients(tmp_path: Path) -> None:
    # four patients of 10 months; one has all 4 events. Rate 0.1, expected 1 each:
    # ((4-1)^2 + 3 * 1) / 4 * 4/3 = 4
    asker = Asker(
        tmp_path,
        events=[event(f"e{n}", on="i0", months_since_implant=n) for n in range(1, 5)],
        implants=[implant(f"i{n}", months_followed=10) for n in range(4)],
    )

    row = asker.rates(counting=EVENTS)[()]

    assert (row["events"], row["exposure"]) == (4, 40.0)
    assert row["dispersion"] == pytest.approx(4.0)


def test_dispersion_is_between_patients_not_devices(tmp_path: Path) -> None:
    # as above, but all four pumps are one patient's: one cluster has no dispersion
    asker = Asker(
        tmp_path,
        events=[event(f"e{n}", on="i0", months_since_implant=n) for n in range(1, 5)],
        implants=[
            implant(f"i{n}", patient="p", implant_year=2015 + n, months_followed=10)
            for n in range(4)
        ],
    )

    assert asker.rates(counting=EVENTS)[()]["dispersion"] is None


def test_episodes_count_once_in_a_rate_and_time_runs_on(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[
            event("e1", on="i1", months_since_implant=3),
            event("e2", on="i1", months_since_implant=5, caused_by="e1"),
        ],
        implants=[implant("i1")],
    )

    found = asker.parts_of_rates(counting=CountingRule.EPISODES)
    assert found == {(): (1, 24.0, "pump-months")}


@pytest.mark.parametrize(("events", "status"), [(0, "zero"), (19, "unstable"), (20, "ok")])
def test_rate_from_fewer_than_20_events_is_unstable(
    tmp_path: Path, events: int, status: str
) -> None:
    asker = Asker(
        tmp_path,
        events=[event(f"e{n:02d}", on="i1") for n in range(events)],
        implants=[implant("i1")],
    )

    assert asker.rates(counting=EVENTS)[()]["status"] == status


def test_no_denominator_no_rate(tmp_path: Path) -> None:
    row = Asker(tmp_path, events=[event("e1")]).rates()[()]

    assert (row["events"], row["exposure"], row["rate"], row["ci_upper"], row["status"]) == (
        1,
        0.0,
        None,
        None,
        "no_denominator",
    )


def test_rows_are_the_answer_to_the_question_filtered_to_them(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[
            event("e1", on="i1", severity=3, months_since_implant=2),
            event("e2", on="i1", severity=3, months_since_implant=9),
            event("e3", on="i2", severity=2, months_since_implant=4),
            event("e4", on="i2", severity=3, months_since_implant=8),
        ],
        implants=[
            implant("i1", drug="morphine", sex="male"),
            implant("i2", drug="baclofen", sex="male"),
            implant("i3", drug="baclofen", sex=""),
        ],
    )

    grouped = asker.parts_of_rates(group_by=("drug", "sex", "severity"))

    assert len(grouped) == 6
    for (drug, sex, severity), row in grouped.items():
        where = (
            ("drug", (str(drug),)),
            ("severity", (str(severity),)),
            ("sex", (str(sex) or "not-recorded",)),
        )
        assert asker.parts_of_rates(where=where) == {(): row}


def test_implant_that_should_not_have_been_followed_gives_neither_time_nor_events(
    tmp_path: Path,
) -> None:
    asker = Asker(
        tmp_path,
        events=[event("e1", on="i1"), event("e2", on="i2")],
        implants=[implant("i1", exit_status="eligibility-not-met"), implant("i2")],
    )

    assert asker.parts_of_rates(counting=EVENTS) == {(): (1, 24.0, "pump-months")}
    assert asker.counts() == {(): 2}


def test_declared_exposure_counts_beside_an_implant_that_does_not(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        implants=[implant("i1", site="B", exit_status="eligibility-not-met")],
        exposures=[exposure("x1", year=2016)],
    )

    assert asker.parts_of_rates(counting=EVENTS) == {(): (0, 120.0, "pump-months")}


def test_event_outside_its_own_devices_time_counts_on_no_other_component(tmp_path: Path) -> None:
    # both lie in the pump's follow-up, one before the catheter's and one after it
    asker = Asker(
        tmp_path,
        events=[
            event("e1", on="c1", complication="granuloma", months_since_implant=10),
            event("e2", on="c1", complication="granuloma", months_since_implant=11),
            event("e3", on="c1", complication="granuloma", months_since_implant=21),
        ],
        implants=[
            implant("p1", patient="p"),
            implant(
                "c1", patient="p", component="catheter", months_to_entry=10, months_followed=20
            ),
        ],
    )
    fields = {"unit": Denominator.PUMP_MONTHS, "counting": EVENTS}

    assert asker.parts_of_rates(**fields) == {(): (1, 24.0, "pump-months")}
    told = asker.coverage(**fields)
    assert (told["excluded_before_entry"], told["after_follow_up"]) == (1, 1)


def test_event_without_an_implant_counts_only_in_a_row_that_its_site_and_year_declare(
    tmp_path: Path,
) -> None:
    asker = Asker(
        tmp_path,
        events=[
            event("e1", site="B", year=2016, pump_model="isomed"),
            event("e2", site="B", year=2016, pump_model="prometra"),
            event("e3", on="i1", year=2016),
        ],
        implants=[implant("i1", pump_model="prometra")],
        exposures=[exposure("x1", pump_model="isomed")],
    )

    assert asker.parts_of_rates(counting=EVENTS, group_by=("pump_model",)) == {
        ("isomed",): (1, 120.0, "pump-months"),
        ("prometra",): (1, 24.0, "pump-months"),
    }


def test_episode_over_two_declared_years_counts_once(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[
            event("e1", site="B", year=2016),
            event("e2", site="B", year=2017, complication="skin-erosion", caused_by="e1"),
        ],
        exposures=[exposure("x1"), exposure("x2", year=2017)],
    )

    assert asker.parts_of_rates(counting=CountingRule.EPISODES) == {(): (1, 240.0, "pump-months")}
    assert asker.parts_of_rates(counting=CountingRule.EPISODES, group_by=("year",)) == {
        (2016,): (1, 120.0, "pump-months"),
        (2017,): (1, 120.0, "pump-months"),
    }
