"""How complete a snapshot is: sums by site of follow-up, of denominators, and of blank answers.

Meant to be worked out once a snapshot: each function scans its table.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.records import DIMENSIONS, Cell, Side
from registry.snapshot.counting import KEYS_OF, Sums
from registry.snapshot.schema import TABLES, Kind, column
from registry.snapshot.selected import QUARTERS_A_YEAR, leave_out_uncounted
from registry.snapshot.statement import Grouping, Piece, Source, small_table, whole
from registry.snapshot.store import Store
from registry.vocabulary import Actuality, ExitStatus, State

Ints = NDArray[np.int64]

NEVER_BLANK = frozenset(
    {"complication", "category", "component", "site", "country", "actuality", "state"}
)


def _answered(table: str, *sides: Side) -> tuple[str, ...]:
    held = {each.name for each in TABLES[table]}
    return tuple(
        name
        for name, dimension in DIMENSIONS.items()
        if dimension.side in sides and name in held and name not in NEVER_BLANK
    )


OF_DEVICES = _answered("implants", Side.DEVICE, Side.PATIENT)
OF_EVENTS = _answered("events", Side.EVENT)
"""The dimensions of which an answer can be blank, by what is counted as blank: devices, events."""

FOLLOWED = frozenset({"", ExitStatus.ACTIVE.value})
LOST = frozenset(status.value for status in ExitStatus if status.is_lost)


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums by a few keys, such as site and component.

    keys: the value of each line by the name of the key; sums: whole numbers of each line by name.
    """

    keys: Mapping[str, NDArray[Any]]
    sums: Mapping[str, Ints]

    def among(self, **chosen: Collection[Cell]) -> "TallyPart":
        """The lines whose keys are among those chosen."""
        size = len(next(iter(self.sums.values())))
        lines = np.ones(size, dtype=np.bool_)
        for name, values in chosen.items():
            held, places = self.different[name]
            lines &= np.array([value in values for value in held], dtype=np.bool_)[places]
        return TallyPart(self, lines)

    def over(self, key: str) -> "Tally":
        """The sums over all values of a key, by the others."""
        names = [name for name in self.keys if name != key]
        line_of: dict[tuple[Cell, ...], int] = {}
        whole_keys = zip(*(self.keys[name].tolist() for name in names), strict=True)
        lines = [line_of.setdefault(each, len(line_of)) for each in whole_keys]
        columns = zip(*line_of, strict=True) if line_of else [()] * len(names)
        sums = {name: np.zeros(len(line_of), dtype=np.int64) for name in self.sums}
        for name, added in self.sums.items():
            np.add.at(sums[name], lines, added)
        return Tally(_keys(names, columns), sums)

    def total(self, name: str, **chosen: Collection[Cell]) -> int:
        """The sum over all lines whose keys are among those chosen."""
        return self.among(**chosen).total(name)

    def values(self, key: str, *, of: str, **chosen: Collection[Cell]) -> set[Cell]:
        """The values of a key whose lines, of those chosen, have any of a sum."""
        return self.among(**chosen).values(key, of=of)

    @cached_property
    def different(self) -> Mapping[str, tuple[Sequence[Cell], Ints]]:
        """The different values of each key, and the place of each line's among them."""
        found: dict[str, tuple[Sequence[Cell], Ints]] = {}
        for name, values in self.keys.items():
            seen: dict[Cell, int] = {}
            places = [seen.setdefault(value, len(seen)) for value in values.tolist()]
            found[name] = list(seen), np.array(places, dtype=np.int64)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class TallyPart:
    """Some lines of a tally."""

    tally: Tally
    lines: NDArray[np.bool_]

    def total(self, name: str) -> int:
        """The sum over these lines."""
        return int(self.tally.sums[name][self.lines].sum())

    def values(self, key: str, *, of: str) -> set[Cell]:
        """The values of a key whose lines have any of a sum."""
        held, places = self.tally.different[key]
        found = places[self.lines & (self.tally.sums[of] > 0)]
        return {held[place] for place in np.flatnonzero(np.bincount(found)).tolist()}


