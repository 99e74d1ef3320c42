"""Survival and cumulative incidence by hand, over small registries."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lifelines import AalenJohansenFitter, KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from statsmodels.duration.survfunc import survdiff

from registry.records import BadQuery
from registry.reporting.asking.spec import Row
from registry.reporting.estimating import curves
from registry.reporting.estimating.curve_tests import TWO_CLOCKS
from registry.reporting.estimating.curves import incidence_curves, survival_curves
from registry.snapshot.schema import EVENT_SOURCE, IMPLANT_SOURCE
from registry.statistics.survival import kaplan_meier
from registry.vocabulary import ExitEffect, ExitStatus, Measure
from tests.reporting.asking import Asker
from tests.reporting.protecting import tangled_rows
from tests.snapshot.row_level import NO_EVENT, lifetimes
from tests.snapshot.rows import event, implant

Told = tuple[Any, ...]
ENTRY = IMPLANT_SOURCE.index("months_to_entry")


def survival(asker: Asker, **query: Any) -> tuple[list[Row], dict[str, Any]]:
    return survival_curves(asker.store, asker.question(Measure.SURVIVAL, **query))


def incidence(asker: Asker, **query: Any) -> tuple[list[Row], dict[str, Any]]:
    return incidence_curves(asker.store, asker.question(Measure.INCIDENCE, **query))


def told(rows: list[Row], key: Told = ()) -> list[Told]:
    names = ("time_months", "at_risk", "events", "estimate")
    return [tuple(row.numbers[name] for name in names) for row in rows if row.key == key]


def pumps(number: int, **values: object) -> list[tuple[object, ...]]:
    """So many pumps, i0 to the last, each of a patient of its own and followed for 24 months."""
    return [implant(f"i{place}", **values) for place in range(number)]


def flips(**months: int) -> list[tuple[object, ...]]:
    """A pump flip on each pump named, in the month given."""
    return [
        event(f"e{name}", on=name, months_since_implant=month) for name, month in months.items()
    ]


def of(events: Any, implants: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """The events of these implants."""
    kept = {row[0] for row in implants}
    return [row for row in events if row[EVENT_SOURCE.index("implant")] in kept]


# Survival ---------------------------------------------------------------------------------------


def test_curve_has_a_row_at_its_start_at_each_month_with_an_event_and_at_its_end(
    tmp_path: Path,
) -> None:
    asker = Asker(tmp_path, events=flips(i0=6, i1=6, i2=10), implants=pumps(20))

    rows, meta = survival(asker)

    assert told(rows) == [
        (0, 20, 0, 1.0),
        (6, 20, 2, pytest.approx(18 / 20)),
        (10, 18, 1, pytest.approx(17 / 20)),
        (24, 17, 0, pytest.approx(17 / 20)),
    ]
    last = rows[-1].numbers
    lower, upper = last["ci_lower"], last["ci_upper"]
    mean = meta["curves"][0]["restricted_mean"]
    assert meta["curves"] == [
        {
            "devices": 20,
            "events": 3,
            "events_outside": 0,
            "median_months": None,
            "median_lower": None,
            "median_upper": None,
            "landmarks": [
                {
                    "time_months": month,
                    "at_risk": 17,
                    "estimate": pytest.approx(17 / 20),
                    "ci_lower": pytest.approx(lower),
                    "ci_upper": pytest.approx(upper),
                }
                for month in (12, 24)
            ],
            "numbers_at_risk": [
                {"time_months": month, "at_risk": 20 if month <= 6 else 18 if month <= 10 else 17}
                for month in range(0, 25, 3)
            ],
            "restricted_mean": {
                "from_months": 0,
                "until_months": 24,
                "mean_months": pytest.approx(6 + 4 * 18 / 20 + 14 * 17 / 20),
                "ci_lower": pytest.approx(mean["ci_lower"]),
                "ci_upper": pytest.approx(mean["ci_upper"]),
            },
            "robust_to": "nothing",
            "standard_errors": {
                "at_months": 10,
                "of_independent_devices": pytest.approx(np.sqrt(0.85 * 0.15 / 20)),
                "robust_to_patients": None,
                "robust_to_sites": None,
            },
            "starts_at_months": 0,
            "ends_at_months": 24,
            "excluded_before_entry": 0,
        }
    ]
    assert meta["logrank"] is None
    assert meta["warnings"] == []


def test_last_row_is_that_of_an_event_in_the_last_month(tmp_path: Path) -> None:
    asker = Asker(tmp_path, events=flips(i0=24), implants=pumps(12))

    rows, _ = survival(asker)

    assert told(rows) == [(0, 12, 0, 1.0), (24, 12, 1, pytest.approx(11 / 12))]


def test_events_of_month_0_and_the_start_of_the_curve_are_one_row(tmp_path: Path) -> None:
    asker = Asker(tmp_path, events=flips(i0=0), implants=pumps(12))

    rows, _ = survival(asker)

    assert told(rows) == [(0, 12, 1, pytest.approx(11 / 12)), (24, 11, 0, pytest.approx(11 / 12))]


def test_only_a_devices_first_event_counts_and_ends_its_time(tmp_path: Path) -> None:
    twice = [*flips(i0=6), event("again", on="i0", months_since_implant=9)]
    asker = Asker(tmp_path, events=twice, implants=pumps(12))

    rows, _ = survival(asker)

    assert [row[:3] for row in told(rows)] == [(0, 12, 0), (6, 12, 1), (24, 11, 0)]


def test_those_who_leave_are_at_risk_in_their_last_month_and_not_after(tmp_path: Path) -> None:
    # two leave at 6, where one has the event: events come before censorings
    left = [implant("left-a", months_followed=6), implant("left-b", months_followed=6)]
    asker = Asker(tmp_path, events=flips(i0=6, i1=7), implants=[*pumps(12), *left])

    rows, _ = survival(asker)

    assert told(rows)[1:3] == [
        (6, 14, 1, pytest.approx(13 / 14)),
        (7, 11, 1, pytest.approx(13 / 14 * 10 / 11)),
    ]


@pytest.mark.parametrize("status", [each for each in ExitStatus if each.effect != "excluded"])
def test_every_end_of_follow_up_censors_freedom(tmp_path: Path, status: ExitStatus) -> None:
    left = implant("left", months_followed=5, exit_status=status.value)
    asker = Asker(tmp_path, events=flips(i0=6), implants=[*pumps(11), left])

    rows, _ = survival(asker)

    assert told(rows)[1] == (6, 11, 1, pytest.approx(10 / 11))


def test_devices_that_should_not_have_been_followed_are_on_no_curve(tmp_path: Path) -> None:
    wrong = implant("wrong", exit_status="eligibility-not-met")
    asker = Asker(tmp_path, events=flips(wrong=6), implants=[*pumps(12), wrong])

    rows, meta = survival(asker)

    assert told(rows) == [(0, 12, 0, 1.0), (24, 12, 0, 1.0)]
    assert meta["curves"][0]["devices"] == 12


def test_curve_stops_where_fewer_than_ten_are_at_risk(tmp_path: Path) -> None:
    # 11 at 3, 10 at 5, 9 from 6 on: the event at 8 is on no curve
    asker = Asker(tmp_path, events=flips(i0=3, i1=5, i2=8), implants=pumps(11))

    rows, meta = survival(asker)

    assert told(rows) == [
        (0, 11, 0, 1.0),
        (3, 11, 1, pytest.approx(10 / 11)),
        (5, 10, 1, pytest.approx(9 / 11)),
    ]
    (curve,) = meta["curves"]
    assert (curve["events"], curve["events_outside"], curve["ends_at_months"]) == (2, 1, 5)
    assert meta["warnings"] == ["First events while fewer than 10 were at risk are on no curve: 1."]


def test_curve_of_late_entries_starts_at_the_first_month_with_ten_at_risk(tmp_path: Path) -> None:
    # at 5 two of three from implantation are left and the twelve that entered after month 4
    late = [implant(f"late{place}", months_to_entry=4) for place in range(12)]
    asker = Asker(tmp_path, events=flips(i0=2, late0=5, late1=7), implants=[*pumps(3), *late])

    rows, meta = survival(asker)

    assert told(rows) == [
        (5, 14, 1, pytest.approx(13 / 14)),
        (7, 13, 1, pytest.approx(12 / 14)),
        (24, 12, 0, pytest.approx(12 / 14)),
    ]
    (curve,) = meta["curves"]
    assert (curve["starts_at_months"], curve["events"], curve["events_outside"]) == (5, 2, 1)
    assert any("starts at the first month with 10 at risk" in said for said in meta["warnings"])


def test_events_before_entry_are_said_and_do_not_count(tmp_path: Path) -> None:
    late = implant("late", months_to_entry=8)
    asker = Asker(tmp_path, events=flips(late=8), implants=[*pumps(12), late])

    rows, meta = survival(asker)

    assert [row[:3] for row in told(rows)] == [(0, 12, 0), (24, 13, 0)]
    assert meta["curves"][0]["excluded_before_entry"] == 1
    assert meta["warnings"] == ["Events before their device was followed are left out: 1."]


def test_event_in_the_month_after_entry_counts(tmp_path: Path) -> None:
    late = implant("late", months_to_entry=8)
    asker = Asker(tmp_path, events=flips(late=9), implants=[*pumps(12), late])

    rows, _ = survival(asker)

    assert told(rows)[1] == (9, 13, 1, pytest.approx(12 / 13))


def test_group_that_never_had_ten_at_risk_has_a_row_without_an_estimate(tmp_path: Path) -> None:
    few = [implant(f"few{place}", pump_model="isomed") for place in range(9)]
    asker = Asker(
        tmp_path, events=flips(few0=3), implants=[*pumps(12, pump_model="medstream"), *few]
    )

    rows, meta = survival(asker, group_by=("pump_model",))

    (row,) = [each for each in rows if each.key == ("isomed",)]
    assert (row.numbers["at_risk"], row.numbers["estimate"], row.status) == (9, None, "unstable")
    assert (
        "Of the groups 1 never had 10 devices at risk at once: there is no curve."
        in (meta["warnings"])
    )


def test_selection_without_devices_has_no_denominator(tmp_path: Path) -> None:
    asker = Asker(tmp_path, implants=pumps(12))

    rows, meta = survival(asker, where=(("drug", ("morphine",)),))

    assert [(row.numbers["estimate"], row.status) for row in rows] == [(None, "no_denominator")]
    assert meta["curves"][0]["devices"] == 0


def test_one_device_is_no_curve(tmp_path: Path) -> None:
    rows, _ = survival(Asker(tmp_path, events=flips(i0=3), implants=pumps(1)))

    assert [(row.numbers["at_risk"], row.numbers["estimate"]) for row in rows] == [(1, None)]


def test_curve_without_an_event_stays_at_1_and_has_limits_at_its_start_only(
    tmp_path: Path,
) -> None:
    rows, _ = survival(Asker(tmp_path, implants=pumps(12)))

    assert [(row.numbers["ci_lower"], row.status) for row in rows] == [
        (1.0, "zero"),
        (None, "zero"),
    ]


def test_curve_of_fewer_than_twenty_events_is_unstable(tmp_path: Path) -> None:
    nineteen = {f"i{place}": 6 for place in range(19)}
    few, many = (
        survival(Asker(tmp_path / name, events=flips(**events), implants=pumps(60)))[0]
        for name, events in (("few", nineteen), ("many", {**nineteen, "i19": 6}))
    )

    assert {row.status for row in few} == {"unstable"}
    assert {row.status for row in many} == {"ok"}


def test_median_is_the_first_month_at_one_half(tmp_path: Path) -> None:
    events = {f"i{place}": 4 for place in range(10)}
    asker = Asker(tmp_path, events=flips(**events), implants=pumps(20))

    _, meta = survival(asker)

    assert meta["curves"][0]["median_months"] == 4.0


@pytest.mark.parametrize("ci", [None, "log", "plain"])
def test_limits_are_on_the_scale_that_was_asked_for(tmp_path: Path, ci: str | None) -> None:
    asker = Asker(tmp_path, events=flips(i0=6, i1=8), implants=pumps(12))
    ends, observed = [6, 8, *[24] * 10], [True, True, *[False] * 10]

    rows, _ = survival(asker, ci=ci, level=0.9)

    expected = kaplan_meier(ends, observed, level=0.9, ci=ci or "log-log")  # type: ignore[arg-type]
    found = [(row.numbers["ci_lower"], row.numbers["ci_upper"]) for row in rows[1:3]]
    assert found == list(zip(expected.lower.tolist(), expected.upper.tolist(), strict=True))


def test_scales_of_limits_differ(tmp_path: Path) -> None:
    asker = Asker(tmp_path, events=flips(i0=6, i1=8), implants=pumps(12))

    limits = {survival(asker, ci=ci)[0][2].numbers["ci_lower"] for ci in (None, "log", "plain")}

    assert len(limits) == 3


def test_complication_is_what_the_curve_is_free_of(tmp_path: Path) -> None:
    leak = event("leak", on="i1", complication="pump-septum-leak", months_since_implant=3)
    asker = Asker(tmp_path, events=[*flips(i0=6), leak], implants=pumps(12))

    rows, _ = survival(asker, where=(("complication", ("pump-septum-leak",)),))

    assert [row[:3] for row in told(rows)] == [(0, 12, 0), (3, 12, 1), (24, 11, 0)]


def test_severity_says_which_event_is_meant(tmp_path: Path) -> None:
    bad = event("bad", on="i1", severity=4, months_since_implant=9)
    asker = Asker(tmp_path, events=[*flips(i0=6, i1=5), bad], implants=pumps(12))

    rows, _ = survival(asker, where=(("severity", ("4",)),))

    assert [row[:3] for row in told(rows)] == [(0, 12, 0), (9, 12, 1), (24, 11, 0)]


def test_catheters_complications_run_on_the_catheters_clock(tmp_path: Path) -> None:
    # the pump is a year older than its patient's catheter
    catheters = [
        implant(f"c{n}", patient=f"p{n}", component="catheter", implant_year=2016)
        for n in range(12)
    ]
    pumps_ = [implant(f"i{n}", patient=f"p{n}", months_followed=40) for n in range(12)]
    kink = event("kink", on="c0", complication="catheter-kink", months_since_implant=4)
    asker = Asker(tmp_path, events=[kink], implants=[*pumps_, *catheters])

    rows, _ = survival(asker, where=(("category", ("catheter",)),))
    on_pump, _ = survival(asker, where=(("category", ("catheter", "pump")),))

    assert told(rows)[1][0] == 4
    assert told(on_pump)[1][0] == 16  # several categories: the pump's clock, as in rates


def test_patients_complication_leaves_later_pumps_out_of_risk(tmp_path: Path) -> None:
    first = [implant(f"a{n}", patient=f"p{n}", months_followed=20) for n in range(12)]
    second = [implant(f"b{n}", patient=f"p{n}", implant_year=2018) for n in range(12)]
    withdrawal = event("w", on="a0", complication="baclofen-withdrawal", months_since_implant=7)
    again = event("again", on="b0", complication="baclofen-withdrawal", months_since_implant=3)
    asker = Asker(tmp_path, events=[withdrawal, again], implants=[*first, *second])

    rows, _ = survival(asker, where=(("category", ("withdrawal",)),))

    assert [row[:3] for row in told(rows)] == [(0, 23, 0), (7, 23, 1), (24, 11, 0)]


def test_dropped_year_of_implant_is_a_group_of_its_own(tmp_path: Path) -> None:
    old = [
        implant(f"old{n}", age_band="80-89", months_followed=130, pump_model="isomed")
        for n in range(12)
    ]
    asker = Asker(tmp_path, events=flips(old0=6), implants=[*pumps(12), *old])

    rows, meta = survival(asker, group_by=("implant_year",))

    assert [row[:3] for row in told(rows, (None,))] == [(0, 12, 0), (6, 12, 1), (130, 11, 0)]
    assert [curve["implant_year"] for curve in meta["curves"]] == [2015, "not-recorded"]


@pytest.mark.parametrize(
    ("labels", "shown"),
    [("code", ["isomed", "not-recorded"]), ("label", ["IsoMed", "Not recorded"])],
)
def test_curves_are_named_as_their_rows_are(tmp_path: Path, labels: str, shown: list[str]) -> None:
    named = [implant(f"n{n}", pump_model="isomed") for n in range(12)]
    asker = Asker(tmp_path, implants=[*pumps(12), *named])

    _, meta = survival(asker, group_by=("pump_model",), labels=labels)

    assert [curve["pump_model"] for curve in meta["curves"]] == shown


def test_curves_of_components_run_on_two_clocks_and_are_not_compared(tmp_path: Path) -> None:
    catheters = [implant(f"c{n}", component="catheter") for n in range(12)]
    kink = event("kink", on="c0", complication="catheter-kink", months_since_implant=4)
    asker = Asker(tmp_path, events=[*flips(i0=6), kink], implants=[*pumps(12), *catheters])

    rows, meta = survival(asker, group_by=("component",))

    assert [row[0] for row in told(rows, ("pump",))] == [0, 6, 24]
    assert [row[0] for row in told(rows, ("catheter",))] == [0, 4, 24]
    assert meta["logrank"] == {"chi2": None, "df": None, "p": None, "reason": TWO_CLOCKS}


def test_one_group_is_not_compared(tmp_path: Path) -> None:
    asker = Asker(tmp_path, events=flips(i0=6), implants=pumps(12))

    _, meta = survival(asker, group_by=("site",))

    assert (meta["logrank"]["p"], meta["logrank"]["reason"]) == (None, "There is only one group.")


def test_answer_of_more_rows_than_can_be_told_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker = Asker(tmp_path, events=flips(i0=6, i1=8), implants=pumps(13))
    monkeypatch.setattr(curves, "MOST_ROWS", 4)

    assert len(survival(asker)[0]) == 4

    monkeypatch.setattr(curves, "MOST_ROWS", 3)
    with pytest.raises(BadQuery) as refusal:
        survival(asker)
    assert refusal.value.faults[0].code == "too-many-cells"


# Against another library ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tangled(tmp_path_factory: pytest.TempPathFactory) -> Asker:
    implants, events = tangled_rows(11, patients=400)
    return Asker(tmp_path_factory.mktemp("tangled"), events=events, implants=implants)


def arrays(asker: Asker, measure: Measure, **query: Any) -> Any:
    """The store's own arrays of one selection: keys, entries, ends, whether by the event, exits."""
    (part,) = asker.question(measure, **query).parts
    lives = lifetimes(
        asker.store, part.selection, clock=str(part.clock), per_patient=part.per_patient
    )
    happened = lives.event != NO_EVENT
    ends = np.where(happened, lives.event, lives.followed)
    return lives.keys, lives.entry, ends, happened, lives.exit_status


