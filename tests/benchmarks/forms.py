"""The three forms of an answer, each in a process of its own: the registry's, the ORM's, numpy's.

What is here runs in such a process; the parent asks and compares.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import django

from tests.benchmarks.eight_questions import COLUMNS, QUESTIONS, Question, Rows
from tests.benchmarks.timing import Timed, timed

EXACT, TWIN, PROTECTED, ORM, ARRAYS = "exact", "twin", "protected", "orm", "arrays"
"""A question through `reporting.answer`; the nearest that is published, with true numbers and
protected; through the ORM; over arrays in memory."""

MANAGER, RESEARCHER = "bench-manager", "bench-researcher"


def begin() -> None:
    """Set up the framework in a new process."""
    django.setup()


def make_people() -> None:
    """Make who asks for exact and for protected answers, unless they are there."""
    from registry.models import User, sealed
    from registry.vocabulary import Role

    for name, role in ((MANAGER, Role.DATA_MANAGER), (RESEARCHER, Role.RESEARCHER)):
        if not User.objects.filter(username=name).exists():
            user = User.objects.create_user(name)
            with sealed(by=None, action="set-roles") as seal:
                user.set_roles([role], seal=seal)


def make_token(name: str) -> str:
    """A token of one of them, to ask with over HTTP."""
    from registry.models import Token, User

    _, token = Token.objects.create(user=User.objects.get(username=name))
    return str(token)


def release() -> str:
    """The label of the newest release: what all three forms answer from."""
    from registry.reporting.asking import freshness

    return freshness.newest_release().label


def described() -> dict[str, object]:
    """What is measured: how many rows there are, in which database."""
    import duckdb
    from django.db import connection

    from registry.reporting.asking import freshness

    manifest = freshness.newest_release().store.manifest
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SHOW server_version")
        else:
            cursor.execute("SELECT sqlite_version()")
        (version,) = cursor.fetchone()
    name = "PostgreSQL" if connection.vendor == "postgresql" else "SQLite"
    return {
        "events": manifest.events,
        "implants": manifest.implants,
        "database": f"{name} {version.split()[0]}",
        "duckdb": duckdb.__version__,
    }


def rows_of(form: str, number: int) -> Rows:
    """The answer to a question."""
    answer = _work(form, number)()
    return answer if isinstance(answer, dict) else _rows(_question(number), answer)


def times_of(form: str, number: int, runs: int) -> Timed:
    """How long it takes to answer a question."""
    return timed(_work(form, number), runs)


def _question(number: int) -> Question:
    return next(each for each in QUESTIONS if each.number == number)


def _work(form: str, number: int) -> Callable[[], Any]:
    if form == ORM:
        from tests.benchmarks import through_orm

        return lambda: through_orm.answer_of(number)
    if form == ARRAYS:
        from registry.reporting.asking import freshness
        from tests.benchmarks import through_arrays

        arrays = _arrays(freshness.root() / freshness.newest_release().snapshot_id)
        return lambda: through_arrays.answer_of(arrays, number)
    return _asking(form, _question(number))


def _asking(form: str, question: Question) -> Callable[[], Any]:
    from registry.filters import parse_query
    from registry.models import User
    from registry.reporting import answer, viewer_of

    params = question.params if form == EXACT else question.published or {}
    query = parse_query({**params, "release": release()}, measure=question.measure)
    name = RESEARCHER if form == PROTECTED else MANAGER
    viewer = viewer_of(User.objects.get(username=name))
    return lambda: answer(query, measure=question.measure, viewer=viewer)


@cache
def _arrays(folder: Path) -> Any:
    from tests.benchmarks.arrays import Arrays

    return Arrays(folder)


def _rows(question: Question, answer: Any) -> Rows:
    """An answer's rows by their groupings; those of a curve are numbered."""
    found: Rows = {}
    curves: dict[tuple[str | int, ...], int] = {}
    for row in answer.rows:
        key = tuple(row[name] for name in question.group_by)
        numbers = tuple(row[name] for name in COLUMNS[question.measure])
        if "time_months" in row:
            curves[key] = curves.get(key, -1) + 1
            key = (*key, curves[key])
        found[key] = numbers
    return found
