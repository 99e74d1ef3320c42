"""Two servers that need no web: one that hides small counts only, and one made of disclosure."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Protocol

import numpy as np

from registry.catalogue import read_catalogue
from registry.disclosure import (
    Keyed,
    Node,
    NodeTruth,
    Protection,
    ShownExposure,
    Tree,
    count_row,
    plan,
    proportion_row,
    rate_row,
    record_key,
    vocabulary_tree,
    year_tree,
)
from registry.disclosure.trees import Level
from registry.records import BadQuery, EventQuery, NotAvailableAtThisDetail
from registry.vocabulary import NOT_RECORDED, Denominator
from tests.disclosure.attack.truth import EVENT_SIDE, OFFERED, Labels, Truth, Where

TOO_MANY = "too-many-cells"
OPTIONS = frozenset({"group_by", "counting", "release", "unit"})
_ROW_OF = {"rates": rate_row, "proportions": proportion_row}
_NO_DENOMINATOR = {"denominator": None, "status": "suppressed"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the HTTP status, the rows, and the code of a refusal."""

    status: int
    rows: Sequence[Mapping[str, Any]] = ()
    code: str = ""


class Server(Protocol):
    """Whoever answers. unit: what the counts count; free: whether filters join as one likes."""

    unit: str

    def reply(self, measure: str, asked: Mapping[str, str]) -> Reply:
        """Answer one question, written as the parameters of an address."""

    def dimensions(self) -> Sequence[Mapping[str, Any]]:
        """What may be asked, as statistics/dimensions/ tells it."""


def registry_trees(years: tuple[int, int], sites: Sequence[str]) -> dict[str, Tree]:
    """The trees of everything that is offered."""
    terms = read_catalogue().complications
    trees = {
        offered.name: vocabulary_tree(offered.name)
        for offered in OFFERED
        if offered.name not in {"complication", "year", "site"}
    }
    trees["complication"] = Tree.grouped(
        "complication",
        {term.code: term.category for term in terms},
        blanks=False,
        apart=[term.code for term in terms if not term.in_totals],
    )
    trees["year"] = year_tree(*years)
    trees["site"] = Tree.flat("site", sites, blanks=False)
    return trees


def _where(asked: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(v.split(",")) for name, v in asked.items() if name not in OPTIONS}


def _groups(asked: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name in asked.get("group_by", "").split(",") if name)


def _dimensions(trees: Mapping[str, Tree]) -> list[dict[str, Any]]:
    """Everything offered, told as statistics/dimensions/ tells it."""
    found: list[dict[str, Any]] = []
    for offered in OFFERED:
        tree = trees[offered.name]
        groups = {
            group: [value for value in tree.values if tree.group_of[value] == group]
            for group in tree.groups
        }
        coarser = [offered.group or "group"] if groups else []
        told = {"groups": groups, "several_values": not offered.of_event}
        own = {"protected": {**told, "levels": [offered.name, *coarser, "all"]}, "group_by": True}
        found.append({"name": offered.name, **own})
        if offered.group:
            wide = {"protected": {**told, "levels": [offered.group, "all"]}, "group_by": True}
            found.append({"name": offered.group, **wide})
    return found


@dataclass
class Naive:
    """The usual protection and nothing else: counts under 5 are hidden, filters are free.

    It counts events, so that its answers add up. truths: the registry at each release.
    """

    truths: Mapping[str, Truth]
    trees: Mapping[str, Tree]
    unit: str = "events"

    def reply(self, measure: str, asked: Mapping[str, str]) -> Reply:
        truth = self.truths[asked.get("release", "")]
        where, names = _where(asked), _groups(asked)
        axes = {name: self._labels(name) for name in names}
        counts = truth.counted(axes, where=where, unit="events")
        if measure == "proportions":
            return self._divided_by(truth, axes, where)
        months = truth.time(axes, where=where) if measure == "rates" else counts
        rows = []
        for labels, n, time in zip(
            product(*axes.values()), counts.ravel().tolist(), months.ravel().tolist(), strict=True
        ):
            row = dict(zip(names, labels, strict=True))
            shown = {"n": n, "events": n, "exposure": time, "status": "ok", "hidden_cells": 0}
            hidden = {"n": None, "events": None, "exposure": None, "status": "suppressed"}
            rows.append(row | (shown if n >= 5 else hidden))
        return Reply(200, rows)

    def _divided_by(self, truth: Truth, axes: Mapping[str, Labels], where: Where) -> Reply:
        """The devices of each group, hidden under 5: unlike patients they add up."""
        devices, _high, _low = truth.keyed(axes, where=where, unit="devices", population=True)
        rows = []
        for labels, n in zip(product(*axes.values()), devices.ravel().tolist(), strict=True):
            shown = {"denominator": n, "status": "ok"} if n >= 5 else _NO_DENOMINATOR
            rows.append(dict(zip(axes, labels, strict=True)) | shown)
        return Reply(200, rows)

    def dimensions(self) -> Sequence[Mapping[str, Any]]:
        return _dimensions(self.trees)

    def _labels(self, name: str) -> Labels:
        for tree in self.trees.values():
            if tree.name == name:
                return tree.values
        grouped = next(o for o in OFFERED if o.group == name)
        return self.trees[grouped.name].groups


