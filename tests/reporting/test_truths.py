"""True numbers of nodes: those of an exact answer to the same selection, with the keys' sums."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from random import Random

import pytest

from registry.disclosure import (
    Form,
    Keyed,
    Node,
    NodeTruth,
    Policy,
    ShownExposure,
    Tree,
    record_key,
)
from registry.disclosure.tree_questions import ends_of
from registry.disclosure.trees import Level, Place
from registry.keys import read_keys
from registry.records import EventQuery, Window
from registry.reporting.asking.freshness import Frozen
from registry.reporting.estimating import cells
from registry.reporting.protected.trees import trees_of
from registry.reporting.protected.truths import Sheet, truths_of
from registry.reporting.taken import read_question
from registry.snapshot.counting import Sums
from registry.snapshot.selection import Selection
from registry.snapshot.store import Store
from registry.vocabulary import CountingRule, Denominator, Measure
from tests.reporting.protecting import COMPLICATIONS, DRUGS, PUMPS, frozen_rows, tangled_rows
from tests.snapshot.rows import event, implant, public_id

POLICY = Policy()
NAMES = tuple(offer.name for offer in POLICY.offered)
OCCURRING = {*COMPLICATIONS, *DRUGS, *PUMPS}
FORMS = {
    Form.COUNTS: Measure.COUNTS,
    Form.RATES: Measure.RATES,
    Form.PROPORTIONS: Measure.PROPORTIONS,
}


def trees(frozen: Frozen) -> Mapping[str, Tree]:
    return trees_of(frozen.store.manifest.terms, data_as_of=frozen.data_as_of, policy=POLICY)


def selection(node: Node, of: Mapping[str, Tree]) -> EventQuery:
    """The same records as a question of the exact profile."""
    where = node.where(of)
    years = sorted(map(int, where.pop("year", ())))
    ends = sorted(map(ends_of, where.pop("window", ())), key=lambda each: each[0])
    return EventQuery(
        where=tuple(sorted(where.items())),
        years=(years[0], years[-1]) if years else None,
        windows=(Window(ends[0][0], ends[-1][1]),) if ends else (),
    )


def exactly(store: Store, node: Node, of: Mapping[str, Tree], form: Form, **how: object) -> object:
    """What the exact profile answers: what is counted, and what it is of."""
    measure = FORMS[form]
    query = selection(node, of)
    query = replace(query, **how)  # type: ignore[arg-type]
    question = read_question(query, measure=measure, manifest=store.manifest)
    if form is Form.COUNTS:
        (found,) = cells.count_cells(store, question)
        return found.numbers["n"]
    if form is Form.PROPORTIONS:
        (found,) = cells.proportion_cells(store, question)
        return found.numbers["numerator"], found.numbers["denominator"]
    (found,) = cells.rate_cells(store, question, per=1)
    return found.numbers["events"], found.numbers["exposure"], found.numbers["unit"]


def truly(truth: NodeTruth, form: Form) -> object:
    if form is Form.COUNTS:
        return truth.counted.n
    if form is Form.PROPORTIONS:
        return truth.counted.n, truth.population.n
    assert truth.exposure is not None
    return truth.counted.n, truth.exposure.total, truth.exposure.unit.value


def places(tree: Tree, draw: Random) -> Place:
    """A value or a group of a tree, of those that occur where they are few."""
    groups = [group for group in tree.groups if len(tree.members(Place(Level.GROUP, group))) > 1]
    if groups and draw.random() < 0.5:
        return Place(Level.GROUP, draw.choice(groups))
    few = [value for value in tree.values if value in OCCURRING]
    return Place(Level.VALUE, draw.choice(few or tree.values))


@pytest.fixture(scope="module", params=[1, 2])
def tangled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    implants, events = tangled_rows(request.param)
    return frozen_rows(tmp_path_factory.mktemp("tangled"), events=events, implants=implants)


@pytest.mark.parametrize(
    ("form", "counting"),
    [
        (Form.COUNTS, CountingRule.PATIENTS),
        (Form.COUNTS, CountingRule.DEVICES),
        (Form.COUNTS, CountingRule.FIRST_EVENT),
        (Form.PROPORTIONS, CountingRule.PATIENTS),
        (Form.RATES, CountingRule.FIRST_EVENT),
    ],
)
def test_node_holds_what_an_exact_answer_counts(
    tangled: Frozen, form: Form, counting: CountingRule
) -> None:
    of, draw = trees(tangled), Random(7)
    nodes = [Node()]
    pairs = draw.sample(list(combinations(NAMES, 2)), 60)
    for dimensions in [*((name,) for name in NAMES), *pairs]:
        nodes += [Node.at({name: places(of[name], draw) for name in dimensions}) for _ in range(2)]

    found = truths_of(nodes, store=tangled.store, trees=of, form=form, counting=counting)

    compared = 0
    for node in dict.fromkeys(nodes):
        truth = found[node]
        if form is Form.RATES and truth.exposure is None:
            continue
        told = exactly(tangled.store, node, of, form, counting=counting)
        if form is Form.RATES and isinstance(told, tuple) and not told[1]:
            told = (truth.counted.n, 0.0, told[2])  # events beside the denominator are no truth
        assert truly(truth, form) == told, node
        compared += truth.counted.n > 0
    assert compared > 15


@pytest.mark.parametrize("code", ["infection-pocket", "refill-pocket-fill"])
@pytest.mark.parametrize(
    "where",
    [
        {"year": Place(Level.VALUE, "2012")},
        {"year": Place(Level.GROUP, "2010-2014")},
        {"window": Place(Level.GROUP, "13-")},
    ],
)
def test_procedures_and_refills_of_a_year_or_a_window_are_what_an_exact_answer_divides_by(
    tangled: Frozen, where: dict[str, Place], code: str
) -> None:
    of = trees(tangled)
    node = Node.at(where | {"complication": Place(Level.VALUE, code)})

    found = truths_of(
        [node],
        store=tangled.store,
        trees=of,
        form=Form.RATES,
        counting=CountingRule.FIRST_EVENT,
    )

    told = truly(found[node], Form.RATES)
    assert isinstance(told, tuple)
    assert told[1] > 0
    assert told == exactly(tangled.store, node, of, Form.RATES)


@pytest.fixture
def hand(tmp_path: Path) -> Frozen:
    """Two pumps of one patient, one pump of another, and an event on each of the first two."""
    return frozen_rows(
        tmp_path,
        implants=[
            implant("i1", patient="p1", drug="morphine", implant_year=2010),
            implant("i2", patient="p1", drug="baclofen", implant_year=2012),
            implant("i3", patient="p2", drug="morphine", implant_year=2010),
        ],
        events=[
            event("e1", on="i1", year=2011, months_since_implant=6),
            event("e2", on="i1", year=2012, months_since_implant=20),
            event("e3", on="i2", year=2013, months_since_implant=12),
        ],
    )


def keyed(*names: str) -> Keyed:
    """The sum of the keys of named records, worked out without the snapshot; all at one site."""
    secret = read_keys().records
    keys = [record_key(secret, bytes.fromhex(public_id(name).replace("-", ""))) for name in names]
    sums = len(keys), sum(high for high, _ in keys), sum(low for _, low in keys)
    return Keyed(*sums, sums)


@pytest.mark.parametrize(
    ("form", "counting", "where", "counted", "population"),
    [
        (Form.COUNTS, CountingRule.PATIENTS, {}, ("p1",), ("p1", "p2")),
        (Form.COUNTS, CountingRule.DEVICES, {}, ("i1", "i2"), ("i1", "i2", "i3")),
        (Form.COUNTS, CountingRule.FIRST_EVENT, {}, ("i1", "i2"), ("i1", "i2", "i3")),
        (Form.PROPORTIONS, CountingRule.PATIENTS, {}, ("p1",), ("p1", "p2")),
        (Form.RATES, CountingRule.FIRST_EVENT, {}, ("i1", "i2"), ("i1", "i2", "i3")),
        (Form.RATES, CountingRule.FIRST_EVENT, {"drug": "morphine"}, ("i1",), ("i1", "i3")),
        (Form.COUNTS, CountingRule.PATIENTS, {"year": "2013"}, ("p1",), ("p1",)),
        (Form.PROPORTIONS, CountingRule.PATIENTS, {"year": "2012"}, ("p1",), ("p1", "p2")),
        (Form.COUNTS, CountingRule.PATIENTS, {"severity": "5"}, (), ("p1", "p2")),
    ],
)
def test_keys_are_those_of_each_record_once(
    hand: Frozen,
    form: Form,
    counting: CountingRule,
    where: dict[str, str],
    counted: tuple[str, ...],
    population: tuple[str, ...],
) -> None:
    node = Node.at({name: Place(Level.VALUE, value) for name, value in where.items()})

    found = truths_of([node], store=hand.store, trees=trees(hand), form=form, counting=counting)

    assert found[node].counted == keyed(*counted)
    assert found[node].population == keyed(*population)


@pytest.mark.parametrize("form", [Form.COUNTS, Form.RATES, Form.PROPORTIONS])
def test_largest_hands_are_told_apart_whoever_shares_sites(tmp_path: Path, form: Form) -> None:
    sites = "AAABBCCCCDE"
    implants = [implant(f"i{n}", patient=f"p{n}", site=site) for n, site in enumerate(sites)]
    events = [event(f"e{n}", on=f"i{n}", site=site) for n, site in enumerate(sites)]
    hands = {"A": 1, "B": 1, "C": 2, "D": 3, "E": 4}
    frozen = frozen_rows(
        tmp_path, implants=implants, events=events, hands=hands, sites=tuple(hands)
    )
    counting = CountingRule.FIRST_EVENT if form is Form.RATES else CountingRule.PATIENTS
    named = Node.at({"site": Place(Level.VALUE, "C")})

    found = truths_of(
        [Node(), named], store=frozen.store, trees=trees(frozen), form=form, counting=counting
    )

    letter = "i" if form is Form.RATES else "p"
    of_two = keyed(*(f"{letter}{n}" for n in range(9)))  # A and B together are one, C another
    for keys in (found[Node()].counted, found[Node()].population):
        assert (keys.n, keys.largest) == (11, (of_two.n, of_two.high, of_two.low))
        assert keys.of_others.n == 2
    assert (found[named].counted.n, found[named].counted.largest) == (4, (0, 0, 0))


def test_population_of_what_is_the_patients_own_is_patients(hand: Frozen) -> None:
    node = Node.at({"complication": Place(Level.VALUE, "baclofen-withdrawal")})

    found = truths_of(
        [node],
        store=hand.store,
        trees=trees(hand),
        form=Form.RATES,
        counting=CountingRule.FIRST_EVENT,
    )

    assert found[node].population == keyed("p1", "p2")
    assert found[node].exposure.devices == keyed("i1", "i2", "i3")  # type: ignore[union-attr]


def test_device_whose_procedures_were_not_counted_is_in_no_denominator(tmp_path: Path) -> None:
    frozen = frozen_rows(
        tmp_path,
        implants=[implant("i1", procedures=2), implant("i2", procedures=None)],
        events=(),
    )
    node = Node.at({"complication": Place(Level.VALUE, "infection-pocket")})

    found = truths_of(
        [node],
        store=frozen.store,
        trees=trees(frozen),
        form=Form.RATES,
        counting=CountingRule.FIRST_EVENT,
    )

    assert found[node].population == keyed("i1")
    assert found[node].exposure == ShownExposure(2.0, Denominator.PROCEDURES, keyed("i1"))


def test_exposure_ends_at_the_first_event_and_is_keyed_by_its_devices(hand: Frozen) -> None:
    found = truths_of(
        [Node()],
        store=hand.store,
        trees=trees(hand),
        form=Form.RATES,
        counting=CountingRule.FIRST_EVENT,
    )

    exposure = found[Node()].exposure
    assert exposure is not None
    # 6 months to the first event of i1, 12 to that of i2, 24 of i3
    assert (exposure.total, exposure.unit) == (42.0, Denominator.PUMP_MONTHS)
    assert exposure.devices == keyed("i1", "i2", "i3")


@pytest.mark.parametrize(
    ("where", "months"),
    [
        ({}, 6 + 24),  # the patient's own: nothing counts after the first, 24 of the other patient
        ({"drug": "morphine"}, 6 + 24),
        ({"drug": "baclofen"}, 12),  # the first under baclofen was at month 12 of that pump
        ({"year": "2011"}, 6 + 6),  # both pumps to the end of that year, i1 to its event
        ({"year": "2012"}, 12),  # the first patient has left with the event of 2011
        ({"year": "2014"}, 0),  # and so is not there when i2 has one
    ],
)
def test_time_of_a_patients_later_devices_goes_with_the_first_event(
    tmp_path: Path, where: dict[str, str], months: float
) -> None:
    withdrawal = "baclofen-withdrawal"
    frozen = frozen_rows(
        tmp_path,
        implants=[
            implant("i1", patient="p1", drug="morphine", implant_year=2011),
            implant("i2", patient="p1", drug="baclofen", implant_year=2013),
            implant("i3", patient="p2", drug="morphine", implant_year=2011),
        ],
        events=[
            event("e1", on="i1", complication=withdrawal, year=2011, months_since_implant=6),
            event("e2", on="i2", complication=withdrawal, year=2014, months_since_implant=12),
        ],
    )
    places = {"complication": withdrawal} | where
    node = Node.at({name: Place(Level.VALUE, value) for name, value in places.items()})

    found = truths_of(
        [node],
        store=frozen.store,
        trees=trees(frozen),
        form=Form.RATES,
        counting=CountingRule.FIRST_EVENT,
    )

    exposure = found[node].exposure
    assert exposure is not None
    assert exposure.total == months


def test_plan_of_2000_nodes_takes_a_few_statements(
    tangled: Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = trees(tangled)
    nodes = [
        Node.at({"complication": Place(Level.VALUE, code), "drug": Place(Level.VALUE, drug)})
        for code in of["complication"].values
        for drug in of["drug"].values
    ]
    statements = []
    run = Store.run
    monkeypatch.setattr(
        Store,
        "run",
        lambda self, statement: (statements.append(statement), run(self, statement))[1],
    )

    truths_of(
        nodes,
        store=tangled.store,
        trees=of,
        form=Form.RATES,
        counting=CountingRule.FIRST_EVENT,
    )

    # four denominators, and pump-months of devices apart from those of patients
    assert len(statements) <= 4 * 5


def test_of_hands_of_one_size_the_first_are_the_largest() -> None:
    sheet = Sheet(Selection(), key_of={}, of_devices=(), hands=(1, 2, 3))
    sums = {("a", 3): Sums(5, 30, 3), ("a", 2): Sums(5, 20, 2), ("a", 1): Sums(5, 10, 1)}

    assert sheet.keyed(sums) == {("a",): Keyed(15, 60, 6, (10, 30, 3))}
