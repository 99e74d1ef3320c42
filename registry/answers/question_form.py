"""The form of a question, with the filters and options that its viewer may use."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from django.forms import BoundField
from django.http import QueryDict

from registry import reporting
from registry.answers.combining import YEARS, Combining
from registry.answers.page_question import FIRST_MEASURE
from registry.answers.reader_words import title_of
from registry.filters import EventFilterSet
from registry.filters.codes import codes_of
from registry.filters.fields import CodesInput, OptionInput, listed
from registry.records import DIMENSIONS, Side, Viewer
from registry.records.reading import OTHERS
from registry.reporting import MEASURES, SOME_MEASURES, Offer
from registry.vocabulary import CountingRule, Measure

FIRST_FIELDS = ("category", "complication", "drug", "age_group", "site", "year_min", "year_max")
"""The most common filters; the others are one click away."""

SECTIONS: tuple[tuple[str, Side], ...] = (
    ("The event", Side.EVENT),
    ("The device and its drug", Side.DEVICE),
    ("The patient", Side.PATIENT),
    ("The place", Side.SITE),
    ("The time", Side.TIME),
)
EXACT_ONLY = frozenset({"unit", "ci", "standardise", "adjust", "cluster", "year_min", "year_max"})
"""Options with little or no choice in the protected profile: shown there only when used."""

MARK = "form_of"
"""The parameter that marks a submitted form, with the measure whose boxes it had."""

OVERVIEW = "overview"
GROUPINGS = ("One row for each", "and each", "and each")
ALL_OTHERS = "All others together, for each"
NOTHING = ("Nothing: one row", "Nothing more", "Nothing more")

Box = tuple[str, str, str, list[tuple[str, str, bool, str]]]
"""A box to group by: its id, title, text for no grouping, and (name, title, chosen, why not)."""


class QuestionForm:
    """The filters, options and groupings that one viewer may use on one page.

    measure: None on a page that asks several, an overview; groupings are then left out.
    measures, releases: (code, words, chosen). groups: a box for each place of group_by.
    first, further: the filters, the common ones apart. options: how it is counted. carried: valid
    parameters without a box, sent as hidden fields. mark: the measure whose boxes these are.
    own_site_only: whether most of them work only together with an own site. combining: what cannot
    stand beside what is asked, where the answer is protected.
    """

    def __init__(
        self,
        params: QueryDict,
        viewer: Viewer,
        *,
        measure: Measure | None,
        protected: bool = False,
    ) -> None:
        self.known = {str(each["name"]): each for each in reporting.dimensions(viewer)}
        exact = bool(viewer.exact_everywhere or viewer.exact_sites)
        self.own_site_only = any(each["only_with_own_site"] for each in self.known.values())
        self.combining = Combining(self.known) if protected else Combining()
        offers = reporting.offers(viewer)
        offer = next((each for each in offers if each.measure is measure), None)
        self.measures = [(each.measure.value, each.measure.label, each is offer) for each in offers]
        self.overview = measure is None
        self.mark = measure.value if measure else OVERVIEW
        fields: Any = EventFilterSet(params, measure=measure or FIRST_MEASURE).form
        fields.label_suffix = ""
        takes = MEASURES[measure or FIRST_MEASURE]
        known = (set(fields.fields) - set(SOME_MEASURES) - {"format"}) | set(takes.options)
        self.filled = [
            name
            for name in params
            if name in known and listed(params, name) and name not in fields.errors
        ]
        usable = {name for name, each in self.known.items() if each["filter"]}
        usable |= {"year_min", "year_max"} if exact else set()
        usable = (usable - set(takes.not_filtered_by)) | set(self.filled)
        if "site" in usable:
            fields.fields["site"].choices = self._values("site")
        self.releases = self._releases(params, viewer)
        self.used = [name for name in self.filled if name in DIMENSIONS or name in YEARS]
        self.groups = self._groups(params, offer) if measure else []
        if "reference" in takes.takes:
            self._offer_references(
                fields.fields["reference"], takes.rows(listed(params, "group_by"))
            )
        if "effect" in takes.takes:
            level = takes.rows(listed(params, "group_by"))[0]
            fields.fields["effect"].widget = CodesInput(choices=self._values(level))
        self.first = [fields[name] for name in FIRST_FIELDS if name in usable]
        self.options = [fields[name] for name in self._options(fields, offer, exact=exact)]
        self.further = [
            (title, [fields[name] for name in of_side(side) if name in usable])
            for title, side in SECTIONS
        ]
        boxes = [*self.first, *self.options, *(box for _title, of in self.further for box in of)]
        for box in boxes:
            if box.name in self.filled:
                self._offer_chosen(box)
        self._block(boxes, params)
        shown = {box.name for box in boxes}
        shown |= {"release"} if self.releases else set()
        shown |= {"group_by"} if self.groups or offer is None else set()
        self.carried = [
            (name, ",".join(listed(params, name))) for name in self.filled if name not in shown
        ]

    def _block(self, boxes: Sequence[BoundField], params: QueryDict) -> None:
        """Greys filters that protected answers cannot have beside what is asked."""
        used = [*self.used, *listed(params, "group_by")]
        for box in boxes:
            field: Any = box.field
            why = self.combining.why_not(YEARS.get(box.name, box.name), used)
            if why and box.name not in self.filled:
                field.widget.attrs["disabled"] = True
                box.help_text = f"{why.capitalize()}."

    @property
    def combining_data(self) -> str:
        """What may stand together, as JSON for the page's script; empty where all may."""
        found = self.combining.as_data()
        return json.dumps(found) if found else ""

    def _offer_references(self, field: Any, rows: Sequence[str]) -> None:
        """Lists the values of the rows to compare with, where there is a list of them."""
        if values := self._values(rows[0]):
            default = ("", "The one with the most exposure")
            field.widget = OptionInput(choices=[default, (OTHERS, ALL_OTHERS), *values])

    def _releases(self, params: QueryDict, viewer: Viewer) -> list[tuple[str, str, bool]]:
        """The releases to choose from, and the snapshot that the parameters name by its id."""
        chosen_release = params.get("release") if "release" in self.filled else None
        labels = [str(each["label"]) for each in reporting.snapshots(viewer) if each["label"]]
        found = [(label, f"Release {label}", label == chosen_release) for label in labels]
        if found and chosen_release and chosen_release not in labels:
            found.append((chosen_release, f"Snapshot {chosen_release[:12]}", True))
        return found

    def _offer_chosen(self, box: BoundField) -> None:
        """Adds chosen values that a list lacks, such as the code of a group."""
        field: Any = box.field
        if not hasattr(field, "choices"):
            return
        listed_choices = list(field.choices)
        codes = {str(code) for code, _label in listed_choices}
        chosen = box.value()
        chosen = [chosen] if isinstance(chosen, str) else chosen
        missing = [value for value in chosen if value and value not in codes]
        if missing:
            parent = DIMENSIONS[box.name].parent if box.name in DIMENSIONS else None
            labels = {**dict(COUNTED), **(dict(codes_of(parent)) if parent else {})}
            field.choices = [*listed_choices, *((each, labels.get(each, each)) for each in missing)]

    def _options(self, fields: Any, offer: Offer | None, *, exact: bool) -> list[str]:
        """The names of the options that leave a choice."""
        if offer is None:
            return ["level"]
        takes = MEASURES[offer.measure].takes
        names = [
            name
            for name in SOME_MEASURES
            if name in takes and (exact or name not in EXACT_ONLY or name in self.filled)
        ]
        if len(offer.counting) < 2:
            return names
        fields.fields["counting"].choices = [
            ("", "Default"),
            *((rule.value, rule.label) for rule in offer.counting),
        ]
        return ["counting", *names]

    def _groups(self, params: QueryDict, offer: Offer | None) -> list[Box]:
        chosen = listed(params, "group_by")
        places = offer.groupings if offer else None
        if places is not None:
            return [
                self._box(
                    place, next((n for n in chosen if n in names), names[0]), names, must=True
                )
                for place, names in enumerate(places)
            ]
        takes = MEASURES[offer.measure if offer else FIRST_MEASURE].group_by
        every = [name for name, each in self.known.items() if each["group_by"] and name in takes]
        return [
            self._box(
                place,
                chosen[place] if place < len(chosen) else "",
                every,
                beside=[name for at, name in enumerate(chosen) if at != place],
            )
            for place in range(len(GROUPINGS))
        ]

    def _box(
        self,
        place: int,
        picked: str,
        names: Collection[str],
        *,
        must: bool = False,
        beside: Sequence[str] = (),
    ) -> Box:
        offered = [
            (
                name,
                str(each["title"]),
                name == picked,
                "" if name == picked else self.combining.why_not(name, [*self.used, *beside]),
            )
            for name, each in self.known.items()
            if name in names or name == picked
        ]
        return (
            f"id_group_by_{place + 1}",
            GROUPINGS[place],
            "" if must else NOTHING[place],
            offered,
        )

    def _values(self, name: str) -> list[tuple[str, str]]:
        listed: Any = self.known.get(name, {}).get("values") or ()
        return [(str(each["id"]), str(each["label"])) for each in listed]

    def in_words(self, params: QueryDict) -> list[tuple[str, str]]:
        """The filters and options as (label, values), with labels in place of codes."""
        filters = EventFilterSet.base_filters
        said = []
        for name, texts in params.lists():
            if name not in filters or name in {"group_by", "labels", "format", "ordering"}:
                continue
            labels = dict(COUNTED if name == "counting" else self._values(name))
            if name == "effect":
                labels = {**dict(self._values("category")), **dict(self._values("complication"))}
            codes = [part.strip() for text in texts for part in text.split(",") if part.strip()]
            words = ", ".join(str(labels.get(code, title_of(code))) for code in codes)
            said.append((str(filters[name].label), words))
        return said


COUNTED = [(rule.value, rule.label) for rule in CountingRule]


def of_side(side: Side) -> Sequence[str]:
    """The filters of one section, without the first ones."""
    return [
        name for name, each in DIMENSIONS.items() if each.side is side and name not in FIRST_FIELDS
    ]
