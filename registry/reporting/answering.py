"""The door out: answers a question for a viewer."""

import hashlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache as once
from importlib.metadata import version

from django.conf import settings
from django.core.cache import cache

from registry.models import AccessLog
from registry.records import Column, EventQuery, Fault, NotPermitted, Release, Viewer
from registry.reporting import protected_answers
from registry.reporting.asking import freshness
from registry.reporting.asking.freshness import Frozen
from registry.reporting.asking.noting import note_question
from registry.reporting.asking.opening import disclosure_keys
from registry.reporting.asking.profiles import profile_of
from registry.reporting.asking.spec import Answered, Question
from registry.reporting.asking.still_open import open_years_of
from registry.reporting.estimating.completeness import completeness_of
from registry.reporting.estimating.literature import literature_beside
from registry.reporting.estimating.rows import ordered, written
from registry.reporting.measures.columns import protected_columns_of
from registry.reporting.protected.pace import at_full_ticks
from registry.reporting.protected_completeness import protected_completeness
from registry.reporting.receipts import Receipt
from registry.reporting.taken import read_question
from registry.reporting.words import published, sentences
from registry.reporting.words.left_out import left_out
from registry.reporting.words.printing import under_agreement
from registry.reporting.words.provisional import provisional
from registry.reporting.words.ranked import ranked
from registry.vocabulary import Measure, Profile

DEFAULT_PER = 1000
CACHED_SECONDS = 24 * 3600


def answer(query: EventQuery, *, measure: Measure, viewer: Viewer) -> Release:
    """Answers a question within the viewer's rights; the only way a number leaves.

    Raises NotPermitted, BadQuery, NoSnapshot, and NotAvailableAtThisDetail for a finer question
    than the protected profile has. An exact answer over more than the viewer's own sites is
    logged, and so is a protected question, once a day.
    """
    if profile_of(query, viewer) is Profile.PROTECTED:
        release = protected_answer(query, measure, published_for(query, viewer))
        note_question(release, measure=measure, viewer=viewer)
        return release
    frozen = freshness.named_release(query.release) if query.release else freshness.current()
    return exact_answer(query, measure, frozen, viewer=viewer)


def exact_answer(
    query: EventQuery, measure: Measure, frozen: Frozen, *, viewer: Viewer, anew: bool = False
) -> Release:
    """An exact answer for a viewer allowed to have it; logged beyond own sites.

    What is read under a data-use agreement says so, with its rule: `agreement` in meta. anew:
    works it out even where the cache holds it.
    """
    release = _cached(
        query,
        measure=measure,
        profile=Profile.EXACT,
        frozen=frozen,
        work=lambda: _exact(query, measure, frozen),
        anew=anew,
    )
    if _own_sites_only(query, viewer):
        return release
    AccessLog.objects.create(
        user_id=viewer.user_id,
        action="exact-statistics",
        what=f"{measure.value} {query.canonical()}",
        count=len(release.rows),
    )
    if viewer.agreement is None:
        return release
    said = {"agreement": viewer.agreement.rule, "warnings": under_agreement(release)}
    return replace(release, meta={**release.meta, **said})


def published_for(query: EventQuery, viewer: Viewer) -> Frozen:
    """The named release, or the newest; the public may ask the newest only."""
    if query.release is None:
        return freshness.newest_release()
    named = freshness.named_release(query.release)
    hold_public_to_newest(named, viewer)
    return named


def hold_public_to_newest(frozen: Frozen, viewer: Viewer) -> None:
    """Refuses older releases to anonymous callers; raises NotPermitted."""
    if viewer.is_public and frozen.snapshot_id != freshness.newest_release().snapshot_id:
        raise NotPermitted(
            Fault("release", "newest-only", "Sign in as a researcher to ask an older release.")
        )


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
    anew: bool,
) -> Release:
    """Caches answers by snapshot, question, measure and profile."""
    about = f"{code_version()} {frozen.kind} {frozen.label} {frozen.data_as_of}"
    about += " behind" if frozen.cannot_follow else ""
    named = f"{frozen.snapshot_id} {about} {measure} {profile} {query.canonical()}"
    key = f"answer-{hashlib.sha256(named.encode()).hexdigest()}"
    release: Release | None = None if anew else cache.get(key)
    if release is None:
        release = work()
        cache.set(key, release, CACHED_SECONDS)
    return release


