"""Comparisons of random questions are what plain loops over the sent rows and their cells find."""

from collections.abc import Iterator
from itertools import product
from random import Random
from typing import Any

import numpy as np
import pytest

from registry.filters import parse_query
from registry.records import Refusal
from registry.reporting import answer
from registry.statistics.comparison import Cells, Clusters, Contrast, compare
from registry.statistics.regression import ClusterTable
from registry.vocabulary import CountingRule, Measure
from tests.reporting.oracle import Oracle
from tests.reporting.oracle_selection import OracleSelection
from tests.reporting.test_oracle import SEEDS, SHOWN, Questions, World, imported, selection_of

QUESTIONS = 6
GROUPS = ("sex", "catheter_model", "site", "label_status", "drug_class", "indication_group")
STRATA = ("sex", "site", "window", "year", "indication_group")
AGES = ["0-3", "4-12", *(f"{12 * n + 1}-{12 * n + 12}" for n in range(1, 10)), "121-"]
YEARS = [str(year) for year in range(1990, 2031)]
NAMES = ("ratio", "ci_lower", "ci_upper", "difference", "difference_lower", "difference_upper")
CRUDE = ("crude_ratio", "crude_lower", "crude_upper", "crude_difference")


def drawn_question(questions: Questions, dice: Random) -> dict[str, str]:
    """A question of a comparison, of a category or of all."""
    group = dice.choice(GROUPS)
    strata = [name for name in dice.sample(STRATA, dice.choice((0, 1, 1, 2))) if name != group]
    params = {"group_by": group, "cluster": "patient"}
    if strata:
        params["adjust"] = ",".join(strata)
    if dice.random() < 0.6:
        params["category"] = dice.choice(questions.found["category"])
    if dice.random() < 0.3:
        name = dice.choice(("drug", "country"))
        params[name] = ",".join({dice.choice(questions.found[name]) for _ in range(4)})
    if dice.random() < 0.7:
        rules = (CountingRule.EVENTS, CountingRule.EPISODES, CountingRule.FIRST_EVENT)
        params["counting"] = dice.choice(rules).value
    if dice.random() < 0.3:
        params["unit"] = dice.choice(("pump-months", "catheter-months"))
    if dice.random() < 0.5:
        params["reference"] = "others"
    return params


def values_of(oracle: Oracle, name: str) -> list[str]:
    """The values of a dimension that devices have."""
    if name == "window":
        return AGES
    if name == "year":
        return YEARS
    return sorted({each.value(name, oracle.countries) for each in oracle.devices.values()})


def cells_of(
    oracle: Oracle, selection: OracleSelection, names: list[str]
) -> tuple[dict[tuple[str, ...], dict[object, tuple[int, float]]], int]:
    """Events and time by cell and patient, and the number of patients; nothing declared is in them.

    A patient whose only event is in a cell without time is one of the patients, too.
    """
    found = {}
    everybody: set[object] = set()
    for key in product(*(values_of(oracle, name) for name in names)):
        parts = oracle.rate(selection.narrowed(dict(zip(names, key, strict=True))))
        patients = {
            cluster: both
            for cluster, both in parts.of(declared=False).clusters.items()
            if both[0] or both[1]
        }
        everybody |= set(patients)
        if sum(time for _, time in patients.values()) > 0:
            found[key] = patients
    return found, len(everybody)


def against_others(
    keys: list[tuple[str, ...]], table: np.ndarray, group: str, *, of: int, adjusted: bool
) -> Contrast:
    """A group's contrast in a table of two groups, in which all others were added up."""
    halves = list(dict.fromkeys((key[0] == group, *key[1:]) for key in keys))
    added = np.zeros((*table.shape[:2], len(halves)))
    for at, key in enumerate(keys):
        added[:, :, halves.index((key[0] == group, *key[1:]))] += table[:, :, at]
    if len({is_group for is_group, *_ in halves}) < 2:
        return Contrast()
    own = Cells.of(
        *added.sum(axis=1),
        [0 if is_group else 1 for is_group, *_ in halves],
        [tuple(strata) for _, *strata in halves],
    )
    clusters = [Clusters("patients", ClusterTable(*added, of))]
    return compare(own, 1, clusters=clusters, adjusted=adjusted, per=1000).contrasts[0]