WITHDRAWAL = (("category", ("withdrawal",)),)


@pytest.mark.parametrize("where", [(), WITHDRAWAL, (("category", ("catheter",)),)])
def test_curve_is_that_of_lifelines_on_the_stores_arrays(tangled: Asker, where: Any) -> None:
    _, entry, ends, happened, _ = arrays(tangled, Measure.SURVIVAL, where=where)
    rows, meta = survival(tangled, where=where)
    (curve,) = meta["curves"]
    first, last = curve["starts_at_months"], curve["ends_at_months"]
    # month 0 is a moment before any entry; lifelines takes entries as at risk after them
    lasting = (ends >= first) & ~((entry > 0) & (entry >= last))
    begun = np.where(entry[lasting] == 0, -1, entry[lasting])
    fitted = KaplanMeierFitter().fit(
        np.minimum(ends[lasting], last) + 1,
        event_observed=happened[lasting] & (ends[lasting] <= last),
        entry=np.maximum(begun, first - 0.5) + 1,
    )
    table = fitted.event_table

    for row in rows[1:]:
        time, events, estimate = (
            row.numbers[name] for name in ("time_months", "events", "estimate")
        )
        assert estimate == pytest.approx(float(fitted.predict(time + 1)), rel=1e-9)
        if events:
            assert table.loc[time + 1, "observed"] == events
    assert curve["events"] >= 20


