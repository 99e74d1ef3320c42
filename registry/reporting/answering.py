"""The door out: a question and who asks it, to an answer that is ready to show."""

import hashlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache as once

from django.conf import settings
from django.core import signing
from django.core.cache import cache

from registry.models import AccessLog
from registry.records import Column, EventQuery, Fault, NotPermitted, Release, Viewer
from registry.reporting import cells, freshness, protected, published, words
from registry.reporting.coverage import coverage_cells, coverage_of
from registry.reporting.freshness import Frozen
from registry.reporting.keys import read_keys
from registry.reporting.left_out import left_out
from registry.reporting.profiles import profile_of
from registry.reporting.question import Question, read_question
from registry.reporting.rows import Row, ordered, written
from registry.vocabulary import CountingRule, Measure, Profile

DEFAULT_PER = 1000
CACHED_SECONDS = 24 * 3600
RECEIPT_SALT = "registry.receipt"

INTERVAL = (
    Column("ci_lower", "number", "interval", title="Lower limit"),
    Column("ci_upper", "number", "interval", title="Upper limit"),
)
STATUS = Column("status", "string", "status", title="Status")
HIDDEN_CELLS = Column("hidden_cells", "integer", "status", title="Hidden cells")


def answer(query: EventQuery, *, measure: Measure, viewer: Viewer) -> Release:
    """Answer a question as far as this viewer may know; the only way a number leaves.

    Raises NotPermitted, BadQuery, NoSnapshot, and NotAvailableAtThisDetail for a finer question
    than the protected profile has. An exact answer over more than the viewer's own sites is
    logged.
    """
    if profile_of(query, viewer) is Profile.PROTECTED:
        return protected_answer(query, measure, _published(query, viewer))
    frozen = freshness.named_release(query.release) if query.release else freshness.current()
    release = _cached(
        query,
        measure=measure,
        profile=Profile.EXACT,
        frozen=frozen,
        work=lambda: _exact(query, measure, frozen),
    )
    if not _own_sites_only(query, viewer):
        AccessLog.objects.create(
            user_id=viewer.user_id,
            action="exact-statistics",
            what=f"{measure.value} {query.canonical()}",
            count=len(release.rows),
        )
    return release


def _published(query: EventQuery, viewer: Viewer) -> Frozen:
    """The release that was named, or the newest; the public has the newest only."""
    newest = freshness.newest_release()
    if query.release is None:
        return newest
    named = freshness.named_release(query.release)
    if viewer.is_public and named.snapshot_id != newest.snapshot_id:
        raise NotPermitted(
            Fault("release", "newest-only", "Sign in as a researcher to ask an older release.")
        )
    return named


def _own_sites_only(query: EventQuery, viewer: Viewer) -> bool:
    sites = set(query.values("site"))
    return bool(sites) and sites <= viewer.exact_sites


def _cached(
    query: EventQuery,
    *,
    measure: Measure,
    profile: Profile,
    frozen: Frozen,
    work: Callable[[], Release],
) -> Release:
    """Answer once per snapshot, question, measure and profile."""
    about = f"{code_version()} {frozen.kind} {frozen.label} {frozen.data_as_of}"
    named = f"{frozen.snapshot_id} {about} {measure} {profile} {query.canonical()}"
    key = f"answer-{hashlib.sha256(named.encode()).hexdigest()}"
    release: Release | None = cache.get(key)
    if release is None:
        release = work()
        cache.set(key, release, CACHED_SECONDS)
    return release


def _exact(query: EventQuery, measure: Measure, frozen: Frozen) -> Release:
    store = frozen.store
    question = read_question(query, measure=measure, manifest=store.manifest)
    per = query.per or DEFAULT_PER
    if measure is Measure.COUNTS:
        found = cells.count_cells(store, question)
    elif measure is Measure.RATES:
        found = cells.rate_cells(store, question, per=per)
    elif measure is Measure.PROPORTIONS:
        found = cells.proportion_cells(store, question)
    else:
        found = coverage_cells(store, question)
    rows = [Row(each.key, each.numbers, each.status) for each in found]
    meta = _meta(question, frozen=frozen, profile=Profile.EXACT, per=per)
    if measure is Measure.RATES:
        meta["coverage"] = coverage_of(store, question)
    return _written(rows, meta, question, frozen, columns=_columns(question))


