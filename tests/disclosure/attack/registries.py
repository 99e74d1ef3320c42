"""A synthetic registry in the database, its releases, and the door that a researcher comes by."""

import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.http import HttpResponse
from rest_framework.test import APIClient

from registry.models import Event, Implant, Snapshot, Token, User, sealed
from registry.snapshot.manifest import Manifest
from registry.vocabulary import NOT_RECORDED, TokenScope
from tests.disclosure.attack.planting import Planted, copy_of, store
from tests.disclosure.attack.servers import Reply, registry_trees
from tests.disclosure.attack.truth import Truth

API = "/api/v1/"
SITES = 12
Cell = Mapping[str, str]


class RefusedOutright(RuntimeError):
    """The server failed or threw the attacker out: nothing that follows would mean anything."""


@dataclass
class Door:
    """The registry's own address, asked with a researcher's token. unit: what its counts count."""

    client: APIClient
    key: str
    unit: str = "patients"

    def get(self, address: str, asked: Mapping[str, Any] | None = None) -> HttpResponse:
        """One request, through addresses, authentication and renderers."""
        response: HttpResponse = self.client.get(f"{API}{address}", asked or {})
        if response.status_code in {401, 429} or response.status_code >= 500:
            raise RefusedOutright(f"{address} answered {response.status_code}")
        return response

    def reply(self, measure: str, asked: Mapping[str, str]) -> Reply:
        response = self.get(f"statistics/{measure}/", asked)
        body = response.json() if response.content else {}
        if response.status_code == 200:
            return Reply(200, body["rows"])
        faults = body.get("errors") or [{}]
        return Reply(response.status_code, code=str(faults[0].get("code", "")))

    def dimensions(self) -> Sequence[Mapping[str, Any]]:
        found: list[dict[str, Any]] = self.get("statistics/dimensions/").json()["results"]
        return found


def fill(*, events: int, seed: int) -> None:
    """Put one synthetic registry into an empty database."""
    call_command("generate", events=events, sites=SITES, seed=seed, stdout=StringIO())


def release(label: str) -> Path:
    """Publish what the database holds; the folder of its rows."""
    call_command("freeze", release=label, stdout=StringIO())
    found = Snapshot.objects.get(label=label)
    return Path(settings.REGISTRY_VAR) / "snapshots" / found.snapshot_id


def sites_with_implants() -> str:
    """The sites whose devices protected rates count, as a filter; others declare device time."""
    return ",".join(sorted(set(Implant.objects.values_list("site__code", flat=True))))


def door_with(key: str) -> Door:
    """Come in with a token's key."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
    return Door(client, key)


def door_of(name: str, *roles: str) -> Door:
    """A person with these roles, and a token that may do all that he or she may."""
    user = User.objects.filter(username=name).first()
    if user is None:
        user = User.objects.create_user(name, password=uuid.uuid4().hex)
        with sealed(by=None, action="make-user") as seal:
            user.set_roles(roles, seal=seal)
    scopes = frozenset(map(TokenScope, TokenScope.codes()))
    _token, key = Token.objects.create(user=user, scopes=scopes)
    return door_with(key)


def trees_of(folder: Path) -> dict[str, Any]:
    """The trees of what a release offers."""
    manifest = Manifest.read(folder)
    return registry_trees(manifest.years or (2000, 2000), sorted(manifest.terms.sites))


@dataclass
class Planter:
    """Somebody at a site who reports patients that he made up, into cells of his choice."""

    seed: int = 1
    planted: list[Implant] = field(default_factory=list)
    _templates: dict[str, Event] = field(default_factory=dict)

    def plant(self, cells: Sequence[Cell]) -> None:
        """One patient with one device and one event in each of the cells.

        A cell names a category, and what else it names is of the patient or of the device.
        """
        made = [self._made(cell) for cell in cells]
        store(made)
        self.planted = [implant for _patient, implant, _event in made]

    def _made(self, cell: Cell) -> Planted:
        made = copy_of(self._template(cell["category"]))
        for row in made:
            held = {each.attname for each in row._meta.concrete_fields}
            for name, value in cell.items():
                if name != "category" and name in held:
                    setattr(row, name, "" if value == NOT_RECORDED else value)
        for name in ("sex", "drug", "indication", "age_band", "pump_model", "catheter_model"):
            setattr(made[-1], name, "")
        return made

    def _template(self, category: str) -> Event:
        if category not in self._templates:
            known = list(
                Event.objects.accepted()
                .actual()
                .filter(
                    complication__category=category,
                    complication__in_totals=True,
                    implant__isnull=False,
                )
                .order_by("pk")
                .select_related("implant", "patient")[:200]
            )
            self._templates[category] = random.Random(self.seed).choice(known)
        return self._templates[category]


def releases(
    planter: Planter, folder_of: dict[str, Truth], plans: Sequence[tuple[str, Sequence[Cell]]]
) -> Iterator[str]:
    """Plant, publish and read, one release after another."""
    for label, cells in plans:
        planter.plant(cells)
        folder_of[label] = Truth.read(release(label))
        yield label
