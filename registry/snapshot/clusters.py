"""Events and exposure by cluster, as the sums that robust limits are made of.

A cluster is a patient or a site. What leaves are sums
over clusters of events, of exposure, of their squares and of their products.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from registry.snapshot.counting import at_risk
from registry.snapshot.exposure import MONTHS, QUARTERS, amounts_of, is_by_year, units_of
from registry.snapshot.schema import column
from registry.snapshot.selected import (
    QUARTERS_A_YEAR,
    bound_by_years,
    devices_of,
    leave_out_uncounted,
)
from registry.snapshot.selection import Selection
from registry.snapshot.statement import Key, Piece, Source, outer, restrict, whole
from registry.snapshot.store import Store
from registry.snapshot.years import is_one_set, records_by_years, year_shares

_PRODUCTS = {
    "alone": "CASE WHEN i.alone THEN 1 ELSE 0 END",
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
    the others are put together cluster by cluster. By calendar year none is: there the products of
    pairs of devices are added, of which few have time in the same year.
    """
    by_year = is_by_year(selection, quantity) and is_one_set(selection)
    if by_year and _is_by_patient(selection, cluster):
        return _by_year(store, selection, clock)
    found: dict[Key, ClusterTime] = {}
    apart = _is_by_patient(selection, cluster) and not is_by_year(selection, quantity)
    source, amount = amounts_of(store, selection, clock=clock, quantity=quantity)
    if apart:
        source.require("i.alone")
        source.require(f"{amount} > 0")
        squares = f"CAST({amount} AS BIGINT) * {amount}"
        statement = source.select(
            whole(amount, "amount"), whole(squares, "squares"), "count(*) AS clusters"
        )
        _add(found, read_time(source, store.run(statement), units_of(quantity)))
        source, amount = amounts_of(store, selection, clock=clock, quantity=quantity)
        source.require("NOT i.alone")
    statement = outer(
        _each_cluster(source, amount, cluster),
        source.names,
        whole("t", "amount"),
        whole("t * t", "squares"),
        "count(*) AS clusters",
        where="t > 0",
    )
    _add(found, read_time(source, store.run(statement), units_of(quantity)))
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
    by_patient = _is_by_patient(selection, cluster)
    if quantity != MONTHS and selection.is_timed:
        by_patient = False  # a device's share of its count lies in a row, not in its time there
    source = at_risk(store, selection, clock=clock, quantity=quantity, joined=not by_patient)
    spread = quantity != MONTHS and bool(selection.time_groups)
    if spread or (by_patient and is_by_year(selection, quantity)):
        source.require("e.year IS NOT NULL")
    number = "e.patient_no" if by_patient else f"i.{cluster}"
    counted = column("events", each).name
    x = "count(*)" if counted == "event_no" else f"count(DISTINCT e.{counted})"
    cells = source.select(f"{number} AS cluster", f"{x} AS x", by=[number])
    named = zip(selection.group_by, source.names, strict=True)
    shared = {name: f"x.{own}" for name, own in named if name in selection.shared}
    asks = {"clock": clock, "quantity": quantity}
    if by_patient:
        rows, time = _with_devices(store, selection, shared, **asks)
    else:
        given, amount = amounts_of(store, selection, **asks)
        rows, time = Source(store.codes, Piece("x")), "t.t"
        own = zip(given.names, shared.values(), strict=True)
        same = "".join(f" AND t.{name} IS NOT DISTINCT FROM {theirs}" for name, theirs in own)
        each_cluster = _each_cluster(given, amount, cluster)
        rows.join(each_cluster, f"t ON t.cluster = x.cluster{same}", kind="LEFT JOIN")
    found = store.run(_with_time(source.names, cells, rows, time))
    return read_events(source, found, units_of(quantity))


def _is_by_patient(selection: Selection, cluster: str) -> bool:
    """Whether the sums of patients can be had from devices, and from pairs of a patient's devices.

    Otherwise the exposure of each cluster in each row is put together first.
    """
    if cluster != "patient_no" or selection.spans or selection.no_year:
        return False
    return not selection.splits_years or selection.is_one_span_a_row


def _each_cluster(source: Source, amount: str, cluster: str) -> Piece:
    """The exposure of each cluster in each row."""
    return source.select(f"i.{cluster} AS cluster", whole(amount, "t"), by=[f"i.{cluster}"])


def _with_devices(
    store: Store, selection: Selection, shared: Mapping[str, str], *, clock: str, quantity: str
) -> tuple[Source, str]:
    """Events of patients `x`, each with every device `i` of the patient that has time in the row.

    A patient's events times the exposure are the sum of the events times that of each device.
    shared: the columns of `x` that hold the shared groupings. Gives the rows, and an expression
    for what a device gives.
    """
    untimed = tuple(name for name in selection.shared if name not in selection.time_groups)
    own = Selection(on_devices=selection.on_devices, group_by=untimed)
    devices, amount = amounts_of(store, own, clock=clock, quantity=quantity)
    listed = [f"i.{name}" for name in ("patient_no", "time_from", "time_to", "origin")]
    listed.append(f"{amount} AS amount")
    listed += [f"{group.expression} AS g{at}" for at, group in enumerate(devices.groups)]
    devices.groups = []
    rows = Source(store.codes, Piece("x"))
    if selection.splits_years:
        devices.require("i.origin IS NOT NULL")
        bound_by_years(rows, selection, shared)
    time = rows.time if quantity == MONTHS else "i.amount"
    same = [f"i.g{at} IS NOT DISTINCT FROM {shared[name]}" for at, name in enumerate(untimed)]
    on = " AND ".join(["i.patient_no = x.cluster", f"{time} > 0", *same])
    rows.join(devices.select(*listed), f"i ON {on}", kind="LEFT JOIN")
    return rows, time