def test_groups_are_compared_as_statsmodels_does_with_late_entries(tangled: Asker) -> None:
    keys, entry, ends, happened, _ = arrays(tangled, Measure.SURVIVAL, group_by=("drug",))
    _, meta = survival(tangled, group_by=("drug",))

    chi2, p = survdiff(
        ends + 1,
        happened.astype(int),
        [str(key) for key in keys],
        entry=np.where(entry == 0, 0, entry + 1),
    )

    assert (entry > 0).any()
    assert meta["logrank"]["chi2"] == pytest.approx(chi2, rel=1e-9)
    assert meta["logrank"]["p"] == pytest.approx(p, rel=1e-6)
    assert meta["logrank"]["df"] == len(set(keys)) - 1


def test_curve_of_one_group_has_nothing_to_compare_in_strata(tangled: Asker) -> None:
    _, meta = survival(tangled, adjust=("sex",))

    assert (meta["logrank"], meta["stratified_logrank"]["p"]) == (None, None)
    assert meta["stratified_logrank"]["reason"] == "There is only one group."


@pytest.mark.parametrize(("name", "words"), [("window", "changes"), ("drug", "differ in")])
def test_what_changes_or_makes_the_groups_is_no_stratum(
    tangled: Asker, name: str, words: str
) -> None:
    with pytest.raises(BadQuery) as refused:
        survival(tangled, group_by=("drug",), adjust=(name,))
    (fault,) = refused.value.faults
    assert (fault.column, fault.code) == ("adjust", "bad-adjustment")
    assert words in fault.detail


