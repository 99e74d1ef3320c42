"""Are protected verdicts true? Signals, outliers and trends beside the exact ones.

Over seeded registries: how many of the pairs that a protected answer calls a signal, or an outlier,
are none in exact numbers; whether what is wrong by construction is found; and by how much protected
trends differ from exact ones, and how often their limits hold the exact ratio.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import exp, log
from pathlib import Path
from typing import Any

import numpy as np

from registry.records import EventQuery, Release
from registry.reporting.answering import _exact, protected_answer
from registry.reporting.asking.freshness import Frozen
from registry.synthetic import registry
from registry.vocabulary import CountingRule, Measure
from tests.synthetic.frozen import frozen_synthetic

SITES = 24
PAIRS = (
    ("pump_model", "category"),
    ("pump_model", "complication"),
    ("catheter_model", "complication"),
    ("drug", "category"),
    ("drug", "complication"),
)
CATEGORIES = ("infection", "catheter", "pump", "neurological", "drug-effect", "withdrawal")
VERDICTS = ("signal", "outlier")
FUNNELS = {"funnel, beyond 95 %": ("95", "998"), "funnel, beyond 99.8 %": ("998",)}
"""Verdicts on sites, and how the signals of rows end that are so."""
TRENDS = (
    *((("category", (each,)),) for each in CATEGORIES),
    *((("complication", (each,)),) for each in ("catheter-migration", "catheter-kink")),
)


@dataclass(slots=True)
class Verdicts:
    """One verdict over registries: how many were given, how many of them are none in exact numbers,
    and how many exact ones there are among the pairs that were judged."""

    given: int = 0
    untrue: int = 0
    exact: int = 0
    judged: int = 0


@dataclass(slots=True)
class ProtectedStudy:
    """Verdicts by name, faulty pumps and outlying sites found by verdict, and trends as pairs of
    logarithms.

    with_outlier: registries whose outlying site has its number of catheter events shown.
    judged_funnels: funnels that give verdicts at all.
    """

    registries: int = 0
    verdicts: dict[str, Verdicts] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    with_outlier: int = 0
    judged_funnels: int = 0
    off: list[float] = field(default_factory=list)
    held: list[bool] = field(default_factory=list)
    refused: int = 0

    def add(
        self, seed: int, *, events: int, sites: int = SITES, only_funnels: bool = False
    ) -> None:
        """Make, freeze and ask one registry."""
        made = registry(events=events, sites=sites, seed=seed)
        model = made.truth["faulty_pump_model"]["model"]
        self.registries += 1
        with tempfile.TemporaryDirectory() as folder:
            frozen = frozen_synthetic(Path(folder), made)
            for group_by in () if only_funnels else PAIRS:
                self._pairs(frozen, group_by, model)
            for where in () if only_funnels else TRENDS:
                self._trend(frozen, where)
            for category in CATEGORIES:
                self._funnel(frozen, category, made.truth["outlying_site"]["code"])

    def _pairs(self, frozen: Frozen, group_by: tuple[str, str], faulty: str) -> None:
        query = EventQuery(group_by=group_by, counting=CountingRule.DEVICES)
        exact = {_key(row, group_by): row for row in _exact(query, Measure.SIGNALS, frozen).rows}
        shown = protected_answer(query, Measure.SIGNALS, frozen)
        for row, verdict in _given(shown):
            tally = self.verdicts.setdefault(verdict, Verdicts())
            true = bool(exact.get(_key(row, group_by), {}).get(verdict))
            tally.judged += 1
            tally.exact += true
            tally.given += bool(row[verdict])
            tally.untrue += bool(row[verdict]) and not true
            if group_by == PAIRS[0] and row[verdict] and _key(row, group_by) == (faulty, "pump"):
                self.found[verdict] = self.found.get(verdict, 0) + 1

    def _funnel(self, frozen: Frozen, category: str, outlying: str) -> None:
        query = EventQuery(
            where=(("category", (category,)),),
            group_by=("site",),
            counting=CountingRule.FIRST_EVENT,
        )
        exact = {row["site"]: row["signal"] for row in _exact(query, Measure.FUNNEL, frozen).rows}
        shown = protected_answer(query, Measure.FUNNEL, frozen)
        self.judged_funnels += shown.meta["funnel"]["verdicts"]["given"]
        for row in shown.rows:
            if row["signal"] is None:
                continue
            sought = category == "catheter" and row["site"] == outlying
            self.with_outlier += sought
            for name, ends in FUNNELS.items():
                tally = self.verdicts.setdefault(name, Verdicts())
                given, true = (
                    str(said).endswith(ends) for said in (row["signal"], exact[row["site"]])
                )
                tally.judged += 1
                tally.exact += true
                tally.given += given
                tally.untrue += given and not true
                if sought and given:
                    self.found[name] = self.found.get(name, 0) + 1

    def _trend(self, frozen: Frozen, where: tuple[tuple[str, tuple[str, ...]], ...]) -> None:
        query = EventQuery(where=where, group_by=("year",))
        exact = _exact(query, Measure.TREND, frozen).meta["trend"]
        exact = exact["crude"] or exact  # as protected trends are: nothing is held alike
        shown = protected_answer(query, Measure.TREND, frozen).meta["trend"]
        if shown["rate_ratio"] is None or exact["rate_ratio"] is None:
            self.refused += 1
            return
        self.off.append(log(shown["rate_ratio"]) - log(exact["rate_ratio"]))
        self.held.append(shown["ci_lower"] <= exact["rate_ratio"] <= shown["ci_upper"])

    def table(self) -> str:
        """The table as it stands in the docs."""
        written = [
            "| verdict | registries | given | none in exact numbers | exact among judged | "
            "faulty pump, or outlying site, found |",
            "|---|---|---|---|---|---|",
        ]
        for name in (*VERDICTS, *FUNNELS):
            each = self.verdicts.get(name, Verdicts())
            share = 100 * each.untrue / max(each.given, 1)
            written.append(
                f"| {name} | {self.registries} | {each.given} | {each.untrue} ({share:.1f} %) | "
                f"{each.exact} of {each.judged} | {self.found.get(name, 0)} |"
            )
        off = np.array(self.off or [0.0])
        written.append("")
        written.append(
            f"Funnels with verdicts: {self.judged_funnels} of {self.registries * len(CATEGORIES)}. "
            f"The outlying site's number is shown in {self.with_outlier} registries."
        )
        written.append(
            f"Trends: {len(self.off)} told, {self.refused} not; protected over exact ratio on "
            f"average {100 * (exp(off.mean()) - 1):+.2f} % a year (standard error "
            f"{100 * off.std() / max(off.size, 1) ** 0.5:.2f}); limits hold the exact ratio in "
            f"{100 * float(np.mean(self.held or [0])):.1f} %."
        )
        return "\n".join(written)


def _given(shown: Release) -> Iterator[tuple[dict[str, Any], str]]:
    for row in shown.rows:
        for verdict in VERDICTS:
            if row[verdict] is not None:
                yield dict(row), verdict


def _key(row: Any, names: tuple[str, str]) -> tuple[str, str]:
    return str(row[names[0]]), str(row[names[1]])
