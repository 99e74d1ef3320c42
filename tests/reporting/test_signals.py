"""Signals: two-by-two tables by hand, the outlier rule, which rows there are, and protection."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2, false_discovery_control

from registry.disclosure import ShownNode, rate_row
from registry.records import BadQuery, Cell, EventQuery, NotAvailableAtThisDetail, Release
from registry.reporting.answering import _exact
from registry.reporting.asking.freshness import Frozen
from registry.reporting.estimating.pairs import PRODUCTS
from registry.reporting.estimating.signals import is_shown_signal, is_signal, judged, shown_pair
from registry.statistics.signals import (
    disproportionality,
    outlier_rule,
    perturbed_disproportionality,
)
from registry.vocabulary import CellStatus, CountingRule, Measure
from tests.reporting.protecting import SITES, ask, frozen_rows
from tests.snapshot.rows import event, implant

II_20, II_40, PROMETRA = "synchromed-ii-20", "synchromed-ii-40", "prometra-ii-20"
COLUMNS = (
    *("pump_model", "complication", "n", "expected", "prr", "prr_lower", "prr_upper"),
    *("ror", "ror_lower", "ror_upper", "ic", "ic_lower", "ic_upper", "chi2_yates", "q"),
    *("devices", "rate_ratio", "p", "signal", "outlier", "status"),
)


def exact(frozen: Frozen, **query: object) -> Release:
    return _exact(EventQuery(**query), Measure.SIGNALS, frozen)  # type: ignore[arg-type]


def cell(release: Release, product: str, code: str) -> dict[str, Cell]:
    first, second = (column.name for column in release.columns[:2])
    (row,) = (row for row in release.rows if (row[first], row[second]) == (product, code))
    return dict(row)


def registry_of(
    path: Path, pumps: dict[str, int], reports: dict[tuple[str, str], int], **more: object
) -> Frozen:
    """Pumps of each model, followed for 24 months; each report is on another pump of its model."""
    implants = [
        implant(
            f"{model[:4]}{model[-2:]}{number:04}",
            pump_model=model,
            site=SITES[number % len(SITES)],
            **more,
        )
        for model, count in pumps.items()
        for number in range(count)
    ]
    events, used = [], dict.fromkeys(pumps, 0)
    for (model, code), count in reports.items():
        for _ in range(count):
            name = f"{model[:4]}{model[-2:]}{used[model]:04}"
            site = SITES[used[model] % len(SITES)]
            events.append(event(f"e{name}", on=name, site=site, complication=code))
            used[model] += 1
    return frozen_rows(path, events=events, implants=implants)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    """One model stalls more often than the two others, which flip."""
    return registry_of(
        tmp_path_factory.mktemp("three"),
        {II_20: 400, II_40: 400, PROMETRA: 100},
        {
            (II_20, "pump-flip"): 60,
            (II_40, "pump-flip"): 64,
            (PROMETRA, "pump-flip"): 12,
            (II_20, "pump-motor-stall"): 20,
            (II_40, "pump-motor-stall"): 24,
            (PROMETRA, "pump-motor-stall"): 30,
        },
    )


# True numbers -----------------------------------------------------------------------------------


def test_measures_are_those_of_the_two_by_two_table(three: Frozen):
    row = cell(exact(three), PROMETRA, "pump-motor-stall")

    found = disproportionality(30, 12, 44, 124)
    assert row["n"] == 30
    for name in COLUMNS[3:14]:
        assert row[name] == pytest.approx(getattr(found, name))
    assert row["prr"] == pytest.approx((30 / 42) / (44 / 168))
    assert row["expected"] == pytest.approx(42 * 74 / 210)
    assert row["signal"] is True


def test_counts_of_openebgm_by_hand(tmp_path: Path):
    # openEBGM's ten reports: product A event 1: a = 1, E = .6, PRR 2.3333
    frozen = registry_of(
        tmp_path,
        {II_20: 9, II_40: 9, PROMETRA: 9},
        {
            (II_20, "pump-flip"): 1,
            (II_20, "pump-motor-stall"): 2,
            (II_40, "pump-motor-stall"): 5,
            (PROMETRA, "pump-flip"): 1,
            (PROMETRA, "pump-motor-stall"): 1,
        },
    )
    row = cell(exact(frozen), II_20, "pump-flip")

    assert (row["n"], row["expected"], row["prr"]) == (1, 0.6, pytest.approx(7 / 3))


def test_outlier_rule_leaves_a_large_product_out_of_the_group(three: Frozen):
    row = cell(exact(three), PROMETRA, "pump-motor-stall")
    time = [400 * 24 - 20 * 18, 400 * 24 - 24 * 18, 100 * 24 - 30 * 18]

    judged = outlier_rule(
        events=[20, 24, 30], exposure=time, devices=[400, 400, 100], revised=[20, 24, 30]
    )

    assert (row["devices"], row["outlier"]) == (100, True)
    assert row["rate_ratio"] == pytest.approx(judged[2].rate_ratio)
    assert row["p"] == pytest.approx(judged[2].p)
    large = cell(exact(three), II_20, "pump-motor-stall")
    assert large["rate_ratio"] == pytest.approx((20 / time[0]) / (54 / (time[1] + time[2])))
    assert large["outlier"] is False


def test_columns_are_those_promised_and_meta_says_how_many_were_compared(three: Frozen):
    release = exact(three)

    assert tuple(release.rows[0]) == COLUMNS
    told = release.meta["signals"]
    assert told["compared"] == len(release.rows) == 6
    assert "PRR 2 or more" in told["rule"]
    assert "over 2 times the group's" in told["outlier_rule"]
    assert told["multiplicity"].startswith("6 pairs")


def test_at_risk_are_patients_where_the_complication_is_theirs(tmp_path: Path):
    # Ten patients with two pumps each, one after the other.
    implants = [
        implant(f"i{n}-{turn}", patient=f"p{n}", implant_year=2010 + 3 * turn, pump_model=PROMETRA)
        for n in range(10)
        for turn in (1, 2)
    ]
    happened = [
        event("e0", on="i0-1", complication="pump-motor-stall"),
        event("e1", on="i1-1", complication="baclofen-withdrawal"),
    ]
    release = exact(frozen_rows(tmp_path, events=happened, implants=implants))

    assert cell(release, PROMETRA, "pump-motor-stall")["devices"] == 20
    assert cell(release, PROMETRA, "baclofen-withdrawal")["devices"] == 10
    (column,) = (column for column in release.columns if column.name == "devices")
    assert column.title == "Devices or patients at risk"
    assert "patients are counted instead of devices" in release.meta["signals"]["outlier_rule"]


@pytest.mark.parametrize(
    ("table", "signal"),
    [
        ((30, 20, 25, 100), True),
        ((12, 8, 0, 60), True),  # no other product has it: no PRR
        ((2, 1, 2, 3000), False),  # two reports
        ((300, 200, 400, 600), False),  # PRR 1.5
        ((12, 8, 10, 40), False),  # the IC's lower limit is below 0
        ((3, 1, 60, 100), False),  # chi-squared under 4
    ],
)
def test_signal_meets_every_condition(table: tuple[int, int, int, int], signal: bool):
    assert is_signal(table[0], disproportionality(*table)) is signal


@pytest.mark.parametrize(
    ("n", "change"),
    [
        (2, {}),
        (30, {"prr": 1.99}),
        (30, {"chi2_yates": 3.99}),
        (30, {"chi2_yates": None}),
        (30, {"ic_lower": 0.0}),
        (30, {"ic_lower": None}),
    ],
)
def test_each_condition_alone_keeps_a_pair_from_being_a_signal(n: int, change: dict[str, object]):
    found = disproportionality(30, 20, 25, 100)

    assert is_signal(30, replace(found, prr=2.0, chi2_yates=4.0, ic_lower=0.01))
    assert not is_signal(n, replace(found, **change))


def test_event_that_no_other_product_has_can_be_a_signal_without_a_prr(tmp_path: Path):
    frozen = registry_of(
        tmp_path,
        {II_20: 90, II_40: 90},
        {(II_20, "pump-motor-stall"): 12, (II_20, "pump-flip"): 8, (II_40, "pump-flip"): 60},
    )

    row = cell(exact(frozen), II_20, "pump-motor-stall")

    assert (row["prr"], row["ror"], row["signal"]) == (None, None, True)
    assert row["ic_lower"] > 0


def test_filters_on_product_and_complication_choose_rows_and_change_no_number(three: Frozen):
    whole = cell(exact(three), PROMETRA, "pump-motor-stall")

    where = (("complication", ("pump-motor-stall",)), ("pump_model", (PROMETRA,)))
    release = exact(three, where=where)

    assert [dict(row) for row in release.rows] == [whole]
    assert release.meta["signals"]["compared"] == 6
    assert any("choose rows" in said for said in release.meta["warnings"])


def test_filter_on_anything_else_narrows_what_is_compared(three: Frozen):
    release = exact(three, where=(("manufacturer", ("medtronic",)),))

    assert {row["pump_model"] for row in release.rows} == {II_20, II_40}
    row = cell(release, II_20, "pump-flip")
    assert row["expected"] == pytest.approx(80 * 124 / 168)


def test_product_that_is_not_recorded_is_among_the_others_and_has_no_row(tmp_path: Path):
    frozen = registry_of(
        tmp_path,
        {II_20: 20, "": 20},
        {(II_20, "pump-flip"): 4, (II_20, "pump-motor-stall"): 4, ("", "pump-flip"): 10},
    )
    release = exact(frozen)

    assert {row["pump_model"] for row in release.rows} == {II_20}
    assert cell(release, II_20, "pump-flip")["expected"] == pytest.approx(8 * 14 / 18)


def test_consequences_are_no_signals(tmp_path: Path):
    frozen = registry_of(
        tmp_path, {II_20: 20, II_40: 20}, {(II_20, "pump-flip"): 4, (II_20, "revision-surgery"): 9}
    )
    release = exact(frozen)

    assert [(row["complication"], row["expected"]) for row in release.rows] == [("pump-flip", 4)]


def test_class_of_drugs_chooses_rows_of_drugs(tmp_path: Path):
    implants = [
        implant(f"p{drug[:3]}{n}", drug=drug) for drug in ("morphine", "baclofen") for n in range(5)
    ]
    events = [event(f"e{d}{n}", on=f"p{d}{n}") for d in ("mor", "bac") for n in range(3)]
    frozen = frozen_rows(tmp_path, events=events, implants=implants)
    where = (("drug_class", ("opioid",)),)

    by_drug = exact(frozen, where=where, group_by=("drug", "category"))
    by_class = exact(frozen, where=(("drug", ("morphine",)),), group_by=("drug_class", "category"))

    assert [(row["drug"], row["n"], row["expected"]) for row in by_drug.rows] == [
        ("morphine", 3, 3)
    ]
    assert [(row["drug_class"], row["n"]) for row in by_class.rows] == [("opioid", 3)]


def test_devices_count_once_where_they_are_counted(tmp_path: Path):
    implants = [implant("p1", pump_model=II_20), implant("p2", pump_model=II_40)]
    events = [event(f"e{n}", on="p1", months_since_implant=n) for n in range(3)]
    frozen = frozen_rows(tmp_path, events=[*events, event("x", on="p2")], implants=implants)

    of_events = cell(exact(frozen), II_20, "pump-flip")
    of_devices = cell(exact(frozen, counting=CountingRule.DEVICES), II_20, "pump-flip")

    assert (of_events["n"], of_devices["n"]) == (3, 1)


@pytest.mark.parametrize(
    "group_by",
    [("drug", "pump_model"), ("complication", "category"), ("drug", "sex"), ("year",)],
)
def test_other_groupings_are_refused(three: Frozen, group_by: tuple[str, ...]):
    with pytest.raises(BadQuery) as refused:
        exact(three, group_by=group_by)
    assert refused.value.faults[0].code == "bad-group-by"


def test_order_of_the_grouping_changes_nothing(three: Frozen):
    assert (
        exact(three, group_by=("category", "drug")).rows
        == exact(three, group_by=("drug", "category")).rows
    )
    assert exact(three, group_by=("complication", "pump_model")).rows == exact(three).rows


# From shown numbers -----------------------------------------------------------------------------


def shown(count: int | None, population: int = 500, exposure: int | None = None) -> ShownNode:
    return ShownNode(
        count=count,
        population=population,
        exposure=exposure,
        has_exposure=exposure is not None,
        count_variance=6.0 if count else 0.0,
        population_variance=6.0,
        exposure_sd=200.0 if exposure else 0.0,
    )


def test_errors_widen_every_limit_and_lower_chi_squared():
    plain = disproportionality(30, 12, 44, 124)
    noisy = perturbed_disproportionality(30, 42, 74, 210, variances=(6.0,) * 4)

    for name in ("prr", "ror", "ic"):
        assert getattr(noisy, name) == getattr(plain, name)
        assert getattr(noisy, f"{name}_lower") < getattr(plain, f"{name}_lower")
        assert getattr(noisy, f"{name}_upper") > getattr(plain, f"{name}_upper")
    assert noisy.chi2_yates < plain.chi2_yates


def test_errors_that_empty_a_cell_leave_the_ic_alone():
    found = perturbed_disproportionality(12, 40, 11, 100, variances=(6.0,) * 4)

    assert (found.prr, found.ror, found.reason) == (None, None, "empty_cell")
    assert found.ic_lower < found.ic < found.ic_upper


def test_limits_of_perturbed_measures_hold_the_truth_95_times_in_100():
    draw = np.random.default_rng(7)
    share = np.array([0.03, 0.12, 0.10, 0.75])  # a, b, c, d: PRR 1.7, ROR 1.875
    truths = {"prr": (0.03 / 0.15) / (0.10 / 0.85), "ror": 0.03 * 0.75 / (0.12 * 0.10)}
    held, tried = dict.fromkeys(truths, 0), 2000
    for _ in range(tried):
        a, b, c, d = draw.multinomial(800, share)
        noise = np.rint(draw.normal(0, 6**0.5, 4))
        counts = np.array([a, a + b, a + c, a + b + c + d]) + noise
        found = perturbed_disproportionality(*map(int, counts), variances=(6.0,) * 4)
        for name, truth in truths.items():
            lower, upper = getattr(found, f"{name}_lower"), getattr(found, f"{name}_upper")
            held[name] += lower <= truth <= upper

    for count in held.values():
        assert 0.935 <= count / tried <= 0.97  # two standard errors are 1 point


def signal_row(*nodes, **asks):
    """A pair of shown numbers that is alone in its answer."""
    (row,), _about = judged([shown_pair(*nodes, **asks)])
    return row


@pytest.mark.parametrize("place", range(3))
def test_pair_with_a_hidden_margin_has_no_measure(place: int):
    margins = [shown(42), shown(74), shown(210)]
    margins[place] = shown(None)

    row = signal_row(("m", "c"), shown(30), margins, rate=[], group=[], level=0.95)

    assert (row.status, row.numbers["reason"]) == (CellStatus.HIDDEN, "margins")
    assert row.numbers["n"] == 30
    assert not {"prr", "ic", "expected", "signal"} & set(row.numbers)


def test_hidden_pair_has_no_number_at_all():
    row = signal_row(
        ("m", "c"), shown(None), [shown(42), shown(74), shown(210)], rate=[], group=[], level=0.95
    )

    assert row.status is CellStatus.SUPPRESSED
    assert {value for name, value in row.numbers.items() if name != "hidden_cells"} == {None}


def test_large_product_is_left_out_of_the_shown_group():
    row = signal_row(
        ("m", "c"),
        shown(30),
        [shown(200), shown(300), shown(900)],
        rate=[shown(30, 400, 9000)],
        group=[shown(100, 1000, 30000)],
        level=0.95,
    )

    assert row.numbers["rate_ratio"] == pytest.approx((30 / 9000) / (70 / 21000))


def judged_by(rate: ShownNode, group: ShownNode) -> dict[str, Cell]:
    margins = [shown(200), shown(300), shown(900)]
    numbers = signal_row(
        ("m", "c"), shown(rate.count), margins, rate=[rate], group=[group], level=0.95
    ).numbers
    return {name: numbers[name] for name in ("devices", "rate_ratio", "outlier")}


@pytest.mark.parametrize(("others", "judged"), [(4, False), (5, True), (20, True)])
def test_group_known_only_by_its_noise_judges_nobody(others: int, judged: bool):
    """Of the group's 12 + others events are 12 the product's own: variance 12 in what is left."""
    found = judged_by(shown(12, 400, 9000), shown(12 + others, 1000, 30000))

    assert found["devices"] == 400
    assert (found["rate_ratio"] is not None) is judged
    assert (found["outlier"] is not None) is judged


def test_noise_of_the_group_counts_in_the_outlier_rule():
    rate, group = shown(14, 400, 9000), shown(22, 1000, 22000)
    alone = rate_row([rate], level=0.90).ci_lower

    found = judged_by(rate, group)

    assert found["rate_ratio"] == pytest.approx((14 / 9000) / (8 / 13000))  # 2.5
    assert alone is not None
    assert alone > 8 / 13000  # it would do if the group's rate were known
    assert found["outlier"] is False


@pytest.mark.parametrize(
    ("events", "exposure", "outlier"),
    [
        (30, 3000, True),  # 3 times the group's rate
        (24, 3000, False),  # 2.4 times: within the noise of 2
        (19, 1000, False),  # 5.7 times, of fewer events than 20 and fewer than 10 expected
        (20, 1000, True),
    ],
)
def test_outlier_of_shown_numbers_needs_enough_events_and_twice_beyond_noise(
    events: int, exposure: int, outlier: bool
):
    found = judged_by(shown(events, 100, exposure), shown(1000, 1000, 300000))

    assert found["rate_ratio"] == pytest.approx(events / exposure / (1000 / 300000))
    assert found["outlier"] is outlier


OF_SHOWN = {"chi2_yates": 30.0, "ic_lower": 0.4, "prr": 3.0, "prr_noise": 0.2, "expected": 8.0}


@pytest.mark.parametrize(
    ("n", "q", "other", "signal"),
    [
        (20, 0.01, {}, True),
        (19, 0.01, {}, False),
        (19, 0.01, {"expected": 10.0}, True),
        (20, 0.05, {}, False),
        (20, 0.01, {"chi2_yates": 3.9}, False),
        (20, 0.01, {"ic_lower": 0.0}, False),
        (20, 0.01, {"prr": 2 * np.exp(1.6449 * 0.2)}, True),
        (20, 0.01, {"prr": 2 * np.exp(1.6448 * 0.2)}, False),
        (20, 0.01, {"prr": None}, True),
    ],
)
def test_signal_of_shown_numbers_meets_every_condition(n, q, other, signal):
    plain = disproportionality(30, 12, 44, 124)

    assert is_shown_signal(n, replace(plain, **(OF_SHOWN | other)), q) is signal


def test_q_of_shown_pairs_is_over_all_that_have_numbers_and_not_only_those_asked_for():
    margins = [shown(200), shown(300), shown(900)]
    pairs = [
        shown_pair(("m", str(n)), shown(n), margins, rate=[], group=[], level=0.95, is_asked=asked)
        for n, asked in ((120, True), (66, True), (110, False), (None, True))
    ]

    rows, about = judged(pairs)

    p = chi2.sf([pair.found.chi2_yates for pair in pairs if pair.found], 1)
    q = false_discovery_control(p)
    assert [row.numbers.get("q") for row in rows] == [*map(pytest.approx, q[:2]), None]
    assert about["signals"]["compared"] == 3


def test_products_that_are_no_outliers_are_seldom_marked_for_noise():
    """A large product at the rate of the others, which have few events themselves."""
    draw = np.random.default_rng(11)
    marked, tried = 0, 2000
    for _ in range(tried):
        own, others = draw.poisson(9), draw.poisson(9)
        count, total = own + round(draw.normal(0, 6**0.5)), own + others
        if count < 5:  # hidden
            continue
        group = shown(total + round(draw.normal(0, 6**0.5)), 1000, 18000)
        marked += judged_by(shown(count, 400, 9000), group)["outlier"] is True

    assert marked / tried < 0.05


# Protected --------------------------------------------------------------------------------------


def test_protected_pairs_come_from_counts_that_are_published(three: Frozen):
    release = ask(three, Measure.SIGNALS)
    devices = {"counting": CountingRule.DEVICES}
    pairs = {
        (row["pump_model"], row["complication"]): row["n"]
        for row in ask(three, group_by=("pump_model", "complication"), **devices).rows
    }
    products = {
        row["pump_model"]: row["n"] for row in ask(three, group_by=("pump_model",), **devices).rows
    }
    events = {
        row["complication"]: row["n"]
        for row in ask(three, group_by=("complication",), **devices).rows
    }
    (total,) = ask(three, **devices).rows

    told = [row for row in release.rows if row["status"] == "ok"]
    assert 2 <= len(told) == release.meta["signals"]["compared"] < 5  # 12 of four hands are hidden
    for row in told:
        key = (row["pump_model"], row["complication"])
        found = perturbed_disproportionality(
            pairs[key], products[key[0]], events[key[1]], total["n"], variances=(6.0,) * 4
        )
        assert row["n"] == pairs[key]
        for name in COLUMNS[3:14]:
            assert row[name] == pytest.approx(getattr(found, name))
    assert "p" not in release.rows[0]


def test_protected_outlier_is_found_and_its_signal_is_that_of_its_shown_numbers(three: Frozen):
    release = ask(three, Measure.SIGNALS)

    row = cell(release, PROMETRA, "pump-motor-stall")
    assert cell(exact(three), PROMETRA, "pump-motor-stall")["signal"]
    assert row["outlier"] is True  # 30 of 42, against 44 of 168

    def devices(**where: str) -> int:
        """The shown number of devices."""
        asked = tuple((name, (value,)) for name, value in where.items())
        (total,) = ask(three, where=asked, counting=CountingRule.DEVICES).rows
        return int(total["n"])

    sizes = devices(pump_model=PROMETRA), devices(complication="pump-motor-stall"), devices()
    found = perturbed_disproportionality(row["n"], *sizes, variances=(6.0,) * 4)
    assert row["signal"] is is_shown_signal(row["n"], found, row["q"])
    others = [each for each in release.rows if each["status"] == "ok" and each["outlier"]]
    assert [dict(each) for each in others] == [row]


def test_rows_of_a_protected_answer_follow_from_the_question_alone(three: Frozen, tmp_path: Path):
    empty = frozen_rows(tmp_path, events=(), implants=())

    def keys(release: Release) -> list[tuple[Cell, Cell]]:
        return [(row["pump_model"], row["complication"]) for row in release.rows]

    where = (("complication", ("pump-flip",)),)
    assert keys(ask(three, Measure.SIGNALS, where=where)) == keys(
        ask(empty, Measure.SIGNALS, where=where)
    )
    assert {row["status"] for row in ask(empty, Measure.SIGNALS, where=where).rows} == {"hidden"}


def test_every_report_is_not_published(three: Frozen):
    with pytest.raises(NotAvailableAtThisDetail) as refused:
        ask(three, Measure.SIGNALS, counting=CountingRule.EVENTS)
    assert refused.value.faults[0].column == "counting"


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_product_fits_with_every_complication(three: Frozen, product: str):
    assert ask(three, Measure.SIGNALS, group_by=(product,)).rows


def test_one_question_said_in_two_ways_has_one_protected_answer(three: Frozen):
    said = {"group_by": ("complication", "pump_model"), "counting": CountingRule.DEVICES}

    assert ask(three, Measure.SIGNALS, **said) == ask(three, Measure.SIGNALS)


def test_pairs_within_one_drug_are_finer_than_what_is_published(three: Frozen):
    by_category = {"group_by": ("pump_model", "category")}
    with pytest.raises(NotAvailableAtThisDetail) as refused:
        ask(three, Measure.SIGNALS, where=(("drug", ("baclofen",)),), **by_category)
    assert refused.value.faults[0].column == "group_by"


def test_several_products_choose_rows_that_are_there_once(three: Frozen):
    release = ask(three, Measure.SIGNALS, where=(("pump_model", (PROMETRA, II_20)),))

    keys = [(row["pump_model"], row["complication"]) for row in release.rows]
    assert len(set(keys)) == len(keys)
    assert {product for product, _code in keys} == {PROMETRA, II_20}


def test_several_drugs_choose_the_row_of_their_class(three: Frozen):
    by_class = {"group_by": ("drug_class", "category")}
    release = ask(three, Measure.SIGNALS, where=(("drug", ("fentanyl", "morphine")),), **by_class)

    assert {row["drug_class"] for row in release.rows} == {"opioid"}
