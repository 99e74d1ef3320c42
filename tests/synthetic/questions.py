"""What published papers on intrathecal pumps answer, asked of the registry: how much is told?

A question is answered where the rows that are told hold nine tenths of the events of the exact
answer (a trend: where there is a ratio; a curve: where it has a point after the start), refused
where it is not at this detail or has nothing to divide by, and else partly answered, or hidden
where no row is told.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.http import QueryDict

from registry.filters import parse_query
from registry.records import BadQuery, NotAvailableAtThisDetail, Release
from registry.reporting.answering import _exact, protected_answer
from registry.reporting.asking.freshness import Frozen
from registry.vocabulary import Measure

ENOUGH = 0.9
COUNTED = ("n", "events", "numerator")


class Told(StrEnum):
    """How much of a question is told."""

    ANSWERED = "answered"
    PARTLY = "partly"
    HIDDEN = "hidden"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PublishedQuestion:
    """A question of a paper or a report, as an address under statistics/."""

    about: str
    address: str

    @property
    def measure(self) -> Measure:
        """The measure that it asks for."""
        return Measure(self.address.partition("/")[0])

    @property
    def params(self) -> QueryDict:
        """Its parameters."""
        return QueryDict(self.address.partition("?")[2])


QUESTIONS = tuple(
    PublishedQuestion(about, address)
    for about, address in (
        (
            "a catheter problem, baclofen",
            "proportions/?category=catheter&drug=baclofen",
        ),
        (
            "a dislodged catheter, baclofen",
            "proportions/?complication=catheter-migration&drug=baclofen",
        ),
        ("catheter problems by root cause", "counts/?category=catheter&group_by=root_cause"),
        (
            "infections per 1,000 procedures, by kind",
            "rates/?category=infection&group_by=complication",
        ),
        ("what infections led to", "counts/?category=infection&group_by=intervention"),
        ("revision surgery, baclofen", "rates/?complication=revision-surgery&drug=baclofen"),
        (
            "catheter problems by model, baclofen",
            "rates/?category=catheter&drug=baclofen&group_by=catheter_model",
        ),
        (
            "catheter problems by indication, baclofen",
            "rates/?category=catheter&drug=baclofen&group_by=indication_group",
        ),
        (
            "children with baclofen, by category",
            "proportions/?drug=baclofen&age_band=child&group_by=category",
        ),
        ("pocket infections by plane", "rates/?category=infection&group_by=pump_plane"),
        ("time to infection, early and late", "counts/?category=infection&group_by=window"),
        ("pump survival by model", "survival/?category=pump&group_by=pump_model"),
        (
            "motor stall by label status",
            "survival/?complication=pump-motor-stall&group_by=label_status",
        ),
        ("granuloma by drug", "rates/?complication=granuloma&group_by=drug"),
        (
            "respiratory depression by class",
            "proportions/?complication=respiratory-depression&group_by=drug_class",
        ),
        ("what leads to what", "cascades/?category=catheter,pump,programming-refill"),
        (
            "withdrawal by root cause",
            "counts/?complication=baclofen-withdrawal&group_by=root_cause",
        ),
        ("stall in MRI by model", "rates/?complication=pump-mri-stall&group_by=pump_model"),
        ("trend of infections", "trend/?category=infection"),
        ("severity of catheter problems", "counts/?category=catheter&group_by=severity"),
        ("signals of pump models", "signals/"),
        (
            "pocket infection by year and model, baclofen",
            "rates/?complication=infection-pocket&drug=baclofen&group_by=year,pump_model"
            "&unit=pump-months",
        ),
        (
            "battery life by model",
            "survival/?complication=pump-end-of-service&group_by=pump_model",
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Asked:
    """How much of a question is told. share: of its events, in told rows; None without a sum."""

    told: Told
    share: float | None = None

    @property
    def words(self) -> str:
        """The verdict, with the share where only a part is told."""
        if self.told is not Told.PARTLY or self.share is None:
            return self.told
        return f"{self.told}, {100 * self.share:.0f} %"


def told(question: PublishedQuestion, frozen: Frozen) -> Told:
    """How much the protected answer tells of what the exact one does."""
    return asked(question, frozen).told


def asked(question: PublishedQuestion, frozen: Frozen) -> Asked:
    """The same with the share of the exact answer's events that lie in told rows."""
    try:
        query = parse_query(question.params, measure=question.measure)
        shown = protected_answer(query, question.measure, frozen)
        exact = _exact(query, question.measure, frozen)
    except (BadQuery, NotAvailableAtThisDetail):
        return Asked(Told.REFUSED)
    if question.measure is Measure.TREND:
        has_ratio = shown.meta["trend"]["rate_ratio"] is not None
        no_dates = all(row["status"] == "no_denominator" for row in shown.rows)
        return Asked(Told.ANSWERED if has_ratio else Told.REFUSED if no_dates else Told.HIDDEN)
    if not any(row["status"] != "no_denominator" for row in shown.rows):
        return Asked(Told.REFUSED)
    wanted = _events(exact)
    known = {key for key, rows in _by_key(shown).items() if _is_told(rows, question.measure)}
    total = sum(wanted.values())
    share = sum(n for key, n in wanted.items() if key in known) / total if total else 0.0
    if share >= ENOUGH:
        return Asked(Told.ANSWERED, share)
    return Asked(Told.PARTLY if known else Told.HIDDEN, share)


def is_told_exactly(question: PublishedQuestion, frozen: Frozen) -> bool:
    """Whether the exact answer has a row with something to divide by; of a trend, a ratio."""
    try:
        query = parse_query(question.params, measure=question.measure)
        exact = _exact(query, question.measure, frozen)
    except BadQuery:
        return False
    if question.measure is Measure.TREND:
        return exact.meta["trend"]["rate_ratio"] is not None
    return any(row["status"] != "no_denominator" for row in exact.rows)


def tally(frozen: Frozen) -> Mapping[Told, int]:
    """How many questions are told, and how far."""
    return Counter(told(question, frozen) for question in QUESTIONS)


def _events(release: Release) -> dict[tuple[Any, ...], int]:
    """The events behind each row of an exact answer; of a curve, those of all its months."""
    found: dict[tuple[Any, ...], int] = {}
    for key, rows in _by_key(release).items():
        found[key] = sum(int(row[name] or 0) for row in rows for name in COUNTED if name in row)
    return found


def _by_key(release: Release) -> dict[tuple[Any, ...], list[Mapping[str, Any]]]:
    names = [
        column.name
        for column in release.columns
        if column.role == "dimension" and column.name not in {"unit", "time_months"}
    ]
    found: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in release.rows:
        key = tuple("not-recorded" if row[name] is None else row[name] for name in names)
        found.setdefault(key, []).append(row)
    return found


def _is_told(rows: Sequence[Mapping[str, Any]], measure: Measure) -> bool:
    if measure is Measure.SURVIVAL:
        return any(row["estimate"] is not None and row["time_months"] for row in rows)
    if measure is Measure.SIGNALS:
        return rows[0]["expected"] is not None
    return any(rows[0].get(name) is not None for name in COUNTED)
