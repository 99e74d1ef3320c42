"""Rates by site as clusters: sites differ in patients, habits and zeal, and limits allow for it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from registry.records import Cell
from registry.reporting.asking.question import EACH
from registry.reporting.asking.spec import Part, Question, Row
from registry.reporting.estimating.first_sums import FirstSums, device_time
from registry.reporting.estimating.found import Found
from registry.snapshot.counting import matched
from registry.snapshot.declared import declared, declared_events
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.statistics.rates import (
    FEWEST_SITES,
    ClusterSums,
    quasi_poisson_interval,
    site_dispersion,
)
from registry.vocabulary import NOT_RECORDED

SITES, PATIENTS, NOTHING = "sites", "patients", "nothing"
DISPERSIONS = ("dispersion", "dispersion_sites", "dispersion_declared")
"""What the limits of a row are robust to."""


def has_sites_enough(store: Store, question: Question, part: Part) -> bool:
    """Whether rows have sites enough to say how they differ; rows that are of sites have one."""
    asked = question.query.values("site") or list(filter(None, store.codes.lists["site"]))
    return "site" not in part.selection.group_by and len(asked) >= FEWEST_SITES


def sums_by_site(
    store: Store, question: Question, part: Part, firsts: FirstSums | None
) -> dict[Key, ClusterSums]:
    """The sums over sites of each row's events and time.

    firsts: the sums of first events by site, where these are what is counted.
    """
    selection = part.selection.by_site()
    asks = {"clock": part.clock or "", "quantity": part.quantity}
    events: dict[Key, int] = {}
    after: dict[Key, float] = {}
    each = EACH.get(question.counting, "event_no")
    if firsts is not None:
        time = dict(firsts.time)
        events = {key: each.owners.n for key, each in firsts.firsts.items()}
        after = {key: each.months_after for key, each in firsts.firsts.items()}
    else:
        time = device_time(store, part, selection)
        for key, sums in matched(store, selection, each=each, **asks).items():
            events[key] = events.get(key, 0) + sums.n
    if question.takes_declared:
        for key, given in declared(store, selection, **asks).items():
            time[key] = time.get(key, 0.0) + given.amount
        for key, found in declared_events(store, selection, each=each, **asks).items():
            events[key] = events.get(key, 0) + found.n
    rows: dict[Key, dict[Cell, tuple[int, float]]] = {}
    for key, n in events.items():
        rows.setdefault(key[:-1], {})[key[-1]] = n, after.get(key, 0.0)
    sites: dict[Key, dict[Cell, float]] = {}
    for key, amount in time.items():
        sites.setdefault(key[:-1], {})[key[-1]] = amount
    return {
        row: _sums(sites.get(part.selection.shared_key(row), {}), found)
        for row, found in rows.items()
        if any(n for n, _after in found.values())
    }


def _sums(time: Mapping[Cell, float], events: Mapping[Cell, tuple[int, float]]) -> ClusterSums:
    """The sums of one row: a site counts where it has time or events.

    time: by site. events: by site, with the time after first events, which is not at risk.
    """
    sites = dict.fromkeys((*time, *events))
    none = (0, 0.0)
    return ClusterSums.of(
        [events.get(site, none)[0] for site in sites],
        [max(time.get(site, 0.0) - events.get(site, none)[1], 0.0) for site in sites],
    )


def robust_to_sites(
    row: Found, sums: ClusterSums | None, per: float, level: float, only: str | None = None
) -> Found:
    """A rate with limits as wide as its sites ask for, where that is wider.

    only: `patient` for limits that leave sites out, `site` for those of sites alone; of too few
    sites there are none, and the limits stay those of patients.
    """
    numbers = dict(row.numbers)
    clustered = numbers.get("dispersion")
    within = clustered or numbers.get("dispersion_declared")
    wide: Cell = None if sums is None else site_dispersion(sums, level=level)
    robust = NOTHING if clustered is None else PATIENTS
    is_wider = wide is not None and (only == "site" or float(wide) > float(within or 1.0))
    if is_wider and only != "patient":
        events, time = float(numbers["events"] or 0), float(numbers["exposure"] or 0.0)
        lower, upper = quasi_poisson_interval(events, time, float(wide or 1.0), level=level)
        numbers["ci_lower"] = None if lower is None else lower * per
        numbers["ci_upper"] = None if upper is None else upper * per
        robust = SITES
    numbers |= {"dispersion_sites": wide, "robust_to": robust}
    return replace(row, numbers=numbers)


def clusters_of(rows: Iterable[Found | Row], question: Question) -> list[dict[str, Cell]]:
    """For each row with a dispersion: by patients, by ten sites or more, and what limits allow for.

    Both are of n clusters with the factor n / (n - 1); that by sites allows for their number too.
    """
    return [
        {
            **{
                name: NOT_RECORDED if value in ("", None) else value
                for name, value in zip(question.query.group_by, row.key, strict=True)
            },
            "dispersion_patients": row.numbers.get("dispersion"),
            "dispersion_declared": row.numbers.get("dispersion_declared"),
            "dispersion_sites": row.numbers["dispersion_sites"],
            "robust_to": row.numbers["robust_to"],
        }
        for row in rows
        if any(row.numbers.get(name) is not None for name in DISPERSIONS)
    ]
