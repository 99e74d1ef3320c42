"""Every number of many random questions is what plain loops over the sent rows find."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from random import Random

import pytest

from registry.catalogue import read_catalogue
from registry.filters import parse_query
from registry.intake import change_site, import_records, load_catalogue, say_implants_from
from registry.models import Site
from registry.records import (
    EventRecord,
    ExposureRecord,
    ImplantRecord,
    RawReport,
    Refusal,
    RowKind,
    Viewer,
)
from registry.records.columns import COLUMNS
from registry.reporting import answer, viewer_of
from registry.statistics.intervals import wilson_interval
from registry.statistics.rates import clustered_rate, incidence_rate, quasi_poisson_interval
from registry.synthetic import registry
from registry.vocabulary import NOT_RECORDED, CellStatus, CountingRule, Denominator, Measure, Role
from tests.factories import UserFactory
from tests.reporting import nasty
from tests.reporting.oracle import Oracle, RateParts
from tests.reporting.oracle_selection import EVENT_SIDE, OracleSelection

QUESTIONS = int(os.environ.get("REGISTRY_ORACLE_QUESTIONS", "10"))
"""Questions of each measure for each registry; a soak asks thousands."""

SEEDS = range(int(os.environ.get("REGISTRY_ORACLE_SEEDS", "3")))
COUNTRIES = {"EDGE-A": "DE", "EDGE-B": "FR", "SITE-01": "DE", "SITE-02": "US"}
SHOWN = int(os.environ.get("REGISTRY_ORACLE_SHOWN", "40"))
COUNTING = {
    Measure.COUNTS: list(CountingRule),
    Measure.RATES: [
        CountingRule.EVENTS,
        CountingRule.EPISODES,
        CountingRule.FIRST_EVENT,
        CountingRule.FIRST_IN_ROW,
    ],
    Measure.PROPORTIONS: [CountingRule.DEVICES, CountingRule.PATIENTS],
    Measure.COVERAGE: [CountingRule.EVENTS],
}
UNITS = {Measure.RATES, Measure.COVERAGE}
LEVELS = {Measure.RATES, Measure.PROPORTIONS}
DEFAULT_WINDOWS = ((0, 3), (4, 12), (13, 36), (37, 60), (61, None))
ROWS_OF_WINDOWS = ("0-3,4-12,13-", "0-0,1-5", "2-6")
WINDOWS = (
    "0-0",
    "0-3",
    "4-12",
    "6-",
    "13-",
    "5-17",
    "0-3,10-12",
    "not-recorded",
)
ALWAYS: tuple[tuple[Measure, dict[str, str]], ...] = (
    *(
        (Measure.RATES, {"counting": counting, "group_by": group_by})
        for counting in ("events", "episodes", "first_event")
        for group_by in ("pump_model", "manufacturer", "component", "site", "category")
    ),
    *(
        (measure, {"counting": counting, "group_by": group_by})
        for measure in (Measure.RATES, Measure.COUNTS)
        for counting in ("first_event", "first_in_row")
        for group_by in ("year", "period", "window", "year,window", "window,category", "year,sex")
    ),
    *((Measure.RATES, {"counting": "episodes", "site": site}) for site in nasty.SITES),
    *((Measure.RATES, {"unit": unit.value, "counting": "events"}) for unit in Denominator),
    *(
        (Measure.RATES, {"unit": unit, "counting": counting, "group_by": group_by})
        for unit in ("procedures", "refills")
        for counting in ("first_event", "first_in_row", "events")
        for group_by in ("year", "window", "period,sex", "year,window", "pump_plane")
    ),
    (Measure.RATES, {"category": "infection,surgical", "group_by": "category,year"}),
    (Measure.RATES, {"category": "infection", "year_min": "2011", "window": "0-3,10-12"}),
    (Measure.RATES, {"category": "withdrawal,drug-effect", "group_by": "year"}),
    (Measure.PROPORTIONS, {"window": "0-3", "group_by": "year"}),
    (Measure.PROPORTIONS, {"group_by": "period"}),
)
"""Questions where the tiers meet or the time of a cell is cut twice; asked of each registry."""

SINGLE = ("country", "site", "year", "sex", "drug", "complication", "category")
"""Dimensions that are asked more often than the others."""


def raw(kind: RowKind, record: EventRecord | ImplantRecord | ExposureRecord) -> RawReport:
    """A record as the text that a file would hold."""
    values = {}
    for column in COLUMNS[kind]:
        value = getattr(record, column)
        if isinstance(value, frozenset):
            values[column] = ";".join(sorted(each.value for each in value))
        else:
            values[column] = "" if value is None else str(getattr(value, "value", value))
    return RawReport(kind, values)


@dataclass
class World:
    """A registry in the database, the same rows in the oracle, and who asks."""

    oracle: Oracle
    viewer: Viewer


def imported(seed: int) -> World:
    """A small synthetic registry and rows at the edges, imported and accepted."""
    dice = Random(seed)
    made = registry(events=60 + 40 * (seed % 3), sites=6, seed=seed + 1)
    implants = [*made.implants(), *(edge := nasty.implants(dice, patients=25))]
    events = [*made.events(), *nasty.events(dice, edge, number=150)]
    exposures = [*made.exposures(), *nasty.exposures(dice)]
    manager = UserFactory(roles=[Role.DATA_MANAGER])
    load_catalogue()
    rows = {RowKind.IMPLANT: implants, RowKind.EXPOSURE: exposures, RowKind.EVENT: events}
    files = {kind: [raw(kind, record) for record in records] for kind, records in rows.items()}
    import_records(files, by=manager, accept=True)
    waiting = nasty.events(dice, edge, number=20, prefix="w")  # submitted, so counted nowhere
    submitted = [raw(RowKind.EVENT, record) for record in waiting]
    import_records({RowKind.EVENT: submitted}, by=manager, accept=False)
    for site in Site.objects.all():
        if site.code in COUNTRIES:
            change_site(site, name=site.name, country=COUNTRIES[site.code], active=True, by=manager)
    for (site_code, component), year in nasty.WORDS.items():
        say_implants_from(site_code, component=component.value, year=year, by=manager)
    oracle = Oracle(
        events=events,
        implants=implants,
        exposures=exposures,
        catalogue=read_catalogue(),
        countries=COUNTRIES,
        words=nasty.WORDS,
    )
    return World(oracle, viewer_of(manager))


class Questions:
    """Draws questions whose values mostly occur in the registry."""

    def __init__(self, oracle: Oracle, dice: Random) -> None:
        self.dice = dice
        self.found: dict[str, list[str]] = {}
        for event in oracle.events:
            for name in ORACLE_DIMENSIONS:
                self.found.setdefault(name, []).extend(oracle.values(event, name))
        for device in oracle.devices.values():
            for name in DEVICE_SIDE:
                self.found[name].append(device.value(name, oracle.countries))

    def draw(self, measure: Measure) -> dict[str, str]:
        """One question, as the parameters of an address."""
        dice, names = self.dice, self.names(measure)
        often = tuple(name for name in SINGLE if name in names)
        selection: dict[str, str] = {}
        for _ in range(dice.choice((0, 0, 1, 1, 2, 3))):
            name = dice.choice(often if dice.random() < 0.5 else names)
            known = sorted(set(self.found[name]))
            values = {dice.choice(self.found[name]) for _ in range(dice.choice((1, 1, 1, 2, 3)))}
            selection[name] = ",".join(
                sorted(values if dice.random() < 0.9 else {dice.choice(known)})
            )
        if not {"year", "period"} & set(selection) and dice.random() < 0.15:
            first = dice.randint(2006, 2016)
            selection["year_min"] = str(first)
            if dice.random() < 0.5:
                selection["year_max"] = str(first + dice.randint(0, 8))
        months = () if measure is Measure.COVERAGE else ("window",)
        if months and dice.random() < 0.25:
            selection["window"] = dice.choice(WINDOWS)
        groups = dice.sample((*often, *names, *months), dice.choice((0, 1, 1, 2, 3)))
        if groups := list(dict.fromkeys(groups)):
            selection["group_by"] = ",".join(groups)
        if "window" in groups:
            selection.pop("window", None)
            if dice.random() < 0.7:
                selection["window"] = dice.choice(ROWS_OF_WINDOWS)
        if dice.random() < 0.6:
            selection["counting"] = dice.choice(COUNTING[measure]).value
        if measure in UNITS and dice.random() < 0.5:
            selection["unit"] = dice.choice(list(Denominator)).value
        if measure in LEVELS and dice.random() < 0.2:
            selection["level"] = dice.choice(("0.90", "0.99"))
        if measure is Measure.RATES and dice.random() < 0.2:
            selection["per"] = "100"
        return selection

    def names(self, measure: Measure) -> tuple[str, ...]:
        """The dimensions to ask of."""
        return OF_ALL_DEVICES if measure is Measure.COVERAGE else ORACLE_DIMENSIONS


EVENT_DIMENSIONS = (*sorted(EVENT_SIDE), "year", "period")
DEVICE_SIDE = (
    "component", "pump_model", "pump_family", "pump_site", "pump_plane", "catheter_model",
    "manufacturer", "drug", "drug_class", "label_status", "procedure", "age_band", "age_group",
    "implant_year", "indication", "indication_group", "sex", "site", "country",
)  # fmt: skip
ORACLE_DIMENSIONS = (*EVENT_DIMENSIONS, *DEVICE_SIDE)
OF_ALL_DEVICES = (*EVENT_DIMENSIONS, "indication", "indication_group", "sex", "site", "country")
"""Dimensions in which all devices of a patient are the same."""


def selection_of(params: dict[str, str]) -> OracleSelection:
    """The oracle's own reading of the parameters."""
    where = {
        name: frozenset(params[name].split(",")) for name in ORACLE_DIMENSIONS if name in params
    }
    windows = params["window"].split(",") if "window" in params else []
    years = None
    if "year_min" in params or "year_max" in params:
        first, last = params.get("year_min"), params.get("year_max")
        years = (int(first) if first else None, int(last) if last else None)
    grouped = {"complication", "actuality"} & set(params.get("group_by", "").split(","))
    return OracleSelection(
        where=where,
        years=years,
        windows=tuple(
            (int(first), int(last) if last else None)
            for first, _, last in (word.partition("-") for word in windows if word != NOT_RECORDED)
        ),
        no_month=NOT_RECORDED in windows,
        counting=CountingRule(params["counting"]) if "counting" in params else None,
        unit=Denominator(params["unit"]) if "unit" in params else None,
        named=frozenset(where) | grouped,
    )