def protected_answer(query: EventQuery, measure: Measure, frozen: Frozen) -> Release:
    """The same answer for everybody who is not told true numbers; knows nothing of who asks."""
    keys = read_keys()
    protected.hold_to_keys(frozen, keys)
    asked = protected.read_protected(query, measure=measure, frozen=frozen, per=DEFAULT_PER)

    def work() -> Release:
        question = read_question(asked.query, measure=measure, manifest=frozen.store.manifest)
        rows = protected.protected_rows(asked, frozen=frozen, keys=keys)
        meta = _meta(
            question, frozen=frozen, profile=Profile.PROTECTED, per=asked.query.per or DEFAULT_PER
        )
        meta["disclosure"] = published.disclosure(question, asked.plan, protected.POLICY)
        *numbers, status = _columns(question)
        columns = (*numbers, HIDDEN_CELLS, status)
        return _written(rows, meta, question, frozen, columns=columns)

    return _cached(
        asked.query, measure=measure, profile=Profile.PROTECTED, frozen=frozen, work=work
    )


def _written(
    rows: Sequence[Row],
    meta: Mapping[str, object],
    question: Question,
    frozen: Frozen,
    *,
    columns: tuple[Column, ...],
) -> Release:
    terms = frozen.store.manifest.terms
    rows = ordered(rows, question=question, terms=terms, columns=columns)
    shown, values = written(rows, question=question, terms=terms, columns=columns)
    return Release(meta=meta, columns=shown, rows=values, query=question.query)


def _columns(question: Question) -> tuple[Column, ...]:
    """The columns of the numbers, after those of the grouping."""
    if question.measure is Measure.COUNTS:
        return (Column("n", "integer", "measure", title=question.counting.label), STATUS)
    if question.measure is Measure.PROPORTIONS:
        return (
            Column("numerator", "integer", "measure", title="With an event"),
            Column("denominator", "integer", "measure", title="Of"),
            Column("proportion", "number", "measure", title="Proportion"),
            *INTERVAL,
            STATUS,
        )
    if question.measure is Measure.COVERAGE:
        return (
            Column("n", "integer", "measure", title="Events"),
            Column("counted", "integer", "measure", title="Counted in a rate"),
            Column("excluded_before_entry", "integer", "measure", title="Before entry"),
            Column("after_follow_up", "integer", "measure", title="After follow-up"),
            Column("over_90_days", "integer", "measure", title="Over 90 days since procedure"),
            Column("without_denominator", "integer", "measure", title="Without a denominator"),
            STATUS,
        )
    clustered = question.counting is not CountingRule.FIRST_EVENT
    units = question.units
    return (
        Column("events", "integer", "measure", title="Events"),
        Column(
            "exposure", "number", "measure", units[0].value if len(units) == 1 else None, "Exposure"
        ),
        Column("rate", "number", "measure", title="Rate"),
        *INTERVAL,
        *([Column("dispersion", "number", "measure", title="Dispersion")] if clustered else []),
        Column("unit", "string", "dimension", title="Per"),
        STATUS,
    )


def _meta(question: Question, *, frozen: Frozen, profile: Profile, per: int) -> dict[str, object]:
    query, manifest = question.query, frozen.store.manifest
    rates = question.measure is Measure.RATES
    return {
        "title": words.title(question, manifest.terms),
        "measure": question.measure.value,
        "snapshot": {
            "id": frozen.snapshot_id,
            "kind": frozen.kind.value,
            "label": frozen.label,
        },
        "data_as_of": frozen.data_as_of.isoformat() if frozen.data_as_of else None,
        "catalogue_version": manifest.terms.version,
        "code_version": code_version(),
        "counting": question.counting.value,
        "counting_in_words": words.counted(question),
        "denominator": words.denominator(question),
        "per": per if rates else None,
        "level": query.level,
        "method": words.method(question, profile=profile),
        "profile": profile.value,
        "warnings": [
            *words.warnings(question, profile=profile),
            *left_out(question, manifest.terms),
        ],
        "receipt": receipt(query, question.measure, frozen.snapshot_id, profile),
    }


def receipt(query: EventQuery, measure: Measure, snapshot_id: str, profile: Profile) -> str:
    """A signed token of the question and the snapshot it was asked of; nothing is stored."""
    content = {
        "query": query.canonical(),
        "measure": measure.value,
        "snapshot": snapshot_id,
        "profile": profile.value,
    }
    return signing.Signer(salt=RECEIPT_SALT).sign_object(content, compress=True)


@once
def code_version() -> str:
    """The version of this code, as pyproject.toml names it."""
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])
