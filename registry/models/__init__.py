"""The registry's tables, with their constraints, history and seals."""

from registry.models.access import Membership, Site, User
from registry.models.access_log import AccessLog, LoggedRange
from registry.models.agreements import Agreement
from registry.models.audit import NeverDeleted, Seal, Sealing, UnsealedWrite, sealed
from registry.models.catalogue import (
    CatalogueVersion,
    Category,
    Complication,
    ImdrfCode,
    PublishedRate,
    Synonym,
)
from registry.models.citations import Citation
from registry.models.duplicates import DuplicateCandidate
from registry.models.events import Event
from registry.models.exposure import Exposure, Implant, Patient
from registry.models.idempotency import IdempotencyKey
from registry.models.lookups import Among
from registry.models.proposals import RoleProposal
from registry.models.queries import Query
from registry.models.redactions import Redaction
from registry.models.snapshots import Snapshot
from registry.models.tokens import Token

__all__ = [
    "AccessLog",
    "Agreement",
    "Among",
    "CatalogueVersion",
    "Category",
    "Citation",
    "Complication",
    "DuplicateCandidate",
    "Event",
    "Exposure",
    "IdempotencyKey",
    "ImdrfCode",
    "Implant",
    "LoggedRange",
    "Membership",
    "NeverDeleted",
    "Patient",
    "PublishedRate",
    "Query",
    "Redaction",
    "RoleProposal",
    "Seal",
    "Sealing",
    "Site",
    "Snapshot",
    "Synonym",
    "Token",
    "UnsealedWrite",
    "User",
    "sealed",
]
