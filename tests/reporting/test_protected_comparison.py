"""Protected comparisons: crude ratios of shown rates, whose limits carry the perturbation."""

from math import exp, hypot, log

import numpy as np
import pytest

from registry.disclosure import Policy
from registry.disclosure.intervals import perturbed_rate_interval
from registry.records import BadQuery, NotAvailableAtThisDetail
from registry.reporting.asking.freshness import Frozen
from registry.reporting.estimating.observed import Observed
from registry.reporting.protected.comparison import _compared, _heterogeneity, others_of
from registry.vocabulary import CellStatus, CountingRule, Measure
from tests.reporting.protecting import SITES, ask, frozen_rows
from tests.snapshot.rows import event, implant

OF_PUMPS = (("category", ("pump",)),)
MALE, FEMALE, OTHER = "male", "female", "not-recorded"


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    """Pumps at four sites: 120 events in men, 80 in women, 2 where sex was not recorded."""
    implants, events = [], []
    for sex, pumps, count in ((MALE, 800, 120), (FEMALE, 900, 80), ("", 90, 2)):
        for number in range(pumps):
            name, site = f"{sex[:1] or 'x'}{number:03}", SITES[number % 4]
            implants.append(implant(name, site=site, sex=sex, months_followed=40))
            if number < count:
                events.append(event(f"e{name}", on=name, site=site, months_since_implant=39))
    return frozen_rows(tmp_path_factory.mktemp("sexes"), events=events, implants=implants)


def compared(frozen: Frozen, **query: object):
    asked = {"group_by": ("sex",), "where": OF_PUMPS} | query
    release = ask(frozen, Measure.COMPARISON, **asked)
    return {str(row["sex"]): row for row in release.rows}, release.meta["comparison"]


def test_ratios_are_those_of_the_protected_rates(frozen: Frozen) -> None:
    rates = {
        str(row["sex"]): row
        for row in ask(frozen, Measure.RATES, group_by=("sex",), where=OF_PUMPS).rows
    }

    rows, about = compared(frozen, reference=FEMALE)

    male, female = rates[MALE], rates[FEMALE]
    row = rows[MALE]
    assert (row["events"], row["exposure"], row["rate"]) == (
        male["events"],
        male["exposure"],
        male["rate"],
    )
    assert row["ratio"] == pytest.approx(male["rate"] / female["rate"])
    assert row["difference"] == pytest.approx(male["rate"] - female["rate"])
    below = hypot(log(male["rate"] / male["ci_lower"]), log(female["ci_upper"] / female["rate"]))
    above = hypot(log(male["ci_upper"] / male["rate"]), log(female["rate"] / female["ci_lower"]))
    assert row["ci_lower"] == pytest.approx(row["ratio"] * exp(-below))
    assert row["ci_upper"] == pytest.approx(row["ratio"] * exp(above))
    assert row["difference_lower"] == pytest.approx(
        row["difference"]
        - hypot(male["rate"] - male["ci_lower"], female["ci_upper"] - female["rate"])
    )
    assert row["difference_upper"] == pytest.approx(
        row["difference"]
        + hypot(male["ci_upper"] - male["rate"], female["rate"] - female["ci_lower"])
    )
    assert rows[FEMALE]["ratio"] == 1.0
    assert about["reference"] == FEMALE


def test_hidden_group_has_no_ratio_and_enters_no_test(frozen: Frozen) -> None:
    rows, about = compared(frozen)

    assert rows[OTHER]["status"] == "suppressed"
    assert {rows[OTHER][name] for name in ("events", "rate", "ratio", "difference")} == {None}
    assert about["test"]["df"] == 1


def test_reference_is_the_shown_group_with_most_exposure(frozen: Frozen) -> None:
    rows, about = compared(frozen)

    shown = {sex: row["exposure"] for sex, row in rows.items() if row["exposure"]}
    assert about["reference"] == max(shown, key=lambda sex: shown[sex])


def test_hidden_reference_leaves_nothing_to_compare_with(frozen: Frozen) -> None:
    rows, about = compared(frozen, reference=OTHER)

    assert (rows[MALE]["status"], rows[MALE]["reason"]) == ("hidden", "margins")
    assert rows[MALE]["events"] is not None
    assert {row["ratio"] for row in rows.values()} == {None}
    assert "hidden" in about["reason"]


