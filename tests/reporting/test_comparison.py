"""Comparisons of exact rates: cells, references, clusters, and what is said of what is missing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from registry.records import BadQuery, EventQuery, Release, Window
from registry.reporting.answering import _exact
from registry.reporting.asking.adjusting import ADJUSTERS, AGES, GROUPS, ages_within
from registry.reporting.asking.freshness import Frozen
from registry.reporting.estimating import cell_tables
from registry.reporting.estimating.cell_tables import cell_table, clusters_of_cells
from registry.statistics.comparison import Cells, Clusters, compare
from registry.statistics.regression import ClusterTable
from registry.vocabulary import CountingRule, Measure
from tests.reporting.asking import Asker
from tests.reporting.protecting import frozen_rows
from tests.snapshot.rows import event, exposure, implant

EVENTS, FIRST = CountingRule.EVENTS, CountingRule.FIRST_EVENT
OLD, YOUNG = "65-79", "18-39"
NEW, USED = "prometra-ii-20", "synchromed-ii-20"
RATES = {(NEW, YOUNG): 2, (NEW, OLD): 8, (USED, YOUNG): 1, (USED, OLD): 4}
"""Events of ten pumps followed for 40 months; the new model has twice the rate in each age."""

PUMPS = {(NEW, YOUNG): 40, (NEW, OLD): 10, (USED, YOUNG): 10, (USED, OLD): 40}


def rows(sites: int = 1) -> tuple[list[Any], list[Any]]:
    """Pumps of either model and age, spread over sites; the events of each cell come first."""
    implants, events = [], []
    for (model, age), pumps in PUMPS.items():
        for number in range(pumps):
            name, site = f"{model[0]}{age[:2]}{number}", f"S{number % sites:02}"
            own = {"pump_model": model, "age_band": age, "sex": ("male", "female")[number % 2]}
            implants.append(implant(name, site=site, months_followed=40, **own))
            if number < RATES[model, age] * pumps // 10:
                events.append(event(f"e{name}", on=name, site=site, months_since_implant=40))
    return implants, events


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    """Twelve sites, and one group that was implanted and never had an event."""
    implants, events = rows(12)
    implants += [implant(f"z{n}", site="S00", pump_model="isomed") for n in range(5)]
    root = tmp_path_factory.mktemp("compared")
    sites = tuple(f"S{number:02}" for number in range(12))
    return frozen_rows(root, events=events, implants=implants, sites=sites)


def asked(frozen: Frozen, **query: object) -> Release:
    question = {"group_by": ("pump_model",), "counting": EVENTS} | query
    return _exact(EventQuery(**question), Measure.COMPARISON, frozen)  # type: ignore[arg-type]


def by_model(release: Release) -> dict[str, dict[str, Any]]:
    return {str(row["pump_model"]): dict(row) for row in release.rows}


def test_adjusted_ratio_is_the_true_one_and_the_crude_one_beside_it_is_not(frozen: Frozen) -> None:
    found = by_model(asked(frozen, adjust=("age_band",), reference=USED))

    new, used = found[NEW], found[USED]
    assert (new["events"], new["exposure"]) == (16, 2000.0)
    assert new["ratio"] == pytest.approx(2.0)
    assert new["crude_ratio"] == pytest.approx(16 / 17)
    assert new["mantel_haenszel"] == pytest.approx(2.0)
    # 1 and 4 events per 400 months, half of all time in either age
    assert new["difference"] == pytest.approx(1000 * (1 / 400 + 4 / 400) / 2)
    assert (used["ratio"], used["ci_lower"], used["note"]) == (1.0, None, "Reference.")


def test_without_adjusters_there_is_one_ratio_the_crude_one(frozen: Frozen) -> None:
    release = asked(frozen, reference=USED)

    assert by_model(release)[NEW]["ratio"] == pytest.approx(16 / 17)
    assert not {"crude_ratio", "mantel_haenszel"} & {column.name for column in release.columns}
    assert any("Crude: the groups may differ" in said for said in release.meta["warnings"])  # type: ignore[union-attr, attr-defined]


def test_groups_are_in_the_order_of_their_list_and_one_without_events_says_so(
    frozen: Frozen,
) -> None:
    found = by_model(asked(frozen, adjust=("age_band",)))

    assert found["isomed"]["ratio"] is None
    assert found["isomed"]["status"] == "zero"
    assert found["isomed"]["note"].startswith("The group had no events")


def test_reference_is_the_group_with_most_exposure_unless_named(tmp_path: Path) -> None:
    implants = [implant("a", pump_model=NEW, months_followed=50), implant("b", pump_model=USED)]
    events = [event("e", on="a"), event("f", on="b")]
    small = frozen_rows(tmp_path, events=events, implants=implants)

    assert asked(small).meta["comparison"]["reference"] == NEW  # type: ignore[index]
    assert asked(small, reference=USED).meta["comparison"]["reference"] == USED  # type: ignore[index]


def test_blank_can_be_the_reference(tmp_path: Path) -> None:
    implants = [implant("a", pump_model=NEW), implant("b")]
    events = [event("e", on="a"), event("f", on="b")]
    small = frozen_rows(tmp_path, events=events, implants=implants)

    found = by_model(asked(small, reference="not-recorded"))

    assert found["not-recorded"]["note"] == "Reference."
    assert found[NEW]["ratio"] == pytest.approx(1.0)


@pytest.mark.parametrize("reference", ["codman-3000", "nothing"])
def test_reference_that_is_no_row_is_refused_with_those_there_are(
    frozen: Frozen, reference: str
) -> None:
    with pytest.raises(BadQuery) as refusal:
        asked(frozen, reference=reference)

    (fault,) = refusal.value.faults
    assert (fault.column, fault.code) == ("reference", "unknown-reference")
    assert NEW in fault.detail
    assert reference not in fault.detail


def test_what_the_groups_are_cannot_be_adjusted_for(frozen: Frozen) -> None:
    with pytest.raises(BadQuery) as refusal:
        asked(frozen, adjust=("pump_model", "sex"))

    assert [(each.column, each.code) for each in refusal.value.faults] == [
        ("adjust", "bad-adjustment")
    ]


@pytest.mark.parametrize("group_by", [("severity",), ("component",), ("sex", "drug")])
def test_groups_that_do_not_split_exposure_are_refused(
    frozen: Frozen, group_by: tuple[str, ...]
) -> None:
    with pytest.raises(BadQuery) as refusal:
        asked(frozen, group_by=group_by)

    assert refusal.value.faults[0].code == "bad-group-by"


def test_too_many_strata_are_refused(frozen: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell_tables, "MOST_STRATA", 4)
    assert asked(frozen, where=(("pump_model", (NEW, USED)),), adjust=("age_band",)).rows

    with pytest.raises(BadQuery) as refusal:
        asked(frozen, adjust=("age_band", "sex"))

    (fault,) = refusal.value.faults
    assert (fault.column, fault.code) == ("adjust", "too-many-cells")


def test_limits_are_robust_to_sites_where_both_groups_have_ten(frozen: Frozen) -> None:
    """The young of the one model and the old of the other are at ten sites each."""
    release = asked(frozen, adjust=("age_band",), reference=USED, cluster="site")

    events, time = np.zeros((2, 12, 4))
    for at, (key, pumps) in enumerate(PUMPS.items()):
        for number in range(pumps):
            time[number % 12, at] += 40.0
            events[number % 12, at] += number < RATES[key] * pumps // 10
    cells = Cells.of(events.sum(axis=0), time.sum(axis=0), [0, 0, 1, 1], [(0,), (1,), (0,), (1,)])
    clusters = [Clusters("sites", ClusterTable(events, time), (12, 12))]
    expected = compare(cells, 1, clusters=clusters, per=1000).contrasts[0]
    new = by_model(release)[NEW]
    for name, value in (
        ("ratio", expected.ratio),
        ("ci_lower", expected.lower),
        ("ci_upper", expected.upper),
        ("difference", expected.difference),
        ("difference_lower", expected.difference_lower),
        ("difference_upper", expected.difference_upper),
    ):
        assert new[name] == pytest.approx(value, rel=1e-9), name


def test_patients_with_several_events_widen_limits(tmp_path: Path) -> None:
    implants = [implant(f"a{n}", pump_model=(NEW, USED)[n % 2]) for n in range(40)]
    events = [
        event(f"e{n}-{month}", on=f"a{n}", months_since_implant=month)
        for n in range(12)
        for month in (3, 5, 7, 9)
    ]
    small = frozen_rows(tmp_path, events=events, implants=implants)

    both = by_model(asked(small, reference=USED, cluster="patient"))[NEW]
    first = by_model(asked(small, reference=USED, counting=FIRST))[NEW]

    time = np.where(np.arange(40)[:, None] % 2 == np.arange(2), 24.0, 0.0)
    told = np.where((np.arange(40) < 12)[:, None] & (time > 0), 4.0, 0.0)
    cells = Cells.of(told.sum(axis=0), time.sum(axis=0), [0, 1], [(), ()])
    clusters = [Clusters("patients", ClusterTable(told, time))]
    expected = compare(cells, 1, clusters=clusters).contrasts[0]
    assert expected.robust_to == "patients"
    assert both["note"] == "Limits: robust to patients."
    assert (both["ci_lower"], both["ci_upper"]) == pytest.approx((expected.lower, expected.upper))
    assert first["events"] == 6


def test_exposure_that_was_declared_has_no_strata_and_is_left_out(tmp_path: Path) -> None:
    implants, events = rows()
    declared = [exposure("x1"), exposure("x2", site="C")]
    asker = Asker(tmp_path, implants=implants, events=events, exposures=declared)
    question = asker.question(Measure.COMPARISON, group_by=("site",), counting=EVENTS)

    assert {key[0] for key in cell_table(asker.store, question, ()).keys} == {"S00"}


def test_events_in_years_without_exposure_are_counted_apart(tmp_path: Path) -> None:
    implants = [implant("a", months_followed=4)]
    late = event("e", on="a", months_since_implant=4, year=2016)  # its time ends in 2015
    asker = Asker(tmp_path, implants=implants, events=[late])
    question = asker.question(Measure.COMPARISON, group_by=("year",), counting=EVENTS)

    table = cell_table(asker.store, question, ())

    assert (table.keys, table.events, table.events_without_time) == ([(2015,)], [0], 1)


def test_clusters_of_cells_are_patients_and_sites(frozen: Frozen) -> None:
    found = asked(frozen, adjust=("site",), reference=USED).meta["comparison"]

    assert found["clusters"] == {"patients": 105, "sites": 12}  # type: ignore[index]


def test_sites_are_told_whether_they_are_strata_or_not(tmp_path: Path) -> None:
    implants, events = rows(12)
    asker = Asker(tmp_path, implants=implants, events=events)
    told = []
    for adjust in (("site",), ("sex",)):
        question = asker.question(Measure.COMPARISON, group_by=("pump_model",), adjust=adjust)
        _, sites = clusters_of_cells(asker.store, cell_table(asker.store, question, adjust))
        assert isinstance(sites.sums, ClusterTable)
        told.append((sites.by_group, sites.sums.exposure.sum(), sites.sums.events.sum()))

    assert told[0] == told[1]
    assert told[0][0] == (12, 12)


def test_sparse_strata_are_said(frozen: Frozen) -> None:
    few = asked(frozen, adjust=("site", "sex", "window"), reference=USED).meta["comparison"]
    enough = asked(frozen, reference=USED).meta["comparison"]

    assert few["sparse"]  # type: ignore[index]
    assert not enough["sparse"]  # type: ignore[index]


def test_nothing_frozen_compares_nothing(tmp_path: Path) -> None:
    empty = frozen_rows(tmp_path, events=(), implants=())

    release = asked(empty)

    assert release.rows == ()
    assert "no exposure" in release.meta["comparison"]["reason"]  # type: ignore[index]


def test_per_scales_differences_and_not_ratios(frozen: Frozen) -> None:
    by_100, by_1000 = (by_model(asked(frozen, reference=USED, per=per))[NEW] for per in (100, 1000))

    assert by_1000["ratio"] == by_100["ratio"]
    for name in ("rate", "difference", "difference_lower", "difference_upper"):
        assert by_1000[name] == pytest.approx(10 * by_100[name])


def test_window_is_adjusted_for_within_the_windows_asked_for() -> None:
    assert ages_within(()) == AGES
    assert ages_within((Window(2, 14), Window(115, None))) == (
        *(Window(2, 3), Window(4, 12), Window(13, 14)),
        *(Window(115, 120), Window(121, None)),
    )


def test_strata_of_months_follow_each_other() -> None:
    assert [each.start for each in AGES[1:]] == [each.end + 1 for each in AGES[:-1] if each.end]


def test_adjusters_split_exposure_themselves() -> None:
    assert set(ADJUSTERS) <= set(GROUPS)


def test_months_since_implant_as_strata(tmp_path: Path) -> None:
    """A new model with young devices only is no better than the old one in its first year."""
    implants = [implant(f"n{n}", pump_model=NEW, months_followed=12) for n in range(60)]
    implants += [implant(f"u{n}", pump_model=USED, months_followed=60) for n in range(60)]
    events = [event(f"e{n}", on=f"n{n}", months_since_implant=10) for n in range(6)]
    events += [event(f"f{n}", on=f"u{n}", months_since_implant=10) for n in range(6)]
    events += [event(f"g{n}", on=f"u{n}", months_since_implant=50) for n in range(40)]
    small = frozen_rows(tmp_path, events=events, implants=implants)

    found = by_model(asked(small, adjust=("window",), reference=USED))[NEW]

    assert found["ratio"] == pytest.approx(1.0, rel=0.06)  # half a month at the end of a window
    assert found["crude_ratio"] < 0.7


def test_each_model_against_all_others_together(frozen: Frozen) -> None:
    """The third model, without an event, is among the others of the two."""
    release = asked(frozen, reference="others", adjust=("age_band",))

    found = by_model(release)
    about: Any = release.meta["comparison"]
    assert about["reference"] == "others"
    new, used = found[NEW], found[USED]
    idle = found["isomed"]["exposure"]
    assert new["crude_ratio"] == pytest.approx((16 / 2000) / (17 / (2000 + idle)))
    assert used["crude_ratio"] == pytest.approx((17 / 2000) / (16 / (2000 + idle)))
    assert new["crude_ratio"] == pytest.approx(
        new["rate"] / (new["rate"] - new["crude_difference"])
    )
    assert "Reference." not in {row["note"] for row in found.values()}
    assert found["isomed"]["note"].startswith("The group had no events")
    named: Any = asked(frozen, adjust=("age_band",)).meta["comparison"]
    assert about["test"]["p"] == pytest.approx(named["test"]["p"])


def test_against_others_within_ages_is_the_true_ratio(frozen: Frozen) -> None:
    where = (("pump_model", (NEW, USED)),)

    found = by_model(asked(frozen, reference="others", adjust=("age_band",), where=where))

    assert found[NEW]["ratio"] == pytest.approx(2.0)
    assert found[USED]["ratio"] == pytest.approx(0.5)
    assert found[NEW]["mantel_haenszel"] == pytest.approx(2.0)


def test_limits_of_two_models_are_those_of_naming_the_other(frozen: Frozen) -> None:
    where = (("pump_model", (NEW, USED)),)
    how = {"adjust": ("age_band",), "cluster": "site", "where": where}

    of_others = by_model(asked(frozen, reference="others", **how))[NEW]
    of_used = by_model(asked(frozen, reference=USED, **how))[NEW]

    assert of_others["note"] == of_used["note"]
    for name in ("ci_lower", "ci_upper", "difference_lower", "difference_upper"):
        assert of_others[name] == pytest.approx(of_used[name], rel=1e-9)


def test_few_events_of_the_others_make_a_ratio_unstable(tmp_path: Path) -> None:
    implants = [implant(f"a{n}", pump_model=(NEW, USED)[n % 10 == 0]) for n in range(60)]
    events = [event(f"e{n}", on=f"a{n}") for n in range(40)]
    small = frozen_rows(tmp_path, events=events, implants=implants)

    release = asked(small, reference="others")

    assert {row["status"] for row in release.rows} == {"unstable"}
    assert by_model(release)[NEW]["events"] == 36


def test_one_model_alone_has_no_others(tmp_path: Path) -> None:
    small = frozen_rows(tmp_path, events=[event("e", on="a")], implants=[implant("a")])

    release = asked(small, reference="others")

    assert [row["note"] for row in release.rows] == ["The others have no exposure to compare with."]
    assert release.meta["comparison"]["reason"] == "The others have no exposure to compare with."  # type: ignore[index]
