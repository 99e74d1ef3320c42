"""The filter form of the dashboard, as far as its reader may use it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.forms import BoundField
from django.http import QueryDict

from registry import reporting
from registry.filters import EventFilterSet
from registry.records import DIMENSIONS, Side, Viewer
from registry.vocabulary import CountingRule, Measure

FIRST_FIELDS = ("category", "complication", "site", "year_min", "year_max")
"""What most people ask by; everything else is one click further."""

SECTIONS: tuple[tuple[str, Side], ...] = (
    ("The event", Side.EVENT),
    ("The device and its drug", Side.DEVICE),
    ("The patient", Side.PATIENT),
    ("The place", Side.SITE),
    ("The time", Side.TIME),
)
OPTIONS: Mapping[Measure, tuple[str, ...]] = {
    Measure.COUNTS: ("counting",),
    Measure.RATES: ("counting", "unit", "per", "level"),
    Measure.PROPORTIONS: ("counting", "level"),
}
"""How each measure is counted, as far as one can choose."""

EXACT_OPTIONS = frozenset({"counting", "unit", "year_min", "year_max"})
"""Options that the protected profile leaves little or no choice in."""

MEASURES = tuple(OPTIONS)
GROUPINGS = ("One row for each", "and each", "and each")


class QuestionForm:
    """The filters, options and groupings that one viewer may use on one page.

    measure: None on a page that asks several; options and groupings are then left out.
    measures, releases: (code, words, chosen). groups: for each of three boxes its title and
    (name, title, chosen). first, further: the filters, the common ones apart. own_site_only:
    whether most of them work only together with an own site.
    """

    def __init__(self, question: QueryDict, viewer: Viewer, *, measure: Measure | None) -> None:
        self.known = {str(each["name"]): each for each in reporting.dimensions(viewer)}
        usable = {name for name, each in self.known.items() if each["filter"]}
        exact = bool(viewer.exact_everywhere or viewer.exact_sites)
        self.own_site_only = any(each["only_with_own_site"] for each in self.known.values())
        self.releases = [
            (str(each["label"]), each["label"] == question.get("release"))
            for each in reporting.snapshots(viewer)
            if each["label"]
        ]
        self.measures = [(each.value, each.label, each is measure) for each in MEASURES]
        self.groups = self._groups(question) if measure else []
        fields = EventFilterSet(question, measure=measure or Measure.RATES).form
        fields.label_suffix = ""
        self._offer_sites(fields, usable)
        options = OPTIONS[measure] if measure else ("level",)
        usable |= set(options) - (set() if exact else EXACT_OPTIONS)
        usable |= {"year_min", "year_max"} if exact else set()
        self.first: list[BoundField] = [fields[name] for name in FIRST_FIELDS if name in usable]
        members = [("How it is counted", options), *((t, of_side(side)) for t, side in SECTIONS)]
        self.further = [
            (title, [fields[name] for name in names if name in usable]) for title, names in members
        ]

    def _groups(self, question: QueryDict) -> list[tuple[str, str, list[tuple[str, str, bool]]]]:
        chosen = [name for text in question.getlist("group_by") for name in text.split(",") if name]
        boxes = []
        for place, title in enumerate(GROUPINGS):
            picked = chosen[place] if place < len(chosen) else ""
            offered = [
                (name, str(each["title"]), name == picked)
                for name, each in self.known.items()
                if each["group_by"] or name == picked
            ]
            boxes.append((f"id_group_by_{place + 1}", title, offered))
        return boxes

    def _offer_sites(self, fields: Any, usable: set[str]) -> None:
        if "site" in usable:
            fields.fields["site"].choices = self._values("site")

    def _values(self, name: str) -> list[tuple[str, str]]:
        listed: Any = self.known.get(name, {}).get("values") or ()
        return [(str(each["id"]), str(each["label"])) for each in listed]

    def in_words(self, asked: QueryDict) -> list[tuple[str, str]]:
        """What was asked by, as (filter, values); codes that have a label show it."""
        filters = EventFilterSet.base_filters
        said = []
        for name, texts in asked.lists():
            if name not in filters or name in {"group_by", "labels", "format", "ordering"}:
                continue
            labels = dict(COUNTED if name == "counting" else self._values(name))
            codes = [part.strip() for text in texts for part in text.split(",") if part.strip()]
            words = ", ".join(labels.get(code, code) for code in codes)
            said.append((str(filters[name].label), words))
        return said


COUNTED = [(rule.value, rule.label) for rule in CountingRule]


def of_side(side: Side) -> Sequence[str]:
    """The filters of one section that do not stand among the first ones."""
    return [
        name for name, each in DIMENSIONS.items() if each.side is side and name not in FIRST_FIELDS
    ]
