"""What a question says about each tree: which values, and by which names it groups."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from registry.disclosure.policy import Offered, Policy
from registry.disclosure.trees import Place, Tree
from registry.records import DIMENSIONS, BadQuery, EventQuery, Fault, Window


@dataclass(frozen=True, slots=True)
class TreeQuestion:
    """What a question says about one tree: which values, and by which of its names it groups."""

    offered: Offered
    tree: Tree
    selection: frozenset[str]
    group_by: tuple[str, ...]
    windows: tuple[Window, ...] = ()

    def rows(self) -> list[tuple[dict[str, str], tuple[Place, ...]]]:
        """Labels by grouping name, and the places they cover, in the tree's order."""
        if not self.group_by:
            return [({}, self.tree.cover(self.selection))]
        if self.windows:
            return [
                ({"window": str(window)}, self.tree.cover(_within(window, self.tree)))
                for window in self.windows
            ]
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
    def places(self) -> tuple[Place, ...]:
        """Every place that its rows cover."""
        return tuple(place for _labels, places in self.rows() for place in places)

    @property
    def is_coarse(self) -> bool:
        """Whether all its places are as wide as a group."""
        return all(self.tree.is_coarse(place) for place in self.places)

    @property
    def restricts(self) -> bool:
        """Whether this tree counts among the dimensions that a question fixes or groups by."""
        return bool(self.group_by) or self.tree.cover(self.selection) != self.tree.cover(
            self.tree.in_totals
        )


def named(query: EventQuery) -> list[str]:
    """Every parameter that the question fixes or groups by, once, in the order of DIMENSIONS."""
    names = {name for name, _values in query.where} | set(query.group_by)
    if names - set(DIMENSIONS):
        raise BadQuery(Fault("", "unknown-dimension", "ask by the dimensions that are described"))
    if query.years is not None:
        names.add("year")
    if query.windows:
        names.add("window")
    return [name for name in DIMENSIONS if name in names]


def tree_questions(
    query: EventQuery, trees: Mapping[str, Tree], policy: Policy
) -> list[TreeQuestion]:
    """What the question says about each tree that it names: grouped ones first, in that order."""
    names = (*query.group_by, *named(query))
    offers = dict.fromkeys(offer for offer in map(policy.offer, names) if offer is not None)
    return [_tree_question(offer, query, trees[offer.name]) for offer in offers]


def _tree_question(offered: Offered, query: EventQuery, tree: Tree) -> TreeQuestion:
    group_by = tuple(name for name in query.group_by if name in (offered.name, offered.group))
    filters = dict(query.where)
    own = offered.name in group_by or offered.name in filters
    selections: list[frozenset[str]] = []
    windows = query.windows if offered.name == "window" else ()
    if windows:
        within = (_within(window, tree) for window in windows)
        selections.append(frozenset(value for values in within for value in values))
    if offered.name in filters:
        selections.append(frozenset(filters[offered.name]))
    if offered.group in filters:
        selections.append(of_groups(tree, filters[offered.group], own=own))
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
    selection = whole if selections else unfiltered(tree, group_by)
    for each in selections:
        selection &= each
    return TreeQuestion(offered, tree, selection, group_by, windows if group_by else ())


def _within(window: Window, tree: Tree) -> tuple[str, ...]:
    """The windows of the tree that lie in a window; all of it where its ends are theirs."""
    return tuple(
        value
        for value, (start, end) in ((value, ends_of(value)) for value in tree.values)
        if window.start <= start and (window.end is None or (end is not None and end <= window.end))
    )


def ends_of(window: str) -> tuple[int, int | None]:
    """The first and the last month of a window as parameters write it; None is open."""
    start, _dash, end = window.partition("-")
    return int(start), int(end) if end else None


def unfiltered(tree: Tree, group_by: Collection[str]) -> frozenset[str]:
    """What is selected without a filter; includes values set apart only where rows name values."""
    return frozenset(tree.values) if tree.name in group_by else tree.in_totals


def of_groups(tree: Tree, groups: Collection[str], *, own: bool) -> frozenset[str]:
    """The values of groups; includes those set apart where the question also names values."""
    counted = frozenset(tree.values) if own else tree.in_groups
    return frozenset(value for value in counted if tree.group_of[value] in groups)
