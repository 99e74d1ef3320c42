"""What is told beside the numbers: nothing changes with a record that no shown number has.

One registry is published, a patient is planted in a hidden cell, and it is published again: what is
hidden both times must be told alike to the byte. And what nobody has published must not show.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.test.utils import override_settings

from registry.models import Event, User
from registry.vocabulary import State
from tests.disclosure.attack.registries import Door, Planter, door_of, fill, release

pytestmark = pytest.mark.django_db

NAMES = ("category", "drug")
MEASURES = ("counts", "rates", "proportions")
PLANTED = {"catheter", "pump", "infection", "surgical"}  # their events name a device
ABOUT_THE_RELEASE = {"snapshot", "data_as_of", "receipt", "completeness"}
"""The release's own: completeness is of all its devices, whichever cell is asked for."""
PAGES = (
    "/",
    "/dashboard/",
    "/dashboard/explore/",
    "/dashboard/explore/?measure=counts&group_by=category",
    "/dashboard/explore/?measure=rates&group_by=drug&category=catheter",
    "/complications/catheter-kink/",
    "/complications/pump-flip/",
    "/tokens/",
)
ANSWERS = (
    "statistics/dimensions/",
    "statistics/counts/?group_by=category",
    "statistics/rates/?group_by=complication",
    "statistics/coverage/",
    "snapshots/",
    "sites/",
    "complications/",
    "categories/",
    "codelists/",
    "patients/",
    "implants/",
    "exposures/",
    "events/",
    "events/?ordering=-year&limit=1",
    "schema/",
)
ADMIN = (
    "/admin/",
    "/admin/registry/event/",
    "/admin/registry/event/?state=accepted",
    "/admin/registry/patient/",
    "/admin/registry/implant/",
    "/admin/registry/exposure/",
    "/admin/registry/snapshot/",
    "/admin/registry/accesslog/",
    "/admin/registry/seal/",
    "/admin/registry/complication/",
    "/admin/upload/",
)


@dataclass(frozen=True)
class Published:
    """Two releases that differ by a patient in each of some cells that both hide, by measure."""

    door: Door
    browser: Client
    cells: Mapping[str, Mapping[str, str]]
    status: str

    @property
    def cell(self) -> Mapping[str, str]:
        return self.cells["counts"]


def hidden_cells(door: Door, label: str, measure: str, status: str) -> set[tuple[str, ...]]:
    """Cells of one drug and of a category whose events name a device."""
    asked = {"group_by": ",".join(NAMES), "release": label}
    found = {
        tuple(row[name] for name in NAMES)
        for row in door.reply(measure, asked).rows
        if row["status"] == status
    }
    return {
        (category, drug)
        for category, drug in found
        if category in PLANTED and drug not in {"", "not-recorded"}
    }


def cells_hidden_twice(door: Door, status: str) -> dict[str, dict[str, str]]:
    """By measure a cell that release one hides, and release two with one patient more."""
    first = {measure: hidden_cells(door, "one", measure, status) for measure in MEASURES}
    planted = sorted({cell for found in first.values() for cell in sorted(found)[:12]})
    Planter(4).plant([dict(zip(NAMES, cell, strict=True)) for cell in planted])
    release("two")
    both = {
        measure: found & set(planted) & hidden_cells(door, "two", measure, status)
        for measure, found in first.items()
    }
    return {
        measure: dict(zip(NAMES, min(found), strict=True))
        for measure, found in both.items()
        if found
    }


@pytest.fixture(scope="module", params=["suppressed", "hidden"])
def published(request, django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Published]:
    """Cells that their count hides, or their population does; the database is as before.

    Noise may show every cell once its patient is there: then the registry is made anew, for its
    records have random keys.
    """
    with django_db_blocker.unblock():
        for _attempt in range(6):
            var = tmp_path_factory.mktemp("told")
            with override_settings(REGISTRY_VAR=var), transaction.atomic():
                cache.clear()
                fill(events=500, seed=4)
                release("one")
                door = door_of("researcher", "researcher")
                cells = cells_hidden_twice(door, request.param)
                if len(cells) == len(MEASURES):
                    browser = Client()
                    browser.force_login(User.objects.get(username="researcher"))
                    yield Published(door, browser, cells, request.param)
                    transaction.set_rollback(True)
                    break
                transaction.set_rollback(True)
        else:
            pytest.fail("noise showed every cell of every registry")
    cache.clear()


def asked_of(published: Published, label: str, measure: str, **more: str) -> HttpResponse:
    asked = {**published.cells[measure], "release": label, **more}
    return published.door.get(f"statistics/{measure}/", asked)


@pytest.mark.parametrize("measure", MEASURES)
def test_hidden_cell_is_told_alike_with_a_patient_more(published, measure):
    one, two = (asked_of(published, label, measure) for label in ("one", "two"))

    bodies = [response.json() for response in (one, two)]
    assert bodies[0]["rows"][0]["status"] == published.status
    assert bodies[0]["rows"] == bodies[1]["rows"]
    assert bodies[0]["columns"] == bodies[1]["columns"]
    metas = [
        {name: said for name, said in body["meta"].items() if name not in ABOUT_THE_RELEASE}
        for body in bodies
    ]
    assert metas[0] == metas[1]
    assert list(one.headers) == list(two.headers)


