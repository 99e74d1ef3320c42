"""What the pages' benchmark adds to a synthetic registry: history, work that waits, and its users.

For a registry that is thrown away: rows are written beside the seals.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection, models, transaction
from django.db.models.functions import Mod
from django.utils import timezone

from registry.models import (
    AccessLog,
    DuplicateCandidate,
    Event,
    Implant,
    Membership,
    Patient,
    Query,
    Seal,
    Site,
    User,
    sealed,
)
from registry.models.audit import GENESIS
from registry.vocabulary import AlikeReason, MembershipRole, QueryAnswer, QueryAsk, QueryState
from registry.vocabulary.roles import Role

ROWS_A_SEAL = 100
USERS: Mapping[str, Role | None] = {
    "reporter": None,
    "reviewer": Role.REVIEWER,
    "manager": Role.DATA_MANAGER,
    "auditor": Role.AUDITOR,
}
"""Who asks for pages, and the role; the reporter is a lead of the site with the most events."""

_STATES = {"submitted": (50, 1), "draft": (200, 0), "rejected": (1000, 3)}
"""State -> one event in so many has it, by the remainder of its number; every other draft is asked
about."""

_CHUNK = 2000


def add_work() -> None:
    """Give a generated registry a history, queues, pairs, queries, an access log and users."""
    with transaction.atomic():
        people = _people()
        seals = _more_seals(people["reporter"])
        _states_and_seals(seals)
        for model in (Patient, Implant, Event):
            _copied_to_history(model, people["reporter"])
        _queries()
        _pairs()
        _looks(people)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _people() -> dict[str, User]:
    found = {}
    for name, role in USERS.items():
        found[name] = user = User.objects.create_user(name)
        user.is_staff = True
        with sealed(by=None, action="benchmark") as seal:
            seal.save(user)
            if role is not None:
                user.groups.set(Group.objects.filter(name=role.value))
    with sealed(by=None, action="benchmark") as seal:
        role = Group.objects.get(name=Role.SITE_STAFF.value)
        found["reporter"].groups.set([role])
        place = Membership(user=found["reporter"], site=largest(), role=MembershipRole.LEAD)
        seal.save(place)
    return found


def largest() -> Site:
    """The site with the most events."""
    return Site.objects.annotate(n=models.Count("events")).order_by("-n")[0]


def _more_seals(by: User) -> list[int]:
    """One seal for a hundred events, in a chain; returns their numbers."""
    last = Seal.objects.order_by("-number")[0]
    number, previous, at = last.number, last.hash or GENESIS, last.at
    made = []
    for _ in range(max(1, Event.objects.count() // ROWS_A_SEAL)):
        number, at = number + 1, at + timedelta(milliseconds=1)
        seal = Seal(number=number, at=at, actor=by, action="benchmark", rows=0, previous=previous)
        seal.digest = "0" * 64
        seal.hash = previous = seal.expected_hash()
        made.append(seal)
    Seal.objects.bulk_create(made, batch_size=_CHUNK)
    return [seal.number for seal in made]


def _states_and_seals(seals: list[int]) -> None:
    total = Event.objects.count()
    place = seals[0] + models.F("pk") * len(seals) / (total + 1)
    Event.objects.update(seal_id=models.ExpressionWrapper(place, models.BigIntegerField()))
    for state, (one_in, offset) in _STATES.items():
        rows = Event.objects.alias(n=Mod("pk", models.Value(one_in))).filter(n=offset)
        rows.update(state=state, reason="not-confirmed" if state == "rejected" else "")


def _copied_to_history(model: type[models.Model], by: User) -> None:
    """A first version of every row, in one statement."""
    history: Any = model.history.model  # type: ignore[attr-defined]
    quote = connection.ops.quote_name
    kept = [quote(field.column) for field in history.tracked_fields]
    stamps = {
        "history_date": timezone.now(),
        "history_type": "+",
        "history_user": by.pk,
        "history_change_reason": "",
    }
    fields = [history._meta.get_field(name) for name in stamps]
    into = ", ".join([*kept, *(quote(field.column) for field in fields), quote("seal_number")])
    seal = "seal_id" if hasattr(model, "seal_id") else "1"
    taken = ", ".join([*kept, *["%s"] * len(fields), seal])
    params = [
        field.get_db_prep_save(value, connection)
        for field, value in zip(fields, stamps.values(), strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(history._meta.db_table)} ({into}) "  # noqa: S608
            f"SELECT {taken} FROM {quote(model._meta.db_table)} ORDER BY id",
            params,
        )


def _queries() -> None:
    """A query about one event in two hundred and one implant in five hundred; half are answered."""
    made = []
    for name, model, one_in in (("event", Event, 200), ("implant", Implant, 500)):
        for pk, site, seal in _one_in(model, one_in):
            answered = (pk // one_in) % 2 == 1 and name == "event"
            made.append(
                Query(
                    **{f"{name}_id": pk},
                    site_id=site,
                    seal_id=seal,
                    column="drug",
                    ask=QueryAsk.MISSING,
                    state=QueryState.ANSWERED if answered else QueryState.OPEN,
                    answer=QueryAnswer.CORRECTED if answered else "",
                )
            )
    Query.objects.bulk_create(made, batch_size=_CHUNK)


def _pairs() -> None:
    """One event in a hundred may repeat the one before it at its site."""
    DuplicateCandidate.objects.bulk_create(
        [
            DuplicateCandidate(
                first_id=pk - 1,
                second_id=pk,
                site_id=site,
                seal_id=seal,
                reasons=frozenset({AlikeReason.SAME_DETAILS}),
            )
            for pk, site, seal in _one_in(Event, 100)
        ],
        batch_size=_CHUNK,
    )


def _one_in(model: type[models.Model], one_in: int) -> Iterator[tuple[int, int, int]]:
    rows = model._base_manager.annotate(n=Mod("pk", models.Value(one_in)))
    yield from rows.filter(n=0).order_by("pk").values_list("pk", "site_id", "seal_id")


def _looks(people: Mapping[str, User]) -> None:
    """As many entries of the access log as there are events, a second apart."""
    users, now = list(people.values()), timezone.now()
    total = Event.objects.count()
    for start in range(0, total, 50_000):
        AccessLog.objects.bulk_create(
            [
                AccessLog(
                    at=now - timedelta(seconds=n),
                    user=users[n % len(users)],
                    action="row-read",
                    what="event list",
                    count=50,
                )
                for n in range(start, min(total, start + 50_000))
            ],
            batch_size=_CHUNK,
        )
