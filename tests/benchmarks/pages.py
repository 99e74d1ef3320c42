"""The pages and addresses of entry that the pages' benchmark asks for, and as whom."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.test import Client
from django.urls import reverse

from registry.models import DuplicateCandidate, Event, Implant, Seal, User
from registry.models.exposure import IN_FOLLOW_UP
from tests.benchmarks.page_rows import largest

FHIR = "/fhir/r4/AdverseEvent"
_NO_VOWELS = str.maketrans("ae0123456789", "bcdfghkmnpqr")


@dataclass(frozen=True)
class Page:
    """One request: its name in the table, who sends it, where, and what it posts.

    is_report: a report as JSON, stored each time under a new key.
    """

    name: str
    user: str
    address: str
    posted: Mapping[str, Any] | None = None
    is_report: bool = False

    def ask(self, client: Client) -> Any:
        """The reply."""
        if self.posted is None:
            return client.get(self.address)
        if not self.is_report:
            return client.post(self.address, dict(self.posted))
        key = f"b{secrets.randbelow(100)}-{secrets.token_hex(6).translate(_NO_VOWELS)}"
        report = {**self.posted, "source_id": key}
        return client.post(self.address, report, content_type="application/json")


@dataclass
class Rows:
    """Rows in the middle of the tables, of the largest site, which pages are asked about."""

    site: Any = field(default_factory=largest)

    @cached_property
    def event(self) -> Event:
        """An event with an implant."""
        found = Event.objects.filter(site=self.site, implant__isnull=False, state="accepted")
        return found.select_related("implant__patient")[found.count() // 2]

    @cached_property
    def pair(self) -> DuplicateCandidate:
        """A pair of reports."""
        return DuplicateCandidate.objects.order_by("-pk")[0]

    @cached_property
    def implants(self) -> list[Implant]:
        """A hundred implants in follow-up."""
        return list(
            Implant.objects.filter(site=self.site, exit_status__in=IN_FOLLOW_UP).order_by("pk")[
                :100
            ]
        )


def admin(model: str, name: str = "changelist", *args: Any) -> str:
    """An address of the admin."""
    return reverse(f"admin:registry_{model}_{name}", args=args)


def pages() -> Iterator[Page]:
    """Every page, with the rows of this registry."""
    rows = Rows()
    yield from _start()
    yield from _event_lists(rows)
    yield from _device_lists(rows)
    yield from _typed(rows)
    yield from _single_rows(rows)
    yield from _audit(rows)
    yield from _addresses(rows)


def _start() -> Iterator[Page]:
    for user in ("reporter", "reviewer", "manager"):
        yield Page(f"start page of a {user}", user, reverse("admin:index"))


def _event_lists(rows: Rows) -> Iterator[Page]:
    events = admin("event")
    for user in ("reporter", "reviewer"):
        yield Page(f"events, {user}", user, events)
        yield Page(f"events, page 20, {user}", user, f"{events}?p=20")
    for column, name in {5: "year", -5: "year, last first"}.items():
        yield Page(f"events sorted by {name}", "reviewer", f"{events}?o={column}")
    for column, name in {3: "state", 7: "severity"}.items():
        yield Page(f"events of a site sorted by {name}", "reporter", f"{events}?o={column}")
    for name, value in {
        "state": "submitted",
        "site": rows.site.code,
        "category": rows.event.complication.category_id,
        "complication": rows.event.complication_id,
        "severity": "3",
        "serious": "yes",
        "outcome": "recovered",
        "year": str(rows.event.year),
        "component": "catheter",
        "drug": "ziconotide",
        "indication_group": "pain-cancer",
        "actuality": "near-miss",
        "alike": "yes",
    }.items():
        yield Page(f"events by {name}", "reviewer", f"{events}?{name}={value}")
    for user, queues in {
        "reviewer": ("to-review", "answered"),
        "reporter": ("my-drafts", "came-back", "rejected", "queried"),
    }.items():
        for queue in queues:
            yield Page(f"queue {queue}", user, f"{events}?queue={queue}")


def _device_lists(rows: Rows) -> Iterator[Page]:
    for model, filters in {
        "implant": ("component=catheter", "exit_status=active", "queried=yes"),
        "patient": ("sex=female",),
        "exposure": ("component=pump",),
    }.items():
        for user in ("reporter", "manager"):
            yield Page(f"{model}s, {user}", user, admin(model))
        for one in (*filters, f"site={rows.site.code}"):
            yield Page(f"{model}s by {one.split('=')[0]}", "manager", f"{admin(model)}?{one}")
    follow_up = f"{admin('implant', 'follow_up')}?site={rows.site.code}"
    yield Page("follow-up", "reporter", follow_up)
    yield Page("follow-up, page 3", "reporter", f"{follow_up}&page=3")
    yield Page("follow-up, those behind", "reporter", f"{follow_up}&behind=on")
    looked = {"do": "look", "rule": "further", "months": "1"}
    picked = {
        "row": [f"{one.public_id}:{one.version}" for one in rows.implants],
        "tick": [str(one.public_id) for one in rows.implants],
    }
    yield Page("follow-up of 100, looked at", "reporter", follow_up, looked | picked)
    yield Page("completeness", "reporter", reverse("completeness"))
    yield Page("years of device time", "reporter", admin("exposure", "by_year"))


def _typed(rows: Rows) -> Iterator[Page]:
    """Searches by the beginning of a key, and lists that are searched while typing."""
    event = rows.event
    assert event.implant is not None
    assert event.patient is not None
    keys = {"event": event.source_id, "implant": event.implant.source_id}
    keys["patient"] = event.patient.source_id
    for user in ("reporter", "manager"):
        for kind, key in keys.items():
            yield Page(f"events searched, {kind}, {user}", user, f"{admin('event')}?q={key}")
        yield Page(f"implants searched, {user}", user, f"{admin('implant')}?q={keys['implant']}")
        yield Page(
            f"implants searched, patient, {user}", user, f"{admin('implant')}?q={keys['patient']}"
        )
        yield Page(f"patients searched, {user}", user, f"{admin('patient')}?q={keys['patient']}")
        for kind in ("event", "implant"):
            there = admin(kind, "choices")
            for words, term in {"nothing typed": "", "typed": keys[kind][:-2]}.items():
                yield Page(f"{kind} chosen, {words}, {user}", user, there, {"term": term})
    there = admin("implant", "choices")
    narrowed = {"term": "", "site": rows.site.code, "component": "pump"}
    yield Page("implant chosen, of a site", "manager", there, narrowed)
    cause = {"term": "", "caused_by": str(event.public_id)}
    yield Page("implant chosen, of a patient", "manager", there, cause)
    of_implant = {"term": "", "implant": str(event.implant.public_id)}
    yield Page("cause chosen, of a patient", "manager", admin("event", "choices"), of_implant)


def _single_rows(rows: Rows) -> Iterator[Page]:
    event = rows.event
    assert event.implant is not None
    assert event.patient is not None
    for name, row in {"event": event, "implant": event.implant, "patient": event.patient}.items():
        yield Page(f"one {name}", "reporter", admin(name, "change", row.public_id))
        yield Page(f"history of one {name}", "reporter", admin(name, "history", row.public_id))
    yield Page("one event, reviewer", "reviewer", admin("event", "change", event.public_id))
    yield Page("empty form of an event", "reporter", admin("event", "add"))
    yield Page("empty form of a patient", "reporter", admin("patient", "add"))
    pair = reverse("admin:registry_pair_page", args=[rows.pair.public_id])
    yield Page("two reports side by side", "reviewer", pair)


def _audit(rows: Rows) -> Iterator[Page]:
    history = reverse("history")
    yield Page("history across rows", "auditor", history)
    yield Page("history by a user", "auditor", f"{history}?by=reporter")
    yield Page("history by another user", "auditor", f"{history}?by=manager")
    yield Page("history of a row", "auditor", f"{history}?row={rows.event.public_id}")
    yield Page("seals", "auditor", admin("seal"))
    seal = Seal.objects.order_by("-number")[1]
    yield Page("one seal", "auditor", admin("seal", "change", seal.pk))
    yield Page("seals searched", "auditor", f"{admin('seal')}?q={seal.hash[:8]}")
    yield Page("seals searched by user", "auditor", f"{admin('seal')}?q=report")
    yield Page("access log", "auditor", admin("accesslog"))
    yield Page("access log by action", "auditor", f"{admin('accesslog')}?action=row-read")
    yield Page("access log searched", "auditor", f"{admin('accesslog')}?q=reviewer")


def _addresses(rows: Rows) -> Iterator[Page]:
    event = rows.event
    assert event.implant is not None
    assert event.patient is not None
    for name in ("events", "implants", "patients", "exposures", "queries"):
        there = reverse(f"api:{name}")
        for user in ("reporter", "manager"):
            yield Page(f"API {name}, {user}", user, there)
        if name in ("events", "implants", "patients"):
            yield Page(f"API {name} since", "manager", f"{there}?changed_since=3")
            late = Seal.objects.order_by("-number")[2].number
            yield Page(f"API {name} lately", "manager", f"{there}?changed_since={late}")
    events, implants = reverse("api:events"), reverse("api:implants")
    for one in (
        f"source_id={event.source_id}",
        f"patient={event.patient.source_id}",
        f"implant={event.implant.source_id}",
        f"complication={event.complication_id}",
        "state=draft",
        "drug=ziconotide",
        "severity=5",
        "window=0-1",
    ):
        yield Page(f"API events by {one.split('=')[0]}", "manager", f"{events}?{one}")
    yield Page(
        "API implants by patient", "manager", f"{implants}?patient={event.patient.source_id}"
    )
    yield Page("API implants by status", "manager", f"{implants}?exit_status=care-transferred")
    yield Page(
        "API patients by key",
        "manager",
        f"{reverse('api:patients')}?source_id={event.patient.source_id}",
    )
    yield Page("API one event", "reporter", reverse("api:event", args=[event.public_id]))
    yield Page(
        "API history of one event", "reporter", reverse("api:event-history", args=[event.public_id])
    )
    for user in ("reporter", "manager"):
        yield Page(f"FHIR events, {user}", user, FHIR)
    yield Page("FHIR events by year", "manager", f"{FHIR}?date={event.year}")
    report = {
        "site": rows.site.code,
        "complication": event.complication_id,
        "implant": event.implant.source_id,
        "year": event.year,
        "months_since_implant": event.months_since_implant,
        "severity": 2,
        "seriousness": ["none"],
        "outcome": "recovered",
        "submit": True,
    }
    yield Page("API one event stored", "reporter", events, report, is_report=True)


def signed_in() -> dict[str, Client]:
    """A client for each user, signed in."""
    found = {}
    for user in User.objects.filter(username__in=["reporter", "reviewer", "manager", "auditor"]):
        found[user.username] = client = Client(SERVER_NAME="127.0.0.1")
        client.force_login(user)
    return found
