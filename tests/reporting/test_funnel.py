"""The funnel: limits around what is expected, case mix, what sites do beyond chance, protection."""

from pathlib import Path

import numpy as np
import pytest
from django.core.cache import cache

from registry.disclosure import Policy
from registry.records import BadQuery, EventQuery, NotAvailableAtThisDetail, Release
from registry.reporting.answering import _exact
from registry.reporting.asking.freshness import Frozen
from registry.reporting.estimating.funnel import funnel_of, overall_rate
from registry.reporting.estimating.observed import Observed
from registry.reporting.protected import funnels
from registry.snapshot.freeze import freeze_rows
from registry.snapshot.shelf import open_store
from registry.statistics.funnel import overdispersion, poisson_limits
from registry.statistics.intervals import poisson_interval
from registry.vocabulary import CellStatus, CountingRule, Denominator, Measure, SnapshotKind
from tests.reporting.protecting import ask, frozen_rows
from tests.snapshot.rows import event, exposure, implant, shipped_terms

SITES = tuple(f"S{number:02}" for number in range(12))
FLIPS = (("complication", ("pump-flip",)),)
OF_PUMPS = (("category", ("pump",)),)


def exact(frozen: Frozen, measure: Measure = Measure.FUNNEL, **query: object) -> Release:
    return _exact(EventQuery(**query), measure, frozen)  # type: ignore[arg-type]


