"""The yearly report of a release: its questions in order, all answered as everybody is answered.

Whoever reads it, no answer in it is exact: a report is printed and passed on.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any

from registry import reporting
from registry.answers.asking import Panel, Refused, ask, refused_alike
from registry.answers.completeness import CompletenessBlock, completeness_of
from registry.answers.errata import GROUPS, Errata, errata_of, sentences_of
from registry.answers.findings import finding_of, first_finding
from registry.answers.landmarks import LandmarkTable, landmarks_of
from registry.answers.summaries import summary_of
from registry.answers.tables import (
    PROTECTED,
    AnswerTable,
    legend_of,
    source_of,
    table_of,
    why_hidden,
)
from registry.filters import parse_query
from registry.filters.catalogue import catalogue_categories, every_complication
from registry.records import Cell, Release, Viewer
from registry.vocabulary import CellStatus, HiddenReason, Measure, Profile

PRODUCTS = (
    ("pump", "pump_model", "Pump models"),
    ("catheter", "catheter_model", "Catheter models"),
)
"""The category of a product's own failures, the dimension of its models, and a title."""


class NotProtected(Exception):
    """An answer of a report is exact: nothing may be written."""


@dataclass(frozen=True)
class ReportPart:
    """One answer of a report with its place, or why it was refused. place: 1 for the first.

    finding: in one sentence; empty for one that was refused. Its table and its sentences are made
    once: the part, the chapter of methods and the list of receipts all read them.
    """

    place: int
    title: str
    panel: Panel
    finding: str = ""

    @property
    def release(self) -> Release | None:
        """The answer."""
        return self.panel.release

    @property
    def refused(self) -> Refused | None:
        """Why there is no answer."""
        return self.panel.refused

    @cached_property
    def table(self) -> AnswerTable | None:
        """The answer as a table."""
        return table_of(self.panel.release) if self.panel.release else None

    @property
    def counted(self) -> Sequence[str]:
        """How it was counted and estimated; source and protection are the whole report's."""
        if self.table is None:
            return ()
        whole = {source_of(self.panel.meta), PROTECTED}
        return [said for said in self.table.caption if said not in whole]

    @property
    def caption(self) -> Sequence[str]:
        """What was counted and in which unit; the chapter of methods has the intervals."""
        method = str(self.panel.meta.get("method", ""))
        return [said for said in self.counted if not said.endswith(method)]

    @cached_property
    def landmarks(self) -> LandmarkTable | None:
        """Its curves at whole years; None without curves."""
        return landmarks_of(self.panel.release) if self.panel.release else None

    @property
    def is_of_curves(self) -> bool:
        """Whether its rows are the months of curves, too many to print."""
        return self.panel.measure is Measure.SURVIVAL

    @cached_property
    def summary(self) -> Sequence[str]:
        """Its findings beside the rows, such as each curve's devices, events and median."""
        return summary_of(self.panel.release) if self.panel.release else ()


@dataclass(frozen=True, slots=True)
class Chapter:
    """A heading of a report with its parts. about: a sentence before them."""

    code: str
    title: str
    about: str
    parts: Sequence[ReportPart]


@dataclass(frozen=True)
class Report:
    """A release's report; `refused` where nothing at all was answered.

    errata: what it tells otherwise than the release before; None where there is none before it.
    """

    chapters: Sequence[Chapter]
    errata: Errata | None = None

    @property
    def errata_said(self) -> Sequence[str]:
        """What changed since the release before, in sentences."""
        return list(sentences_of(self.errata))

    @cached_property
    def parts(self) -> Sequence[ReportPart]:
        """Every part in order."""
        return [part for chapter in self.chapters for part in chapter.parts]

    @property
    def refused(self) -> Refused | None:
        """The refusal, where every part has one."""
        return refused_alike(part.panel for part in self.parts)

    @property
    def answered(self) -> Sequence[ReportPart]:
        """The parts that have an answer."""
        return [part for part in self.parts if part.release]

    @property
    def meta(self) -> Mapping[str, Any]:
        """What every answer says of its data: that of the first one."""
        return next((part.panel.meta for part in self.answered), {})

    @property
    def completeness(self) -> CompletenessBlock | None:
        """How complete the data are, as the first answer says."""
        return completeness_of(self.meta)

    @property
    def methods(self) -> Sequence[str]:
        """How it was counted and estimated, each sentence once."""
        return _each_once(part.counted for part in self.answered)

    @property
    def caveats(self) -> Sequence[str]:
        """What the answers warn of, each once."""
        return _each_once(table.caveats for table in self._tables)

    @property
    def legend(self) -> Sequence[CellStatus | HiddenReason]:
        """The statuses and reasons that its tables have."""
        return legend_of(self._rows)

    @property
    def why_hidden(self) -> Sequence[str]:
        """What the texts for hidden numbers mean."""
        return why_hidden(self._rows)

    @property
    def _rows(self) -> Sequence[Mapping[str, Cell]]:
        return [row for part in self.answered for row in part.panel.rows]

    @property
    def protection(self) -> Sequence[str]:
        """How the answers are protected, each sentence once."""
        return _each_once(table.protection for table in self._tables)

    @property
    def _tables(self) -> Sequence[AnswerTable]:
        return [part.table for part in self.parts if part.table]


