"""Persons between releases of the registry itself: its own database, freezes, and addresses.

The rows of both worlds of a pair lie in the database; an absent record waits for review. So three
releases, of the past and of either world, are asked over HTTP with a researcher's token.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import numpy as np
from django.core.management import call_command
from django.db import transaction

from registry.disclosure.trees import WINDOWS
from registry.keys import make_keys
from registry.models import Complication, Event, Implant, Site
from registry.vocabulary import NOT_RECORDED, Component, Intervention, State
from tests.disclosure.attack.asking import Asker
from tests.disclosure.attack.designs import Names, Values
from tests.disclosure.attack.naming import Newcomers
from tests.disclosure.attack.paired import Persons
from tests.disclosure.attack.persons import (
    AFTER,
    BEFORE,
    BY_ALL,
    OTHERWISE,
    PLAIN,
    Change,
    Pair,
    Seen,
    look,
    pairs,
)
from tests.disclosure.attack.planting import copy_of, store
from tests.disclosure.attack.registries import Door, door_of, fill
from tests.disclosure.attack.worlds import PAIRS, Labels, World, window_of, world_of

Reader = Callable[[Mapping[str, Any]], tuple[tuple[str, ...], float | None]]
OF_PUMP = ("pump_model", "pump_site", "pump_plane")

RECORD = "record"
"""The column that says which event in the database a record is: its primary key."""


def world_of_database() -> World:
    """All accepted events of known patients; only patients with one pump are plain to describe."""
    rows = (
        Event.objects.accepted()
        .actual()
        .filter(patient__isnull=False)
        .order_by("pk")
        .values(
            "pk",
            "patient_id",
            "year",
            "severity",
            "outcome",
            "complication__code",
            "site__code",
            "months_since_implant",
            "interventions",
            "caused_by__complication__code",
            "patient__sex",
            "patient__indication",
            "implant__drug",
            "implant__age_band",
            "implant__procedure",
        )
    )
    pumps: dict[int, list[dict[str, str]]] = {}
    for pump in Implant.objects.filter(component=Component.PUMP).values("patient_id", *OF_PUMP):
        pumps.setdefault(pump.pop("patient_id"), []).append(pump)
    kept = list(rows)
    plain = [
        row["implant__drug"] is not None and len(pumps.get(row["patient_id"], ())) == 1
        for row in kept
    ]
    found = {
        "complication": [row["complication__code"] for row in kept],
        "site": [row["site__code"] for row in kept],
        "sex": [row["patient__sex"] or NOT_RECORDED for row in kept],
        "indication": [row["patient__indication"] or NOT_RECORDED for row in kept],
        "cause": [row["caused_by__complication__code"] or NOT_RECORDED for row in kept],
        "window": [window_of(row["months_since_implant"]) for row in kept],
    }
    for name in OF_PUMP:
        own = [pumps.get(row["patient_id"], [{name: ""}])[0][name] for row in kept]
        found[name] = [value or NOT_RECORDED for value in own]
    for name in ("drug", "age_band", "procedure"):
        found[name] = [row[f"implant__{name}"] or NOT_RECORDED for row in kept]
    for name in ("year", "severity", "outcome"):
        found[name] = [str(row[name] or NOT_RECORDED) for row in kept]
    return world_of(
        found,
        interventions=[_packed(row["interventions"]) for row in kept],
        patient=np.array([row["patient_id"] for row in kept], np.int64),
        columns={
            PLAIN: np.array(plain, np.int64),
            RECORD: np.array([row["pk"] for row in kept], np.int64),
        },
    )


def _packed(codes: Collection[str] | None) -> int:
    return sum(Intervention(code).bit for code in codes or ())


@dataclass
class Published:
    """The registry's answers as tables along a world's labels. labels: of its releases."""

    asker: Asker
    labels: Mapping[str, Labels]
    releases: Mapping[str, str]
    _kept: dict[tuple[Names, str], Values | None] = field(default_factory=dict)

    def table(self, names: Names, release: str) -> Values | None:
        if (names, release) not in self._kept:
            self._kept[names, release] = self._asked(names, release)
        return self._kept[names, release]

    def _asked(self, names: Names, release: str) -> Values | None:
        if set(names) in ({"complication", "site"}, *PAIRS) or "wide_window" in names:
            return self._otherwise(names, self.releases[release])
        table = self.asker.table(names, release=self.releases[release])
        if table is None:
            return None
        shown = table.values
        for axis, name in enumerate(names):
            place = {label: at for at, label in enumerate(self.asker.axis(name))}
            order = np.array([place.get(label, -1) for label in self.labels[name]])
            blank = np.full((*shown.shape[:axis], 1, *shown.shape[axis + 1 :]), np.nan)
            shown = np.concatenate([shown, blank], axis=axis).take(order, axis=axis)
        return shown

    def _otherwise(self, names: Names, release: str) -> Values | None:
        """What stands in no table of counts by these names: groups of windows, what funnels tell
        by complication (of first events, a patient or device once), and cascades."""
        cells: list[tuple[tuple[str, ...], float | None]] = []
        for asked, read in self._askings(names):
            measure = asked.pop("measure", "counts")
            reply = self.asker.server.reply(measure, {**asked, "release": release})
            self.asker.requests += 1
            if reply.status != 200:
                return None
            cells += [read(row) for row in reply.rows]
        shown = np.full([len(self.labels[name]) for name in names], np.nan)
        places = [{label: at for at, label in enumerate(self.labels[name])} for name in names]
        for labels, told in cells:
            at = tuple(place.get(label, -1) for place, label in zip(places, labels, strict=True))
            if told is not None and -1 not in at:
                shown[at] = told
        return shown

    def _askings(self, names: Names) -> Iterator[tuple[dict[str, str], Reader]]:
        if set(names) == {"complication", "site"}:
            for code in self.labels["complication"]:
                said = {"complication": code}
                yield {"measure": "funnel", **said}, _reader(names, "events", said)
        elif set(names) in PAIRS:
            level = "complication" if "complication" in names else "category"
            asked = {"measure": "cascades", "group_by": level}
            wanted = {"cause": "cause", "cause_category": "cause"}
            yield asked, _reader(tuple(wanted.get(name, "effect") for name in names), "n", {})
        else:
            asked = {"group_by": ",".join("window" if n == "wide_window" else n for n in names)}
            asked["window"] = ",".join(dict.fromkeys(WINDOWS.values()))
            yield asked, _reader(tuple(asked["group_by"].split(",")), "n", {})


def _reader(names: Names, column: str, said: Mapping[str, str]) -> Reader:
    """From a row to its labels, of which some were said in asking, and its number."""

    def read(row: Mapping[str, Any]) -> tuple[tuple[str, ...], float | None]:
        return tuple(str(said.get(name) or row[name]) for name in names), row[column]

    return read


def filled(*, events: int, seed: int) -> Door:
    """Fill an empty database with a synthetic registry; a researcher's way in."""
    call_command("migrate", verbosity=0)
    make_keys()
    fill(events=events, seed=seed)
    return door_of("researcher", "researcher")