def _exact(query: EventQuery, measure: Measure, frozen: Frozen) -> Release:
    store = frozen.store
    question = _read(query, measure, frozen, Profile.EXACT)
    per = query.per or DEFAULT_PER
    found = question.spec.answered(store, question, per)
    meta = _meta(question, frozen=frozen, profile=Profile.EXACT, per=per)
    meta["completeness"] = completeness_of(store, question)
    meta["warnings"] = [*_listed(meta["warnings"]), *sentences.about_rows(question, found.rows)]
    return _written(found, meta, question, frozen, columns=question.spec.columns(question))


def _read(query: EventQuery, measure: Measure, frozen: Frozen, profile: Profile) -> Question:
    manifest, as_of = frozen.store.manifest, frozen.data_as_of
    question = read_question(query, measure=measure, manifest=manifest, as_of=as_of)
    sites = frozenset(query.values("site"))
    found = open_years_of(manifest, as_of, profile=profile, sites=sites)
    return replace(question, open_years=found)


def protected_answer(
    query: EventQuery, measure: Measure, frozen: Frozen, *, anew: bool = False
) -> Release:
    """The same protected answer for every viewer; does not depend on the viewer.

    anew: works it out even where the cache holds it.
    """
    keys = disclosure_keys()
    protected_answers.hold_to_keys(frozen, keys)
    protected_answers.hold_to_hands(frozen)
    protected_question = protected_answers.read_protected(
        query, measure=measure, frozen=frozen, per=DEFAULT_PER
    )
    form = protected_answers.published_form(measure)

    def work() -> Release:
        question = _read(protected_question.query, measure, frozen, Profile.PROTECTED)
        found = protected_answers.protected_rows(protected_question, frozen=frozen, keys=keys)
        meta = _meta(
            question,
            frozen=frozen,
            profile=Profile.PROTECTED,
            per=protected_question.query.per or DEFAULT_PER,
        )
        meta["completeness"] = protected_completeness(question, frozen)
        meta["disclosure"] = published.disclosure(
            question, form, protected_question.plan, protected_question.policy
        )
        return _written(found, meta, question, frozen, columns=protected_columns_of(question))

    return _cached(
        protected_question.query,
        measure=measure,
        profile=Profile.PROTECTED,
        frozen=frozen,
        work=lambda: at_full_ticks(work),
        anew=anew,
    )


def _written(
    found: Answered,
    meta: Mapping[str, object],
    question: Question,
    frozen: Frozen,
    *,
    columns: tuple[Column, ...],
) -> Release:
    terms = frozen.store.manifest.terms
    rows = ordered(found.rows, question=question, terms=terms, columns=columns)
    shown, values = written(rows, question=question, terms=terms, columns=columns)
    said = [*_listed(meta["warnings"]), *_listed(found.meta.get("warnings", []))]
    return Release(
        meta={**meta, **found.meta, "warnings": ranked(said)},
        columns=shown,
        rows=values,
        query=question.query,
        reading=question.spec.reading,
    )


def _listed(warnings: object) -> list[str]:
    return [str(warning) for warning in warnings] if isinstance(warnings, list) else []


def _meta(question: Question, *, frozen: Frozen, profile: Profile, per: int) -> dict[str, object]:
    query, manifest = question.query, frozen.store.manifest
    measure = question.spec.measure
    return {
        "title": sentences.title(question, manifest.terms),
        "measure": measure.value,
        "snapshot": {
            "id": frozen.snapshot_id,
            "kind": frozen.kind.value,
            "label": frozen.label,
        },
        "data_as_of": frozen.data_as_of.isoformat() if frozen.data_as_of else None,
        "catalogue_version": manifest.terms.version,
        "code_version": code_version(),
        "counting": question.counting.value,
        "counting_in_words": sentences.counted(question),
        "denominator": question.spec.denominator(question),
        "per": per if "per" in question.spec.takes else None,
        "level": query.level,
        **literature_beside(question, manifest.terms, per=per),
        "method": sentences.method(question, profile=profile),
        "profile": profile.value,
        "provisional": question.open_years.told(),
        "warnings": [
            *(published.early(frozen) if profile is Profile.PROTECTED else ()),
            *provisional(question, frozen),
            *sentences.warnings(question, profile=profile),
            *left_out(question, manifest, profile=profile),
        ],
        "receipt": Receipt.of(query, measure, frozen, profile).signed(),
    }


@once
def code_version() -> str:
    """The version of this code: as pyproject.toml names it, or the package that is installed."""
    project = settings.BASE_DIR / "pyproject.toml"
    if not project.exists():
        return version("pump-registry")
    return str(tomllib.loads(project.read_text())["project"]["version"])
