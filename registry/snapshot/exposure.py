"""Denominators: device time, procedures and refills of the implants in each row."""

from dataclasses import dataclass

from registry.snapshot.counting import KEYS_OF, PROCEDURES, Sums, read_sums
from registry.snapshot.schema import column
from registry.snapshot.selected import devices_of
from registry.snapshot.selection import Selection
from registry.snapshot.statement import Key, Source, greatest_of, least_of, outer, whole
from registry.snapshot.store import Store
from registry.snapshot.years import year_shares

QUARTERS = 4
"""Device time is kept in quarters of a month."""

MONTHS = "months"
"""The quantity of a denominator that is device time; the others are `procedures`, `refills`."""


@dataclass(frozen=True, slots=True)
class Given:
    """What devices give to a denominator: months, procedures or refills; and which they are."""

    amount: float
    devices: Sums

    def __add__(self, other: "Given") -> "Given":
        return Given(self.amount + other.amount, self.devices + other.devices)


def exposure(
    store: Store,
    selection: Selection,
    *,
    clock: str | None,
    quantity: str = MONTHS,
    keyed: bool = False,
) -> dict[Key, Given]:
    """What the implants of each row give; by shared groupings. No clock: either component.

    Rows hold every device that was followed at any of their time, those followed for no time too.
    keyed: with the sums of the devices' keys.
    """
    if is_by_year(selection, quantity):
        return _by_year(store, selection, clock=clock, keyed=keyed)
    source, amount = amounts_of(store, selection, clock=clock, quantity=quantity)
    high, low = KEYS_OF["device_no"]
    halves = [whole(f"i.{high}", "high"), whole(f"i.{low}", "low")] if keyed else []
    if keyed and selection.spans:  # a device may have time in several spans of a row
        once = [f"min(i.{high}) AS high", f"min(i.{low}) AS low"]
        inner = source.select(f"sum({amount}) AS amount", *once, by=["i.device_no"])
        halves = [whole("high", "high"), whole("low", "low")]
        statement = outer(inner, source.names, "count(*) AS n", *halves, whole("amount", "amount"))
    else:
        statement = source.select("count(*) AS n", *halves, whole(amount, "amount"))
    found = store.run(statement)
    amounts = (found["amount"] / units_of(quantity)).tolist()
    sums = read_sums(source, found)
    return {
        key: Given(float(total), devices)
        for (key, devices), total in zip(sums.items(), amounts, strict=True)
        if devices.n
    }


def is_by_year(selection: Selection, quantity: str) -> bool:
    """Whether device time is split by calendar years alone, which takes no join."""
    return quantity == MONTHS and selection.splits_years and not selection.spans


PARTS = 128
"""Procedures and refills are counted in so many parts, so that they can be spread over time.

A power of two: sums of them are exact in floating point, whatever their order.
"""


def units_of(quantity: str) -> int:
    """How many of the counted units are one month, procedure or refill."""
    return QUARTERS if quantity == MONTHS else PARTS


def amounts_of(
    store: Store, selection: Selection, *, clock: str | None, quantity: str
) -> tuple[Source, str]:
    """The devices that contribute to a denominator, and an expression for what each gives."""
    source = devices_of(selection, store.codes, component=clock)
    if quantity == MONTHS:
        return source, source.time
    name = f"i.{column('implants', quantity).name}"
    source.require(f"{name} IS NOT NULL")
    if not selection.is_timed:
        return source, f"({PARTS} * CAST({name} AS BIGINT))"
    return source, _in_time(source, quantity, name)


def _in_time(source: Source, quantity: str, name: str) -> str:
    """The procedures or refills of a device that lie in the time of its row, in parts.

    What is not at the start or the end of its device time is spread evenly between: so many up to
    a moment, rounded to whole parts, less those up to an earlier one. So the rows of a device make
    up all that it gives, to the last part.
    """
    start, end = "i.time_from", "i.time_to"
    since, until = greatest_of(source.starts), least_of(source.ends)
    spread, dated = name, ""
    if quantity == PROCEDURES:
        at_start = f"i.{column('implants', 'procedures_at_start').name}"
        at_end = f"i.{column('implants', 'procedures_at_end').name}"
        spread = f"({name} - {at_start} - {at_end})"
        dated = (
            f" + CASE WHEN {since} <= 0 AND {until} > 0 THEN {PARTS} * {at_start} ELSE 0 END"
            f" + CASE WHEN {since} < {end} AND {until} >= {end} THEN {PARTS} * {at_end} ELSE 0 END"
        )

    def up_to(moment: str) -> str:
        within = f"(least(greatest({moment}, {start}), {end}) - {start})"
        halves = f"(CAST({2 * PARTS} * {spread} AS BIGINT) * {within} + {end} - {start})"
        whole_parts = f"CAST(({halves} - {halves} % (2 * ({end} - {start})))"
        return f"{whole_parts} / (2 * ({end} - {start})) AS BIGINT)"

    shares = f"({up_to(until)} - {up_to(since)})"
    return f"(CASE WHEN {end} > {start} AND {until} > {since} THEN {shares}{dated} ELSE 0 END)"


def present(store: Store, selection: Selection) -> list[Key]:
    """The rows in which any device was followed, on either clock; by shared groupings."""
    if is_by_year(selection, MONTHS):
        source = devices_of(selection, store.codes, component=None, by_year=False)
        shares = year_shares(store, selection, source, {})
        return list(dict.fromkeys(key for key, _ in shares.rows()))
    source = devices_of(selection, store.codes, component=None)
    return source.keys(store.run(source.select("count(*) AS n")))


def _by_year(
    store: Store, selection: Selection, *, clock: str | None, keyed: bool
) -> dict[Key, Given]:
    high, low = KEYS_OF["device_no"]
    keys = {"high": f"i.{high}", "low": f"i.{low}"} if keyed else {}
    sums = {"head": "i.first_quarters", "tail": "i.last_quarters", **keys}
    source = devices_of(selection, store.codes, component=clock, by_year=False)
    shares = year_shares(store, selection, source, sums)
    of = shares.sums
    quarters = shares.has_first * of["head"] + shares.has_last * of["tail"]
    quarters += shares.between * of["n"]
    found: dict[Key, Given] = {}
    for key, (total, *devices) in shares.rows(quarters, *(of[name] for name in ("n", *keys))):
        own, before = Given(total / QUARTERS, Sums(*devices)), found.get(key)
        found[key] = own if before is None else before + own
    return found
