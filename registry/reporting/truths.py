"""From the nodes of a plan to their true numbers, in a few statements; nothing here is shown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from registry.disclosure import (
    NOBODY,
    Exposure,
    Form,
    Keyed,
    Node,
    NodeTruth,
    Tree,
)
from registry.disclosure.trees import ALL, Place
from registry.records import DIMENSIONS, Side
from registry.reporting.question import (
    ACCEPTED,
    ACTUAL,
    QUANTITY,
    Sort,
    natural_unit,
    sort_of_clock,
    sort_of_unit,
)
from registry.snapshot import nodes
from registry.snapshot.asked import Condition
from registry.snapshot.engine import Value
from registry.snapshot.nodes import Grid, KeySums, NodeKey, Places, YearPlace
from registry.snapshot.schema import Kind, column
from registry.snapshot.store import Store
from registry.snapshot.terms import Term, Terms
from registry.vocabulary import NOT_RECORDED, CountingRule, Denominator

NONE = KeySums()


def unit_of(node: Node, trees: Mapping[str, Tree], terms: Terms) -> Denominator:
    """What a rate of this node divides by: its complications' own denominator."""
    components = tuple(trees["component"].members(node["component"])) if "component" in node else ()
    return natural_unit(terms_at(node, trees, terms), components, terms)


def takes_months(node: Node, own: Denominator) -> bool:
    """Whether a node has months instead of its own denominator, which has no dates by year."""
    return "year" in node and QUANTITY[own] != "months"


def truths_of(
    asked: Iterable[Node],
    *,
    store: Store,
    trees: Mapping[str, Tree],
    form: Form,
    counting: CountingRule,
    unit: Denominator | None = None,
) -> dict[Node, NodeTruth]:
    """The true numbers of each node; at most four statements for nodes that are worked out alike.

    Nodes are worked out alike that name the same dimensions and share clock and denominator. unit:
    instead of the nodes' own.
    """
    terms = store.manifest.terms
    alike: dict[tuple[Sort, tuple[str, ...]], list[Node]] = {}
    for node in asked:
        chosen = terms_at(node, trees, terms)
        if form is Form.RATES:
            sort = sort_of_unit(chosen, unit or unit_of(node, trees, terms))
        else:
            sort = sort_of_clock(chosen)
        alike.setdefault((sort, tuple(node)), []).append(node)
    found: dict[Node, NodeTruth] = {}
    for (sort, _names), members in alike.items():
        sheet = Sheet.of(members, trees)
        if form is Form.RATES:
            found |= _rates(store, sheet, sort)
        else:
            found |= _shares(store, sheet, sort, form, counting)
    return found


@dataclass(frozen=True, slots=True)
class Sheet:
    """Nodes that name the same dimensions, as a grid that one statement answers."""

    grid: Grid
    key_of: Mapping[Node, NodeKey]

    @classmethod
    def of(cls, members: Sequence[Node], trees: Mapping[str, Tree]) -> "Sheet":
        """Number the places of each dimension; within a plan they are disjoint."""
        numbers: dict[str, dict[Place, int]] = {}
        for node in members:
            for name, place in node.items():
                placed = numbers.setdefault(name, {})
                placed.setdefault(place, len(placed))
        of_device = [name for name in numbers if _side(name) not in {Side.EVENT, Side.TIME}]
        of_event = [name for name in numbers if _side(name) is Side.EVENT]
        in_totals = () if "complication" in numbers else (Condition("in_totals", (True,)),)
        grid = Grid(
            on_events=(ACCEPTED, ACTUAL, *in_totals),
            of_device=tuple(_places(name, numbers[name], trees[name]) for name in of_device),
            years=tuple(
                YearPlace(number, *_ends(trees["year"].members(place)))
                for place, number in numbers.get("year", {}).items()
            ),
            of_event=tuple(_places(name, numbers[name], trees[name]) for name in of_event),
        )
        order = [*of_device, *(["year"] if grid.years else []), *of_event]
        keys = {
            node: tuple(numbers[name][node[name]] for name in order if name in node)
            for node in members
        }
        return cls(grid, keys)


def _shares(
    store: Store, sheet: Sheet, sort: Sort, form: Form, counting: CountingRule
) -> dict[Node, NodeTruth]:
    _unit, clock, of_patient = sort
    if counting is CountingRule.FIRST_EVENT:
        each = "patient" if of_patient else "device"
    else:
        each = "patient" if counting is CountingRule.PATIENTS else "device"
    if form is Form.PROPORTIONS:
        counted = nodes.affected_units(store, sheet.grid, clock=clock, each=each)
        population = nodes.carrier_units(store, sheet.grid, clock=clock, each=each)
    else:
        counted = nodes.reported_units(store, sheet.grid, each=each)
        population = nodes.carrier_units(store, sheet.grid, clock=None, each=each)
    return {
        node: NodeTruth(
            counted=keyed(counted.get(key, NONE)),
            population=keyed(population.get(sheet.grid.shared(key), NONE)),
        )
        for node, key in sheet.key_of.items()
    }


def _rates(store: Store, sheet: Sheet, sort: Sort) -> dict[Node, NodeTruth]:
    unit, clock, of_patient = sort
    quantity = QUANTITY[unit]
    if sheet.grid.years and quantity != "months":  # totals without dates: no denominator
        return dict.fromkeys(sheet.key_of, NodeTruth(counted=NOBODY, population=NOBODY))
    each = "patient" if of_patient else "device"
    grid, asks = sheet.grid, {"clock": str(clock), "quantity": quantity}
    counted = nodes.first_events(store, grid, each=each, **asks)
    time = nodes.device_time(store, grid, **asks)
    lost: Mapping[NodeKey, float] = {}
    if quantity == "months":
        lost = nodes.time_after_first(store, grid, clock=str(clock), each=each)
    carriers = {key: given.devices for key, given in time.items()}
    if of_patient:
        carriers = nodes.carrier_units(store, grid, clock=clock, each=each)
    found = {}
    for node, key in sheet.key_of.items():
        shared = grid.shared(key)
        devices = time[shared].devices if shared in time else NONE
        total = time[shared].total - lost.get(key, 0.0) if shared in time else 0.0
        found[node] = NodeTruth(
            counted=keyed(counted.get(key, NONE)),
            population=keyed(carriers.get(shared, NONE)),
            exposure=Exposure(total=max(total, 0.0), unit=unit, devices=keyed(devices)),
        )
    return found


def terms_at(node: Node, trees: Mapping[str, Tree], terms: Terms) -> list[Term]:
    codes = trees["complication"].members(node.get("complication", ALL))
    return [term for term in terms.complications if term.code in codes]


def _side(name: str) -> Side:
    return DIMENSIONS[name].side


def _places(name: str, numbers: Mapping[Place, int], tree: Tree) -> Places:
    table = "events" if _side(name) is Side.EVENT else "implants"
    numeric = column(table, name).kind is Kind.NUMBER

    def stored(value: str) -> Value:
        if value == NOT_RECORDED:
            return nodes.BLANK_NUMBER if numeric else ""
        return int(value) if numeric else value

    return Places(
        name,
        tuple(
            (stored(value), number)
            for place, number in numbers.items()
            for value in sorted(tree.members(place))
        ),
    )


def _ends(years: Iterable[str]) -> tuple[int, int]:
    numbers = sorted(map(int, years))
    return numbers[0], numbers[-1]


def keyed(sums: KeySums) -> Keyed:
    return Keyed(sums.n, sums.high, sums.low)