def differences(world: World, measure: Measure, params: dict[str, str]) -> Iterator[str]:
    """Each way in which an answer differs from the oracle's."""
    said, selection = f"{measure} {params}", selection_of(params)
    try:
        query = parse_query(params, measure=measure)
        release = answer(query, measure=measure, viewer=world.viewer)
    except Refusal as refusal:
        codes = {fault.code for fault in refusal.faults}
        if codes != {"bad-range" if selection.calendar == set() else "too-many-cells"}:
            yield f"{said}: refused, {refusal}"
        return
    groups = params["group_by"].split(",") if "group_by" in params else []
    told = set()
    for row in release.rows:
        key = tuple(str(row[name]) for name in groups)
        if key in told:
            yield f"{said} {key}: told twice"
        told.add(key)
        cell = selection.narrowed(dict(zip(groups, key, strict=True)))
        for name, expected in numbers(world.oracle, measure, cell, params).items():
            if row[name] != expected:
                yield f"{said} {key} {name}: told {row[name]}, found {expected}"
    of_devices = set(groups) <= {*DEVICE_SIDE, "window"}
    for key in keys(world.oracle, selection, groups, measure):
        cell = selection.narrowed(dict(zip(groups, key, strict=True)))
        if key not in told and has_row(world.oracle, measure, cell, of_devices=of_devices):
            yield f"{said} {key}: left out"


