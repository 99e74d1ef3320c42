"""Rewrites a question as the nodes that may be computed, or names the nearest available.

A node is one place in each tree, so it has a single value in every dimension. Equal questions in
different spellings (by values, by groups, by complement) give the same nodes.
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
    """A set of records: one place in each dimension that is not `all`; hashable and ordered."""

    places: tuple[tuple[str, Place], ...] = ()

    @classmethod
    def at(cls, places: Mapping[str, Place]) -> "Node":
        """The node at these places; places that are `all` are left out."""
        kept = ((name, place) for name, place in places.items() if place.level is not Level.ALL)
        return cls(tuple(sorted(kept)))

    def __getitem__(self, dimension: str) -> Place:
        return dict(self.places)[dimension]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _place in self.places)

    def __len__(self) -> int:
        return len(self.places)

    def where(self, trees: Mapping[str, Tree]) -> dict[str, tuple[str, ...]]:
        """The values that records of this node may have, by dimension, sorted."""
        return {name: tuple(sorted(trees[name].members(place))) for name, place in self.places}


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """One row of an answer: its labels in the order of group_by, and the nodes it sums.

    A row without nodes is an impossible combination and shows 0.
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
class _TreeQuestion:
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
    """Rewrite a question as rows of disjoint nodes, the fewest that cover the selection.

    trees: by dimension; one for every dimension that the policy offers. The rows depend on the
    question and the trees alone, never on recorded data: a row without events is included.
    Counting, measure, unit and level are ignored.
    Raises NotAvailableAtThisDetail with every fault, each naming the nearest available, and
    BadQuery where the reply would be too long (`too-many-cells`) or names no dimension.
    """
    not_offered = [_not_offered(name, policy) for name in _named(query) if not policy.offer(name)]
    questions = _tree_questions(query, trees, policy)
    faults = [
        *not_offered,
        *(fault for each in questions for fault in _several_values(each)),
        *_too_many_dimensions(questions, policy),
        *_crossed_by_site(questions, policy),
    ]
    if faults:
        raise NotAvailableAtThisDetail(faults)
    parts = [each.rows() for each in questions]
    _refuse_too_many(
        [
            ("year" in each.group_by, [len(places) for _labels, places in part])
            for each, part in zip(questions, parts, strict=True)
        ],
        policy,
    )
    names = [each.tree.name for each in questions]
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


def _tree_questions(
    query: EventQuery, trees: Mapping[str, Tree], policy: Policy
) -> list[_TreeQuestion]:
    """What the question says about each tree that it names: grouped ones first, in that order."""
    named = (*query.group_by, *_named(query))
    offers = dict.fromkeys(offer for offer in map(policy.offer, named) if offer is not None)
    return [_tree_question(offer, query, trees[offer.name]) for offer in offers]


def canonical(query: EventQuery, trees: Mapping[str, Tree], policy: Policy) -> EventQuery:
    """The canonical form of a question: equal for questions that have equal plans.

    Filters are written by groups where they hold whole groups, else by values, and omitted where
    they exclude nothing; a range of years becomes years or periods. Only for questions that `plan`
    accepts.
    """
    where: dict[str, tuple[str, ...]] = {}
    for each in _tree_questions(query, trees, policy):
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


def _tree_question(offered: Offered, query: EventQuery, tree: Tree) -> _TreeQuestion:
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
    return _TreeQuestion(offered, tree, selection, group_by)


def _unfiltered(tree: Tree, group_by: Collection[str]) -> frozenset[str]:
    """What is selected without a filter; includes values set apart only where rows name values."""
    return frozenset(tree.values) if tree.name in group_by else tree.in_totals


def _of_groups(tree: Tree, groups: Collection[str], *, own: bool) -> frozenset[str]:
    """The values of groups; includes those set apart where the question also names values."""
    counted = frozenset(tree.values) if own else tree.in_groups
    return frozenset(value for value in counted if tree.group_of[value] in groups)


def _not_offered(name: str, policy: Policy) -> Fault:
    nearest = policy.nearest.get(name, "leave it out")
    return Fault(name, TOO_FINE, f"this is not published for protected answers; {nearest}")


def _several_values(question: _TreeQuestion) -> list[Fault]:
    """Patients do not add up over the event's side: a row there is a single place."""
    if question.offered.summable or all(len(places) <= 1 for _labels, places in question.rows()):
        return []
    tree, name = question.tree, question.tree.name
    nearest = ["one value", "all of them"]
    if question.offered.group is not None:
        touched = dict.fromkeys(
            tree.group_of[value] for value in tree.values if value in question.selection
        )
        nearest.insert(1, f"one {question.offered.group} ({', '.join(touched)})")
    detail = f"patients do not add up over these values; ask for {_either(nearest)}"
    if name not in question.group_by:
        detail += f", or group by {name}"
    return [Fault(name, TOO_FINE, detail)]


def _too_many_dimensions(questions: Sequence[_TreeQuestion], policy: Policy) -> list[Fault]:
    used = [each.tree.name for each in questions if each.restricts]
    if len(used) <= policy.most_dimensions:
        return []
    detail = (
        f"at most {policy.most_dimensions} dimensions are published together; "
        f"leave out {_either(used)}"
    )
    return [Fault("group_by", TOO_FINE, detail)]


def _crossed_by_site(questions: Sequence[_TreeQuestion], policy: Policy) -> list[Fault]:
    used = [each for each in questions if each.restricts]
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


def _may_cross_site(question: _TreeQuestion, policy: Policy) -> bool:
    only_groups = policy.crossed_by_site.get(question.tree.name)
    if only_groups is None:
        return False
    places = [place for _labels, places in question.rows() for place in places]
    return not only_groups or all(question.tree.is_coarse(place) for place in places)


def _refuse_too_many(parts: Sequence[tuple[bool, Sequence[int]]], policy: Policy) -> None:
    """Refuse by the sizes that question and trees imply, before any row is built.

    parts: for each tree, whether its rows are calendar years, and how many nodes each row has.
    The number of years grows with the registry: at most `most_years` of them count.
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
