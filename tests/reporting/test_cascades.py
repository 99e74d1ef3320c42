"""Cascades: pairs by hand, which filters choose what, intervals on a common clock, and labels."""

from pathlib import Path

import pytest

from registry.records import (
    BadQuery,
    Cell,
    EventQuery,
    Release,
)
from registry.reporting.answering import _exact
from registry.reporting.asking.freshness import Frozen
from registry.snapshot.schema import EVENT_SOURCE
from registry.vocabulary import CountingRule, Measure
from tests.reporting.protecting import ask, frozen_rows
from tests.snapshot.rows import event, implant, public_id


def exact(frozen: Frozen, **query: object) -> Release:
    return _exact(EventQuery(**query), Measure.CASCADES, frozen)  # type: ignore[arg-type]


def pairs(frozen: Frozen, **query: object) -> dict[tuple[Cell, Cell], dict[str, Cell]]:
    return {(row["cause"], row["effect"]): dict(row) for row in exact(frozen, **query).rows}


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    """Four migrations: two led to withdrawal, one of these to surgery, one to surgery alone."""
    devices = [
        implant(f"{kind[0]}{n}", patient=f"patient{n}", component=kind, months_followed=60)
        for n in range(4)
        for kind in ("pump", "catheter")
    ]
    moved = [
        event(f"m{n}", on=f"c{n}", complication="catheter-migration", months_since_implant=10 + n)
        for n in range(4)
    ]
    led_to = [
        # on the other component, whose clock started in the same year
        event("w0", on="p0", complication="baclofen-withdrawal", months_since_implant=11),
        event("w1", on="p1", complication="baclofen-withdrawal", months_since_implant=14),
        event("s0", on="c0", complication="revision-surgery", months_since_implant=12),
        event("s2", on="c2", complication="revision-surgery", months_since_implant=16),
    ]
    cause = {"w0": "m0", "w1": "m1", "s0": "w0", "s2": "m2"}
    names = ("w0", "w1", "s0", "s2")
    linked = [caused(row, cause[name]) for name, row in zip(names, led_to, strict=True)]
    return frozen_rows(
        tmp_path_factory.mktemp("linked"), events=[*moved, *linked], implants=devices
    )


def caused(row: tuple[object, ...], by: str) -> tuple[object, ...]:
    """The same event, caused by another."""
    values = dict(zip(EVENT_SOURCE, row, strict=True)) | {"caused_by": public_id(by)}
    return tuple(values[name] for name in EVENT_SOURCE)


def test_pairs_are_counted_with_their_share_and_median_interval(linked: Frozen):
    found = pairs(linked)

    assert found == {
        ("catheter-migration", "baclofen-withdrawal"): {
            "cause": "catheter-migration",
            "effect": "baclofen-withdrawal",
            "n": 2,
            "cause_events": 4,
            "share": 0.5,
            "with_interval": 0,  # a catheter's month and a pump's
            "before_cause": 0,
            "median_months": None,
            "status": "ok",
        },
        ("catheter-migration", "revision-surgery"): {
            "cause": "catheter-migration",
            "effect": "revision-surgery",
            "n": 1,
            "cause_events": 4,
            "share": 0.25,
            "with_interval": 1,
            "before_cause": 0,
            "median_months": 4.0,  # 16 - 12
            "status": "ok",
        },
        ("baclofen-withdrawal", "revision-surgery"): {
            "cause": "baclofen-withdrawal",
            "effect": "revision-surgery",
            "n": 1,
            "cause_events": 2,
            "share": 0.5,
            "with_interval": 0,  # a pump's month and a catheter's
            "before_cause": 0,
            "median_months": None,
            "status": "ok",
        },
    }
    assert list(found) == [
        ("catheter-migration", "baclofen-withdrawal"),
        ("catheter-migration", "revision-surgery"),
        ("baclofen-withdrawal", "revision-surgery"),
    ]


def test_categories_are_told_with_their_consequences(linked: Frozen):
    assert {pair: row["n"] for pair, row in pairs(linked, group_by=("category",)).items()} == {
        ("catheter", "withdrawal"): 2,
        ("catheter", "consequence"): 1,
        ("withdrawal", "consequence"): 1,
    }


def test_filters_choose_the_causes_and_any_effect_counts(linked: Frozen):
    of_withdrawal = pairs(linked, where=(("complication", ("baclofen-withdrawal",)),))
    of_category = pairs(linked, where=(("category", ("catheter",)),))

    assert set(of_withdrawal) == {("baclofen-withdrawal", "revision-surgery")}
    assert set(of_category) == {
        ("catheter-migration", "baclofen-withdrawal"),
        ("catheter-migration", "revision-surgery"),
    }
    assert any("Filters choose the causes" in said for said in exact(linked).meta["warnings"])