def numbers(
    oracle: Oracle, measure: Measure, cell: OracleSelection, params: dict[str, str]
) -> dict[str, object]:
    """What a row's numbers should be."""
    level = float(params.get("level", 0.95))
    if measure is Measure.RATES:
        return rate_numbers(oracle, cell, level=level, per=int(params.get("per", 1000)))
    if measure is Measure.PROPORTIONS:
        return proportion_numbers(*oracle.proportion(cell), level=level)
    told = {"n": oracle.count(cell)} if measure is Measure.COUNTS else oracle.coverage(cell)
    return {**told, "status": CellStatus.OK if told["n"] else CellStatus.ZERO}


def proportion_numbers(having: int, carriers: int, *, level: float) -> dict[str, object]:
    """A share with Wilson's limits."""
    lower, upper = wilson_interval(having, carriers, level=level)
    status = CellStatus.OK if having else CellStatus.ZERO
    return {
        "numerator": having,
        "denominator": carriers,
        "proportion": near(having / carriers if carriers else None),
        "ci_lower": near(lower),
        "ci_upper": near(upper),
        "status": status if carriers else CellStatus.NO_DENOMINATOR,
    }


def rate_numbers(
    oracle: Oracle, cell: OracleSelection, *, level: float, per: int
) -> dict[str, object]:
    """A rate with Garwood's limits, or those of events that cluster within patients."""
    parts = oracle.rate(cell)
    if not parts.exposure:
        nothing = dict.fromkeys(("rate", "ci_lower", "ci_upper"))
        status, events = CellStatus.NO_DENOMINATOR, len(oracle.reported(cell))
        return {"events": events, "exposure": 0, "unit": parts.unit, **nothing, "status": status}
    told: dict[str, object] = {}
    if cell.counting in (None, CountingRule.FIRST_EVENT, CountingRule.FIRST_IN_ROW):
        lower, upper = quasi_poisson_interval(
            parts.events, parts.exposure, widened(parts), level=level
        )
        told = {"ci_lower": near(lower * per), "ci_upper": near(upper * per)}
        rate = incidence_rate(parts.events, parts.exposure, per=per, level=level)
    else:
        events, time = zip(*parts.clusters.values(), strict=True)
        rate = clustered_rate(events, time, per=per, level=level)
        told = {"dispersion": near(rate.dispersion)}
    stable = CellStatus.OK if parts.events >= 20 else CellStatus.UNSTABLE
    return {
        "events": parts.events,
        "exposure": near(parts.exposure),
        "rate": near(rate.rate),
        "ci_lower": near(rate.lower),
        "ci_upper": near(rate.upper),
        "unit": parts.unit,
        "status": stable if parts.events else CellStatus.ZERO,
        **told,
    }


