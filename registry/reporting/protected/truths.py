"""From the nodes of a plan to their true numbers, in a few statements; nothing here is shown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from registry.disclosure import (
    NOBODY,
    Form,
    Keyed,
    Node,
    NodeTruth,
    ShownExposure,
    Tree,
)
from registry.disclosure.trees import ALL, Place
from registry.records import DIMENSIONS, Side
from registry.reporting.asking.question import (
    ACCEPTED,
    ACTUAL,
    Sort,
    natural_unit,
    sort_of_clock,
    sort_of_unit,
)
from registry.reporting.asking.spec import QUANTITY
from registry.snapshot.counting import NOTHING, Sums, affected, carriers, reported
from registry.snapshot.exposure import exposure
from registry.snapshot.firsts import FirstEvents, first_events
from registry.snapshot.schema import Kind, column
from registry.snapshot.selection import Condition, Placed, Selection, YearSpan
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.snapshot.terms import Term, Terms
from registry.vocabulary import NOT_RECORDED, CountingRule, Denominator

DEVICE, PATIENT = "device_no", "patient_no"
REPORTED: Sort = (Denominator.PUMP_MONTHS, None, False)
"""How what was reported is counted: on whatever clock, and so all nodes alike."""


class Natural:
    """The complications of nodes and what their rates divide by, worked out once a place."""

    def __init__(self, trees: Mapping[str, Tree], terms: Terms) -> None:
        self._trees, self._terms = trees, terms
        self._chosen: dict[Place, list[Term]] = {}
        self._units: dict[tuple[Place, Place], Denominator] = {}

    def chosen(self, node: Node) -> list[Term]:
        """The complications of a node."""
        place = node.get("complication", ALL)
        if place not in self._chosen:
            codes = self._trees["complication"].members(place)
            terms = self._terms.complications
            self._chosen[place] = [term for term in terms if term.code in codes]
        return self._chosen[place]

    def unit(self, node: Node) -> Denominator:
        """What a rate of a node divides by: its complications' own denominator."""
        component = node.get("component", ALL)
        at = node.get("complication", ALL), component
        if at not in self._units:
            named = "component" in node
            components = tuple(self._trees["component"].members(component)) if named else ()
            self._units[at] = natural_unit(self.chosen(node), components, self._terms)
        return self._units[at]


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
    natural = Natural(trees, store.manifest.terms)
    alike: dict[tuple[Sort, tuple[str, ...]], list[Node]] = {}
    for node in asked:
        if form is Form.COUNTS and counting is not CountingRule.FIRST_EVENT:
            sort = REPORTED
        elif form is Form.RATES:
            sort = sort_of_unit(natural.chosen(node), unit or natural.unit(node))
        else:
            sort = sort_of_clock(natural.chosen(node))
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
    """Nodes that name the same dimensions, as one selection whose rows they are.

    of_devices: the places of a row's key that devices have as well.
    """

    selection: Selection
    key_of: Mapping[Node, Key]
    of_devices: tuple[int, ...]

    @classmethod
    def of(cls, members: Sequence[Node], trees: Mapping[str, Tree]) -> "Sheet":
        """Number the places of each dimension; within a plan they are disjoint."""
        numbers: dict[str, dict[Place, int]] = {}
        for node in members:
            for name, place in node.items():
                placed = numbers.setdefault(name, {})
                placed.setdefault(place, len(placed))
        in_totals = () if "complication" in numbers else (Condition("in_totals", (True,)),)
        selection = Selection(
            on_events=(ACCEPTED, ACTUAL, *in_totals),
            group_by=tuple(numbers),
            placed=tuple(
                _placed(name, numbers[name], trees[name]) for name in numbers if name != "year"
            ),
            calendar=tuple(
                YearSpan((number,), *_ends(trees["year"].members(place)))
                for place, number in numbers.get("year", {}).items()
            ),
        )
        keys = {
            node: tuple(numbers[name][node[name]] for name in numbers if name in node)
            for node in members
        }
        places = enumerate(selection.group_by)
        return cls(selection, keys, tuple(at for at, name in places if name in selection.shared))

    def shared(self, node: Node) -> Key:
        """The part of a node's key that its devices have, whatever happened to them."""
        key = self.key_of[node]
        return tuple(key[at] for at in self.of_devices)


def _shares(
    store: Store, sheet: Sheet, sort: Sort, form: Form, counting: CountingRule
) -> dict[Node, NodeTruth]:
    _unit, clock, of_patient = sort
    if counting is CountingRule.FIRST_EVENT:
        each = PATIENT if of_patient else DEVICE
    else:
        each = PATIENT if counting is CountingRule.PATIENTS else DEVICE
    selection = sheet.selection
    if form is Form.PROPORTIONS:
        counted = affected(store, selection, clock=clock, each=each, keyed=True)
        population = carriers(store, selection, clock=clock, each=each, keyed=True)
    else:
        counted = reported(store, selection, each=each, keyed=True)
        population = carriers(store, selection, clock=None, each=each, keyed=True)
    return {
        node: NodeTruth(
            counted=keyed(counted.get(key, NOTHING)),
            population=keyed(population.get(sheet.shared(node), NOTHING)),
        )
        for node, key in sheet.key_of.items()
    }


def _rates(store: Store, sheet: Sheet, sort: Sort) -> dict[Node, NodeTruth]:
    unit, clock, of_patient = sort
    quantity, selection = QUANTITY[unit], sheet.selection
    if selection.calendar and quantity != "months":  # totals without dates: no denominator
        return dict.fromkeys(sheet.key_of, NodeTruth(counted=NOBODY, population=NOBODY))
    asks = {"clock": str(clock), "quantity": quantity}
    firsts = first_events(store, selection, per_patient=of_patient, keyed=True, **asks)
    given = exposure(store, selection, keyed=True, **asks)
    people = {key: each.devices for key, each in given.items()}
    if of_patient:
        people = carriers(store, selection, clock=clock, each=PATIENT, keyed=True)
    found = {}
    for node, key in sheet.key_of.items():
        shared = sheet.shared(node)
        first = firsts.get(key, FirstEvents())
        devices = given[shared].devices if shared in given else NOTHING
        total = given[shared].amount - first.months_after if shared in given else 0.0
        found[node] = NodeTruth(
            counted=keyed(first.owners),
            population=keyed(people.get(shared, NOTHING)),
            exposure=ShownExposure(total=max(total, 0.0), unit=unit, devices=keyed(devices)),
        )
    return found


def _placed(name: str, numbers: Mapping[Place, int], tree: Tree) -> Placed:
    """A dimension's places as the snapshot holds its values."""
    table = "events" if DIMENSIONS[name].side is Side.EVENT else "implants"
    numeric = column(table, name).kind is Kind.NUMBER

    def stored(value: str) -> str | int | None:
        if value == NOT_RECORDED:
            return None
        return int(value) if numeric else value

    return Placed(
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


def keyed(sums: Sums) -> Keyed:
    """The sums of a row as disclosure control takes them."""
    return Keyed(sums.n, sums.high, sums.low)