def test_effects_are_filtered_without_changing_a_number(linked: Frozen):
    whole = pairs(linked)

    alone = pairs(linked, effect=("revision-surgery",))
    of_category = pairs(linked, effect=("withdrawal",))

    assert set(alone) == {pair for pair in whole if pair[1] == "revision-surgery"}
    assert set(of_category) == {pair for pair in whole if pair[1] == "baclofen-withdrawal"}
    assert all(whole[pair] == row for pair, row in {**alone, **of_category}.items())
    assert "led to: Unplanned revision surgery" in str(
        exact(linked, effect=("revision-surgery",)).meta["title"]
    )


def test_an_effect_that_is_no_row_is_refused(linked: Frozen):
    with pytest.raises(BadQuery) as refusal:
        exact(linked, group_by=("category",), effect=("revision-surgery",))

    (fault,) = refusal.value.faults
    assert (fault.column, fault.code) == ("effect", "bad-effect")
    assert "name a category" in fault.detail


def test_both_events_are_accepted_and_actual(tmp_path: Path):
    devices = [implant("p1", months_followed=60)]
    kinds = {"ok": {}, "sub": {"state": "submitted"}, "near": {"actuality": "near-miss"}}
    events = [event(f"c{name}", on="p1", **values) for name, values in kinds.items()]
    for effect, values in kinds.items():
        for name in kinds:
            row = event(f"f{effect}{name}", on="p1", complication="pump-motor-stall", **values)
            events.append(caused(row, f"c{name}"))
    frozen = frozen_rows(tmp_path, events=events, implants=devices)

    (pair,) = pairs(frozen).values()
    (submitted,) = pairs(frozen, where=(("state", ("submitted",)),)).values()

    assert (pair["n"], pair["cause_events"], pair["share"]) == (1, 1, 1.0)
    assert (submitted["n"], submitted["cause_events"]) == (1, 1)


def test_event_with_two_effects_of_a_kind_is_two_pairs_and_one_cause(tmp_path: Path):
    effects = [
        caused(event(f"f{n}", on="p1", complication="pump-motor-stall"), "c1") for n in range(2)
    ]
    frozen = frozen_rows(
        tmp_path,
        events=[event("c1", on="p1"), event("c2", on="p1"), *effects],
        implants=[implant("p1")],
    )

    (pair,) = pairs(frozen).values()

    assert (pair["n"], pair["cause_events"], pair["share"]) == (2, 2, 0.5)


def test_interval_is_unknown_without_a_common_clock(tmp_path: Path):
    devices = [
        implant("p1", patient="x", months_followed=12, exit_status="device-replaced"),
        implant("p2", patient="x", implant_year=2016, months_followed=24),
    ]
    events = [
        event("c1", on="p1", months_since_implant=11),
        caused(event("f1", on="p2", complication="pump-motor-stall", months_since_implant=1), "c1"),
        event("c2"),
        caused(event("f2", complication="pump-motor-stall"), "c2"),
    ]
    frozen = frozen_rows(tmp_path, events=events, implants=devices)

    (pair,) = pairs(frozen).values()

    assert (pair["n"], pair["with_interval"], pair["median_months"]) == (2, 0, None)


def test_months_of_a_later_pump_and_an_earlier_catheter_are_no_interval(tmp_path: Path):
    """A pump of the next year: worked out from years, its month 2 lies before month 15."""
    devices = [
        implant("c1", patient="x", component="catheter", implant_year=2015, months_followed=60),
        implant("p1", patient="x", implant_year=2016, months_followed=48),
    ]
    events = [
        event("m1", on="c1", complication="catheter-migration", months_since_implant=15),
        caused(event("r1", on="p1", complication="revision-surgery", months_since_implant=2), "m1"),
    ]
    frozen = frozen_rows(tmp_path, events=events, implants=devices)

    (pair,) = pairs(frozen).values()

    assert (pair["n"], pair["with_interval"], pair["before_cause"]) == (1, 0, 0)
    assert pair["median_months"] is None


def test_effect_told_before_its_cause_is_counted_apart_and_enters_no_median(tmp_path: Path):
    events = []
    for number, months in enumerate((9, 10, 13)):
        events.append(event(f"c{number}", on="p1", months_since_implant=10))
        effect = event(
            f"f{number}", on="p1", complication="pump-motor-stall", months_since_implant=months
        )
        events.append(caused(effect, f"c{number}"))
    frozen = frozen_rows(tmp_path, events=events, implants=[implant("p1", months_followed=60)])

    (pair,) = pairs(frozen).values()

    assert (pair["n"], pair["with_interval"], pair["before_cause"]) == (3, 2, 1)
    assert pair["median_months"] == 1.5  # of 0 and 3