def test_groups_from_implantation_are_compared_as_others_do_and_in_strata(
    tmp_path: Path,
) -> None:
    implants, events = tangled_rows(12, patients=300)
    from_start = [row for row in implants if row[ENTRY] == 0]
    asker = Asker(tmp_path, events=of(events, from_start), implants=from_start)
    keys, _, ends, happened, _ = arrays(asker, Measure.SURVIVAL, group_by=("drug",))

    _, meta = survival(asker, group_by=("drug",))

    expected = multivariate_logrank_test(ends + 1, [str(key) for key in keys], happened)
    assert meta["logrank"]["chi2"] == pytest.approx(expected.test_statistic, rel=1e-9)
    assert meta["logrank"]["p"] == pytest.approx(expected.p_value, rel=1e-9)
    assert meta["logrank"]["reason"] is None

    keys, _, ends, happened, _ = arrays(asker, Measure.SURVIVAL, group_by=("drug", "sex"))
    drugs, sexes = ([str(key[place]) for key in keys] for place in (0, 1))
    chi2, p = survdiff(ends + 1, happened.astype(int), drugs, strata=sexes)
    _, within = survival(asker, group_by=("drug",), adjust=("sex",))
    told = within["stratified_logrank"]
    assert (told["adjusted_for"], told["strata"]) == (["sex"], len(set(sexes)))
    assert told["chi2"] == pytest.approx(chi2, rel=1e-9)
    assert told["p"] == pytest.approx(p, rel=1e-6)
    assert within["logrank"] == meta["logrank"]
    assert told["chi2"] != pytest.approx(meta["logrank"]["chi2"], rel=1e-3)


