"""Events and exposure by cluster, as the sums that robust limits are made of.

A cluster is a patient or a site; of declared exposure it is a site's year. What leaves are sums
over clusters of events, of exposure, of their squares and of their products.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from registry.snapshot.counting import WITHIN_90_DAYS, at_risk
from registry.snapshot.exposure import MONTHS, QUARTERS, amounts_of, is_by_year, units_of
from registry.snapshot.schema import column
from registry.snapshot.selected import QUARTERS_A_YEAR, devices_of, events_of, exposures_of
from registry.snapshot.selection import Selection
from registry.snapshot.statement import Key, Piece, Source, outer, small_table, whole
from registry.snapshot.store import Store
from registry.snapshot.years import year_shares

_PRODUCTS = {
    "n": "1",
    "head": "i.first_quarters",
    "tail": "i.last_quarters",
    "head2": "CAST(i.first_quarters AS BIGINT) * i.first_quarters",
    "tail2": "CAST(i.last_quarters AS BIGINT) * i.last_quarters",
    "both": "CAST(i.first_quarters AS BIGINT) * i.last_quarters",
}


@dataclass(frozen=True, slots=True)
class ClusterTime:
    """The exposure of a row and its squares, summed over clusters; and how many clusters have any.

    amount in months, procedures or refills; squares in its square.
    """

    amount: float = 0.0
    squares: float = 0.0
    clusters: int = 0


@dataclass(frozen=True, slots=True)
class ClusterEvents:
    """The events of a row, summed over clusters: their number, squares, and products with exposure.

    without_time: clusters with events and no exposure in the row.
    """

    n: int = 0
    squares: float = 0.0
    products: float = 0.0
    without_time: int = 0


def time_by_cluster(
    store: Store,
    selection: Selection,
    *,
    clock: str,
    quantity: str = MONTHS,
    cluster: str = "patient_no",
) -> dict[Key, ClusterTime]:
    """The exposure of implants by shared groupings, and the squares of each cluster's.

    cluster: patient_no or site. A patient with one device of the clock is a cluster alone: only
    the others are put together cluster by cluster.
    """
    found: dict[Key, ClusterTime] = {}
    apart = _apart(selection, cluster)
    if apart and is_by_year(selection, quantity):
        _add(found, _alone_by_year(store, selection, clock))
    elif apart:
        source, amount = amounts_of(store, selection, clock=clock, quantity=quantity)
        source.require("i.alone")
        source.require(f"{amount} > 0")
        squares = f"CAST({amount} AS BIGINT) * {amount}"
        statement = source.select(
            whole(amount, "amount"), whole(squares, "squares"), "count(*) AS clusters"
        )
        _add(found, _read_time(source, store.run(statement), units_of(quantity)))
    source, inner = _each_cluster(store, selection, clock, quantity, cluster, apart=apart)
    statement = outer(
        inner,
        source.names,
        whole("t", "amount"),
        whole("t * t", "squares"),
        "count(*) AS clusters",
        where="t > 0",
    )
    _add(found, _read_time(source, store.run(statement), units_of(quantity)))
    return found


def events_by_cluster(
    store: Store,
    selection: Selection,
    *,
    clock: str,
    each: str,
    quantity: str = MONTHS,
    cluster: str = "patient_no",
) -> dict[Key, ClusterEvents]:
    """The events in the time of implants by row, their squares, and products with exposure."""
    source = at_risk(store, selection, clock=clock, quantity=quantity)
    apart = _apart(selection, cluster)
    by, more = [f"i.{cluster}"], ["0 AS alone", "0 AS own"]
    if apart:
        if is_by_year(selection, quantity):
            _bound_by_own_years(source, selection)
        amount = source.time if quantity == MONTHS else f"i.{column('implants', quantity).name}"
        more = ["max(CASE WHEN i.alone THEN 1 ELSE 0 END) AS alone", f"max({amount}) AS own"]
    counted = column("events", each).name
    x = "count(*)" if counted == "event_no" else f"count(DISTINCT e.{counted})"
    inner = source.select(f"i.{cluster} AS cluster", f"{x} AS x", *more, by=by)
    time, together = _each_cluster(store, selection, clock, quantity, cluster, apart=apart)
    shared = [source.names[selection.group_by.index(name)] for name in selection.shared]
    own = zip(time.names, shared, strict=True)
    same = "".join(f" AND t.{theirs} IS NOT DISTINCT FROM x.{ours}" for theirs, ours in own)
    joined = Piece(f"SELECT {', '.join([f'x.{name}' for name in source.names] + ['x.x'])}, ")
    joined.add("CASE WHEN x.alone = 1 THEN x.own ELSE coalesce(t.t, 0) END AS t FROM (")
    joined.add_piece(inner)
    joined.add(") x LEFT JOIN (")
    joined.add_piece(together)
    joined.add(f") t ON t.cluster = x.cluster{same}")
    return _read_events(source, store.run(_products(joined, source)), units_of(quantity))


def _apart(selection: Selection, cluster: str) -> bool:
    """Whether patients with one device may be summed without putting clusters together."""
    if cluster != "patient_no" or selection.spans or selection.no_year:
        return False
    return not selection.splits_years or selection.is_one_span_a_row


def _bound_by_own_years(source: Source, selection: Selection) -> None:
    """Bound the time of an event's device by the years of the event's row."""
    if not selection.calendar:
        rows = [(span.first, span.last) for span in selection.year_spans()] or [(1, 0)]
        source.join(
            small_table(("first_year", "last_year"), rows),
            "y ON e.year >= y.first_year AND e.year <= y.last_year",
        )
    source.starts.append(f"{QUARTERS_A_YEAR} * y.first_year - i.origin")
    source.ends.append(f"{QUARTERS_A_YEAR} * (y.last_year + 1) - i.origin")


def _each_cluster(
    store: Store, selection: Selection, clock: str, quantity: str, cluster: str, *, apart: bool
) -> tuple[Source, Piece]:
    """The exposure of each cluster in each row, of those that `apart` leaves."""
    source, amount = amounts_of(store, selection, clock=clock, quantity=quantity)
    if apart:
        source.require("NOT i.alone")
    inner = source.select(f"i.{cluster} AS cluster", whole(amount, "t"), by=[f"i.{cluster}"])
    return source, inner


def _alone_by_year(store: Store, selection: Selection, clock: str) -> dict[Key, ClusterTime]:
    """Patients with one device: the square of a sum of parts, from the sums of their products."""
    source = devices_of(selection, store.codes, component=clock, by_year=False)
    source.require("i.alone")
    source.require("i.time_to > i.time_from")
    found: dict[Key, ClusterTime] = {}
    for share in year_shares(store, selection, source, _PRODUCTS):
        of, first, last, between = share.sums, share.has_first, share.has_last, share.between
        ends = first * of["head"] + last * of["tail"]
        time = ends + between * of["n"]
        squares = first * of["head2"] + last * of["tail2"] + 2 * first * last * of["both"]
        squares += 2 * between * ends + between * between * of["n"]
        given = ClusterTime(
            int(time.sum()) / QUARTERS, int(squares.sum()) / QUARTERS**2, int(of["n"].sum())
        )
        _add(found, {share.key: given})
    return found


# Declared by sites ---------------------------------------------------------------------------


def declared(
    store: Store, selection: Selection, *, clock: str, quantity: str = MONTHS
) -> dict[Key, ClusterTime]:
    """What sites declared instead of implants, a site's year a cluster; by shared groupings.

    A selection that declared exposure cannot follow (by drug, months, age ...) has none.
    """
    source = exposures_of(selection, store.codes, component=clock)
    if source is None:
        return {}
    inner = _site_years(source, quantity)
    statement = outer(
        inner,
        source.names,
        whole("t", "amount"),
        whole("t * t", "squares"),
        "sum(CASE WHEN t > 0 THEN 1 ELSE 0 END) AS clusters",
    )
    return _read_time(source, store.run(statement), 1)


def declared_events(
    store: Store, selection: Selection, *, clock: str, each: str, quantity: str = MONTHS
) -> dict[Key, ClusterEvents]:
    """The events without an implant that fall in a site's year of declared exposure.

    An episode that goes on into another year is of the first.
    """
    given = exposures_of(selection, store.codes, component=clock)
    if given is None:
        return {}
    years = _site_years(given, quantity)
    source = events_of(selection, store.codes, clock="device", device="e")
    condition = "z ON z.site_no = e.site AND z.declared_year = e.year"
    for place, name in enumerate(selection.shared):
        theirs = source.groups[selection.group_by.index(name)].expression
        condition += f" AND z.g{place} = {theirs}"
    source.join(years, condition)
    source.require("e.device_no IS NULL")
    if quantity == "procedures":
        source.require_code("e", "days_since_procedure", *WITHIN_90_DAYS)
    counted = f"e.{column('events', each).name}"
    inner = source.select(
        "e.site AS site_no",
        "min(e.year) AS declared_year",
        by=["e.site", counted],
    )
    by = [*source.names, "site_no", "declared_year"]
    # The exposure of the first year, where an episode goes on into another.
    once_each = outer(inner, by, "count(*) AS x")
    joined = Piece(f"SELECT {', '.join([f'x.{name}' for name in source.names] + ['x.x'])}, ")
    joined.add("coalesce(z.t, 0) AS t FROM (")
    joined.add_piece(once_each)
    joined.add(") x LEFT JOIN (")
    joined.add_piece(years)
    joined.add(") z ON z.site_no = x.site_no AND z.declared_year = x.declared_year")
    for place, name in enumerate(selection.shared):
        ours = source.names[selection.group_by.index(name)]
        joined.add(f" AND z.g{place} = x.{ours}")
    return _read_events(source, store.run(_products(joined, source)), 1)


def _site_years(source: Source, quantity: str) -> Piece:
    name = "component_months" if quantity == MONTHS else quantity
    amount = f"x.{column('exposures', name).name}"
    if quantity != MONTHS:
        source.require(f"{amount} IS NOT NULL")
    return source.select(
        "x.site AS site_no", "x.year AS declared_year", whole(amount, "t"), by=["x.site", "x.year"]
    )


def _products(joined: Piece, source: Source) -> Piece:
    return outer(
        joined,
        source.names,
        whole("x", "n"),
        whole("x * x", "squares"),
        whole("x * t", "products"),
        whole("CASE WHEN t = 0 THEN 1 ELSE 0 END", "without_time"),
    )


def _read_time(
    source: Source, found: Mapping[str, NDArray[Any]], units: int
) -> dict[Key, ClusterTime]:
    rows = zip(*(found[name].tolist() for name in ("amount", "squares", "clusters")), strict=True)
    sums = (ClusterTime(t / units, t2 / units**2, int(n or 0)) for t, t2, n in rows)
    return dict(zip(source.keys(found), sums, strict=True))


def _read_events(
    source: Source, found: Mapping[str, NDArray[Any]], units: int
) -> dict[Key, ClusterEvents]:
    names = ("n", "squares", "products", "without_time")
    rows = zip(*(found[name].tolist() for name in names), strict=True)
    sums = (ClusterEvents(int(n), float(x2), xt / units, int(none)) for n, x2, xt, none in rows)
    return dict(zip(source.keys(found), sums, strict=True))


def _add(found: dict[Key, ClusterTime], more: Mapping[Key, ClusterTime]) -> None:
    for key, time in more.items():
        before = found.get(key, ClusterTime())
        found[key] = ClusterTime(
            before.amount + time.amount,
            before.squares + time.squares,
            before.clusters + time.clusters,
        )