def _with_time(names: Sequence[str], cells: Piece, rows: Source, time: str) -> Piece:
    """Sum the events `x` of each cluster by row: their number, squares, and products with time.

    rows: `x` left joined to what has time; where nothing is joined the time is NULL.
    """
    own = [f"x.{name}" for name in names]
    sums = ("n", "squares", "products", "without_time")
    none = f"CASE WHEN {time} > 0 THEN 0 ELSE 1 END"
    both = Source(rows.codes, Piece("x")).select(
        *own, "x.x AS n", "x.x * x.x AS squares", "0 AS products", "0 AS without_time"
    )
    both.add(" UNION ALL ")
    both.add_piece(rows.select(*own, "0", "0", f"x.x * ({time})", none))
    statement = Piece("WITH x AS (")
    statement.add_piece(cells)
    statement.add(") ")
    statement.add_piece(outer(both, names, *(whole(each, each) for each in sums)))
    return statement


def _by_year(store: Store, selection: Selection, clock: str) -> dict[Key, ClusterTime]:
    """Patients' time by year: the squares of devices' time, and the products of pairs of devices.

    The square of the sum of a device's parts of years comes from the sums of their products.
    """
    source = _followed(store, selection, clock)
    shares = year_shares(store, selection, source, _PRODUCTS)
    of, first, last, between = shares.sums, shares.has_first, shares.has_last, shares.between
    ends = first * of["head"] + last * of["tail"]
    squares = first * of["head2"] + last * of["tail2"] + 2 * first * last * of["both"]
    squares += 2 * between * ends + between * between * of["n"]
    found: dict[Key, ClusterTime] = {}
    for key, (time, square, n) in shares.rows(ends + between * of["n"], squares, of["alone"]):
        _add(found, {key: ClusterTime(time / QUARTERS, square / QUARTERS**2, n)})
    others = _followed(store, selection, clock)
    others.require("NOT i.alone")
    for key, (patients,) in records_by_years(store, selection, others, "i.patient_no", []).items():
        _add(found, {key: ClusterTime(clusters=patients)})
    for key, products in _pairs_by_year(store, selection, clock).items():
        _add(found, {key: ClusterTime(squares=2 * products / QUARTERS**2)})
    return found


def _followed(store: Store, selection: Selection, clock: str) -> Source:
    source = devices_of(selection, store.codes, component=clock, by_year=False)
    source.require("i.time_to > i.time_from")
    return source


def _pairs_by_year(store: Store, selection: Selection, clock: str) -> dict[Key, int]:
    """The products of the time of two devices of one patient, where both have some in a row.

    Where rows are single years, from the first and the last year that both have time in: a device
    fills each year between.
    """
    single = all(span.first == span.last for span in selection.year_spans())
    source = devices_of(selection, store.codes, component=clock, by_year=not single)
    source.tables.add(
        " JOIN implants j ON j.patient_no = i.patient_no AND j.device_no > i.device_no"
    )
    leave_out_uncounted(source, "j")
    source.require_code("j", "component", clock)
    restrict(source, "j", selection.on_devices)
    for group in source.groups:
        if "i." in group.expression:
            source.require(f"{_of_later(group.expression)} IS NOT DISTINCT FROM {group.expression}")
    for alias in ("i", "j"):
        source.require(f"NOT {alias}.alone AND {alias}.time_to > {alias}.time_from")
    if not single:
        source.require("y.first_year <= j.last_year AND y.last_year >= j.first_year")
        product = f"CAST({source.time} AS BIGINT) * {_of_later(source.time)}"
        found = store.run(source.select(whole(product, "products")))
        return dict(zip(source.keys(found), map(int, found["products"].tolist()), strict=True))
    source.require("i.first_year <= j.last_year AND j.first_year <= i.last_year")
    since = "greatest(i.first_year, j.first_year)"
    until = "least(i.last_year, j.last_year)"
    ends = {
        name: f"{_within('i', year)} * {_within('j', year)}"
        for name, year in (("head", since), ("tail", until))
    }
    shares = year_shares(store, selection, source, ends, years=(since, until))
    of = shares.sums
    products = shares.has_first * of["head"] + shares.has_last * of["tail"]
    products += shares.between * QUARTERS_A_YEAR * of["n"]
    return {key: product for key, (product,) in shares.rows(products)}


def _within(alias: str, year: str) -> str:
    """The time of a device within a calendar year that holds some of it."""
    return (
        f"CASE WHEN {year} = {alias}.first_year THEN {alias}.first_quarters"
        f" WHEN {year} = {alias}.last_year THEN {alias}.last_quarters ELSE {QUARTERS_A_YEAR} END"
    )


def _of_later(expression: str) -> str:
    """The same of the later device of a pair."""
    return expression.replace("i.", "j.")


def read_time(
    source: Source, found: Mapping[str, NDArray[Any]], units: int
) -> dict[Key, ClusterTime]:
    rows = zip(*(found[name].tolist() for name in ("amount", "squares", "clusters")), strict=True)
    sums = (ClusterTime(t / units, t2 / units**2, int(n or 0)) for t, t2, n in rows)
    return dict(zip(source.keys(found), sums, strict=True))


def read_events(
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
