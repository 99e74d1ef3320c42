"""A registry with a row in every table that the registry fills, some of them odd."""

from datetime import date, timedelta

from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from registry.intake.redaction import redact_key
from registry.models import (
    AccessLog,
    Citation,
    DuplicateCandidate,
    IdempotencyKey,
    Query,
    RoleProposal,
    Token,
    User,
    sealed,
)
from registry.models.access_log import seal_log
from registry.vocabulary import AlikeReason, QueryAsk, Role, TokenScope
from tests import small_registry
from tests.factories import (
    AgreementFactory,
    EventFactory,
    ExposureFactory,
    ImplantFactory,
    SiteFactory,
)

RELEASE = "2026Q4"
SESSION, SESSION_DATA = "s" * 32, "signed in as somebody"


def fill() -> str:
    """Write the rows; returns an API token of the reviewer."""
    call_command("migrate", verbosity=0)
    small_registry.fill()
    manager, reviewer = (User.objects.get(username=name) for name in ("manager", "reviewer"))
    site = SiteFactory(
        code="ODD-1",
        name='L\'hôpital "Ümläut"\n\t\\ 100 % 日本',
        words={"b": {"ja": "yes"}, "a": 1},
    )
    SiteFactory(code="ODD-2", key_prefix="KSG-", key_digits=4)
    ExposureFactory(site=site)
    implant = ImplantFactory(patient__site=site, adjuncts={"clonidine", "ziconotide"})
    event = EventFactory(
        implant=implant, source_id="123-key", interventions={"dose-change", "reprogramming"}
    )
    later = EventFactory(implant=implant, caused_by=event)
    with sealed(by=manager, action="make-for-test") as seal:
        reasons = frozenset(list(AlikeReason)[:2])
        seal.save(DuplicateCandidate(site=site, first=event, second=later, reasons=reasons))
        proposed = {"user": reviewer, "role": Role.DATA_MANAGER, "proposed_by": manager}
        seal.save(RoleProposal(**proposed, expires_on=date(2027, 3, 31)))
        seal.save(Query(site=site, event=event, column="severity", ask=QueryAsk.MISSING))
    AgreementFactory(user=User.objects.get(username="researcher"), expires_on=date(2027, 3, 31))
    redact_key("event", event.public_id, by=manager, key="ev-1")
    _, token = Token.objects.create(
        user=reviewer, label="scripts", scopes=TokenScope.codes(), expiry=timedelta(days=9)
    )
    Citation.objects.create(
        receipt="r",
        receipt_digest="d" * 64,
        sha256="a" * 64,
        is_public=True,
        code_version="1",
        cited_by=manager,
    )
    IdempotencyKey.objects.create(
        user=reviewer,
        key="k",
        method_path="POST /",
        body_digest="b" * 64,
        status=201,
        reply={"id": 1, "none": None},
    )
    AccessLog.objects.create(user=reviewer, action="export", what="events of ODD-1", count=2)
    seal_log()
    LogEntry.objects.create(user=manager, object_repr="a site", action_flag=ADDITION)
    TOTPDevice.objects.create(user=manager, name="phone", key="00" * 20, confirmed=False)
    StaticDevice.objects.create(user=manager, name="codes").token_set.create(token="abcdef")
    Session.objects.create(
        session_key=SESSION, session_data=SESSION_DATA, expire_date=timezone.now()
    )
    return token