def test_reference_that_is_no_row_is_refused(frozen: Frozen) -> None:
    with pytest.raises(BadQuery) as refusal:
        compared(frozen, reference="baclofen")

    (fault,) = refusal.value.faults
    assert (fault.column, fault.code) == ("reference", "unknown-reference")


@pytest.mark.parametrize(
    ("asked", "column", "way_on"),
    [
        ({"adjust": ("age_band",)}, "adjust", "leave adjust out"),
        ({"cluster": "site"}, "cluster", "leave it out"),
        ({"counting": CountingRule.EVENTS}, "counting", "counts first_event"),
        ({"group_by": ("implant_year",)}, "implant_year", "ask by year"),
        ({"group_by": ("site",), "where": (("complication", ("pump-flip",)),)}, "site", "category"),
    ],
)
def test_what_is_finer_is_refused_with_a_way_on(
    frozen: Frozen, asked: dict, column: str, way_on: str
) -> None:
    with pytest.raises(NotAvailableAtThisDetail) as refusal:
        compared(frozen, **asked)

    (fault,) = refusal.value.faults
    assert fault.column == column
    assert way_on in fault.detail


def observed(events: float, exposure: float, *, noise: float, exposure_sd: float) -> Observed:
    lower, upper = perturbed_rate_interval(
        events, exposure, count_variance=noise, exposure_sd=exposure_sd
    )
    return Observed(
        key=("x",),
        numbers={},
        status=CellStatus.OK,
        events=int(events),
        exposure=exposure,
        lower=lower * exposure,
        upper=upper * exposure,
        count_variance=noise,
        exposure_sd=exposure_sd,
    )


@pytest.mark.parametrize("expected", [25, 60, 250])
def test_limits_hold_the_ratio_and_the_difference_with_the_noise_of_both(expected: int) -> None:
    dice, tried, ratios, differences, alarms = np.random.default_rng(expected), 0, 0, 0, 0
    for _ in range(1500):
        time = 5000.0
        counts = dice.poisson((expected, 1.5 * expected)) + np.rint(dice.normal(0, 6**0.5, 2))
        alike = dice.poisson((expected,) * 3) + np.rint(dice.normal(0, 6**0.5, 3))
        if min(*counts, *alike) < 11:
            continue
        tried += 1
        told = [
            observed(float(n), time + float(dice.normal(0, 206)), noise=6.0, exposure_sd=206)
            for n in counts
        ]
        row = _compared(told[1], told[0], per=1)
        ratios += row["ci_lower"] <= 1.5 <= row["ci_upper"]  # type: ignore[operator]
        truth = 0.5 * expected / time
        differences += row["difference_lower"] <= truth <= row["difference_upper"]  # type: ignore[operator]
        three = [
            observed(float(n), time + float(dice.normal(0, 206)), noise=6.0, exposure_sd=206)
            for n in alike
        ]
        alarms += (_heterogeneity(three).p or 1.0) < 0.05

    assert tried > 1400
    assert 0.93 <= ratios / tried <= 0.98
    assert 0.93 <= differences / tried <= 0.98
    assert 0.02 <= alarms / tried <= 0.07


def test_one_shown_group_is_tested_against_nothing() -> None:
    assert _heterogeneity([observed(30, 5000, noise=6, exposure_sd=206)]).statistic is None


def test_nobody_is_told_to_adjust_what_cannot_be(frozen: Frozen) -> None:
    said = " ".join(
        ask(frozen, Measure.COMPARISON, group_by=("sex",), where=OF_PUMPS).meta["warnings"]
    )

    assert "Protected answers cannot be adjusted" in said
    assert "Adjust for" not in said


def test_all_others_are_the_published_total_without_the_row(frozen: Frozen) -> None:
    """Whoever has the rates by sex and of all can work the ratio out: it says nothing else."""
    by_sex = {
        str(row["sex"]): row
        for row in ask(frozen, Measure.RATES, group_by=("sex",), where=OF_PUMPS).rows
    }
    (whole,) = ask(frozen, Measure.RATES, where=OF_PUMPS).rows

    rows, about = compared(frozen, reference="others")

    assert about["reference"] == "others"
    for sex in (MALE, FEMALE):
        own, row = by_sex[sex], rows[sex]
        rest = (whole["events"] - own["events"]) / (whole["exposure"] - own["exposure"])
        assert (row["events"], row["exposure"]) == (own["events"], own["exposure"])
        assert row["ratio"] == pytest.approx(own["events"] / own["exposure"] / rest)
        assert row["difference"] == pytest.approx(own["rate"] - 1000 * rest)
        assert row["ci_lower"] < row["ratio"] < row["ci_upper"]
    assert rows[OTHER]["status"] == "suppressed"
    assert rows[OTHER]["ratio"] is None


