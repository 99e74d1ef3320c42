"""A row's history in words: when, by whom, under which seal, and what changed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db.models.functions import Left

from registry.admin.stored_values import NOT_RECORDED, Names, in_words, is_blank
from registry.models import AccessLog, User

MOST_VERSIONS = 200
UNTOLD = frozenset({"id", "version", "seal", "seal_id", "public_id", "token_key"})
UNTOLD_OF = {"token": frozenset({"digest"})}
"""What versions of a kind do not show besides: what finds a token is nobody's to see."""


@dataclass(frozen=True, slots=True)
class Change:
    """A field changed by a version, before and after, in words."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a row."""

    at: datetime
    by: str
    seal: int
    action: str
    reason: str
    changes: tuple[Change, ...]


def versions_of(row: Any) -> list[Version]:
    """The versions of one row, newest first, at most 200. One query and one for each name."""
    records = list(
        row.history.select_related("history_user").order_by("-history_id")[: MOST_VERSIONS + 1]
    )
    names: Names = {}
    versions = [version_of(record, before, names) for record, before in pairwise([*records, None])]
    return versions[:MOST_VERSIONS]


def versions_in(records: list[Any]) -> list[Version]:
    """Versions of several rows of one kind in words, in the order given.

    One query for the previous versions, and one for each other row that they name.
    """
    if not records:
        return []
    key = type(records[0]).instance_type._meta.pk.attname
    ids = {getattr(record, key) for record in records}
    before: dict[int, Any] = {}
    last: dict[Any, Any] = {}
    newest = max(record.history_id for record in records)
    rows = type(records[0]).objects.filter(**{f"{key}__in": ids}, history_id__lte=newest)
    for row in rows.order_by("history_id"):
        before[row.history_id] = last.get(getattr(row, key))
        last[getattr(row, key)] = row
    names: Names = {}
    return [version_of(record, before[record.history_id], names) for record in records]


def version_of(record: Any, before: Any | None, names: Names) -> Version:
    """The changes from the previous history row, in words; for the first row, all fields."""
    return Version(
        at=record.history_date,
        by=record.history_user.get_username() if record.history_user else "the registry itself",
        seal=record.seal_number,
        action={"+": "Stored", "~": "Changed", "-": "Removed"}[record.history_type],
        reason=(record.history_change_reason or "").replace("-", " "),
        changes=tuple(changes_between(record, before, names)),
    )


def changes_between(record: Any, before: Any | None, names: Names) -> Iterable[Change]:
    """The fields in which two versions differ; of a first version those that were answered."""
    for field in _differing(record, before):
        answer = getattr(record, field.attname)
        if before is None and (answer is False or is_blank(answer)):
            continue
        earlier = NOT_RECORDED if before is None else in_words(field, before, names)
        yield Change(str(field.verbose_name), earlier, in_words(field, record, names))


def _differing(record: Any, before: Any | None) -> Iterator[Any]:
    """The fields shown whose stored values differ; without a version before, from none."""
    untold = UNTOLD | UNTOLD_OF.get(record.instance_type._meta.model_name, frozenset())
    for field in record.tracked_fields:
        if field.name not in untold:
            earlier = None if before is None else getattr(before, field.attname)
            if getattr(record, field.attname) != earlier:
                yield field


@dataclass(frozen=True, slots=True)
class Unseen:
    """What others changed in a row since somebody's last look at it.

    since: the instant of that look. before: the earlier answers in words, by column.
    """

    since: datetime
    before: dict[str, str]


def unseen_changes(row: Any, *, by: User, looked: str) -> Unseen | None:
    """What others changed since the user looked last, before their newest change.

    The same until somebody changes the row again, so that a second look still shows it. looked:
    the row as the access log names it. None where nobody else changed it, or the user had not
    looked before. Four queries.
    """
    newest = row.history.exclude(history_user=by).order_by("-history_id").first()
    if newest is None:
        return None
    of_user = AccessLog.objects.alias(begins=Left("what", 60))  # as its index has it
    looks = of_user.filter(
        user=by, begins=looked[:60], what=looked, action="row-read", at__lt=newest.history_date
    )
    since = looks.order_by("-at").values_list("at", flat=True).first()
    if since is None:
        return None
    seen = row.history.filter(history_date__lte=since).order_by("-history_id").first()
    now = row.history.order_by("-history_id").first()
    if seen is None:
        return None
    names: Names = {}
    before = {field.name: in_words(field, seen, names) for field in _differing(now, seen)}
    return Unseen(since, before)
