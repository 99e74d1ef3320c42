"""Rewrites a question as the few nodes that may be computed, or names the nearest that can be had.

A node is one place in each tree, so that it is single-valued in every dimension. The same question
written in another way, by values, by groups or by all but the rest, gives the same nodes.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

from registry.disclosure.policy import Impossible, Offered, Policy
from registry.disclosure.trees import Level, Place, Tree
from registry.records import DIMENSIONS, BadQuery, EventQuery, Fault, NotAvailableAtThisDetail

TOO_FINE = NotAvailableAtThisDetail.code


@dataclass(frozen=True, slots=True, order=True)
class Node(Mapping[str, Place]):
    """A set of records by one place in each dimension that is not `all`; hashable, in order."""

    places: tuple[tuple[str, Place], ...] = ()

    @classmethod
    def at(cls, places: Mapping[str, Place]) -> "Node":
        """The node at these places; a place that is `all` restricts nothing and is left out."""
        kept = ((name, place) for name, place in places.items() if place.level is not Level.ALL)
        return cls(tuple(sorted(kept)))

    def __getitem__(self, dimension: str) -> Place:
        return dict(self.places)[dimension]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _place in self.places)

    def __len__(self) -> int:
        return len(self.places)

    def where(self, trees: Mapping[str, Tree]) -> dict[str, tuple[str, ...]]:
        """The values of each dimension that a record in this node may have, sorted."""
        return {name: tuple(sorted(trees[name].members(place))) for name, place in self.places}


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """One row of an answer: its labels in the order of group_by, and the nodes it sums.

    Without nodes the row is an impossible combination, and shows 0.
    """

    labels: tuple[str, ...]
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A question as rows of nodes; equal questions have equal plans, in any spelling."""

    group_by: tuple[str, ...]
    rows: tuple[PlannedRow, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Every node of the plan once, in order: what is to be computed."""
        return tuple(sorted({node for row in self.rows for node in row.nodes}))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a question says about one tree: which values, and by which of its names it groups."""

    offered: Offered
    tree: Tree
    selection: frozenset[str]
    group_by: tuple[str, ...]

    def rows(self) -> list[tuple[dict[str, str], tuple[Place, ...]]]:
        """Labels by grouping name, and the places they cover, in the tree's order."""
        if not self.group_by:
            return [({}, self.tree.cover(self.selection))]
        parts: dict[tuple[str, ...], list[str]] = {}
        for value in self.tree.values:
            if value in self.selection:
                labels = tuple(self._label(name, value) for name in self.group_by)
                parts.setdefault(labels, []).append(value)
        return [
            (dict(zip(self.group_by, labels, strict=True)), self.tree.cover(values))
            for labels, values in parts.items()
        ]

    def _label(self, name: str, value: str) -> str:
        return value if name == self.tree.name else self.tree.group_of[value]

    @property
    def restricts(self) -> bool:
        """Whether this tree counts among the dimensions that a question fixes or groups by."""
        return bool(self.group_by) or self.tree.cover(self.selection) != self.tree.cover(
            self.tree.in_totals
        )


def plan(query: EventQuery, trees: Mapping[str, Tree], policy: Policy) -> Plan:
    """Rewrite a question as rows of disjoint nodes, the fewest that hold what was asked.

    trees: by dimension; one for every dimension that the policy offers. The rows follow from the
    question and the trees alone, never from what was recorded: a row without an event is there.
    Counting, measure, unit and level are not looked at.
    Raises NotAvailableAtThisDetail with every fault, each naming the nearest that can be had, and
    BadQuery where the reply would be too long (`too-many-cells`) or names no dimension.
    """
    not_offered = [_not_offered(name, policy) for name in _named(query) if not policy.offer(name)]
    asked = _asked(query, trees, policy)
    faults = [
        *not_offered,
        *(fault for each in asked for fault in _several_values(each)),
        *_too_many_dimensions(asked, policy),
        *_crossed_by_site(asked, policy),
    ]
    if faults:
        raise NotAvailableAtThisDetail(faults)
    parts = [each.rows() for each in asked]
    _refuse_too_many(
        [
            ("year" in each.group_by, [len(places) for _labels, places in part])
            for each, part in zip(asked, parts, strict=True)
        ],
        policy,
    )
    names = [each.tree.name for each in asked]
    rows = []
    for combination in product(*parts):
        labels: dict[str, str] = {}
        for own, _places in combination:
            labels |= own
        covers = (places for _labels, places in combination)
        nodes = (Node.at(dict(zip(names, places, strict=True))) for places in product(*covers))
        possible = tuple(sorted(node for node in nodes if _is_possible(node, trees, policy)))
        rows.append(PlannedRow(tuple(labels[name] for name in query.group_by), possible))
    return Plan(query.group_by, tuple(rows))


def _named(query: EventQuery) -> list[str]:
    """Every parameter that the question fixes or groups by, once, in the order of DIMENSIONS."""
    named = {name for name, _values in query.where} | set(query.group_by)
    if named - set(DIMENSIONS):
        raise BadQuery(Fault("", "unknown-dimension", "ask by the dimensions that are described"))
    if query.years is not None:
        named.add("year")
    if query.windows:
        named.add("window")
    return [name for name in DIMENSIONS if name in named]


def _asked(query: EventQuery, trees: Mapping[str, Tree], policy: Policy) -> list[_Asked]:
    """What is asked of each tree that the question names: grouped ones first, in that order."""
    named = (*query.group_by, *_named(query))
    offers = dict.fromkeys(offer for offer in map(policy.offer, named) if offer is not None)
    return [_asked_of(offer, query, trees[offer.name]) for offer in offers]


def canonical(query: EventQuery, trees: Mapping[str, Tree], policy: Policy) -> EventQuery:
    """The same question in its one spelling: equal for questions that have equal plans.

    Filters are written by groups where they hold whole groups, else by values, and left out where
    they leave nothing out; a range of years becomes years or periods. For questions that `plan`
    does not refuse.
    """
    where: dict[str, tuple[str, ...]] = {}
    for each in _asked(query, trees, policy):
        offered, tree = each.offered, each.tree
        if each.selection == _unfiltered(tree, each.group_by):
            continue
        groups = {place.code for place in tree.cover(each.selection) if place.level is Level.GROUP}
        if offered.group and each.selection == _of_groups(
            tree, groups, own=tree.name in query.group_by
        ):
            where[offered.group] = tuple(sorted(groups))
        else:
            where[offered.name] = tuple(sorted(each.selection))
    return replace(query, where=tuple(sorted(where.items())), years=None)


def _asked_of(offered: Offered, query: EventQuery, tree: Tree) -> _Asked:
    group_by = tuple(name for name in query.group_by if name in (offered.name, offered.group))
    filters = dict(query.where)
    own = offered.name in group_by or offered.name in filters
    selections: list[frozenset[str]] = []
    if offered.name in filters:
        selections.append(frozenset(filters[offered.name]))
    if offered.group in filters:
        selections.append(_of_groups(tree, filters[offered.group], own=own))
    if offered.name == "year" and query.years is not None:
        first, last = query.years
        selections.append(
            frozenset(
                value
                for value in tree.values
                if (first is None or first <= int(value)) and (last is None or int(value) <= last)
            )
        )
    whole = frozenset(tree.values)
    selection = whole if selections else _unfiltered(tree, group_by)
    for each in selections:
        selection &= each
    return _Asked(offered, tree, selection, group_by)


def _unfiltered(tree: Tree, group_by: Collection[str]) -> frozenset[str]:
    """What is selected without a filter: values apart only where rows name values."""
    return frozenset(tree.values) if tree.name in group_by else tree.in_totals


def _of_groups(tree: Tree, groups: Collection[str], *, own: bool) -> frozenset[str]:
    """The values of groups; those apart as well where the question names values besides."""
    counted = frozenset(tree.values) if own else tree.in_groups
    return frozenset(value for value in counted if tree.group_of[value] in groups)


def _not_offered(name: str, policy: Policy) -> Fault:
    nearest = policy.nearest.get(name, "leave it out")
    return Fault(name, TOO_FINE, f"this is not published for protected answers; {nearest}")


def _several_values(asked: _Asked) -> list[Fault]:
    """Patients do not add up over the event's side: a row there is a single place."""
    if asked.offered.summable or all(len(places) <= 1 for _labels, places in asked.rows()):
        return []
    tree, name = asked.tree, asked.tree.name
    nearest = ["one value", "all of them"]
    if asked.offered.group is not None:
        touched = dict.fromkeys(
            tree.group_of[value] for value in tree.values if value in asked.selection
        )
        nearest.insert(1, f"one {asked.offered.group} ({', '.join(touched)})")
    detail = f"patients do not add up over these values; ask for {_either(nearest)}"
    if name not in asked.group_by:
        detail += f", or group by {name}"
    return [Fault(name, TOO_FINE, detail)]


def _too_many_dimensions(asked: Sequence[_Asked], policy: Policy) -> list[Fault]:
    used = [each.tree.name for each in asked if each.restricts]
    if len(used) <= policy.most_dimensions:
        return []
    detail = (
        f"at most {policy.most_dimensions} dimensions are published together; "
        f"leave out {_either(used)}"
    )
    return [Fault("group_by", TOO_FINE, detail)]


def _crossed_by_site(asked: Sequence[_Asked], policy: Policy) -> list[Fault]:
    used = [each for each in asked if each.restricts]
    others = [each for each in used if each.tree.name != "site"]
    if len(others) == len(used) or not others:
        return []
    if len(others) == 1 and _may_cross_site(others[0], policy):
        return []
    crossings = [
        f"site with {offered.group if only_groups else name}"
        for name, only_groups in policy.crossed_by_site.items()
        if (offered := policy.offer(name)) is not None
    ]
    return [Fault("site", TOO_FINE, f"ask for {_either(['site alone', *crossings])}")]


def _may_cross_site(asked: _Asked, policy: Policy) -> bool:
    only_groups = policy.crossed_by_site.get(asked.tree.name)
    if only_groups is None:
        return False
    places = [place for _labels, places in asked.rows() for place in places]
    return not only_groups or all(asked.tree.is_coarse(place) for place in places)


def _refuse_too_many(parts: Sequence[tuple[bool, Sequence[int]]], policy: Policy) -> None:
    """Refuse by what the question and the trees say, before anything is built.

    parts: for each tree, whether its rows are calendar years, and how many nodes each row has.
    Years are told apart since the registry began, so that they grow with it: only so many count.
    """
    counted = [nodes[: policy.most_years] if by_year else nodes for by_year, nodes in parts]
    rows = prod(len(nodes) for nodes in counted)
    nodes = prod(sum(nodes) for nodes in counted)
    if max(rows, nodes) > policy.most_cells:
        detail = (
            f"the answer would have over {policy.most_cells} cells; group by less, or by groups"
        )
        raise BadQuery(Fault("group_by", "too-many-cells", detail))


def _is_possible(node: Node, trees: Mapping[str, Tree], policy: Policy) -> bool:
    return not any(_excludes(rule, node, trees) for rule in policy.impossible)


def _excludes(rule: Impossible, node: Node, trees: Mapping[str, Tree]) -> bool:
    if rule.one not in node or rule.other not in node:
        return False
    one, other = (trees[name].members(node[name]) for name in (rule.one, rule.other))
    return one <= rule.ones and other <= rule.others


def _either(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
