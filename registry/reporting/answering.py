"""The door out: a question and who asks it, to an answer that is ready to show."""

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache as once

from django.conf import settings
from django.core import signing
from django.core.cache import cache

from registry.models import AccessLog
from registry.records import (
    Column,
    EventQuery,
    Release,
    Viewer,
)
from registry.reporting import cells, freshness, words
from registry.reporting.coverage import coverage_cells, coverage_of
from registry.reporting.freshness import Frozen
from registry.reporting.profiles import PROTECTED_COUNTING, Row, hide_small, hold_to_profile
from registry.reporting.question import Question, read_question, selected_terms
from registry.reporting.rows import ordered, written
from registry.snapshot.store import Key
from registry.vocabulary import CellStatus, CountingRule, Measure, Profile

DEFAULT_PER = 1000
CACHED_SECONDS = 24 * 3600
RECEIPT_SALT = "registry.receipt"

INTERVAL = (
    Column("ci_lower", "number", "interval", title="Lower limit"),
    Column("ci_upper", "number", "interval", title="Upper limit"),
)
STATUS = Column("status", "string", "status", title="Status")


def answer(query: EventQuery, *, measure: Measure, viewer: Viewer) -> Release:
    """Answer a question as far as this viewer may know; the only way a number leaves.

    Raises NotPermitted, BadQuery, NoSnapshot; NotAvailableAtThisDetail is kept for finer
    questions than the protected profile has. An exact answer over more than the viewer's own
    sites is logged.
    """
    profile = hold_to_profile(query, measure, viewer)
    frozen = _snapshot_for(query, profile)
    asked = _with_defaults(query, measure, profile)
    release = _cached(asked, measure=measure, profile=profile, frozen=frozen)
    if profile is Profile.EXACT and not _own_sites_only(query, viewer):
        AccessLog.objects.create(
            user_id=viewer.user_id,
            action="exact-statistics",
            what=f"{measure.value} {asked.canonical()}",
            count=len(release.rows),
        )
    return release


def _snapshot_for(query: EventQuery, profile: Profile) -> Frozen:
    """The release that was named, or the viewer's default: working, or newest release."""
    if query.release:
        return freshness.named_release(query.release)
    return freshness.current() if profile is Profile.EXACT else freshness.newest_release()


def _with_defaults(query: EventQuery, measure: Measure, profile: Profile) -> EventQuery:
    if profile is Profile.PROTECTED:
        return replace(query, counting=PROTECTED_COUNTING[measure])
    return query


def _own_sites_only(query: EventQuery, viewer: Viewer) -> bool:
    sites = set(query.values("site"))
    return bool(sites) and sites <= viewer.exact_sites


def _cached(query: EventQuery, *, measure: Measure, profile: Profile, frozen: Frozen) -> Release:
    """Answer once per snapshot, question, measure and profile."""
    about = f"{code_version()} {frozen.kind} {frozen.label} {frozen.data_as_of}"
    named = f"{frozen.snapshot_id} {about} {measure} {profile} {query.canonical()}"
    key = f"answer-{hashlib.sha256(named.encode()).hexdigest()}"
    release: Release | None = cache.get(key)
    if release is None:
        release = _worked_out(query, measure=measure, profile=profile, frozen=frozen)
        cache.set(key, release, CACHED_SECONDS)
    return release


def _worked_out(
    query: EventQuery, *, measure: Measure, profile: Profile, frozen: Frozen
) -> Release:
    store = frozen.store
    question = read_question(query, measure=measure, manifest=store.manifest)
    columns = _columns(question)
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
    if profile is Profile.PROTECTED:
        rows = _protected(rows, frozen, question)
    rows = ordered(rows, question=question, terms=store.manifest.terms, columns=columns)
    meta = _meta(question, frozen=frozen, profile=profile, per=per)
    shown, values = written(rows, question=question, terms=store.manifest.terms, columns=columns)
    return Release(meta=meta, columns=shown, rows=values)


def _protected(rows: Sequence[Row], frozen: Frozen, question: Question) -> list[Row]:
    """The same rows for every state of the data, small ones hidden."""
    patients = cells.patients_behind(frozen.store, question)
    found = {row.key: row for row in rows}
    listed = _listed_keys(frozen, question)
    whole = [
        replace(found[key], patients=patients.get(key, 0))
        if key in found
        else Row(key, {"unit": question.unit_of(key)}, CellStatus.ZERO)
        for key in listed
    ]
    return hide_small(
        whole, minimum=settings.REGISTRY_PROTECTED_MINIMUM, kept=frozenset({"unit", "status"})
    )


def _listed_keys(frozen: Frozen, question: Question) -> list[Key]:
    manifest = frozen.store.manifest
    if question.query.group_by == ("year",):
        first, last = manifest.years or (1, 0)
        return [(year,) for year in range(first, last + 1)]
    if question.query.group_by == ("category",):
        chosen = {term.category for term in selected_terms(question.query, manifest.terms)}
        return [(group.code,) for group in manifest.terms.categories if group.code in chosen]
    return [()]


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


def _meta(
    question: Question, *, frozen: Frozen, profile: Profile, per: int
) -> Mapping[str, object]:
    query, manifest = question.query, frozen.store.manifest
    rates = question.measure is Measure.RATES
    meta: dict[str, object] = {
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
        "method": words.method(question),
        "profile": profile.value,
        "warnings": words.warnings(question, profile=profile),
        "receipt": receipt(query, question.measure, frozen.snapshot_id, profile),
    }
    if profile is Profile.EXACT and rates:
        meta["coverage"] = coverage_of(frozen.store, question)
    return meta


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
