"""The permanent page of a cited answer, and the way to it from a receipt."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from registry import reporting
from registry.answers.asking import REFUSALS, Refused, may_look
from registry.answers.citations import WRITERS, csv_digest, reference_of
from registry.answers.files import as_csv, as_json, body_of
from registry.answers.pictures import SVG_POLICY, in_words, picture_of, size_of
from registry.answers.tables import EXACT, PROTECTED, table_of
from registry.charts import chart_of
from registry.intake.citations import citation_of, keep_citation
from registry.records import EngineAway, Release, SnapshotUnusable, UnknownReceipt, Viewer
from registry.reporting import answer_again
from registry.vocabulary import Profile

UNKNOWN = "This registry knows no such receipt, or it is not for you: copy the whole receipt."
NOT_A_RELEASE = "Only answers of a release last: ask the question of a release, and cite that."


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cite(request: HttpRequest) -> HttpResponse:
    """Makes the permanent page of a receipt, or leads to it; without a receipt asks for one."""
    receipt = request.POST.get("receipt", "").strip()
    if receipt and (code := _kept(request, receipt)):
        return redirect("citation", code=code)
    return render(request, "registry/cite.html", {"room": "dashboard", "page": "cite"})


def _kept(request: HttpRequest, receipt: str) -> str | None:
    """The short code of a receipt's page; None, with a message, where it can have none."""
    viewer = reporting.viewer_of(request.user)
    try:
        release = answer_again(receipt, viewer=viewer)
    except UnknownReceipt:
        messages.error(request, UNKNOWN)
        return None
    except tuple(REFUSALS) as refusal:
        messages.error(request, " ".join(fault.detail for fault in refusal.faults))
        return None
    if not release.meta["snapshot"]["label"]:  # type: ignore[index]
        messages.error(request, NOT_A_RELEASE)
        return None
    kept = keep_citation(
        receipt,
        by=request.user,  # type: ignore[arg-type]
        is_public=_is_public(receipt),
        sha256=csv_digest(release),
        code_version=str(release.meta["code_version"]),
    )
    return kept.code


def _is_public(receipt: str) -> bool:
    """Whether the public can ask for a receipt's answer at this moment."""
    if not settings.REGISTRY_PUBLIC_STATISTICS:
        return False
    try:
        answer_again(receipt, viewer=Viewer())
    except UnknownReceipt:
        return False
    except tuple(REFUSALS):
        return False
    return True


@require_safe
def citation(request: HttpRequest, code: str) -> HttpResponse:
    """A cited answer: title, picture, table, how it was counted, and how to cite it."""
    kept = _known(code)
    if not (kept.is_public or may_look(request)):
        return redirect_to_login(request.get_full_path())
    context: dict[str, Any] = {"room": "dashboard", "page": "citation", "kept": kept}
    context["address"] = request.build_absolute_uri(reverse("citation", args=[code]))
    try:
        release = drawn = _answer(kept, request)
        if in_words(release.query) != release.query:
            drawn = _answer(kept, request, in_words=True)
    except tuple(REFUSALS) as refusal:
        context["refused"] = refused = Refused.because(refusal)
        return render(request, "registry/citation.html", context, status=refused.status)
    digest = csv_digest(release)
    context |= {
        "table": table_of(release),
        "alt": chart_of(drawn).alt,
        "size": size_of(drawn),
        "release": release.meta["snapshot"],
        "profile_words": EXACT if release.meta["profile"] == Profile.EXACT else PROTECTED,
        "agreement": release.meta.get("agreement", ""),
        "digest": digest,
        "is_same": digest == kept.sha256,
        "version": release.meta["code_version"],
    }
    return render(request, "registry/citation.html", context)


@require_safe
def citation_file(request: HttpRequest, code: str, ending: str) -> HttpResponse:
    """A cited answer as CSV, JSON, SVG or PNG, or its reference as BibTeX or RIS."""
    kept = _known(code)
    if ending not in {*FILES, *WRITERS}:
        raise Http404
    if not (kept.is_public or may_look(request)):
        return redirect_to_login(request.get_full_path())
    try:
        release = _answer(kept, request, in_words=ending in PICTURES)
    except (SnapshotUnusable, EngineAway):  # no fault of the address: the page of 503 says why
        raise
    except tuple(REFUSALS) as refusal:
        raise Http404 from refusal
    if ending in WRITERS:
        media_type, write = WRITERS[ending]
        address = request.build_absolute_uri(reverse("citation", args=[code]))
        content = write(
            reference_of(release, code=code, address=address, digest=csv_digest(release))
        )
    else:
        media_type, made = FILES[ending]
        content = made(release)
    reply = HttpResponse(content, content_type=media_type)
    shown = "inline" if ending in PICTURES else "attachment"
    reply["Content-Disposition"] = f'{shown}; filename="pump-registry-{code}.{ending}"'
    reply["ETag"] = f'"{sha256(content).hexdigest()[:32]}"'
    if ending == "svg":
        reply["Content-Security-Policy"] = SVG_POLICY
    return reply


PICTURES = frozenset({"svg", "png"})
FILES: dict[str, tuple[str, Callable[[Release], bytes]]] = {
    "csv": ("text/csv", lambda release: as_csv(body_of(release))),
    "json": ("application/json", lambda release: as_json(body_of(release))),
    "svg": ("image/svg+xml", lambda release: picture_of(release, "svg")),
    "png": ("image/png", lambda release: picture_of(release, "png")),
}


def _known(code: str) -> Any:
    kept = citation_of(code)
    if kept is None:
        raise Http404
    return kept


def _answer(kept: Any, request: HttpRequest, *, in_words: bool = False) -> Release:
    """The cited answer, from its release; an answer for somebody else is unknown (404)."""
    viewer = reporting.viewer_of(request.user)
    try:
        return answer_again(
            kept.receipt, viewer=viewer, in_words=in_words, was_public=kept.is_public
        )
    except UnknownReceipt as error:
        raise Http404 from error