def test_pairs_are_named_as_asked(linked: Frozen):
    names = {term.code: term.name for term in linked.store.manifest.terms.complications}
    code, label = "catheter-migration", names["catheter-migration"]

    shown = {labels: exact(linked, labels=labels) for labels in ("code", "label", "both")}

    assert shown["code"].rows[0]["cause"] == code
    assert shown["label"].rows[0]["cause"] == label != code
    assert shown["both"].rows[0]["cause"] == code
    assert shown["both"].rows[0]["cause_label"] == label
    for release in shown.values():
        assert [column.name for column in release.columns] == list(release.rows[0])


def test_rows_can_be_ordered_by_how_often(linked: Frozen):
    assert [row["n"] for row in exact(linked, ordering=("n",)).rows] == [1, 1, 2]


def test_other_groupings_and_other_counts_are_refused(linked: Frozen):
    for query in ({"group_by": ("drug",)}, {"group_by": ("category", "complication")}):
        with pytest.raises(BadQuery) as refused:
            exact(linked, **query)
        assert refused.value.faults[0].code == "bad-group-by"
    with pytest.raises(BadQuery) as refused:
        exact(linked, counting=CountingRule.DEVICES)
    assert refused.value.faults[0].code == "bad-counting"


def test_nothing_linked_is_an_empty_answer(tmp_path: Path):
    frozen = frozen_rows(tmp_path, events=[event("e1", on="p1")], implants=[implant("p1")])

    assert exact(frozen).rows == ()


SITES = "ABCD"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    """Of 160 patients with a migration at four sites 80 had a withdrawal of it, 40 of these twice.

    Of six the migration led to respiratory depression.
    """
    implants, events = [], []
    for n in range(160):
        own = {"on": f"c{n}", "site": SITES[n % 4]}
        implants.append(
            implant(
                f"c{n}",
                patient=f"p{n}",
                component="catheter",
                site=SITES[n % 4],
                months_followed=60,
            )
        )
        events.append(event(f"m{n}", complication="catheter-migration", **own))
        if n < 80:
            for turn in range(2 if n < 40 else 1):
                led_to = event(f"w{n}-{turn}", complication="baclofen-withdrawal", **own)
                events.append(caused(led_to, f"m{n}"))
        if n < 6:
            led_to = event(f"r{n}", complication="respiratory-depression", **own)
            events.append(caused(led_to, f"m{n}"))
    return frozen_rows(
        tmp_path_factory.mktemp("many"), events=events, implants=implants, sites=tuple(SITES)
    )


def test_patients_with_a_pair_count_once(many: Frozen):
    found = pairs(many, counting=CountingRule.PATIENTS)

    assert {pair: (row["n"], row["cause_events"], row["share"]) for pair, row in found.items()} == {
        ("catheter-migration", "baclofen-withdrawal"): (80, 160, 0.5),
        ("catheter-migration", "respiratory-depression"): (6, 160, 0.0375),
    }


@pytest.mark.parametrize(
    ("level", "cause", "effect"),
    [
        ("complication", "catheter-migration", "baclofen-withdrawal"),
        ("category", "catheter", "withdrawal"),
    ],
)
def test_only_shown_pairs_are_published(many: Frozen, level: str, cause: str, effect: str):
    release = ask(many, Measure.CASCADES, group_by=(level,))

    (row,) = release.rows
    assert (row["cause"], row["effect"], row["status"]) == (cause, effect, "ok")
    assert row["n"] == pytest.approx(80, abs=8)
    assert row["cause_events"] == pytest.approx(160, abs=8)
    assert row["share"] == pytest.approx(row["n"] / row["cause_events"])  # type: ignore[operator]
    assert not {"with_interval", "before_cause", "median_months"} & set(row)
    assert any("Only pairs whose number is shown" in said for said in release.meta["warnings"])  # type: ignore[attr-defined]


def test_protected_effects_are_filtered_without_changing_a_number(many: Frozen):
    whole = ask(many, Measure.CASCADES, group_by=("complication",))
    effect = str(whole.rows[0]["effect"])

    same = ask(many, Measure.CASCADES, group_by=("complication",), effect=(effect,))
    none = ask(many, Measure.CASCADES, group_by=("complication",), effect=("granuloma",))

    assert same.rows == whole.rows
    assert none.rows == ()


def test_pair_of_one_hand_is_not_published(tmp_path: Path):
    implants = [
        implant(f"c{n}", patient=f"p{n}", component="catheter", site="ABBB"[n % 4])
        for n in range(80)
    ]
    events = []
    for n in range(3, 80, 4):
        own = {"on": f"c{n}", "site": "B"}
        led_to = event(f"w{n}", complication="baclofen-withdrawal", **own)
        events += [
            event(f"m{n}", complication="catheter-migration", **own),
            caused(led_to, f"m{n}"),
        ]
    frozen = frozen_rows(tmp_path, events=events, implants=implants, sites=tuple(SITES))

    assert ask(frozen, Measure.CASCADES).rows == ()
