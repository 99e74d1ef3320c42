"""Exposure that sites declare instead of implants, and its events: a site's year is a cluster."""

from registry.snapshot.clusters import ClusterEvents, ClusterTime, read_events, read_time
from registry.snapshot.exposure import MONTHS
from registry.snapshot.followed import IN_DECLARED
from registry.snapshot.procedures import WITHIN_90_DAYS
from registry.snapshot.schema import column
from registry.snapshot.selected import events_of, exposures_of
from registry.snapshot.selection import Selection
from registry.snapshot.statement import Key, Piece, Source, outer, whole
from registry.snapshot.store import Store


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
    return read_time(source, store.run(statement), 1)


def declared_rows(store: Store, selection: Selection) -> list[Key]:
    """The rows for which sites declared any exposure, on either clock; by shared groupings."""
    source = exposures_of(selection, store.codes, component=None)
    if source is None:
        return []
    return source.keys(store.run(source.select("count(*) AS n")))


def declared_events(
    store: Store, selection: Selection, *, clock: str, each: str, quantity: str = MONTHS
) -> dict[Key, ClusterEvents]:
    """The events that fall in a site's year of declared exposure.

    They name no implant, or one whose time the site had declared then. An episode that goes on
    into another year is of the first.
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
    source.require_code("e", f"{clock}_time", "", IN_DECLARED)
    where = column("events", f"{clock}_time").name
    source.require(f"(e.device_no IS NULL OR e.{where} <> 0)")
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
    return read_events(source, store.run(_products(joined, source)), 1)


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
