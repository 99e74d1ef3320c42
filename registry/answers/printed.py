"""A report as one HTML document to print or to keep: pictures and style inside, no script."""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from registry.answers.citations import PUBLISHER, csv_digest
from registry.answers.pictures import picture_of, size_of
from registry.answers.tables import PROTECTED, source_of
from registry.answers.yearly import Report, ReportPart
from registry.charts import chart_of


@dataclass(frozen=True, slots=True)
class Drawn:
    """A part with its picture. picture: a data URI; size: in pixels; digest: SHA-256 of its CSV."""

    part: ReportPart
    picture: str = ""
    size: tuple[int, int] = (0, 0)
    alt: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """The document and the content security policy that it holds itself to."""

    html: str
    policy: str


def document_of(
    report: Report, *, address: str = "", others: Sequence[str] = (), newest: str = ""
) -> Document:
    """The document of a report that has an answer.

    address: where the report is, absolute; empty in a file. others: labels of other releases to
    link to from a page. newest: the label of the newest release.
    """
    style = render_to_string("registry/report.css")
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'"
    snapshot = report.meta["snapshot"]
    drawn = {part.place: _drawn(part) for part in report.parts}
    context = {
        "report": report,
        "chapters": [
            (chapter, [drawn[part.place] for part in chapter.parts]) for chapter in report.chapters
        ],
        "drawn": [each for each in drawn.values() if each.digest],
        "refused": [part for part in report.parts if part.refused],
        "release": snapshot,
        "source": source_of(report.meta),
        "profile_words": PROTECTED,
        "publisher": PUBLISHER,
        "version": report.meta["code_version"],
        "catalogue_version": report.meta["catalogue_version"],
        # The registry's own file, with no value in it.
        "style": SafeString(style),  # nosec B703
        "policy": policy,
        "address": address,
        "others": others,
        "newest": newest,
    }
    return Document(render_to_string("registry/report.html", context), policy)


def _drawn(part: ReportPart) -> Drawn:
    if part.release is None:
        return Drawn(part)
    svg = picture_of(part.release, "svg")
    return Drawn(
        part,
        picture=f"data:image/svg+xml;base64,{b64encode(svg).decode()}",
        size=size_of(part.release),
        alt=chart_of(part.release).alt,
        digest=csv_digest(part.release),
    )
