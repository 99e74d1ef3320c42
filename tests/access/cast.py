"""The people who ask, and a registry with rows of their own site and of another."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.test import Client
from django.test.client import ClientHandler
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from registry import intake
from registry.models import (
    AccessLog,
    Agreement,
    DuplicateCandidate,
    Query,
    RoleProposal,
    Seal,
    Site,
    Token,
    User,
    sealed,
)
from registry.vocabulary import MembershipRole, Role, TokenScope
from tests.factories import (
    AgreementFactory,
    EventFactory,
    ExposureFactory,
    ImplantFactory,
    MembershipFactory,
    PatientFactory,
    RoleProposalFactory,
    SiteFactory,
    UserFactory,
)

BACKEND = "django.contrib.auth.backends.ModelBackend"
TRACE = "zq-elsewhere"
"""Begins every name of the other site's rows, so that a trace of them can be looked for."""


@dataclass(frozen=True)
class Rows:
    """One site with a row of every kind, and its staff."""

    site: Site
    reporter: User
    lead: User
    rows: dict[str, Any]


@dataclass(frozen=True)
class World:
    """Two sites, and whoever asks."""

    own: Rows
    other: Rows
    clients: dict[str, Callable[[], Client]]


def world() -> World:
    """Build it: small, and the same each time."""
    intake.load_catalogue()
    own = _site_with_rows("OWN-1", "own")
    other = _site_with_rows("OTHER-2", TRACE)
    SiteFactory(code="THIRD-3")  # protected answers need three hands
    return World(own, other, _callers(own))


def _site_with_rows(code: str, name: str) -> Rows:
    site = SiteFactory(code=code, name=f"{name} hospital")
    reporter = UserFactory(username=f"{name}-reporter", roles=[Role.SITE_STAFF], sites=[site])
    lead = UserFactory(username=f"{name}-lead", roles=[Role.SITE_STAFF])
    membership = MembershipFactory(user=lead, site=site, role=MembershipRole.LEAD)
    patient = PatientFactory(site=site, source_id=f"{name}-patient")
    pump = ImplantFactory(patient=patient, source_id=f"{name}-pump")
    ImplantFactory(patient=patient, source_id=f"{name}-catheter", catheter=True)
    event = EventFactory(
        implant=pump,
        source_id=f"{name}-event",
        state="submitted",
        complication__code="pump-motor-stall",
    )
    later = EventFactory(implant=pump, source_id=f"{name}-again", complication=event.complication)
    with sealed(by=None, action="test") as seal:
        pair = DuplicateCandidate(site=site, first=event, second=later, reasons=1)
        seal.save(pair)
    _query_of(implant=pump, column="exit_status")
    device = TOTPDevice.objects.create(user=reporter, name=f"{name}-phone", confirmed=False)
    token, _key = Token.objects.create(user=reporter, scopes=frozenset(TokenScope))
    rows = {
        "site": site,
        "user": reporter,
        "membership": membership,
        "patient": patient,
        "implant": pump,
        "event": event,
        "pair": pair,
        "query": _query_of(event=event, column="outcome"),
        "exposure": ExposureFactory(site=site),
        "totpdevice": device,
        "token": token,
        "agreement": AgreementFactory(user=reporter, expires_on=_today() - _DAY),
    }
    return Rows(site, reporter, lead, rows)


def _query_of(*, column: str, **row: Any) -> Query:
    [named] = row.values()
    query = Query(site=named.site, column=column, ask="missing", **row)
    with sealed(by=None, action="make-for-test") as seal:
        seal.save(query)
    return query


_DAY = datetime.timedelta(days=1)


def _today() -> datetime.date:
    return timezone.now().date()


def _callers(own: Rows) -> dict[str, Callable[[], Client]]:
    people = {
        "reporter": own.reporter,
        "lead": own.lead,
        "reviewer": UserFactory(username="reviewer", roles=[Role.REVIEWER]),
        "own-reviewer": UserFactory(
            username="own-reviewer", roles=[Role.REVIEWER, Role.SITE_STAFF], sites=[own.site]
        ),
        "manager": UserFactory(username="manager", roles=[Role.DATA_MANAGER]),
        "auditor": UserFactory(username="auditor", roles=[Role.AUDITOR]),
        "researcher": UserFactory(username="researcher", roles=[Role.RESEARCHER], is_staff=False),
        "analyst": UserFactory(username="analyst", roles=[Role.ANALYST], is_staff=False),
        "lapsed-analyst": UserFactory(username="lapsed", roles=[Role.ANALYST], is_staff=False),
    }
    AgreementFactory(user=people["analyst"], expires_on=_today() + 30 * _DAY)
    AgreementFactory(user=people["lapsed-analyst"], expires_on=_today() - _DAY)
    RoleProposalFactory(
        user=people["researcher"], proposed_by=people["manager"], expires_on=_today() + 9 * _DAY
    )
    gone = UserFactory(username="gone", roles=[Role.DATA_MANAGER], is_active=False)
    manager = people["manager"]
    every, statistics = frozenset(TokenScope), frozenset({TokenScope.READ_STATISTICS})
    callers: dict[str, Callable[[], Client]] = {"nobody": Caller.with_}
    callers |= {name: _signed_in(user, every) for name, user in people.items()}
    callers |= {
        "gone": _signed_in(gone, every),
        "expired-token": _with_token(manager, every, expired=True),
        "statistics-token": _with_token(manager, statistics),
        "rows-token": _with_token(manager, every - statistics),
    }
    return callers


TOKENS_ONLY = frozenset({"expired-token", "statistics-token", "rows-token"})
"""Callers that are the API's alone: a page knows no token."""


_HANDLER = ClientHandler(enforce_csrf_checks=False)
"""One for all, which loads the middleware once and not for each caller of each address."""


class Caller(Client):
    """Asks pages by a session and the API by a token, as people and scripts do."""

    key: str | None = None

    @classmethod
    def with_(cls, *, session: str | None = None, key: str | None = None) -> "Caller":
        """A new client of somebody who signed in before."""
        caller = cls(raise_request_exception=False)
        caller.handler = _HANDLER
        caller.key = key
        if session:
            caller.cookies[settings.SESSION_COOKIE_NAME] = session
        return caller

    def generic(self, method: str, path: str, *args: Any, **extra: Any) -> Any:
        if self.key and path.startswith(("/api/", "/fhir/")):
            extra["HTTP_AUTHORIZATION"] = f"Token {self.key}"
        return super().generic(method, path, *args, **extra)


def _signed_in(user: User, scopes: frozenset[TokenScope]) -> Callable[[], Client]:
    first = Caller()
    first.force_login(user, backend=BACKEND)
    session = first.cookies[settings.SESSION_COOKIE_NAME].value
    _token, key = Token.objects.create(user=user, scopes=scopes)
    return lambda: Caller.with_(session=session, key=key)


def _with_token(
    user: User, scopes: frozenset[TokenScope], *, expired: bool = False
) -> Callable[[], Client]:
    expiry = datetime.timedelta(seconds=-1) if expired else _DAY
    _token, key = Token.objects.create(user=user, expiry=expiry, scopes=scopes)
    return lambda: Caller.with_(key=key)


def single_rows(world: World) -> dict[str, Any]:
    """Rows that belong to no site."""
    agreement = Agreement.objects.order_by("pk").first()
    log = AccessLog.objects.create(user=world.own.reporter, action="list", what="event", count=1)
    return {
        "agreement": agreement,
        "accesslog": log,
        "seal": Seal.objects.order_by("pk").first(),
        "roleproposal": RoleProposal.objects.get(),
    }