def collect_published(
    door: Door,
    *,
    seed: int,
    changes: Mapping[str, Change],
    many: int,
    known: frozenset[str] = BY_ALL,
    newcomers: bool = True,
) -> Persons:
    """Look at the registry in the database, which is afterwards as it was before.

    newcomers: whether their attributes are asked for as well, in large tables.
    """
    found = Persons(known)
    world = world_of_database()
    for place, (said, change) in enumerate(changes.items()):
        seen: dict[str, list[Seen]] = {}
        came = []
        for number, pair in enumerate(pairs(world, change, seed=100 * seed + place, many=many)):
            with transaction.atomic():
                releases = {
                    release: publish(pair, release, f"p{place}-{number}-{release}")
                    for release in (BEFORE, AFTER, OTHERWISE)
                }
                server = Published(Asker(door), world.labels, releases)
                for kind, each in look(server, pair, known).items():
                    seen.setdefault(kind, []).append(each)
                if newcomers:
                    came.append(Newcomers.of(server, pair.worlds))
                transaction.set_rollback(True)
        found.seen[said] = {kind: Seen.joined(each) for kind, each in seen.items()}
        if newcomers:
            found.newcomers[said] = came
    return found


def publish(pair: Pair, release: str, label: str) -> str:
    """Make the database hold what the world holds, and publish it; the label."""
    here = pair.worlds[release]
    everybody = {
        record for world in pair.worlds.values() for record in world.columns[RECORD].tolist()
    }
    changed = set(pair.person.columns[RECORD].tolist())
    if release == BEFORE:
        _plant(pair)
    present = set(here.columns[RECORD].tolist())
    for records, state in ((present, State.ACCEPTED), (everybody - present, State.SUBMITTED)):
        for some in _in_runs(sorted(records)):
            Event.objects.filter(pk__in=some).update(state=state)
    codes = dict(Complication.objects.values_list("code", "pk"))
    for record, code in zip(
        here.columns[RECORD].tolist(), here.columns["complication"].tolist(), strict=True
    ):
        if record in changed:
            name = here.labels["complication"][code]
            Event.objects.filter(pk=record).update(complication_id=codes[name])
    call_command("freeze", release=label, whole=True, early=True, stdout=StringIO())
    return label


def _in_runs(records: list[int], most: int = 500) -> Iterator[list[int]]:
    for start in range(0, len(records), most):
        yield records[start : start + most]


def _plant(pair: Pair) -> None:
    """Put in the invented patients, each like the event that its record was copied from."""
    planted = pair.planted
    if planted is None or not len(planted):
        return
    models = Event.objects.in_bulk(planted.columns[RECORD].tolist())
    sites = dict(Site.objects.values_list("code", "pk"))
    made = []
    for record, site in zip(
        planted.columns[RECORD].tolist(), planted.columns["site"].tolist(), strict=True
    ):
        copies = copy_of(models[record])
        for row in copies:
            if hasattr(row, "site_id"):
                row.site_id = sites[planted.labels["site"][site]]
        copies[-1].state = State.ACCEPTED
        made.append(copies)
    store(made)