# Cumulative incidence ---------------------------------------------------------------------------


ENDS = {
    "death": {"death-related", "death-unrelated", "death-unknown"},
    "explant": {"replaced-for-failure", "explanted-for-complication", "explant-elective"},
    "therapy_stopped": {"therapy-discontinued"},
}
COMPETES = {status: name for name, statuses in ENDS.items() for status in statuses}


@pytest.mark.parametrize("status", [each for each in ExitStatus if each.effect != "excluded"])
def test_end_of_follow_up_competes_or_censors(tmp_path: Path, status: ExitStatus) -> None:
    # of 20, one leaves at 5; of the others one has the event at 6
    left = implant("left", months_followed=5, exit_status=status.value)
    asker = Asker(tmp_path, events=flips(i0=6), implants=[*pumps(19), left])

    rows, meta = incidence(asker)

    name = COMPETES.get(status.value)
    probability = 19 / 20 * 1 / 19 if name else 1 / 19
    assert told(rows) == [
        (0, 20, 0, 0.0),
        (6, 19, 1, pytest.approx(probability)),
        (24, 18, 0, pytest.approx(probability)),
    ]
    at_end = meta["curves"][0]["at_end"]
    expected = {"event": probability} | ({name: 1 / 20} if name else {})
    nothing = dict.fromkeys(("event", "death", "explant", "therapy_stopped"), 0.0)
    free = 1 - sum(expected.values())
    assert at_end == pytest.approx({**nothing, **expected, "free": free})


