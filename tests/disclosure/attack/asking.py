"""The attacker's notebook: tables asked once, whole, and kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.disclosure import Policy
from tests.disclosure.attack.servers import TOO_MANY, Reply, Server, registry_trees
from tests.disclosure.attack.truth import NOT_ATTACKED, Labels

Values = NDArray[np.float64]
_COMPLICATIONS = registry_trees((2000, 2001), ())["complication"]
"""The catalogue, which is open to all."""


@dataclass(frozen=True, slots=True)
class Table:
    """Shown numbers along axes; NaN is hidden. clean: no cell was left out of a sum."""

    values: Values
    clean: NDArray[np.bool_]


@dataclass
class Asker:
    """Asks a server for whole tables, each once; a refusal is kept as None.

    most_filtered: what would take more requests than this for one term of one table is left out.
    """

    server: Server
    most_filtered: int = 1_200
    requests: int = 0
    refused: set[tuple[str, ...]] = field(default_factory=set)
    _kept: dict[tuple[Any, ...], Table | None] = field(default_factory=dict)
    _names: tuple[str, ...] = ()
    _offers: dict[str, Mapping[str, Any] | None] = field(default_factory=dict)
    _axes: dict[str, Labels] = field(default_factory=dict)

    def offered(self) -> tuple[str, ...]:
        """Everything that may be grouped by, as statistics/dimensions/ says."""
        if not self._names:
            told = self.server.dimensions()
            self._names = tuple(
                str(each["name"])
                for each in told
                if each["group_by"] and each["name"] not in NOT_ATTACKED
            )
        return self._names

    def _offer(self, name: str) -> Mapping[str, Any]:
        if not self._offers:
            told = self.server.dimensions()
            self._offers = {str(each["name"]): each["protected"] for each in told}
        return self._offers[name] or {}

    def coarser(self, name: str) -> str | None:
        """The parameter that names a dimension's groups, if there is one."""
        levels = self._offer(name).get("levels", ())
        named = len(levels) > 2 and levels[0] == name and levels[1] != "group"
        return str(levels[1]) if named else None

    def tree_of(self, name: str) -> str:
        """The dimension that a grouping belongs to: category is complication's."""
        return next((finer for finer in self.offered() if self.coarser(finer) == name), name)

    def group_of(self, name: str, label: str) -> str | None:
        """The group of a value; None where the dimension has no groups."""
        if self.tree_of(name) != name:
            return None
        groups: Mapping[str, Sequence[str]] = self._offer(name).get("groups", {})
        return next((group for group, values in groups.items() if label in values), None)

    def is_summable(self, name: str) -> bool:
        """Whether values of it may be joined in one protected answer."""
        return bool(self._offer(name).get("several_values"))

    def in_all(self, name: str, label: str) -> bool:
        """Whether a value is part of `all`: consequences count only where they are named."""
        counts = _COMPLICATIONS.in_totals
        if self.server.unit == "events" or name not in {"complication", "category"}:
            return True
        if name == "complication":
            return label in counts
        return any(
            group == label and value in counts for value, group in _COMPLICATIONS.group_of.items()
        )

    def axis(self, name: str) -> Labels:
        """The labels of a dimension, as its own breakdown lists them."""
        if name not in self._axes:
            reply = self._ask("counts", {"group_by": name})
            self._axes[name] = tuple(dict.fromkeys(str(row[name]) for row in reply.rows))
        return self._axes[name]

    def table(
        self,
        names: Sequence[str],
        where: Mapping[str, Sequence[str]] | None = None,
        *,
        measure: str = "counts",
        column: str = "n",
        **options: str,
    ) -> Table | None:
        """A breakdown by these names in this order, under these filters; None where refused."""
        limits = {name: tuple(values) for name, values in (where or {}).items()}
        order = tuple(sorted(names))
        key = (
            measure,
            column,
            order,
            tuple(sorted(limits.items())),
            tuple(sorted(options.items())),
        )
        if key not in self._kept:
            self._kept[key] = self._fetch(order, limits, measure, column, options)
        found = self._kept[key]
        if found is None:
            return None
        turned = [order.index(name) for name in names]
        return Table(found.values.transpose(turned), found.clean.transpose(turned))

    def kept(self) -> Iterator[tuple[str, str, tuple[str, ...], Mapping[str, Any], Values]]:
        """Everything answered: measure, column, names, filters with options, and the numbers."""
        for (measure, column, names, where, options), table in self._kept.items():
            if table is not None:
                yield measure, column, names, dict(where) | dict(options), table.values

    def _fetch(
        self,
        names: tuple[str, ...],
        where: Mapping[str, tuple[str, ...]],
        measure: str,
        column: str,
        options: Mapping[str, str],
    ) -> Table | None:
        asked = dict(options)
        if names:
            asked["group_by"] = ",".join(names)
        asked |= {name: ",".join(values) for name, values in where.items()}
        reply = self._ask(measure, asked)
        if reply.code == TOO_MANY:
            return self._in_parts(names, where, measure, column, options)
        if reply.status != 200:
            self.refused.add((*names, *(f"{name}=" for name in where)))
            return None
        return self._laid_out(names, reply, column)

    def _in_parts(
        self,
        names: tuple[str, ...],
        where: Mapping[str, tuple[str, ...]],
        measure: str,
        column: str,
        options: Mapping[str, str],
    ) -> Table | None:
        """A table that is too long, by runs of values of its longest axis, all that fit in one.

        An axis whose values may be joined, where there is one: others are no filter everywhere.
        """
        longest = max(
            (name for name in names if name not in where),
            key=lambda name: (self.is_summable(name), len(self.axis(name))),
        )
        labels = self.axis(longest)
        rest = int(np.prod([len(self.axis(name)) for name in names if name != longest]))
        run = max(1, Policy().most_cells // rest)
        place = names.index(longest)
        parts = []
        for start in range(0, len(labels), run):
            chosen = labels[start : start + run]
            part = self._fetch(names, {**where, longest: chosen}, measure, column, options)
            if part is None:
                return None
            keep = np.arange(start, start + len(chosen))
            parts.append(Table(part.values.take(keep, place), part.clean.take(keep, place)))
        return Table(
            np.concatenate([part.values for part in parts], place),
            np.concatenate([part.clean for part in parts], place),
        )

    def _laid_out(self, names: tuple[str, ...], reply: Reply, column: str) -> Table:
        places = [{label: i for i, label in enumerate(self.axis(name))} for name in names]
        shape = tuple(len(place) for place in places)
        values, clean = np.full(shape, np.nan), np.zeros(shape, bool)
        for row in reply.rows:
            index = tuple(place[str(row[name])] for name, place in zip(names, places, strict=True))
            if row[column] is not None:
                values[index] = row[column]
                clean[index] = row["status"] != "partial"
        return Table(values, clean)

    def _ask(self, measure: str, asked: Mapping[str, str]) -> Reply:
        self.requests += 1
        return self.server.reply(measure, asked)
