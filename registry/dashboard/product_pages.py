"""The pages of pump and catheter models: freedom from failure, rates, what fails, and signals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from registry import reporting
from registry.answers.asking import Panel, ask, may_look, refused_alike
from registry.answers.completeness import completeness_of
from registry.answers.landmarks import LandmarkTable, landmarks_of
from registry.answers.numbers import in_brackets, limits_of, written
from registry.answers.page_question import api_address
from registry.answers.pictures import size_of
from registry.answers.tables import EXACT, PROTECTED, address_of, source_of, status_in_words
from registry.charts import chart_of
from registry.dashboard.breakdowns import Breakdown, broken_down
from registry.dashboard.common_units import (
    DEVICE_YEARS,
    HUNDRED_OF,
    HUNDRED_YEARS,
    IN_MONTHS,
    in_hundreds,
)
from registry.dashboard.products import KINDS, ProductKind
from registry.filters.catalogue import every_complication
from registry.records import Cell, EventQuery, Release, Viewer
from registry.records.reading import OTHERS
from registry.vocabulary import Measure

Row = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class SignalLine:
    """One pair of the model with a complication or a category, in words."""

    name: str
    address: str
    reports: str
    prr: str
    limits: str
    q: str
    against: str
    verdict: str


@dataclass(frozen=True, slots=True)
class SignalTable:
    """The pairs that are told. hidden: how many are not. rule: when a pair is a signal."""

    lines: Sequence[SignalLine]
    hidden: int
    rule: str


@require_safe
def products(request: HttpRequest) -> HttpResponse:
    """Every pump and catheter model, with freedom from its failure at whole years.

    Names are open to all; numbers to whoever may see statistics: one question a kind.
    """
    kinds, panels = [], []
    viewer = reporting.viewer_of(request.user) if may_look(request) else None
    for kind in KINDS.values():
        panel = ask(survival_by_model(kind), Measure.SURVIVAL, viewer) if viewer else None
        panels += [panel] if panel else []
        kinds.append(
            {
                "kind": kind,
                "models": [
                    (each.label, reverse("product", args=[kind.code, code]))
                    for code, each in kind.models.items()
                ],
                "landmarks": panel.release and landmarks_of(panel.release) if panel else None,
            }
        )
    context = {
        "room": "dashboard",
        "page": "products",
        "kinds": kinds,
        "may_look": viewer is not None,
        **(_about(panels) if viewer else {}),
    }
    return render(request, "registry/products.html", context)


@require_safe
def product(request: HttpRequest, kind: str, code: str) -> HttpResponse:
    """One pump or catheter model.

    Six questions; those that name no model are the same for every model's page, and kept.
    """
    of = KINDS.get(kind)
    model = of.models.get(code) if of else None
    if of is None or model is None:
        raise Http404
    context: dict[str, Any] = {
        "room": "dashboard",
        "page": "products",
        "kind": of,
        "model": model,
        "may_look": may_look(request),
    }
    if context["may_look"]:
        context |= _numbers(of, code, reporting.viewer_of(request.user))
    return render(request, "registry/product.html", context)


def survival_by_model(kind: ProductKind) -> EventQuery:
    """Freedom from the kind's own failures, a curve for each model."""
    where = (("category", (kind.code,)),)
    return EventQuery(where=where, group_by=(kind.dimension,), labels="both")


def _numbers(kind: ProductKind, code: str, viewer: Viewer) -> dict[str, Any]:
    by_model = survival_by_model(kind)
    own = replace(by_model, where=(*by_model.where, (kind.dimension, (code,))), group_by=())
    whole = EventQuery(labels="both")
    alone = replace(whole, where=((kind.dimension, (code,)),))
    pairs = {
        level: ask(replace(whole, group_by=(kind.dimension, level)), Measure.SIGNALS, viewer)
        for level in ("category", "complication")
    }
    curves = ask(by_model, Measure.SURVIVAL, viewer)
    curve = ask(own, Measure.SURVIVAL, viewer)
    rates = replace(by_model, per=HUNDRED_YEARS, reference=OTHERS)
    if viewer.exact_everywhere:
        rates = replace(rates, adjust=("window",))
    compared = ask(rates, Measure.COMPARISON, viewer)
    where = f"{kind.dimension}={code}"
    fails = ask(
        replace(alone, group_by=("complication",), per=HUNDRED_YEARS), Measure.RATES, viewer
    )
    panels = [curves, curve, compared, fails, *pairs.values()]
    return {
        "refused": refused_alike(panels),
        "landmarks": landmarks_of_model(curves.release, kind, code),
        "landmarks_refused": curves.refused,
        "curve": _picture(curve, kind, code),
        "compared": compared_in_words(compared, kind, code),
        "failures": failures_of(fails, where),
        "signals": {
            level: signal_table(panel, kind, code, level) for level, panel in pairs.items()
        },
        "signals_refused": pairs["complication"].refused,
        "explore_address": f"{reverse('explore')}?{where}&group_by=complication",
        **_about(panels),
    }


