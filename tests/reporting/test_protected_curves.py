"""Protected survival: life tables of shown nodes, refusals that say nothing, one answer for all."""

import json
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache
from django.http import QueryDict

from registry.disclosure import (
    BOUNDARIES,
    CurvePoint,
    CurveTruth,
    Form,
    Keyed,
    Node,
    Protection,
    life_table,
)
from registry.disclosure.trees import Level, Place
from registry.filters import parse_query
from registry.intake import load_catalogue
from registry.keys import read_keys
from registry.records import BadQuery, EventQuery, NotAvailableAtThisDetail, Release, Window
from registry.reporting import protected_answers
from registry.reporting.answering import protected_answer
from registry.reporting.asking.freshness import Frozen
from registry.reporting.protected.curves import _said, curve_truths
from registry.reporting.protected.trees import trees_of
from registry.reporting.protected.truths import truths_of
from registry.reporting.taken import read_question
from registry.vocabulary import CountingRule, Denominator, Measure, Sex
from tests.reporting.protecting import SITES, ask, frozen_rows, tangled_rows
from tests.snapshot.row_level import NO_EVENT, lifetimes
from tests.snapshot.rows import event, implant

PUMP = ("category", ("pump",))
WITHDRAWAL = ("category", ("withdrawal",))
NUMBERS = ("at_risk", "events", "estimate", "ci_lower", "ci_upper")


