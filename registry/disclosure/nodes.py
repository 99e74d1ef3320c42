"""Rewrites a question as the nodes that may be computed, or names the nearest available.

A node is one place in each tree, so it has a single value in every dimension. Equal questions in
different spellings (by values, by groups, by complement) give the same nodes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

from registry.disclosure.combining import TOO_FINE, not_combined, other_windows, several_values
from registry.disclosure.policy import Impossible, Policy
from registry.disclosure.tree_questions import (
    TreeQuestion,
    ends_of,
    named,
    of_groups,
    tree_questions,
    unfiltered,
)
from registry.disclosure.trees import Level, Place, Tree
from registry.records import BadQuery, EventQuery, Fault, NotAvailableAtThisDetail, Window


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


def plan(
    query: EventQuery, trees: Mapping[str, Tree], policy: Policy, *, by_funnel: bool = False
) -> Plan:
    """Rewrite a question as rows of disjoint nodes, the fewest that cover the selection.

    trees: by dimension; one for every dimension that the policy offers. The rows depend on the
    question and the trees alone, never on recorded data: a row without events is included.
    Counting, measure, unit and level are ignored, but that a funnel may compare sites by one
    complication (by_funnel).
    Raises NotAvailableAtThisDetail with every fault, each naming the nearest available, and
    BadQuery where the reply would be too long (`too-many-cells`) or names no dimension.
    """
    not_offered = [_not_offered(name, policy) for name in named(query) if not policy.offer(name)]
    questions = tree_questions(query, trees, policy)
    windows = other_windows(query, trees)
    faults = [
        *not_offered,
        *windows,
        *(
            fault
            for each in questions
            for fault in several_values(each)
            if not (windows and fault.column == "window")
        ),
        *not_combined(questions, policy, by_funnel=by_funnel),
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


def canonical(query: EventQuery, trees: Mapping[str, Tree], policy: Policy) -> EventQuery:
    """The canonical form of a question: equal for questions that have equal plans.

    Filters are written by groups where they hold whole groups, else by values, and omitted where
    they exclude nothing; a range of years becomes years or periods. Only for questions that `plan`
    accepts.
    """
    where: dict[str, tuple[str, ...]] = {}
    windows: tuple[Window, ...] = ()
    for each in tree_questions(query, trees, policy):
        offered, tree = each.offered, each.tree
        if tree.name == "window":
            windows = _spelled_windows(each)
            continue
        if each.selection == unfiltered(tree, each.group_by):
            continue
        groups = {place.code for place in tree.cover(each.selection) if place.level is Level.GROUP}
        if offered.group and each.selection == of_groups(
            tree, groups, own=tree.name in query.group_by
        ):
            where[offered.group] = tuple(sorted(groups))
        else:
            where[offered.name] = tuple(sorted(each.selection))
    return replace(query, where=tuple(sorted(where.items())), years=None, windows=windows)


def _spelled_windows(question: TreeQuestion) -> tuple[Window, ...]:
    """The windows of a question: of a filter the whole, none where it holds all; of rows each."""
    tree = question.tree
    if question.windows:
        return () if tuple(map(str, question.windows)) == tree.values else question.windows
    if question.selection == tree.in_totals:
        return ()
    ends = [ends_of(value) for value in tree.values if value in question.selection]
    return (Window(ends[0][0], ends[-1][1]),)


def _not_offered(name: str, policy: Policy) -> Fault:
    nearest = policy.nearest.get(name, "leave it out")
    return Fault(name, TOO_FINE, f"this is not published for protected answers; {nearest}")


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
