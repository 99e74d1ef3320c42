"""Attack B: what is said besides numbers: refusals, lists, headers, and the time it takes."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from django.core.cache import cache
from django.http import HttpResponse
from django.test.utils import override_settings

from registry.reporting import MEASURES
from tests.disclosure.attack.asking import Asker
from tests.disclosure.attack.attacks import Names
from tests.disclosure.attack.registries import Door
from tests.disclosure.attack.truth import DEVICE_SIDE, Truth

Cells = Sequence[Mapping[str, str]]
ABOUT_THE_QUESTION = {"title", "receipt"}
REFUSED = (
    ("counts", {"group_by": "category,sex,drug", "outcome": "fatal"}),
    ("counts", {"group_by": "site,drug"}),
    ("counts", {"group_by": "site,complication"}),
    ("counts", {"severity": "1,2"}),
    ("counts", {"complication": "catheter-kink,catheter-migration"}),
    ("counts", {"counting": "events"}),
    ("counts", {"counting": "episodes"}),
    ("counts", {"window": "0-6"}),
    ("counts", {"group_by": "window,severity"}),
    ("counts", {"state": "draft"}),
    ("counts", {"actuality": "near-miss"}),
    ("counts", {"implant_year": "2015"}),
    ("counts", {"country": "PT"}),
    ("counts", {"intervention": "pump-replacement", "group_by": "severity"}),
    ("counts", {"seriousness": "death", "year": "2016"}),
    ("counts", {"relatedness_device": "probable"}),
    ("counts", {"detection": "alarm"}),
    ("counts", {"year_min": "2016", "year_max": "2018"}),
    ("counts", {"drug": "morphin"}),
    ("counts", {"site": "SITE-99"}),
    ("counts", {"grup_by": "sex"}),
    ("counts", {"ordering": "n"}),
    ("rates", {"counting": "events"}),
    ("rates", {"group_by": "complication,pump_model,indication"}),
    ("proportions", {"counting": "devices"}),
    ("coverage", {}),
    ("burden", {}),
    ("comparison", {"adjust": "age_band"}),
    ("comparison", {"cluster": "site"}),
    ("comparison", {"reference": "SITE-99", "group_by": "site"}),
    ("comparison", {"reference": "others", "group_by": "year"}),
    ("comparison", {"reference": "others", "group_by": "window"}),
    ("comparison", {"reference": "others", "group_by": "drug", "drug": "morphine,baclofen"}),
    ("comparison", {"reference": "others", "group_by": "drug", "category": "withdrawal"}),
    ("comparison", {"reference": "others", "adjust": "age_band"}),
    ("incidence", {"sex": "female,male"}),
    ("cascades", {"group_by": "category", "sex": "male"}),
    ("survival", {"ci": "plain"}),
    ("survival", {"group_by": "severity"}),
    ("survival", {"sex": "female,male"}),
    ("survival", {"complication": "death"}),
    ("survival", {"year": "2016"}),
    ("survival", {"implant_year": "2016"}),
)
"""Questions that a researcher should be refused, or answered alike, whatever there is."""

USUAL_TICK = 50
WITHHELD = tuple(measure.value for measure, spec in MEASURES.items() if not spec.published)
ROW_ADDRESSES = ("events/", "patients/", "implants/", "exposures/")

ANEW = {"Date", "Expires", "RateLimit-Remaining", "RateLimit-Reset"}
"""Headers of the moment: the time, when every reply expires, and how often this caller asked."""


def unequal_refusals(door: Door, one: str, other: str) -> list[str]:
    """Questions whose refusal differs between two releases of different data, in any byte."""
    found = []
    for measure, asked in REFUSED:
        first, second = (
            door.get(f"statistics/{measure}/", {**asked, "release": label})
            for label in (one, other)
        )
        if first.status_code == second.status_code == 200:
            continue
        if _said(first) != _said(second):
            found.append(f"{measure} {sorted(asked)}")
    return found


def _said(response: HttpResponse) -> tuple[object, ...]:
    headers = {name: value for name, value in response.items() if name not in ANEW}
    return response.status_code, response.content, tuple(sorted(headers.items()))


def rows_that_differ(asker: Asker, one: str, other: str) -> list[str]:
    """Groupings whose rows differ between two releases: rows must not follow the data."""
    found = []
    for name in asker.offered():
        first, second = (
            asker.server.reply("counts", {"group_by": name, "release": label}).rows
            for label in (one, other)
        )
        if [row[name] for row in first] != [row[name] for row in second]:
            found.append(name)
    return found


def cells_by_truth(
    asker: Asker, truth: Truth, names: Names, wanted: Sequence[int], *, release: str
) -> Iterator[Mapping[str, str]]:
    """Cells of a release that truly hold one of these numbers and are hidden, in its order."""
    axes = {name: asker.axis(name) for name in names}
    table = asker.table(names, release=release)
    if table is None:
        return
    sizes = truth.counted(axes, unit=asker.server.unit)
    for index in np.argwhere(np.isin(sizes, wanted) & np.isnan(table.values)):
        yield {name: axes[name][place] for name, place in zip(names, index, strict=True)}


def told_apart(door: Door, zeros: Cells, small: Cells) -> bool:
    """Whether the way in which a cell is said to be hidden tells anything of its count.

    Everything is compared but what repeats the question; some warnings belong to a category. A
    cell may be hidden for want of people behind it, whatever happened to them: so the way is one
    for each category and reason, and the reason is one for all events of the same people.
    """
    ways: dict[tuple[str, str], set[str]] = {}
    reasons: dict[tuple[tuple[str, str], ...], set[str]] = {}
    for cell in (*zeros, *small):
        reason, said = _without_question(door, cell)
        ways.setdefault((cell["category"], reason), set()).add(said)
        people = tuple(sorted(each for each in cell.items() if each[0] in DEVICE_SIDE))
        reasons.setdefault(people, set()).add(reason)
    return any(len(each) > 1 for each in (*ways.values(), *reasons.values()))


def _without_question(door: Door, cell: Mapping[str, str]) -> tuple[str, str]:
    """Why a cell is hidden, and all that its reply says."""
    response = door.get("statistics/counts/", cell)
    body: dict[str, Any] = response.json()
    meta = {name: v for name, v in body["meta"].items() if name not in ABOUT_THE_QUESTION}
    headers = sorted(name for name, _value in response.items())
    (row,) = body["rows"]
    reason = f"{row['status']} {row.get('reason')}"
    return reason, json.dumps([response.status_code, meta, body["columns"], row, headers])


def timing(door: Door, zeros: Cells, small: Cells) -> float:
    """How well the time of an answer tells an empty cell from a small one: 0.5 is not at all.

    The chance that a small cell took longer than an empty one, cold, in random order, at the tick
    that a deployment has unless it sets another.
    """
    order = [(cell, False) for cell in zeros] + [(cell, True) for cell in small]
    chance = np.random.default_rng(1)
    taken: dict[bool, list[float]] = {False: [], True: []}
    for place in chance.permutation(len(order)):
        cell, is_small = order[place]
        cache.clear()
        began = time.perf_counter()
        with override_settings(REGISTRY_ANSWER_TICK_MS=USUAL_TICK):
            door.get("statistics/counts/", cell)
        taken[is_small].append(time.perf_counter() - began)
    slower = np.array(taken[True])[:, None] > np.array(taken[False])[None, :]
    return float(slower.mean()) if slower.size else 0.5


def rows_reached(door: Door) -> list[str]:
    """Addresses of rows that answer a researcher with any row or any total."""
    found = []
    for address in ROW_ADDRESSES:
        response = door.get(address)
        if response.status_code == 200:
            body = response.json()
            if body.get("results") or set(body) - {"results", "next"}:
                found.append(address)
    for measure in WITHHELD:
        response = door.get(f"statistics/{measure}/", {"group_by": "category"})
        if response.status_code == 200 and any(
            row.get("events") or row.get("n") for row in response.json()["rows"]
        ):
            found.append(f"statistics/{measure}/")
    sizes = {"events", "implants", "exposures"}
    if any(sizes & set(row) for row in door.get("snapshots/").json()["results"]):
        found.append("snapshots/")
    return found
