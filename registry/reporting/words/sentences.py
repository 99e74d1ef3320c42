"""Describes an answer in words for clinicians: title, filters, method, warnings."""

from collections.abc import Iterable

from registry.records import DIMENSIONS, EventQuery
from registry.reporting.asking.spec import Divides, Question, Row
from registry.snapshot.terms import Terms
from registry.vocabulary import (
    CODELISTS,
    NOT_RECORDED,
    CellStatus,
    CountingRule,
    Denominator,
    Profile,
)

COUNTED = {
    CountingRule.EVENTS: "Every event.",
    CountingRule.EPISODES: (
        "Episodes: events that one another caused count once in each row in which any of them "
        "falls, so rows need not add up."
    ),
    CountingRule.DEVICES: "Devices with at least one event.",
    CountingRule.PATIENTS: "Patients with at least one event.",
}
_OF_PATIENTS = "since drug effects, withdrawal and death are the patient's"
_ENDS = "time ends there, in later months and years too"
FIRST_OF = {
    CountingRule.FIRST_EVENT: {
        "device": f"Each device's first event ever; its {_ENDS}.",
        "patient": f"Each patient's first event ever, {_OF_PATIENTS}; {_ENDS}.",
        "both": (
            "Each device's first event ever, or the patient's first in rows of drug effects, "
            f"withdrawal or death; {_ENDS}."
        ),
    },
    CountingRule.FIRST_IN_ROW: {
        "device": "Each device's first event of the row; its time in the row ends there.",
        "patient": (
            f"Each patient's first event of the row, {_OF_PATIENTS}; time in the row ends there."
        ),
        "both": (
            "Each device's first event of the row, or the patient's first in rows of drug "
            "effects, withdrawal or death; time in the row ends there."
        ),
    },
}
"""First events in words, by whose they are."""

SPLIT_BY_YEAR = (
    "The split by calendar year is approximate: an implant counts as made in the middle of its "
    "year."
)
IN_EACH_ROW = "An event is in the row of each {names} it has."
ONE_DENOMINATOR = "Rows that differ in {names} alone share one denominator."
UNSTABLE = "A rate from fewer than 20 events is marked unstable."
BY_DAY_BAND = (
    "Per procedure, events count by their day band alone: within 90 days of one, also after "
    "follow-up has ended."
)
DATED = (
    "A placing procedure is dated by the implant's year, an explant or a replacement by the end "
    "of follow-up; other procedures are spread evenly over it."
)
SPREAD = "Refills are spread evenly over follow-up."
NOT_ENDED = "A first event does not end the procedures or refills of its device."
ALL_REPORTED = "Where there is no denominator, events are all reported events."


def title(question: Question, terms: Terms) -> str:
    """The title of an answer: measure, complications, groupings and filters."""
    query = question.query
    of = question.spec.called or f"{question.spec.measure.label} of"
    words = [of, _names(query, terms)]
    if query.group_by:
        words.append("by " + ", ".join(DIMENSIONS[name].title.lower() for name in query.group_by))
    return "; ".join([" ".join(words), *_selection(query, terms)])


def _selection(query: EventQuery, terms: Terms) -> list[str]:
    """The filters other than on complications, each with its values or their number."""
    said = []
    for name, values in query.where:
        if name in {"complication", "category"}:
            continue
        labels = [
            "not recorded" if value == NOT_RECORDED else label_of(name, value, terms)
            for value in values
        ]
        listed = " or ".join(labels) if len(labels) <= 3 else f"{len(labels)} values"
        listed = listed or "no value"  # filters that exclude each other
        said.append(f"{DIMENSIONS[name].title.lower()}: {listed}")
    if query.effect:
        named = {group.code: group.name for group in terms.categories}
        named |= {term.code: term.name for term in terms.complications}
        effects = [named.get(code, code) for code in query.effect]
        listed = " or ".join(effects) if len(effects) <= 3 else f"{len(effects)} complications"
        said.append(f"led to: {listed}")
    if query.windows and "window" not in query.group_by:
        windows = " or ".join(str(window) for window in query.windows)
        said.append(f"{DIMENSIONS['window'].title.lower()}: {windows}")
    if query.years is not None:
        said.append(_years(*query.years))
    return said


