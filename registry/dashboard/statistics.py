"""The dashboard: one question as a table of rates, by the same doors as the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.dateformat import format as date_format
from django.views.decorators.http import require_safe

from registry import reporting
from registry.filters import EventFilterSet, parse_query
from registry.records import (
    DIMENSIONS,
    BadQuery,
    Cell,
    Column,
    NoSnapshot,
    NotAvailableAtThisDetail,
    NotPermitted,
    Refusal,
    Release,
    Side,
    Viewer,
)
from registry.vocabulary import CellStatus, Denominator, Measure, Profile

API_ADDRESS = "/api/v1/statistics/rates/"
DEFAULT_GROUPING = "category"

FIRST_FIELDS = ("category", "complication", "site", "year_min", "year_max")
"""What most people ask by; everything else is one click further."""

FURTHER_FIELDS = (
    ("How it is counted", ("counting", "unit", "per", "level")),
    ("The event", Side.EVENT),
    ("The device and its drug", Side.DEVICE),
    ("The patient", Side.PATIENT),
    ("The place", Side.SITE),
    ("The time", Side.TIME),
)
EXACT_OPTIONS = frozenset({"counting", "unit", "year_min", "year_max"})
"""Options that the protected profile does not have."""

REFUSALS: Mapping[type[Refusal], tuple[int, str, str, str]] = {
    BadQuery: (
        400,
        "error",
        "This question cannot be read",
        "Mend the filters below and ask again.",
    ),
    NotPermitted: (
        403,
        "warning",
        "Your account may not ask this",
        "Ask it with less detail: one category, or rates by year. Exact numbers of every site need"
        " a data-use agreement, which the registry's data manager can give.",
    ),
    NotAvailableAtThisDetail: (
        422,
        "warning",
        "This detail is not given out",
        "Choose the coarser level that is named above.",
    ),
    NoSnapshot: (
        409,
        "warning",
        "There is nothing published to count yet",
        "Statistics come from frozen data. A data manager publishes a release with the freeze"
        " command; then this page answers.",
    ),
}
"""Status, tone, heading and the way on for each reason that a question can be turned away."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One cell as the page writes it."""

    text: str
    heading: bool = False
    number: bool = False
    hidden: bool = False


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Answer the question in the address; without one, rates by complication category.

    Strangers are led to sign in unless the deployment's statistics are public.
    """
    if not (request.user.is_authenticated or settings.REGISTRY_PUBLIC_STATISTICS):
        return redirect_to_login(request.get_full_path())
    asked = without_blanks(request.GET)
    question = with_defaults(asked)
    status = 200
    context: dict[str, Any] = {"room": "dashboard", "asked": asked}
    viewer = reporting.viewer_of(request.user)
    filters = EventFilterSet.base_filters
    try:
        query = parse_query(question, measure=Measure.RATES)
        release = reporting.answer(query, measure=Measure.RATES, viewer=viewer)
    except (BadQuery, NotPermitted, NotAvailableAtThisDetail, NoSnapshot) as refusal:
        status, tone, heading, way_on = REFUSALS[type(refusal)]
        context["refusal"] = {
            "tone": tone,
            "heading": heading,
            "way_on": way_on,
            "faults": refusal.faults,
        }
    else:
        context["table"] = table_of(release)
        context["asked_words"] = [
            (filters[name].label, ", ".join(values))
            for name, values in asked.lists()
            if name not in {"group_by", "labels"}
        ]
        context["api_address"] = f"{API_ADDRESS}?{question.urlencode()}"
        context["csv_address"] = f"{API_ADDRESS}?{with_one(question, 'format', 'csv').urlencode()}"
    context["form"] = QuestionForm(question, viewer)
    return render(request, "registry/dashboard.html", context, status=status)


def without_blanks(params: QueryDict) -> QueryDict:
    """What was really asked: a form sends every box that was left empty, too."""
    asked = QueryDict(mutable=True)
    for name, values in params.lists():
        if kept := [value for value in values if value.strip()]:
            asked.setlist(name, kept)
    return asked


def with_defaults(asked: QueryDict) -> QueryDict:
    """The question with the page's own habits: by category, in labels rather than codes."""
    question = asked.copy()
    question.setdefault("group_by", DEFAULT_GROUPING)
    question.setdefault("labels", "label")
    return question


def with_one(question: QueryDict, name: str, value: str) -> QueryDict:
    """The same question with one parameter set."""
    changed = question.copy()
    changed[name] = value
    return changed


