"""manage.py demo: a registry to try, with people to sign in as."""

from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from registry import synthetic
from registry.intake import add_member, import_records, load_catalogue, make_site
from registry.models import Agreement, Event, Implant, Site, Snapshot, User, sealed
from registry.records import RawReport, RowKind
from registry.vocabulary import AgreementDecision, Role, SnapshotKind

PASSWORD = "demo"  # noqa: S105 - refused unless DEBUG
RELEASE = "demo"
LEFT_TO_REVIEW = 100
"""One event in this many is left for review."""

PEOPLE = {
    "reporter": (None, False, "enters events of one site"),
    "reviewer": (Role.REVIEWER, True, "judges submitted events"),
    "manager": (Role.DATA_MANAGER, True, "runs the registry"),
    "researcher": (Role.RESEARCHER, False, "asks protected statistics"),
    "analyst": (Role.ANALYST, False, "asks exact statistics under an agreement"),
    "auditor": (Role.AUDITOR, True, "reads history, seals and the access log"),
}
"""User name -> role, access to the admin, and task; a membership gives both."""


class Command(BaseCommand):
    """Fills an empty registry with a synthetic one and says how to sign in."""

    help = "Fill an empty registry with synthetic rows, make the demo users and a release."

    def add_arguments(self, parser: CommandParser) -> None:
        """Size, seed, and the port of the server."""
        parser.add_argument("--events", type=int, default=5000, help="how many; 0 for none")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--port", type=int, default=8000, help="only for what is printed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create what is missing; idempotent."""
        if not settings.DEBUG:
            raise CommandError("The demo users have a known password: set DEBUG=1 to make them.")
        load_catalogue()
        people = {name: _person(name) for name in PEOPLE}
        empty = not Implant.objects.exists() and not Event.objects.exists()
        if options["events"] and empty:
            self._fill(options["events"], options["seed"], manager=people["manager"])
        _join_site(people["reporter"])
        _sign_agreement(people["analyst"])
        if not Snapshot.objects.filter(kind=SnapshotKind.RELEASE).exists():
            call_command("freeze", release=RELEASE, stdout=self.stdout)
        self._tell(options["port"])

    def _fill(self, events: int, seed: int, *, manager: User) -> None:
        self.stdout.write(f"Making a synthetic registry of {events:,} events ...")
        made = synthetic.registry(events=events, seed=seed)
        for site in made.sites:
            make_site(code=site.code, name=site.name, country=site.country, by=manager)
        reports = _raws(RowKind.EVENT, made.events())
        files = {
            RowKind.IMPLANT: _raws(RowKind.IMPLANT, made.implants()),
            RowKind.EXPOSURE: _raws(RowKind.EXPOSURE, made.exposures()),
            RowKind.EVENT: islice(reports, events - events // LEFT_TO_REVIEW),
        }
        import_records(files, by=manager, accept=True)
        import_records({RowKind.EVENT: reports}, by=manager)

    def _tell(self, port: int) -> None:
        address = f"http://127.0.0.1:{port}"
        self.stdout.write(
            f"\nThe registry: {Site.objects.count()} sites, {Implant.objects.count():,} implants, "
            f"{Event.objects.count():,} events.\n\nSign in at {address}/login/ as\n"
        )
        for name, (_, _, does) in PEOPLE.items():
            self.stdout.write(f"  {name:<11} {does}")
        self.stdout.write(
            f"\nEverybody's password is {PASSWORD}. "
            f"API: {address}/api/v1/docs/  Dashboard: {address}/dashboard/\n"
        )


def _person(name: str) -> User:
    person = User.objects.filter(username=name).first()
    if person is not None:
        return person
    role, is_staff, _ = PEOPLE[name]
    person = User(username=name, is_staff=is_staff, password=make_password(PASSWORD))
    with sealed(by=None, action="make-user") as seal:
        seal.save(person)
        if role is not None:
            person.set_roles([role], seal=seal)
    return person


def _join_site(reporter: User) -> None:
    """Make the reporter a member of the first site that sends implants."""
    site = Site.objects.filter(implants__isnull=False).order_by("code").first()
    if site is not None and not reporter.sites().exists():
        add_member(site, user=reporter, by=None)


def _sign_agreement(analyst: User) -> None:
    if analyst.agreements.exists():
        return
    agreement = Agreement(
        user=analyst,
        reference="DEMO-2026-001",
        purpose="To try exact statistics on made-up rows.",
        answerable="Whoever runs this demo",
        decision=AgreementDecision.GRANTED,
        expires_on=timezone.localdate() + timedelta(days=365),
    )
    with sealed(by=None, action="sign-agreement") as seal:
        seal.save(agreement)


def _raws(kind: RowKind, records: Iterable[Any]) -> Iterator[RawReport]:
    """Write records as a site would send them, so that they pass through intake."""
    for line, record in enumerate(records, start=2):
        values = {field.name: _text(getattr(record, field.name)) for field in fields(record)}
        yield RawReport(kind=kind, values=values, line=line)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, frozenset):
        return ";".join(sorted(value))
    return str(value)