def rows_of(
    events_at: dict[str, int], *, pumps: int = 100, old: dict[str, int] | None = None
) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Pumps followed for 40 months at each site, some in older patients, the first with a flip.

    old: how many of a site's pumps are in patients of 65 to 79; the flips happen to these first.
    """
    implants, events = [], []
    for site, count in events_at.items():
        for number in range(pumps):
            name = f"{site}{number:04}"
            aged = number < (old or {}).get(site, 0)
            implants.append(
                implant(
                    name,
                    site=site,
                    months_followed=40,
                    age_band="65-79" if aged else "40-64",
                )
            )
            if number < count:
                events.append(event(f"e{name}", on=name, site=site, months_since_implant=39))
    return implants, events


@pytest.fixture(scope="module")
def twelve(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    """Twelve sites: one without a flip, one with three times what the others have."""
    at = dict(zip(SITES, (0, 20, 19, 21, 20, 22, 18, 20, 17, 23, 20, 60), strict=True))
    implants, events = rows_of(at)
    return frozen_rows(
        tmp_path_factory.mktemp("twelve"), events=events, implants=implants, sites=SITES
    )


def site(name: str, events: int, exposure: float = 1000.0, **more: float) -> Observed:
    return Observed(
        key=(name,),
        numbers={"events": events, "exposure": exposure},
        status=CellStatus.OK,
        events=events,
        exposure=exposure,
        **more,
    )


def drawn(sites: list[Observed], expected: list[float]):
    awaited = {each.key: number for each, number in zip(sites, expected, strict=True)}
    rows, meta = funnel_of(sites, awaited, target=0.02, per=100, standardisation="crude")
    return [row.numbers for row in rows], meta["funnel"]


# The arithmetic ---------------------------------------------------------------------------------


def test_limits_are_those_of_funnelplotr():
    # FunnelPlotR: expected 15, 20, 30
    rows, _ = drawn([site("A", 15), site("B", 20), site("C", 30)], [15, 20, 30])

    assert [row["lower_95"] for row in rows] == pytest.approx([0.5596924, 0.610826, 0.6746958])
    assert [row["upper_95"] for row in rows] == pytest.approx([1.649348, 1.544419, 1.427562])
    assert [row["lower_998"] for row in rows] == pytest.approx([0.386265, 0.4479107, 0.5289724])
    assert [row["upper_998"] for row in rows] == pytest.approx([2.082907, 1.902094, 1.702771])


@pytest.mark.parametrize(
    ("events", "signal"),
    [
        (20, "within"),
        (30, "within"),
        (31, "above-95"),
        (38, "above-95"),
        (39, "above-998"),
        (13, "within"),
        (12, "below-95"),
        (9, "below-95"),
        (8, "below-998"),
        (0, "below-998"),
    ],
)
def test_signal_names_the_outermost_limits_that_are_crossed(events, signal):
    # limits at 20 expected: 12.2 to 30.9 and 8.96 to 38.04 events
    (row,), _ = drawn([site("A", events)], [20])

    assert row["signal"] == signal
    assert row["ratio"] == events / 20


@pytest.mark.parametrize(
    ("expected", "signal"),
    [
        (0.3, "within"),  # nine in ten such sites have no event
        (2.25, "within"),
        (3.68, "within"),  # exp(-3.68) = 0.0252
        (3.70, "below-95"),
        (6.90, "below-95"),  # exp(-6.90) = 0.00101
        (6.92, "below-998"),
    ],
)
def test_site_without_events_is_low_only_where_that_is_improbable(expected, signal):
    (row,), _ = drawn([site("A", 0)], [expected])

    assert row["signal"] == signal
    assert (row["lower_95"] == 0) is (signal == "within")
    assert (row["lower_998"] == 0) is (signal != "below-998")


def test_where_sites_differ_a_site_without_events_is_low_later():
    counts = [0, 40, 20, 8, 35, 22, 12, 30, 18, 10]
    sites = [site(name, count) for name, count in zip(SITES, counts, strict=False)]

    rows, about = drawn(sites, [5.0] + [20.0] * 9)

    tau2 = about["overdispersion"]["tau2"]
    assert np.exp(-5) < 0.025 < (1 + 5 * tau2) ** (-1 / tau2)
    assert (rows[0]["signal"], rows[0]["lower_95"]) == ("within", 0)


def test_over_dispersion_widens_the_limits_of_ten_sites_and_not_of_nine():
    counts = [5, 40, 20, 8, 35, 22, 12, 30, 18, 10]
    sites = [site(name, count) for name, count in zip(SITES, counts, strict=False)]

    rows, about = drawn(sites, [20.0] * 10)
    few, few_about = drawn(sites[:9], [20.0] * 9)

    found = overdispersion(counts, [20.0] * 10)
    plain = poisson_limits(20.0, level=0.95)
    wide = poisson_limits(20.0, level=0.95, tau=found.tau)
    assert (rows[0]["lower_95"], rows[0]["upper_95"]) == pytest.approx(wide)
    assert (few[0]["lower_95"], few[0]["upper_95"]) == pytest.approx(plain)
    assert about["overdispersion"]["applied"] is True
    assert about["overdispersion"]["tau2"] == pytest.approx(found.tau**2)
    assert about["overdispersion"]["reason"] is None
    assert few_about["overdispersion"]["applied"] is False
    assert "ten sites" in few_about["overdispersion"]["reason"]


def test_sites_alike_have_no_over_dispersion_and_it_is_said():
    _, about = drawn([site(name, 20) for name in SITES], [20.0] * 12)

    assert about["overdispersion"]["applied"] is False
    assert "no more than expected by chance" in about["overdispersion"]["reason"]


def test_noise_of_known_size_is_not_taken_for_a_difference_between_sites():
    draw = np.random.default_rng(4)
    found = []
    for _ in range(300):
        counts = draw.poisson(20.0, 30) + np.rint(draw.normal(0, 6**0.5, 30))
        known = overdispersion(np.maximum(counts, 1), [20.0] * 30, added_variance=6 / 400)
        taken = overdispersion(np.maximum(counts, 1), [20.0] * 30)
        found.append((known.phi, taken.phi))

    known_phi, taken_phi = np.mean(found, axis=0)
    assert known_phi == pytest.approx(taken_phi / 1.3)  # 1 / 20 and 6 / 400 over 1 / 20
    assert known_phi < 0.85  # drawing in the outer tenths takes off about a quarter


def test_site_that_has_no_numbers_has_no_point():
    hidden = Observed(
        key=("B",),
        numbers={"events": None, "ci_lower": None},
        status=CellStatus.SUPPRESSED,
        events=None,
        exposure=None,
    )

    rows, meta = funnel_of(
        [site("A", 20), hidden], {("A",): 20.0}, target=0.02, per=100, standardisation="crude"
    )

    assert rows[1].status is CellStatus.SUPPRESSED
    assert set(rows[1].numbers.values()) == {None}
    assert meta["funnel"]["sites"] == 1


def test_overall_rate_of_nothing_is_none():
    assert overall_rate([]) is None


# Through reporting ------------------------------------------------------------------------------


def test_expected_is_the_rate_of_the_selection_times_the_exposure(twelve: Frozen):
    (whole,) = exact(twelve, Measure.RATES, where=FLIPS).rows
    sites = exact(twelve, Measure.RATES, where=FLIPS, group_by=("site",)).rows

    release = exact(twelve, where=FLIPS)

    rate = whole["events"] / whole["exposure"]
    for row, one in zip(release.rows, sites, strict=True):
        assert (row["site"], row["events"], row["exposure"]) == (
            one["site"],
            one["events"],
            one["exposure"],
        )
        assert row["expected"] == pytest.approx(rate * one["exposure"])
        lower, upper = poisson_interval(one["events"])
        assert row["ci_lower"] == pytest.approx(lower / row["expected"])
        assert row["ci_upper"] == pytest.approx(upper / row["expected"])
    assert sum(row["expected"] for row in release.rows) == pytest.approx(whole["events"])
    assert release.meta["funnel"]["target_rate"] == pytest.approx(1000 * rate)
    assert release.meta["funnel"]["standardisation"] == "crude"
    assert release.meta["funnel"]["sites"] == 12


def test_outlying_sites_are_marked_and_no_other(twelve: Frozen):
    found = {
        row["site"]: row["signal"]
        for row in exact(twelve, where=FLIPS).rows
        if row["signal"] != "within"
    }

    assert found == {"S00": "below-998", "S11": "above-998"}
    assert "one in twenty" in exact(twelve, where=FLIPS).meta["funnel"]["multiplicity"]


def test_columns_are_those_promised(twelve: Frozen):
    assert list(exact(twelve, where=FLIPS).rows[0]) == [
        *("site", "events", "exposure", "expected", "ratio", "ci_lower", "ci_upper"),
        *("lower_95", "upper_95", "lower_998", "upper_998", "signal", "status"),
    ]


def test_site_without_exposure_is_listed_without_a_ratio(tmp_path: Path):
    implants, events = rows_of({"A": 5, "B": 3})
    reported = event("lonely", site="C")
    frozen = frozen_rows(
        tmp_path, events=[*events, reported], implants=implants, sites=("A", "B", "C")
    )

    (row,) = (row for row in exact(frozen, where=FLIPS).rows if row["site"] == "C")

    assert (row["events"], row["status"]) == (1, "no_denominator")
    assert (row["expected"], row["ratio"], row["lower_95"]) == (None, None, None)


def test_case_mix_explains_a_high_rate_where_it_is_adjusted_for(tmp_path: Path):
    # A has 80 older patients and 20 others, B 20 and 80; one in four of the older has a flip
    implants, events = rows_of({"A": 20, "B": 5}, old={"A": 80, "B": 20})
    frozen = frozen_rows(tmp_path, events=events, implants=implants)

    crude = exact(frozen, where=FLIPS)
    adjusted = exact(frozen, where=FLIPS, standardise=("age_band",))

    assert [row["expected"] for row in crude.rows] == pytest.approx([12.5, 12.5], rel=2e-3)
    assert [row["expected"] for row in adjusted.rows] == pytest.approx([20, 5], rel=1e-3)
    assert [row["events"] for row in adjusted.rows] == [20, 5]
    assert [row["ratio"] for row in adjusted.rows] == pytest.approx([1, 1], rel=1e-3)
    assert adjusted.meta["funnel"]["standardisation"] == "indirect: age_band"
    assert any("not comparable" in said for said in adjusted.meta["warnings"])
    assert any("Crude" in said for said in crude.meta["warnings"])


def test_declared_exposure_has_no_mix_to_adjust_for(tmp_path: Path):
    implants, events = rows_of({"A": 20})
    manifest = freeze_rows(
        tmp_path,
        events=[*events, event("declared", site="B", year=2016)],
        implants=implants,
        exposures=[exposure("x", site="B", year=2016)],
        terms=shipped_terms(A="DE", B="DE"),
    )
    store = open_store(tmp_path, manifest.snapshot_id)
    frozen = Frozen(store=store, kind=SnapshotKind.WORKING, label="", data_as_of=None)
    fields = {"where": FLIPS, "counting": CountingRule.EVENTS}

    crude = exact(frozen, **fields).rows[1]
    adjusted = exact(frozen, **fields, standardise=("age_band",)).rows[1]

    assert (crude["exposure"], crude["status"]) == (120, "unstable")
    assert (adjusted["exposure"], adjusted["expected"]) == (0, None)
    assert adjusted["status"] == "no_denominator"


@pytest.mark.parametrize("name", ["site", "country", "component", "severity", "year"])
def test_what_is_no_case_mix_is_not_adjusted_for(twelve: Frozen, name: str):
    with pytest.raises(BadQuery) as refused:
        exact(twelve, where=FLIPS, standardise=(name,))
    assert refused.value.faults[0].column == "standardise"


def test_funnel_has_a_row_for_each_site_and_takes_no_other_grouping(twelve: Frozen):
    assert exact(twelve, where=FLIPS, group_by=("site",)).rows == exact(twelve, where=FLIPS).rows
    with pytest.raises(BadQuery) as refused:
        exact(twelve, group_by=("drug",))
    assert refused.value.faults[0].code == "bad-group-by"


def test_site_asked_for_alone_is_compared_with_itself_and_that_is_said(twelve: Frozen):
    alone = exact(twelve, where=(*FLIPS, ("site", (SITES[11],))))

    (row,) = alone.rows
    assert row["ratio"] == 1
    assert any("a single site's ratio is 1" in said for said in alone.meta["warnings"])
    assert not any("single site" in said for said in exact(twelve, where=FLIPS).meta["warnings"])


def test_events_that_cluster_are_warned_of(twelve: Frozen):
    release = exact(twelve, where=FLIPS, counting=CountingRule.EVENTS)

    assert any("cluster" in said for said in release.meta["warnings"])
    assert [row["events"] for row in release.rows][:2] == [0, 20]


def test_infections_are_divided_by_procedures(tmp_path: Path):
    implants = [
        implant(f"p{site}{n}", site=site, procedures=2) for site in ("A", "B") for n in range(5)
    ]
    infected = event(
        "i", on="pA0", site="A", complication="infection-pocket", days_since_procedure="8-30"
    )
    frozen = frozen_rows(tmp_path, events=[infected], implants=implants)

    rows = exact(frozen, where=(("complication", ("infection-pocket",)),)).rows

    assert [(row["events"], row["exposure"]) for row in rows] == [(1, 10), (0, 10)]
    assert [row["expected"] for row in rows] == [0.5, 0.5]


def test_nothing_frozen_is_an_empty_funnel(tmp_path: Path):
    empty = frozen_rows(tmp_path, events=(), implants=())

    assert exact(empty).rows == ()
    assert {row["status"] for row in ask(empty, Measure.FUNNEL).rows} == {"hidden"}


# Protected --------------------------------------------------------------------------------------


def test_protected_sites_are_those_of_the_protected_rates(twelve: Frozen):
    rates = ask(twelve, Measure.RATES, group_by=("site",), where=OF_PUMPS).rows
    (whole,) = ask(twelve, Measure.RATES, where=OF_PUMPS).rows

    release = ask(twelve, Measure.FUNNEL, where=OF_PUMPS)

    target = whole["events"] / whole["exposure"]
    assert [row["site"] for row in release.rows] == list(SITES)
    for row, one in zip(release.rows, rates, strict=True):
        assert (row["events"], row["status"]) == (one["events"], one["status"])
        if row["events"] is None:
            assert {row[name] for name in row} <= {"S00", None, "suppressed", 1}
            continue
        assert row["expected"] == pytest.approx(target * one["exposure"])
        assert row["ci_lower"] == pytest.approx(
            one["ci_lower"] / 1000 * one["exposure"] / row["expected"]
        )
        plain = poisson_limits(row["expected"], level=0.95)
        assert row["lower_998"] < row["lower_95"] < plain[0]
        assert row["upper_998"] > row["upper_95"] > plain[1]
    assert [row["status"] for row in release.rows].count("suppressed") == 1


def test_a_site_is_hidden_where_what_it_is_held_against_is(
    twelve: Frozen, monkeypatch: pytest.MonkeyPatch
):
    shown = ask(twelve, Measure.FUNNEL, where=OF_PUMPS).rows
    cache.clear()
    monkeypatch.setattr(funnels, "overall_rate", lambda cells: None)

    rows = ask(twelve, Measure.FUNNEL, where=OF_PUMPS).rows

    assert [row["events"] for row in rows] == [row["events"] for row in shown]
    assert {row["status"] for row in rows} == {"hidden", "suppressed"}
    for row in rows:
        assert row["expected"] is row["ratio"] is None
        assert (row["reason"] == "margins") is (row["events"] is not None)


def test_protected_funnel_finds_the_outlying_site(twelve: Frozen):
    rows = ask(twelve, Measure.FUNNEL, where=OF_PUMPS).rows

    assert {
        row["site"]: row["signal"] for row in rows if row["signal"] not in {"within", None}
    } == {"S11": "above-95"}
    # three times what is expected: 45 of 20, with the variance between sites at its upper limit


# Verdicts of shown numbers ----------------------------------------------------------------------

NOISE = {"count_variance": 6.0, "exposure_sd": 20.0}
ALL = Observed(
    key=(), numbers={}, status=CellStatus.OK, events=240, exposure=12_000.0, count_variance=6.0
)


def hidden_site(name: str) -> Observed:
    return Observed(
        key=(name,), numbers={}, status=CellStatus.SUPPRESSED, events=None, exposure=None
    )


def judged(sites: list[Observed], of_all: Observed = ALL):
    rows, meta = funnels.funnel_of_shown(sites, of_all, per=100)
    return [row.numbers for row in rows], meta["funnel"]


def test_limits_of_shown_numbers_lie_out_by_two_deviations_of_the_noise():
    rows, about = judged([site(name, 20, **NOISE) for name in SITES])

    noise = 6 / 240**2 + 0.02**2  # of the rate of all, and of the site's exposure
    chance = 1 / 20 + 6 / 20**2 + noise
    tau2 = 1.959964 * (2 / 12) ** 0.5 * chance  # sites alike: 0, and its upper limit
    assert about["overdispersion"]["tau2"] == 0
    assert about["overdispersion"]["tau2_at_most"]["95"] == pytest.approx(tau2, rel=1e-6)
    lower, upper = poisson_limits(20.0, level=0.95, tau=tau2**0.5)
    for row in rows:
        assert row["upper_95"] == pytest.approx(
            upper * np.exp(2 * (6 / (20 * upper) ** 2 + noise) ** 0.5), rel=1e-6
        )
        assert row["lower_95"] == pytest.approx(
            lower * np.exp(-2 * (6 / (20 * lower) ** 2 + noise) ** 0.5), rel=1e-6
        )
        assert (row["signal"], row["ratio"]) == ("within", 1.0)
    assert about["verdicts"]["given"] is True
    assert about["verdicts"]["reason"] is None


@pytest.mark.parametrize(
    ("shown", "hidden", "given", "said"),
    [
        (10, 0, True, None),
        (9, 0, False, "9 of 9 sites are shown, and 9 of these"),
        (10, 5, True, None),
        (10, 6, False, "10 of 16 sites are shown"),
    ],
)
def test_no_site_is_judged_where_too_few_are_shown(shown, hidden, given, said):
    told = [site(f"T{at:02}", 20 if at else 90, **NOISE) for at in range(shown)]
    rows, about = judged([*told, *(hidden_site(f"H{at:02}") for at in range(hidden))])

    assert about["verdicts"]["given"] is given
    assert rows[0]["ratio"] == 4.5
    if given:
        assert rows[0]["signal"] == "above-998"
    else:
        assert said in about["verdicts"]["reason"]
        assert {row["signal"] for row in rows[:shown]} == {"not-judged"}
        assert {row["upper_95"] for row in rows[:shown]} == {None}
    assert {row["signal"] for row in rows[shown:]} <= {None}


def test_sites_that_expect_few_events_say_nothing_of_the_spread_between_sites():
    # a small site is shown only where its count came out high
    told = [site(f"T{at}", 20, **NOISE) for at in range(9)]
    small = [site(f"U{at}", 14, exposure=450.0, **NOISE) for at in range(3)]

    _rows, about = judged([*told, *small])

    assert about["verdicts"]["expecting_enough"] == 9
    assert about["verdicts"]["given"] is False


def test_single_complication_by_site_is_published_of_funnels_alone(twelve: Frozen):
    rows = ask(twelve, Measure.FUNNEL, where=FLIPS).rows

    least = Policy().threshold
    assert any(row["events"] is not None for row in rows)
    assert all(row["events"] is None or row["events"] >= least for row in rows)
    with pytest.raises(NotAvailableAtThisDetail) as refused:
        ask(twelve, Measure.RATES, where=FLIPS, group_by=("site",))
    (fault,) = refused.value.faults
    assert (fault.column, "site with category" in fault.detail) == ("site", True)
    with pytest.raises(NotAvailableAtThisDetail):
        ask(twelve, Measure.FUNNEL, where=(*FLIPS, ("sex", ("male",))))


def test_adjusted_numbers_are_not_published(twelve: Frozen):
    with pytest.raises(NotAvailableAtThisDetail) as refused:
        ask(twelve, Measure.FUNNEL, standardise=("age_band",))
    assert refused.value.faults[0].column == "standardise"


def test_one_question_said_in_two_ways_has_one_protected_answer(twelve: Frozen):
    said = {
        "group_by": ("site",),
        "counting": CountingRule.FIRST_EVENT,
        "unit": Denominator.PUMP_MONTHS,
        "where": OF_PUMPS,
    }

    assert ask(twelve, Measure.FUNNEL, **said) == ask(twelve, Measure.FUNNEL, where=OF_PUMPS)