def widened(parts: RateParts) -> float:
    """How much wider first events' limits are for the differing years that sites declared."""
    years = [each for each in parts.of(declared=True).clusters.values() if any(each)]
    events, time = (sum(each) for each in zip(*years, strict=True)) if years else (0, 0)
    if len(years) < 2 or not events or not time:
        return 1.0
    spread = sum((n - t * events / time) ** 2 for n, t in years)
    dispersion = max(1.0, spread / events * len(years) / (len(years) - 1))
    return (parts.events - events + dispersion * events) / parts.events


def has_row(oracle: Oracle, measure: Measure, cell: OracleSelection, *, of_devices: bool) -> bool:
    """Whether there is anything to tell of a row: an event, or device time in a row of devices."""
    if measure is Measure.COUNTS:
        return bool(oracle.count(cell))
    if measure is Measure.COVERAGE:
        return bool(oracle.coverage(cell)["n"])
    if measure is Measure.PROPORTIONS:
        having, carriers = oracle.proportion(cell)
        return bool(having or (of_devices and carriers))
    parts = oracle.rate(cell)
    return bool(parts.events or (of_devices and parts.exposure))


def near(number: float | None) -> object:
    """The number within the error of adding up in another order."""
    return None if number is None else pytest.approx(number, rel=1e-9, abs=1e-12)


def keys(
    oracle: Oracle, selection: OracleSelection, groups: list[str], measure: Measure
) -> set[tuple[str, ...]]:
    """The cells that a reported event is in, and those of devices where events make no rows."""
    windows = selection.windows or DEFAULT_WINDOWS
    named = {f"{first}-{'' if last is None else last}" for first, last in windows}
    if selection.no_month or (measure is Measure.COUNTS and not selection.windows):
        named.add(NOT_RECORDED)
    found: set[tuple[str, ...]] = set()
    for event in oracle.reported(selection):
        sets = [named if name == "window" else oracle.values(event, name) for name in groups]
        found |= set(product(*sets))
    if set(groups) <= {*DEVICE_SIDE, "window"}:
        for device in oracle.devices.values():
            found |= set(
                product(
                    *(
                        named if name == "window" else {device.value(name, oracle.countries)}
                        for name in groups
                    )
                )
            )
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("seed", SEEDS)
def test_answers_are_what_plain_loops_find(seed):
    world = imported(seed)
    questions = Questions(world.oracle, Random(seed))

    drawn = [(measure, questions.draw(measure)) for measure in COUNTING for _ in range(QUESTIONS)]

    found = [
        difference
        for measure, params in (*ALWAYS, *drawn)
        for difference in differences(world, measure, params)
    ]

    assert not found, "\n".join([f"{len(found)} numbers differ:", *found[:SHOWN]])