def _each_once(said: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(chain.from_iterable(said)))


def report_of(label: str, viewer: Viewer) -> Report:
    """The report of a release, by its label.

    Raises BadQuery for a label that no release can have; a release that does not exist, and one
    that the viewer may not ask, are refusals of every part.
    """
    asking = _Asking(label, as_everybody(viewer))
    return Report(list(_chapters(asking)), asking.errata())


def release_before(label: str, viewer: Viewer) -> str:
    """The label of the release made before this one, of those that the viewer may ask; or none."""
    labels = [str(each["label"]) for each in reporting.snapshots(as_everybody(viewer))]
    return next(iter(labels[labels.index(label) + 1 :]), "") if label in labels else ""


def as_everybody(viewer: Viewer) -> Viewer:
    """The same caller without any right to exact numbers."""
    return replace(viewer, exact_everywhere=False, exact_sites=frozenset(), agreement=None)


class _Asking:
    """Asks the questions of a report, and numbers them."""

    def __init__(self, label: str, viewer: Viewer) -> None:
        self.label, self.viewer, self.asked = label, viewer, 0
        self.apart = {term.code for term in every_complication() if not term.in_totals}

    def part(self, title: str, measure: Measure, **params: str) -> ReportPart:
        """The next part; its finding is told of its own rows."""
        panel = self._panel(measure, params)
        finding = finding_of(panel.release, apart=self.apart) if panel.release else ""
        self.asked += 1
        return ReportPart(self.asked, title, panel, finding)

    def errata(self) -> Errata | None:
        """The rates by category and five-year period beside those of the release before."""
        before = release_before(self.label, self.viewer)
        if not before:
            return None
        params = {"group_by": ",".join(GROUPS)}
        told = [self._panel(Measure.RATES, params, label) for label in (before, self.label)]
        return errata_of(before, *told)

    def _panel(self, measure: Measure, params: Mapping[str, str], label: str = "") -> Panel:
        asked = {**params, "release": label or self.label, "labels": "both"}
        query = parse_query(asked, measure=measure)
        panel = ask(query, measure, self.viewer)
        if panel.release and panel.meta["profile"] != Profile.PROTECTED:
            raise NotProtected
        return panel


def _chapters(asking: _Asking) -> Iterator[Chapter]:
    yield Chapter(
        "participation",
        "Participation",
        "Who takes part, for how long devices were watched, and how many patients had an event.",
        [
            asking.part("Patients with an event", Measure.PROPORTIONS),
            asking.part(
                "Pumps and catheters, and their time until the first event",
                Measure.RATES,
                group_by="component",
            ),
            asking.part("From year to year", Measure.RATES, group_by="year"),
        ],
    )
    categories = asking.part("All categories", Measure.RATES, group_by="category")
    yield Chapter(
        "categories",
        "What goes wrong",
        "Each category by what devices, procedures and refills let expect; first events.",
        [categories],
    )
    listed = list(catalogue_categories())
    for category in listed:
        part = asking.part(
            category.name, Measure.RATES, category=category.code, group_by="complication"
        )
        told = first_finding(categories.panel, category=category.code)
        yield Chapter(
            f"category-{category.code}",
            category.name,
            category.definition,
            [replace(part, finding=" ".join(filter(None, (told, part.finding))))],
        )
    known = {category.code for category in listed}
    for code, dimension, title in PRODUCTS:
        if code not in known:
            continue
        yield Chapter(
            f"products-{code}",
            title,
            "Models differ in how old their devices are, in patients, sites and years: a "
            "difference between them may have other causes.",
            [
                asking.part(
                    f"Freedom from {code} problems",
                    Measure.SURVIVAL,
                    category=code,
                    group_by=dimension,
                ),
                asking.part(
                    f"Rates of {code} problems", Measure.RATES, category=code, group_by=dimension
                ),
            ],
        )