def test_end_of_follow_up_competes_as_the_vocabulary_says(tmp_path: Path) -> None:
    competing = {each.value for each in ExitStatus if each.effect is ExitEffect.COMPETES}

    assert competing == set(COMPETES)


def test_event_in_the_month_of_death_came_first(tmp_path: Path) -> None:
    dead = implant("dead", months_followed=6, exit_status="death-related")
    asker = Asker(tmp_path, events=flips(dead=6), implants=[*pumps(19), dead])

    rows, meta = incidence(asker)

    assert told(rows)[1] == (6, 20, 1, pytest.approx(1 / 20))
    assert meta["curves"][0]["at_end"]["death"] == 0


def test_competing_end_counts_where_the_event_was_another(tmp_path: Path) -> None:
    gone = implant("gone", months_followed=6, exit_status="explanted-for-complication")
    asker = Asker(tmp_path, events=flips(gone=6), implants=[*pumps(19), gone])

    _, meta = incidence(asker, where=(("complication", ("pump-septum-leak",)),))

    assert meta["curves"][0]["at_end"] == pytest.approx(
        {"event": 0, "death": 0, "explant": 1 / 20, "therapy_stopped": 0, "free": 19 / 20}
    )


def test_rows_are_of_the_event_of_interest_alone(tmp_path: Path) -> None:
    dead = implant("dead", months_followed=5, exit_status="death-unrelated")
    asker = Asker(tmp_path, events=flips(i0=6), implants=[*pumps(19), dead])

    rows, meta = incidence(asker)

    assert [row[0] for row in told(rows)] == [0, 6, 24]
    assert meta["curves"][0]["events"] == 1