@pytest.fixture(autouse=True)
def _cold_cache() -> None:
    cache.clear()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    implants, events = tangled_rows(5, patients=1500)
    return frozen_rows(tmp_path_factory.mktemp("large"), events=events, implants=implants)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    """Pumps followed from implantation for 84 months and more, half of them with a flip by then."""
    implants = [
        implant(f"i{n:04}", months_followed=85 + n % 40, sex=SEXES[n % 3], site=SITES[n // 2 % 4])
        for n in range(900)
    ]
    events = [
        event(
            f"e{n:04}",
            on=f"i{n:04}",
            site=SITES[n // 2 % 4],
            months_since_implant=n % 84,
            severity=1 + n % 3,
        )
        for n in range(0, 900, 2)
    ]
    return frozen_rows(tmp_path_factory.mktemp("lasting"), events=events, implants=implants)


SEXES = ("female", "male", "")


def curve(frozen: Frozen, **query: object) -> Release:
    return ask(frozen, Measure.SURVIVAL, **query)


def node(**places: Place) -> Node:
    return Node.at(places)


def truth_of(frozen: Frozen, wanted: Node) -> CurveTruth:
    (found,) = curve_truths([wanted], store=frozen.store, trees=trees(frozen)).values()
    return found


def trees(frozen: Frozen) -> Any:
    terms = frozen.store.manifest.terms
    return trees_of(terms, data_as_of=frozen.data_as_of, policy=protected_answers.POLICY)


def as_bytes(release: Release) -> bytes:
    columns = [asdict(each) for each in release.columns]
    return json.dumps([release.meta, columns, list(release.rows)]).encode()


def total(truth: CurveTruth) -> Keyed:
    """Everybody who had the event."""
    return truth.keyed(truth.events.sum(axis=0))


def counted(sums: Any) -> int:
    """How many records all hands have."""
    return int(sums[:, 0].sum())


# The truths -------------------------------------------------------------------------------------


SELECTIONS = (
    ((), {}),
    ((PUMP,), {"complication": Place(Level.GROUP, "pump")}),
    ((WITHDRAWAL,), {"complication": Place(Level.VALUE, "baclofen-withdrawal")}),
    ((("category", ("catheter",)),), {"complication": Place(Level.GROUP, "catheter")}),
    (
        (("drug", ("morphine",)), WITHDRAWAL),
        {
            "drug": Place(Level.VALUE, "morphine"),
            "complication": Place(Level.VALUE, "baclofen-withdrawal"),
        },
    ),
    (
        (("severity", ("2",)), ("sex", ("not-recorded",))),
        {"severity": Place(Level.VALUE, "2"), "sex": Place(Level.VALUE, "not-recorded")},
    ),
)


@pytest.mark.parametrize(("where", "places"), SELECTIONS)
def test_truths_of_a_curve_are_counted_from_the_devices_lifetimes(
    large: Frozen, where: Any, places: dict[str, Place]
) -> None:
    query = EventQuery(where=tuple(sorted(where)))
    manifest = large.store.manifest
    (part,) = read_question(query, measure=Measure.SURVIVAL, manifest=manifest).parts
    lives = lifetimes(
        large.store, part.selection, clock=str(part.clock), per_patient=part.per_patient
    )

    truth = truth_of(large, node(**places))

    without = (lives.event == NO_EVENT) | (lives.event > np.array(BOUNDARIES)[:, None])
    for place, month in enumerate(BOUNDARIES):
        there = (lives.entry <= month) & (lives.followed > month) & without[place]
        if month == 0:
            there = lives.entry == 0
        assert counted(truth.at_risk[place]) == there.sum()
    for place, (after, upto) in enumerate(pairwise(BOUNDARIES)):
        after = -1 if after == 0 else after
        within = (lives.event != NO_EVENT) & (lives.event > after) & (lives.event <= upto)
        assert counted(truth.events[place]) == within.sum()
    assert total(truth).n > 0


@pytest.mark.parametrize("places", [{}, {"sex": Place(Level.VALUE, "male")}])
def test_first_events_of_a_curve_are_the_very_records_of_its_rate(
    lasting: Frozen, places: dict[str, Place]
) -> None:
    # the same records have the same keys, so that one set is perturbed once under both measures
    wanted = node(complication=Place(Level.GROUP, "pump"), **places)
    rate = truths_of(
        [wanted],
        store=lasting.store,
        trees=trees(lasting),
        form=Form.RATES,
        counting=CountingRule.FIRST_EVENT,
    )[wanted]

    assert total(truth_of(lasting, wanted)) == rate.counted


def test_first_events_of_patients_are_keyed_as_patients_as_in_their_rate(tmp_path: Path) -> None:
    implants = [implant(f"i{n}", patient=f"p{n}", months_followed=60) for n in range(40)]
    events = [
        event(f"e{n}", on=f"i{n}", complication="baclofen-withdrawal", months_since_implant=n)
        for n in range(30)
    ]
    frozen = frozen_rows(tmp_path, events=events, implants=implants)
    wanted = node(complication=Place(Level.GROUP, "withdrawal"))
    rate = truths_of(
        [wanted],
        store=frozen.store,
        trees=trees(frozen),
        form=Form.RATES,
        counting=CountingRule.FIRST_EVENT,
    )[wanted]

    truth = truth_of(frozen, wanted)

    at_start = truth.keyed(truth.at_risk[0])
    assert total(truth) == rate.counted
    assert at_start == rate.exposure.devices  # type: ignore[union-attr]
    assert (at_start.high, at_start.n) != (rate.population.high, 0)


def test_devices_at_risk_are_those_at_the_start_without_those_with_an_event(
    lasting: Frozen,
) -> None:
    truth = truth_of(lasting, node(complication=Place(Level.GROUP, "pump")))

    assert (truth.at_risk[0] == truth.at_risk[-1] + truth.events.sum(axis=0)).all()
    assert (counted(truth.at_risk[0]), counted(truth.at_risk[-1])) == (900, 450)


# What is shown ----------------------------------------------------------------------------------


def test_answer_is_the_life_table_of_each_group(large: Frozen) -> None:
    rows = curve(large, where=(PUMP,), group_by=("sex",)).rows

    protection = Protection.under(
        read_keys().noise, release=large.snapshot_id, policy=protected_answers.POLICY
    )
    for sex in ("female", "male", "not-recorded"):
        wanted = node(complication=Place(Level.GROUP, "pump"), sex=Place(Level.VALUE, sex))
        points = life_table(truth_of(large, wanted), protection)
        told = [row for row in rows if row["sex"] == sex]
        assert [row["time_months"] for row in told] == list(BOUNDARIES)
        assert [tuple(row[name] for name in NUMBERS) for row in told] == [
            tuple(getattr(point, name) for name in NUMBERS) for point in points
        ]


def test_protected_curve_has_the_columns_of_the_exact_one_and_hidden_cells(large: Frozen) -> None:
    release = curve(large, group_by=("sex",))

    assert [column.name for column in release.columns] == [
        "sex",
        "time_months",
        "at_risk",
        "events",
        "estimate",
        "ci_lower",
        "ci_upper",
        "hidden_cells",
        "reason",
        "status",
    ]


def test_shown_estimate_has_a_status_and_a_hidden_one_another(large: Frozen) -> None:
    by_sex, by_drug = (curve(large, group_by=(name,)).rows for name in ("sex", "drug"))
    rows = (*by_sex, *by_drug)

    assert {row["status"] for row in rows} >= {"ok", "hidden"}
    for row in rows:
        hidden = row["estimate"] is None
        assert (row["status"] in {"suppressed", "hidden"}) is hidden
        assert row["hidden_cells"] == int(hidden)
        assert (
            row["events"] is None
            or row["events"] >= protected_answers.POLICY.threshold
            or row["time_months"] == 0
        )


def test_curves_never_rise_and_stay_inside_their_limits(large: Frozen) -> None:
    rows = curve(large, group_by=("sex",)).rows

    for sex in ("female", "male", "not-recorded"):
        told = [row for row in rows if row["sex"] == sex and row["estimate"] is not None]
        estimates = [row["estimate"] for row in told]
        assert estimates == sorted(estimates, reverse=True)
        assert len(set(estimates)) > 3
        assert all(
            row["ci_lower"] <= row["estimate"] <= row["ci_upper"]
            for row in told
            if row["ci_lower"] is not None
        )


def test_group_of_fewer_than_300_devices_is_hidden_in_its_whole_length(large: Frozen) -> None:
    drugs = curve(large, group_by=("drug",))
    hidden = [row for row in drugs.rows if row["drug"] == "fentanyl"]

    assert [row["time_months"] for row in hidden] == list(BOUNDARIES)
    assert all(row[name] is None for row in hidden for name in NUMBERS)
    assert {(row["status"], row["reason"]) for row in hidden} == {("hidden", "curve")}
    (said,) = [each for each in drugs.meta["curves"] if each["drug"] == "fentanyl"]  # type: ignore[attr-defined]
    assert {name for name, value in said.items() if value is not None} == {"drug"}


@pytest.mark.parametrize(("devices", "shown"), [(280, False), (330, True)])
def test_curve_needs_300_devices_at_its_start(tmp_path: Path, devices: int, *, shown: bool) -> None:
    implants = [implant(f"i{n:04}", months_followed=85, site=SITES[n % 4]) for n in range(devices)]
    events = [
        event(f"e{n:04}", on=f"i{n:04}", site=SITES[n % 4], months_since_implant=n % 60)
        for n in range(0, devices, 3)
    ]
    frozen = frozen_rows(tmp_path, events=events, implants=implants)

    rows = curve(frozen, where=(PUMP,)).rows

    assert len(rows) == len(BOUNDARIES)
    assert any(row["estimate"] is not None for row in rows) is shown


def test_no_number_of_a_curve_comes_from_anywhere_but_the_shown_nodes(lasting: Frozen) -> None:
    release = curve(lasting, where=(PUMP,))
    truth = truth_of(lasting, node(complication=Place(Level.GROUP, "pump")))

    told = {row["at_risk"] for row in release.rows}
    exact = {counted(each) for each in truth.at_risk}
    (said,) = release.meta["curves"]  # type: ignore[misc]
    assert len(told & exact) < len(exact)  # the noise moved most of them
    assert said["excluded_before_entry"] is None
    assert said["median_months"] is None
    assert said["devices"] == release.rows[0]["at_risk"]
    assert said["events"] == sum(row["events"] or 0 for row in release.rows)  # type: ignore[misc]
    assert release.meta["logrank"] is None


@pytest.mark.parametrize("competing", [False, True])
@pytest.mark.parametrize(
    ("estimates", "between"),
    [
        ((1.0, 0.8, 0.51, None), None),
        ((1.0, 0.8, 0.5, 0.3), [1, 3]),
        ((1.0, None, 0.6, 0.4), [3, 6]),
        ((1.0, 0.6, None, 0.4), [1, 6]),
        ((None, None, None, None), None),
    ],
)
def test_half_is_reached_between_two_months_that_are_shown(
    estimates: tuple[float | None, ...], between: list[int] | None, competing: bool
) -> None:
    points = [
        CurvePoint(month, None if each is None else 400, 0, each, None, None)
        for month, free in zip(BOUNDARIES, estimates, strict=False)
        for each in [1 - free if competing and free is not None else free]
    ]

    said = _said(points, competing=competing)

    assert (said["median_months"], said["median_between"]) == (None, between)


@pytest.mark.parametrize(
    ("limits", "months"),
    [
        (((1.0, 1.0), (0.7, 0.9), (0.52, 0.8), (0.48, 0.6), (0.3, 0.45)), (3, 12)),
        (((1.0, 1.0), (0.7, 0.9), (0.6, 0.8)), (3, None)),
        (((1.0, 1.0), (0.4, 0.6), (0.2, 0.5)), (None, 3)),
        (((1.0, 1.0), (None, None), (None, None)), (None, None)),
    ],
)
@pytest.mark.parametrize("competing", [False, True])
def test_limits_of_the_median_are_shown_months(
    limits: tuple[tuple[float | None, float | None], ...],
    months: tuple[int | None, int | None],
    competing: bool,
) -> None:
    def turned(limit: float | None) -> float | None:
        return limit if limit is None or not competing else 1 - limit

    points = [
        CurvePoint(month, 400, 0, turned(low), *map(turned, (high, low) if competing else each))
        for month, each in zip(BOUNDARIES, limits, strict=False)
        for low, high in [each]
    ]

    said = _said(points, competing=competing)

    assert (said["median_lower"], said["median_upper"]) == months


def test_mean_is_told_up_to_the_last_whole_year_that_is_shown(lasting: Frozen) -> None:
    (free,) = curve(lasting, where=(PUMP,)).meta["curves"]  # type: ignore[misc]
    (had,) = ask(lasting, Measure.INCIDENCE, where=(PUMP,)).meta["curves"]  # type: ignore[misc]

    mean = free["restricted_mean"]
    assert mean["until_months"] == free["landmarks"][-1]["time_months"]
    assert 0 < mean["ci_lower"] < mean["mean_months"] < mean["ci_upper"] <= mean["until_months"]
    assert "restricted_mean" not in had


def test_landmarks_are_the_shown_months_of_whole_years() -> None:
    points = [CurvePoint(month, 400 - month, 0, 1 - month / 200, 0.1, 0.9) for month in BOUNDARIES]

    told = _said(points, competing=False)["landmarks"]

    assert [(each["time_months"], each["at_risk"], each["estimate"]) for each in told] == [
        (month, 400 - month, 1 - month / 200) for month in (12, 24, 36, 60, 84)
    ]


def test_a_curve_that_is_hidden_has_no_landmarks() -> None:
    points = [CurvePoint(month, None, None, None, None, None) for month in BOUNDARIES]

    assert _said(points, competing=True)["landmarks"] is None


def test_curves_are_named_as_their_rows_are(large: Frozen) -> None:
    release = curve(large, group_by=("sex",), labels="label")

    names = [each["sex"] for each in release.meta["curves"]]  # type: ignore[attr-defined]
    assert names == list(dict.fromkeys(row["sex"] for row in release.rows))
    assert "Not recorded" in names


def test_groups_are_not_compared(large: Frozen) -> None:
    tested = curve(large, group_by=("sex",)).meta["logrank"]

    assert tested["p"] is None  # type: ignore[index]
    assert "exact" in tested["reason"]  # type: ignore[index]


def test_impossible_combination_tells_no_event_and_no_curve(large: Frozen) -> None:
    where = (("category", ("pump",)), ("complication", ("catheter-kink",)))

    rows = curve(large, where=where).rows

    assert {(row["events"], row["estimate"], row["status"]) for row in rows} == {(0, None, "zero")}


def test_answer_says_what_was_done(large: Frozen) -> None:
    meta = curve(large, where=(PUMP,)).meta

    assert meta["disclosure"]["curve_minimum"] == 300  # type: ignore[index]
    assert any("300 devices" in said for said in meta["disclosure"]["in_words"])  # type: ignore[index]
    assert str(meta["method"]).startswith("Interval life table")
    assert any("0, 1, 3, 6, 12, 24, 36, 60 and 84" in said for said in meta["warnings"])  # type: ignore[attr-defined]
    assert meta["title"] == "Freedom from Pump problem"


# One answer -------------------------------------------------------------------------------------


SPELLINGS = (
    ("category=pump&group_by=sex", "group_by=sex&category=pump&counting=first_event&level=0.95"),
    ("drug_class=opioid&complication=pump-flip", "complication=pump-flip&drug=opioid"),
    (f"sex={','.join((*Sex.codes(), 'not-recorded'))}", ""),
    ("group_by=drug&ci=log-log", "group_by=drug"),
)


@pytest.mark.django_db
@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_question_spelled_otherwise_has_the_same_bytes(large: Frozen, one: str, other: str) -> None:
    load_catalogue()

    first, second = (
        protected_answer(
            parse_query(QueryDict(address), measure=Measure.SURVIVAL), Measure.SURVIVAL, large
        )
        for address in (one, other)
    )

    assert as_bytes(first) == as_bytes(second)


# Refusals ---------------------------------------------------------------------------------------


def refused(frozen: Frozen, measure: Measure = Measure.SURVIVAL, **query: Any) -> Any:
    with pytest.raises((NotAvailableAtThisDetail, BadQuery)) as caught:
        ask(frozen, measure, **query)
    return caught.value.faults


@pytest.mark.parametrize(
    ("query", "column", "code"),
    [
        ({"ci": "plain"}, "ci", "not-available-at-this-detail"),
        ({"group_by": ("implant_year",)}, "implant_year", "not-available-at-this-detail"),
        ({"where": (("implant_year", ("2015",)),)}, "implant_year", "not-available-at-this-detail"),
        ({"where": (("sex", ("female", "male")),)}, "sex", "not-available-at-this-detail"),
        ({"where": (("drug", ("baclofen", "morphine")),)}, "drug", "not-available-at-this-detail"),
        ({"group_by": ("country",)}, "country", "not-available-at-this-detail"),
        ({"counting": CountingRule.DEVICES}, "counting", "bad-counting"),
        ({"group_by": ("severity",)}, "group_by", "immortal-time"),
        ({"group_by": ("category",)}, "group_by", "one-event"),
        ({"years": (2015, 2019)}, "year", "not-of-a-curve"),
        ({"windows": (Window(0, 12),)}, "window", "not-of-a-curve"),
        ({"unit": Denominator.PUMP_MONTHS}, "unit", "option-not-taken"),
        ({"where": (("complication", ("death",)),)}, "complication", "death-competes"),
    ],
)
def test_finer_curve_is_refused(
    large: Frozen, query: dict[str, Any], column: str, code: str
) -> None:
    assert [(fault.column, fault.code) for fault in refused(large, **query)] == [(column, code)]


def test_sum_of_curves_is_refused_with_what_can_be_had(large: Frozen) -> None:
    (fault,) = refused(large, where=(("drug", ("baclofen", "morphine")),))

    assert "group by drug" in fault.detail


def test_values_of_a_grouping_are_a_curve_each(large: Frozen) -> None:
    where = (("drug", ("baclofen", "morphine")),)

    rows = curve(large, where=where, group_by=("drug",)).rows

    assert [row["drug"] for row in rows] == ["morphine"] * 9 + ["baclofen"] * 9


def test_refusals_of_curves_are_those_of_an_empty_registry(large: Frozen, tmp_path: Path) -> None:
    empty = frozen_rows(tmp_path, events=[], implants=[])
    queries: list[dict[str, Any]] = [
        {"ci": "log"},
        {"where": (("sex", ("female", "male")),)},
        {"group_by": ("outcome",)},
        {"where": (("complication", ("death",)),)},
    ]

    assert [refused(large, **query) for query in queries] == [
        refused(empty, **query) for query in queries
    ]


# Incidence --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def competed(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    """Pumps of which a third have a flip, and of the others a half are taken out, by turns."""
    implants = []
    events = []
    for n in range(1200):
        kind, month = n % 3, 1 + n % 80
        end = {1: "explant-elective", 2: "active"}.get(kind, "active")
        implants.append(
            implant(
                f"i{n:04}",
                months_followed=month if kind == 1 else 90,
                exit_status=end,
                site=SITES[n // 3 % 4],
            )
        )
        if kind == 0:
            events.append(
                event(f"e{n:04}", on=f"i{n:04}", site=SITES[n // 3 % 4], months_since_implant=month)
            )
    return frozen_rows(tmp_path_factory.mktemp("competed"), events=events, implants=implants)


def test_incidence_counts_what_competes_from_the_exit_status(competed: Frozen) -> None:
    truth = truth_of(competed, node(complication=Place(Level.GROUP, "pump")))

    assert {kind: counted(ends.sum(axis=0)) for kind, ends in truth.ends.items()} == {
        "death": 0,
        "explant": 400,
        "therapy_stopped": 0,
    }
    assert total(truth).n == 400


def test_incidence_is_the_multiple_decrement_table_of_shown_nodes(competed: Frozen) -> None:
    release = ask(competed, Measure.INCIDENCE, where=(PUMP,))

    told = [row for row in release.rows if row["estimate"] is not None]
    estimates = [row["estimate"] for row in told]
    assert estimates == sorted(estimates)
    assert told[-1]["time_months"] == 84
    assert told[-1]["estimate"] == pytest.approx(1 / 3, abs=0.04)  # a third had it
    (said,) = release.meta["curves"]  # type: ignore[misc]
    assert said["at_end"]["event"] == told[-1]["estimate"]
    assert said["at_end"]["explant"] == pytest.approx(1 / 3, abs=0.04)
    assert said["at_end"]["death"] is None
    assert said["at_end"]["free"] is None
    assert release.meta["logrank"] is None


def test_month_that_is_joined_is_hidden_with_its_reason_and_not_few(competed: Frozen) -> None:
    rows = ask(competed, Measure.INCIDENCE, where=(PUMP,)).rows

    joined = [row for row in rows if row["estimate"] is None and row["time_months"] < 84]  # type: ignore[operator]
    assert joined
    assert {(row["status"], row["reason"]) for row in joined} == {("hidden", "curve-joined")}


def test_incidence_says_how_it_was_found(competed: Frozen) -> None:
    meta = ask(competed, Measure.INCIDENCE, where=(PUMP,)).meta

    assert str(meta["method"]).startswith("Multiple-decrement life table")
    assert any("300 devices" in said for said in meta["disclosure"]["in_words"])  # type: ignore[index]