def follow_up(store: Store, *, as_of: date | None) -> Tally:
    """The devices that count, by `site` and `component`.

    n: devices; followed: those in follow-up at their site's last closed round, or when last heard
    of where it has closed none; lost: those that left follow-up while device and patient could
    still be followed. observed, possible: quarters of a month; possible goes on to the day of the
    round for those lost, and to `as_of` where there is no round (Clark, Altman and De Stavola,
    2002). And for each of OF_DEVICES how many have no answer.
    """
    source = _devices(store, as_of)
    source.groups += [
        _by_code(store, "i.site", "site"),
        _by_code(store, "i.component", "component"),
    ]
    found = store.run(
        source.select(
            "count(*) AS n",
            whole(f"CASE WHEN {_is(store, FOLLOWED)} THEN 1 ELSE 0 END", "followed"),
            whole(f"CASE WHEN {_is(store, LOST)} THEN 1 ELSE 0 END", "lost"),
            whole("i.time_to - i.time_from", "observed"),
            whole(f"{_possible(store)} - i.time_from", "possible"),
            *_blanks("i", "implants", OF_DEVICES),
        )
    )
    return _tally(source, ("site", "component"), found)


def follow_up_by_year(store: Store, *, as_of: date | None) -> Tally:
    """Devices with time in each calendar year, by `site`, `component` and `year`.

    n: devices; observed, possible: quarters of a month of that year, as in `follow_up`. A device
    whose year of implant is dropped has time in no year.
    """
    source = _devices(store, as_of)
    until = f"i.origin + {_possible(store)}"
    first, last = store.manifest.years or (1, 0)
    if as_of is not None:
        last = max(last, as_of.year)
    years = [(year,) for year in range(first, last + 1)] or [(0,)]
    source.join(
        small_table(("year",), years),
        f"y ON {QUARTERS_A_YEAR} * y.year < {until}"
        f" AND {QUARTERS_A_YEAR} * (y.year + 1) > i.origin + i.time_from",
    )
    source.groups += [
        _by_code(store, "i.site", "site"),
        _by_code(store, "i.component", "component"),
        Grouping("y.year", int),
    ]

    def within(end: str) -> str:
        start = f"greatest(i.origin + i.time_from, {QUARTERS_A_YEAR} * y.year)"
        return f"greatest(0, least({end}, {QUARTERS_A_YEAR} * (y.year + 1)) - {start})"

    observed = within("i.origin + i.time_to")
    found = store.run(
        source.select(
            whole(f"CASE WHEN {observed} > 0 THEN 1 ELSE 0 END", "n"),
            whole(observed, "observed"),
            whole(within(until), "possible"),
        )
    )
    return _tally(source, ("site", "component", "year"), found)


def answers_of_events(store: Store) -> Tally:
    """Accepted, actual events, by `site`, `complication` and `year`.

    n: events; and for each of OF_EVENTS how many have no answer.
    """
    source = Source(store.codes, Piece("events e"))
    source.require_code("e", "state", State.ACCEPTED.value)
    source.require_code("e", "actuality", Actuality.NEAR_MISS.value, but=True)
    source.groups += [
        _by_code(store, "e.site", "site"),
        _by_code(store, "e.complication", "complication"),
        Grouping("e.year", lambda year: None if year is None else int(year)),
    ]
    found = store.run(source.select("count(*) AS n", *_blanks("e", "events", OF_EVENTS)))
    return _tally(source, ("site", "complication", "year"), found)


def declared_time(store: Store) -> Tally:
    """Declared exposure that counts, by `site`, `component` and `year`: quarters of a month."""
    source = Source(store.codes, Piece("exposures x"))
    source.require("x.counts")
    source.groups += [
        _by_code(store, "x.site", "site"),
        _by_code(store, "x.component", "component"),
        Grouping("x.year", int),
    ]
    found = store.run(source.select(whole("4 * x.component_months", "declared")))
    return _tally(source, ("site", "component", "year"), found)


@dataclass(frozen=True, slots=True)
class KeyedFollowUp:
    """The devices of one site and component, with the sums of their keys, to be perturbed.

    present: all that count; followed: those in follow-up; reachable: those and the lost. observed,
    possible: quarters of a month.
    """

    present: Sums
    followed: Sums
    reachable: Sums
    observed: int
    possible: int