def test_incidence_of_death_is_that_of_reported_deaths(tmp_path: Path) -> None:
    ends = [implant(f"d{n}", months_followed=6, exit_status="death-related") for n in range(2)]
    death = event("death", on="d0", complication="death", months_since_implant=6)
    asker = Asker(tmp_path, events=[death], implants=[*pumps(18), *ends])

    _, meta = incidence(asker, where=(("complication", ("death",)),))

    at_end = meta["curves"][0]["at_end"]
    assert (at_end["event"], at_end["death"]) == pytest.approx((1 / 20, 1 / 20))


def test_curve_without_an_event_has_no_limits_after_its_start(tmp_path: Path) -> None:
    rows, meta = incidence(Asker(tmp_path, implants=pumps(12)))

    assert told(rows) == [(0, 12, 0, 0.0), (24, 12, 0, 0.0)]
    assert [row.numbers["ci_upper"] for row in rows] == [0.0, None]
    assert meta["curves"][0]["at_end"]["free"] == 1.0


def test_incidence_is_that_of_lifelines_on_the_stores_arrays(tmp_path: Path) -> None:
    implants, events = tangled_rows(13, patients=300)
    exits = ("death-unrelated", "explant-elective", "therapy-discontinued", "active")
    place = IMPLANT_SOURCE.index("exit_status")
    ended = [
        (*row[:place], exits[number % 4], *row[place + 1 :])
        for number, row in enumerate(row for row in implants if row[ENTRY] == 0)
    ]
    asker = Asker(tmp_path, events=of(events, ended), implants=ended)
    _, _, ends, happened, exit_status = arrays(asker, Measure.INCIDENCE)
    rows, meta = incidence(asker)
    last = meta["curves"][0]["ends_at_months"]
    causes = np.where(happened, 1, np.where(exit_status == "active", 0, 2))

    fitted = AalenJohansenFitter(calculate_variance=False).fit(
        *spread(np.minimum(ends, last) + 1, np.where(ends <= last, causes, 0)), 1
    )

    told_at_end = rows[-1].numbers["estimate"]
    assert told_at_end == pytest.approx(float(fitted.cumulative_density_.iloc[-1, 0]), abs=2e-4)
    assert meta["curves"][0]["at_end"]["event"] == told_at_end


def spread(ends: Any, causes: Any) -> tuple[Any, Any]:
    """Times without ties, which lifelines would jitter: those who leave come last in a month."""
    order = np.argsort(causes == 0, kind="stable")
    return ends[order] + np.linspace(0, 1e-6, ends.size), causes[order]


@pytest.mark.parametrize("where", [(), WITHDRAWAL, (("sex", ("female",)),)])
def test_incidences_and_freedom_from_all_add_up_to_1(tangled: Asker, where: Any) -> None:
    _, meta = incidence(tangled, where=where)

    assert sum(meta["curves"][0]["at_end"].values()) == pytest.approx(1, abs=1e-12)


def test_incidence_is_never_above_one_minus_freedom(tangled: Asker) -> None:
    # what competes only takes away from what Kaplan-Meier would promise
    free, _ = survival(tangled)
    found, _ = incidence(tangled)

    failed = {time: 1 - estimate for time, _, _, estimate in told(free)}
    assert all(estimate <= failed[time] + 1e-12 for time, _, _, estimate in told(found))


@pytest.mark.parametrize("group_by", [(), ("drug",), ("pump_model", "sex"), ("site",)])
@pytest.mark.parametrize("where", [(), WITHDRAWAL, (("severity", ("2", "3")),)])
def test_first_events_of_a_curve_are_those_of_its_rate(
    tangled: Asker, where: Any, group_by: tuple[str, ...]
) -> None:
    _, meta = survival(tangled, where=where, group_by=group_by)
    rates = tangled.parts_of_rates(where=where, group_by=group_by)

    for curve in meta["curves"]:
        key = tuple(None if curve[name] == "not-recorded" else curve[name] for name in group_by)
        of_rate = rates.get(tuple("" if each is None else each for each in key), (0, 0, ""))[0]
        assert curve["events"] + curve["events_outside"] == of_rate


