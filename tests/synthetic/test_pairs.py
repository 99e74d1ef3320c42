"""Signals and cascades of a synthetic registry are what plain loops over its records find."""

from collections import Counter
from statistics import median

import pytest

from registry.catalogue import read_catalogue
from registry.records import EventRecord, ImplantRecord
from registry.reporting.asking.freshness import Frozen
from registry.synthetic import SyntheticRegistry, registry
from registry.vocabulary import Actuality, Measure, PumpModel
from tests.synthetic.finding import ask
from tests.synthetic.frozen import frozen_synthetic

KNOWN = read_catalogue().by_code


@pytest.fixture(scope="module")
def small() -> SyntheticRegistry:
    return registry(events=2_500, sites=6, seed=31)


@pytest.fixture(scope="module")
def frozen(small: SyntheticRegistry, tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    return frozen_synthetic(tmp_path_factory.mktemp("small"), small)


@pytest.fixture(scope="module")
def events(small: SyntheticRegistry) -> list[EventRecord]:
    return [event for event in small.events() if event.actuality is not Actuality.NEAR_MISS]


def test_cascades_are_the_links_that_sites_gave(events: list[EventRecord], frozen: Frozen) -> None:
    by_id = {(event.site, event.source_id): event for event in events}
    of = Counter(event.complication for event in events)
    pairs: dict[tuple[str, str], list[tuple[EventRecord, EventRecord]]] = {}
    for event in events:
        cause = by_id.get((event.site, event.caused_by)) if event.caused_by else None
        if cause is not None:
            pairs.setdefault((cause.complication, event.complication), []).append((cause, event))

    rows = ask(frozen, Measure.CASCADES).rows

    assert {(row["cause"], row["effect"]): row["n"] for row in rows} == {
        pair: len(found) for pair, found in pairs.items()
    }
    assert len(rows) > 10
    timed = 0
    for row in rows:
        found = pairs[str(row["cause"]), str(row["effect"])]
        causes = {cause.source_id for cause, _effect in found}
        assert row["cause_events"] == of[str(row["cause"])]
        assert row["share"] == pytest.approx(len(causes) / of[str(row["cause"])])
        same = [
            (effect.months_since_implant or 0) - (cause.months_since_implant or 0)
            for cause, effect in found
            if cause.implant and cause.implant == effect.implant
        ]
        if len(same) == len(found):  # on one device, all of them
            timed += 1
            assert row["median_months"] == median(same)
    assert timed > 5


def test_two_by_two_tables_are_counted_from_the_reports(
    small: SyntheticRegistry, events: list[EventRecord], frozen: Frozen
) -> None:
    implants = {(row.site, row.implant): row for row in small.implants()}
    reports = Counter(
        (pump_of(event, implants), KNOWN[event.complication].category)
        for event in events
        if KNOWN[event.complication].in_totals and clock_is_pump(event, implants)
    )
    products, categories = Counter[str](), Counter[str]()
    for (product, category), n in reports.items():
        products[product] += n
        categories[category] += n

    rows = ask(
        frozen,
        Measure.SIGNALS,
        group_by=("pump_model", "category"),
        where=(("component", ("pump",)),),
    ).rows

    assert {(row["pump_model"], row["category"]): row["n"] for row in rows} == {
        pair: n for pair, n in reports.items() if pair[0]
    }
    for row in rows:
        product, category = str(row["pump_model"]), str(row["category"])
        expected = products[product] * categories[category] / reports.total()
        assert row["expected"] == pytest.approx(expected)


def clock_is_pump(event: EventRecord, implants: dict[tuple[str, str], ImplantRecord]) -> bool:
    """Whether an event is a pump's: by its implant, or by its complication where it names none."""
    if event.implant:
        return implants[event.site, event.implant].component.value == "pump"
    return KNOWN[event.complication].clock.value == "pump"


def pump_of(event: EventRecord, implants: dict[tuple[str, str], ImplantRecord]) -> str:
    """The pump's model, by its implant or as reported; empty where there is none."""
    model = implants[event.site, event.implant].model if event.implant else event.component_model
    return model.value if isinstance(model, PumpModel) else ""