def differences(world: World, params: dict[str, str]) -> Iterator[str]:
    """Each way in which an answer differs from the oracle's."""
    group, strata = params["group_by"], params.get("adjust", "").split(",")
    names = [group, *sorted(name for name in strata if name)]
    asked = {name: value for name, value in params.items() if name not in {"adjust", "cluster"}}
    cells, of = cells_of(world.oracle, selection_of(asked), names)
    try:
        query = parse_query(params, measure=Measure.COMPARISON)
        release = answer(query, measure=Measure.COMPARISON, viewer=world.viewer)
    except Refusal as refusal:
        yield f"{params}: refused, {refusal}"
        return
    about: Any = release.meta["comparison"]
    told = {str(row[group]): row for row in release.rows}
    groups = list(dict.fromkeys(key[0] for key in cells))
    if set(told) != set(groups):
        yield f"{params}: told {set(told)}, found {set(groups)}"
        return
    if not cells:
        return
    patients = list(dict.fromkeys(patient for each in cells.values() for patient in each))
    table = np.zeros((2, len(patients), len(cells)))
    for at, each in enumerate(cells.values()):
        for patient, both in each.items():
            table[:, patients.index(patient), at] = both
    sums = table.sum(axis=1)
    place = [groups.index(key[0]) for key in cells]
    own = Cells.of(*sums, place, [key[1:] for key in cells])
    clusters = [Clusters("patients", ClusterTable(*table, of))]
    to_others = params.get("reference") == "others"
    most = max(groups, key=lambda name: sums[1, [key[0] == name for key in cells]].sum())
    reference = groups.index(most if to_others else about["reference"])
    for adjusted, columns in ((True, NAMES), (False, CRUDE if names[1:] else ())):
        found = compare(own, reference, clusters=clusters, adjusted=adjusted, per=1000)
        contrasts = found.contrasts
        if to_others:
            contrasts = tuple(
                against_others(list(cells), table, name, of=of, adjusted=adjusted)
                for name in groups
            )
        for name, contrast in zip(groups, contrasts, strict=True):
            numbers = (contrast.ratio, contrast.lower, contrast.upper, contrast.difference)
            numbers += (contrast.difference_lower, contrast.difference_upper)
            row = told[name]
            for column, number in zip(columns, numbers, strict=False):
                if row[column] != pytest.approx(number, rel=1e-6, abs=1e-9):
                    yield f"{params} {name} {column}: told {row[column]}, found {number}"
        test = about["test" if adjusted else "crude_test"]
        if to_others and found.reason is not None:
            continue
        if (adjusted or names[1:]) and test["p"] != pytest.approx(
            found.test.p, rel=1e-5, abs=1e-12
        ):
            yield f"{params} p: told {test}, found {found.test}"
    for name in groups:
        at = [number for number, key in enumerate(cells) if key[0] == name]
        row = told[name]
        if row["events"] != sums[0, at].sum() or row["exposure"] != pytest.approx(
            sums[1, at].sum()
        ):
            yield f"{params} {name}: told {row}, found {sums[:, at].sum(axis=1)}"


@pytest.mark.django_db
@pytest.mark.parametrize("seed", SEEDS)
def test_comparisons_are_what_plain_loops_find(seed: int) -> None:
    world = imported(seed)
    dice = Random(seed)
    questions = Questions(world.oracle, dice)

    found = [
        difference
        for _ in range(QUESTIONS)
        for difference in differences(world, drawn_question(questions, dice))
    ]

    assert not found, "\n".join([f"{len(found)} numbers differ:", *found[:SHOWN]])
