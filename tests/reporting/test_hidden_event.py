"""One event that no shown number has changes no protected answer, of whatever measure."""

from dataclasses import replace
from pathlib import Path

import pytest
from django.core.cache import cache

from registry.records import Cell
from registry.reporting.asking.freshness import Frozen
from registry.reporting.measures import MEASURES
from registry.vocabulary import Measure
from tests.reporting.protecting import ask, frozen_rows
from tests.snapshot.rows import event, implant

PUMPS = ("synchromed-ii-20", "synchromed-ii-40")
DRUGS = ("morphine", "baclofen")
OF_DEVICES, OF_PATIENTS, TWICE = "pump-motor-stall", "baclofen-withdrawal", "i0003"


@pytest.fixture(autouse=True)
def _cold_cache() -> None:
    cache.clear()


def released(path: Path, *events: tuple[object, ...]) -> Frozen:
    """Pumps of four sites, a tenth of them the second of their patient; many flips, and these."""
    implants = [
        implant(
            f"i{n:04}",
            patient=f"of-i{n:04}",
            pump_model=PUMPS[n % 2],
            drug=DRUGS[n // 2 % 2],
            site="ABCD"[n // 4 % 4],
            implant_year=2012,
            months_followed=40 + n % 60,
        )
        for n in range(900)
    ]
    implants += [
        implant(
            f"j{n:04}",
            patient=f"of-i{n:04}",
            pump_model=PUMPS[n % 2],
            drug=DRUGS[n // 2 % 2],
            site="ABCD"[n // 4 % 4],
            implant_year=2020,
            months_followed=30,
        )
        for n in range(3, 900, 10)
    ]
    flips = [
        event(
            f"e{n:04}",
            on=f"i{n:04}",
            site="ABCD"[n // 4 % 4],
            year=2012 + n % 30 // 12,
            months_since_implant=n % 30,
        )
        for n in range(0, 900, 3)
    ]
    frozen = frozen_rows(path, events=[*flips, *events], implants=implants)
    # as one release: another has other noise, whatever is in it
    frozen.store.manifest = replace(frozen.store.manifest, snapshot_id="0" * 64)
    return frozen


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    return released(tmp_path_factory.mktemp("without"))


@pytest.fixture(scope="module", params=(OF_DEVICES, OF_PATIENTS))
def hidden(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """What happened once, in the second month of a pump that was replaced later."""
    happened = event(
        "hidden", on=TWICE, complication=request.param, year=2012, months_since_implant=2
    )
    return request.param, released(tmp_path_factory.mktemp("with"), happened)


def told(frozen: Frozen, measure: Measure, **query: object) -> list[dict[str, Cell]]:
    cache.clear()  # answers are kept by release
    return [dict(row) for row in ask(frozen, measure, **query).rows]


GROUPINGS = {
    Measure.COUNTS: ((), ("drug",), ("pump_model",), ("year",)),
    Measure.RATES: ((), ("drug",), ("pump_model",), ("year",)),
    Measure.PROPORTIONS: ((), ("drug",), ("pump_model",), ("year",)),
    Measure.SURVIVAL: ((), ("drug",), ("pump_model",)),
    Measure.INCIDENCE: ((), ("drug",), ("pump_model",)),
    Measure.COMPARISON: (("drug",), ("pump_model",)),
    Measure.TREND: ((),),
    Measure.CASCADES: (("complication",),),
}


@pytest.mark.parametrize(
    ("measure", "group_by"),
    [(measure, names) for measure, groupings in GROUPINGS.items() for names in groupings],
)
def test_complication_that_nobody_had_is_told_as_one_that_somebody_had(
    without: Frozen, hidden: tuple[str, Frozen], measure: Measure, group_by: tuple[str, ...]
) -> None:
    code, somebody = hidden
    question = {"where": (("complication", (code,)),), "group_by": group_by}

    rows = told(somebody, measure, **question)

    of_curves = measure in {Measure.SURVIVAL, Measure.INCIDENCE}  # hidden for their own reason
    if measure is not Measure.CASCADES:  # which has rows for shown pairs alone
        assert ("hidden" if of_curves else "suppressed") in {row["status"] for row in rows}
    assert rows == told(without, measure, **question)


def test_sites_with_a_hidden_category_are_told_as_those_without(
    without: Frozen, tmp_path: Path
) -> None:
    happened = event("hidden", on=TWICE, complication=OF_PATIENTS, year=2012)
    somebody = released(tmp_path, happened)
    question = {"where": (("category", ("withdrawal",)),)}

    assert told(somebody, Measure.FUNNEL, **question) == told(without, Measure.FUNNEL, **question)


def test_pair_that_is_hidden_is_told_as_one_that_nobody_had(
    without: Frozen, hidden: tuple[str, Frozen]
) -> None:
    code, somebody = hidden
    question = {"where": (("complication", (code,)),)}

    assert told(somebody, Measure.SIGNALS, **question) == told(without, Measure.SIGNALS, **question)


def test_every_published_measure_is_held_to_it() -> None:
    published = {each for each, spec in MEASURES.items() if spec.published}

    assert published == {*GROUPINGS, Measure.FUNNEL, Measure.SIGNALS}