def keyed_follow_up(store: Store, *, as_of: date | None) -> dict[tuple[str, str], KeyedFollowUp]:
    """What `follow_up` counts, with keys, by site and component."""
    source = _devices(store, as_of)
    source.groups += [
        _by_code(store, "i.site", "site"),
        _by_code(store, "i.component", "component"),
    ]
    followed, reachable = _is(store, FOLLOWED), _is(store, FOLLOWED | LOST)
    sums = []
    for name, condition in (("p", "1 = 1"), ("f", followed), ("r", reachable)):
        for half, value in zip(
            "nhl", ("1", *(f"i.{key}" for key in KEYS_OF["device_no"])), strict=True
        ):
            sums.append(whole(f"CASE WHEN {condition} THEN {value} ELSE 0 END", f"{name}_{half}"))
    found = store.run(
        source.select(
            *sums,
            whole("i.time_to - i.time_from", "observed"),
            whole(f"{_possible(store)} - i.time_from", "possible"),
        )
    )
    columns = {name: values.tolist() for name, values in found.items()}

    def keyed(name: str, place: int) -> Sums:
        return Sums(*(int(columns[f"{name}_{half}"][place]) for half in "nhl"))

    return {
        (str(site), str(component)): KeyedFollowUp(
            present=keyed("p", place),
            followed=keyed("f", place),
            reachable=keyed("r", place),
            observed=int(columns["observed"][place]),
            possible=int(columns["possible"][place]),
        )
        for place, (site, component) in enumerate(source.keys(found))
    }


def _devices(store: Store, as_of: date | None) -> Source:
    """The devices that count, with the quarter since year 0 up to which each can be followed."""
    source = Source(store.codes, Piece("implants i"))
    leave_out_uncounted(source)
    closed = store.manifest.closed_on
    until = [
        (number, _quarters(date.fromisoformat(closed[site]) if site in closed else as_of))
        for number, site in enumerate(store.codes.lists["site"])
    ]
    source.join(small_table(("site_no", "until"), until), "q ON q.site_no = i.site")
    return source


def _quarters(day: date | None) -> int:
    """Quarters of a month from year 0 to a day; 0 where it is not known."""
    if day is None:
        return 0
    return 4 * (12 * day.year + day.month - 1) + (day.day - 1) * 4 // 31


def _possible(store: Store) -> str:
    """Quarters since implant up to which a device can be followed; never fewer than it was.

    The lost to the day of the round; who is followed too, where there is none: what was followed
    at a round was followed up to it.
    """
    open_ended = _is(store, LOST)
    followed = f"({_is(store, FOLLOWED)} AND i.round_number IS NULL)"
    reach = "coalesce(q.until - i.origin, i.time_to)"
    return (
        f"CASE WHEN {open_ended} OR {followed} THEN greatest(i.time_to, {reach}) ELSE i.time_to END"
    )


def _is(store: Store, statuses: Collection[str]) -> str:
    """Whether a device `i` left follow-up in one of these ways; whole numbers in the text."""
    name = column("implants", "exit_status").name
    numbers = {store.codes.number(name, status) for status in statuses}
    return f"i.{name} IN ({', '.join(f'{number:d}' for number in sorted(numbers))})"


def _blanks(alias: str, table: str, names: Iterable[str]) -> list[str]:
    """How many rows have no answer to each of these dimensions."""
    counted = []
    for name in names:
        listed = column(table, name)
        held = f"{alias}.{listed.name}"
        is_blank = f"{held} IS NULL" if listed.kind is Kind.NUMBER else f"{held} = 0"
        counted.append(whole(f"CASE WHEN {is_blank} THEN 1 ELSE 0 END", name))
    return counted


def _by_code(store: Store, expression: str, name: str) -> Grouping:
    return Grouping(expression, lambda number: store.codes.text(name, int(number)))


def _tally(source: Source, names: tuple[str, ...], found: Mapping[str, NDArray[Any]]) -> Tally:
    keys = source.keys(found)
    columns = zip(*keys, strict=True) if keys else [()] * len(names)
    return Tally(
        _keys(names, columns),
        {
            name: np.asarray(values, dtype=np.int64)
            for name, values in found.items()
            if name not in source.names
        },
    )


def _keys(names: Sequence[str], columns: Iterable[Sequence[Cell]]) -> Mapping[str, NDArray[Any]]:
    return {
        name: np.array(values, dtype=object) for name, values in zip(names, columns, strict=True)
    }