def test_where_too_little_is_left_there_is_no_ratio(frozen: Frozen) -> None:
    """Of one sex alone all others are nobody, which the total shows as well."""
    where = (*OF_PUMPS, ("sex", (MALE,)))

    rows, about = compared(frozen, reference="others", where=where)

    assert (rows[MALE]["status"], rows[MALE]["reason"]) == ("hidden", "margins")
    assert rows[MALE]["ratio"] is None
    assert rows[MALE]["events"] is not None
    assert about["reason"] is None


def test_hidden_total_hides_all_others(tmp_path) -> None:
    implants = [implant(f"a{n}", site=SITES[n % 4], sex=(MALE, FEMALE)[n % 2]) for n in range(90)]
    few = frozen_rows(tmp_path, events=[event("e", on="a1", site=SITES[1])], implants=implants)

    rows, about = compared(few, reference="others")

    assert {row["ratio"] for row in rows.values()} == {None}
    assert about["reason"] == "The total is hidden, and all others with it."


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"group_by": ("year",)}, "totals hold what has no calendar year"),
        ({"group_by": ("window",)}, "totals hold what has no months since implant"),
        (
            {
                "group_by": ("drug",),
                "where": (*OF_PUMPS, ("drug", ("morphine", "baclofen"))),
            },
            "some values of drug",
        ),
        (
            {"group_by": ("pump_model",), "where": (("category", ("withdrawal",)),)},
            "counted once a patient",
        ),
    ],
)
def test_others_that_are_no_total_without_the_row_are_refused(
    frozen: Frozen, asked: dict, says: str
) -> None:
    with pytest.raises(NotAvailableAtThisDetail) as refusal:
        compared(frozen, reference="others", **asked)

    (fault,) = refusal.value.faults
    assert fault.column == "reference"
    assert says in fault.detail
    assert "name one row as the reference" in fault.detail


def test_patients_counted_once_have_others_by_what_all_their_devices_share(frozen: Frozen) -> None:
    where = (("category", ("withdrawal",)),)

    assert compared(frozen, reference="others", where=where)[1]["reference"] == "others"


def test_every_value_named_is_the_question_without_the_filter(frozen: Frozen) -> None:
    every = tuple(str(row["sex"]) for row in ask(frozen, group_by=("sex",)).rows)
    named = (*OF_PUMPS, ("sex", every))

    assert compared(frozen, reference="others", where=named) == compared(frozen, reference="others")


@pytest.mark.parametrize(("expected", "rest"), [(25, 60), (60, 25), (250, 30), (60, 2000)])
def test_limits_against_others_hold_with_the_noise_of_the_row_in_both(
    expected: int, rest: int
) -> None:
    dice, tried, ratios, differences = np.random.default_rng(expected + rest), 0, 0, 0
    policy, noise, spread = Policy(), 6.0, 206.0
    time, rest_time = 60.0 * expected, 120.0 * rest
    for _ in range(1500):
        own, others = dice.poisson((expected, rest))
        told, total = (
            observed(
                float(n + np.rint(dice.normal(0, noise**0.5))),
                months + float(dice.normal(0, spread)),
                noise=noise,
                exposure_sd=spread,
            )
            for n, months in ((own, time), (own + others, time + rest_time))
        )
        against = others_of(told, total, policy=policy, least=1000, level=0.95)
        if (told.events or 0) < 11 or against is None:
            continue
        tried += 1
        row = _compared(told, against, per=1, shared=True)
        ratios += row["ci_lower"] <= 2.0 <= row["ci_upper"]  # type: ignore[operator]
        truth = expected / time - rest / rest_time
        differences += row["difference_lower"] <= truth <= row["difference_upper"]  # type: ignore[operator]

    assert tried > 1400
    assert 0.93 <= ratios / tried <= 0.985
    assert 0.93 <= differences / tried <= 0.985


def test_shared_noise_widens_limits() -> None:
    one = observed(30, 5000, noise=6, exposure_sd=206)
    other = observed(40, 5000, noise=12, exposure_sd=291)

    apart, shared = (_compared(one, other, per=1, shared=each) for each in (False, True))

    assert shared["ci_lower"] < apart["ci_lower"]  # type: ignore[operator]
    assert shared["ci_upper"] > apart["ci_upper"]  # type: ignore[operator]