# Landmarks, medians and tests -------------------------------------------------------------------


def test_landmarks_are_told_where_the_curve_is_drawn(tmp_path: Path) -> None:
    rows = pumps(12, months_followed=40)
    asker = Asker(tmp_path, events=flips(i0=20), implants=rows)

    for found, before, after in ((survival, 1.0, 11 / 12), (incidence, 0.0, 1 / 12)):
        _, meta = found(asker)
        told_of = meta["curves"][0]["landmarks"]
        assert [each["time_months"] for each in told_of] == [12, 24, 36]
        assert [each["at_risk"] for each in told_of] == [12, 11, 11]
        assert told_of[0]["estimate"] == before
        assert told_of[0]["ci_lower"] is None
        assert told_of[1]["estimate"] == pytest.approx(after)
        assert told_of[1]["ci_lower"] is not None


def test_a_landmark_tells_those_at_risk_before_its_events(tmp_path: Path) -> None:
    asker = Asker(tmp_path, events=flips(i0=12, i1=12), implants=pumps(20))

    _, meta = survival(asker)

    first = meta["curves"][0]["landmarks"][0]
    assert (first["time_months"], first["at_risk"]) == (12, 20)
    assert first["estimate"] == pytest.approx(18 / 20)


def test_numbers_at_risk_stand_at_the_same_months_in_every_curve(tmp_path: Path) -> None:
    """Told every year, as the longest curve asks for; of each curve while it is drawn."""
    short = pumps(12, months_followed=30, sex="male")
    late = [
        implant(f"l{place}", patient=f"l{place}", months_to_entry=14, months_followed=100)
        for place in range(11)
    ]
    asker = Asker(tmp_path, events=flips(i0=12), implants=[*short, *late])

    _, meta = survival(asker, group_by=("sex",))

    told_of = {
        curve["sex"]: [(each["time_months"], each["at_risk"]) for each in curve["numbers_at_risk"]]
        for curve in meta["curves"]
    }
    (late_ones,) = (each for sex, each in told_of.items() if sex != "male")
    assert told_of["male"] == [(0, 12), (12, 12), (24, 11)]
    assert late_ones == [(month, 11) for month in range(24, 97, 12)]


def test_a_median_that_is_not_reached_has_a_lower_limit(tmp_path: Path) -> None:
    months = {f"i{place}": 4 + place for place in range(8)}
    asker = Asker(tmp_path, events=flips(**months), implants=pumps(20))

    _, meta = survival(asker)

    (curve,) = meta["curves"]
    assert curve["median_months"] is None
    assert curve["median_lower"] in months.values()
    assert curve["median_upper"] is None


def test_a_curve_that_ends_before_a_year_has_no_landmark_and_no_mean(tmp_path: Path) -> None:
    asker = Asker(tmp_path, implants=pumps(12, months_followed=9))

    _, meta = survival(asker)

    assert meta["curves"][0]["landmarks"] == []
    assert meta["curves"][0]["restricted_mean"] is None


def test_incidence_with_groups_has_grays_test(tmp_path: Path) -> None:
    implants = pumps(12, sex="female") + [
        implant(f"m{place}", sex="male", exit_status="death-unrelated") for place in range(12)
    ]
    asker = Asker(tmp_path, events=flips(i0=6, i1=7, m0=9), implants=implants)

    _, meta = incidence(asker, group_by=("sex",))
    _, whole = incidence(asker)

    assert meta["gray"]["df"] == 1
    assert 0 < meta["gray"]["p"] < 1
    assert whole["gray"] is None


def test_grays_test_is_refused_where_devices_entered_late(tmp_path: Path) -> None:
    implants = pumps(12, sex="female") + [
        implant(f"m{place}", sex="male", months_to_entry=3) for place in range(12)
    ]
    asker = Asker(tmp_path, events=flips(i0=6, m0=9), implants=implants)

    _, meta = incidence(asker, group_by=("sex",))

    assert meta["gray"]["chi2"] is None
    assert "entered late" in meta["gray"]["reason"]