class QuestionForm:
    """The filter form, as far as this viewer may use it.

    groups: what rows can be made of, as (name, title, chosen). releases: labels to cite.
    first, further: the filters, the common ones apart. own_site_only: whether most of them
    work only together with an own site.
    """

    def __init__(self, question: QueryDict, viewer: Viewer) -> None:
        known = {str(each["name"]): each for each in reporting.dimensions(viewer)}
        exact = any(each["filter"] for name, each in known.items() if name != DEFAULT_GROUPING)
        self.own_site_only = any(each["only_with_own_site"] for each in known.values())
        chosen = ",".join(question.getlist("group_by"))
        self.groups = [
            (name, str(each["title"]), name == chosen)
            for name, each in known.items()
            if each["group_by"]
        ]
        if chosen not in {name for name, _title, _chosen in self.groups}:
            self.groups.append((chosen, chosen.replace(",", ", then "), True))
        self.releases = [
            (str(each["label"]), each["label"] == question.get("release"))
            for each in reporting.snapshots(viewer)
            if each["label"]
        ]
        self.fields = EventFilterSet(question, measure=Measure.RATES).form
        self.fields.label_suffix = ""
        usable = {name for name, each in known.items() if each["filter"]}
        usable |= {"per", "level"} | (EXACT_OPTIONS if exact else set())
        if "site" in usable:
            self.fields.fields["site"].choices = [  # type: ignore[attr-defined]
                (each["id"], each["label"])
                for each in known["site"]["values"]  # type: ignore[attr-defined]
            ]
        self.first = [self.fields[name] for name in FIRST_FIELDS if name in usable]
        self.further = [
            (title, [self.fields[name] for name in members_of(members) if name in usable])
            for title, members in FURTHER_FIELDS
        ]


def members_of(members: Side | tuple[str, ...]) -> list[str]:
    """The filters of one section that do not stand among the first ones."""
    if isinstance(members, Side):
        members = tuple(name for name, each in DIMENSIONS.items() if each.side is members)
    return [name for name in members if name not in FIRST_FIELDS]


def table_of(release: Release) -> dict[str, Any]:
    """A release as a page's table: titles, cells in words, caption, legend and warnings."""
    meta = release.meta
    columns = [column for column in release.columns if column.name not in FOLDED]
    statuses = {str(row["status"]) for row in release.rows}
    return {
        "title": meta["title"],
        "caption": caption_of(meta),
        "columns": [
            {"title": title_of(column), "number": column.role in {"measure", "interval"}}
            for column in columns
        ],
        "rows": [[shown(row, column) for column in columns] for row in release.rows],
        "legend": [status for status in CellStatus if status in statuses - {"ok"}],
        "warnings": meta.get("warnings") or (),
        "receipt": release.receipt,
    }


FOLDED = frozenset({"ci_upper"})
"""Columns that another column shows: both limits stand together."""

STATUSES = {each.value: each for each in CellStatus}
UNITS = {each.value: each for each in Denominator}
TITLES = {"ci_lower": "Interval", "unit": "Divided by", "status": "Status"}
"""Headings that the page writes in its own words."""


def title_of(column: Column) -> str:
    """A column's heading, in words."""
    return TITLES.get(column.name) or column.title or column.name


def caption_of(meta: Mapping[str, Any]) -> list[str]:
    """What one needs to know to read the numbers: counting, unit, time, protection, source."""
    frozen = meta["snapshot"]
    source = f"release {frozen['label']}" if frozen["label"] else f"snapshot {frozen['id'][:12]}"
    return [
        f"Counted: {meta['counting_in_words']}",
        f"Rates are per {meta['per']:,} of the unit that they are divided by.",
        f"Intervals of {round(100 * meta['level'])} %: {meta['method']}",
        f"Data as of {day_of(meta['data_as_of'])}, {source}.",
        EXACT if meta["profile"] == Profile.EXACT else PROTECTED,
    ]


EXACT = "Exact numbers; whoever looks beyond an own site is logged."
PROTECTED = "Protected numbers: small counts are hidden, so that nobody can be singled out."


def day_of(instant: str | None) -> str:
    """A day in words; a registry without any row has none."""
    if not instant:
        return "no entry yet"
    return date_format(datetime.fromisoformat(instant), "j F Y, H:i") + " UTC"


def shown(row: Mapping[str, Cell], column: Column) -> Shown:
    """One cell in words; a hidden number shows why it is hidden, never a zero or a blank."""
    value = row[column.name]
    number = column.role in {"measure", "interval"}
    if column.name == "status":
        return Shown(STATUSES[str(value)].label)
    if column.name == "unit":
        return Shown(UNITS[str(value)].label if value else "")
    if column.role == "dimension":
        return Shown(str(value), heading=True)
    if value is None:
        return Shown(STATUSES[str(row["status"])].label, number=number, hidden=True)
    if column.name == "ci_lower":
        return Shown(f"{written(value)} to {written(row['ci_upper'])}", number=True)
    return Shown(written(value), number=number)


def written(value: Cell) -> str:
    """A number as a reader wants it: whole numbers grouped, others to three figures or more."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}"