@dataclass
class StandIn:
    """The protected profile made of registry.disclosure alone, over rows in memory.

    It proves the attacker's machinery without the web, and is what he practises on: he has this
    code, so he can make such a registry himself and see which of his guesses come true.
    """

    truth: Truth
    trees: Mapping[str, Tree]
    seed: int = 1
    unit: str = "patients"
    protection: Protection = field(init=False)
    _keys: dict[str, Any] = field(default_factory=dict)
    _tables: dict[Any, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)
        self.protection = Protection.under(chance.randbytes(32), release="practice")
        secret = chance.randbytes(32)
        for unit, numbers in self.truth.device_units.items():
            size = int(numbers.max(initial=0)) + 1
            keys = [record_key(secret, chance.randbytes(16)) for _ in range(size)]
            self._keys[unit] = np.array(keys, np.int64)

    def reply(self, measure: str, asked: Mapping[str, str]) -> Reply:
        names = _groups(asked)
        where = tuple(sorted((n, tuple(sorted(v))) for n, v in _where(asked).items()))
        counting = asked.get("counting", "patients" if measure == "counts" else "first_event")
        query = EventQuery(where=where, group_by=names)
        try:
            planned = plan(query, self.trees, self.protection.policy)
        except NotAvailableAtThisDetail as refusal:
            return Reply(422, code=refusal.faults[0].code)
        except BadQuery as refusal:
            return Reply(400, code=refusal.faults[0].code)
        unit = "patients" if counting == "patients" or measure == "proportions" else "devices"
        truths = [self._truth(node, unit, with_time=measure == "rates") for node in planned.nodes]
        shown = dict(zip(planned.nodes, self.protection.show_all(truths), strict=True))
        row_of: Callable[..., Any] = _ROW_OF.get(measure, count_row)
        rows = []
        for row in planned.rows:
            told = row_of([shown[node] for node in row.nodes])
            numbers = {name: getattr(told, name) for name in told.__slots__}
            rows.append(
                dict(zip(names, row.labels, strict=True)) | numbers | {"status": str(told.status)}
            )
        return Reply(200, rows)

    def dimensions(self) -> Sequence[Mapping[str, Any]]:
        return _dimensions(self.trees)

    def _truth(self, node: Node, unit: str, *, with_time: bool) -> NodeTruth:
        counted = self._keyed(node, unit, population=False)
        people = self._keyed(node, unit, population=True)
        exposure = None
        if with_time:
            months = self._time(node)
            exposure = ShownExposure(months, Denominator.PUMP_MONTHS, people)
        return NodeTruth(counted, people, exposure)

    def _axes(self, node: Node, *, population: bool) -> tuple[dict[str, Labels], tuple[int, ...]]:
        axes, index = {}, []
        for name, place in node.places:
            if population and name in EVENT_SIDE:
                continue
            tree = self.trees[name]
            group = place.level is Level.GROUP
            labels = tree.groups if group else tree.values
            axes[f"{name}:group" if group else name] = labels
            index.append(labels.index(place.code))
        return axes, tuple(index)

    def _keyed(self, node: Node, unit: str, *, population: bool) -> Keyed:
        axes, index = self._axes(node, population=population)
        by_hand = "site" not in axes
        if by_hand:  # each site is a hand
            axes["site"] = self.trees["site"].values
        kept = (tuple(axes), unit, population)
        if kept not in self._tables:
            keys = self._keys[unit]
            self._tables[kept] = self.truth.keyed(axes, unit=unit, keys=keys, population=population)
        sums = [np.atleast_1d(each[index]).tolist() for each in self._tables[kept]]
        each_hand = list(zip(*sums, strict=True))
        return Keyed.by_hand(each_hand) if by_hand else Keyed(*each_hand[0])

    def _time(self, node: Node) -> float:
        axes, index = self._axes(node, population=True)
        kept = (tuple(axes), "months", True)
        if kept not in self._tables:
            self._tables[kept] = self.truth.time(axes)
        return float(self._tables[kept][index])


__all__ = ["NOT_RECORDED", "Naive", "Reply", "Server", "StandIn", "registry_trees"]