def _years(first: int | None, last: int | None) -> str:
    if first == last:
        return f"in {first}"
    ends = ("from", first), ("to", last)
    return " ".join(f"{word} {year}" for word, year in ends if year is not None)


def _names(query: EventQuery, terms: Terms) -> str:
    """The complications that two filters both hold, or the categories; none where nothing is."""
    where = dict(query.where)
    groups = where.get("category", [group.code for group in terms.categories])
    if "complication" in where:
        chosen = [term for term in terms.complications if term.code in where["complication"]]
        named = [term.name for term in chosen if term.category in groups]
    elif "category" in where:
        named = [group.name for group in terms.categories if group.code in groups]
    else:
        return "all complications"
    listed = ", ".join(named) if len(named) <= 3 else f"{len(named)} complications"
    return listed or "no complication"


def counted(question: Question) -> str:
    """The counting rule in words."""
    if not question.counting.of_firsts:
        return COUNTED[question.counting]
    kinds = {part.per_patient for part in question.parts}
    whose = "patient" if kinds == {True} else "both" if True in kinds else "device"
    return FIRST_OF[question.counting][whose]


def method(question: Question, *, profile: Profile) -> str:
    """The method of the interval."""
    published = question.spec.published
    if profile is Profile.PROTECTED and published:
        return published.method
    return question.spec.method(question)


def unit_in_words(question: Question) -> str:
    """The denominator in words; where rows differ, a reference to the column unit."""
    if len(question.units) == 1:
        return question.units[0].value
    return "each row's own: see the column unit"


def warnings(question: Question, *, profile: Profile) -> list[str]:
    """The warnings of an answer that its question alone gives."""
    query, divides = question.query, question.spec.divides
    said = []
    over_time = divides in {Divides.EXPOSURE, Divides.CARRIERS}
    if over_time and any(part.selection.splits_years for part in question.parts):
        said.append(SPLIT_BY_YEAR)
    multiple = [
        DIMENSIONS[name].title.lower()
        for name in query.group_by
        if DIMENSIONS[name].codelist in {"seriousness", "intervention"}
    ]
    if multiple:
        said.append(IN_EACH_ROW.format(names=" and ".join(multiple)))
    own = [name for name in query.group_by if DIMENSIONS[name].side == "event"]
    denominators = {(part.unit, part.clock) for part in question.parts}
    ends_time = divides is Divides.EXPOSURE and question.counting.of_firsts
    if over_time and own and not ends_time and len(denominators) == 1:
        titles = " and ".join(DIMENSIONS[name].title.lower() for name in own)
        said.append(ONE_DENOMINATOR.format(names=titles))
    if divides is Divides.EXPOSURE:
        said.extend(_about_rates(question))
    return [*said, *question.spec.warnings(question, profile)]


def about_rows(question: Question, rows: Iterable[Row]) -> list[str]:
    """The warnings that the rows of an exact answer give."""
    without = any(row.status is CellStatus.NO_DENOMINATOR for row in rows)
    return [ALL_REPORTED] if without and question.spec.divides is Divides.EXPOSURE else []


def _about_rates(question: Question) -> list[str]:
    said = [UNSTABLE]
    units = set(question.units)
    timed = any(part.selection.is_timed for part in question.parts)
    if Denominator.PROCEDURES in units:
        said.append(BY_DAY_BAND)
        if timed:
            said.append(DATED)
    if Denominator.REFILLS in units and timed:
        said.append(SPREAD)
    if units & {Denominator.PROCEDURES, Denominator.REFILLS} and question.counting.of_firsts:
        said.append(NOT_ENDED)
    return said


def label_of(name: str, value: object, terms: Terms) -> str:
    """The label of a value of a dimension; codes without a label are unchanged."""
    if name == "complication":
        return {term.code: term.name for term in terms.complications}.get(str(value), str(value))
    if name == "category":
        return {group.code: group.name for group in terms.categories}.get(str(value), str(value))
    listed = CODELISTS.get(
        "yes-no-unknown" if name == "serious" else DIMENSIONS[name].codelist or ""
    )
    if listed is None:
        return str(value)
    return next((code.label for code in listed if str(code.value) == str(value)), str(value))
