"""From the nodes of a plan to their true numbers, in a few statements; nothing here is shown."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from registry.disclosure.tree_questions import ends_of
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
from registry.snapshot.counting import Sums, affected, carriers, reported
from registry.snapshot.exposure import exposure
from registry.snapshot.firsts import first_events, reported_firsts
from registry.snapshot.schema import Kind, column
from registry.snapshot.selection import Condition, MonthSpan, Placed, Selection, YearSpan
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


def truths_of(
    nodes: Iterable[Node],
    *,
    store: Store,
    trees: Mapping[str, Tree],
    form: Form,
    counting: CountingRule,
) -> dict[Node, NodeTruth]:
    """The true numbers of each node; at most four statements for nodes that are worked out alike.

    Nodes are worked out alike that name the same dimensions and share clock and denominator.
    """
    natural = Natural(trees, store.manifest.terms)

    def sort_of(node: Node) -> Sort:
        if form is Form.COUNTS and counting is not CountingRule.FIRST_EVENT:
            return REPORTED
        if form is Form.RATES:
            return sort_of_unit(natural.chosen(node), natural.unit(node))
        return sort_of_clock(natural.chosen(node))

    found: dict[Node, NodeTruth] = {}
    for sort, sheet in sheets_of(nodes, sort_of, trees=trees, hands=store.manifest.hands):
        if form is Form.RATES:
            found |= _rates(store, sheet, sort)
        else:
            found |= _shares(store, sheet, sort, form, counting)
    return found


@dataclass(frozen=True, slots=True)
class Sheet:
    """Nodes that name the same dimensions, as one selection whose rows they are, hand by hand.

    of_devices: the places of a row's key that devices have as well. hands: the numbers of all
    hands, by which the last grouping tells rows apart; none where the nodes fix a site.
    """

    selection: Selection
    key_of: Mapping[Node, Key]
    of_devices: tuple[int, ...]
    hands: tuple[int, ...]

    @classmethod
    def of(
        cls, members: Sequence[Node], trees: Mapping[str, Tree], hands: Mapping[str, int]
    ) -> "Sheet":
        """Number the places of each dimension; within a plan they are disjoint.

        hands: the number of each site's hand.
        """
        numbers: dict[str, dict[Place, int]] = {}
        for node in members:
            for name, place in node.places:
                placed = numbers.setdefault(name, {})
                placed.setdefault(place, len(placed))
        in_totals = () if "complication" in numbers else (Condition("in_totals", (True,)),)
        by_hand = "site" not in numbers
        selection = Selection(
            on_events=(ACCEPTED, ACTUAL, *in_totals),
            group_by=(*numbers, "site") if by_hand else tuple(numbers),
            placed=(
                *(
                    _placed(name, numbers[name], trees[name])
                    for name in numbers
                    if name not in {"year", "window"}
                ),
                *([Placed("site", tuple(sorted(hands.items())))] if by_hand else []),
            ),
            calendar=tuple(
                YearSpan((number,), *_ends(trees["year"].members(place)))
                for place, number in numbers.get("year", {}).items()
            ),
            spans=tuple(
                _span(number, trees["window"].members(place))
                for place, number in numbers.get("window", {}).items()
            ),
        )
        keys = {
            node: tuple(
                str(numbers[name][place]) if name == "window" else numbers[name][place]
                for name, place in node.places
            )
            for node in members
        }
        places = enumerate(numbers)
        return cls(
            selection,
            keys,
            tuple(at for at, name in places if name in selection.shared),
            tuple(sorted(set(hands.values()))) if by_hand else (),
        )

    def shared(self, node: Node) -> Key:
        """The part of a node's key that its devices have, whatever happened to them."""
        key = self.key_of[node]
        return tuple(key[at] for at in self.of_devices)

    def keyed(self, sums: Mapping[Key, Sums]) -> dict[Key, Keyed]:
        """The sums of each row of all hands, with those of its largest hands."""
        if not self.hands:
            return {key: Keyed(each.n, each.high, each.low) for key, each in sums.items()}
        found: dict[Key, dict[int, tuple[int, int, int]]] = {}
        for (*places, hand), each in sums.items():
            found.setdefault(tuple(places), {})[int(hand or 0)] = each.n, each.high, each.low
        return {
            key: Keyed.by_hand(hands[number] for number in sorted(hands))
            for key, hands in found.items()
        }

    def added(self, amounts: Mapping[Key, float]) -> dict[Key, float]:
        """The amounts of each row, those of all hands together."""
        found: dict[Key, float] = {}
        for key, amount in amounts.items():
            whole = key[:-1] if self.hands else key
            found[whole] = found.get(whole, 0.0) + amount
        return found


def sheets_of(
    nodes: Iterable[Node],
    sort_of: Callable[[Node], Sort],
    *,
    trees: Mapping[str, Tree],
    hands: Mapping[str, int],
) -> Iterator[tuple[Sort, Sheet]]:
    """A sheet for the nodes of each sort that name the same dimensions, in the nodes' order."""
    alike: dict[tuple[Sort, tuple[str, ...]], list[Node]] = {}
    for node in nodes:
        alike.setdefault((sort_of(node), tuple(node)), []).append(node)
    for (sort, _names), members in alike.items():
        yield sort, Sheet.of(members, trees, hands)


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
        if counting is CountingRule.FIRST_EVENT:
            counted = reported_firsts(store, selection, per_patient=of_patient, keyed=True)
        else:
            counted = reported(store, selection, each=each, keyed=True)
        population = carriers(store, selection, clock=None, each=each, keyed=True)
    of_events, of_people = sheet.keyed(counted), sheet.keyed(population)
    return {
        node: NodeTruth(
            counted=of_events.get(key, NOBODY),
            population=of_people.get(sheet.shared(node), NOBODY),
        )
        for node, key in sheet.key_of.items()
    }


def _rates(store: Store, sheet: Sheet, sort: Sort) -> dict[Node, NodeTruth]:
    unit, clock, of_patient = sort
    quantity, selection = QUANTITY[unit], sheet.selection
    of_clock = str(clock)
    firsts = first_events(
        store, selection, clock=of_clock, per_patient=of_patient, quantity=quantity, keyed=True
    )
    given = exposure(store, selection, clock=of_clock, quantity=quantity, keyed=True)
    devices = sheet.keyed({key: each.devices for key, each in given.items()})
    people = devices
    if of_patient:
        people = sheet.keyed(carriers(store, selection, clock=clock, each=PATIENT, keyed=True))
    owners = sheet.keyed({key: each.owners for key, each in firsts.items()})
    amounts = sheet.added({key: each.amount for key, each in given.items()})
    after = sheet.added({key: each.months_after for key, each in firsts.items()})
    found = {}
    for node, key in sheet.key_of.items():
        shared = sheet.shared(node)
        total = amounts.get(shared, 0.0) - after.get(key, 0.0)
        found[node] = NodeTruth(
            counted=owners.get(key, NOBODY),
            population=people.get(shared, NOBODY),
            exposure=ShownExposure(
                total=max(total, 0.0), unit=unit, devices=devices.get(shared, NOBODY)
            ),
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


def _span(number: int, windows: Iterable[str]) -> MonthSpan:
    """The months of a place among windows, which follow each other."""
    ends = sorted((ends_of(window) for window in windows), key=lambda each: each[0])
    return MonthSpan(str(number), ends[0][0], ends[-1][1])
