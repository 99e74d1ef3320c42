"""An answer as a page shows it: table, picture, findings, files, and how to cite it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import QueryDict

from registry.answers.alternatives import Alternative, alternatives, with_device_time
from registry.answers.asking import Refused, ask, with_set
from registry.answers.completeness import CompletenessBlock, completeness_of
from registry.answers.landmarks import LandmarkTable, landmarks_of
from registry.answers.numbers import in_percent, limits_of, written
from registry.answers.page_question import PageQuestion, api_address, read_page_question
from registry.answers.pictures import size_of
from registry.answers.summaries import summary_of
from registry.answers.tables import AnswerTable, day_of, table_of
from registry.answers.told_before import rows_told
from registry.charts import chart_of
from registry.records import Cell, Release, Viewer
from registry.reporting import MEASURES, population_in_words
from registry.vocabulary import CellStatus, Evidence, Profile

EVIDENCE = {each.value: each.label for each in Evidence}
FILES = (("csv", "CSV"), ("json", "JSON"), ("png", "PNG"), ("svg", "SVG"), ("vega", "Vega-Lite"))
"""The formats of an answer, as the API and as a person call them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFigure:
    """One figure of the literature, in the measure and unit of the answer it stands beside.

    of: the therapy and the ages of its patients, as far as the source says.
    """

    complication: str
    of: str
    value: str
    limits: str
    source: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedInWords:
    """How to cite an answer. lasts: whether the answer stays the same after later entries."""

    words: str
    receipt: str
    address: str
    lasts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAnswer:
    """One answer on a page.

    picture, files: API addresses of the same answer. size: the picture's width and height in
    pixels. copied: the absolute address of its JSON.
    agreement: the rule of the agreement it is read under; empty without one.
    """

    table: AnswerTable
    summary: Sequence[str]
    landmarks: LandmarkTable | None
    literature: Sequence[PublishedFigure]
    completeness: CompletenessBlock | None
    picture: str
    size: tuple[int, int]
    alt: str
    files: Sequence[tuple[str, str]]
    copied: str
    citation: CitedInWords
    is_exact: bool
    agreement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer, or the refusal with alternative questions.

    An answer has alternatives only where no row has a denominator.
    """

    answered: PageAnswer | None = None
    refused: Refused | None = None
    instead: Sequence[Alternative] = ()


def reply_to(
    question: PageQuestion, *, viewer: Viewer, absolute: Callable[[str], str], params: Any = None
) -> Reply:
    """Asks the question and prepares the answer for a page.

    absolute: makes an address of this server absolute. params: the page's own, from which the
    alternatives to a refused question are made.
    """
    panel = ask(question.query, question.measure, viewer)
    own = question.params if params is None else params
    if panel.release is None:
        finer = panel.refused is not None and panel.refused.status == 422
        nearest = alternatives(own, viewer) if finer else []
        return Reply(refused=panel.refused, instead=[with_told(each, viewer) for each in nearest])
    instead = with_device_time(own, viewer) if divides_by_nothing(panel.release) else ()
    return Reply(answered=answered(panel.release, question, absolute), instead=instead)


def with_told(alternative: Alternative, viewer: Viewer) -> Alternative:
    """The same with how many of its rows are told: one question, whose answer is kept."""
    question = read_page_question(QueryDict(alternative.params), viewer)
    panel = ask(question.query, question.measure, viewer)
    return replace(alternative, told=rows_told(panel)) if panel.release else alternative


def divides_by_nothing(release: Release) -> bool:
    """Whether there are rows, and none of them has a denominator."""
    statuses = {row["status"] for row in release.rows}
    return statuses == {CellStatus.NO_DENOMINATOR.value}


def answered(
    release: Release, question: PageQuestion, absolute: Callable[[str], str]
) -> PageAnswer:
    """A release as a page shows it."""
    address = api_address(question.measure, question.params)

    def as_file(kind: str) -> str:
        return api_address(question.measure, with_set(question.params, format=kind))

    return PageAnswer(
        table=table_of(release),
        summary=summary_of(release),
        landmarks=landmarks_of(release),
        literature=literature_of(release.meta),
        completeness=completeness_of(release.meta),
        picture=as_file("svg"),
        size=size_of(release),
        alt=chart_of(release).alt,
        files=[(name, as_file(kind)) for kind, name in FILES],
        copied=absolute(address),
        citation=citation_of(release.meta, absolute),
        is_exact=release.meta["profile"] == Profile.EXACT,
        agreement=str(release.meta.get("agreement") or ""),
    )


def citation_of(meta: Mapping[str, Any], absolute: Callable[[str], str]) -> CitedInWords:
    """The citation of an answer: its title, its data, and the address that returns it again."""
    snapshot = meta["snapshot"]
    lasts = bool(snapshot["label"])
    data = f"Release {snapshot['label']}" if lasts else f"Working snapshot {snapshot['id'][:12]}"
    address = absolute(f"/api/v1/statistics/receipts/{meta['receipt']}/")
    return CitedInWords(
        words=(
            f"Pump registry. {meta['title']}. {data}, data as of "
            f"{day_of(meta['data_as_of'])}, {meta['profile']} numbers. {address}"
        ),
        receipt=meta["receipt"],
        address=address,
        lasts=lasts,
    )


def literature_of(meta: Mapping[str, Any]) -> list[PublishedFigure]:
    """The published figures in an answer, in words."""
    return [_published(each) for each in meta.get("literature") or ()]


def _published(figure: Mapping[str, Any]) -> PublishedFigure:
    shares = MEASURES[figure["measure"]].reading.shares
    value: Cell = figure["value"]
    both = limits_of(figure.get("ci_lower"), figure.get("ci_upper"), shares=shares)
    unit = (
        ""
        if shares
        else " ".join(str(figure[name]) for name in ("per", "unit") if figure.get(name))
    )
    text = in_percent(value) if shares else written(value)
    source, year = str(figure["source"]), figure.get("year")
    dated = f"{source} ({year})" if year and str(year) not in source else source
    return PublishedFigure(
        complication=str(figure.get("complication_label") or figure.get("complication") or ""),
        of=population_in_words(str(figure.get("therapy")), str(figure.get("age_group"))),
        value=f"{text} per {unit}" if unit else text,
        limits=both,
        source=dated,
        evidence=EVIDENCE.get(str(figure.get("evidence")), ""),
    )