def _about(panels: Sequence[Panel]) -> dict[str, Any]:
    """What all numbers of a page rest on."""
    first = next((each for each in panels if each.release), None)
    if first is None:
        return {"refused": refused_alike(panels)}
    return {
        "source": source_of(first.meta),
        "profile_words": EXACT if first.is_exact else PROTECTED,
        "agreement": first.meta.get("agreement", ""),
        "completeness": completeness_of(first.meta),
    }


def landmarks_of_model(
    release: Release | None, kind: ProductKind, code: str
) -> LandmarkTable | None:
    """One model's curve at whole years, before those of the others that are told."""
    curves: Any = release.meta.get("curves") if release else None
    if release is None or not curves:
        return None
    mine = [each for each in curves if each.get(kind.dimension) == code]
    others = [each for each in curves if each.get(kind.dimension) != code]
    return landmarks_of(replace(release, meta={**release.meta, "curves": [*mine, *others]}))


def _picture(panel: Panel, kind: ProductKind, code: str) -> dict[str, Any] | None:
    """The model's own curve as a picture; None where it has no value to draw."""
    if panel.release is None or landmarks_of(panel.release) is None:
        return None
    params = QueryDict(f"category={kind.code}&{kind.dimension}={code}&labels=both&format=svg")
    return {
        "address": api_address(Measure.SURVIVAL, params),
        "size": size_of(panel.release),
        "alt": chart_of(panel.release).alt,
    }


def compared_in_words(panel: Panel, kind: ProductKind, code: str) -> str:
    """The rate of a model's own failures against that of all other models together."""
    row = panel.row_of(**{kind.dimension: code}) if panel.release else None
    if row is None:
        return ""
    if row["rate"] is None:
        return f"Its rate of {kind.noun} problems: {status_in_words(row).lower()}."
    times = in_hundreds(row.get("unit") or f"{kind.code}-months")
    unit = HUNDRED_OF[f"{kind.code}-months"]
    said = f"{written(times * float(row['rate']))} {kind.noun} problems {unit}"
    adjusted = _ratio(row, "ratio", "ci_lower", "ci_upper")
    crude = adjusted
    if "crude_ratio" in row:
        crude = _ratio(row, "crude_ratio", "crude_lower", "crude_upper")
    if not crude:
        return f"{said}. No ratio: {row['note'] or status_in_words(row).lower()}"
    said = f"{said}: {crude} times the rate of all other {kind.noun}s together, crude"
    if "crude_ratio" in row and adjusted:
        said = f"{said}; {adjusted} times with months since implant held alike"
    return f"{said}."


def _ratio(row: Row, value: str, lower: str, upper: str) -> str:
    """A ratio with its limits; empty where there is none."""
    if row[value] is None:
        return ""
    return f"{written(row[value])}{in_brackets(limits_of(row[lower], row[upper]))}"


def failures_of(panel: Panel, where: str) -> Breakdown:
    """What goes wrong with a model, the most frequent first.

    Of what is divided by device time and counted in totals: an operation's or a refill's risks, and
    consequences such as death and the expected end of service, are in the whole table.
    """
    counted = {term.code for term in every_complication() if term.in_totals}
    if panel.release is not None:
        rows = [
            row
            for row in panel.rows
            if row["complication"] in counted and row["unit"] in {*IN_MONTHS, None}
        ]
        panel = replace(panel, release=replace(panel.release, rows=tuple(rows)))
    return broken_down(panel, "complication", where=where, unit=DEVICE_YEARS.label)


def signal_table(panel: Panel, kind: ProductKind, code: str, level: str) -> SignalTable | None:
    """The pairs of a model that are told, the strongest first; None where none was answered."""
    if panel.release is None:
        return None
    rows = [row for row in panel.rows if row[kind.dimension] == code]
    told = [row for row in rows if row["ic_lower"] is not None]
    told.sort(key=lambda row: -float(row["ic_lower"] or 0.0))
    about: Any = panel.meta.get("signals") or {}
    return SignalTable(
        [_line(row, level) for row in told],
        len(rows) - len(told),
        str(about.get("rule", "")),
    )


def _line(row: Row, level: str) -> SignalLine:
    verdicts = [name for name, on in (("signal", row["signal"]), ("outlier", row["outlier"])) if on]
    return SignalLine(
        name=str(row.get(f"{level}_label", row[level])),
        address=address_of(level, str(row[level])),
        reports=f"{written(row['n'])} where {written(row['expected'])} are expected",
        prr="" if row["prr"] is None else written(row["prr"]),
        limits=limits_of(row["prr_lower"], row["prr_upper"]),
        q="" if row["q"] is None else written(row["q"]),
        against="" if row["rate_ratio"] is None else written(row["rate_ratio"]),
        verdict=" and ".join(verdicts),
    )
