"""Every curve, and burden, of many random questions is what plain loops over the sent rows draw."""

from collections.abc import Iterator
from itertools import groupby
from random import Random
from typing import Any

import pytest

from registry.filters import parse_query
from registry.records import Refusal
from registry.reporting import answer
from registry.vocabulary import Measure
from tests.reporting.oracle_burden import burden_of
from tests.reporting.oracle_curves import Point, drawn, lives_of
from tests.reporting.test_oracle import (
    DEVICE_SIDE,
    EVENT_DIMENSIONS,
    QUESTIONS,
    SEEDS,
    SHOWN,
    Questions,
    World,
    imported,
    selection_of,
)

NAMES = ("time_months", "at_risk", "events", "estimate", "ci_lower", "ci_upper")
FILTERS = (*(name for name in EVENT_DIMENSIONS if name not in {"year", "period"}), *DEVICE_SIDE)
ALWAYS: tuple[dict[str, str], ...] = (
    {},
    {"category": "catheter"},
    {"category": "withdrawal,drug-effect"},
    {"category": "pump", "group_by": "pump_model"},
    {"group_by": "component"},
    {"group_by": "implant_year"},
    {"group_by": "drug,sex,site"},
    {"component": "catheter", "level": "0.90"},
)
"""Questions asked of each registry: both clocks, patients' complications, dropped years."""


def drawn_question(questions: Questions, dice: Random) -> dict[str, str]:
    """A question of a curve, whose values mostly occur."""
    selection = {}
    for _ in range(dice.choice((0, 1, 1, 2))):
        name = dice.choice(("category", "complication", "drug", "site", *FILTERS))
        number = dice.choice((1, 1, 2, 3))
        values = {dice.choice(questions.found[name]) for _ in range(number)}
        selection[name] = ",".join(sorted(values))
    groups = list(dict.fromkeys(dice.sample(DEVICE_SIDE, dice.choice((0, 0, 1, 1, 2)))))
    if groups:
        selection["group_by"] = ",".join(groups)
    if dice.random() < 0.2:
        selection["level"] = dice.choice(("0.90", "0.99"))
    return selection


def differences(world: World, measure: Measure, params: dict[str, str]) -> Iterator[str]:
    """Each way in which an answer differs from the oracle's."""
    said, selection = f"{measure} {params}", selection_of(params)
    try:
        query = parse_query(params, measure=measure)
        release = answer(query, measure=measure, viewer=world.viewer)
    except Refusal as refusal:
        if {fault.code for fault in refusal.faults} != {"death-competes"}:
            yield f"{said}: refused, {refusal}"
        return
    groups = params["group_by"].split(",") if "group_by" in params else []
    curves: Any = release.meta["curves"]
    rows = groupby(release.rows, key=lambda row: tuple(str(row[name]) for name in groups))
    told = {key: list(members) for key, members in rows}
    if list(told) != [tuple(str(curve[name]) for name in groups) for curve in curves]:
        yield f"{said}: the curves of meta are not those of the rows"
    for (key, members), curve in zip(told.items(), curves, strict=True):
        cell = selection.narrowed(dict(zip(groups, key, strict=True)))
        lives = lives_of(world.oracle, cell)
        expected = drawn(lives, competing=measure is Measure.INCIDENCE, level=query.level)
        found = [tuple(row[name] for name in NAMES) for row in members]
        if not alike(found, expected.points):
            yield f"{said} {key}: told {found}, found {expected.points}"
        if {row["status"] for row in members} != {expected.status.value}:
            yield f"{said} {key}: told {members[0]['status']}, found {expected.status}"
        if (curve["devices"], curve["events_outside"]) != (len(lives), expected.outside):
            yield f"{said} {key}: told {curve}, found {len(lives)}, {expected.outside}"
        rate = world.oracle.rate(cell).of(declared=False)
        months = rate.unit.value.endswith("-months")
        if months and curve["events"] + curve["events_outside"] != rate.events:
            yield f"{said} {key}: told {curve}, but a rate counts {rate.events}"
    for device in world.oracle.devices.values():
        key = tuple(device.value(name, world.oracle.countries) for name in groups)
        if key not in told and lives_of(world.oracle, selection.narrowed(dict(zip(groups, key)))):  # noqa: B905
            yield f"{said} {key}: left out"


def burdens_that_differ(world: World, params: dict[str, str]) -> Iterator[str]:
    """Each way in which an answer on recurring events differs from the oracle's."""
    said, selection = f"burden {params}", selection_of(params)
    query = parse_query(params, measure=Measure.BURDEN)
    release = answer(query, measure=Measure.BURDEN, viewer=world.viewer)
    groups = params["group_by"].split(",") if "group_by" in params else []
    rows = groupby(release.rows, key=lambda row: tuple(str(row[name]) for name in groups))
    curves: Any = release.meta["curves"]
    for (key, members), curve in zip(rows, curves, strict=True):
        cell = selection.narrowed(dict(zip(groups, key, strict=True)))
        told, expected = list(members), burden_of(world.oracle, cell, level=query.level)
        found = [tuple(row[name] for name in NAMES) for row in told]
        if not alike(found, expected.points):
            yield f"{said} {key}: told {found}, found {expected.points}"
        if {row["status"] for row in told} != {expected.status.value}:
            yield f"{said} {key}: told {told[0]['status']}, found {expected.status}"
        if curve["events_outside"] != expected.outside:
            yield f"{said} {key}: told {curve}, found {expected.outside}"


def alike(found: list[tuple[Any, ...]], expected: list[Point]) -> bool:
    """Whether all rows agree, numbers within the error of adding up in another order."""
    return len(found) == len(expected) and all(
        (mine is None and theirs is None)
        or (mine is not None and theirs is not None and mine == pytest.approx(theirs, abs=1e-7))
        for row, point in zip(found, expected, strict=True)
        for mine, theirs in zip(row, point, strict=True)
    )


@pytest.mark.django_db
@pytest.mark.parametrize("seed", SEEDS)
def test_curves_are_what_plain_loops_draw(seed: int) -> None:
    world = imported(seed)
    dice = Random(seed)
    questions = Questions(world.oracle, dice)
    selection = [*ALWAYS, *(drawn_question(questions, dice) for _ in range(QUESTIONS))]

    found = [
        difference
        for params in selection
        for measure in (Measure.SURVIVAL, Measure.INCIDENCE)
        for difference in differences(world, measure, params)
    ]
    found += [each for params in selection for each in burdens_that_differ(world, params)]

    assert not found, "\n".join([f"{len(found)} curves differ:", *found[:SHOWN]])
