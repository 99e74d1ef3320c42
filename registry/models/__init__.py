"""The registry's tables, with their constraints, history and seals."""

from registry.models.access import (
    AccessLog,
    IdempotencyKey,
    Membership,
    MembershipRole,
    Site,
    Snapshot,
    Token,
    TokenScope,
    User,
)
from registry.models.agreements import Agreement, AgreementDecision
from registry.models.audit import NeverDeleted, Seal, Sealing, UnsealedWrite, sealed
from registry.models.catalogue import (
    CatalogueVersion,
    Category,
    Complication,
    ImdrfCode,
    PublishedRate,
    Synonym,
)
from registry.models.duplicates import AlikeReason, DuplicateCandidate, PairDecision
from registry.models.events import Event
from registry.models.exposure import Exposure, Implant, Patient
from registry.models.queries import Query
from registry.models.redactions import Redaction

__all__ = [
    "AccessLog",
    "Agreement",
    "AgreementDecision",
    "AlikeReason",
    "CatalogueVersion",
    "Category",
    "Complication",
    "DuplicateCandidate",
    "Event",
    "Exposure",
    "IdempotencyKey",
    "ImdrfCode",
    "Implant",
    "Membership",
    "MembershipRole",
    "NeverDeleted",
    "PairDecision",
    "Patient",
    "PublishedRate",
    "Query",
    "Redaction",
    "Seal",
    "Sealing",
    "Site",
    "Snapshot",
    "Synonym",
    "Token",
    "TokenScope",
    "UnsealedWrite",
    "User",
    "sealed",
]