@pytest.mark.parametrize("label", ["one", "two"])
def test_completeness_is_the_same_beside_a_hidden_cell_and_beside_all(published, label):
    everything = published.door.get("statistics/counts/", {"release": label}).json()
    cell = asked_of(published, label, "counts").json()

    of_cell, of_all = (each["meta"]["completeness"] for each in (cell, everything))
    assert of_cell | {"not_recorded": []} == of_all


@pytest.mark.parametrize("measure", MEASURES)
def test_hidden_cell_has_the_same_file_and_the_same_length(published, measure):
    one, two = (asked_of(published, label, measure, format="csv") for label in ("one", "two"))

    assert published.status.encode() in one.content
    assert one.content == two.content
    assert [one.get("Content-Length"), one["Content-Type"]] == [
        two.get("Content-Length"),
        two["Content-Type"],
    ]


@pytest.mark.parametrize("measure", MEASURES)
def test_hidden_cell_is_drawn_alike_with_a_patient_more(published, measure):
    drawn, specified = [], []
    for label in ("one", "two"):
        meta = asked_of(published, label, measure).json()["meta"]
        plain = asked_of(published, label, measure, format="svg").content.decode()
        for own in (meta["receipt"], meta["snapshot"]["id"], meta["data_as_of"][:10]):
            plain = plain.replace(own, "")
        drawn.append(plain.replace(f"release {label}", "release"))
        spec = json.loads(asked_of(published, label, measure, format="vega").content)
        specified.append({name: said for name, said in spec.items() if name != "usermeta"})

    assert "hidden" in drawn[0]
    assert drawn[0] == drawn[1]
    said = [
        json.dumps(each).replace(f"release {label}", "")
        for each, label in zip(specified, ("one", "two"), strict=True)
    ]
    assert said[0] == said[1]


def test_tag_follows_question_and_release_alone(published):
    """Whoever knows the tag of a hidden answer knows what he asked, and no more."""
    first, again = (asked_of(published, "one", "counts") for _ in range(2))
    other = asked_of(published, "two", "counts")
    known = published.door.client.get(
        "/api/v1/statistics/counts/",
        {**published.cell, "release": "one"},
        HTTP_IF_NONE_MATCH=first["ETag"],
    )

    assert first["ETag"] == again["ETag"] != other["ETag"]
    assert (known.status_code, known.content) == (304, b"")


def test_rows_of_a_breakdown_do_not_follow_the_patient(published):
    one, two = (
        published.door.reply("counts", {"group_by": ",".join(NAMES), "release": label}).rows
        for label in ("one", "two")
    )

    assert [[row[name] for name in NAMES] for row in one] == [
        [row[name] for name in NAMES] for row in two
    ]


def bytes_of(response: HttpResponse) -> tuple[int, bytes, list[tuple[str, str]]]:
    """All that comes back, but what every page makes anew.

    The time of day, the form token, and how often the caller has asked in this minute.
    """
    body = b"".join(response) if response.streaming else response.content
    plain = re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", body)
    anew = ("Expires", "RateLimit-Remaining", "RateLimit-Reset")
    headers = sorted(pair for pair in response.items() if pair[0] not in anew)
    return response.status_code, plain, headers


def all_told(published: Published) -> dict[str, Any]:
    """Everything that a researcher can look at, and the pages as a stranger sees them."""
    cache.clear()
    stranger = Client()
    told: dict[str, Any] = {}
    for address in (*PAGES, *ADMIN):
        told[address] = bytes_of(published.browser.get(address))
        told[f"{address} as a stranger"] = bytes_of(stranger.get(address))
    for address in ANSWERS:
        told[address] = bytes_of(published.door.client.get(f"/api/v1/{address}"))
    return told


def test_nothing_shows_what_is_not_published(published):
    before = all_told(published)
    assert before["/dashboard/"][0] == 200
    assert before["statistics/counts/?group_by=category"][0] == 200

    Planter(5).plant([published.cell] * 60)

    after = all_told(published)
    assert [address for address in before if before[address] != after[address]] == []


@pytest.mark.parametrize("address", ADMIN)
def test_researcher_gets_no_list_of_the_admin(published, address):
    response = published.browser.get(address)

    assert response.status_code in {302, 403}
    assert not re.search(rb"\d+ (events|patients|implants|results)", response.content)


@pytest.mark.parametrize("address", ["patients/", "implants/", "exposures/", "events/"])
def test_researcher_gets_neither_rows_nor_totals(published, address):
    response = published.door.client.get(f"/api/v1/{address}")

    body = response.json()
    assert not body.get("results")
    assert not {"count", "total"} & set(body)


def test_row_that_exists_is_refused_like_one_that_does_not(published):
    known = Event.objects.filter(state=State.ACCEPTED).first()
    unknown = "00000000-0000-4000-8000-000000000000"
    assert known is not None

    one, other = (
        published.door.client.get(f"/api/v1/events/{each}/") for each in (known.public_id, unknown)
    )

    assert one.status_code == other.status_code == 403
    assert one.content.replace(str(known.public_id).encode(), unknown.encode()) == other.content


@pytest.mark.parametrize(
    "wrong",
    [
        {"drug": "no-such"},
        {"group_by": "category,drug,sex", "age_band": "0-5"},
        {"year_min": "2016", "year_max": "2018"},
        {"counting": "events"},
    ],
)
def test_refusal_is_the_same_for_every_state_of_the_data(published, wrong):
    said = [
        published.door.get("statistics/counts/", {**wrong, "release": label})
        for label in ("one", "two")
    ]

    assert said[0].status_code in {400, 422}
    assert bytes_of(said[0]) == bytes_of(said[1])
